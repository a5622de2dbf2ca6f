"""`blazeface`: MediaPipe's face networks, run by LiteRT and decoded here."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fer_core.detectors.base import Picture
from fer_core.detectors.blazeface_network import FULL, SHORT, BlazeFaceNetwork, NetworkSpec
from fer_core.detectors.common import DetectorBase, shrunk
from fer_core.detectors.options import DetectorOptions
from fer_core.detectors.suppression import merge_candidates
from fer_core.detectors.windows import Window, overview, tiles
from fer_core.results import Box, Detection, Eyes

__all__ = ["BlazeFaceDetector"]

Floats = npt.NDArray[np.float32]

NEAR = 0.2
"""A face whose box is at least this share of the picture's longer side is close to the camera."""

CROWD = 5
"""Where the whole picture shows so many faces there are likely to be more, too small for one look:
then windows are looked through as well, coarser than those of the fine search."""

CROWD_LONGEST = 640
FINE_LONGEST = 1920
"""Windows are laid over the picture shrunk to this longer side, pixels: in a crowd, and for the
fine search."""

FINE_TILE = 320
"""Side of the smallest windows of the fine search, pixels: shows faces from about 24 px up."""

FINE_STEP = 3
"""Each coarser layer of windows is so many times as large. A window shows faces from 7.5 % of its
side up, and a quarter of it overlaps its neighbour, so a step of 3 leaves no size out."""


class BlazeFaceDetector(DetectorBase):
    """Finds faces with MediaPipe's BlazeFace networks; gives scores and eye points.

    The picture is shrunk into a square of 128 (short range) or 192 (full range) pixels, so the time
    hardly depends on its size. Boxes are square and reach from the eyebrows to under the chin;
    those of the full range are brought to the framing of the short range.

    An instance must not be used by two threads at once; make one per session (a few milliseconds,
    some megabytes).
    """

    name = "blazeface"

    def __init__(self, options: DetectorOptions | None = None) -> None:
        """Load the networks that the options ask for.

        Raises:
            DetectorError: LiteRT or the model files are missing.
        """
        super().__init__(options)
        specs: tuple[NetworkSpec, ...] = (SHORT, FULL)
        if not self.options.fine and self.options.range in ("short", "full"):
            specs = (SHORT,) if self.options.range == "short" else (FULL,)
        threads = self.options.threads or 1
        self._networks = [BlazeFaceNetwork(spec, threads) for spec in specs]

    def _find(self, picture: Picture) -> list[Detection]:
        given = picture.shape[1]
        picture = _bounded(picture)
        height, width = picture.shape[:2]
        windows = overview(width, height)
        found: list[tuple[Floats, Floats]] = []
        for network in self._networks:
            found += self._look(network, picture, 1.0, windows)
            if self._is_enough(found, max(width, height)):
                break
        scores, points = _merged(found)
        if self.options.fine:
            found += self._look_closely(picture, FINE_LONGEST)
            scores, points = _merged(found)
        elif len(self._networks) > 1 and len(scores) >= CROWD:
            found += self._look_closely(picture, CROWD_LONGEST)
            scores, points = _merged(found)
        points *= np.float32(given / width)
        return [
            _detection(score, face)
            for score, face in zip(scores.tolist(), points.tolist(), strict=True)
        ]

    def _is_enough(self, found: list[tuple[Floats, Floats]], longer: int) -> bool:
        """Whether the short range has seen people close by and nobody else."""
        if self.options.range != "auto" or self.options.fine:
            return False
        widths = np.concatenate([points[:, 1, 0] - points[:, 0, 0] for _, points in found])
        return len(widths) > 0 and float(widths.min()) >= NEAR * longer

    def _look_closely(self, picture: Picture, longest: int) -> list[tuple[Floats, Floats]]:
        """The full range's candidates in windows of `picture`, shrunk to `longest` pixels."""
        height, width = picture.shape[:2]
        scale = min(1.0, longest / max(height, width))
        if scale < 1:
            width, height = max(1, round(width * scale)), max(1, round(height * scale))
            picture = shrunk(picture, width, height)
        found = []
        side = FINE_TILE
        while side < 0.8 * max(width, height):
            found += self._look(self._networks[-1], picture, 1 / scale, tiles(width, height, side))
            side *= FINE_STEP
        return found

    def _look(
        self, network: BlazeFaceNetwork, picture: Picture, scale: float, windows: list[Window]
    ) -> list[tuple[Floats, Floats]]:
        """Candidates in every window; coordinates are multiplied by `scale` at the end."""
        min_score = self.options.min_score
        if min_score is None:
            min_score = network.spec.min_score
        side = network.spec.side
        found = []
        for window in windows:
            factor = side / max(window.width, window.height)
            width = max(1, round(window.width * factor))
            height = max(1, round(window.height * factor))
            part = picture[window.y0 : window.y1, window.x0 : window.x1]
            small = shrunk(part, width, height)
            scores, points = network.run(
                small, (side - width) // 2, (side - height) // 2, min_score
            )
            points *= np.array((window.width / width, window.height / height), np.float32)
            whole = _is_whole(points, window)
            corner = np.array((window.x0, window.y0), np.float32)
            points = (points[whole] + corner) * np.float32(scale)
            found.append((scores[whole], points))
        return found


def _bounded(picture: Picture) -> Picture:
    """A large photo shrunk once for all looks at it; a long strip keeps what its width needs."""
    short, long = sorted(picture.shape[:2])
    scale = max(FINE_LONGEST / long, FINE_LONGEST / 2 / short)
    if scale >= 1:
        return picture
    return shrunk(picture, round(picture.shape[1] * scale), round(picture.shape[0] * scale))


def _merged(found: list[tuple[Floats, Floats]]) -> tuple[Floats, Floats]:
    return merge_candidates(
        np.concatenate([scores for scores, _ in found]),
        np.concatenate([points for _, points in found]),
    )


def _is_whole(points: Floats, window: Window) -> npt.NDArray[np.bool_]:
    """Which faces are not cut by a side behind which the picture goes on.

    The neighbouring window, or a larger one, shows those as a whole.
    """
    left, top, right, bottom = window.cuts
    (x0, y0), (x1, y1) = points[:, 0].T, points[:, 1].T
    whole = np.ones(len(points), np.bool_)
    if left:
        whole &= x0 >= 0
    if top:
        whole &= y0 >= 0
    if right:
        whole &= x1 <= window.width
    if bottom:
        whole &= y1 <= window.height
    return whole


def _detection(score: float, points: list[list[float]]) -> Detection:
    (x0, y0), (x1, y1), (left_x, left_y), (right_x, right_y) = points[:4]
    eyes = Eyes((left_x, left_y), (right_x, right_y))
    return Detection(Box(x0, y0, x1, y1), score, BlazeFaceDetector.name, eyes)
