"""Where the parts of a server lie that itself lies below a path."""

from __future__ import annotations

__all__ = ["below"]


def below(base: str | None, path: str) -> str:
    """`path` below `base`.

    Args:
        base: path of the whole server, such as `fer/live`; None or empty for its root.
        path: with its leading slash.
    """
    base = (base or "").strip("/")
    return f"/{base}{path}" if base else path
