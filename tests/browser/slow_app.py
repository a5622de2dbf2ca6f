"""The app on a machine so busy that the page takes its time: clicks come faster than runs."""

from __future__ import annotations

import time

from ui.page import build

time.sleep(1.5)
build()
