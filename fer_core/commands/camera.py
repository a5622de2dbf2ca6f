"""`camera`: the local camera with its faces read, in a window or recorded, without a browser."""

from __future__ import annotations

import argparse
import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from fer_core.commands.common import (
    OK,
    SOME_FAILED,
    Commands,
    add_analysis_options,
    analyzer_options,
    check_file_place,
    complain,
    quiet,
)
from fer_core.commands.recorder import Recorder
from fer_core.errors import CameraError, OptionError

if TYPE_CHECKING:
    from fer_core.detectors.base import Picture
    from fer_core.results import FrameResult

__all__ = ["Camera", "add_parser", "show_camera"]

LOST_FRAMES_MAX = 5
"""Pictures that a camera may owe in a row before it counts as gone."""
LARGEST_SIDE = 16384
TITLE = "FER Live - q ends"
_END_KEYS = {ord("q"), ord("Q"), 27}
_TRY_A_WINDOW = "import cv2; cv2.namedWindow('FER Live'); cv2.waitKey(1); cv2.destroyAllWindows()"


def add_parser(commands: Commands) -> None:
    """Add the sub-command to argparse's."""
    parser = commands.add_parser(
        "camera",
        help="show and record a local camera",
        usage="%(prog)s [options]",
        description=(
            "Show a camera of this machine with its faces and their expressions, in a window and "
            "without a browser; with --record also as a clip (mp4, no sound), which then holds "
            "what is shown. q, Esc or Ctrl-C ends it, and the clip is whole."
        ),
        epilog=(
            "exit codes: 0 ended as asked, 1 the camera failed on the way (the clip holds what "
            "came before), 2 the command cannot be carried out"
        ),
    )
    parser.add_argument(
        "--device",
        default="0",
        metavar="N",
        help="number of the camera, or its path such as /dev/video2; default: %(default)s",
    )
    parser.add_argument(
        "--size", metavar="WxH", help="pixels to ask the camera for, such as 1280x720"
    )
    parser.add_argument("--mirror", action="store_true", help="left and right as in a mirror")
    parser.add_argument("--record", type=Path, metavar="FILE", help="write a clip, FILE.mp4")
    parser.add_argument(
        "--no-window", action="store_true", help="only record, for machines without a screen"
    )
    parser.add_argument("--seconds", type=float, metavar="S", help="end after S seconds")
    parser.add_argument(
        "--bars", action="store_true", help="draw a bar for each expression beside each face"
    )
    parser.add_argument("--quiet", action="store_true", help="say only what goes wrong")
    add_analysis_options(parser)
    parser.set_defaults(run=run)


class Camera(Protocol):
    """The part of `cv2.VideoCapture` that is used."""

    def read(self) -> tuple[bool, Any]:
        """Whether a picture came, and it: BGR uint8 (height, width, 3)."""
        ...

    def release(self) -> None:
        """Let go of the camera."""
        ...


class Tracker(Protocol):
    """The part of `fer_core.analyzer.Analyzer` that is used."""

    def track(self, picture: Picture, pts: float) -> FrameResult:
        """The faces of the next frame."""
        ...


Show = Callable[["Picture"], bool]
"""Shows a picture; False when somebody wants to end."""


def run(options: argparse.Namespace) -> int:
    """Carry the command out; returns the exit code."""
    size = _check(options)
    with quiet(True):
        from fer_core.analyzer import Analyzer

        analyzer = Analyzer(analyzer_options(options))
    with contextlib.ExitStack() as stack:
        stack.enter_context(analyzer)
        camera = _open_camera(options.device, size)
        stack.callback(camera.release)
        show = None if options.no_window else stack.enter_context(_window())
        recorder = None if options.record is None else Recorder(options.record)
        failure = None
        try:
            from fer_core.overlay import OverlayOptions

            show_camera(
                camera,
                analyzer,
                show,
                recorder,
                overlay=OverlayOptions(bars=options.bars, numbers=True),
                mirror=options.mirror,
                seconds=options.seconds,
            )
        except KeyboardInterrupt:
            pass  # the usual way to end a recording without a window
        except CameraError as error:
            failure = error
        except BaseException:
            if recorder is not None:
                recorder.discard()
            raise
        if recorder is not None:
            _finish(recorder, options.quiet)
        if failure is not None:
            if recorder is None or not recorder.frames:
                raise failure
            complain(str(failure))
            return SOME_FAILED
    return OK


def show_camera(
    camera: Camera,
    analyzer: Tracker,
    show: Show | None,
    recorder: Recorder | None,
    *,
    overlay: Any = None,
    mirror: bool = False,
    seconds: float | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> int:
    """Read, analyse, draw, show and record until somebody ends it; returns the frames shown.

    Args:
        camera: gives BGR pictures.
        analyzer: reads them.
        show: shows a picture; None for no window.
        recorder: records a picture; None for none.
        overlay: `OverlayOptions`, or None.
        mirror: whether left and right are exchanged.
        seconds: when to end; None for no limit.
        clock: seconds; the time of each frame.

    Raises:
        CameraError: no pictures come any more.
    """
    import cv2
    import numpy as np

    from fer_core.overlay import draw

    began = clock()
    frames = lost = 0
    while True:
        came, taken = camera.read()
        now = clock() - began
        if not came or taken is None:
            lost += 1
            if lost >= LOST_FRAMES_MAX:
                raise CameraError(
                    f"The camera gave no more pictures after {frames} frames. Check its cable, and "
                    "that no other program took it."
                )
            continue
        lost = 0
        picture = np.asarray(cv2.cvtColor(taken, cv2.COLOR_BGR2RGB), dtype=np.uint8)
        if mirror:
            picture = np.ascontiguousarray(picture[:, ::-1])
        drawn = draw(picture, analyzer.track(picture, now), overlay, in_place=True)
        frames += 1
        if recorder is not None:
            recorder.add(drawn, now)
        if show is not None and not show(drawn):
            return frames
        if seconds is not None and now >= seconds:
            return frames


def _check(options: argparse.Namespace) -> tuple[int, int] | None:
    if options.no_window and options.record is None:
        raise OptionError("--no-window without --record does nothing. Add --record FILE.mp4.")
    if options.seconds is not None and not options.seconds > 0:
        raise OptionError(f"--seconds must be above 0. Received: {options.seconds:g}.")
    if options.record is not None:
        check_file_place(options.record, "--record")
        if options.record.suffix.lower() != ".mp4":
            raise OptionError(f"--record writes mp4. Name it so. Received: {options.record}.")
        if options.record.exists():
            raise OptionError(
                f"{options.record} exists, and a recording would replace it. Choose another name."
            )
    if options.size is None:
        return None
    width, cross, height = options.size.lower().partition("x")
    if not (
        cross and width.isascii() and height.isascii() and width.isdigit() and height.isdigit()
    ):
        raise OptionError(f"--size is WIDTHxHEIGHT, as in 1280x720. Received: {options.size}.")
    if not (0 < int(width) <= LARGEST_SIDE and 0 < int(height) <= LARGEST_SIDE):
        raise OptionError(
            f"--size must be from 1 to {LARGEST_SIDE} pixels each way. Received: {options.size}."
        )
    return int(width), int(height)


def _open_camera(device: str, size: tuple[int, int] | None) -> Any:
    import cv2

    numbered = device.isascii() and device.isdigit()
    with quiet(True):
        camera = cv2.VideoCapture(int(device) if numbered else device)
        opened = camera.isOpened()
    if not opened:
        camera.release()
        raise CameraError(f"The camera {device} cannot be opened. {_what_to_do(device)}")
    if size is not None:
        camera.set(cv2.CAP_PROP_FRAME_WIDTH, size[0])
        camera.set(cv2.CAP_PROP_FRAME_HEIGHT, size[1])
    # The newest picture counts, not one from a queue; drivers that have none ignore it.
    camera.set(cv2.CAP_PROP_BUFFERSIZE, 1)
    return camera


def _what_to_do(device: str, folder: Path = Path("/dev")) -> str:
    """What may help, by what Linux shows of its cameras; elsewhere the general advice."""
    numbered = device.isascii() and device.isdigit()
    file = folder / f"video{device}" if numbered else Path(device)
    there = sorted(folder.glob("video[0-9]*"), key=lambda one: (len(one.name), one.name))
    if file.exists() and not os.access(file, os.R_OK | os.W_OK):
        return f"You may not use {file}; add yourself to the group that may, often `video`."
    if sys.platform.startswith("linux") and "://" not in device and not file.exists():
        if not there:
            return "There is no camera on this machine: connect one."
        return f"Cameras here: {', '.join(map(str, there))}. Choose one with --device."
    return (
        "Check that it is connected and that no other program uses it, or choose another with "
        "--device."
    )


@contextlib.contextmanager
def _window() -> Iterator[Show]:
    """A window, tried in a process of its own first: without a screen, OpenCV ends the process."""
    try:
        tried = subprocess.run(
            [sys.executable, "-c", _TRY_A_WINDOW], capture_output=True, timeout=30, check=False
        ).returncode
    except (OSError, subprocess.TimeoutExpired):
        tried = 1
    if tried != 0:
        raise CameraError(
            "No window can be opened here: there is no screen, or this OpenCV was built without "
            "windows. Record with --no-window --record FILE.mp4, or open the page in a browser."
        )
    import cv2

    with quiet(True):
        cv2.namedWindow(TITLE, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO)

    def show(picture: Picture) -> bool:
        cv2.imshow(TITLE, cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
        if cv2.waitKey(1) & 0xFF in _END_KEYS:
            return False
        return cv2.getWindowProperty(TITLE, cv2.WND_PROP_VISIBLE) >= 1

    try:
        yield show
    finally:
        cv2.destroyAllWindows()


def _finish(recorder: Recorder, silent: bool) -> None:
    if recorder.close() and not silent:
        complain(f"Recorded {recorder.frames} frames, {recorder.seconds:.1f} s: {recorder.file}")
