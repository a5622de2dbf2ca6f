from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_core.crops import FRAMINGS, crop_faces, face_frame, grey_of
from fer_core.errors import OptionError, PictureError
from fer_core.model_store import CropSpec
from fer_core.results import Box, Detection, Eyes

ASTRONAUT = Detection(
    Box(178.0, 81.0, 272.1, 175.1), 0.92, "blazeface", Eyes((203.8, 100.8), (247.9, 108.5))
)
"""The astronaut's face as the short-range network sees it."""

SAME_FACE = 4.0
"""Mean difference in grey values under which two crops show the same; moving one of them by a pixel
of 48 gives more."""


def given_box(x0: float, y0: float, x1: float, y1: float) -> Detection:
    """A tight face box: what a box from no known detector is taken for."""
    return Detection(Box(x0, y0, x1, y1), 1.0, "user")


def ramp(width: int = 200, height: int = 150) -> np.ndarray:
    """Grey value = x."""
    return np.tile(np.arange(width, dtype=np.uint8), (height, 1))


def turned(detection: Detection, degrees: float, size: int) -> Detection:
    """`detection` in a picture of `size` turned about its middle as cv2.warpAffine does."""
    matrix = cv2.getRotationMatrix2D((size / 2, size / 2), degrees, 1.0)

    def move(point: tuple[float, float]) -> tuple[float, float]:
        x, y = matrix @ (*point, 1.0)
        return float(x), float(y)

    assert detection.eyes is not None
    (x, y), half = move(detection.box.centre), detection.box.width / 2
    eyes = Eyes(move(detection.eyes.left), move(detection.eyes.right))
    return Detection(Box(x - half, y - half, x + half, y + half), 0.9, detection.source, eyes)


@pytest.mark.parametrize(
    ("colour", "grey"),
    [((255, 255, 255), 255), ((255, 0, 0), 76), ((0, 255, 0), 150), ((0, 0, 255), 29)],
)
def test_grey_weighs_red_green_and_blue(colour: tuple[int, int, int], grey: int) -> None:
    assert grey_of(np.full((2, 3, 3), colour, np.uint8)).tolist() == [[grey] * 3] * 2


def test_a_crop_of_its_own_size_is_copied_pixel_by_pixel() -> None:
    crops = crop_faces(ramp(), [given_box(20, 30, 68, 78)], 48)
    assert crops.shape == (1, 48, 48, 1)
    assert crops.dtype == np.uint8
    assert crops[0, 7, :, 0].tolist() == list(range(20, 68))


@pytest.mark.parametrize(
    ("size", "margin"), [(48, 0.0), (56, 0.0), (48, 0.5), (24, 0.0), (48, -0.5)]
)
def test_every_crop_pixel_is_the_mean_of_its_area(size: int, margin: float) -> None:
    crop = crop_faces(ramp(), [given_box(52, 27, 148, 123)], size, CropSpec(margin))[0, :, :, 0]
    side = 96 * (1 + margin)
    expected = 100 - side / 2 + (np.arange(size) + 0.5) * side / size - 0.5
    # Rounded twice: once where samples are taken, once where they are averaged.
    np.testing.assert_allclose(crop[size // 2], expected, atol=1.0)


def test_beyond_the_picture_its_border_goes_on() -> None:
    crop = crop_faces(ramp(), [given_box(-24, -24, 24, 24)], 48)[0, :, :, 0]
    assert (crop[:, :24] == 0).all()
    assert crop[40, 24:].tolist() == list(range(24))


@pytest.mark.parametrize("side", [110, 200, 333, 1000, 2900])
def test_fine_stripes_become_even_grey(side: int) -> None:
    stripes = np.zeros((3000, 3000), np.uint8)
    stripes[:, ::2] = 255
    crop = crop_faces(stripes, [given_box(40, 40, 40 + side, 40 + side)], 48)
    # Without averaging this would be a moire of black and white.
    assert np.abs(crop.astype(int) - 127).max() <= 40
    assert crop.std() < 16


def test_a_wide_box_is_squared_about_its_middle() -> None:
    frame = face_frame(given_box(10, 40, 50, 60))
    assert frame.centre == (30, 50)
    assert frame.side == 30
    assert frame.angle == 0


@pytest.mark.parametrize("source", sorted(FRAMINGS))
def test_each_detector_has_its_framing(source: str) -> None:
    framing = FRAMINGS[source]
    frame = face_frame(Detection(Box(100, 100, 200, 200), 1.0, source))
    assert frame.side == pytest.approx(100 * framing.scale)
    assert frame.centre == pytest.approx((150, 150 + 100 * framing.box_y))


def test_the_eyes_lie_where_fer2013_has_them(astronaut: np.ndarray) -> None:
    grey = np.zeros((512, 512), np.uint8)
    assert ASTRONAUT.eyes is not None
    for x, y in (ASTRONAUT.eyes.left, ASTRONAUT.eyes.right):
        cv2.circle(grey, (round(x), round(y)), 3, 255, -1)
    crop = crop_faces(grey, [ASTRONAUT], 48)[0, :, :, 0]
    middles = []
    for half in (crop[:, :24], crop[:, 24:]):
        y, x = np.average(np.indices(half.shape).reshape(2, -1), axis=1, weights=half.ravel())
        middles.append((x / 48, y / 48))
    (left_x, left_y), (right_x, right_y) = middles
    assert left_y == pytest.approx(0.39, abs=0.03)
    assert left_y == pytest.approx(right_y, abs=0.015)
    assert left_x == pytest.approx(0.32, abs=0.08)
    assert right_x + 0.5 == pytest.approx(0.69, abs=0.08)


@pytest.mark.parametrize("degrees", [-40, -20, 20, 40])
def test_a_tilted_head_gives_the_same_crop(degrees: float, astronaut: np.ndarray) -> None:
    grey = grey_of(astronaut)
    matrix = cv2.getRotationMatrix2D((256, 256), degrees, 1.0)
    tilted = cv2.warpAffine(grey, matrix, (512, 512), borderMode=cv2.BORDER_REPLICATE)
    found = turned(ASTRONAUT, degrees, 512)
    upright = crop_faces(grey, [ASTRONAUT], 48).astype(int)
    aligned = crop_faces(tilted, [found], 48).astype(int)
    assert np.abs(aligned - upright).mean() < SAME_FACE
    left_alone = crop_faces(tilted, [found], 48, CropSpec(align=False)).astype(int)
    assert np.abs(left_alone - upright).mean() > 3 * SAME_FACE


def test_colour_gives_the_crops_that_grey_gives(astronaut: np.ndarray) -> None:
    found = [ASTRONAUT, given_box(-40, 300, 90, 430), given_box(500, 500, 505, 505)]
    before = astronaut.copy()
    assert (crop_faces(astronaut, found, 48) == crop_faces(grey_of(astronaut), found, 48)).all()
    assert (astronaut == before).all()


def test_without_alignment_only_the_place_matters(astronaut: np.ndarray) -> None:
    assert face_frame(ASTRONAUT, CropSpec(align=False)).angle == 0
    assert math.degrees(face_frame(ASTRONAUT).angle) == pytest.approx(9.9, abs=0.5)


@pytest.mark.parametrize(
    ("tilt", "left", "turned_by"),
    [(0, 12, 0), (8, 12, 0), (-12, 12, 0), (13, 12, 1), (-30, 12, -18), (30, 0, 30), (90, 12, 78)],
)
def test_a_slight_tilt_is_left_and_of_a_strong_one_as_much(
    tilt: float, left: float, turned_by: float
) -> None:
    away = (25 * math.cos(math.radians(tilt)), 25 * math.sin(math.radians(tilt)))
    eyes = Eyes((50 - away[0], 40 - away[1]), (50 + away[0], 40 + away[1]))
    found = Detection(Box(0, 0, 100, 100), 0.9, "blazeface", eyes)
    angle = face_frame(found, CropSpec(tilt=left)).angle
    assert math.degrees(angle) == pytest.approx(turned_by, abs=1e-6)


def test_a_head_that_tilts_slowly_makes_no_crop_jump() -> None:
    angles = []
    for tenth in range(-300, 301):
        tilt = math.radians(tenth / 10)
        eyes = Eyes((-math.cos(tilt), -math.sin(tilt)), (math.cos(tilt), math.sin(tilt)))
        found = Detection(Box(-2, -2, 2, 2), 0.9, "blazeface", eyes)
        angles.append(math.degrees(face_frame(found, CropSpec(tilt=12)).angle))
    steps = np.diff(angles)
    assert (steps >= -1e-9).all()
    assert steps.max() < 0.11


def test_a_face_from_the_side_is_not_turned_by_its_eyes() -> None:
    profile = Detection(Box(0, 0, 100, 100), 0.9, "blazeface", Eyes((40, 30), (46, 42)))
    assert face_frame(profile).angle == 0


@pytest.mark.parametrize("factor", [0.7, 2.0, 7.3])
def test_the_crop_does_not_depend_on_the_size_of_the_picture(
    factor: float, astronaut: np.ndarray
) -> None:
    grey = grey_of(astronaut)
    side = round(512 * factor)
    method = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    scaled = cv2.resize(grey, (side, side), interpolation=method)
    eyes = ASTRONAUT.eyes
    assert eyes is not None
    k = side / 512
    found = Detection(
        ASTRONAUT.box.scaled(k),
        0.9,
        "blazeface",
        Eyes((eyes.left[0] * k, eyes.left[1] * k), (eyes.right[0] * k, eyes.right[1] * k)),
    )
    expected = crop_faces(grey, [ASTRONAUT], 48).astype(int)
    assert np.abs(crop_faces(scaled, [found], 48) - expected).mean() < SAME_FACE


def test_many_faces_none_and_an_untouched_picture(astronaut: np.ndarray) -> None:
    grey = grey_of(astronaut)
    before = grey.copy()
    crops = crop_faces(grey, [ASTRONAUT] * 30, 56)
    assert crops.shape == (30, 56, 56, 1)
    assert crops.flags.c_contiguous
    assert (crops == crops[0]).all()
    assert crop_faces(grey, [], 48).shape == (0, 48, 48, 1)
    np.testing.assert_array_equal(grey, before)


@pytest.mark.parametrize("shape", [(1, 1), (16, 16), (1, 500), (500, 1), (6000, 8000)])
def test_any_picture_gives_a_crop(shape: tuple[int, int]) -> None:
    grey = np.full(shape, 90, np.uint8)
    boxes = [
        given_box(0, 0, shape[1], shape[0]),
        given_box(-500, -500, -400, -400),
        given_box(shape[1] + 5, 3, shape[1] + 9, 7),
        given_box(5, 5, 5, 5),
    ]
    crops = crop_faces(grey, boxes, 48)
    assert crops.shape == (4, 48, 48, 1)
    assert (crops == 90).all()


@given(
    x=st.floats(-1e7, 1e7),
    y=st.floats(-1e7, 1e7),
    width=st.floats(0, 1e7),
    height=st.floats(0, 1e7),
    tilt=st.floats(-math.pi, math.pi),
    margin=st.floats(-0.9, 3),
)
def test_any_box_gives_a_crop(
    x: float, y: float, width: float, height: float, tilt: float, margin: float
) -> None:
    reach = (width + height) / 6
    eyes = Eyes((x, y), (x + reach * math.cos(tilt), y + reach * math.sin(tilt)))
    found = Detection(Box(x, y, x + width, y + height), 1.0, "blazeface", eyes)
    assert crop_faces(ramp(), [found], 48, CropSpec(margin)).shape == (1, 48, 48, 1)


@pytest.mark.parametrize(
    "grey",
    [np.zeros((5, 5, 4), np.uint8), np.zeros((5, 5)), np.zeros((0, 5, 3), np.uint8)],
    ids=["transparent", "float", "empty"],
)
def test_only_colour_and_grey_are_taken(grey: np.ndarray) -> None:
    with pytest.raises(PictureError, match="grey"):
        crop_faces(grey, [given_box(0, 0, 2, 2)], 48)


@pytest.mark.parametrize(
    ("size", "margin"), [(0, 0.0), (-48, 0.0), (48, -1.0), (48, math.nan), (48, math.inf)]
)
def test_impossible_sizes_and_margins(size: int, margin: float) -> None:
    with pytest.raises(OptionError):
        crop_faces(ramp(), [given_box(0, 0, 9, 9)], size, CropSpec(margin))
