"""What runs on the workers: one analyzer each, whole files in, rows out."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fer_core.cluster.places import Item, copy_to
from fer_core.commands.common import shown
from fer_core.commands.work import label_counts
from fer_core.errors import FerError
from fer_core.runtimes import runtime_in_words

if TYPE_CHECKING:
    from fer_core.analyzer import AnalyzerOptions
    from fer_core.commands.work import Found
    from fer_core.results import FrameResult

__all__ = ["MOST_STARTS", "FaceReader", "Starts", "Work", "task_of"]

OWN_FOLDER = "fer-live-"
"""How folders of temporary files begin: one a file that is being read."""

MOST_STARTS = 3
"""A file with which so many workers ended is not tried again."""


@dataclass(frozen=True)
class Work:
    """What is done with every file, the same on every worker.

    Attributes:
        options: of the analyzer; its model is replaced by `model`.
        every: in clips, every n-th frame is analysed.
        model: the model folder: name and bytes of each of its files.
    """

    options: AnalyzerOptions
    every: int
    model: Mapping[str, bytes]


class Starts:
    """How often each file has been begun, kept apart from the workers that may die with it."""

    def __init__(self) -> None:
        self._counts: dict[int, int] = {}

    def begin(self, number: int) -> int:
        """Count this start; how many there are now."""
        self._counts[number] = self._counts.get(number, 0) + 1
        return self._counts[number]


class FaceReader:
    """A class for `map_batches`: Ray Data makes one in each of its actors.

    A clip is one task from its first frame to its last: numbers and smoothing of faces pass from
    frame to frame, so that a clip cut in two would give other results.
    """

    def __init__(self, work: Any, done: Any, starts: Any) -> None:
        """Load the networks, once.

        Args:
            work: reference to a `Work`.
            done: reference to the set of SHA-256 whose rows are there already.
            starts: handle of a `Starts`.
        """
        import ray

        from fer_core.analyzer import Analyzer

        todo: Work = ray.get(work)
        self._done: frozenset[bytes] = ray.get(done)
        self._starts = starts
        self._every = todo.every
        # An analyzer needs the folder only to be made, and nobody could tidy up after a worker
        # that is ended from outside.
        with tempfile.TemporaryDirectory(prefix=OWN_FOLDER) as model:
            for name, data in todo.model.items():
                Path(model, name).write_bytes(data)
            self._analyzer = Analyzer(replace(todo.options, model=model))
        self._ran = runtime_in_words(self._analyzer.classifier.runtime)

    def __call__(self, batch: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """Analyse files, columns as in `task_of`; an answer each, columns as in `_answer`."""
        columns = (batch[name] for name in ("number", "kind", "shown", "root", "path"))
        for number, kind, name, root, path in zip(*columns, strict=True):
            item = Item(os.fsdecode(name), str(kind), os.fsdecode(path), str(root))
            yield {**self._one(int(number), item), "ran": [self._ran]}

    def _one(self, number: int, item: Item) -> dict[str, Any]:
        if self._begin(number) > MOST_STARTS:
            return _answer(
                number,
                error=f"{item.shown} ended the worker {MOST_STARTS} times, perhaps for want of "
                "memory. Analyse it alone to see why.",
            )
        with tempfile.TemporaryDirectory(prefix=OWN_FOLDER) as own:
            # The ending may say what is in the file.
            file = Path(own, "file" + Path(item.path).suffix) if item.root else Path(item.path)
            try:
                return self._read(number, item, file, Path(own, "rows"))
            except FerError as error:
                return _answer(number, error=str(error).replace(str(file), item.shown))
            except (OSError, MemoryError, ValueError, ArithmeticError, LookupError) as error:
                why = " ".join(str(error).split()) or type(error).__name__
                return _answer(number, error=f"{item.shown} could not be analysed: {why}.")

    def _read(self, number: int, item: Item, file: Path, rows: Path) -> dict[str, Any]:
        from fer_core.commands.sources import Source
        from fer_core.commands.work import Job, analyze_source
        from fer_core.exports import ParquetWriter
        from fer_core.model_store import file_sha256
        from fer_core.overlay import OverlayOptions

        # What is not a file has no content; its own reader says best what is wrong with it.
        content = ""
        if item.root:
            content = copy_to(file, item.root, item.path)
        elif file.is_file():
            content = file_sha256(file)
        if content and bytes.fromhex(content) in self._done:
            return _answer(number, content)
        job = Job(self._analyzer, self._every, OverlayOptions(), thumbnails=False)
        name = shown(item.shown)
        with ParquetWriter(rows, sources=True) as writer:

            def add(index: int, result: FrameResult) -> None:
                writer.write(result, source=name, frame=index)

            found = analyze_source(job, Source(str(file), item.kind), None, add, _nobody)
        return _answer(number, content, _summary(found), rows.read_bytes())

    def _begin(self, number: int) -> int:
        import ray

        try:
            count: int = ray.get(self._starts.begin.remote(number))
        except ray.exceptions.RayActorError:
            return 1  # whoever counts is gone; better no count than no work
        return count


def task_of(number: int, item: Item) -> dict[str, Any]:
    """An item as a row of Ray Data; names that are no UTF-8 go through as bytes."""
    return {
        "number": number,
        "kind": item.kind,
        "shown": os.fsencode(item.shown),
        "root": item.root,
        "path": os.fsencode(item.path),
    }


def _answer(
    number: int,
    content: str = "",
    summary: dict[str, Any] | None = None,
    rows: bytes = b"",
    error: str = "",
) -> dict[str, Any]:
    """A row that goes back; without summary and error the content had been done before."""
    text = "" if summary is None else json.dumps(summary)
    columns = {"number": number, "content": content, "summary": text, "rows": rows}
    return {name: [value] for name, value in {**columns, "error": shown(error)}.items()}


def _summary(found: Found) -> dict[str, Any]:
    """What is kept of a file besides its rows; the same for pictures and clips."""
    summary = found.summary
    labels = label_counts(summary)
    picture: dict[str, Any] = {
        "seconds": None,
        "frames": 1,
        "frames_analysed": 1,
        "faces": sum(labels.values()),
        "people": None,
        "warnings": [],
    }
    names = ("width", "height", *picture)
    return {name: {**picture, **summary}[name] for name in names} | {
        "labels": labels,
        "faces": sum(labels.values()),
    }


def _nobody(share: float) -> None:
    """Where no bar looks at one file."""
