"""Faces are found where pictures are decoded; of what comes back nothing is taken on trust."""

from __future__ import annotations

import io
import platform
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from PIL import Image

from api import finding
from api import pictures as pictures_module
from fer_core import AnalyzerOptions
from fer_core.analyzer import Analyzer
from fer_core.confined import WorkerPool
from fer_core.confined.child import Tell
from fer_core.confined.pictures import PICTURE_LIMITS
from fer_core.cores import available_cores, process_cores
from fer_core.detectors import DETECTORS
from fer_core.detectors.common import DetectorBase
from fer_core.errors import DetectorError, WorkerError
from fer_core.model_store import CropSpec
from tests.api.conftest import Client

SIZE = 48


@pytest.fixture(scope="module")
def pool() -> Iterator[WorkerPool]:
    with WorkerPool(PICTURE_LIMITS, most=1) as made:
        yield made


@pytest.mark.parametrize("detector", DETECTORS)
def test_no_face_is_looked_for_in_the_servers_process(
    detector: str, client: Client, portrait: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Analyzer(AnalyzerOptions(detector=detector)) as analyzer:
        (expected,) = analyzer.analyze(portrait).faces

    def refuses(*_: Any) -> None:
        raise AssertionError("a detector was run in the app's own process")

    monkeypatch.setattr(DetectorBase, "detect", refuses)
    answer = client.post(f"/v1/analyze?detector={detector}", data=portrait)
    assert answer.status_code == 200, answer.text
    (face,) = answer.json()["faces"]
    assert face["box"] == [expected.box.x0, expected.box.y0, expected.box.x1, expected.box.y1]
    assert face["score"] == expected.score
    assert (face["eyes"] is None) == (detector == "haar")
    assert list(face["probabilities"].values()) == pytest.approx(expected.probabilities, abs=1e-5)


FACE = np.array([[0.9, 1, 2, 3, 4, 5, 6, 7, 8]], np.float64)
CROP = np.zeros((1, SIZE, SIZE, 1), np.uint8)


@pytest.mark.parametrize(
    "said",
    [
        None,
        "words",
        (9, 9, FACE, CROP, 1.0),
        (9, 9, FACE.tolist(), CROP, 1.0, 1.0),
        (9, 9, FACE.astype(np.float32), CROP, 1.0, 1.0),
        (9, 9, FACE[:, :8], CROP, 1.0, 1.0),
        (9, 9, FACE[0], CROP, 1.0, 1.0),
        (9, 9, FACE * np.nan, CROP, 1.0, 1.0),
        (9, 9, FACE * np.inf, CROP, 1.0, 1.0),
        (9, 9, FACE, CROP[:, 1:], 1.0, 1.0),
        (9, 9, FACE, CROP[:0], 1.0, 1.0),
        (9, 9, FACE, CROP.astype(object), 1.0, 1.0),
        ("wide", 9, FACE, CROP, 1.0, 1.0),
        (9, float("inf"), FACE, CROP, 1.0, 1.0),
        (9, 9, FACE, CROP, "soon", 1.0),
        (9, 9, FACE, CROP, 1.0, float("nan")),
    ],
)
def test_an_answer_that_makes_no_sense_is_one_sentence(
    said: Any, pool: WorkerPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(WorkerPool, "call", lambda *_, **__: said)
    with pytest.raises(WorkerError, match="an answer that makes no sense"):
        finding.find_confined(b"any", "blazeface", SIZE, CropSpec(), pool)


def test_an_answer_that_makes_sense_is_taken(
    pool: WorkerPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    without = FACE.copy()
    without[:, 5:] = np.nan
    faces, crops = np.concatenate([FACE, without]), np.concatenate([CROP, CROP])
    monkeypatch.setattr(WorkerPool, "call", lambda *_, **__: (9, 8, faces, crops, 1.0, 2.0))
    found = finding.find_confined(b"any", "blazeface", SIZE, CropSpec(), pool)
    assert (found.width, found.height) == (9, 8)
    assert found.timings == {"detect": 1.0, "crop": 2.0}
    assert [one.eyes is None for one in found.detections] == [False, True]


def test_a_detector_that_failed_is_made_anew(
    portrait: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    finding._detector.cache_clear()
    monkeypatch.setattr(finding, "_keep_memory", lambda: None)  # of the process of the tests
    rest = (Tell(lambda *_: None), portrait, "blazeface", SIZE, CropSpec())
    finding.find_here(*rest)
    kept = finding._detector("blazeface")
    kept.close()
    with pytest.raises(DetectorError, match="closed"):
        finding.find_here(*rest)
    assert len(finding.find_here(*rest)[2]) == 1
    assert finding._detector("blazeface") is not kept
    finding._detector.cache_clear()


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="it is glibc that is told")
def test_pixels_are_not_asked_of_the_system_for_every_picture(
    astronaut: np.ndarray, pool: WorkerPool
) -> None:
    stream, faults = io.BytesIO(), []
    Image.fromarray(astronaut).resize((640, 480)).save(stream, "JPEG")
    for _ in range(2):
        for _ in range(10):
            finding.find_confined(stream.getvalue(), "blazeface", SIZE, CropSpec(), pool)
        faults.append(pool.call("tests.api.page_faults:page_faults"))
    # The pixels alone have 225 pages.
    assert faults[1] - faults[0] < 10 * 225


def test_networks_of_this_process_do_without_the_core_of_the_other_one(
    client: Client, portrait: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    find, had = finding.find_confined, []

    def watched(*given: Any) -> finding.Found:
        had.append(process_cores()._count)
        return find(*given)

    monkeypatch.setattr(pictures_module, "find_confined", watched)
    assert client.post("/v1/analyze", data=portrait).status_code == 200
    assert had == [max(1, available_cores() - 1)]
    assert process_cores()._count == available_cores()
