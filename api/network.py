"""The network as the API uses it: as quick as it can be for one caller, as cheap for many."""

from __future__ import annotations

import threading
from collections.abc import Callable

from api.batching import BatchingClassifier
from fer_core.classifier import Classifier
from fer_core.cores import available_cores
from fer_core.runtimes.litert import LitertRuntime

__all__ = ["JoinedNetwork"]


class JoinedNetwork(BatchingClassifier):
    """The shared network; a lone picture has all its threads, pictures in a crowd one a batch.

    Threads of one call wait for each other after every layer. That is well spent while the other
    cores have nothing to do; where they read other pictures it takes a third more processor time
    for the same faces. So batches in a crowd run with one thread, and as many at once as half of
    the cores: the rest decode and detect meanwhile.
    """

    def __init__(
        self,
        classifier: Classifier,
        largest: int,
        note: Callable[[int, int], None] | None,
        crowded: Callable[[], bool],
    ) -> None:
        """Join calls to `classifier`; the other arguments as in `BatchingClassifier`.

        Args:
            classifier: an open one, shared with others.
            largest: faces in a batch at most.
            note: told the calls and the faces of each batch.
            crowded: whether more than one picture is in work.
        """
        runtime = classifier.runtime
        splits = isinstance(runtime, LitertRuntime) and runtime.threads > 1
        turns = max(1, available_cores() // 2) if splits else 1
        super().__init__(classifier, largest, note, turns=turns, choose=self._chosen)
        self._shared = classifier
        self._splits = splits
        self._crowded = crowded
        self._opening = threading.Lock()
        self._narrow: Classifier | None = None

    def close(self) -> None:
        """Close what was opened here; the shared network stays open."""
        with self._opening:
            narrow, self._narrow = self._narrow, None
        if narrow is not None:
            narrow.close()

    def _chosen(self) -> Classifier:
        if not (self._splits and self._crowded()):
            return self._shared
        with self._opening:
            if self._narrow is None:
                self._narrow = Classifier(self.folder, self.runtime.name, threads=1)
            return self._narrow
