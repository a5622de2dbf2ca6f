"""What an operator may set, by environment variable, and the limits that hold without it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields

from fer_core.cores import available_cores
from fer_core.errors import OptionError

__all__ = ["PREFIX", "ApiSettings", "default_workers"]

PREFIX = "FER_LIVE_API_"
"""Every field below is set by `FER_LIVE_API_` and its name in capitals."""

SHORTEST_KEY = 16
LARGEST_NUMBER = 10**9


def default_workers() -> int:
    """Pictures in work at once: two a core, so that some are decoded while others are classified
    together, and at most 16. With four a core they wait for each other: eight clients of two cores
    had a tenth fewer answers, the slowest a fifth later (`python -m benchmarks.api`)."""
    return min(16, 2 * available_cores())


@dataclass(frozen=True)
class ApiSettings:
    """Limits of the API. Whole numbers of at least 1, but for `requests_per_minute`.

    Attributes:
        key: what a caller must show; None for a private API, open to this computer alone.
        requests_per_minute: of one caller's address, a quarter of it in one burst; 0: no limit.
        picture_megabytes: size of a posted picture.
        video_megabytes: size of a posted clip.
        video_minutes: length of a posted clip.
        receive_seconds: a picture must have arrived after this long.
        video_receive_seconds: the same for a clip.
        answer_seconds: a picture is answered by then, or refused as too much at once.
        waiting_pictures: pictures in the house, waiting ones included; more are refused.
        waiting_videos: clips that wait for their turn; more are refused.
        keep_minutes: a clip's results are deleted this long after its job has ended.
        kept_videos: jobs whose results are kept; one more, and the oldest are deleted.
        workers: pictures in work at once.
        batch: faces that are classified together at most.
    """

    key: str | None = field(default=None, repr=False)
    requests_per_minute: int = 1200
    picture_megabytes: int = 20
    video_megabytes: int = 500
    video_minutes: int = 30
    receive_seconds: int = 30
    video_receive_seconds: int = 600
    answer_seconds: int = 30
    waiting_pictures: int = 32
    waiting_videos: int = 4
    keep_minutes: int = 60
    kept_videos: int = 20
    workers: int = field(default_factory=default_workers)
    batch: int = 64

    def __post_init__(self) -> None:
        if self.key is not None and len(self.key) < SHORTEST_KEY:
            raise OptionError(
                f"{PREFIX}KEY has {len(self.key)} characters; the least is {SHORTEST_KEY}. "
                "`openssl rand -hex 24` makes a good one."
            )
        if self.key is not None and not (self.key.isascii() and self.key.isprintable()):
            raise OptionError(
                f"{PREFIX}KEY holds characters that do not fit into a header. "
                "Use letters and digits; `openssl rand -hex 24` makes a good one."
            )
        for item in fields(self):
            if item.name != "key":
                _check_number(item.name, getattr(self, item.name))

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> ApiSettings:
        """The settings that `environment` (None: the process's own) asks for.

        Raises:
            OptionError: a variable holds something else than a whole number that fits, or the key
                is too short to be one.
        """
        variables = os.environ if environment is None else environment
        values: dict[str, int] = {}
        for item in fields(cls):
            text = variables.get(PREFIX + item.name.upper(), "").strip()
            if item.name == "key" or not text:
                continue
            if not (text.isascii() and text.isdigit()):
                raise OptionError(
                    f"{PREFIX}{item.name.upper()} must be a whole number. Received: {text!r}."
                )
            values[item.name] = int(text)
        # A key of blanks is a mistake (an empty secret); it must not open the door.
        return cls(key=variables.get(PREFIX + "KEY"), **values)


def _check_number(name: str, value: int) -> None:
    least = 0 if name == "requests_per_minute" else 1
    if not least <= value <= LARGEST_NUMBER:
        raise OptionError(
            f"{PREFIX}{name.upper()} must be from {least} to {LARGEST_NUMBER}. Received: {value}."
        )
