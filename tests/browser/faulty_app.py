"""The app with a detector that fails for a while, to see what the viewer gets to know."""

from __future__ import annotations

import itertools

from fer_core.analyzer import Analyzer
from ui.page import build

FAULTY = range(40, 70)
"""Which frames of the process fail."""

if not hasattr(Analyzer, "sound_track"):
    Analyzer.sound_track = Analyzer.track
    counted = itertools.count()

    def track(self, picture, pts):
        if next(counted) in FAULTY:
            raise ValueError("boom in the detector")
        return self.sound_track(picture, pts)

    Analyzer.track = track

build()
