"""Privacy mode of a live stream: a face that the detector loses for a moment stays blurred."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fer_core.overlay.privacy import blur_faces
from fer_core.results import Box, FrameResult

if TYPE_CHECKING:
    from fer_core.detectors.base import Picture

__all__ = ["PrivacyGuard"]

HELD_SECONDS = 1.5
MOST = 64


class PrivacyGuard:
    """Blurs the faces of each frame, and the places where faces were until a moment ago.

    A detector misses faces now and then, and one missed frame would be enough to tell who it is.
    One instance serves one stream and one thread.
    """

    def __init__(self) -> None:
        self._places: list[tuple[float, Box]] = []

    def blur(self, picture: Picture, result: FrameResult, pts: float) -> None:
        """Blur, in place.

        Args:
            picture: RGB uint8 (height, width, 3), the one that was analysed.
            result: what was found in it.
            pts: the frame's time, seconds.
        """
        now = [face.box for face in result.faces]
        self._places = [
            (seen, box)
            for seen, box in self._places
            if 0 <= pts - seen <= HELD_SECONDS and not any(box.iou(other) > 0.3 for other in now)
        ][-MOST:]
        blur_faces(picture, [*(box for _, box in self._places), *now])
        self._places += [(pts, box) for box in now]

    def reset(self) -> None:
        """Forget where faces were, as when the picture is turned round."""
        self._places.clear()
