"""How browser and server find each other: an explicit choice of whoever runs the server.

Left to itself, the streaming library asks third parties for servers, with whatever tokens it finds
in the environment. Here nothing is asked of anyone unless one of these variables names it:

    FER_LIVE_STUN            STUN addresses, separated by commas, such as stun:stun.example.org:3478
    FER_LIVE_TURN_URL        TURN addresses, separated by commas, such as turn:turn.example.org:3478
    FER_LIVE_TURN_USER       user name for all of them
    FER_LIVE_TURN_PASSWORD   password for all of them (the browser gets to see it)
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from fer_core.errors import OptionError

STUN_VARIABLE = "FER_LIVE_STUN"
TURN_URL_VARIABLE = "FER_LIVE_TURN_URL"
TURN_USER_VARIABLE = "FER_LIVE_TURN_USER"
TURN_PASSWORD_VARIABLE = "FER_LIVE_TURN_PASSWORD"


def rtc_configuration(environment: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The configuration for both ends; `{"iceServers": []}` when no variable is set.

    Args:
        environment: to read the variables from; None for the process's own.

    Raises:
        OptionError: an address has another scheme, or TURN lacks its user or password.
    """
    values = os.environ if environment is None else environment
    servers: list[dict[str, Any]] = []
    stun = _addresses(values, STUN_VARIABLE, ("stun:", "stuns:"))
    if stun:
        servers.append({"urls": stun})
    turn = _addresses(values, TURN_URL_VARIABLE, ("turn:", "turns:"))
    if turn:
        user = values.get(TURN_USER_VARIABLE, "").strip()
        password = values.get(TURN_PASSWORD_VARIABLE, "")
        if not user or not password:
            lacking = TURN_PASSWORD_VARIABLE if user else TURN_USER_VARIABLE
            raise OptionError(f"{TURN_URL_VARIABLE} is set but {lacking} is not. Set both.")
        servers.append({"urls": turn, "username": user, "credential": password})
    return {"iceServers": servers}


def _addresses(values: Mapping[str, str], name: str, schemes: tuple[str, ...]) -> list[str]:
    found = [part.strip() for part in values.get(name, "").split(",") if part.strip()]
    for address in found:
        if not address.startswith(schemes):
            raise OptionError(
                f"{name} holds {address!r}, which does not start with "
                f"{' or '.join(schemes)}. Write it like {schemes[0]}host.example.org:3478."
            )
    return found
