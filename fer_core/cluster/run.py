"""One run of `analyze --ray`: files out to the workers, rows back, and what is said about it."""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from fer_core.analyzer import Analyzer, AnalyzerOptions
from fer_core.cluster.address import check_address
from fer_core.cluster.parts import Parts, write_failed, write_files
from fer_core.cluster.places import Item, find_items
from fer_core.cluster.reader import FaceReader, Starts, Work, task_of
from fer_core.cluster.session import import_ray, session
from fer_core.commands.common import (
    INTERRUPTED,
    OK,
    SOME_FAILED,
    analyzer_options,
    complain,
    make_folder,
    quiet,
    shown,
)
from fer_core.commands.ledger import LEDGER_FILE, Ledger
from fer_core.commands.progress import Progress
from fer_core.commands.sources import find_sources
from fer_core.detectors import DetectorOptions
from fer_core.errors import FerError, OptionError
from fer_core.model_store import model_folder

__all__ = ["answers_of", "run_on_ray", "work_of"]

MOST_TASKS = 10_000
"""Ray Data keeps books on every task; of more files several go into one."""

_NOT_HERE = ("csv", "jsonl", "parquet", "annotate", "report")


def run_on_ray(options: argparse.Namespace, fingerprint: Any) -> int:
    """Carry the command out; returns the exit code.

    Args:
        options: of the command.
        fingerprint: called with the options and an analyzer; gives what the results depend on.

    Raises:
        FerError: the command cannot be carried out.
    """
    _check(options)
    ray = import_ray()
    items = find_items(find_sources(options.paths, sys.stdin.buffer)[0])
    # Everything that can be wrong with model, detector and runtime is said before Ray starts.
    with quiet(not options.verbose), Analyzer(analyzer_options(options)) as analyzer:
        settings = fingerprint(options, analyzer)
        runtime = analyzer.classifier.runtime.name
        work = work_of(analyzer.options, runtime, options.every)
    make_folder(options.out, "--out")
    with contextlib.closing(
        Ledger(options.out / LEDGER_FILE, f"ray {settings}", lasting=True)
    ) as ledger:
        whole_run = _Run(items, Parts(options.out, ledger))
        try:
            with _said_nothing(), session(ray, options.ray, options.workers):
                done = frozenset(bytes.fromhex(content) for content in whole_run.parts.done)
                whole_run.analyze(answers_of(ray, items, work, done, options.workers), options)
        except KeyboardInterrupt:
            whole_run.parts.flush()
            complain(
                f"Interrupted; {whole_run.good} of {len(items)} files are done and kept in "
                f"{options.out}. The same command goes on from there."
            )
            return INTERRUPTED
        except FerError:
            with contextlib.suppress(FerError):
                whole_run.parts.flush()
            raise
        whole_run.parts.flush()
        whole_run.write(options)
    return SOME_FAILED if whole_run.failed else OK


class _Run:
    """What is known of every file of this run."""

    def __init__(self, items: list[Item], parts: Parts) -> None:
        self.items = items
        self.parts = parts
        self.contents: dict[int, str] = {}
        self.failed = {n: item.error for n, item in enumerate(items) if item.error is not None}
        self.reused = 0
        self.ran: set[str] = set()

    @property
    def good(self) -> int:
        """Files that are done."""
        return len(self.contents)

    def analyze(self, answers: Iterator[dict[str, Any]], options: argparse.Namespace) -> None:
        """Take the workers' answers as they come."""
        items = self.items
        sizes = sum(item.size for item in items)
        with Progress(sizes, len(items), not options.quiet) as progress:
            for number, sentence in list(self.failed.items()):
                progress.start(items[number].shown, items[number].size)
                progress.say(shown(sentence))
                progress.done()
            for answer in answers:
                number = answer["number"]
                if number in self.contents or number in self.failed:
                    continue
                progress.start(Path(items[number].shown).name, items[number].size)
                self._take(number, answer, progress, options.quiet)
                progress.done()
            for number, item in enumerate(items):
                if number not in self.contents and number not in self.failed:
                    self.failed[number] = f"{item.shown} was lost with its worker. Start again."
                    progress.say(shown(self.failed[number]))

    def _take(self, number: int, answer: dict[str, Any], progress: Progress, silent: bool) -> None:
        item = self.items[number]
        self.ran.add(answer["ran"])
        if answer["error"]:
            self.failed[number] = answer["error"]
            progress.say(answer["error"])
            return
        self.contents[number] = answer["content"]
        if not answer["summary"]:
            self.reused += 1
            progress.skip()
            return
        summary = json.loads(answer["summary"])
        self.parts.add(item.kind, answer["content"], summary, answer["rows"])
        for warning in () if silent else summary["warnings"]:
            progress.say(f"{shown(item.shown)}: {warning}")

    def write(self, options: argparse.Namespace) -> None:
        """The table of the files, the list of those that failed, and a sentence."""
        rows = []
        for number, item in enumerate(self.items):
            row: dict[str, Any] = {"source": shown(item.shown), "kind": item.kind}
            if number in self.failed:
                row["error"] = shown(self.failed[number])
            else:
                content = self.contents[number]
                row.update(self.parts.done[content], content=content)
            rows.append(row)
        table, failed = options.out / "files.parquet", options.out / "failed.csv"
        write_files(table, rows)
        named = [(shown(self.items[n].shown), shown(text)) for n, text in self.failed.items()]
        written = [*([self.parts.folder] if self.parts.done else []), table]
        written += [failed] if write_failed(failed, named) else []
        if not options.quiet:
            said = [f"{self.good} of {len(self.items)} files analysed"]
            said += [f"{self.reused} of them in an earlier run"] if self.reused else []
            ran = f" Runtime: {', '.join(sorted(self.ran))} in each worker." if self.ran else ""
            places = ", ".join(str(file) for file in written)
            complain(f"{', '.join(said)}.{ran} Written: {places}.")


def answers_of(
    ray: Any, items: list[Item], work: Work, done: frozenset[bytes], workers: int | None
) -> Iterator[dict[str, Any]]:
    """What the workers of the cluster that was joined give back, in the order they are done.

    Args:
        ray: what `import_ray` gave.
        items: the files; those with an error are left out.
        work: what is done with each.
        done: SHA-256 of the contents that are only to be recognised.
        workers: how many; None for one a core, or one a GPU.

    Yields:
        `number` (the item's), `content`, `summary` (JSON), `rows` (Parquet), `error`, and `ran`:
        what ran the network in that worker.

    Raises:
        OptionError: there are fewer cores than `workers`, or the workers cannot begin.
    """
    tasks = [task_of(number, item) for number, item in enumerate(items) if item.error is None]
    if not tasks:
        return
    size, needs = _pool(ray, work, workers)
    data = ray.data.DataContext.get_current()
    data.enable_progress_bars = False
    data.execution_options.preserve_order = False
    here = ray.get_runtime_context().get_node_id()
    near = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy(here, soft=True)
    starts = ray.remote(Starts).options(num_cpus=0, scheduling_strategy=near).remote()
    given = {"work": ray.put(work), "done": ray.put(done), "starts": starts}
    rows = ray.data.from_items(tasks, override_num_blocks=min(len(tasks), MOST_TASKS))
    read = rows.map_batches(
        FaceReader,
        fn_constructor_kwargs=given,
        batch_size=1,
        # Two tasks a worker: the next file waits beside the one that is read, and no more.
        compute=ray.data.ActorPoolStrategy(size=size, max_tasks_in_flight_per_actor=2),
        **needs,
    )
    try:
        yield from read.iter_rows()
    except ray.exceptions.RayError as error:
        lines = [line for line in str(error).splitlines() if line.strip()]
        raise OptionError(
            f"The workers cannot work: {lines[-1].strip()[:300].rstrip('.') if lines else error}. "
            "Every machine of the cluster needs this program and its packages, of the same "
            "versions. What is done is kept."
        ) from None


def _pool(ray: Any, work: Work, workers: int | None) -> tuple[int, dict[str, Any]]:
    """How many workers, and what each takes: a GPU where Keras runs the network, else a core."""
    there = ray.cluster_resources()
    gpus, cores = int(there.get("GPU", 0)), int(there.get("CPU", 0))
    on_gpus = work.options.runtime == "keras" and gpus > 0
    room = gpus if on_gpus else cores
    if workers is not None and workers > room:
        raise OptionError(
            f"--workers {workers} is more than the cluster has {'GPUs' if on_gpus else 'cores'}: "
            f"{room}. Give {room} or fewer."
        )
    needs = {"num_gpus": 1} if on_gpus else {"num_cpus": 1}
    return workers or max(1, room), needs


def work_of(chosen: AnalyzerOptions, runtime: str, every: int = 1) -> Work:
    """What every worker does, and the model folder for it.

    Args:
        chosen: how pictures are analysed.
        runtime: what runs the network, by its own name.
        every: in clips, every n-th frame is analysed.
    """
    folder = model_folder(chosen.model)
    files = {file.name: file.read_bytes() for file in sorted(folder.iterdir()) if file.is_file()}
    # What was chosen here holds everywhere, also on a machine that would choose otherwise; and
    # workers, one a core, do not fight over cores.
    threads = chosen.threads or 1
    detecting = chosen.detector_options or DetectorOptions()
    detecting = replace(detecting, threads=detecting.threads or 1)
    options = replace(chosen, runtime=runtime, threads=threads, detector_options=detecting)
    return Work(options, every, files)


def _check(options: argparse.Namespace) -> None:
    check_address(options.ray)
    for name in _NOT_HERE:
        if getattr(options, name) is not None:
            raise OptionError(
                f"--{name} does not go with --ray, which writes Parquet into --out. Leave it away."
            )
    if options.out is None:
        raise OptionError("--ray needs --out DIR, the folder for its results.")
    if options.out.exists() and not options.out.is_dir():
        raise OptionError(f"--out {options.out} is a file. Give the name of a folder.")
    if options.workers is not None and options.workers < 1:
        raise OptionError(f"--workers must be at least 1. Received: {options.workers}.")


@contextlib.contextmanager
def _said_nothing() -> Iterator[None]:
    """Ray prints what happens to its workers; what it means for a file is said by the run."""
    with contextlib.redirect_stdout(io.StringIO()):
        yield
