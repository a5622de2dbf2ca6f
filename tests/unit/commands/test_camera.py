"""The camera command with a camera made for the test; a window where there is a screen."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from fer_core import cli
from fer_core.commands.camera import _what_to_do, show_camera
from fer_core.commands.recorder import Recorder
from fer_core.errors import CameraError
from tests.clips import FakeAnalyzer, face_scene, read_pictures, read_times


class FakeCamera:
    """Gives `count` pictures (BGR), None where `gaps` says, and then nothing any more."""

    def __init__(self, count: int = 5, gaps: tuple[int, ...] = (), opened: bool = True) -> None:
        self.count, self.gaps, self.opened = count, gaps, opened
        self.step = 0
        self.released = False
        self.settings: dict[int, float] = {}

    def isOpened(self) -> bool:  # noqa: N802
        return self.opened

    def set(self, name: int, value: float) -> bool:
        self.settings[name] = value
        return True

    def read(self) -> tuple[bool, Any]:
        self.step += 1
        if self.step in self.gaps or self.step > self.count:
            return False, None
        return True, face_scene((160, 120), self.step)[:, :, ::-1].copy()

    def release(self) -> None:
        self.released = True


class Clock:
    """0.1 s later at each look; begins at 100 s."""

    def __init__(self) -> None:
        self.now = 99.9

    def __call__(self) -> float:
        self.now += 0.1
        return self.now


def test_pictures_are_shown_as_rgb_and_recorded_with_their_times(tmp_path: Path) -> None:
    shown: list[np.ndarray] = []
    recorder = Recorder(tmp_path / "out.mp4")

    def show(picture: np.ndarray) -> bool:
        shown.append(picture.copy())
        return len(shown) < 4

    analyzer = FakeAnalyzer()
    frames = show_camera(FakeCamera(9), analyzer, show, recorder, clock=Clock())
    assert frames == 4
    assert analyzer.times == pytest.approx([0.1, 0.2, 0.3, 0.4])
    assert shown[0][5, 150].tolist() == [90, 90, 90]
    original = face_scene((160, 120), 1)
    assert np.abs(shown[0][100:, 80:].astype(int) - original[100:, 80:]).max() == 0
    assert recorder.close()
    assert read_times(tmp_path / "out.mp4") == pytest.approx([0, 0.1, 0.2, 0.3], abs=0.001)
    with av.open(str(tmp_path / "out.mp4")) as clip:
        assert float(clip.streams.video[0].duration * clip.streams.video[0].time_base) == (
            pytest.approx(0.4, abs=0.001)
        )
    difference = np.abs(read_pictures(tmp_path / "out.mp4")[0].astype(int) - shown[0])
    assert difference.mean() < 6
    assert recorder.seconds == pytest.approx(0.4, abs=0.001)


def test_a_mirror_exchanges_left_and_right() -> None:
    shown: list[np.ndarray] = []
    show_camera(
        FakeCamera(1),
        FakeAnalyzer(),
        lambda picture: bool(shown.append(picture)),
        None,
        mirror=True,
    )
    expected = face_scene((160, 120), 1)[:, ::-1]
    assert (shown[0][100:, 80:] == expected[100:, 80:]).all()


def test_it_ends_after_the_given_time() -> None:
    frames = show_camera(FakeCamera(99), FakeAnalyzer(), None, None, seconds=0.95, clock=Clock())
    assert frames == 10


def test_single_gaps_are_passed_over_and_a_lost_camera_is_said() -> None:
    camera = FakeCamera(count=6, gaps=(2, 3, 5))
    with pytest.raises(CameraError, match="gave no more pictures after 3 frames"):
        show_camera(camera, FakeAnalyzer(), None, None)


def test_an_empty_recording_leaves_no_file(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "out.mp4")
    assert not recorder.close()
    recorder.discard()
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def plugged(monkeypatch: pytest.MonkeyPatch) -> FakeCamera:
    camera = FakeCamera(8)
    monkeypatch.setattr(cv2, "VideoCapture", lambda device: camera)
    return camera


def test_a_recording_without_a_window(
    plugged: FakeCamera, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    plugged.count = 10_000
    file = tmp_path / "out.mp4"
    arguments = ["--no-window", "--record", str(file), "--seconds", "0.3", "--size", "640x480"]
    assert cli.main(["camera", *arguments, "--runtime", "litert"]) == 0
    assert f"s: {file}" in capfd.readouterr().err
    assert len(read_times(file)) == plugged.step
    assert plugged.released
    assert plugged.settings[cv2.CAP_PROP_FRAME_WIDTH] == 640
    assert [path.name for path in tmp_path.iterdir()] == ["out.mp4"]


@pytest.mark.usefixtures("plugged")
def test_a_camera_that_goes_away_leaves_what_was_recorded(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "out.mp4"
    assert cli.main(["camera", "--no-window", "--record", str(file), "--quiet"]) == 1
    assert len(read_times(file)) == 8
    err = capfd.readouterr().err
    assert "gave no more pictures after 8 frames" in err
    assert len(err.splitlines()) == 1


def test_ctrl_c_ends_a_recording_whole(
    plugged: FakeCamera, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = plugged.read

    def interrupted() -> tuple[bool, Any]:
        if plugged.step == 4:
            raise KeyboardInterrupt
        return read()

    monkeypatch.setattr(plugged, "read", interrupted)
    file = tmp_path / "out.mp4"
    assert cli.main(["camera", "--no-window", "--record", str(file)]) == 0
    assert len(read_times(file)) == 4


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--no-window"], "--no-window without --record does nothing."),
        (["--seconds", "0"], "--seconds must be above 0. Received: 0."),
        (["--size", "big"], "--size is WIDTHxHEIGHT"),
        (["--size", "0x480"], "--size must be from 1 to 16384 pixels each way. Received: 0x480."),
        (["--record", "nowhere/x.mp4"], "for --record does not exist."),
        (["--record", "x.avi"], "--record writes mp4."),
        (["--device", "/nowhere/video9"], "The camera /nowhere/video9 cannot be opened."),
        (["--min-confidence", "7"], "from 0 to 1. Received: 7.0."),
    ],
)
def test_a_command_that_cannot_be_carried_out(
    arguments: list[str], sentence: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["camera", *arguments]) == 2
    err = capfd.readouterr().err
    assert sentence in err
    assert len(err.splitlines()) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="Linux shows its cameras as files")
@pytest.mark.parametrize(
    ("device", "files", "sentence"),
    [
        ("0", [], "There is no camera on this machine: connect one."),
        ("7", ["video10", "video2"], "Cameras here: {0}/video2, {0}/video10. Choose one"),
        ("2", ["video2"], "Check that it is connected"),
        ("rtsp://nowhere/1", [], "Check that it is connected"),
    ],
)
def test_what_helps_when_a_camera_does_not_open(
    device: str, files: list[str], sentence: str, tmp_path: Path
) -> None:
    for name in files:
        (tmp_path / name).touch()
    assert sentence.format(tmp_path) in _what_to_do(device, tmp_path)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may use everything")
def test_a_camera_that_may_not_be_used_is_said(tmp_path: Path) -> None:
    (tmp_path / "video0").touch(0)
    assert "You may not use" in _what_to_do("0", tmp_path)


def test_a_recording_is_never_replaced(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "out.mp4"
    file.write_text("dear")
    assert cli.main(["camera", "--record", str(file)]) == 2
    assert "exists, and a recording would replace it" in capfd.readouterr().err
    assert file.read_text() == "dear"


@pytest.mark.skipif(sys.platform != "linux", reason="a screen can be taken away on Linux only")
def test_without_a_screen_one_sentence(
    plugged: FakeCamera, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    # A screen that is not there ends a process that tries to open a window on it.
    monkeypatch.setenv("DISPLAY", ":9999")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    assert cli.main(["camera"]) == 2
    err = capfd.readouterr().err
    assert "No window can be opened here" in err
    assert len(err.splitlines()) == 1
    assert plugged.released


@pytest.mark.skipif(not os.environ.get("DISPLAY"), reason="no screen here")
@pytest.mark.usefixtures("plugged")
def test_a_window_shows_what_the_camera_sees(capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["camera", "--seconds", "0.2"]) == 0
    assert capfd.readouterr().out == ""
