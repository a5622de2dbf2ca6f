"""Pictures: some in work at once, the faces of each found in a process for such files, those of all
classified together in this one."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from api.batching import BatchingClassifier
from api.choices import Choice, result_json
from api.errors import Refusal
from api.finding import Found, find_confined
from api.settings import ApiSettings
from fer_core.confined import WorkerPool
from fer_core.confined.pictures import PICTURE_LIMITS
from fer_core.cores import available_cores, half_of_the_cores, process_cores
from fer_core.results import Face, FrameResult
from fer_core.shared import shared_classifier

__all__ = ["PictureDesk"]


class PictureDesk:
    """Takes pictures in and gives results out; never more at once than the settings allow.

    Attributes:
        inside: pictures that are in work or wait.
    """

    def __init__(
        self, settings: ApiSettings, note_batch: Callable[[int, int], None] | None = None
    ) -> None:
        """Open for work; nothing is loaded before the first picture."""
        self.inside = 0
        self._settings = settings
        self._note_batch = note_batch
        self._threads = ThreadPoolExecutor(settings.workers, "fer-api-picture")
        # Not the page's: neither waits for the other's pictures.
        self._finders = WorkerPool(PICTURE_LIMITS, most=min(settings.workers, available_cores()))
        self._lock = threading.Lock()
        self._joined: dict[int, BatchingClassifier] = {}

    async def analyze(self, content: bytes, choice: Choice) -> dict[str, Any]:
        """The faces in a picture file, as they are sent.

        Raises:
            Refusal: 503, there is too much to do.
            FerError: the picture or the choice does not fit, or something is missing here.
        """
        if self.inside >= self._settings.waiting_pictures:
            raise Refusal(
                503,
                f"{self.inside} pictures are being read already. Try again in a moment.",
                {"Retry-After": "1"},
            )
        self.inside += 1
        loop = asyncio.get_running_loop()
        work = loop.run_in_executor(self._threads, self._read, content, choice)
        work.add_done_callback(self._one_less)
        try:
            # What has begun is not broken off, but its caller need not wait for it.
            return await asyncio.wait_for(asyncio.shield(work), self._settings.answer_seconds)
        except asyncio.TimeoutError:
            raise Refusal(
                503,
                f"The picture was not read within {self._settings.answer_seconds} s. "
                "Try again later, or send a smaller one.",
                {"Retry-After": "5"},
            ) from None

    def close(self) -> None:
        """Finish what is in work and release everything."""
        self._threads.shutdown(wait=True, cancel_futures=True)
        self._finders.close()
        with self._lock:
            self._joined.clear()

    def _one_less(self, work: asyncio.Future[dict[str, Any]]) -> None:
        self.inside -= 1
        if not work.cancelled():
            work.exception()  # its caller may be gone; then nobody else asks

    def _read(self, content: bytes, choice: Choice) -> dict[str, Any]:
        choice = choice.settled()
        classifier = self._classifier(choice)
        card = classifier.card
        # That process keeps a core busy, so calls of networks here, viewers' too, do without it.
        with process_cores().set_aside(1):
            found = find_confined(
                content, choice.detector, card.input_size, card.crop, self._finders
            )
        started = time.perf_counter()
        probabilities: Iterable[Iterable[float]] = ()
        if found.detections:
            probabilities = classifier.classify(found.crops)
        timings = {**found.timings, "classify": 1000 * (time.perf_counter() - started)}
        threshold = choice.min_confidence
        if threshold is None:
            threshold = card.uncertain_below
        return result_json(_result(found, probabilities, timings), choice, threshold)

    def _classifier(self, choice: Choice) -> BatchingClassifier:
        classifier = shared_classifier(choice.model)
        with self._lock:
            joined = self._joined.get(id(classifier))
            if joined is None:
                # Half of the cores; the others decode and detect meanwhile.
                turns = half_of_the_cores()
                joined = BatchingClassifier(
                    classifier, self._settings.batch, self._note_batch, turns=turns
                )
                self._joined[id(classifier)] = joined
        return joined


def _result(
    found: Found, probabilities: Iterable[Iterable[float]], timings: dict[str, float]
) -> FrameResult:
    faces = tuple(
        Face(one.box, one.score, tuple(map(float, row)), label="", eyes=one.eyes)
        for one, row in zip(found.detections, probabilities, strict=True)
    )
    return FrameResult(found.width, found.height, faces, None, {**timings, "track": 0.0})
