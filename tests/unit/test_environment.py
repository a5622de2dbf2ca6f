"""The environment is pinned as promised, and the rooms of the house import only what they may."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.metadata import distributions, version
from pathlib import Path
from statistics import median

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("fer_core", "train", "ui", "api", "benchmarks")
PYTHONS = ("3.10", "3.11", "3.12", "3.13")
COMPILED = sorted(file.name for file in ROOT.glob("requirements*.txt"))
SCRIPTS = ("scripts/run", "scripts/test", ".ci/run")

HEAVY = {"tensorflow", "keras", "mediapipe"}
"""Seconds and hundreds of megabytes: imported inside the function or class that needs them."""

OPTIONAL = {"fsspec", "jax", "optuna", "ray", "supervision", "torch"}
"""Used inside a function where someone has installed them, never asked for."""

IMPORT_SECONDS = 0.3


def requirements_of(name: str) -> list[Requirement]:
    lines = (line.partition(" #")[0].strip() for line in (ROOT / name).read_text().splitlines())
    return [Requirement(line) for line in lines if line and not line.startswith(("#", "-"))]


def pins_for(name: str, python: str, system: str = "linux") -> dict[str, str]:
    """The versions that a compiled file gives on one Python: by name, without its `==`."""
    environment = {
        "python_version": python,
        "python_full_version": f"{python}.5",
        "sys_platform": system,
        "platform_system": system.capitalize(),
        "platform_machine": "x86_64" if system == "linux" else "arm64",
    }
    pins: dict[str, str] = {}
    for requirement in requirements_of(name):
        if requirement.marker is None or requirement.marker.evaluate(environment):
            key = canonicalize_name(requirement.name)
            assert key not in pins, f"{key} is pinned twice for Python {python} in {name}"
            pins[key] = str(requirement.specifier).removeprefix("==")
    return pins


@dataclass(frozen=True)
class Import:
    """One imported module: where, which, and whether importing the file runs it."""

    file: Path
    line: int
    module: str
    at_import: bool

    def __str__(self) -> str:
        return f"{self.file.relative_to(ROOT)}:{self.line} imports {self.module}"

    @property
    def package(self) -> str:
        return self.module.partition(".")[0]


def imports_in(folder: str) -> Iterator[Import]:
    files = sorted((ROOT / folder).rglob("*.py"))
    assert files, f"no Python files in {folder}"
    for file in files:
        yield from _imports(file, ast.parse(file.read_text(encoding="utf-8")), at_import=True)


def _imports(file: Path, node: ast.AST, at_import: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            for alias in child.names:
                yield Import(file, child.lineno, alias.name, at_import)
        elif isinstance(child, ast.ImportFrom):
            assert child.level == 0, f"{file}:{child.lineno}: imports here name the whole module"
            assert child.module
            yield Import(file, child.lineno, child.module, at_import)
        elif isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test):
            for statement in child.orelse:
                yield from _imports(file, statement, at_import)
        else:
            inside = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            yield from _imports(file, child, at_import and not inside)


@cache
def names_by_module() -> dict[str, set[str]]:
    """Which installed distributions bring a top-level module; Python 3.10's own table has gaps."""
    found: dict[str, set[str]] = {}
    for package in distributions():
        name = canonicalize_name(package.metadata["Name"])
        for module in {file.parts[0].partition(".")[0] for file in package.files or []}:
            found.setdefault(module, set()).add(name)
    return found


def tracked_texts() -> list[Path]:
    if not (ROOT / ".git").exists() or shutil.which("git") is None:
        pytest.skip("not a git checkout, so there is no list of tracked files")
    names = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.split("\0")
    texts = []
    for file in (ROOT / name for name in names if name):
        if file.is_file() and b"\0" not in file.read_bytes()[:8192]:
            texts.append(file)
    return texts


# The pinned set


@pytest.mark.parametrize("name", COMPILED)
def test_every_line_is_an_exact_pin(name: str) -> None:
    loose = [
        str(requirement)
        for requirement in requirements_of(name)
        if [item.operator for item in requirement.specifier] != ["=="]
        or "*" in str(requirement.specifier)
    ]
    assert loose == []


@pytest.mark.parametrize("name", COMPILED)
def test_a_compiled_file_names_no_place(name: str) -> None:
    text = (ROOT / name).read_text()
    assert not re.search(r"https?:|file:|index-url|find-links|trusted-host| @ ", text)
    for line in text.splitlines():
        assert "/" not in line, f"{name} holds a path: {line}"


@pytest.mark.parametrize("python", PYTHONS)
def test_the_pinned_set_answers_every_requirement(python: str) -> None:
    for compiled in COMPILED:
        pins = pins_for(compiled, python)
        for requirement in requirements_of(compiled.replace(".txt", ".in")):
            pin = pins[canonicalize_name(requirement.name)]
            assert requirement.specifier.contains(pin), f"{requirement} against {pin}"


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("system", ["linux", "darwin"])
@pytest.mark.parametrize("name", COMPILED)
def test_other_lists_share_the_pins_of_the_app(python: str, system: str, name: str) -> None:
    app = pins_for("requirements.txt", python, system)
    others = pins_for(name, python, system)
    assert {key: pin for key, pin in others.items() if app.get(key, pin) != pin} == {}


@pytest.mark.parametrize("python", PYTHONS)
def test_there_is_one_opencv(python: str) -> None:
    names = pins_for("requirements.txt", python) | pins_for("requirements-dev.txt", python)
    assert [name for name in names if name.startswith("opencv")] == ["opencv-contrib-python"]
    assert int(names["opencv-contrib-python"].split(".")[0]) < 5


@pytest.mark.parametrize("python", PYTHONS)
def test_mediapipe_is_the_newest_that_reports_to_nobody(python: str) -> None:
    assert pins_for("requirements.txt", python)["mediapipe"] == "0.10.33"


def test_this_environment_is_the_pinned_one() -> None:
    asked = {canonicalize_name(item.name) for item in requirements_of("requirements.in")}
    pinned = {
        canonicalize_name(item.name): str(item.specifier).removeprefix("==")
        for item in requirements_of("requirements.txt")
        if item.marker is None or item.marker.evaluate()
    }
    expected = {name: pin for name, pin in pinned.items() if name in asked}
    assert {name: version(name) for name in expected} == expected


@pytest.mark.parametrize("name", [name.replace(".txt", ".in") for name in COMPILED])
def test_every_requirement_has_a_floor_and_a_reason(name: str) -> None:
    for line in (ROOT / name).read_text().splitlines():
        if not line or line.startswith(("#", "-c ")):
            continue
        asked, _, reason = line.partition(" # ")
        operators = {item.operator for item in Requirement(asked.strip()).specifier}
        assert operators & {">=", "=="}, f"no floor: {line}"
        assert len(reason.split()) >= 4, f"no reason: {line}"


# The rooms


@pytest.mark.parametrize(
    ("room", "lists"),
    [
        ("fer_core", ["requirements.in"]),
        ("train", ["requirements.in"]),
        ("ui", ["requirements.in"]),
        ("api", ["requirements.in"]),
        ("benchmarks", ["requirements.in", "requirements-dev.in"]),
    ],
)
def test_every_imported_package_is_asked_for(room: str, lists: list[str]) -> None:
    asked = {canonicalize_name(item.name) for name in lists for item in requirements_of(name)}
    providers = names_by_module()
    unknown = []
    for found in imports_in(room):
        package = found.package
        if package in sys.stdlib_module_names or package in ROOMS:
            continue
        # What is measured in a browser is measured with the browser and camera of the tests.
        if room == "benchmarks" and package == "tests":
            continue
        if package in OPTIONAL and not found.at_import:
            continue
        if not providers.get(package, set()) & asked:
            unknown.append(str(found))
    assert unknown == []


@pytest.mark.parametrize("room", ["fer_core", "ui"])
def test_heavy_packages_are_imported_where_they_are_needed(room: str) -> None:
    assert [
        str(found) for found in imports_in(room) if found.at_import and found.package in HEAVY
    ] == []


@pytest.mark.parametrize(
    ("room", "never"),
    [
        ("fer_core", {"ui", "train", "benchmarks", "app", "streamlit", "streamlit_webrtc"}),
        ("train", {"ui", "benchmarks", "app", "streamlit", "streamlit_webrtc"}),
        ("ui", {"train", "benchmarks", "app"}),
        ("benchmarks", {"ui", "app"}),
    ],
)
def test_arrows_run_one_way(room: str, never: set[str]) -> None:
    assert [str(found) for found in imports_in(room) if found.package in never] == []


def test_importing_the_library_is_quick_and_light() -> None:
    code = (
        "import sys, time; start = time.process_time(); import fer_core; "
        "print(time.process_time() - start, *sys.modules)"
    )
    seconds = []
    for _ in range(3):
        output = subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True
        ).stdout.split()
        seconds.append(float(output[0]))
        assert {*HEAVY, *OPTIONAL, "streamlit", "cv2", "av"}.isdisjoint(output[1:])
    assert median(seconds) < IMPORT_SECONDS, f"import fer_core took {seconds} s"


def test_the_page_loads_its_encryption_before_any_tensorflow() -> None:
    """TensorFlow first and aiortc second ends the process; see docs/dependencies.md."""
    code = "import sys, ui.live_tab; print(*sys.modules)"
    modules = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.split()
    assert "pylibsrtp" in modules
    assert HEAVY.isdisjoint(modules)


# The scripts


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_can_be_started(name: str) -> None:
    assert os.access(ROOT / name, os.X_OK), f"{name} is not executable"


@pytest.mark.parametrize("name", [*SCRIPTS, "scripts/environment.sh"])
def test_a_script_is_bash(name: str) -> None:
    checked = subprocess.run(["bash", "-n", str(ROOT / name)], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stderr


def test_continuous_integration_does_what_a_person_does() -> None:
    assert "scripts/test" in (ROOT / ".ci/run").read_text()


def test_no_file_names_a_place_on_somebodys_machine() -> None:
    place = re.compile(r"(?<![\w.~:/}*\])-])/(?:home|root|Users|work|mnt|tmp)/\w")
    assert [
        f"{file.relative_to(ROOT)}:{number}: {line.strip()[:80]}"
        for file in tracked_texts()
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1)
        if place.search(line)
    ] == []
