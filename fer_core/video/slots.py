"""How many clips are worked on at once, by whoever: the page, the API."""

from __future__ import annotations

import threading

from fer_core.cores import half_of_the_cores

__all__ = ["SLOTS"]

# A clip keeps two cores busy; more clips at once than pairs of cores would only slow each other
# and the live streams down. In a container the cores are its share, not the machine's.
SLOTS = threading.BoundedSemaphore(half_of_the_cores())
"""Taken by every job before it begins."""
