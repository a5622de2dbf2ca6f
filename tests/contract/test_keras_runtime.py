"""What the runtime of Keras does beside what every runtime promises."""

from __future__ import annotations

import importlib.util
import inspect
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from fer_core.runtimes import Runtime, create_runtime
from tests.contract.fixed_crops import crops_of
from tests.contract.kinds import SAME, python


def test_keras_says_nothing_while_it_compiles_one_size_after_the_other(model_folder: Path) -> None:
    code = f"""
import numpy as np
from pathlib import Path
from fer_core.runtimes import create_runtime
runtime = create_runtime("keras", Path({str(model_folder)!r}))
for count in (9, 20):
    runtime.run(np.zeros((count, 48, 48, 1), np.uint8))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=180, check=True
    )
    assert "retracing" not in done.stderr


@pytest.mark.parametrize("backend", ["tensorflow", "jax", "torch"])
def test_keras_gives_the_same_on_every_backend(
    backend: str, opened: dict[str, Runtime], model_folder: Path, tmp_path: Path
) -> None:
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    np.save(tmp_path / "crops.npy", crops_of(6))
    code = f"""
import numpy as np
from pathlib import Path
from fer_core.runtimes import create_runtime
runtime = create_runtime("keras", Path({str(model_folder)!r}))
assert runtime.backend == {backend!r}
np.save({str(tmp_path / "answer.npy")!r}, runtime.run(np.load({str(tmp_path / "crops.npy")!r})))
"""
    python(code, KERAS_BACKEND=backend)
    answer = np.load(tmp_path / "answer.npy")
    np.testing.assert_allclose(answer, opened["litert"].run(crops_of(6)), atol=SAME)


def test_crops_reach_keras_as_bytes(opened: dict[str, Runtime]) -> None:
    runtime = opened["keras"]
    forward, given = runtime._forward, []  # type: ignore[attr-defined]

    def watched(crops: np.ndarray) -> object:
        given.append(crops)
        return forward(crops)

    runtime._forward = watched  # type: ignore[attr-defined]
    try:
        runtime.run(crops_of(3))
    finally:
        runtime._forward = forward  # type: ignore[attr-defined]
    assert [(one.dtype, one.shape) for one in given] == [(np.uint8, (4, 48, 48, 1))]


def compiled_so_far(runtime: Runtime) -> int:
    """How many sizes TensorFlow has compiled the network for."""
    of_size = inspect.getclosurevars(runtime._forward).nonlocals["of_size"]  # type: ignore[attr-defined]
    return int(of_size.cache_info().misses)


def test_keras_compiles_once_per_padded_size(opened: dict[str, Runtime]) -> None:
    pytest.importorskip("tensorflow")
    runtime = opened["keras"]
    for count in (1, 2, 3, 4, 5, 6, 7, 8):
        runtime.run(crops_of(count))
    before = compiled_so_far(runtime)
    for count in (8, 3, 5, 1, 6, 2, 7, 4):
        runtime.run(crops_of(count))
    assert compiled_so_far(runtime) == before >= 4


def test_no_frame_with_up_to_eight_faces_waits_for_keras_to_compile(model_folder: Path) -> None:
    pytest.importorskip("tensorflow")
    runtime = create_runtime("keras", model_folder)
    try:
        before = compiled_so_far(runtime)
        for count in range(1, 9):
            runtime.run(crops_of(count))
        assert compiled_so_far(runtime) == before == 4
    finally:
        runtime.close()
