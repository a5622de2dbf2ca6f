"""Every failure that a user can cause, as one tree.

    FerError
    ├── OptionError            an option has a value that does not exist or does not fit
    ├── PictureError           a picture cannot be read, is empty, or has an impossible shape
    ├── VideoError             a video cannot be read or written, or has no video stream
    │   └── VideoCancelled     the user pressed Cancel; nothing was left behind
    ├── DetectorError          a detector cannot be made or failed on a frame
    ├── RuntimeMissingError    the asked-for runtime is not installed or does not work here
    ├── PackageMissingError    an optional package, such as pandas, is not installed
    ├── CameraError            a camera cannot be opened or read, or there is no screen to show it
    ├── WorkerError            a file met a limit of the process it is read in, or ended it
    ├── ModelError             a model folder is missing, incomplete, altered or of another kind
    ├── DatasetError           a data set is missing, incomplete or not understood
    └── TrainingError          training cannot go on (NaN loss, full disk, other checkpoint)

The message is one or two plain sentences: what was received, and what to do. User interfaces print
it as it stands; nothing else is needed to act on it.
"""

from __future__ import annotations

__all__ = [
    "CameraError",
    "DatasetError",
    "DetectorError",
    "FerError",
    "ModelError",
    "OptionError",
    "PackageMissingError",
    "PictureError",
    "RuntimeMissingError",
    "TrainingError",
    "VideoCancelled",
    "VideoError",
    "WorkerError",
]


class FerError(Exception):
    """Base of every error that a user can cause; its text is fit to be shown."""


class OptionError(FerError, ValueError):
    """An option has a value that does not exist or does not fit."""


class PictureError(FerError):
    """A picture cannot be read, is empty, or has an impossible shape."""


class VideoError(FerError):
    """A video cannot be read or written, or has no video stream."""


class VideoCancelled(VideoError):  # noqa: N818 - a choice, not a fault
    """The user cancelled the job; partial output has been removed."""


class DetectorError(FerError):
    """A detector cannot be made (missing package or file) or failed on a frame."""


class RuntimeMissingError(FerError):
    """The asked-for runtime is not installed or does not work on this machine."""


class PackageMissingError(FerError):
    """An optional package that was asked for by name or use is not installed."""


class CameraError(FerError):
    """A camera cannot be opened or read, or there is no screen for its window."""


class WorkerError(FerError):
    """A file met a limit of the process that it was read in, ended it, or none could be started."""


class ModelError(FerError):
    """A model folder is missing, incomplete, altered, or made by another version."""


class DatasetError(FerError):
    """A data set is missing, incomplete, or not in a layout that is understood."""


class TrainingError(FerError):
    """Training cannot go on; the last good checkpoint is kept."""
