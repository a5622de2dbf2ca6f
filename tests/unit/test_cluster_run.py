"""A run of `analyze --ray` as the command sees it, with a worker of this process in Ray's place."""

from __future__ import annotations

import contextlib
import itertools
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from fer_core import cli
from fer_core.analyzer import AnalyzerOptions
from fer_core.cluster import run as run_module
from fer_core.cluster.places import Item
from fer_core.cluster.reader import FaceReader, Starts, Work
from fer_core.cluster.run import _pool
from fer_core.commands import work as work_module
from fer_core.errors import OptionError
from tests.clips import Clip, make_clip
from tests.unit.test_cluster_parts import all_rows
from tests.unit.test_cluster_worker import batch_of

# How many workers


@pytest.mark.parametrize(
    ("there", "runtime", "workers", "expected"),
    [
        ({"CPU": 8.0}, "litert", None, (8, {"num_cpus": 1})),
        ({"CPU": 8.0}, "litert", 3, (3, {"num_cpus": 1})),
        ({"CPU": 8.0}, "litert", 8, (8, {"num_cpus": 1})),
        ({"CPU": 8.0, "GPU": 2.0}, "litert", None, (8, {"num_cpus": 1})),
        ({"CPU": 8.0, "GPU": 2.0}, "keras", None, (2, {"num_gpus": 1})),
        ({"CPU": 8.0, "GPU": 2.0}, "keras", 1, (1, {"num_gpus": 1})),
        ({"CPU": 8.0}, "keras", None, (8, {"num_cpus": 1})),
        # Machines may still come.
        ({}, "litert", None, (1, {"num_cpus": 1})),
        ({"CPU": 8.0}, "litert", 9, "--workers 9 is more than the cluster has cores: 8. Give 8"),
        ({"CPU": 8.0, "GPU": 2.0}, "keras", 3, "--workers 3 is more than the cluster has GPUs: 2."),
    ],
)
def test_there_is_a_worker_for_each_core_or_each_gpu(
    there: dict[str, float], runtime: str, workers: int | None, expected: Any
) -> None:
    ray = SimpleNamespace(cluster_resources=lambda: there)
    work = Work(AnalyzerOptions(runtime=runtime), 1, {})
    if isinstance(expected, str):
        with pytest.raises(OptionError, match=expected):
            _pool(ray, work, workers)
    else:
        assert _pool(ray, work, workers) == expected


# The same command again


@pytest.fixture
def work_here(monkeypatch: pytest.MonkeyPatch) -> Callable[[int | None], None]:
    """Puts a worker of this process in Ray's place; it is interrupted after so many files."""
    ray = SimpleNamespace(get=lambda given: given)
    monkeypatch.setitem(sys.modules, "ray", ray)
    monkeypatch.setattr(run_module, "import_ray", lambda: ray)
    monkeypatch.setattr(run_module, "session", lambda *_: contextlib.nullcontext())

    def until(most: int | None) -> None:
        def answers_of(
            _: Any, items: list[Item], work: Work, done: frozenset[bytes], workers: int | None
        ) -> Iterator[dict[str, Any]]:
            starts = SimpleNamespace(begin=SimpleNamespace(remote=Starts().begin))
            answers = FaceReader(work, done, starts)(batch_of([item.path for item in items]))
            for answer in itertools.islice(answers, most):
                yield {name: value for name, (value,) in answer.items()}
            if most is not None:
                raise KeyboardInterrupt

        monkeypatch.setattr(run_module, "answers_of", answers_of)

    return until


def test_a_run_that_was_broken_off_goes_on_and_reads_nothing_twice(
    astronaut: np.ndarray,
    tmp_path: Path,
    work_here: Callable[[int | None], None],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    portrait, smaller = tmp_path / "portrait.png", tmp_path / "smaller.png"
    Image.fromarray(astronaut).save(portrait)
    Image.fromarray(astronaut[::2, ::2]).save(smaller)
    files = [portrait, make_clip(tmp_path / "clip.mp4", Clip((160, 120))), smaller]
    analysed: list[str] = []
    analyze = work_module.analyze_source

    def counted(job: Any, source: Any, *rest: Any) -> Any:
        analysed.append(Path(source.path).name)
        return analyze(job, source, *rest)

    monkeypatch.setattr(work_module, "analyze_source", counted)
    out = tmp_path / "out"
    command = ["analyze", "--runtime", "litert", "--ray", *map(str, files), "--out", str(out)]

    work_here(1)
    assert cli.main(command) == 130
    assert "Interrupted; 1 of 3 files are done" in capsys.readouterr().err
    assert {source for _, source, _ in all_rows(out)} == {str(portrait)}

    work_here(None)
    assert cli.main(command) == 0
    said = capsys.readouterr().err
    assert "3 of 3 files analysed, 1 of them in an earlier run." in said
    # As `analyze` says it without --ray; workers, one a core, have one thread each.
    assert " in an earlier run. Runtime: litert (CPU, 1 thread) in each worker. Written: " in said
    rows = all_rows(out)
    assert {source for _, source, _ in rows} == {str(file) for file in files}
    written = {file: file.stat().st_mtime_ns for file in (out / "faces").rglob("*.parquet")}

    assert cli.main(command) == 0
    assert "3 of 3 files analysed, 3 of them in an earlier run." in capsys.readouterr().err
    assert all_rows(out) == rows
    assert {file: file.stat().st_mtime_ns for file in written} == written
    assert analysed == [file.name for file in files]
