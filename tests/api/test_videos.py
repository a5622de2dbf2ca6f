"""A clip in; progress, an annotated clip and tables out; and nothing left behind."""

from __future__ import annotations

import contextlib
import json
import threading
import time

import pytest

from api import job as job_module
from api.choices import Choice
from api.errors import Refusal
from api.jobs import JobQueue
from api.settings import ApiSettings
from fer_core.exports import CSV_COLUMNS
from fer_core.video import VideoOptions
from fer_core.video.slots import SLOTS
from tests.api.conftest import Client, folders_of_clips, serving, wait_for
from tests.clips import Clip, make_clip, make_sound_only, read_times

MP4 = {"Content-Type": "video/mp4"}


def ended(client: Client, where: str) -> dict:
    found: dict = {}

    def has() -> bool:
        found.update(client.get(client.host() + where).json())
        return found["state"] not in ("waiting", "running")

    wait_for(has)
    return found


@pytest.mark.parametrize("how", ["body", "form"])
def test_a_clip_from_post_to_delete(client: Client, clip: bytes, tmp_path, how):
    sent = {"data": clip, "headers": MP4} if how == "body" else {"files": {"file": clip}}
    answer = client.post("/v1/videos?min_confidence=0", **sent)
    assert answer.status_code == 202, answer.text
    where = answer.headers["Location"]
    assert where == f"/api/v1/videos/{answer.json()['id']}"
    job = ended(client, where)
    assert (job["state"], job["error"]) == ("done", None)
    assert job["progress"]["fraction"] == 1
    assert (job["report"]["frames"], job["report"]["faces"]) == (15, 15)
    files = {name: client.get(client.host() + path) for name, path in job["files"].items()}
    assert all(file.status_code == 200 for file in files.values())
    (tmp_path / "annotated.mp4").write_bytes(files["annotated_mp4"].content)
    assert len(read_times(tmp_path / "annotated.mp4")) == 15
    rows = files["faces_csv"].text.splitlines()
    assert (rows[0], len(rows)) == (",".join(CSV_COLUMNS), 16)
    lines = [json.loads(line) for line in files["faces_jsonl"].text.splitlines()]
    assert [len(line["faces"]) for line in lines] == [1] * 15
    part = client.get(client.host() + job["files"]["annotated_mp4"], headers={"Range": "bytes=0-9"})
    assert (part.status_code, part.content) == (206, files["annotated_mp4"].content[:10])
    assert client.ask("DELETE", client.host() + where).status_code == 204
    for path in (where, *job["files"].values()):
        assert client.get(client.host() + path).status_code == 404
    assert not any(list(folder.iterdir()) for folder in folders_of_clips())


def test_bad_clips_are_one_sentence_and_leave_nothing(client: Client, clip: bytes, tmp_path):
    sound = make_sound_only(tmp_path / "sound.mp4").read_bytes()
    cases = [
        (b"", MP4, 400, "The clip is empty (0 bytes)"),
        (b"only words\n" * 20, MP4, 422, "The clip is a text file, whatever its name says"),
        (clip[: len(clip) // 2], MP4, 422, "cut off or damaged: its index is missing"),
        (bytes(range(256)) * 40, MP4, 422, "not a clip that can be read"),
        (sound, MP4, 422, "has no video stream"),
        (clip, {"Content-Type": "text/plain"}, 415, "The clip came as text/plain"),
    ]
    for content, headers, status, words in cases:
        answer = client.post("/v1/videos", data=content, headers=headers)
        assert answer.status_code == status, (words, answer.text)
        assert words in answer.json()["detail"]
    for query, words in [("detector=x", "Unknown detector"), ("model=x", "no model called")]:
        answer = client.post(f"/v1/videos?{query}", data=clip, headers=MP4)
        assert answer.status_code == 422
        assert words in answer.json()["detail"]
    assert not any(list(folder.iterdir()) for folder in folders_of_clips())


@pytest.mark.parametrize(
    ("method", "path"),
    [
        *((method, path) for method in ("GET", "DELETE") for path in ("0" * 32, "..%2F..%2Fetc")),
        ("GET", "x/faces.csv"),
        ("GET", "0/annotated.mp4"),
        ("GET", "0/other.txt"),
    ],
)
def test_unknown_jobs(client: Client, method, path):
    answer = client.ask(method, f"/v1/videos/{path}")
    assert answer.status_code == 404
    assert "There is no" in answer.json()["detail"] or "nothing at" in answer.json()["detail"]


def test_a_clip_over_the_limits_is_refused(tmp_path):
    long = make_clip(tmp_path / "long.mp4", Clip(size=(64, 48), times=(0, 30, 61))).read_bytes()
    with serving(video_minutes=1, video_megabytes=1) as client:
        answer = client.post("/v1/videos", data=long, headers=MP4)
        assert answer.status_code == 422
        assert "the limit is 1:00" in answer.json()["detail"]
        answer = client.post("/v1/videos", data=bytes(2_000_000), headers=MP4)
        assert (answer.status_code, answer.json()["detail"][:32]) == (
            413, "The clip is larger than 1 MB. Se",
        )  # fmt: skip


def test_clips_take_turns_with_the_pages_and_a_full_queue_is_said(clip: bytes):
    """With every slot taken by the page, jobs wait; what waits can be deleted, and looked at."""
    slots = 0
    while SLOTS.acquire(blocking=False):
        slots += 1
    try:
        with serving(waiting_videos=2) as client:
            where = [
                client.post("/v1/videos", data=clip, headers=MP4).headers["Location"]
                for _ in range(2)
            ]
            refused = client.post("/v1/videos", data=clip, headers=MP4)
            assert refused.status_code == 503
            assert "2 clips are waiting already" in refused.json()["detail"]
            assert client.get(client.host() + where[0]).json()["state"] == "waiting"
            early = client.get(client.host() + where[0] + "/faces.csv")
            assert (early.status_code, early.json()["detail"][:20]) == (409, "This job is waiting;")
            assert client.ask("DELETE", client.host() + where[0]).status_code == 204
            third = client.post("/v1/videos", data=clip, headers=MP4).headers["Location"]
            SLOTS.release()
            slots -= 1
            assert [ended(client, one)["state"] for one in (where[1], third)] == ["done", "done"]
    finally:
        for _ in range(slots):
            SLOTS.release()


@pytest.fixture(scope="module")
def long_clip(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Two minutes with a face: several seconds of work."""
    file = tmp_path_factory.mktemp("long") / "clip.mp4"
    return make_clip(file, Clip(size=(320, 240), times=[i / 15 for i in range(1800)])).read_bytes()


def test_a_running_clip_can_be_deleted(long_clip: bytes):
    with serving() as client:
        where = client.post("/v1/videos", data=long_clip, headers=MP4).headers["Location"]
        address = client.host() + where
        wait_for(lambda: client.get(address).json()["progress"] is not None)
        assert client.get(address).json()["state"] == "running"
        (folder,) = [one for root in folders_of_clips() for one in root.iterdir()]
        assert client.ask("DELETE", address).status_code == 204
        assert client.get(address).status_code == 404
        wait_for(lambda: not folder.exists())
    assert not any(thread.name.startswith("fer-video") for thread in threading.enumerate())


def test_nothing_is_left_when_the_server_ends_in_the_middle(long_clip: bytes):
    before = folders_of_clips()
    with serving() as client:
        posted = client.post("/v1/videos", data=long_clip, headers=MP4)
        address = client.host() + posted.headers["Location"]
        wait_for(lambda: client.get(address).json()["state"] == "running")
    assert folders_of_clips() <= before


def test_a_fault_in_the_work_is_said(client: Client, clip: bytes, monkeypatch):
    def broken(*_args, **_options):
        raise RuntimeError("a fault")

    monkeypatch.setattr(job_module, "annotate_confined", broken)
    where = client.post("/v1/videos", data=clip, headers=MP4).headers["Location"]
    job = ended(client, where)
    assert job["state"] == "failed"
    assert job["error"].startswith("The clip could not be annotated (RuntimeError).")
    assert job["files"] == {"annotated_mp4": None, "faces_csv": None, "faces_jsonl": None}
    answer = client.get(client.host() + where + "/faces.csv")
    assert answer.status_code == 409
    assert answer.json()["detail"].startswith("This job failed and has no results. The clip could")


def fill(queue: JobQueue) -> str:
    with queue.place() as folder:
        (folder / "upload").write_bytes(b"x")
        (folder / "faces.csv").write_bytes(b"x")
        return queue.add(folder, Choice(model="none")).number


def test_results_are_deleted_after_their_time_and_when_there_are_too_many(monkeypatch):
    monkeypatch.setattr(job_module.Job, "_annotate", lambda self: None)
    clock = time.monotonic
    ahead = 0.0
    queue = JobQueue(ApiSettings(keep_minutes=2, kept_videos=2), lambda: clock() + ahead)
    numbers = [fill(queue) for _ in range(3)]
    wait_for(lambda: len(queue._jobs) == 2)
    with pytest.raises(Refusal, match="There is no job"):
        queue.get(numbers[0])
    folders = [queue.get(number).folder for number in numbers[1:]]
    assert all((folder / "faces.csv").exists() for folder in folders)
    ahead = 119.0 - 5
    queue.forget_old()
    assert queue.counts() == {"done": 2}
    ahead = 125.0
    with pytest.raises(Refusal, match="2 minutes after their end"):
        queue.get(numbers[1])
    wait_for(lambda: not any(folder.exists() for folder in folders))
    assert queue.counts() == {}
    root = folders[0].parent
    queue.close()
    assert not root.exists()


def broken_off() -> None:
    raise ValueError("broken off")


def test_a_clip_that_never_came_gives_its_place_back(tmp_path):
    queue = JobQueue(ApiSettings(waiting_videos=1))
    for _ in range(3):
        with contextlib.ExitStack() as clip:
            clip.enter_context(pytest.raises(ValueError, match="broken off"))
            folder = clip.enter_context(queue.place())
            with pytest.raises(Refusal, match="1 clips are waiting"):
                queue.place().__enter__()
            clip.callback(broken_off)
        assert not folder.exists()
    queue.close()


def test_a_job_that_was_cancelled_says_so(tmp_path):
    folder = tmp_path / "job"
    folder.mkdir()
    (folder / "upload").write_bytes(b"x")
    job = job_module.Job("1", folder, Choice(model="none"), VideoOptions())
    job.cancelled.set()
    job.run()
    assert (job.state, job.source.exists()) == ("cancelled", False)
