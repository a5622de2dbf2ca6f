"""Where the way from camera to server and back stands, in words."""

from __future__ import annotations

from dataclasses import dataclass

SLOW_SECONDS = 10.0
"""After so long without a picture, what to check is said."""
STALLED_SECONDS = 3.0
"""A stream that was up and brings nothing for so long is said to stand still."""


@dataclass(frozen=True)
class ConnectionState:
    """One state.

    Attributes:
        name: `off`, `connecting`, `waiting`, `slow`, `live`, `paused` or `stalled`.
        words: a short sentence for it.
    """

    name: str
    words: str

    @property
    def needs_help(self) -> bool:
        """Whether the viewer should be told what to check."""
        return self.name in {"slow", "stalled"}


def connection_state(
    playing: bool,
    waiting: bool,
    waited: float,
    idle: float | None,
    paused: bool = False,
) -> ConnectionState:
    """The state that follows from what is known.

    Args:
        playing: the browser says that the stream is up.
        waiting: browser and server are still talking about how to reach each other.
        waited: seconds since START.
        idle: seconds since the last frame reached the server; None if none ever did.
        paused: the viewer stopped the picture on purpose.
    """
    if not playing and not waiting:
        return ConnectionState("off", "Not started.")
    arrived = idle is not None and idle <= waited
    if not arrived:
        if waited > SLOW_SECONDS:
            return ConnectionState("slow", f"No picture has come for {waited:.0f} seconds.")
        if waiting:
            return ConnectionState("connecting", "Browser and server look for a way …")
        return ConnectionState("waiting", "Connected. Waiting for the first picture …")
    assert idle is not None
    if idle > STALLED_SECONDS:
        return ConnectionState("stalled", f"The picture has stood still for {idle:.0f} seconds.")
    if paused:
        return ConnectionState("paused", "Paused. The connection stays.")
    return ConnectionState("live", "Live.")


def lost_words(idle: float | None) -> str | None:
    """Why a stream that has just ended did so by itself; None when the viewer stopped it.

    Args:
        idle: seconds from its last frame to its end; None if none ever came.
    """
    if idle is None or idle <= STALLED_SECONDS:
        return None
    return (
        f"No picture had come for {idle:.0f} seconds when the stream ended: the camera or the "
        "network was lost. Check both, then press START again."
    )
