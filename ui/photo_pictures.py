"""Pixels of the Photo tab: small copies, thumbnails, and heat over a crop."""

from __future__ import annotations

import base64
import io

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from fer_core.crops import face_frame
from fer_core.detectors.base import Picture
from fer_core.model_store import CropSpec
from fer_core.results import Detection

SHOWN_SIDE = 1280
"""Pictures are kept and shown with at most this many pixels on their longer side."""

THUMBNAIL = 144
"""Side of a face's thumbnail and of its heat map, pixels."""

LEAST_HEAT = 0.02
"""Where no patch takes more than this from the probability, the map stays as good as uncoloured:
a map stretched to its own maximum would show noise as if it were a finding."""

BLUR = 1.5
"""Pixels of the crop: the steps in which the patch moved are not part of what was found."""


def smaller(picture: Picture, longest: int = SHOWN_SIDE) -> Picture:
    """The picture, shrunk where it is larger than that; else as it is."""
    height, width = picture.shape[:2]
    if max(height, width) <= longest:
        return picture
    scale = longest / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def jpeg(picture: Picture, quality: int = 90) -> bytes:
    """The picture as a JPEG file: a tenth of its pixels' bytes."""
    held = io.BytesIO()
    Image.fromarray(picture).save(held, "JPEG", quality=quality)
    return held.getvalue()


def data_address(content: bytes) -> str:
    """A JPEG file as an address that a page can show without asking the server."""
    return "data:image/jpeg;base64," + base64.b64encode(content).decode("ascii")


def thumbnail(picture: Picture, detection: Detection, spec: CropSpec) -> Picture:
    """What the network was given of this face, in colour: RGB (THUMBNAIL, THUMBNAIL, 3)."""
    frame = face_frame(detection, spec)
    # Shrunk first, so that warping a large face does not flicker between its pixels.
    shrink = min(1.0, 2 * THUMBNAIL / frame.side)
    part, left, top = _around(picture, frame.centre, frame.side)
    if shrink < 1:
        size = (max(1, round(part.shape[1] * shrink)), max(1, round(part.shape[0] * shrink)))
        part = np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_AREA), np.uint8)
    scale = frame.side * shrink / THUMBNAIL
    cos, sin = np.cos(frame.angle) * scale, np.sin(frame.angle) * scale
    middle_x = (frame.centre[0] - left) * shrink - 0.5
    middle_y = (frame.centre[1] - top) * shrink - 0.5
    half = (THUMBNAIL - 1) / 2
    to_source = np.array(
        [
            [cos, -sin, middle_x - cos * half + sin * half],
            [sin, cos, middle_y - sin * half - cos * half],
        ]
    )
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    side = (THUMBNAIL, THUMBNAIL)
    warped = cv2.warpAffine(part, to_source, side, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(warped, np.uint8)


def heat_picture(
    crop: npt.NDArray[np.uint8], heat: npt.NDArray[np.float32], side: int = THUMBNAIL
) -> Picture:
    """The crop in grey, warm where covering it takes from the answer.

    Args:
        crop: uint8 (size, size, 1), what the network saw.
        heat: float32 (size, size), from `fer_core.attention`; what is negative stays grey.
        side: of the picture that comes back, pixels.
    """
    grey = cv2.resize(crop[:, :, 0], (side, side), interpolation=cv2.INTER_CUBIC)
    strongest = max(float(heat.max()), LEAST_HEAT)
    share = cv2.GaussianBlur(np.asarray(np.clip(heat / strongest, 0, 1), np.float32), (0, 0), BLUR)
    share = np.clip(cv2.resize(share, (side, side), interpolation=cv2.INTER_CUBIC), 0, 1)
    colours = cv2.applyColorMap((255 * share).astype(np.uint8), cv2.COLORMAP_INFERNO)
    warm = cv2.cvtColor(colours, cv2.COLOR_BGR2RGB).astype(np.float32)
    weight = 0.75 * share[:, :, None]
    mixed = (1 - weight) * grey[:, :, None].astype(np.float32) + weight * warm
    return np.asarray(np.rint(mixed), np.uint8)


def _around(picture: Picture, centre: tuple[float, float], side: float) -> tuple[Picture, int, int]:
    """The part of the picture about a turned square, and where its upper left corner lies."""
    height, width = picture.shape[:2]
    reach = 0.75 * side + 2  # half of a diagonal, and a little
    x0 = min(max(int(centre[0] - reach), 0), width - 1)
    y0 = min(max(int(centre[1] - reach), 0), height - 1)
    x1 = max(min(int(centre[0] + reach) + 1, width), x0 + 1)
    y1 = max(min(int(centre[1] + reach) + 1, height), y0 + 1)
    return picture[y0:y1, x0:x1], x0, y0
