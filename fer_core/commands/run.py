"""One run of `analyze` over its files: what is done, what was done before, what comes out."""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fer_core.commands.common import complain, shown
from fer_core.commands.ledger import Ledger, LedgerError, Record
from fer_core.commands.progress import Progress
from fer_core.commands.report import ReportRow, write_report
from fer_core.commands.sources import Source
from fer_core.commands.work import Job, analyze_source, copy_file, place_key
from fer_core.errors import FerError, OptionError
from fer_core.exports import CsvWriter, JsonLinesWriter, ParquetWriter, ResultWriter
from fer_core.model_store import file_sha256
from fer_core.overlay import OverlayOptions
from fer_core.runtimes import runtime_in_words

if TYPE_CHECKING:
    from fer_core.analyzer import Analyzer
    from fer_core.results import FrameResult

__all__ = ["TABLES", "Run"]

TABLES: dict[str, Callable[..., ResultWriter]] = {
    "csv": CsvWriter,
    "jsonl": JsonLinesWriter,
    "parquet": ParquetWriter,
}
"""What writes the file of `--NAME`."""


class Run:
    """One run over its files."""

    def __init__(
        self,
        options: argparse.Namespace,
        analyzer: Analyzer,
        ledger: Ledger | None,
        sources: list[Source],
    ) -> None:
        self._options = options
        self._ledger = ledger
        self._sources = sources
        self._analyzer = analyzer
        self._job: Job = Job(
            analyzer,
            options.every,
            OverlayOptions(bars=options.bars),
            thumbnails=options.report is not None,
        )
        self._prints = not (options.report or any(getattr(options, name) for name in TABLES))
        self._taken = {place_key(name) for name in ledger.copies()} if ledger is not None else set()
        self._done: list[tuple[Source, Record]] = []
        self._reused = 0
        self.failed: dict[int, str] = {}

    def analyze(self) -> None:
        """Go through all files; what fails is said and remembered, and the others go on."""
        # JSON on the same terminal would tear the bar apart.
        bar = not self._options.quiet and not (self._prints and sys.stdout.isatty())
        sizes = [_size(source.path) for source in self._sources]
        with (
            Progress(sum(sizes), len(sizes), bar) as progress,
            _json_array(self._options.pretty, self._prints) as add,
        ):
            for number, (source, size) in enumerate(zip(self._sources, sizes, strict=True)):
                progress.start(Path(source.path).name, size)
                entry: dict[str, Any] = {source.kind: source.path}
                try:
                    entry.update(self._one(source, progress))
                except LedgerError:
                    raise
                except FerError as error:
                    self.failed[number] = entry["error"] = str(error)
                    progress.say(str(error))
                for warning in () if self._options.quiet else entry.get("warnings", ()):
                    progress.say(f"{source.path}: {warning}")
                add(entry)
                progress.done()

    def write_results(self) -> None:
        """Write the tables and the report, each whole or not at all."""
        files = [getattr(self._options, name) for name in TABLES]
        with contextlib.ExitStack() as stack:
            writers = [
                stack.enter_context(writer(file, sources=True))
                for writer, file in zip(TABLES.values(), files, strict=True)
                if file is not None
            ]
            for source, record in self._done if writers else ():
                assert self._ledger is not None
                name = shown(source.path)
                for index, result in self._ledger.frames(record):
                    for writer in writers:
                        writer.write(result, source=name, frame=index)
        if self._options.report is not None:
            self._write_report()
        if not self._prints and not self._options.quiet:
            self._say_summary([*filter(None, files), *filter(None, [self._options.report])])

    def say_interrupted(self) -> None:
        """What is kept, and how to go on."""
        assert self._ledger is not None
        complain(
            f"Interrupted; {len(self._done)} of {len(self._sources)} files are done and kept in "
            f"{self._ledger.file}. The same command goes on from there."
        )

    def _one(self, source: Source, progress: Progress) -> dict[str, Any]:
        """What is printed of a file, after it is done or found done."""
        if source.error is not None:
            raise OptionError(source.error)
        content = _content(source.path) if self._ledger is not None else None
        copy, depends_on = None, ""
        if self._options.annotate is not None:
            copy = self._old_copy(source) or copy_file(self._options.annotate, source, self._taken)
            self._taken.add(place_key(copy))
            depends_on = f" bars={self._options.bars}"
        copied = {} if copy is None else {"annotated": str(copy)}
        if self._ledger is None:
            found = analyze_source(self._job, source, copy, _drop, progress.fraction)
            return {**found.summary, **copied}
        if content is None:
            # Its own reader says best why it cannot be read.
            analyze_source(self._job, source, None, _drop, progress.fraction)
            raise OptionError(f"{source.path} was there only for a moment. Start again.")
        record = self._ledger.find(content)
        if record is not None and self._enough(record, source, content, copy, depends_on):
            progress.skip()
            self._reused += 1
        else:
            with self._ledger.entry(content) as entry:
                found = analyze_source(self._job, source, copy, entry.add, progress.fraction)
                wrote = None if copy is None else (source.path, depends_on, str(copy.absolute()))
                self._ledger.finish(entry, content, found.summary, found.thumbnails, wrote)
            record = self._ledger.find(content)
            assert record is not None
        self._done.append((source, record))
        return {**record.summary, **copied}

    def _old_copy(self, source: Source) -> Path | None:
        """The annotated copy that an earlier run made of this file in the same folder."""
        old = None if self._ledger is None else self._ledger.copy_of(source.path)
        folder = self._options.annotate / source.inside
        if old is None or Path(old).parent != folder.absolute():
            return None
        made: Path = folder / Path(old).name
        return made

    def _enough(
        self, record: Record, source: Source, content: str, copy: Path | None, depends_on: str
    ) -> bool:
        """Whether what the ledger holds of a file is all that this run wants of it."""
        assert self._ledger is not None
        if self._options.report is not None and record.thumbnails is None:
            return False
        return copy is None or self._ledger.has_copy(
            source.path, content, depends_on, str(copy.absolute())
        )

    def _write_report(self) -> None:
        done = iter(self._done)
        rows = []
        for number, source in enumerate(self._sources):
            name = shown(source.path)
            if number in self.failed:
                rows.append(ReportRow(name, {}, error=shown(self.failed[number])))
                continue
            _, record = next(done)
            rows.append(ReportRow(name, record.summary, record.thumbnails or ()))
        card = self._analyzer.classifier.card
        every = self._options.every
        facts = [
            f"model {card.name}",
            f"detector {self._options.detector}",
            f"labels under {100 * self._analyzer.min_confidence:.0f} % read uncertain",
            *([f"one frame of clips in {every}"] if every > 1 else []),
        ]
        write_report(self._options.report, rows, facts)

    def _say_summary(self, files: list[Path]) -> None:
        parts = [f"{len(self._done)} of {len(self._sources)} files analysed"]
        if self._reused:
            parts.append(f"{self._reused} of them in an earlier run")
        ran = f"Runtime: {runtime_in_words(self._analyzer.classifier.runtime)}"
        written = ", ".join(str(file) for file in files)
        complain(f"{', '.join(parts)}. {ran}. Written: {written}.")


def _content(path: str) -> str | None:
    """SHA-256 of a file; None where it cannot be read, which its own reader says better."""
    try:
        return file_sha256(Path(path))
    except (OSError, ValueError):
        return None


def _size(path: str) -> int:
    try:
        return max(1, Path(path).stat().st_size)
    except (OSError, ValueError):
        return 1


def _drop(index: int, result: FrameResult) -> None:
    """Where frames are not kept."""


@contextlib.contextmanager
def _json_array(pretty: bool, wanted: bool) -> Iterator[Callable[[dict[str, Any]], None]]:
    """Prints a JSON array entry by entry; it is well formed even when the run is broken off."""
    count = 0

    def add(entry: dict[str, Any]) -> None:
        nonlocal count
        if not wanted:
            return
        text = json.dumps(entry, indent=2 if pretty else None)
        if pretty:
            text = "  " + text.replace("\n", "\n  ")
        print("[" if count == 0 else ",", text, sep="\n", end="", flush=True)
        count += 1

    try:
        yield add
    finally:
        if wanted:
            print("\n]" if count else "[]", flush=True)
