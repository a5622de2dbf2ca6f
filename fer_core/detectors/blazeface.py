"""`blazeface`: MediaPipe's face networks, run by LiteRT and decoded here."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import numpy.typing as npt

from fer_core.detectors.base import Picture
from fer_core.detectors.blazeface_network import FULL, SHORT, BlazeFaceNetwork, NetworkSpec
from fer_core.detectors.common import DetectorBase, shrunk
from fer_core.detectors.mosaic import MOST_FACES, Mosaic
from fer_core.detectors.options import DetectorOptions
from fer_core.detectors.suppression import merge_candidates, newly_seen
from fer_core.detectors.windows import Window, overview, tiles
from fer_core.results import Box, Detection, Eyes

__all__ = ["BlazeFaceDetector"]

Floats = npt.NDArray[np.float32]

NEAR = 0.2
"""A face whose box is at least this share of the picture's longer side is close to the camera."""

NEARER = 0.23
"""From here on a known face is followed as one that is close. More than `NEAR`: near the limit the
two ways, whose boxes differ by some percent, would take turns."""

CROWD = 5
"""Where the whole picture shows so many faces there are likely to be more, too small for one look:
then windows are looked through as well, coarser than those of the fine search."""

CROWD_LONGEST = 640
FINE_LONGEST = 1920
"""Windows are laid over the picture shrunk to this longer side, pixels: in a crowd, and for the
fine search."""

LOOK_EVERY = 3
"""In a stream whose faces are known, newcomers are looked for every so many frames."""

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
        self._networks = [BlazeFaceNetwork(spec, self.options.threads) for spec in specs]
        self._frame = self._turn = 0
        self._near = False

    def follow(self, picture: Picture, known: Sequence[Box]) -> list[Detection]:
        """Every face in the next frame of a stream; see `Follower.follow`.

        People close by are seen in one quick look at the whole picture. Faces further away are
        found together in a `Mosaic`, which costs as much as that look; for newcomers the whole
        picture, in a crowd also the windows of a full search, are looked at in turn, one look every
        `LOOK_EVERY` frames.
        """
        return self._answer(picture, partial(self._find_again, known=known))

    def _find_again(self, picture: Picture, known: Sequence[Box]) -> list[Detection]:
        if not known or len(self._networks) < 2 or self.options.fine:
            return self._find(picture)
        if self._is_near(picture, known):
            return self._find(picture)
        small = _bounded(picture)
        scale = small.shape[1] / picture.shape[1]
        scores, points = self._known(small, [box.scaled(scale) for box in known])
        if len(scores) < len(known):
            return self._find(picture)
        self._frame += 1
        if self._frame % LOOK_EVERY == 0:
            more_scores, more_points = self._next_look(small, crowd=len(known) >= CROWD)
            fresh = newly_seen(more_points, points)
            scores = np.concatenate([scores, more_scores[fresh]])
            points = np.concatenate([points, more_points[fresh]])
        return _detections(scores, points / np.float32(scale))

    def _is_near(self, picture: Picture, known: Sequence[Box]) -> bool:
        """Whether one quick look at the whole picture will be enough; see `_is_enough`."""
        share = min(box.width for box in known) / max(picture.shape[:2])
        self._near = share >= (NEAR if self._near else NEARER)
        return self._near and self.options.range == "auto"

    def _known(self, picture: Picture, expected: Sequence[Box]) -> tuple[Floats, Floats]:
        """Known faces near where they should be: by the quick network, what it misses by the other.

        Fewer than expected where some are not found, or where two are seen as one.
        """
        found: list[tuple[Floats, Floats]] = []
        for network in self._networks:
            missing: list[Box] = []
            for first in range(0, len(expected), MOST_FACES):
                some = expected[first : first + MOST_FACES]
                mosaic = Mosaic(picture, some, network.spec.side)
                seen = network.run(mosaic.picture, 0, 0, self._min_score(network))
                scores, points, which = mosaic.faces(*seen)
                found.append((scores, points))
                missing += [box for index, box in enumerate(some) if index not in which]
            expected = missing
            if not expected:
                break
        return _merged(found)

    def _next_look(self, picture: Picture, crowd: bool) -> tuple[Floats, Floats]:
        """What is seen in the next of the looks that newcomers are looked for with."""
        height, width = picture.shape[:2]
        quick, slow = self._networks[0], self._networks[-1]
        whole = overview(width, height)
        looks = [(slow, whole), (quick, whole)]
        if crowd:
            # Most who come in are large enough to be seen in the whole picture.
            closer = _crowd_windows(width, height)
            looks = [look for one in closer for look in ((slow, whole), (slow, [one]))] or looks
        self._turn = (self._turn + 1) % len(looks)
        network, windows = looks[self._turn]
        return _merged(self._look(network, picture, 1.0, windows))

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
        return _detections(scores, points * np.float32(given / width))

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
        min_score = self._min_score(network)
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

    def _min_score(self, network: BlazeFaceNetwork) -> float:
        chosen = self.options.min_score
        return network.spec.min_score if chosen is None else chosen


def _bounded(picture: Picture) -> Picture:
    """A large photo shrunk once for all looks at it; a long strip keeps what its width needs."""
    short, long = sorted(picture.shape[:2])
    scale = max(FINE_LONGEST / long, FINE_LONGEST / 2 / short)
    if scale >= 1:
        return picture
    return shrunk(picture, round(picture.shape[1] * scale), round(picture.shape[0] * scale))


def _crowd_windows(width: int, height: int) -> list[Window]:
    """What a full search of a crowd looks at besides the whole picture, pixels of the picture."""
    longest = max(width, height)
    unit = max(1.0, longest / CROWD_LONGEST)
    windows: list[Window] = []
    side = float(FINE_TILE)
    while side * unit < 0.8 * longest:
        windows += tiles(width, height, round(side * unit))
        side *= FINE_STEP
    return windows


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


def _detections(scores: Floats, points: Floats) -> list[Detection]:
    return [
        _detection(score, face)
        for score, face in zip(scores.tolist(), points.tolist(), strict=True)
    ]


def _detection(score: float, points: list[list[float]]) -> Detection:
    (x0, y0), (x1, y1), (left_x, left_y), (right_x, right_y) = points[:4]
    eyes = Eyes((left_x, left_y), (right_x, right_y))
    return Detection(Box(x0, y0, x1, y1), score, BlazeFaceDetector.name, eyes)
