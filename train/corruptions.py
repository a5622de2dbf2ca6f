"""Damage that cameras and networks do to a face, at three strengths: what a network bears of it.

After the idea of Hendrycks and Dietterich (2019, arXiv:1903.12261), with kinds and strengths for
48x48 faces from a webcam. The pictures are damaged at their own size, before a network's input size
matters, so every network is shown the very same ones.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Images = npt.NDArray[np.uint8]
"""uint8 (N, size, size), grey."""

Run = Callable[[Images], npt.NDArray[np.float32]]
"""A network: from images to probabilities, (N, C)."""


@dataclass(frozen=True)
class Corruption:
    """One kind of damage.

    Attributes:
        name: in `evaluation.json`.
        strengths: mild, middle, strong.
        words: a strength for people, with its unit, by `str.format`.
    """

    name: str
    strengths: tuple[float, float, float]
    words: str

    def said(self, strength: float) -> str:
        """A strength in words."""
        return self.words.format(strength)


CORRUPTIONS = (
    Corruption("blur", (0.7, 1.2, 1.8), "sigma {:g} pixels"),
    Corruption("noise", (8, 16, 28), "deviation {:g} of 255"),
    Corruption("dark", (0.6, 0.4, 0.2), "{:.0%} of the light"),
    Corruption("bright", (1.4, 1.8, 2.4), "{:.0%} of the light"),
    Corruption("jpeg", (40, 20, 8), "quality {:g}"),
    Corruption("low_resolution", (32, 24, 16), "{0:g}x{0:g}"),
)
"""Every kind that is measured."""


def corrupted(images: Images, name: str, strength: float, seed: int = 0) -> Images:
    """Damaged copies of `images`, the same at every call.

    Args:
        images: uint8 (N, size, size), grey.
        name: of one in `CORRUPTIONS`.
        strength: `blur`: sigma of a Gaussian, pixels; `noise`: deviation, grey values; `dark` and
            `bright`: factor on the grey values, cut off at white; `jpeg`: quality, 0 to 100;
            `low_resolution`: pixels a side that are left.
        seed: of the noise.
    """
    if name == "noise":
        random = np.random.default_rng([seed, round(1000 * strength)])
        noise = random.standard_normal(images.shape, np.float32) * np.float32(strength)
        return _bytes(images + noise)
    if name in ("dark", "bright"):
        return _bytes(images * np.float32(strength))
    change = _ONE_BY_ONE[name]
    return np.stack([change(image, strength) for image in images]) if len(images) else images


def corruption_figures(
    images: Images, labels: npt.NDArray[np.int64], run: Run, seed: int = 0
) -> tuple[dict[str, list[dict[str, Any]]], float]:
    """How often a network is right about damaged pictures.

    Args:
        images: uint8 (N, size, size), grey, at least one.
        labels: (N,), the truth.
        run: the network.
        seed: of the noise.

    Returns:
        By kind, mild to strong, `strength` in words and `accuracy`; and the mean of all of them.
    """
    found: dict[str, list[dict[str, Any]]] = {}
    for kind in CORRUPTIONS:
        found[kind.name] = []
        for strength in kind.strengths:
            answers = run(corrupted(images, kind.name, strength, seed)).argmax(axis=1)
            accuracy = float((answers == labels).mean())
            found[kind.name].append({"strength": kind.said(strength), "accuracy": accuracy})
    mean = np.mean([row["accuracy"] for rows in found.values() for row in rows])
    return found, float(mean)


def _bytes(values: npt.NDArray[np.float32]) -> Images:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def _blurred(image: Images, sigma: float) -> Images:
    return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE))


def _jpeg(image: Images, quality: float) -> Images:
    _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, int(quality)])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE))


def _coarse(image: Images, side: float) -> Images:
    # As a camera sees it and `fer_core.crops` enlarges it: pixels averaged, then bilinear.
    small = cv2.resize(image, (int(side), int(side)), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, image.shape[::-1], interpolation=cv2.INTER_LINEAR))


_ONE_BY_ONE: dict[str, Callable[[Images, float], Images]] = {
    "blur": _blurred,
    "jpeg": _jpeg,
    "low_resolution": _coarse,
}
