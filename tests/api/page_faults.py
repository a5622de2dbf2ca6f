"""Called by a test in a process for pictures; imports next to nothing, which would change what that
process has from the system."""

from __future__ import annotations

import resource
from typing import Any


def page_faults(tell: Any) -> int:
    """How often the process was given a page so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
