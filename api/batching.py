"""Faces of different requests that are classified together."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

import numpy as np

from fer_core.classifier import Classifier
from fer_core.model_store import ModelCard
from fer_core.runtimes import Crops, Probabilities

__all__ = ["BatchingClassifier"]


class _Ticket:
    """Crops of one call, what became of them, and the batch that its thread is to run, if any."""

    def __init__(self, crops: Crops) -> None:
        self.crops = crops
        self.probabilities: Probabilities | None = None
        self.error: Exception | None = None
        self.leads: list[_Ticket] = []
        self._gate = threading.Lock()
        self._gate.acquire()

    def wait(self) -> None:
        """Sleep until there is an answer or a batch to run."""
        self._gate.acquire()

    def wake(self) -> None:
        """End `wait`."""
        self._gate.release()


class BatchingClassifier(Classifier):
    """Looks like the classifier that it is made of, and joins calls that come at the same time.

    While as many batches run as may run at once, the calls that come in meanwhile gather; they are
    the next batch. Nobody waits for company: a call that finds a free turn is classified at once.
    So batches are as large as the network is slow, and a lone caller loses nothing.

    An instance may be used by any number of threads. It does not own the classifier.
    """

    def __init__(
        self,
        classifier: Classifier,
        largest: int,
        note: Callable[[int, int], None] | None = None,
        *,
        turns: int = 1,
    ) -> None:
        """Join calls to `classifier`.

        Args:
            classifier: an open one, shared with others.
            largest: faces in a batch at most; a call with more is a batch of its own.
            note: told the calls and the faces of each batch.
            turns: batches that may run at once.
        """
        self.folder = classifier.folder
        self.card: ModelCard = classifier.card
        self.runtime = classifier.runtime
        self._classifier = classifier
        self._largest = largest
        self._note = note
        self._lock = threading.Lock()
        self._free = turns
        # Tickets wait only while no turn is free.
        self._waiting: deque[_Ticket] = deque()

    def classify(self, crops: Crops) -> Probabilities:
        """Calibrated probabilities; see `Classifier.classify`."""
        ticket = _Ticket(crops)
        with self._lock:
            if self._free:
                self._free -= 1
                ticket.leads = [ticket]
            else:
                self._waiting.append(ticket)
        if not ticket.leads:
            ticket.wait()
        if ticket.leads:
            try:
                self._run(ticket.leads)
            finally:
                self._hand_on()
                for other in ticket.leads[1:]:
                    other.wake()
        if ticket.error is not None:
            raise ticket.error
        assert ticket.probabilities is not None
        return ticket.probabilities

    def close(self) -> None:
        """Nothing: the classifier belongs to someone else."""

    def _hand_on(self) -> None:
        """Give the turn to those who waited longest, or free it."""
        with self._lock:
            batch = self._next_batch()
            if not batch:
                self._free += 1
                return
        batch[0].leads = batch
        batch[0].wake()

    def _next_batch(self) -> list[_Ticket]:
        """The calls that came first; the caller holds the lock."""
        batch: list[_Ticket] = []
        faces = 0
        while self._waiting:
            faces += len(self._waiting[0].crops)
            if batch and faces > self._largest:
                break
            batch.append(self._waiting.popleft())
        return batch

    def _run(self, batch: list[_Ticket]) -> None:
        try:
            together = np.concatenate([ticket.crops for ticket in batch])
            probabilities = self._classifier.classify(together)
        except Exception as error:
            if len(batch) > 1:
                # One call's fault must not be the others'.
                for ticket in batch:
                    self._run([ticket])
            else:
                batch[0].error = error
            return
        if self._note is not None:
            self._note(len(batch), len(together))
        start = 0
        for ticket in batch:
            stop = start + len(ticket.crops)
            ticket.probabilities = probabilities[start:stop]
            start = stop
