"""Fixtures for all tests: a real face, and the model that the app opens with."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import settings

# A busy machine is no reason for a property to fail; pytest-timeout ends what hangs.
settings.register_profile("fer_live", deadline=None)
settings.load_profile("fer_live")


@pytest.fixture(scope="session")
def _astronaut() -> npt.NDArray[np.uint8]:
    from skimage import data

    return np.ascontiguousarray(data.astronaut())


@pytest.fixture
def astronaut(_astronaut: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Portrait of Eileen Collins (NASA, public domain): RGB uint8 (512, 512, 3), one face.

    Every test gets its own copy and may draw on it.
    """
    return _astronaut.copy()


@pytest.fixture
def face_crop(astronaut: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Her face alone, framed tightly as FER2013 frames faces: grey uint8 (48, 48)."""
    import cv2

    from fer_core.crops import grey_of

    return np.asarray(
        cv2.resize(grey_of(astronaut)[65:175, 170:280], (48, 48), interpolation=cv2.INTER_AREA)
    )


@pytest.fixture(scope="session")
def model_folder() -> Path:
    """The shipped folder that `models/default` names."""
    from fer_core.model_store import model_folder

    return model_folder()
