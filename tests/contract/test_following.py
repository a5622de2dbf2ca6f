"""Detectors that follow known faces through a stream: no worse boxes, no face more missed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import pytest

from benchmarks.clip import face_boxes, face_clip
from fer_core.crops import face_frame
from fer_core.detectors import DETECTORS, Detector, DetectorOptions, Follower, create_detector
from fer_core.detectors.mosaic import ACROSS, MOST_FACES, Mosaic
from fer_core.detectors.suppression import newly_seen
from fer_core.errors import DetectorError, PictureError
from fer_core.model_store import CropSpec
from fer_core.results import Box, Detection
from fer_core.tracking import Tracker

SAME_FACE = 0.5
"""Intersection over union with the true box from which a face counts as found."""

FOLLOWERS = ["blazeface", "haar"]

BLAZEFACE_LOSS = 0.07
"""Looked at closely this one face gets a box some percent larger than from afar. What counts is
that the box is steady, below, and that expressions are read as well:
`python -m benchmarks.detect_then_classify --follow`."""


def tight(detection: Detection) -> Box:
    frame = face_frame(detection, CropSpec(align=False))
    (x, y), half = frame.centre, frame.side / 2
    return Box(x - half, y - half, x + half, y + half)


def overlaps(found: Sequence[Detection], true: Sequence[Box]) -> list[float]:
    """How well each true box was met, 0 where it was missed."""
    return [max((tight(one).iou(box) for one in found), default=0.0) for box in true]


def counted(detector: Any) -> list[int]:
    """A list that grows by one with each search of the whole picture."""
    searches: list[int] = []
    whole = detector._find

    def find(picture: np.ndarray) -> list[Detection]:
        searches.append(1)
        return list(whole(picture))

    detector._find = find
    return searches


def test_who_follows() -> None:
    for name in DETECTORS:
        with create_detector(name) as detector:
            assert isinstance(detector, Follower) == (name in FOLLOWERS)


@pytest.mark.parametrize(
    ("name", "faces", "searches", "loss"),
    [
        ("blazeface", 3, 3, BLAZEFACE_LOSS),
        ("blazeface", 8, 3, BLAZEFACE_LOSS),
        ("blazeface", 20, 6, BLAZEFACE_LOSS),
        ("haar", 1, 8, 0.01),
    ],
)
def test_following_misses_no_more_and_meets_the_true_boxes_as_well(
    name: str, faces: int, searches: int, loss: float
) -> None:
    frames = 36
    tracker, full, followed = Tracker(), [], []
    with create_detector(name) as whole, create_detector(name) as follower:
        searched = counted(follower)
        for seconds, picture in face_clip(640, 480, faces, frames):
            true = face_boxes(640, 480, faces, seconds)
            full += overlaps(whole.detect(picture), true)
            found = follower.follow(picture, tracker.expected(seconds))  # type: ignore[attr-defined]
            tracker.update([one.box for one in found], seconds)
            followed += overlaps(found, true)
            assert len(found) <= faces, "nobody twice"
    assert len(searched) <= searches
    missed, missed_following = np.less(full, SAME_FACE), np.less(followed, SAME_FACE)
    assert missed_following.sum() <= missed.sum()
    both = ~missed & ~missed_following
    assert np.mean(np.array(followed)[both]) >= np.mean(np.array(full)[both]) - loss
    assert np.min(np.array(followed)[both]) >= np.min(np.array(full)[both]) - 0.05


@pytest.mark.parametrize("faces", [3, 8, 20])
def test_followed_boxes_are_at_least_as_steady(faces: int) -> None:
    """A box that jumps about makes the expression flicker; one that is always a bit large does not.

    Compared is how much side and middle vary about their own mean, as shares of the true side.
    """
    tracker, spread = Tracker(), {"whole": [], "follower": []}  # type: ignore[var-annotated]
    with create_detector("blazeface") as whole, create_detector("blazeface") as follower:
        assert isinstance(follower, Follower)
        for seconds, picture in face_clip(640, 480, faces, 24):
            followed = follower.follow(picture, tracker.expected(seconds))
            tracker.update(boxes_of(followed), seconds)
            for name, found in (("whole", whole.detect(picture)), ("follower", followed)):
                spread[name].append([])
                for true in face_boxes(640, 480, faces, seconds):
                    box = max((tight(one) for one in found), key=true.iou)
                    apart = (np.array(box.centre) - true.centre) / true.width
                    one = (box.width / true.width, *apart) if true.iou(box) > 0.3 else [np.nan] * 3
                    spread[name][-1].append(one)
    # The first frame is searched whole by both.
    varies = {
        name: np.nanmedian(np.nanstd(np.array(seen[1:]), axis=0), axis=0)
        for name, seen in spread.items()
    }
    assert varies["follower"].max() < 0.03
    assert (varies["follower"] < varies["whole"] + 0.003).all()


@pytest.fixture
def faces_apart(astronaut: np.ndarray) -> np.ndarray:
    """640x480 with seven heads in two rows; the eighth place is empty."""
    picture = np.full((480, 640, 3), 120, np.uint8)
    head = cv2.resize(astronaut[10:190, 135:315], (140, 140), interpolation=cv2.INTER_AREA)
    for index in range(7):
        row, column = divmod(index, 4)
        picture[60 + row * 220 :][:140, 10 + column * 158 :][:, :140] = head
    return picture


def with_newcomer(picture: np.ndarray) -> np.ndarray:
    full = picture.copy()
    full[280:420, 484:624] = picture[280:420, 10:150]
    return full


def boxes_of(found: Sequence[Detection]) -> list[Box]:
    return [one.box for one in found]


def frames_until(detector: Any, picture: np.ndarray, known: list[Box], faces: int) -> int:
    for count in range(1, 30):
        known = boxes_of(detector.follow(picture, known))
        if len(known) == faces:
            return count
    return 99


def test_a_newcomer_is_seen_within_a_round_of_the_windows(faces_apart: np.ndarray) -> None:
    with create_detector("blazeface") as detector:
        known = boxes_of(detector.detect(faces_apart))
        assert len(known) == 7
        assert frames_until(detector, with_newcomer(faces_apart), known, 8) <= 7


def test_a_newcomer_among_few_is_seen_within_six_frames(faces_apart: np.ndarray) -> None:
    few = faces_apart.copy()
    few[:, 320:] = 120
    more = few.copy()
    more[60:200, 484:624] = faces_apart[60:200, 10:150]
    with create_detector("blazeface") as detector:
        known = boxes_of(detector.detect(few))
        assert len(known) == 4
        searches = counted(detector)
        assert frames_until(detector, few, known, 4) == 1
        assert frames_until(detector, more, known, 5) <= 6
        assert not searches


def test_a_newcomer_is_seen_by_haar_within_five_frames(astronaut: np.ndarray) -> None:
    alone = np.full((400, 640, 3), 120, np.uint8)
    alone[:, :320] = astronaut[:400, 75:395]
    both = np.concatenate([alone[:, :320], alone[:, :320]], axis=1)
    with create_detector("haar") as detector:
        known = boxes_of(detector.detect(alone))
        assert len(known) == 1
        assert frames_until(detector, both, known, 2) <= 5


@pytest.mark.parametrize("name", FOLLOWERS)
def test_whoever_leaves_is_gone_and_a_cut_is_noticed_at_once(
    name: str, faces_apart: np.ndarray, astronaut: np.ndarray
) -> None:
    with create_detector(name) as detector:
        assert isinstance(detector, Follower)
        known = boxes_of(detector.detect(faces_apart))
        assert len(known) >= 5
        elsewhere = np.full_like(faces_apart, 90)
        elsewhere[40:440, 220:620] = cv2.resize(astronaut, (400, 400))
        found = detector.follow(elsewhere, known)
        assert len(found) == 1
        assert tight(found[0]).iou(Box(356, 88, 439, 170)) > SAME_FACE
        assert detector.follow(np.full_like(faces_apart, 90), known) == []


def _place(one: Detection) -> tuple[float, float]:
    return one.box.x0, one.box.y0


@pytest.mark.parametrize("name", FOLLOWERS)
def test_nobody_known_is_a_search_of_the_whole_picture(name: str, faces_apart: np.ndarray) -> None:
    with create_detector(name) as detector:
        assert isinstance(detector, Follower)
        # Faces that score alike come in any order from OpenCV's threads.
        followed, found = detector.follow(faces_apart, []), detector.detect(faces_apart)
        assert sorted(followed, key=_place) == sorted(found, key=_place)


@pytest.mark.parametrize("name", FOLLOWERS)
@pytest.mark.parametrize(
    "box",
    [Box(-900, -900, -800, -800), Box(5000, 10, 5100, 110), Box(5, 5, 5, 5), Box(0, 0, 1e4, 1e4)],
    ids=["left of it", "right of it", "empty", "larger than it"],
)
def test_a_face_expected_anywhere_does_no_harm(
    name: str, box: Box, faces_apart: np.ndarray
) -> None:
    with create_detector(name) as detector:
        assert isinstance(detector, Follower)
        expected = len(detector.detect(faces_apart))
        assert len(detector.follow(faces_apart, [box] * 6)) == expected


@pytest.mark.parametrize("name", FOLLOWERS)
def test_following_checks_what_detecting_checks(name: str, astronaut: np.ndarray) -> None:
    detector: Detector = create_detector(name, DetectorOptions(max_faces=3))
    assert isinstance(detector, Follower)
    with pytest.raises(PictureError, match="Received"):
        detector.follow(np.zeros((5, 5), np.uint8), [])
    detector.close()
    with pytest.raises(DetectorError, match="is closed"):
        detector.follow(astronaut, [])


def test_no_more_than_max_faces_are_followed(faces_apart: np.ndarray) -> None:
    with create_detector("blazeface", DetectorOptions(max_faces=6)) as detector:
        known = boxes_of(detector.detect(faces_apart))
        for _ in range(8):
            known = boxes_of(detector.follow(faces_apart, known))  # type: ignore[attr-defined]
            assert len(known) == 6


@pytest.mark.parametrize("count", [1, 3, MOST_FACES])
def test_the_way_back_from_a_mosaic(count: int) -> None:
    picture = np.random.default_rng(1).integers(0, 255, (480, 640, 3), np.uint8)
    expected = [Box(x, 40.0 + x / 4, x + 50, 90.0 + x / 4) for x in np.linspace(-20, 600, count)]
    mosaic = Mosaic(picture, expected, 192)
    assert mosaic.picture.shape == (192, 192, 3)
    tile = 192 // ACROSS
    # In the middle of each tile that is whole lies the middle of its face.
    for index, box in enumerate(expected):
        row, column = divmod(index, ACROSS)
        middle = np.array([column + 0.5, row + 0.5]) * tile
        points = np.array([[middle - tile / 4, middle + tile / 4]], np.float32)
        scores, found, which = mosaic.faces(np.ones(1, np.float32), points)
        if box.x0 < 25 or box.x1 > 615:
            continue  # cut by the picture's edge: its tile is not square
        assert len(scores) == 1
        assert which == {index}
        np.testing.assert_allclose(found[0].mean(axis=0), box.centre, atol=1.5)
        np.testing.assert_allclose(found[0, 1] - found[0, 0], 50, atol=1.5)


def test_a_mosaic_leaves_out_what_is_far_from_where_a_face_should_be() -> None:
    mosaic = Mosaic(np.zeros((200, 200, 3), np.uint8), [Box(75, 75, 125, 125)], 192)
    corners = np.array([[-3, -3], [33, 33]], np.float32)  # in the tile's corner
    beside = corners + 96  # in a tile without a face
    outside = corners - 500
    for points in (corners, beside, outside):
        scores, _, which = mosaic.faces(np.ones(1, np.float32), points[None])
        assert len(scores) == len(which) == 0


def test_what_is_newly_seen() -> None:
    def faces(*boxes: tuple[float, float, float, float]) -> np.ndarray:
        return np.array(boxes, np.float32).reshape(-1, 2, 2)

    known = faces((0, 0, 10, 10))
    seen = faces((1, 0, 11, 10), (2, 2, 5, 5), (20, 20, 30, 30), (9, 9, 19, 19), (20, 20, 20, 20))
    assert newly_seen(seen, known).tolist() == [False, False, True, True, True]
    assert newly_seen(faces(), known).tolist() == []
    assert newly_seen(seen, faces()).tolist() == [True] * 5
