"""Pictures: some in work at once, each decoded in a process for such files and then read in a
thread, their faces classified together."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from api.batching import BatchingClassifier
from api.choices import Choice, result_json
from api.errors import Refusal
from api.settings import ApiSettings
from fer_core.analyzer import Analyzer
from fer_core.classifier import Classifier
from fer_core.confined import WorkerPool
from fer_core.confined.pictures import PICTURE_LIMITS, decode_confined
from fer_core.cores import available_cores, half_of_the_cores
from fer_core.errors import DetectorError
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
        self._decoders = WorkerPool(PICTURE_LIMITS, most=min(settings.workers, available_cores()))
        self._lock = threading.Lock()
        self._idle: dict[Choice, list[Analyzer]] = {}
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
        self._decoders.close()
        with self._lock:
            analyzers = [one for some in self._idle.values() for one in some]
            self._idle.clear()
            self._joined.clear()
        for analyzer in analyzers:
            analyzer.close()

    def _one_less(self, work: asyncio.Future[dict[str, Any]]) -> None:
        self.inside -= 1
        if not work.cancelled():
            work.exception()  # its caller may be gone; then nobody else asks

    def _read(self, content: bytes, choice: Choice) -> dict[str, Any]:
        choice = choice.settled()
        classifier = self._classifier(choice)
        picture = decode_confined(content, "The picture", self._decoders)
        # Labels are made below; an analyzer serves every threshold.
        kind = replace(choice, min_confidence=None)
        analyzer = self._take(kind, classifier)
        try:
            result = analyzer.analyze(picture)
        except DetectorError:
            analyzer.close()  # a detector that failed once may go on failing
            raise
        except BaseException:
            self._give_back(kind, analyzer)
            raise
        threshold = choice.min_confidence
        if threshold is None:
            threshold = analyzer.min_confidence
        self._give_back(kind, analyzer)
        return result_json(result, choice, threshold)

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

    def _take(self, kind: Choice, classifier: Classifier) -> Analyzer:
        with self._lock:
            idle = self._idle.get(kind, [])
            while idle:
                analyzer = idle.pop()
                if analyzer.classifier is classifier:
                    return analyzer
                analyzer.close()  # the model was trained anew since
        return kind.analyzer(classifier)

    def _give_back(self, kind: Choice, analyzer: Analyzer) -> None:
        with self._lock:
            self._idle.setdefault(kind, []).append(analyzer)
