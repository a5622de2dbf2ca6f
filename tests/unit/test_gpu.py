"""Looking for a GPU without importing a framework."""

from __future__ import annotations

from pathlib import Path

import pytest

from fer_core.runtimes.gpu import gpu_may_be_usable

A_LIBRARY_THAT_LOADS = "libc.so.6"
NO_LIBRARY = "libno_such_driver.so.1"


@pytest.mark.parametrize(
    ("devices", "environment", "driver", "expected"),
    [
        ([], {}, A_LIBRARY_THAT_LOADS, False),
        (["nvidiactl"], {}, A_LIBRARY_THAT_LOADS, False),
        (["nvidia0"], {}, A_LIBRARY_THAT_LOADS, True),
        (["nvidia3"], {}, A_LIBRARY_THAT_LOADS, True),
        (["dxg"], {}, A_LIBRARY_THAT_LOADS, True),
        (["nvidia0"], {}, NO_LIBRARY, False),
        (["nvidia0"], {"CUDA_VISIBLE_DEVICES": ""}, A_LIBRARY_THAT_LOADS, False),
        (["nvidia0"], {"CUDA_VISIBLE_DEVICES": "-1"}, A_LIBRARY_THAT_LOADS, False),
        (["nvidia0"], {"CUDA_VISIBLE_DEVICES": "0,1"}, A_LIBRARY_THAT_LOADS, True),
    ],
)
def test_what_the_machine_shows(
    devices: list[str], environment: dict[str, str], driver: str, expected: bool, tmp_path: Path
) -> None:
    for name in devices:
        (tmp_path / name).touch()
    assert gpu_may_be_usable(tmp_path, environment, driver) is expected
