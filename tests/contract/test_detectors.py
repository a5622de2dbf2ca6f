"""Every detector keeps the same promises; where one is weaker the table below says so."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import pytest

from fer_core.crops import face_frame
from fer_core.detectors import DETECTORS, Detector, DetectorOptions, create_detector
from fer_core.errors import DetectorError, OptionError, PictureError
from fer_core.model_store import CropSpec
from fer_core.results import Box


@dataclass(frozen=True)
class Case:
    """A detector, how it is made, and what may be asked of it."""

    name: str
    options: DetectorOptions | None
    eyes: bool
    crowd: int
    """Faces found out of thirty of 48 px across (brows to chin), at least."""
    smallest: int
    """Width of a face in a picture of 640x480 that is found, pixels."""


CASES = {
    "blazeface": Case("blazeface", None, True, 30, 60),
    "blazeface-both": Case("blazeface", DetectorOptions(range="both"), True, 30, 60),
    "blazeface-full": Case("blazeface", DetectorOptions(range="full"), True, 10, 60),
    "blazeface-short": Case("blazeface", DetectorOptions(range="short"), True, 0, 90),
    "blazeface-fine": Case("blazeface", DetectorOptions(fine=True), True, 30, 30),
    "blazeface-threads": Case("blazeface", DetectorOptions(threads=2), True, 30, 60),
    "haar": Case("haar", None, False, 0, 90),
    "haar-small": Case("haar", DetectorOptions(min_face=0.05), False, 20, 60),
    "mediapipe": Case("mediapipe", None, True, 0, 90),
}

FACE = Box(174.0, 61.0, 280.0, 167.0)
"""The astronaut's tight face box, framed by hand as FER2013 frames faces."""

SAME_FACE = 0.7
"""Least intersection over union with it."""

LEFT_EYE, RIGHT_EYE, EYE_TOLERANCE = (203.0, 102.5), (246.0, 106.5), 6.0
HEAD = (slice(10, 190), slice(135, 315))
HEAD_FACE = 94.0
"""Width of the short-range network's box in the head, pixels."""


def tight(detection: object) -> Box:
    frame = face_frame(detection, CropSpec(align=False))  # type: ignore[arg-type]
    (x, y), half = frame.centre, frame.side / 2
    return Box(x - half, y - half, x + half, y + half)


def crowd(astronaut: np.ndarray) -> np.ndarray:
    """640x480 with thirty heads, six across and five down."""
    picture = np.full((480, 640, 3), 120, np.uint8)
    head = cv2.resize(astronaut[HEAD], (92, 92), interpolation=cv2.INTER_AREA)
    for row in range(5):
        for column in range(6):
            y, x = 2 + row * 96, 8 + column * 106
            picture[y : y + 92, x : x + 92] = head
    return picture


@pytest.fixture(scope="module", params=sorted(CASES))
def case(request: pytest.FixtureRequest) -> Case:
    return CASES[request.param]


@pytest.fixture(scope="module")
def detector(case: Case) -> Iterator[Detector]:
    with create_detector(case.name, case.options) as made:
        yield made


def test_finds_the_astronaut(case: Case, detector: Detector, astronaut: np.ndarray) -> None:
    (found,) = detector.detect(astronaut)
    assert found.source == detector.name == case.name
    assert tight(found).iou(FACE) > SAME_FACE
    assert 0.5 <= found.score <= 1
    if not case.eyes:
        assert found.score == 1.0
        assert found.eyes is None
        return
    assert found.eyes is not None
    np.testing.assert_allclose(found.eyes.left, LEFT_EYE, atol=EYE_TOLERANCE)
    np.testing.assert_allclose(found.eyes.right, RIGHT_EYE, atol=EYE_TOLERANCE)


@pytest.mark.parametrize("factor", [0.5, 2.0, 5.0])
def test_boxes_are_pixels_of_the_given_picture(
    factor: float, detector: Detector, astronaut: np.ndarray
) -> None:
    side = round(512 * factor)
    scaled = cv2.resize(astronaut, (side, side), interpolation=cv2.INTER_AREA)
    found = detector.detect(scaled)
    assert max(tight(one).iou(FACE.scaled(factor)) for one in found) > SAME_FACE


def test_a_mirrored_picture_gives_the_mirrored_face(
    case: Case, detector: Detector, astronaut: np.ndarray
) -> None:
    found = detector.detect(astronaut[:, ::-1])[0]
    assert tight(found).iou(Box(512 - FACE.x1, FACE.y0, 512 - FACE.x0, FACE.y1)) > SAME_FACE
    if found.eyes is not None:
        assert found.eyes.left[0] < found.eyes.right[0]


def test_colours_are_rgb(case: Case, detector: Detector, astronaut: np.ndarray) -> None:
    right = detector.detect(astronaut)[0].score
    wrong = max((one.score for one in detector.detect(astronaut[:, :, ::-1])), default=0.0)
    assert right >= wrong


def test_finds_a_face_of_its_smallest_size(
    case: Case, detector: Detector, astronaut: np.ndarray
) -> None:
    factor = case.smallest / HEAD_FACE
    side = round(512 * factor)
    picture = np.full((480, 640, 3), 120, np.uint8)
    shown = cv2.resize(astronaut, (side, side), interpolation=cv2.INTER_AREA)[:480, :640]
    picture[: shown.shape[0], 50 : 50 + shown.shape[1]] = shown[:, : 640 - 50]
    face = FACE.scaled(factor)
    wanted = Box(face.x0 + 50, face.y0, face.x1 + 50, face.y1)
    assert max((tight(one).iou(wanted) for one in detector.detect(picture)), default=0) > SAME_FACE


def test_thirty_faces(case: Case, detector: Detector, astronaut: np.ndarray) -> None:
    found = detector.detect(crowd(astronaut))
    boxes = [one.box for one in found]
    places = {(int(box.centre[0]) // 106, int(box.centre[1]) // 96) for box in boxes}
    assert len(places) >= case.crowd
    assert len(places) == len(boxes), "no face twice"


@pytest.mark.parametrize("value", [0, 128, 255])
def test_no_face_in_an_empty_picture(value: int, detector: Detector) -> None:
    assert detector.detect(np.full((480, 640, 3), value, np.uint8)) == []


def test_no_face_in_noise(detector: Detector) -> None:
    noise = np.random.default_rng(3).integers(0, 256, (480, 640, 3), np.uint8)
    assert detector.detect(noise) == []


@pytest.mark.parametrize(
    "shape", [(1, 1), (2, 1), (16, 16), (1, 4000), (4000, 1), (37, 4001), (5000, 61), (6000, 8000)]
)
def test_any_size_of_picture(shape: tuple[int, int], detector: Detector) -> None:
    assert detector.detect(np.full((*shape, 3), 90, np.uint8)) == []


def test_a_large_photo(detector: Detector, astronaut: np.ndarray) -> None:
    photo = np.full((6000, 8000, 3), 90, np.uint8)
    photo[400:5200, 1500:6300] = cv2.resize(astronaut[:300, 75:375], (4800, 4800))
    face = Box(FACE.x0 - 75, FACE.y0, FACE.x1 - 75, FACE.y1).scaled(16)
    wanted = Box(face.x0 + 1500, face.y0 + 400, face.x1 + 1500, face.y1 + 400)
    found = detector.detect(photo)
    assert max(tight(one).iou(wanted) for one in found) > SAME_FACE


@pytest.mark.parametrize("name", ["blazeface", "blazeface-fine"])
@pytest.mark.parametrize("upright", [True, False], ids=["wide", "tall"])
def test_a_face_in_a_long_strip(name: str, upright: bool, astronaut: np.ndarray) -> None:
    case = CASES[name]
    strip = np.full((256, 4000, 3), 90, np.uint8)
    strip[:, 2700:3000] = astronaut[:256, 75:375]
    wanted = Box(FACE.x0 + 2625, FACE.y0, FACE.x1 + 2625, FACE.y1)
    if not upright:
        strip = np.full((4000, 300, 3), 90, np.uint8)
        strip[2700:2956] = astronaut[:256, 75:375]
        wanted = Box(FACE.x0 - 75, FACE.y0 + 2700, FACE.x1 - 75, FACE.y1 + 2700)
    with create_detector(case.name, case.options) as detector:
        (found,) = detector.detect(strip)
    assert tight(found).iou(wanted) > SAME_FACE


def test_the_picture_is_not_changed_and_the_answer_repeats(
    detector: Detector, astronaut: np.ndarray
) -> None:
    before = astronaut.copy()
    astronaut.flags.writeable = False
    first = detector.detect(astronaut)
    detector.detect(np.zeros((100, 300, 3), np.uint8))
    assert detector.detect(astronaut) == first
    np.testing.assert_array_equal(astronaut, before)


def test_scores_fall_and_max_faces_holds(case: Case, astronaut: np.ndarray) -> None:
    options = DetectorOptions(max_faces=2, min_face=0.04)
    with create_detector(case.name, options) as detector:
        found = detector.detect(crowd(astronaut))
    scores = [one.score for one in found]
    assert len(scores) <= 2
    assert scores == sorted(scores, reverse=True)


def test_faces_under_min_face_are_left_out(case: Case, astronaut: np.ndarray) -> None:
    with create_detector(case.name, DetectorOptions(min_face=0.1)) as detector:
        assert len(detector.detect(astronaut)) == 1
    with create_detector(case.name, DetectorOptions(min_face=0.4)) as detector:
        assert detector.detect(astronaut) == []


def test_min_score(astronaut: np.ndarray) -> None:
    for name in ("blazeface", "mediapipe"):
        for min_score, faces in ((0.0, 1), (0.8, 1), (0.99, 0)):
            with create_detector(name, DetectorOptions(min_score=min_score)) as detector:
                found = detector.detect(astronaut)
            assert min(len(found), 1) == faces
            assert all(one.score >= min_score for one in found)


def test_closed_twice_then_used(case: Case, astronaut: np.ndarray) -> None:
    detector = create_detector(case.name, case.options)
    assert detector.detect(astronaut)
    detector.close()
    detector.close()
    with pytest.raises(DetectorError, match=f"{case.name} detector is closed"):
        detector.detect(astronaut)


@pytest.mark.parametrize(
    "picture",
    [
        None,
        np.zeros((5, 5), np.uint8),
        np.zeros((5, 5, 4), np.uint8),
        np.zeros((5, 5, 3), np.float32),
        np.zeros((0, 5, 3), np.uint8),
    ],
    ids=["none", "grey", "alpha", "float", "empty"],
)
def test_only_rgb_pictures_are_taken(picture: object, detector: Detector) -> None:
    with pytest.raises(PictureError, match="Received"):
        detector.detect(picture)  # type: ignore[arg-type]


def test_still_works_after_a_bad_picture(detector: Detector, astronaut: np.ndarray) -> None:
    with pytest.raises(PictureError):
        detector.detect(np.zeros((5, 5), np.uint8))
    assert len(detector.detect(astronaut)) == 1


def test_two_instances_in_two_threads(case: Case, astronaut: np.ndarray) -> None:
    small = cv2.resize(astronaut, (400, 400), interpolation=cv2.INTER_AREA)
    with (
        create_detector(case.name, case.options) as first,
        create_detector(case.name, case.options) as second,
    ):
        work = ((first, astronaut), (second, small))
        expected = [detector.detect(picture) for detector, picture in work]
        answers: list[list[object]] = [[], []]

        def run(index: int) -> None:
            detector, picture = work[index]
            answers[index] = [detector.detect(picture) for _ in range(15)]

        threads = [threading.Thread(target=run, args=(index,)) for index in (0, 1)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    for index in (0, 1):
        assert answers[index] == [expected[index]] * 15


def test_a_detector_made_in_one_thread_may_be_used_in_another(
    case: Case, astronaut: np.ndarray
) -> None:
    found: list[object] = []
    with create_detector(case.name, case.options) as detector:
        worker = threading.Thread(target=lambda: found.extend(detector.detect(astronaut)))
        worker.start()
        worker.join(60)
    assert len(found) == 1


def test_an_unknown_detector_is_named_with_the_known_ones() -> None:
    with pytest.raises(OptionError, match=r"'mtcnn'.*blazeface, haar, mediapipe"):
        create_detector("mtcnn")
    assert DETECTORS[0] == "blazeface"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"range": "far"}, "'far'"),
        ({"min_score": 1.5}, "min_score"),
        ({"min_face": float("nan")}, "min_face"),
        ({"max_faces": 0}, "max_faces"),
        ({"threads": 0}, "threads"),
    ],
)
def test_options_that_do_not_exist(options: dict[str, object], words: str) -> None:
    with pytest.raises(OptionError, match=words):
        DetectorOptions(**options)  # type: ignore[arg-type]


SCRIPT = """
import sys
from skimage import data
from fer_core.detectors import create_detector
for name in {names}:
    with create_detector(name) as detector:
        assert len(detector.detect(data.astronaut())) == 1
heavy = [name for name in ("tensorflow", "keras", "jax", "mediapipe") if name in sys.modules]
print("heavy:", *heavy)
forgotten = create_detector({names}[0])
forgotten.detect(data.astronaut())
"""


@pytest.mark.parametrize(
    ("names", "heavy"),
    [(["blazeface", "haar"], "heavy:"), (["mediapipe", "blazeface"], "heavy: mediapipe")],
)
def test_no_detector_imports_tensorflow_and_a_forgotten_one_does_not_hang(
    names: list[str], heavy: str
) -> None:
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(names=names)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.splitlines() == [heavy]
