"""Where a viewer's recordings lie: a folder of their own, gone with the session unless kept.

FER_LIVE_RECORDINGS      a folder on the server; when it is set, recordings can be kept there
FER_LIVE_RECORD_MB       how large one recording may grow (500), 1 to 100000
FER_LIVE_RECORD_MINUTES  how long it may last (60), 1 to 1440
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import threading
import time
import weakref
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import streamlit as st

from fer_core.errors import OptionError
from fer_core.recording import LiveRecorder, RecordingOptions, RecordingStatus
from ui.later import Later
from ui.while_here import while_here

KEEP_VARIABLE = "FER_LIVE_RECORDINGS"
MEGABYTES_VARIABLE = "FER_LIVE_RECORD_MB"
MINUTES_VARIABLE = "FER_LIVE_RECORD_MINUTES"

PREFIX = "fer-live-recording-"
_SHELF_KEY = "live_shelf"
LEFT_SECONDS = 24 * 3600
"""What a process that was killed left behind can be fetched for so long, and is then removed."""
AWAY_SECONDS = 150.0
"""A page whose connection broke finds its session again within two minutes, or never: Streamlit
keeps it for so long."""
MOST = 10
"""Recordings of one session; the oldest gives way."""


@dataclass(frozen=True)
class Recording:
    """One that has ended.

    Attributes:
        name: fit for a file name.
        folder: where its files lie.
        files: they, by name.
        status: how it ended.
    """

    name: str
    folder: Path
    files: tuple[Path, ...]
    status: RecordingStatus


class Shelf:
    """One viewer's recordings.

    Attributes:
        folder: where they lie; nobody else can read it.
        recorder: the one at work, or None.
        recordings: those that have ended, the newest first.
        closed: whether everything is gone.
    """

    def __init__(self) -> None:
        sweep()
        self.folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))
        self.recorder: LiveRecorder | None = None
        self.recordings: list[Recording] = []
        self.closed = False
        self._name = ""
        self._timer: Later | None = None
        self._lock = threading.Lock()
        # Also when the process ends without telling us.
        self._remove = weakref.finalize(self, shutil.rmtree, self.folder, True)

    @property
    def active(self) -> bool:
        """Whether something is being recorded."""
        return self.recorder is not None and self.recorder.status().active

    def start(self) -> LiveRecorder:
        """Begin another recording; one that is at work ends.

        Raises:
            OptionError: the folder cannot be written, or a bound in the environment is none.
        """
        self.stop()
        options = bounds()
        self._name = f"fer-live-{datetime.now():%Y%m%d-%H%M%S}"
        self.recorder = LiveRecorder(Path(tempfile.mkdtemp(dir=self.folder)), options)
        return self.recorder

    def stop(self) -> None:
        """End the recording at work, if any, and put it on the shelf."""
        recorder, self.recorder = self.recorder, None
        if recorder is None:
            return
        status = recorder.stop()
        files = tuple(recorder.files())
        if not status.frames:
            shutil.rmtree(recorder.folder, ignore_errors=True)
            return
        self.recordings.insert(0, Recording(self._name, recorder.folder, files, status))
        for old in self.recordings[MOST:]:
            self.delete(old)

    def finish(self) -> None:
        """No more frames will come: the files are closed without waiting. `stop` shelves them."""
        recorder = self.recorder
        if recorder is not None:
            recorder.stop(wait=0)

    def delete(self, recording: Recording) -> None:
        """Remove a recording and its files."""
        self.recordings = [other for other in self.recordings if other is not recording]
        shutil.rmtree(recording.folder, ignore_errors=True)

    def keep(self, recording: Recording) -> Path:
        """Move a recording to the folder that `FER_LIVE_RECORDINGS` names.

        Raises:
            OptionError: no folder is named, or it cannot be written.
        """
        folder = kept_folder()
        if folder is None:
            raise OptionError(f"Set {KEEP_VARIABLE} on the server to keep recordings there.")
        place = folder / recording.name
        try:
            folder.mkdir(parents=True, exist_ok=True)
            place = _free(place)
            shutil.copytree(recording.folder, place)
        except OSError as error:
            raise OptionError(
                f"{folder} cannot be written: {error.strerror or error}. Make room there."
            ) from None
        self.delete(recording)
        return place

    def hold(self) -> None:
        """The page is there, or there again."""
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None

    def let_go(self) -> None:
        """The page is gone, or its connection broke: wait for it a while, then close."""
        with self._lock:
            if self.closed or self._timer is not None:
                return
            self._timer = Later(AWAY_SECONDS, self._away)

    def close(self) -> None:
        """The session is over: everything goes that was not kept."""
        self.closed = True
        recorder, self.recorder = self.recorder, None
        if recorder is not None:
            recorder.stop()
        self._remove()

    def _away(self) -> None:
        with self._lock:
            if self._timer is None:
                return  # it came back in this very moment
            self.closed = True
        self.close()


def shelf() -> Shelf:
    """The shelf of this session."""
    kept: Shelf | None = st.session_state.get(_SHELF_KEY)
    if kept is None or kept.closed:
        kept = st.session_state[_SHELF_KEY] = Shelf()
    while_here(kept, kept.let_go, kept.hold)
    return kept


def kept_folder(environment: Mapping[str, str] | None = None) -> Path | None:
    """Where recordings may be kept; None when nobody named a folder."""
    named = (os.environ if environment is None else environment).get(KEEP_VARIABLE, "").strip()
    return Path(named).expanduser() if named else None


def bounds(environment: Mapping[str, str] | None = None) -> RecordingOptions:
    """How much may be recorded.

    Raises:
        OptionError: a variable holds no number in its range.
    """
    values = os.environ if environment is None else environment
    return RecordingOptions(
        max_seconds=60.0 * _number(values, MINUTES_VARIABLE, 60, 1440),
        max_bytes=1_000_000 * _number(values, MEGABYTES_VARIABLE, 500, 100_000),
    )


def sweep(root: Path | None = None, now: float | None = None) -> None:
    """Delete what processes that are long gone have left behind."""
    root = root or Path(tempfile.gettempdir())
    now = time.time() if now is None else now
    for folder in root.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):
            found = folder.lstat()
            ours = hasattr(os, "getuid") and found.st_uid == os.getuid()
            if ours and not folder.is_symlink() and now - _touched(folder) > LEFT_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)


def actual_size(recording: Recording) -> int:
    """Bytes of all its files."""
    return sum(file.stat().st_size for file in recording.files if file.is_file())


def _touched(folder: Path) -> float:
    """When something in it last changed."""
    return max(path.lstat().st_mtime for path in (folder, *folder.rglob("*")))


def _free(place: Path) -> Path:
    number, free = 1, place
    while free.exists():
        number += 1
        free = place.with_name(f"{place.name}-{number}")
    return free


def _number(values: Mapping[str, str], name: str, usual: int, most: int) -> int:
    text = values.get(name, "").strip()
    if not text:
        return usual
    if not text.isdecimal() or not 1 <= int(text) <= most:
        raise OptionError(f"{name} holds {text!r}. Write a whole number from 1 to {most}.")
    return int(text)
