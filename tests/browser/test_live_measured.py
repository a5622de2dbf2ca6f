"""Fresh frames a second, delay and memory, as a viewer has them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

pytestmark = pytest.mark.alone

SECONDS = 25
FRESH_A_SECOND = 14.0
DELAY_MS = 300.0
GROWTH_MS = 60.0
"""How much later the last quarter may come than the first: half a frame of a busy machine."""
MEMORY_MB = 600.0
ATTEMPTS = 3
"""Machines that run tests are shared; a stream that is too slow by itself fails each time."""


@dataclass(frozen=True)
class Measured:
    fresh: float
    delay: float
    delay_95: float
    growth: float
    panels: float
    memory: float

    @property
    def good(self) -> bool:
        """Whether every bound is kept."""
        return (
            self.fresh >= FRESH_A_SECOND
            and self.delay <= DELAY_MS
            and self.growth <= GROWTH_MS
            and self.panels >= 1.8
            and self.memory < MEMORY_MB
        )


def delays(given: list[list[float]], returned: list[list[float]]) -> np.ndarray:
    """For each returned frame: when it was seen, and how long after the camera showed it (ms)."""
    found = []
    for number, seen in returned:
        earlier = [t for n, t in given if n == number and seen - 4000 < t <= seen]
        if earlier:
            found.append((seen, seen - earlier[-1]))
    return np.array(found)


def measure(live, video, app) -> Measured:
    live.page.evaluate(
        """() => { window.renewed = 0; let last = null; window.renewing = setInterval(() => {
          const now = document.querySelector('.fer-panel')?.dataset.frames;
          if (now !== last) { last = now; window.renewed++; } }, 40); }"""
    )
    raw = live.numbers(video, SECONDS)
    renewed = live.page.evaluate("() => { clearInterval(window.renewing); return window.renewed; }")
    late = delays(raw["given"], raw["returned"])
    assert len(late) > 100, "the barcode cannot be read"
    quarter = len(late) // 4
    growth = np.median(late[-quarter:, 1]) - np.median(late[:quarter, 1])
    return Measured(
        fresh=len(raw["returned"]) / SECONDS,
        delay=float(np.median(late[:, 1])),
        delay_95=float(np.percentile(late[:, 1], 95)),
        growth=float(growth),
        panels=renewed / SECONDS,
        memory=app.peak_memory_mb(),
    )


@pytest.mark.timeout(420)
def test_the_picture_is_fresh_prompt_and_stays_so(open_live, app, capsys):
    tried = []
    for _ in range(ATTEMPTS):
        live = open_live()
        video = live.start(30)
        tried.append(measure(live, video, app))
        live.stop()
        live.page.close()
        with capsys.disabled():
            print(f"\n{tried[-1]}")
        if tried[-1].good:
            return
    pytest.fail(f"Not kept in {ATTEMPTS} attempts: {tried}")
