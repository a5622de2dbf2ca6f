"""A virtual environment for each package that is compared, and one for this project's wheel."""

from __future__ import annotations

import argparse
import hashlib
import os
import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path

from fer_core.errors import FerError
from fer_core.model_store import CARD_FILE, model_folder

__all__ = [
    "CONTESTANTS",
    "ENVIRONMENTS",
    "Contestant",
    "Environment",
    "add_venvs",
    "python_in",
    "size_on_disk",
]

ROOT = Path(__file__).resolve().parents[2]


class PeerError(FerError):
    """An environment could not be made. Its sentence says what pip said."""


@dataclass(frozen=True)
class Environment:
    """What is installed together.

    Attributes:
        name: of its folder.
        packages: for pip.
        shown: distributions whose versions are shown, where they are installed.
    """

    name: str
    packages: tuple[str, ...]
    shown: tuple[str, ...]


@dataclass(frozen=True)
class Contestant:
    """One way to read expressions from pictures.

    Attributes:
        kind: a name in `benchmarks.peers.worker.KINDS`.
        environment: where it runs.
        title: in the table.
    """

    kind: str
    environment: str
    title: str


_USUAL = (
    "tensorflow",
    "keras",
    "opencv-python",
    "opencv-contrib-python",
    "opencv-python-headless",
    "numpy",
)

# fer 25.10 imports pkg_resources, which setuptools no longer has from 81 on; it brings MTCNN by
# itself. deepface needs tf-keras and flask, and asks for neither.
ENVIRONMENTS = {
    "fer_live": Environment("fer_live", (str(ROOT),), ("fer-live", "ai-edge-litert", *_USUAL)),
    "fer": Environment("fer", ("fer==25.10.3", "setuptools<81"), ("fer", "mtcnn", *_USUAL)),
    "deepface": Environment(
        "deepface", ("deepface==0.0.103", "tf-keras", "flask"), ("deepface", "tf-keras", *_USUAL)
    ),
}

CONTESTANTS = (
    Contestant("fer_live", "fer_live", "fer_live, blazeface"),
    Contestant("fer_live-int8", "fer_live", "fer_live, blazeface, int8"),
    Contestant("fer_live-pictures", "fer_live", "fer_live, single pictures"),
    Contestant("fer_live-haar", "fer_live", "fer_live, haar"),
    Contestant("fer", "fer", "fer, its default (Haar)"),
    Contestant("fer-mtcnn", "fer", "fer, MTCNN"),
    Contestant("deepface", "deepface", "deepface, opencv"),
)


def python_in(folder: Path, environment: Environment) -> Path:
    """The interpreter of an environment, which is made when it is missing (minutes, gigabytes).

    That of this project is made anew when its sources or its default model have changed.

    Raises:
        FerError: pip could not install the packages.
    """
    place = folder / environment.name
    python = place / "bin" / "python"
    done = place / "installed"
    wanted = "\n".join(environment.packages)
    mine = str(ROOT) in environment.packages
    if mine:
        wanted += "\n" + _sources_sha256()
    if done.is_file() and done.read_text(encoding="utf-8") == wanted:
        return python
    print(f"installing {environment.packages[0]} into {place} ...", file=sys.stderr, flush=True)
    venv.create(place, with_pip=True, clear=mine)
    command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    run = subprocess.run(
        [*command, *environment.packages], capture_output=True, text=True, check=False
    )
    if run.returncode != 0:
        reason = (run.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise PeerError(f"pip cannot install {environment.name}: {reason}")
    done.write_text(wanted, encoding="utf-8")
    return python


def _sources_sha256() -> str:
    """Changes with every file that goes into this project's wheel."""
    digest = hashlib.sha256()
    sources = [*(ROOT / "fer_core").rglob("*.py"), ROOT / "pyproject.toml"]
    # A card holds the checksums of its model's files.
    for file in [*sorted(sources), model_folder() / CARD_FILE]:
        digest.update(file.read_bytes())
    return digest.hexdigest()


def size_on_disk(folder: Path, environment: Environment) -> float:
    """Megabytes of the environment's packages, without those that every environment starts with."""
    place = folder / environment.name / "lib"
    tools = ("pip", "setuptools", "pkg_resources", "_distutils_hack", "wheel")
    total = 0
    for packages in place.glob("python*/site-packages"):
        for entry in packages.iterdir():
            if not entry.name.startswith(tools):
                files = entry.rglob("*") if entry.is_dir() else [entry]
                total += sum(file.stat().st_size for file in files if file.is_file())
    return total / 1e6


def add_venvs(parser: argparse.ArgumentParser) -> None:
    """Add the option that says where the environments are."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "fer-live" / "peers"
    parser.add_argument(
        "--venvs", type=Path, default=cache, metavar="DIR", help="of the environments (%(default)s)"
    )
