"""What the tests of the metrics tab look at: folders with every figure, and a data set to match."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from fer_core.emotions import CLASSES
from tests.made_models import made_evaluation, make_model

CORRUPTIONS = ("blur", "noise", "dark", "bright", "jpeg", "low_resolution")
PER_CLASS = 12
"""Images of each class in each split of the data set."""


def full_evaluation(right: float = 0.7, each: int = 500, first_row: int = 0) -> dict[str, Any]:
    """An evaluation with everything that one can hold.

    The mistakes name rows of `write_dataset`, whose rows of class k are k, k + 7, k + 14 ... after
    `first_row`.
    """
    found = made_evaluation(right, each)
    steps = [at / 10 for at in range(11)]
    bins = [
        {
            "low": at / 15,
            "high": (at + 1) / 15,
            "images": 0 if at < 3 else 10 * at,
            "confidence": None if at < 3 else (at + 0.5) / 15,
            "accuracy": None if at < 3 else (at + 0.5) / 15 * right,
        }
        for at in range(15)
    ]
    return {
        **found,
        "macro_auc": 0.5 + right / 2.5,
        "expected_calibration_error_before": 0.06,
        "without_leaked": {"images": 7 * each - 70, "accuracy": found["accuracy"] - 0.01},
        "roc": {
            name: {
                "auc": 0.5 + right / 2.5,
                "false_positive_rate": steps,
                "true_positive_rate": [step ** (1 - right) for step in steps],
            }
            for name in CLASSES
        },
        "precision_recall": {
            name: {
                "average_precision": right,
                "recall": steps,
                "precision": [1 - step * (1 - right) for step in steps],
            }
            for name in CLASSES
        },
        "reliability": {"before": bins, "after": bins},
        "corruptions": {
            name: [
                {"strength": f"level {at}", "accuracy": right * (1 - 0.1 * at)} for at in (1, 2, 3)
            ]
            for name in CORRUPTIONS
        },
        "corruption_mean": right * 0.8,
        "mistakes": {
            truth: {
                answer: [
                    [first_row + CLASSES.index(truth) + 7 * at, round(0.9 - 0.1 * at, 2)]
                    for at in range(3)
                ]
                for answer in CLASSES
                if answer != truth
            }
            for truth in CLASSES
        },
    }


def make_full_model(folder: Path, right: float = 0.7) -> Path:
    """A model folder with full evaluations of PrivateTest and PublicTest, but no network."""
    make_model(folder, right)
    rows = {"PublicTest": 7 * PER_CLASS, "PrivateTest": 14 * PER_CLASS}
    (folder / "evaluation.json").write_text(
        json.dumps({split: full_evaluation(right, first_row=row) for split, row in rows.items()})
    )
    return folder


def write_dataset(file: Path) -> Path:
    """A data set as an npz: the classes take turns, each image is noise of its own."""
    count = 3 * 7 * PER_CLASS
    random = np.random.default_rng(0)
    splits = ("Training", "PublicTest", "PrivateTest")
    np.savez(
        file,
        images=random.integers(0, 255, (count, 48, 48)).astype(np.uint8),
        emotion=np.arange(count) % 7,
        usage=np.repeat(splits, 7 * PER_CLASS),
    )
    return file
