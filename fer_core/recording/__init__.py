"""Recordings of a live stream, written as it comes: a clip, and a row for every face and frame.

Whatever ends the process, the files are whole up to the last second: the clip is a fragmented mp4,
CSV and JSON lines are flushed, and Parquet is a folder of small files until the recording ends,
when one file is made of them. (A machine that loses its power may lose what its operating system
had not written yet.)
"""

from __future__ import annotations

from fer_core.recording.recorder import LiveRecorder, RecordingOptions, RecordingStatus
from fer_core.recording.rows import RECORD_COLUMNS

__all__ = ["RECORD_COLUMNS", "LiveRecorder", "RecordingOptions", "RecordingStatus"]
