"""How a worker that did not come to its end is told of: what happened, and what to do."""

from __future__ import annotations

from fer_core.confined.limits import Limits

__all__ = ["ended", "failed", "met"]


def met(limit: str, name: str, limits: Limits) -> str:
    """The file `name` met the limit of this name."""
    return {
        "memory_mb": f"{name} needs more memory than one file may take here. "
        "Make it smaller and send it again.",
        "processor_seconds": f"{name} took more than {_time(limits.processor_seconds)} of "
        "processor time and was given up. Make it smaller or shorter and send it again.",
        "file_mb": f"What is made of {name} would be larger than the {limits.file_mb:,} MB that "
        "are allowed here. Send a shorter part of it.",
        "silent_seconds": f"{name} was given up: nothing came of it for "
        f"{_time(limits.silent_seconds)}. It is probably damaged; convert it and send it again.",
        "seconds": f"{name} took more than {_time(limits.seconds)} and was given up. "
        "Send a smaller one or a shorter part of it.",
    }.get(limit, failed(name, limit))


def ended(name: str, signal: str) -> str:
    """The file `name` was being read when the process ended by this signal."""
    if signal == "SIGKILL":
        return (
            f"{name} could not be finished: the system ended the process that read it, most "
            "likely because memory ran out. Make it smaller, or try again later."
        )
    return (
        f"{name} ended the process that read it ({signal}); nothing else was touched. "
        "It is damaged or of a strange kind; convert it and send it again."
    )


def failed(name: str, what: str) -> str:
    """Something that nobody thought of."""
    return (
        f"{name} could not be worked on ({what}). "
        "Try another file; the terminal that runs this page says more."
    )


def _time(seconds: float) -> str:
    if seconds >= 7200:
        return f"{seconds / 3600:.0f} hours"
    return f"{seconds / 60:.0f} minutes" if seconds >= 120 else f"{seconds:g} seconds"
