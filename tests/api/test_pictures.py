"""A picture in, its faces out; and what is said to everything that is none."""

from __future__ import annotations

import io
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from fer_core import CLASSES, EMOTIONS, Analyzer
from tests.api.conftest import KEY, Client, serving

JPEG = {"Content-Type": "image/jpeg"}


def sentence(answer) -> str:
    body = answer.json()
    assert set(body) == {"detail"}
    assert body["detail"].endswith((".", "`."))
    assert "Traceback" not in body["detail"]
    return body["detail"]


@pytest.mark.parametrize("how", ["body", "octets", "no type", "form"])
def test_a_picture_gives_the_faces_that_the_library_finds(client: Client, portrait: bytes, how):
    if how == "form":
        answer = client.post("/v1/analyze", files={"file": ("me.jpg", portrait)})
    else:
        kind = {"body": "image/jpeg", "octets": "application/octet-stream", "no type": ""}[how]
        answer = client.post("/v1/analyze", data=portrait, headers={"Content-Type": kind})
    assert answer.status_code == 200, answer.text
    found = answer.json()
    with Analyzer() as analyzer:
        expected = analyzer.analyze(portrait)
    assert (found["width"], found["height"]) == (512, 512)
    assert (found["detector"], found["model"]) == ("blazeface", analyzer.classifier.card.name)
    (face,), (wanted,) = found["faces"], expected.faces
    assert face["label"] == wanted.label
    assert face["emoji"] == EMOTIONS[CLASSES.index(wanted.label)].emoji
    assert face["box"] == pytest.approx(
        [wanted.box.x0, wanted.box.y0, wanted.box.x1, wanted.box.y1]
    )
    assert list(face["probabilities"]) == list(CLASSES)
    assert list(face["probabilities"].values()) == pytest.approx(wanted.probabilities, abs=1e-3)


def test_what_is_chosen_counts(client: Client, portrait: bytes):
    sure = client.post("/v1/analyze?min_confidence=0&detector=haar", data=portrait, headers=JPEG)
    face = sure.json()["faces"][0]
    assert sure.json()["detector"] == "haar"
    assert face["eyes"] is None
    assert face["label"] == max(face["probabilities"], key=face["probabilities"].get)
    unsure = client.post("/v1/analyze?min_confidence=1", data=portrait, headers=JPEG)
    assert (unsure.json()["faces"][0]["label"], unsure.json()["faces"][0]["emoji"]) == (
        "uncertain", None,
    )  # fmt: skip


def test_a_picture_without_a_face_is_no_error(client: Client):
    stream = io.BytesIO()
    Image.fromarray(np.full((80, 60, 3), 90, np.uint8)).save(stream, "PNG")
    answer = client.post("/v1/analyze", data=stream.getvalue())
    assert answer.status_code == 200
    assert answer.json()["faces"] == []


def test_many_at_once_all_get_their_own_answer(client: Client, portrait: bytes):
    mirrored = io.BytesIO()
    with Image.open(io.BytesIO(portrait)) as image:
        image.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(mirrored, "JPEG", quality=90)
    both = [portrait, mirrored.getvalue()]
    alone = [client.post("/v1/analyze", data=one).json()["faces"][0]["box"] for one in both]
    assert alone[0] != alone[1]
    with ThreadPoolExecutor(8) as threads:
        answers = list(
            threads.map(lambda n: client.post("/v1/analyze", data=both[n % 2]).json(), range(24))
        )
    for number, answer in enumerate(answers):
        assert answer["faces"][0]["box"] == pytest.approx(alone[number % 2])


@pytest.mark.parametrize(
    ("query", "body", "headers", "status", "words"),
    [
        ("", b"", JPEG, 400, "is empty (0 bytes)"),
        ("", b"just words", JPEG, 422, "not in a picture format"),
        ("", "first half", JPEG, 422, "damaged or cut off"),
        ("", b"{}", {"Content-Type": "application/json"}, 415, "came as application/json"),
        ("?detector=eyes", "portrait", JPEG, 422, "Unknown detector. Received: 'eyes'"),
        ("?model=none", "portrait", JPEG, 422, "There is no model called 'none'. Models here:"),
        ("?model=../models/compact48", "portrait", JPEG, 422, "There is no model called"),
        ("?min_confidence=2", "portrait", JPEG, 422, "min_confidence: Input should be less"),
        ("?min_confidence=nan", "portrait", JPEG, 422, "min_confidence"),
        (
            "", b"--x\r\n\r\nno end", {"Content-Type": "multipart/form-data; boundary=x"},
            400, "The form cannot be read",
        ),
        (
            "", b"words", {"Content-Type": "multipart/form-data"},
            400, "The form cannot be read: Missing boundary",
        ),
    ],
)  # fmt: skip
def test_bad_input_is_one_sentence(client, portrait, query, body, headers, status, words):
    content = {"portrait": portrait, "first half": portrait[: len(portrait) // 2]}.get(body, body)
    answer = client.post(f"/v1/analyze{query}", data=content, headers=headers)
    assert answer.status_code == status, answer.text
    assert words in sentence(answer)


@pytest.mark.parametrize(
    ("form", "status", "words"),
    [
        ({"photo": b"x"}, 422, "no file called `file`"),
        ({"file": b""}, 400, "is empty (0 bytes)"),
        ({"file": b"words"}, 422, "not in a picture format"),
        ({"file": b"x", "other": b"y"}, 400, "Too many files"),
    ],
)
def test_bad_forms_are_one_sentence(client: Client, form, status, words):
    files = {name: (name, content) for name, content in form.items()}
    answer = client.post("/v1/analyze", files=files)
    assert answer.status_code == status, answer.text
    assert words in sentence(answer)


def test_a_field_in_place_of_a_file(client: Client):
    answer = client.post("/v1/analyze", files={"file": (None, "words")})
    assert answer.status_code == 422
    assert "no file called `file`" in sentence(answer)


def test_limits_of_size():
    with serving(picture_megabytes=1) as client:
        big = bytes(3_000_000)
        parts = (big[:100_000] for _ in range(30))
        for answer in (
            client.post("/v1/analyze", data=big, headers=JPEG),
            client.post("/v1/analyze", files={"file": ("big.jpg", big)}),
            client.post("/v1/analyze", data=parts, headers=JPEG),  # chunked: without a length
        ):
            assert answer.status_code == 413
            assert sentence(answer) == "The picture is larger than 1 MB. Send a smaller one."


def test_too_much_at_once_is_refused_and_nothing_is_lost(portrait: bytes):
    with serving(waiting_pictures=1, workers=1) as client:
        client.post("/v1/analyze", data=portrait)
        with ThreadPoolExecutor(8) as threads:
            answers = list(
                threads.map(lambda _: client.post("/v1/analyze", data=portrait), range(16))
            )
        kinds = {answer.status_code for answer in answers}
        assert kinds == {200, 503}
        refused = next(answer for answer in answers if answer.status_code == 503)
        assert "Try again" in sentence(refused)
        assert refused.headers["Retry-After"] == "1"
        assert client.post("/v1/analyze", data=portrait).status_code == 200


def test_a_caller_who_goes_away_harms_nobody(client: Client, portrait: bytes):
    port = int(client.host().rpartition(":")[2])
    for _ in range(3):
        with socket.create_connection(("127.0.0.1", port)) as gone:
            gone.sendall(
                "POST /api/v1/analyze HTTP/1.1\r\nHost: localhost\r\n"
                f"Authorization: Bearer {KEY}\r\n"
                f"Content-Length: {len(portrait)}\r\n\r\n".encode()
                + portrait[:1000]
            )
    assert client.post("/v1/analyze", data=portrait).status_code == 200


def test_the_threads_end_with_the_server(portrait: bytes):
    with serving() as client:
        client.post("/v1/analyze", data=portrait)
        names = {thread.name.rpartition("_")[0] for thread in threading.enumerate()}
        assert "fer-api-picture" in names
        mine = [t for t in threading.enumerate() if t.name.startswith("fer-api-picture")]
        service = client.api._service
        assert service is not None
        threads = service.pictures._threads._threads
    assert not any(thread.is_alive() for thread in mine if thread in threads)
