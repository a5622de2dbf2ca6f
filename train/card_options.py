"""What a card tells of the run behind its network."""

from __future__ import annotations

from typing import Any

from fer_core.model_store import ModelCard
from train.recipe import CONTEMPT


def options_of(card: ModelCard) -> dict[str, Any]:
    """The options of the run; none where the card does not have them."""
    return card.training.get("options") or {}


def labels_of(card: ModelCard) -> str:
    """Whose labels the network learned, `fer2013` or `ferplus`.

    A card without the options of its run tells by contempt, which FER2013's own labels lack.
    """
    known = "ferplus" if CONTEMPT in card.classes else "fer2013"
    return str(options_of(card).get("labels", known))
