"""One BlazeFace network: from a square picture to candidate faces.

Source: Bazarevsky et al., 2019, "BlazeFace: Sub-millisecond Neural Face Detection on Mobile GPUs"
(arXiv:1907.05047), and the model cards of MediaPipe's short-range and full-range face detectors.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fer_core.cores import process_cores
from fer_core.detectors.model_files import FULL_RANGE, SHORT_RANGE, model_bytes
from fer_core.errors import DetectorError

__all__ = ["FULL", "SHORT", "BlazeFaceNetwork", "NetworkSpec", "anchor_centres"]

Floats = npt.NDArray[np.float32]

MOST_THREADS = 2
"""A second thread saves a third of a run's time on an idle machine."""

POINTS = 8
"""Points per candidate: upper left and lower right corner of the box, then six key points (the eye
with the smaller x, the other eye, nose tip, mouth, both ears)."""


@dataclass(frozen=True)
class NetworkSpec:
    """What has to be known about a network besides its weights.

    Attributes:
        file: in the package that carries the networks.
        side: of the square input, pixels.
        grids: (cells along a side, anchors per cell) of the output maps, in order.
        min_score: default threshold. At 0.5 on 300 cuttings of faceless pictures (a cat's head
            among them) the short range saw 27 faces, the full range 3.
        box_scale, box_drop: what brings this network's boxes to the short range's framing: their
            side times `box_scale`, their middle down by `box_drop` of their side. Medians over 290
            turned, scaled and dimmed copies of one portrait.
    """

    file: str
    side: int
    grids: tuple[tuple[int, int], ...]
    min_score: float
    box_scale: float = 1.0
    box_drop: float = 0.0


SHORT = NetworkSpec(SHORT_RANGE, 128, ((16, 2), (8, 6)), 0.5)
FULL = NetworkSpec(FULL_RANGE, 192, ((48, 1),), 0.5, box_scale=0.925, box_drop=0.046)


def anchor_centres(grids: tuple[tuple[int, int], ...]) -> Floats:
    """Centres of all anchors, as shares of the input's side: float32 (anchors, 2), x then y.

    Anchors run row by row, those of one cell one after the other; all have the size of the input,
    so only their centres matter.
    """
    centres = []
    for cells, per_cell in grids:
        middle = (np.arange(cells, dtype=np.float32) + 0.5) / cells
        x, y = np.meshgrid(middle, middle)
        centres.append(np.repeat(np.stack((x, y), axis=-1).reshape(-1, 2), per_cell, axis=0))
    return np.concatenate(centres)


class BlazeFaceNetwork:
    """Runs one network under LiteRT. Not to be shared between threads."""

    def __init__(self, spec: NetworkSpec, threads: int | None = None) -> None:
        """Load the network.

        Args:
            spec: which one.
            threads: processor threads of a run; None for up to `MOST_THREADS`, as many as other
                detectors of this process leave a core to.

        Raises:
            DetectorError: LiteRT or the model file is missing, or they do not fit each other.
        """
        self.spec = spec
        self._threads = threads
        self._anchors = anchor_centres(spec.grids)
        # Each number of threads has an interpreter of its own, made when it is first needed.
        self._interpreters: dict[int, _Interpreter] = {}
        self._interpreter(threads or 1)

    def _interpreter(self, threads: int) -> _Interpreter:
        if threads not in self._interpreters:
            self._interpreters[threads] = _Interpreter(self.spec, threads)
        return self._interpreters[threads]

    def run(
        self, picture: npt.NDArray[np.uint8], left: int, top: int, min_score: float
    ) -> tuple[Floats, Floats]:
        """Candidates in a picture that is laid into the network's black square.

        Args:
            picture: RGB uint8 (height, width, 3); fits into the square at (left, top).
            left, top: where its upper left corner comes to lie, pixels.
            min_score: candidates under it are left out, 0 to 1.

        Returns:
            Scores, float32 (N,), and points, float32 (N, POINTS, 2), in pixels of `picture`. Many
            candidates belong to one face: see `fer_core.detectors.suppression`.
        """
        if self._threads is not None:
            logits, raw = self._interpreter(self._threads).run(picture, left, top)
        else:
            with process_cores().taken(MOST_THREADS) as threads:
                logits, raw = self._interpreter(threads).run(picture, left, top)
        # Comparing logits spares the exponentials of the thousands that are no face.
        chosen = np.flatnonzero(logits >= _logit(min_score))
        # Beyond 80 the sigmoid is 0 or 1 to the last bit, and exp() would overflow.
        scores = 1 / (1 + np.exp(-np.clip(logits[chosen], -80, 80)))
        raw = raw[chosen].reshape(-1, POINTS, 2)
        points = np.empty_like(raw)
        middle, sides = raw[:, 0], raw[:, 1]
        middle[:, 1] += self.spec.box_drop * sides[:, 1]
        half = sides * (self.spec.box_scale / 2)
        points[:, 0] = middle - half
        points[:, 1] = middle + half
        points[:, 2:] = raw[:, 2:]
        points += self._anchors[chosen, None] * self.spec.side
        points -= np.array((left, top), np.float32)
        return scores.astype(np.float32), points


class _Interpreter:
    """The network as LiteRT has it, for a number of threads."""

    def __init__(self, spec: NetworkSpec, threads: int) -> None:
        try:
            from ai_edge_litert.interpreter import Interpreter
        except ImportError as error:
            raise DetectorError(
                f"The detector blazeface needs LiteRT, which cannot be imported: {error}. "
                "Run `pip install ai-edge-litert`, or choose the detector haar."
            ) from None
        content = model_bytes(spec.file)
        try:
            interpreter: Any = Interpreter(model_content=content, num_threads=threads)
            interpreter.allocate_tensors()
        except (RuntimeError, ValueError) as error:
            raise DetectorError(f"LiteRT cannot open {spec.file}: {error}") from None
        self._interpreter = interpreter
        (given,) = interpreter.get_input_details()
        by_width = {int(one["shape"][-1]): one for one in interpreter.get_output_details()}
        expected = [1, spec.side, spec.side, 3]
        if list(given["shape"]) != expected or set(by_width) != {1, 16}:
            raise DetectorError(
                f"{spec.file} is not the network it should be: its input is "
                f"{list(given['shape'])}, not {expected}, or its outputs differ."
            )
        self._input = interpreter.tensor(given["index"])
        self._scores = by_width[1]["index"]
        self._points = by_width[16]["index"]

    def run(self, picture: npt.NDArray[np.uint8], left: int, top: int) -> tuple[Floats, Floats]:
        """Logits, float32 (anchors,), and what says where, float32 (anchors, 16)."""
        height, width = picture.shape[:2]
        square = self._input()[0]
        square.fill(-1.0)
        inside = square[top : top + height, left : left + width]
        np.multiply(picture, np.float32(2 / 255), out=inside, dtype=np.float32)
        inside -= 1
        # LiteRT refuses to run while a view into its memory is alive.
        del square, inside
        self._interpreter.invoke()
        logits = self._interpreter.get_tensor(self._scores)[0, :, 0]
        return logits, self._interpreter.get_tensor(self._points)[0]


def _logit(score: float) -> float:
    if score <= 0:
        return -np.inf
    if score >= 1:
        return np.inf
    return float(np.log(score / (1 - score)))
