"""A viewer's list of clips without a page: one at work, files that go, and who finds it again."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from fer_core.errors import VideoError
from fer_core.video import VideoOptions
from tests.app import session
from tests.clips import file_names
from ui import video_places, video_queue
from ui.video_places import Places
from ui.video_queue import MOST_CLIPS, Order, QueuedClip, Workplace

LIMIT = 30.0
until = partial(session.until, seconds=LIMIT)


class HeldJob:
    """Stands in for the real job: ends when the test says how."""

    made: list[HeldJob]

    def __init__(self, source: Path, make_analyzer: object, options: VideoOptions) -> None:
        assert source.read_bytes() == b"clip"
        self.folder, self.source = source.parent, source
        self.clip = self.folder / "annotated.mp4"
        self.state, self.error, self.progress, self.report = "running", None, None, None
        self.ended = threading.Event()
        self.made.append(self)

    def end(self, state: str, error: str | None = None) -> None:
        self.source.unlink()
        if state == "done":
            self.clip.write_text("annotated")
        self.state, self.error = state, error
        self.ended.set()

    def cancel(self) -> None:
        if not self.ended.is_set():
            self.end("cancelled")

    def wait(self, seconds: float | None = None) -> bool:
        return self.ended.wait(LIMIT if seconds is None else seconds)


@pytest.fixture
def jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[HeldJob]]:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    monkeypatch.setattr(video_queue, "VideoJob", HeldJob)
    HeldJob.made = []
    yield HeldJob.made
    for job in HeldJob.made:
        job.cancel()
    until(lambda: not [t for t in threading.enumerate() if t.name.startswith("fer-video")])


@pytest.fixture
def place(jobs: list[HeldJob]) -> Iterator[Workplace]:
    made = Workplace()
    yield made
    made.close()


def order() -> Order:
    return Order(lambda: None, VideoOptions())  # type: ignore[arg-type, return-value]


def three(place: Workplace) -> list[QueuedClip]:
    return [place.add(name, io.BytesIO(b"clip")) for name in ("a", "b", "c")]


def states(place: Workplace) -> list[str]:
    return [clip.state for clip in place.clips]


def files(place: Workplace) -> list[str]:
    return file_names(place.folder)


def test_one_clip_is_at_work_and_the_others_wait_their_turn(
    place: Workplace, jobs: list[HeldJob]
) -> None:
    clips = three(place)
    assert states(place) == ["ready"] * 3
    place.ask(clips, order())
    until(lambda: len(jobs) == 1)
    assert states(place) == ["running", "queued", "queued"]
    jobs[0].end("done")
    until(lambda: len(jobs) == 2)
    jobs[1].end("failed", "No video stream.")
    until(lambda: len(jobs) == 3)
    jobs[2].end("done")
    until(lambda: states(place) == ["done", "failed", "done"])
    until(lambda: files(place) == ["annotated.mp4", "annotated.mp4", "upload"])
    assert clips[1].error == "No video stream."


def test_a_cancelled_clip_leaves_the_line_and_the_next_begins(
    place: Workplace, jobs: list[HeldJob]
) -> None:
    clips = three(place)
    place.ask(clips, order())
    until(lambda: len(jobs) == 1)
    place.cancel(clips[1])
    place.cancel(clips[0])
    until(lambda: states(place) == ["cancelled", "cancelled", "running"])
    assert len(jobs) == 2


@pytest.mark.parametrize("end", ["cancelled", "failed"])
def test_what_did_not_come_to_an_end_can_be_tried_again(
    end: str, place: Workplace, jobs: list[HeldJob]
) -> None:
    clip = place.add("a", io.BytesIO(b"clip"))
    place.ask([clip], order())
    until(lambda: len(jobs) == 1)
    jobs[0].end(end, "It broke." if end == "failed" else None)
    until(lambda: files(place) == ["upload"])
    place.ask([clip], order())
    until(lambda: len(jobs) == 2)
    assert (clip.state, clip.error) == ("running", None)
    jobs[1].end("done")
    until(lambda: files(place) == ["annotated.mp4"])


@pytest.mark.parametrize("begun", [False, True])
def test_a_clip_that_is_removed_is_deleted_and_its_job_stopped(
    begun: bool, place: Workplace, jobs: list[HeldJob]
) -> None:
    clip = place.add("a", io.BytesIO(b"clip"))
    if begun:
        place.ask([clip], order())
        until(lambda: len(jobs) == 1)
    place.remove(clip)
    place.remove(clip)  # by another tab, a moment later
    assert place.clips == ()
    assert place.find(clip.id) is None
    until(lambda: not clip.folder.exists())
    assert [job.state for job in jobs] == (["cancelled"] if begun else [])


def test_a_removed_clip_is_not_begun_by_another_tab(place: Workplace, jobs: list[HeldJob]) -> None:
    clip = place.add("a", io.BytesIO(b"clip"))
    place.remove(clip)
    place.ask([clip], order())
    place.cancel(clip)
    assert clip.state == "ready"
    assert jobs == []


def test_a_job_that_cannot_begin_does_not_stop_the_line(
    place: Workplace, jobs: list[HeldJob], monkeypatch: pytest.MonkeyPatch
) -> None:
    clips = three(place)
    (clips[0].folder / "upload").unlink()  # somebody cleans the disk
    place.ask(clips[:2], order())
    until(lambda: len(jobs) == 1)
    assert states(place) == ["failed", "running", "ready"]
    assert "Upload it again" in (clips[0].error or "")
    jobs[0].end("done")

    class Breaks(HeldJob):
        def __init__(self, *given: object) -> None:
            raise RuntimeError("no more processes")

    monkeypatch.setattr(video_queue, "VideoJob", Breaks)
    place.ask(clips[2:], order())
    until(lambda: states(place) == ["failed", "done", "failed"])
    assert "no more processes" in (clips[2].error or "")


def test_the_list_is_bounded(place: Workplace) -> None:
    for number in range(MOST_CLIPS):
        place.add(str(number), io.BytesIO(b"clip"))
    with pytest.raises(VideoError, match=f"{MOST_CLIPS} clips at most"):
        place.add("one more", io.BytesIO(b"clip"))
    assert len(files(place)) == MOST_CLIPS


def test_a_full_disk_is_a_sentence_and_leaves_nothing(
    place: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*given: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("shutil.copyfileobj", full)
    with pytest.raises(VideoError, match="No space left on device"):
        place.add("a", io.BytesIO(b"clip"))
    assert place.clips == ()
    assert list(place.folder.iterdir()) == []


@pytest.fixture
def places(jobs: list[HeldJob], monkeypatch: pytest.MonkeyPatch) -> Places:
    monkeypatch.setattr(video_places, "AWAY_SECONDS", 0.05)
    return Places()


def test_a_token_finds_the_place_again_and_tokens_cannot_be_chosen(places: Places) -> None:
    first = places.hold(None)
    assert len(first.token) >= 40
    assert places.hold(first.token) is first
    other = places.hold("mine")
    assert other is not first
    assert other.token not in ("mine", first.token)
    assert other.workplace.folder != first.workplace.folder
    for place in (first, first, other):
        places.let_go(place)
    until(lambda: not first.workplace.folder.exists() and not other.workplace.folder.exists())


def test_a_place_lives_as_long_as_one_session_holds_it(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = places.hold(None)
    places.hold(first.token)
    places.let_go(first)
    assert first.timer is None, "another tab is still there"
    monkeypatch.setattr(video_places, "AWAY_SECONDS", LIMIT)
    places.let_go(first)
    away = first.timer
    assert away is not None
    assert places.hold(first.token) is first, "a reload comes back in time"
    assert not away.waiting, "nothing is about to delete it any more"
    monkeypatch.setattr(video_places, "AWAY_SECONDS", 0.05)
    places.let_go(first)
    until(lambda: not first.workplace.folder.exists())
    again = places.hold(first.token)
    assert again is not first
    assert again.token != first.token
    places.let_go(again)
    until(lambda: not again.workplace.folder.exists())


def test_a_viewer_who_is_gone_has_his_job_stopped(places: Places, jobs: list[HeldJob]) -> None:
    place = places.hold(None)
    clips = three(place.workplace)
    place.workplace.ask(clips, order())
    until(lambda: len(jobs) == 1)
    places.let_go(place)
    until(lambda: not place.workplace.folder.exists())
    assert [job.state for job in jobs] == ["cancelled"]
