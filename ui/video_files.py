"""Where a viewer's clip lies while it is worked on: a folder of its own, gone with the session."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import threading
import time
import weakref
from pathlib import Path
from typing import BinaryIO

import streamlit as st

from fer_core.errors import VideoError
from ui.video_job import VideoJob

PREFIX = "fer-live-clip-"
KEPT_SECONDS = 24 * 3600
"""Folders of processes that ended without cleaning up are removed after this long at the latest."""


class Workplace:
    """One viewer's folder and job. File names in it are ours; nobody else can read it.

    Attributes:
        folder: where the clip and its results lie.
        upload_id: which upload they belong to, or None.
        job: the job on it, or None.
    """

    def __init__(self) -> None:
        sweep()
        self.folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))
        self.upload_id: str | None = None
        self.job: VideoJob | None = None
        # Also when the process ends without telling us.
        self._remove = weakref.finalize(self, shutil.rmtree, self.folder, True)

    def take(self, upload_id: str | None) -> None:
        """Another upload, or none: what belongs to the one before is stopped and deleted."""
        if upload_id == self.upload_id:
            return
        self.drop_job()
        self.upload_id = upload_id

    def drop_job(self) -> None:
        """Stop the job, if any, and delete its files."""
        job, self.job = self.job, None
        if job is not None:
            job.cancel()
            threading.Thread(target=_forget, args=(job,), daemon=True).start()

    def place_for_job(self) -> Path:
        """A new empty folder for one job."""
        self.folder.mkdir(mode=0o700, exist_ok=True)
        return Path(tempfile.mkdtemp(dir=self.folder))

    def close(self) -> None:
        """The session is over. Does not wait for the job, which may need a moment to stop."""
        job, self.job = self.job, None
        if job is not None:
            job.cancel()
        threading.Thread(target=self._close, args=(job,), daemon=True).start()

    def _close(self, job: VideoJob | None) -> None:
        if job is not None:
            job.wait()
        self._remove()


@st.cache_resource(scope="session", on_release=Workplace.close, show_spinner=False)
def workplace() -> Workplace:
    """The workplace of this session."""
    return Workplace()


def store(upload: BinaryIO, folder: Path) -> Path:
    """Write an uploaded clip into `folder`; its own name is not used.

    Raises:
        VideoError: the disk is full.
    """
    file = folder / "upload"
    try:
        with file.open("wb") as stream:
            upload.seek(0)
            shutil.copyfileobj(upload, stream, 1 << 20)
    except OSError as error:
        raise VideoError(
            f"The upload cannot be stored on the server ({error.strerror}). "
            "Make room there, or send a shorter clip."
        ) from None
    return file


def sweep(root: Path | None = None, now: float | None = None) -> None:
    """Delete the folders of processes that are gone, and very old ones."""
    root = root or Path(tempfile.gettempdir())
    now = time.time() if now is None else now
    for folder in root.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError, ValueError):
            number = int(folder.name[len(PREFIX) :].split("-")[0])
            old = now - folder.stat().st_mtime > KEPT_SECONDS
            ours = hasattr(os, "getuid") and folder.stat().st_uid == os.getuid()
            if ours and not folder.is_symlink() and (old or not _alive(number)):
                shutil.rmtree(folder, ignore_errors=True)


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _forget(job: VideoJob) -> None:
    job.wait()
    shutil.rmtree(job.folder, ignore_errors=True)
