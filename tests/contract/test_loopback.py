"""The live callback behind the real streaming library and a real peer, in one process."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import av
import numpy as np
import pytest
from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCPeerConnection,
    RTCSessionDescription,
    VideoStreamTrack,
)
from aiortc.contrib.media import MediaRelay
from aiortc.mediastreams import MediaStreamError
from streamlit_webrtc.webrtc import WebRtcMode, WebRtcWorker

from fer_core.live import LiveSession, LiveSettings
from fer_core.live_newest import NewestOnly

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")

WIDTH, HEIGHT, RATE = 640, 480, 15
WANTED = 25
SECONDS = 60

UNUSED = (
    "player_factory",
    "in_recorder_factory",
    "out_recorder_factory",
    "audio_frame_callback",
    "video_frame_callback",
    "queued_audio_frames_callback",
    "on_audio_ended",
    "video_processor_factory",
    "audio_processor_factory",
    "source_video_track",
    "source_audio_track",
    "sink_video_track",
    "sink_audio_track",
)


class Camera(VideoStreamTrack):
    """A track that shows one picture, which changes its size on the way."""

    def __init__(self, picture: np.ndarray, smaller_from: int | None = None) -> None:
        super().__init__()
        self.picture = picture
        self.smaller_from = smaller_from
        self.sent = 0

    async def recv(self) -> av.VideoFrame:
        await asyncio.sleep(1 / RATE)
        frame = av.VideoFrame.from_ndarray(self.picture, format="rgb24")
        if self.smaller_from is not None and self.sent >= self.smaller_from:
            frame = frame.reformat(WIDTH // 2, HEIGHT // 2)
        frame.pts, frame.time_base = self.sent * (90_000 // RATE), Fraction(1, 90_000)
        self.sent += 1
        return frame


async def _roundtrip(session: LiveSession, camera: Camera, wanted: int) -> list[np.ndarray]:
    loop = asyncio.get_running_loop()
    nobody = RTCConfiguration(iceServers=[])
    client = RTCPeerConnection(nobody)
    client.addTrack(camera)
    got: list[np.ndarray] = []
    pumps: list[asyncio.Future[None]] = []

    @client.on("track")
    def on_track(track: MediaStreamTrack) -> None:
        async def pump() -> None:
            try:
                while True:
                    got.append((await track.recv()).to_ndarray(format="rgb24"))
            except MediaStreamError:
                pass

        pumps.append(asyncio.ensure_future(pump()))

    await client.setLocalDescription(await client.createOffer())
    options: dict[str, Any] = dict.fromkeys(UNUSED)
    worker = WebRtcWorker(
        mode=WebRtcMode.SENDRECV,
        rtc_configuration=nobody,
        loop=loop,
        relay=MediaRelay(),
        queued_video_frames_callback=NewestOnly(session.callback),
        on_video_ended=session.release,
        async_processing=True,
        video_receiver_size=4,
        audio_receiver_size=4,
        sendback_video=True,
        sendback_audio=False,
        **options,
    )
    try:
        # It waits for an answer that this very loop makes, hence another thread.
        answer = await loop.run_in_executor(
            None, lambda: worker.process_offer(client.localDescription.sdp, "offer", timeout=10)
        )
        await client.setRemoteDescription(RTCSessionDescription(answer.sdp, answer.type))
        deadline = time.monotonic() + SECONDS
        while len(got) < wanted and time.monotonic() < deadline:
            await asyncio.sleep(0.05)
    finally:
        await client.close()
        camera.stop()
        await asyncio.sleep(0.3)
        await loop.run_in_executor(None, worker.stop)
        for pump in pumps:
            pump.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)
    return got


def roundtrip(session: LiveSession, camera: Callable[[], Camera]) -> list[np.ndarray]:
    """Frames that come back; in a thread, so that no other test's event loop is in the way."""
    out: list[Any] = []

    def work() -> None:
        try:
            out.append(asyncio.run(_roundtrip(session, camera(), WANTED)))
        except BaseException as error:
            out.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    # The streaming library leaves its threads' event loops open; let them go here, where the
    # warning is expected, and not in the middle of another test.
    gc.collect()
    if isinstance(out[0], BaseException):
        raise out[0]
    return out[0]


@pytest.fixture
def scene(astronaut: np.ndarray) -> np.ndarray:
    """640x480 with a face."""
    picture = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    picture[:, 64:576] = astronaut[:HEIGHT]
    return picture


@pytest.fixture
def session():
    made = LiveSession(LiveSettings(mirror=False))
    yield made
    made.close()


def drawn(shown: np.ndarray, scene: np.ndarray) -> int:
    """Pixels round the face that are not the camera's."""
    changed = np.abs(shown.astype(int) - scene).max(axis=2) > 70
    return int(changed[20:260, 180:420].sum())


def test_a_labelled_face_comes_back_and_the_end_releases_the_detector(session, scene):
    session.apply(LiveSettings(mirror=False, min_confidence=0.0))
    got = roundtrip(session, lambda: Camera(scene))
    assert len(got) >= WANTED
    assert got[-1].shape == (HEIGHT, WIDTH, 3)
    assert np.median([drawn(shown, scene) for shown in got[-10:]]) > 500
    shot = session.snapshot()
    assert shot.errors == 0
    assert shot.frames > 5
    assert sum(shot.shares.values()) == pytest.approx(1)
    deadline = time.monotonic() + 5
    while session.ready and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not session.ready


def test_a_camera_that_changes_its_size_goes_on(session, scene):
    session.apply(LiveSettings(mirror=True))
    got = roundtrip(session, lambda: Camera(scene, smaller_from=12))
    assert {shown.shape[:2] for shown in got} >= {(HEIGHT // 2, WIDTH // 2)}
    assert session.snapshot().errors == 0


def test_a_detector_that_raises_leaves_the_picture_as_it_was(scene, caplog):
    class Broken:
        calls = 0

        def track(self, picture, pts):
            self.calls += 1
            if self.calls > 1:  # the first is the warm-up
                raise ValueError("boom")

        def reset(self):
            pass

        def close(self):
            pass

    session = LiveSession(make_analyzer=lambda settings: Broken(), clock=lambda: 1000.0)
    session.apply(LiveSettings(mirror=False))
    got = roundtrip(session, lambda: Camera(scene))
    assert len(got) >= WANTED
    assert np.median([drawn(shown, scene) for shown in got[-10:]]) < 50
    shot = session.snapshot()
    assert "boom" in shot.error
    assert shot.errors > 5
