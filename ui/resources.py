"""What is loaded once for all viewers, before anyone can press START."""

from __future__ import annotations

import gc
import sys
from typing import TYPE_CHECKING

import streamlit as st

from fer_core.live_analyzer import LiveAnalyzer, live_options
from fer_core.live_settings import LiveSettings

if TYPE_CHECKING:
    from fer_core.classifier import Classifier

_loaded = 0
"""How many modules there were when `settle` last did its work."""


def classifier(model: str | None, runtime: str = "auto") -> Classifier:
    """The network of the model folder `model` (None: the default one), shared and warmed up.

    Raises:
        ModelError: the folder is missing, incomplete or altered.
        RuntimeMissingError: the runtime is not installed or does not work here.
    """
    from fer_core.model_store import default_model_name

    return _classifier(model or default_model_name(), runtime)


def live_analyzer(settings: LiveSettings) -> LiveAnalyzer:
    """An analyzer for one stream: a detector of its own, the network shared.

    Raises:
        FerError: the detector or the model cannot be had.
    """
    from fer_core.analyzer import Analyzer

    network = classifier(settings.model, settings.runtime)
    return Analyzer(live_options(settings), classifier=network)


def settle() -> None:
    """Take what has been loaded since the last call out of the garbage collector's sight.

    Streamlit collects after every run of the page, holding the interpreter's lock: with the models
    among what it looks through, a panel that updates twice a second stops the video. Costs nothing
    when nothing was loaded. What lives only for a viewer is put out of sight with the rest, and is
    collected in the next call at the earliest: that is why there are no more calls than needed.
    """
    global _loaded
    if len(sys.modules) == _loaded:
        return
    _loaded = len(sys.modules)
    gc.unfreeze()
    gc.collect()
    gc.freeze()


@st.cache_resource(show_spinner="Opening the model …", max_entries=8)
def _classifier(model: str, runtime: str) -> Classifier:
    from fer_core.shared import shared_classifier

    network = shared_classifier(model, runtime)
    settle()
    return network
