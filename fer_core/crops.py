"""From a face box to the grey square that a network sees.

One frame is common to all: the *tight face box*, which is the framing of FER2013's own 48x48
images. Each detector frames faces in its own way; `FRAMINGS` says how its boxes and eye points lie
in the tight face box.

They were measured by `python -m benchmarks.crop_framing` on 2,500 Training images of FER2013, four
times enlarged, with their borders continued outwards. Seen by BlazeFace's short range, the median
eyes lie at (0.318, 0.389) and (0.686, 0.391) of FER2013's frame, tilted by more than 12 degrees in
a tenth of the images to either side; its box has 0.867 of the frame's side and its middle at 0.568
of the height. Haar's box has 0.981 of the side and the same middle: FER2013 was cut from Haar's
boxes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from fer_core.detectors.base import Picture
from fer_core.errors import OptionError, PictureError
from fer_core.model_store import CropSpec
from fer_core.results import Detection, Eyes

__all__ = ["FRAMINGS", "FaceFrame", "Framing", "crop_faces", "face_frame", "grey_of"]

Grey = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Framing:
    """How one detector frames a face.

    Attributes:
        scale: side of the tight face box, as a multiple of the side of the detector's box.
        box_y: from the middle of the detector's box down to the middle of the tight face box, as a
            share of the side of the detector's box.
        eyes_y: the same from the middle between the eyes, along the face's own vertical; None for a
            detector without eye points.
    """

    scale: float
    box_y: float
    eyes_y: float | None = None


FRAMINGS: dict[str, Framing] = {
    "haar": Framing(scale=1.02, box_y=0.0),
    "blazeface": Framing(scale=1.154, box_y=-0.081, eyes_y=0.126),
    "mediapipe": Framing(scale=1.164, box_y=-0.082, eyes_y=0.121),
}
"""By `Detection.source`. A box from any other source is a tight face box already."""

_AS_IT_IS = Framing(scale=1.0, box_y=0.0)

NARROWEST_EYES = 0.2
"""Eyes closer to each other than this share of the box belong to a face seen from the side; the
line through them says nothing then about how the head is tilted."""

FINEST = 4
"""At most so many samples per crop pixel and direction are averaged; a larger face is shrunk by
averaging first."""


@dataclass(frozen=True)
class FaceFrame:
    """A square in the picture, possibly turned, that becomes the crop.

    Attributes:
        centre: (x, y), pixels of the picture.
        side: pixels of the picture.
        angle: radians by which the square's upper side is turned from the picture's x axis
            towards its y axis (clockwise on the screen).
    """

    centre: tuple[float, float]
    side: float
    angle: float


def grey_of(picture: Picture) -> Grey:
    """The picture in grey, uint8 (height, width): 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601)."""
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.uint8)


def face_frame(detection: Detection, spec: CropSpec | None = None) -> FaceFrame:
    """The square that the crop of `detection` shows.

    The size comes from the box, which keeps it when the head turns aside (the distance between the
    eyes does not). The height of the middle comes from the eyes, the rest from the box; of the
    combinations tried this lies closest to FER2013's frames. How far it is turned: `CropSpec.tilt`.
    """
    spec = spec or CropSpec()
    framing = FRAMINGS.get(detection.source, _AS_IT_IS)
    box = detection.box
    unit = max((box.width + box.height) / 2, 1.0)
    side = max(unit * framing.scale * (1 + spec.margin), 1.0)
    x, y = box.centre
    if detection.eyes is None or framing.eyes_y is None:
        return FaceFrame((x, y + framing.box_y * unit), side, 0.0)
    angle = _turn(_tilt(detection.eyes, unit), spec)
    across = (math.cos(angle), math.sin(angle))
    down = (-across[1], across[0])
    middle_x = (detection.eyes.left[0] + detection.eyes.right[0]) / 2
    middle_y = (detection.eyes.left[1] + detection.eyes.right[1]) / 2
    # Along the eyes' line go back to the box: its middle follows a head that is turned aside.
    aside = (x - middle_x) * across[0] + (y - middle_y) * across[1]
    lower = framing.eyes_y * unit
    return FaceFrame(
        (
            middle_x + aside * across[0] + lower * down[0],
            middle_y + aside * across[1] + lower * down[1],
        ),
        side,
        angle,
    )


def crop_faces(
    picture: Grey | Picture,
    detections: Sequence[Detection],
    size: int,
    spec: CropSpec | None = None,
) -> npt.NDArray[np.uint8]:
    """The faces as the networks see them.

    Shrinking averages over every crop pixel's whole area, so that nothing flickers; beyond the
    picture its border pixels go on. Turned upright by the eye points where `spec.align` asks for it
    and the detector has them.

    Args:
        picture: RGB uint8 (height, width, 3), of which only what lies around the faces is turned
            grey, or grey uint8 (height, width), from `grey_of`.
        detections: faces in pixels of `picture`.
        size: side of the crops, from the model's card.
        spec: margin and alignment, from the model's card; None for FER2013's own framing.

    Returns:
        uint8 (N, size, size, 1); (0, size, size, 1) without detections.

    Raises:
        PictureError: `picture` is neither of these or has no pixel.
        OptionError: `size` is not positive or the margin leaves nothing of the face.
    """
    spec = spec or CropSpec()
    fits = picture.ndim == 2 or (picture.ndim == 3 and picture.shape[2] == 3)
    if not fits or picture.dtype != np.uint8 or picture.size == 0:
        raise PictureError(
            "crop_faces takes RGB uint8 of shape (height, width, 3), or grey uint8 of shape "
            f"(height, width), as grey_of gives it. Received: {picture.dtype} of shape "
            f"{picture.shape}."
        )
    if size < 1:
        raise OptionError(f"The size of a crop must be at least 1. Received: {size}.")
    if not (math.isfinite(spec.margin) and spec.margin > -1):
        raise OptionError(f"A crop's margin must be above -1. Received: {spec.margin}.")
    crops = np.empty((len(detections), size, size, 1), np.uint8)
    for index, detection in enumerate(detections):
        crops[index, :, :, 0] = _sample(picture, face_frame(detection, spec), size)
    return crops


def _turn(tilt: float, spec: CropSpec) -> float:
    """By how much the crop of a tilted head is turned, radians."""
    if not spec.align:
        return 0.0
    return math.copysign(max(abs(tilt) - math.radians(spec.tilt), 0.0), tilt)


def _tilt(eyes: Eyes, unit: float) -> float:
    across = eyes.right[0] - eyes.left[0]
    down = eyes.right[1] - eyes.left[1]
    if math.hypot(across, down) < NARROWEST_EYES * unit:
        return 0.0
    return math.atan2(down, across)


def _sample(picture: Grey | Picture, frame: FaceFrame, size: int) -> Grey:
    """`frame` at `size` x `size`: warped with several samples a pixel, then averaged."""
    step = frame.side / size
    # A square far larger than the picture gains nothing from more than these.
    shrink = min(max(1, math.floor(step / FINEST)), max(picture.shape[:2]))
    samples = min(max(1, math.ceil(step / shrink - 1e-6)), 2 * FINEST)
    part, left, top = _surroundings(picture, frame, shrink)
    if part.ndim == 3:
        part = grey_of(part)
    if shrink > 1:
        part = _averaged(part, shrink)
    fine = size * samples
    scale = frame.side / fine / shrink
    cos, sin = math.cos(frame.angle) * scale, math.sin(frame.angle) * scale
    # Middles of pixels, not their corners, are what OpenCV counts: hence every half.
    middle_x = (frame.centre[0] - left) / shrink - 0.5
    middle_y = (frame.centre[1] - top) / shrink - 0.5
    half = (fine - 1) / 2
    to_source = np.array(
        [
            [cos, -sin, middle_x - cos * half + sin * half],
            [sin, cos, middle_y - sin * half - cos * half],
        ]
    )
    warped = cv2.warpAffine(
        part,
        to_source,
        (fine, fine),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    if samples > 1:
        warped = cv2.resize(warped, (size, size), interpolation=cv2.INTER_AREA)
    return np.asarray(warped, np.uint8)


def _surroundings(
    picture: Grey | Picture, frame: FaceFrame, spare: int
) -> tuple[Grey | Picture, int, int]:
    """The part of the picture that `frame` needs, and where its upper left corner lies.

    `spare` pixels more are taken on every side, for averaging at the edge.
    """
    height, width = picture.shape[:2]
    turn = abs(math.cos(frame.angle)) + abs(math.sin(frame.angle))
    reach = frame.side / 2 * turn + spare + 1
    x, y = frame.centre
    # At least one row and column stay, also for a face wholly outside the picture.
    x0 = min(max(math.floor(x - reach), 0), width - 1)
    y0 = min(max(math.floor(y - reach), 0), height - 1)
    x1 = max(min(math.ceil(x + reach), width), x0 + 1)
    y1 = max(min(math.ceil(y + reach), height), y0 + 1)
    return picture[y0:y1, x0:x1], x0, y0


def _averaged(part: Grey, factor: int) -> Grey:
    """Shrunk by a whole factor; edges that do not fill a block are continued."""
    height, width = part.shape
    below, beside = -height % factor, -width % factor
    if below or beside:
        part = np.asarray(
            cv2.copyMakeBorder(part, 0, below, 0, beside, cv2.BORDER_REPLICATE), np.uint8
        )
    size = (part.shape[1] // factor, part.shape[0] // factor)
    return np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_AREA), np.uint8)
