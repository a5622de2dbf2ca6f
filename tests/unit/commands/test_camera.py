"""The camera command with a camera and a window made for the test."""

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
from fer_core.closing import Closing
from fer_core.commands import camera as camera_module
from fer_core.commands.camera import TITLE, _what_to_do, show_camera
from fer_core.commands.recorder import Recorder
from fer_core.errors import CameraError
from fer_core.overlay import OverlayOptions
from tests.clips import FakeAnalyzer, face_scene, read_pictures, read_times


class FakeCamera:
    """Gives `count` pictures (BGR), None where `gaps` says, and then nothing any more."""

    def __init__(self, count: int = 5, gaps: tuple[int, ...] = (), opened: bool = True) -> None:
        self.count, self.gaps, self.opened = count, gaps, opened
        self.step = 0
        self.released = False
        self.settings: dict[int, float] = {}
        self.device: object = None

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


class FakeWindow:
    """OpenCV's window without a screen: what it was shown; `keys` are pressed in turn."""

    def __init__(self) -> None:
        self.keys: list[int] = []
        self.closed = False
        self.there: list[str] = []
        self.shown: list[np.ndarray] = []

    def namedWindow(self, title: str, _flags: int) -> None:  # noqa: N802
        self.there.append(title)

    def imshow(self, title: str, picture: np.ndarray) -> None:
        assert title in self.there
        self.shown.append(picture.copy())

    def waitKey(self, _milliseconds: int) -> int:  # noqa: N802
        return self.keys.pop(0) if self.keys else -1

    def getWindowProperty(self, title: str, name: int) -> float:  # noqa: N802
        assert (title in self.there, name) == (True, cv2.WND_PROP_VISIBLE)
        return 0.0 if self.closed else 1.0

    def destroyAllWindows(self) -> None:  # noqa: N802
        self.there.clear()


class AnalyzerInPlace(FakeAnalyzer, Closing):
    """Stands where the command makes its own."""

    def __init__(self, _options: object) -> None:
        super().__init__()

    def close(self) -> None:
        """Nothing is open."""


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

    def opened(device: object) -> FakeCamera:
        camera.device = device
        return camera

    monkeypatch.setattr(cv2, "VideoCapture", opened)
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


@pytest.fixture
def window(monkeypatch: pytest.MonkeyPatch) -> FakeWindow:
    window = FakeWindow()
    for name in ("namedWindow", "imshow", "waitKey", "getWindowProperty", "destroyAllWindows"):
        monkeypatch.setattr(cv2, name, getattr(window, name))
    # The process that tries a window first has no screen either.
    monkeypatch.setattr(camera_module, "_TRY_A_WINDOW", "")
    monkeypatch.setattr("fer_core.analyzer.Analyzer", AnalyzerInPlace)
    return window


def test_a_window_gets_the_colours_of_the_camera(plugged: FakeCamera, window: FakeWindow) -> None:
    window.keys = [ord("q")]
    assert cli.main(["camera"]) == 0
    taken = face_scene((160, 120), 1)[:, :, ::-1]
    assert (taken[100:, 80:] != taken[100:, 80:, ::-1]).any()
    # The face that is drawn in lies in the other corner.
    assert (window.shown[0][100:, 80:] == taken[100:, 80:]).all()
    assert (window.shown[0] != taken).any()
    assert window.there == []
    assert plugged.released


@pytest.mark.parametrize(
    ("keys", "frames"),
    [
        ([ord("q")], 1),
        ([-1, ord("x"), ord("Q")], 3),
        ([-1, 27], 2),
        ([0x100000 | ord("q")], 1),
    ],
    ids=["q", "other keys, then Q", "Esc", "q with Num Lock on, as GTK tells it"],
)
def test_q_and_esc_end_it(
    keys: list[int], frames: int, plugged: FakeCamera, window: FakeWindow
) -> None:
    window.keys = keys
    assert cli.main(["camera"]) == 0
    assert (len(window.shown), plugged.step) == (frames, frames)
    assert window.there == []


@pytest.mark.usefixtures("plugged")
def test_closing_the_window_ends_it(window: FakeWindow) -> None:
    window.closed = True
    assert cli.main(["camera"]) == 0
    assert len(window.shown) == 1


@pytest.mark.usefixtures("plugged")
def test_a_window_does_not_outlive_its_camera(
    window: FakeWindow, capfd: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["camera"]) == 2
    assert "gave no more pictures after 8 frames" in capfd.readouterr().err
    assert (len(window.shown), window.there) == (8, [])


@pytest.mark.parametrize(
    ("flags", "opened", "changes"),
    [
        ([], 0, {}),
        (["--device", "2"], 2, {}),
        (["--device", "/dev/video3"], "/dev/video3", {}),
        (["--mirror"], 0, {"mirror": True}),
        (["--bars"], 0, {"overlay": OverlayOptions(bars=True, numbers=True)}),
        (["--seconds", "2.5"], 0, {"seconds": 2.5}),
        (["--no-window", "--record", "x.mp4"], 0, {"show": None, "records": "x.mp4"}),
    ],
)
def test_a_flag_reaches_the_camera(
    flags: list[str], opened: object, changes: dict[str, object], plugged: FakeCamera,
    window: FakeWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    calls: list[dict[str, object]] = []

    def called(camera: object, analyzer: object, show: Any, recorder: Any, **given: object) -> None:
        assert (camera, type(analyzer)) == (plugged, AnalyzerInPlace)
        records = None if recorder is None else str(recorder.file)
        calls.append({**given, "show": show and window.there[0], "records": records})

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(camera_module, "show_camera", called)
    assert cli.main(["camera", *flags]) == 0
    assert plugged.device == opened
    usual = {"overlay": OverlayOptions(numbers=True), "mirror": False, "seconds": None}
    assert calls == [{**usual, "show": TITLE, "records": None, **changes}]


@pytest.mark.skipif(not os.environ.get("DISPLAY"), reason="no screen here")
@pytest.mark.usefixtures("plugged")
def test_a_window_shows_what_the_camera_sees(capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["camera", "--seconds", "0.2"]) == 0
    assert capfd.readouterr().out == ""
