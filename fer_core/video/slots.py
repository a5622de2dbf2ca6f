"""How many clips are worked on at once, by whoever: the page, the API."""

from __future__ import annotations

import os
import threading

__all__ = ["SLOTS"]

# A clip keeps two cores busy; more clips at once than pairs of cores would only slow each other
# and the live streams down.
SLOTS = threading.BoundedSemaphore(max(1, (os.cpu_count() or 1) // 2))
"""Taken by every job before it begins."""
