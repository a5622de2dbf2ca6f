"""What is said before the camera starts, and the notice of whoever runs the page for others.

FER_LIVE_NOTICE          a text to show above the picture, before and during the stream; `on` for
                         the text below; nothing, or `off`, for none
"""

from __future__ import annotations

import os
from collections.abc import Mapping

NOTICE_VARIABLE = "FER_LIVE_NOTICE"
LONGEST = 2000

BEFORE_START = (
    "When you press START, your camera's pictures go to the process that serves this page "
    "and come back with labels. Nothing is stored unless you record."
)

DEPLOYER_NOTICE = (
    "This page estimates facial expressions from your camera's picture (an emotion recognition "
    "system in the words of Article 50(3) of the EU AI Act). Expressions are not feelings, and the "
    "estimates are often wrong. Taking part is up to you: do not press START if you do not agree."
)


def deployer_notice(environment: Mapping[str, str] | None = None) -> str | None:
    """The notice to show, or None.

    Args:
        environment: to read the variable from; None for the process's own.
    """
    values = os.environ if environment is None else environment
    text = values.get(NOTICE_VARIABLE, "").strip()
    if text.lower() in {"", "off", "0", "false", "no"}:
        return None
    if text.lower() in {"on", "1", "true", "yes"}:
        return DEPLOYER_NOTICE
    return text[:LONGEST]
