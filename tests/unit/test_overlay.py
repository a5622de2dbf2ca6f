"""The overlay: what is drawn, where, and that it can be read."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_core.detectors.base import Picture
from fer_core.emotions import CLASSES, UNCERTAIN, emotion_of
from fer_core.errors import OptionError, PictureError
from fer_core.overlay import OverlayOptions, draw
from fer_core.overlay.bars import panel_size, row_size
from fer_core.overlay.icons import colour_of, icon
from fer_core.overlay.layout import Rectangle, beside, frame_rectangle, inner_spots, outer_spots
from fer_core.overlay.plates import PLATE_COLOUR, PLATE_OPACITY, TEXT_COLOUR, plate
from fer_core.overlay.sprites import paste, solid, text_mask
from fer_core.overlay.style import style_for
from fer_core.results import Box, Face, FrameResult

SIZES = [(320, 240), (640, 480), (1280, 720), (1920, 1080)]
LIGHTNESSES = [0, 8, 128, 250, 255]
READABLE = 4.5
"""Contrast that the Web Content Accessibility Guidelines 2.2 ask of normal text (1.4.3)."""


def face(box: Box, label: str = "happy", confidence: float = 0.9, number: int | None = 1) -> Face:
    best = CLASSES.index(label) if label in CLASSES else 0
    shares = [(1 - confidence) / 6] * 7
    shares[best] = confidence
    return Face(box, 0.9, tuple(shares), label, number)


def plain(size: tuple[int, int], grey: int) -> Picture:
    return np.full((size[1], size[0], 3), grey, np.uint8)


def changed(before: Picture, after: Picture) -> np.ndarray:
    return (before != after).any(axis=2)


def luminance(colour: np.ndarray) -> float:
    """Relative luminance of sRGB values 0 to 255 (WCAG 2.2)."""
    share = np.asarray(colour, float) / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def contrast(a: np.ndarray, b: np.ndarray) -> float:
    low, high = sorted((luminance(a), luminance(b)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("grey", LIGHTNESSES)
def test_text_stands_light_on_a_dark_plate_above_the_box(size: tuple[int, int], grey: int) -> None:
    width, height = size
    box = Box(width * 0.4, height * 0.4, width * 0.6, height * 0.75)
    before = plain(size, grey)
    after = draw(before, FrameResult(width, height, (face(box),)))
    style = style_for(width, height)
    left, top = round(box.x0), round(box.y0)
    # Right of the icon, above the box.
    text = after[top - style.gap - round(style.text * 1.2) : top - style.gap, left:].reshape(-1, 3)
    text = text[(text != grey).any(axis=1)]
    lightest = text[np.argmax(text.sum(axis=1))]
    ground = np.array(PLATE_COLOUR) * PLATE_OPACITY + grey * (1 - PLATE_OPACITY)
    assert lightest.min() > 230
    assert contrast(lightest, ground) >= READABLE
    assert np.abs(text.astype(float) - ground).max(axis=1).min() < 3, "the plate itself is there"


@pytest.mark.parametrize("label", [*CLASSES, UNCERTAIN])
@pytest.mark.parametrize("grey", [0, 255])
def test_the_outline_has_a_dark_and_a_coloured_tone(label: str, grey: int) -> None:
    box = Box(200, 150, 400, 350)
    after = draw(
        plain((640, 480), grey),
        FrameResult(640, 480, (face(box, label),)),
        OverlayOptions(labels=False),
    )
    across = after[250, 195:215]
    tones = {tuple(int(v) for v in pixel) for pixel in across}
    assert colour_of(label) in tones
    assert (16, 16, 20) in tones
    assert (grey,) * 3 in tones


@pytest.mark.parametrize("size", SIZES)
def test_text_grows_with_the_frame_and_is_never_under_twelve_pixels(size: tuple[int, int]) -> None:
    style = style_for(*size)
    assert style.text >= 12
    assert 0.028 <= style.text / size[1] <= 0.05
    assert panel_size(style)[0] < size[0] / 2
    assert panel_size(style)[1] < size[1]


PLACES = {
    "upper left": Box(-20, -20, 80, 90),
    "lower right": Box(560, 400, 700, 520),
    "upper right": Box(600, 2, 640, 50),
    "the whole frame": Box(0, 0, 640, 480),
    "more than the frame": Box(-100, -100, 900, 800),
}


@pytest.mark.parametrize("box", PLACES.values(), ids=PLACES.keys())
@pytest.mark.parametrize("bars", [False, True])
def test_the_plate_is_whole_at_every_border(box: Box, bars: bool) -> None:
    ground = plain((640, 480), 100)
    result = FrameResult(640, 480, (face(box, "surprise"),))
    after = draw(ground, result, OverlayOptions(boxes=False, bars=bars))
    only = draw(ground, result, OverlayOptions(boxes=False))
    rows, columns = np.nonzero(changed(ground, only))
    drawn = (int(np.ptp(columns)) + 1, int(np.ptp(rows)) + 1)
    style = style_for(640, 480)
    where = frame_rectangle(box, 640, 480)
    assert where is not None
    size = max(11, min(style.text, round(where.width * 0.22)))
    full = plate("surprise", "surprise 90 %", size, max(2, size // 4))
    assert drawn == (full.width, full.height)
    assert changed(ground, after).any()


def test_faces_outside_the_frame_or_without_numbers_draw_nothing() -> None:
    ground = plain((640, 480), 100)
    boxes = [Box(700, 10, 800, 90), Box(-90, -90, -10, -10), Box(50, 50, 50, 50)]
    boxes += [Box(math.nan, 0, 10, 10), Box(0, 0, math.inf, 10)]
    result = FrameResult(640, 480, tuple(face(box) for box in boxes))
    assert not changed(ground, draw(ground, result, OverlayOptions(bars=True))).any()


def grid(count: int) -> FrameResult:
    boxes = [
        Box(20 + 100 * (i % 6), 20 + 90 * (i // 6), 75 + 100 * (i % 6), 83 + 90 * (i // 6))
        for i in range(count)
    ]
    faces = [face(box, CLASSES[i % 7], 0.5, i + 1) for i, box in enumerate(boxes)]
    return FrameResult(640, 480, tuple(faces))


def test_thirty_faces_each_keep_a_plate_and_stay_visible() -> None:
    ground, result = plain((640, 480), 120), grid(30)
    marks = changed(ground, draw(ground, result, OverlayOptions(boxes=False)))
    for one in result.faces:
        box = one.box
        inside = marks[int(box.y0) : int(box.y1), int(box.x0) : int(box.x1)]
        assert inside.mean() < 0.2, "a plate hides the face"
        around = marks[int(box.y0) - 20 : int(box.y1) + 20, int(box.x0) : int(box.x1)]
        assert around.mean() > 0.03, "a face has no plate"
    assert marks.mean() < 0.25


@pytest.mark.parametrize("label", CLASSES)
def test_bars_are_as_long_as_the_probabilities(label: str) -> None:
    box = Box(50, 100, 200, 300)
    result = FrameResult(640, 480, (face(box, label, 0.7),))
    ground = plain((640, 480), 0)
    after = draw(ground, result, OverlayOptions(boxes=False, labels=False, bars=True))
    emotion = emotion_of(label)
    assert emotion is not None
    style = style_for(640, 480)
    bar = (after == np.array(emotion.colour)).all(axis=2)
    # The icon of the class has its colour too; bars start further right.
    start = round(box.x1) + style.gap + panel_size(style)[0] - style.pad * 2
    start -= round(style.small * 3.6)
    columns = np.nonzero(bar[:, start:].any(axis=0))[0]
    full = round(style.small * 3.6)
    assert (int(np.ptp(columns)) + 1) / full == pytest.approx(0.7, abs=0.12)


def test_bars_without_room_for_a_panel_become_a_row() -> None:
    box = Box(0, 0, 640, 480)
    ground = plain((640, 480), 0)
    result = FrameResult(640, 480, (face(box),))
    marks = changed(
        ground, draw(ground, result, OverlayOptions(boxes=False, labels=False, bars=True))
    )
    rows, columns = np.nonzero(marks)
    size = row_size(Rectangle(0, 0, 640, 480), style_for(640, 480))
    assert (int(np.ptp(columns)) + 1, int(np.ptp(rows)) + 1) <= size


def test_a_row_of_bars_leaves_the_mouth_free_where_there_is_room_below() -> None:
    """Two large faces side by side have no room for a panel between them."""
    boxes = Box(20, 90, 310, 380), Box(330, 90, 620, 380)
    ground = plain((640, 480), 0)
    result = FrameResult(640, 480, tuple(face(box) for box in boxes))
    marks = changed(
        ground, draw(ground, result, OverlayOptions(boxes=False, labels=False, bars=True))
    )
    assert marks.any()
    for box in boxes:
        assert not marks[round(box.y0) : round(box.y1), round(box.x0) : round(box.x1)].any()


@pytest.mark.parametrize(
    ("options", "nothing"),
    [
        (OverlayOptions(boxes=False, labels=False), True),
        (OverlayOptions(boxes=False), False),
        (OverlayOptions(labels=False), False),
        (OverlayOptions(boxes=False, labels=False, bars=True), False),
    ],
)
def test_only_what_is_wanted_is_drawn(options: OverlayOptions, nothing: bool) -> None:
    ground = plain((640, 480), 90)
    result = FrameResult(640, 480, (face(Box(200, 150, 400, 350)),))
    assert changed(ground, draw(ground, result, options)).any() != nothing


def test_confidence_is_rounded_down_and_may_be_left_out() -> None:
    ground = plain((640, 480), 90)

    def drawn(share: float, **options: bool) -> Picture:
        result = FrameResult(640, 480, (face(Box(200, 150, 400, 350), "happy", share),))
        return draw(ground, result, OverlayOptions(**options))

    assert (drawn(0.899) == drawn(0.890)).all()
    assert (drawn(0.899) != drawn(0.900)).any()
    assert (drawn(0.899, confidence=False) == drawn(0.5, confidence=False)).all()
    assert (drawn(0.899, numbers=True) != drawn(0.899)).any()


def test_the_picture_is_changed_only_in_place() -> None:
    ground = plain((640, 480), 90)
    result = FrameResult(640, 480, (face(Box(200, 150, 400, 350)),))
    copy = draw(ground, result)
    assert (ground == 90).all()
    assert copy is not ground
    assert draw(ground, result, in_place=True) is ground
    assert (ground == copy).all()


def test_boxes_follow_a_picture_of_another_size() -> None:
    result = FrameResult(640, 480, (face(Box(200, 150, 400, 350)),))
    after = draw(plain((320, 240), 0), result, OverlayOptions(labels=False))
    rows, columns = np.nonzero(after.any(axis=2))
    assert (columns.min(), rows.min()) == pytest.approx((100, 75), abs=3)
    assert (columns.max(), rows.max()) == pytest.approx((200, 175), abs=3)


@pytest.mark.parametrize(
    "picture",
    [np.zeros((9, 9), np.uint8), np.zeros((9, 9, 4), np.uint8), np.zeros((9, 9, 3), np.float32)],
)
def test_another_kind_of_picture_is_refused(picture: np.ndarray) -> None:
    with pytest.raises(PictureError, match=r"RGB uint8 \(height, width, 3\)\. Received"):
        draw(picture, FrameResult(9, 9, ()))


def test_a_read_only_picture_is_not_drawn_on_in_place() -> None:
    picture = plain((64, 48), 0)
    picture.setflags(write=False)
    with pytest.raises(PictureError, match="Draw on a copy"):
        draw(picture, FrameResult(64, 48, ()), in_place=True)


@pytest.mark.parametrize("scale", [0.1, 5, math.nan])
def test_the_scale_is_checked(scale: float) -> None:
    with pytest.raises(OptionError, match="scale must be from"):
        OverlayOptions(scale=scale)


def test_icons_differ_from_each_other_in_shape_too() -> None:
    shapes = [icon(label, 32).light.mean(axis=2) < 40 for label in (*CLASSES, UNCERTAIN)]
    for index, shape in enumerate(shapes):
        for other in shapes[:index]:
            assert (shape != other).mean() > 0.02


def test_a_sprite_is_cut_at_the_edge() -> None:
    ground = plain((20, 20), 0)
    for at in [(-5, -5), (15, 15), (-30, 0), (0, 40)]:
        paste(ground, solid(10, 10, (255, 255, 255), 1.0), *at)
    assert ground[:5, :5].min() == ground[15:, 15:].min() == 255
    assert ground[5:15].max() == 0


def test_text_of_one_size_has_one_height() -> None:
    assert len({text_mask(name, 16).shape[0] for name in (*CLASSES, "100 %")}) == 1
    assert TEXT_COLOUR == (255, 255, 255)


sides = st.integers(1, 400)
edges = st.floats(-500, 900)


@given(sides, sides, st.lists(st.tuples(edges, edges, edges, edges), max_size=6), st.booleans())
def test_any_boxes_in_any_frame_are_drawn_without_complaint(
    width: int, height: int, boxes: list[tuple[float, float, float, float]], bars: bool
) -> None:
    result = FrameResult(width, height, tuple(face(Box(*box)) for box in boxes))
    after = draw(plain((width, height), 7), result, OverlayOptions(bars=bars, numbers=True))
    assert after.shape == (height, width, 3)


@given(st.integers(-50, 300), st.integers(-50, 300), st.integers(1, 200), st.integers(1, 90))
def test_spots_lie_in_the_frame(x: int, y: int, width: int, height: int) -> None:
    where = Rectangle(x, y, 60, 60)
    for places in (outer_spots, inner_spots, beside):
        for spot in places(where, (width, height), 3, (320, 240)):
            assert spot.inside(320, 240)
            assert (spot.width, spot.height) == (width, height)


def test_one_face_is_drawn_in_a_millisecond() -> None:
    ground = plain((640, 480), 90)
    times = []
    for index in range(60):
        box = Box(200 + index % 7, 150, 400, 350)
        result = FrameResult(640, 480, (face(box, "happy", 0.5 + index / 200),))
        started = time.perf_counter()
        draw(ground, result, in_place=True)
        times.append(time.perf_counter() - started)
    # A busy machine may stop any one of them; the quickest ten show what drawing costs.
    assert sorted(times)[9] < 0.001
