"""What teachers said of crops that come again: asked once, by however many runs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import train.architectures as registry
from fer_core.errors import OptionError
from train.answers import Remembered, answers_folder
from train.augmentation import AugmentationOptions
from train.fit import fit
from train.many import Planned, run_queue
from train.options import TrainOptions
from train.seen import SEEN_FILE
from train.teachers import Teachers

from .made import made_dataset
from .tiny import QUICK, Tiny, teacher_folder

CROPS = np.arange(5 * 4 * 4, dtype=np.float32).reshape(5, 4, 4, 1)
TRAINING = made_dataset().split("Training")


class Asked:
    """A teacher that counts; its answer tells which crops it saw."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.keys: list[tuple[int, int]] = []
        self._seconds = seconds

    def __call__(self, key: tuple[int, int], crops: Callable[[], Any]) -> Any:
        self.keys.append(key)
        time.sleep(self._seconds)
        return keras.ops.convert_to_tensor(np.asarray(crops()).mean(axis=(1, 2)))


def plain(answer: Any) -> np.ndarray:
    return np.asarray(keras.ops.convert_to_numpy(answer))


@pytest.mark.parametrize("in_files", [False, True])
def test_a_key_is_asked_about_once(tmp_path, in_files):
    asked = Asked()
    remembered = Remembered(asked, tmp_path if in_files else None)
    first = plain(remembered((1, 0), lambda: CROPS))
    np.testing.assert_array_equal(plain(remembered((1, 0), lambda: CROPS + 1)), first)
    np.testing.assert_array_equal(plain(remembered((1, 1), lambda: CROPS + 1)), first + 1)
    assert asked.keys == [(1, 0), (1, 1)]


def test_crops_whose_answer_is_known_are_not_made_for_the_teacher():
    remembered = Remembered(Asked())
    remembered((1, 0), lambda: CROPS)

    def makes() -> None:
        raise AssertionError("they were made again")

    remembered((1, 0), makes)


def test_a_later_run_reads_what_an_earlier_one_was_told(tmp_path):
    told = plain(Remembered(Asked(), tmp_path)((3, 2), lambda: CROPS))
    later = Asked()
    np.testing.assert_array_equal(plain(Remembered(later, tmp_path)((3, 2), lambda: CROPS)), told)
    assert later.keys == []
    assert not list(tmp_path.glob("*.part"))


def test_runs_side_by_side_ask_once_between_them(tmp_path):
    asked = Asked(seconds=0.3)
    answers: list[np.ndarray] = []

    def run() -> None:
        answers.append(plain(Remembered(asked, tmp_path)((1, 0), lambda: CROPS)))

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert asked.keys == [(1, 0)]
    assert len(answers) == 4
    assert all(np.array_equal(answer, answers[0]) for answer in answers)


def folder(
    options: TrainOptions = QUICK,
    teachers: tuple[str, ...] = ("one abc",),
    pieces: str = "chunks",
    training: Any = TRAINING,
) -> Path:
    return answers_folder(Path("x"), teachers, training, options, pieces)


@pytest.mark.parametrize(
    "change",
    [{"epochs": 9}, {"architecture": "plain48"}, {"learning_rate": 0.2}, {"dropout": 0.5}],
    ids=str,
)
def test_runs_with_the_same_crops_share_a_folder(change):
    assert folder(replace(QUICK, **change)) == folder()


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 2},
        {"batch_size": 7},
        {"mixup": 0.1},
        {"cutmix": 0.1},
        {"class_balance": "sampling"},
        {"augmentation": AugmentationOptions(rotation=1.0)},
    ],
    ids=str,
)
def test_other_crops_have_another_folder(change):
    assert folder(replace(QUICK, **change)) != folder()


def test_other_teachers_rows_or_pieces_have_another_folder():
    others = [
        folder(teachers=("one abd",)),
        folder(teachers=("one abc", "two abc")),
        folder(pieces="batches"),
        folder(training=TRAINING.take(np.arange(len(TRAINING)) != 3)),
    ]
    assert len({folder(), *others}) == 5


def test_runs_from_several_seeds_share_a_folder_by_the_seed_of_their_crops():
    shared = folder(replace(QUICK, seed=5, crops_seed=9))
    assert shared == folder(replace(QUICK, seed=6, crops_seed=9))
    assert shared == folder(replace(QUICK, seed=9))
    assert shared != folder(replace(QUICK, seed=5))


def test_the_seed_of_crops_makes_the_crops_and_the_seed_the_weights(tmp_path, monkeypatch):
    monkeypatch.setitem(registry.ARCHITECTURES, "tiny", Tiny)
    several = [
        replace(QUICK, epochs=1, seed=1),
        replace(QUICK, epochs=1, seed=2, crops_seed=1),
        replace(QUICK, epochs=1, seed=2),
    ]
    seen, losses = [], []
    for number, options in enumerate(several):
        run = tmp_path / str(number)
        run.mkdir()
        _, history = fit(made_dataset(), options, run)
        seen.append((run / SEEN_FILE).read_bytes())
        losses.append(history[0]["loss"])
    assert seen[0] == seen[1] != seen[2]
    assert losses[0] != losses[1]


def test_answers_without_rounds_are_refused():
    with pytest.raises(OptionError, match=r"Give --distillation-rounds too"):
        replace(QUICK, answers="here")


def test_a_second_student_asks_nobody(tmp_path, monkeypatch):
    monkeypatch.setitem(registry.ARCHITECTURES, "tiny", Tiny)
    asked: list[int] = []
    of_crops = Teachers.of_crops
    monkeypatch.setattr(
        Teachers, "of_crops", lambda self, crops: asked.append(len(crops)) or of_crops(self, crops)
    )
    options = replace(
        QUICK,
        teachers=(str(teacher_folder(tmp_path / "teacher", 5)),),
        distillation=0.8,
        distillation_views="seen",
        distillation_rounds=2,
        answers=str(tmp_path / "answers"),
    )
    _, first = fit(made_dataset(), options, tmp_path / "first")
    count = len(asked)
    assert count == 2 * 3
    _, second = fit(made_dataset(), replace(options, learning_rate=0.01), tmp_path / "second")
    assert len(asked) == count
    assert [row["loss"] for row in first] != [row["loss"] for row in second]
    _, again = fit(made_dataset(), options, tmp_path / "again")
    assert [row["loss"] for row in again] == pytest.approx([row["loss"] for row in first], rel=1e-5)


def test_the_students_of_a_queue_share_a_folder_beside_them(tmp_path, monkeypatch):
    monkeypatch.setitem(registry.ARCHITECTURES, "tiny", Tiny)
    asked: list[Path] = []
    monkeypatch.setattr(
        "train.many.train_and_ship",
        lambda dataset, options, folder, **how: asked.append(Path(options.answers)) or "done",
    )
    options = replace(
        QUICK,
        teachers=("plain48",),
        distillation=0.8,
        distillation_views="seen",
        distillation_rounds=2,
        answers="said",
    )
    planned = [Planned("one", options), Planned("two", options), Planned("three", QUICK)]
    results = run_queue(planned, made_dataset(), tmp_path / "out", said=lambda text: None)
    assert [result.state for result in results] == ["done"] * 3
    assert asked == [tmp_path / "out" / "said"] * 2 + [Path()]
