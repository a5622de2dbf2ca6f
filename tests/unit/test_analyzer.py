"""The analyzer around a detector and a classifier of our own making."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from fer_core.analyzer import Analyzer, AnalyzerOptions
from fer_core.classifier import Classifier
from fer_core.emotions import UNCERTAIN
from fer_core.errors import DetectorError, ModelError, OptionError, PictureError
from fer_core.model_store import ModelCard
from fer_core.results import Box, Detection, Eyes
from fer_core.smoothing import SmoothingOptions

EYES = Eyes((20, 20), (40, 20))
RIGHT = Detection(Box(200, 20, 260, 80), 0.95, "fake", EYES)
LEFT = Detection(Box(10, 20, 70, 80), 0.80, "fake")
NO_SMOOTHING = SmoothingOptions(seconds=0, box_cutoff=0)


class FakeDetector:
    """Gives one list of detections after the other, the last for ever."""

    name = "fake"

    def __init__(self, *frames: list[Detection]) -> None:
        self.frames = list(frames)
        self.closed = False

    def detect(self, picture: np.ndarray) -> list[Detection]:
        if self.closed:
            raise DetectorError("The detector is closed.")
        return self.frames.pop(0) if len(self.frames) > 1 else self.frames[0]

    def close(self) -> None:
        self.closed = True

    def __enter__(self) -> FakeDetector:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()


class FakeClassifier(Classifier):
    """Happy, to the given share, in every crop; counts what it saw."""

    def __init__(self, *best: float) -> None:
        self.card = ModelCard("fake", "none", 48, uncertain_below=0.4)
        self.best, self.seen, self.closed = list(best) or [0.7], [], False

    def classify(self, crops: np.ndarray) -> np.ndarray:
        self.seen.append(crops.shape)
        best = self.best.pop(0) if len(self.best) > 1 else self.best[0]
        shares = np.full((len(crops), 7), (1 - best) / 6, np.float32)
        shares[:, 3] = best
        return shares

    def close(self) -> None:
        self.closed = True


def picture() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 255, (120, 320, 3), np.uint8)


def make(*frames: list[Detection], best: tuple[float, ...] = (0.7,), **options: Any) -> Analyzer:
    options = {"smoothing": NO_SMOOTHING, **options}
    return Analyzer(AnalyzerOptions(**options), FakeClassifier(*best), FakeDetector(*frames))


def test_faces_of_a_picture_stand_from_left_to_right() -> None:
    analyzer = make([RIGHT, LEFT])
    result = analyzer.analyze(picture())
    assert (result.width, result.height, result.pts) == (320, 120, None)
    assert [face.box for face in result.faces] == [LEFT.box, RIGHT.box]
    assert [face.score for face in result.faces] == [0.80, 0.95]
    assert [face.eyes for face in result.faces] == [None, EYES]
    assert [face.label for face in result.faces] == ["happy", "happy"]
    assert [face.track_id for face in result.faces] == [None, None]
    assert sum(result.faces[0].probabilities) == pytest.approx(1, abs=1e-6)
    assert all(type(share) is float for share in result.faces[0].probabilities)
    assert analyzer.classifier.seen == [(2, 48, 48, 1)]


def test_every_stage_has_its_milliseconds() -> None:
    for frame in ([LEFT], []):
        for result in (make(frame).analyze(picture()), make(frame).track(picture(), 0.0)):
            assert set(result.timings) == {"detect", "crop", "classify", "track"}
            assert all(value >= 0 for value in result.timings.values())


def test_nobody_is_an_empty_result() -> None:
    analyzer = make([])
    assert analyzer.analyze(picture()).faces == ()
    assert analyzer.track(picture(), 0.0).faces == ()
    assert analyzer.classifier.seen == []


def test_faces_of_a_stream_keep_their_numbers_and_stand_by_them() -> None:
    moved = replace(RIGHT, box=Box(205, 22, 265, 82))
    analyzer = make([RIGHT], [LEFT, moved], [moved, LEFT], [LEFT])
    numbers = [
        [(face.track_id, face.box.x0) for face in analyzer.track(picture(), index / 15).faces]
        for index in range(4)
    ]
    assert numbers == [[(1, 200.0)], [(1, 205.0), (2, 10.0)], [(1, 205.0), (2, 10.0)], [(2, 10.0)]]
    assert analyzer.track(picture(), 4 / 15).pts == pytest.approx(4 / 15)


def test_probabilities_of_a_stream_are_smoothed() -> None:
    analyzer = make([LEFT], best=(0.9, 0.2), smoothing=SmoothingOptions(seconds=0.3))
    shares = [analyzer.track(picture(), index / 15).faces[0].confidence for index in range(30)]
    assert shares[0] == pytest.approx(0.9)
    assert shares[1] == pytest.approx(0.76, abs=0.01)
    assert shares[-1] == pytest.approx(0.2, abs=0.01)


def test_reset_begins_another_clip_with_new_numbers() -> None:
    analyzer = make([LEFT], best=(0.9, 0.2), smoothing=SmoothingOptions(seconds=5))
    assert analyzer.track(picture(), 0.0).faces[0].track_id == 1
    analyzer.reset()
    face = analyzer.track(picture(), 0.1).faces[0]
    assert (face.track_id, face.confidence) == (2, pytest.approx(0.2))


@pytest.mark.parametrize(
    ("best", "threshold", "label"),
    [
        (0.7, None, "happy"),
        (0.39, None, UNCERTAIN),
        (0.41, None, "happy"),
        (0.7, 0.71, UNCERTAIN),
        (0.39, 0.0, "happy"),
        (0.7, 1.0, UNCERTAIN),
    ],
)
def test_under_the_threshold_a_label_is_uncertain(
    best: float, threshold: float | None, label: str
) -> None:
    face = make([LEFT], best=(best,), min_confidence=threshold).analyze(picture()).faces[0]
    assert face.label == label
    assert face.top == "happy"


def test_the_picture_is_not_changed(astronaut: np.ndarray) -> None:
    before = astronaut.copy()
    make([LEFT]).analyze(astronaut)
    make([LEFT]).track(astronaut, 0.0)
    assert (astronaut == before).all()


def test_pictures_come_as_paths_bytes_and_arrays(tmp_path: Path) -> None:
    file = tmp_path / "picture.png"
    Image.fromarray(picture()).save(file)
    results = [
        make([LEFT]).analyze(source) for source in (file, str(file), file.read_bytes(), picture())
    ]
    assert len({(result.width, result.height, result.faces) for result in results}) == 1


@pytest.mark.parametrize("frame", [np.zeros((0, 5, 3), np.uint8), "nothing.png", b""])
def test_what_is_no_picture_is_said(frame: Any) -> None:
    with pytest.raises(PictureError):
        make([LEFT]).analyze(frame)
    with pytest.raises(PictureError):
        make([LEFT]).track(frame, 0.0)


def test_a_frame_in_grey_or_upside_down_is_understood() -> None:
    grey, turned = picture()[:, :, 0], picture()[::-1, ::-1]
    for frame in (grey, turned):
        assert make([LEFT]).track(frame, 0.0).width == 320


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"detector": "hog"}, "Unknown detector. Received: 'hog'. Known: blazeface, haar"),
        (
            {"runtime": "onnx"},
            "Unknown runtime. Received: 'onnx'. Known: auto, litert, litert_int8",
        ),
        ({"threads": 0}, "threads must be at least 1. Received: 0"),
        ({"faces_per_frame": 0}, "faces_per_frame must be at least 1. Received: 0"),
        ({"min_confidence": 1.2}, "min_confidence must be from 0 to 1. Received: 1.2"),
        ({"min_confidence": float("nan")}, "min_confidence must be from 0 to 1. Received: nan"),
    ],
)
def test_options_are_checked(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(OptionError) as caught:
        AnalyzerOptions(**options)
    assert sentence in str(caught.value)


def test_what_was_lent_stays_open() -> None:
    classifier, detector = FakeClassifier(), FakeDetector([LEFT])
    with Analyzer(classifier=classifier, detector=detector):
        pass
    assert not classifier.closed
    assert not detector.closed


def test_what_it_made_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    detector = FakeDetector([LEFT])
    monkeypatch.setattr("fer_core.analyzer.create_detector", lambda *_: detector)
    with pytest.raises(ModelError, match="no model called 'nowhere'"):
        Analyzer(AnalyzerOptions(model="nowhere"))
    assert detector.closed
    detector.closed = False
    analyzer = Analyzer(classifier=FakeClassifier())
    analyzer.close()
    analyzer.close()
    assert detector.closed
    with pytest.raises(DetectorError, match="closed"):
        analyzer.analyze(picture())


def test_two_analyzers_share_a_classifier_between_threads() -> None:
    classifier = FakeClassifier()
    results: list[int] = []

    def work() -> None:
        own = Analyzer(AnalyzerOptions(), classifier, FakeDetector([LEFT]))
        results.extend(len(own.track(picture(), index / 15).faces) for index in range(20))

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [1] * 40


def row_of_faces(count: int) -> list[Detection]:
    return [Detection(Box(60 * n, 20, 60 * n + 50, 70), 0.9, "fake") for n in range(count)]


@pytest.mark.parametrize(
    ("most", "faces", "read"),
    [(None, 5, [5, 5, 5]), (5, 5, [5, 5, 5]), (4, 5, [5, 4, 4]), (1, 5, [5, 1, 1])],
)
def test_a_crowd_is_read_in_turn_where_that_is_asked_for(most, faces, read) -> None:
    analyzer = make(row_of_faces(faces), best=(0.7, 0.9), faces_per_frame=most)
    results = [analyzer.track(picture(), n / 30) for n in range(3)]
    assert [len(result.faces) for result in results] == [faces] * 3
    assert [shape[0] for shape in analyzer.classifier.seen] == read
    fresh = [sum(face.confidence > 0.8 for face in result.faces) for result in results]
    assert fresh == [0, min(read[1], faces), min(read[1] + read[2], faces)]
    assert all(set(result.timings) == {"detect", "crop", "classify", "track"} for result in results)


def test_single_pictures_are_read_whole() -> None:
    analyzer = make(row_of_faces(5), faces_per_frame=1)
    for _ in range(2):
        assert len(analyzer.analyze(picture()).faces) == 5
    assert [shape[0] for shape in analyzer.classifier.seen] == [5, 5]
