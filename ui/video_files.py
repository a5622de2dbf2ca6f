"""Where clips lie while they are worked on: folders of our own, gone when the process is."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import BinaryIO

from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx

from fer_core.errors import VideoError

PREFIX = "fer-live-clip-"
KEPT_SECONDS = 24 * 3600
"""Folders of processes that ended without cleaning up are removed after this long at the latest."""
UPLOAD = "upload"
"""What every clip is called on the disk; the name that it came with is never a path."""


def new_folder() -> Path:
    """A folder for one viewer that nobody else can read; what dead processes left behind goes."""
    sweep()
    return Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))


def store(upload: BinaryIO, folder: Path) -> Path:
    """Write an uploaded clip into `folder`; its own name is not used.

    Raises:
        VideoError: the disk is full.
    """
    file = folder / UPLOAD
    try:
        with file.open("wb") as stream:
            upload.seek(0)
            shutil.copyfileobj(upload, stream, 1 << 20)
    except OSError as error:
        file.unlink(missing_ok=True)
        raise VideoError(
            f"The upload cannot be stored on the server ({error.strerror}). "
            "Make room there, or send a shorter clip."
        ) from None
    return file


def let_go(upload: str) -> None:
    """Take an upload out of the server's memory.

    Streamlit would hold it until the session ends, also when its field is gone from the page.

    Args:
        upload: its `file_id`.
    """
    context = get_script_run_ctx()
    if context is not None and isinstance(context.uploaded_file_mgr, MemoryUploadedFileManager):
        context.uploaded_file_mgr.remove_file(context.session_id, upload)


def again(file: Path, folder: Path) -> Path:
    """The same file under another folder, without a copy where the disk can do that.

    Raises:
        VideoError: the file is gone or the disk is full.
    """
    place = folder / UPLOAD
    try:
        try:
            os.link(file, place)
        except OSError:
            shutil.copyfile(file, place)
    except OSError as error:
        raise VideoError(
            f"The uploaded clip cannot be read any more ({error.strerror}). Upload it again."
        ) from None
    return place


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
