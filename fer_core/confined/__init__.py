"""Work on files from strangers in processes of their own, within limits: what goes wrong there ends
that work alone."""

from __future__ import annotations

from fer_core.confined.limits import Limits
from fer_core.confined.pool import WorkerPool
from fer_core.confined.worker import Worker

__all__ = ["Limits", "Worker", "WorkerPool"]
