"""Who may ask, and how often."""

from __future__ import annotations

import ipaddress
import math
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable

from starlette.datastructures import Headers
from starlette.requests import Request

from api.errors import Refusal
from api.settings import PREFIX, ApiSettings

__all__ = ["Guard", "RateLimit"]

FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")
REMEMBERED_CALLERS = 4096


class Guard:
    """Checks every request before its body is read.

    With a key, the caller must show it as `Authorization: Bearer KEY`. Without one the API is
    private: requests must come from this computer, name it in `Host`, have passed through no proxy
    and not come from another site's page. The last three matter because a proxy, or a web page in a
    browser on this computer, reaches it from here too.
    """

    def __init__(self, settings: ApiSettings) -> None:
        self._key = None if settings.key is None else settings.key.encode()
        self._rate = RateLimit(settings.requests_per_minute)

    async def __call__(self, request: Request) -> None:
        """Let the request pass.

        Raises:
            Refusal: 401, 403 or 429.
        """
        # First of all, so that keys cannot be tried out quickly.
        self._rate.check(request.client.host if request.client else "")
        if self._key is None:
            _check_private(request)
        else:
            self._check_key(request.headers)

    def _check_key(self, headers: Headers) -> None:
        assert self._key is not None
        scheme, _, credentials = headers.get("authorization", "").partition(" ")
        given = credentials.strip() if scheme.lower() == "bearer" else ""
        if not secrets.compare_digest(given.encode(), self._key):
            raise Refusal(
                401,
                ("The key is not the right one." if given else "This needs a key.")
                + " Send it as `Authorization: Bearer KEY`.",
                {"WWW-Authenticate": "Bearer"},
            )


class RateLimit:
    """A bucket for each caller that refills evenly. Serves one event loop."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        """A limit of `per_minute` requests a minute, a quarter of it at once; 0 for none."""
        self._per_second = per_minute / 60
        self._most = max(1.0, per_minute / 4)
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def check(self, caller: str) -> None:
        """Count one request.

        Raises:
            Refusal: 429, with the seconds to wait.
        """
        if self._per_second == 0:
            return
        now = self._clock()
        left, since = self._buckets.pop(caller, (self._most, now))
        left = min(self._most, left + (now - since) * self._per_second)
        allowed = left >= 1
        self._buckets[caller] = (left - 1 if allowed else left, now)
        if len(self._buckets) > REMEMBERED_CALLERS:
            self._buckets.popitem(last=False)
        if not allowed:
            wait = math.ceil((1 - left) / self._per_second)
            raise Refusal(
                429,
                f"Too many requests; {60 * self._per_second:g} a minute are allowed. "
                f"Try again in {wait} s.",
                {"Retry-After": str(wait)},
            )


def _check_private(request: Request) -> None:
    headers = request.headers
    near = request.client is not None and _is_loopback(request.client.host)
    near = near and _is_loopback(_name_of(headers.get("host", "")))
    if not near or any(name in headers for name in FORWARDED):
        raise Refusal(
            403,
            "Without a key this API answers requests from its own computer only. "
            f"Set {PREFIX}KEY where the app is started, and send that key.",
        )
    origin = headers.get("origin")
    strange = origin is not None and origin.partition("://")[2] != headers.get("host")
    if strange or headers.get("sec-fetch-site") in ("cross-site", "same-site"):
        raise Refusal(
            403,
            "Without a key this API does not answer pages of other sites. "
            f"Set {PREFIX}KEY where the app is started, and send that key.",
        )


def _name_of(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]


def _is_loopback(name: str) -> bool:
    if name.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
