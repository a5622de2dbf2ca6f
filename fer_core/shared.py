"""Networks that are loaded once per process, whoever asks: the page, the API, a job."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np

from fer_core.classifier import Classifier
from fer_core.model_store import CARD_FILE, default_model_name, model_folder

__all__ = ["shared_classifier"]

LARGEST_WARMED = 2

_lock = threading.Lock()
_open: dict[tuple[Path, str, int], Classifier] = {}


def shared_classifier(model: str | None = None, runtime: str = "auto") -> Classifier:
    """The network of the model folder `model` (None: the default one), open and warmed up.

    Everybody gets the same one; do not close it. A folder whose card was written anew is opened
    again, and the network before stays with those who have it. Any thread may call this; those who
    ask for what is being opened wait.

    Raises:
        OptionError: there is no such runtime.
        ModelError: the folder is missing, incomplete or altered.
        RuntimeMissingError: the runtime is not installed or does not work here.
    """
    folder = model_folder(model or default_model_name()).resolve()
    card = folder / CARD_FILE
    written = card.stat().st_mtime_ns if card.is_file() else 0
    key = (folder, runtime, written)
    with _lock:
        classifier = _open.get(key)
        if classifier is None:
            classifier = Classifier(folder, runtime)
            size = classifier.card.input_size
            for faces in range(1, LARGEST_WARMED + 1):
                classifier.classify(np.zeros((faces, size, size, 1), np.uint8))
            for older in [other for other in _open if other[:2] == key[:2]]:
                del _open[older]
            _open[key] = classifier
    return classifier
