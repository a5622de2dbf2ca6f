"""Model folders made for the tests: figures without a network."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from fer_core.emotions import CLASSES
from fer_core.model_store import ModelCard, write_card


def make_history(file: Path, epochs: int = 12) -> None:
    rows = ["epoch,seconds,learning_rate,loss,accuracy,val_loss,val_accuracy"]
    for epoch in range(1, epochs + 1):
        gain = 1 - 0.8**epoch
        over = 0.01 * max(0, epoch - 8)
        rows.append(
            f"{epoch},61.5,{0.1 / epoch:.5f},{1.9 - 1.2 * gain:.4f},{0.25 + 0.5 * gain:.4f},"
            f"{1.85 - 0.9 * gain + over:.4f},{0.27 + 0.42 * gain - over:.4f}"
        )
    file.write_text("\n".join(rows) + "\n")


def made_evaluation(right: float = 0.7, each: int = 500) -> dict[str, Any]:
    """An evaluation that adds up: `right` of each class is right, the rest is spread evenly."""
    count = len(CLASSES)
    matrix = []
    for row in range(count):
        share = min(0.97, right * (1.25 if row == 3 else 0.75 if row == 2 else 1))
        hits = round(each * share)
        rest, extra = divmod(each - hits, count - 1)
        cells = [rest] * count
        cells[row] = hits
        cells[(row + 1) % count] += extra
        matrix.append(cells)
    per_class = {}
    for index, name in enumerate(CLASSES):
        hits = matrix[index][index]
        answered = sum(row[index] for row in matrix)
        precision, recall = hits / answered, hits / sum(matrix[index])
        f1 = 2 * precision * recall / (precision + recall)
        per_class[name] = {
            "precision": precision,
            "recall": recall,
            "f1": f1,
            "support": sum(matrix[index]),
        }
    images = each * count
    accuracy = sum(matrix[index][index] for index in range(count)) / images
    return {
        "accuracy": accuracy,
        "accuracy_interval": [accuracy - 0.015, accuracy + 0.015],
        "images": images,
        "macro_f1": sum(figures["f1"] for figures in per_class.values()) / count,
        "loss": 0.9,
        "classes": list(CLASSES),
        "per_class": per_class,
        "confusion_matrix": matrix,
        "expected_calibration_error": 0.021,
        "top2_accuracy": 0.86,
    }


def make_model(folder: Path, right: float = 0.7) -> Path:
    """A complete folder, but for the network."""
    folder.mkdir(parents=True)
    make_history(folder / "history.csv")
    splits = {"PrivateTest": right, "PublicTest": right - 0.01, "Training": right + 0.1}
    (folder / "evaluation.json").write_text(
        json.dumps({split: made_evaluation(share) for split, share in splits.items()})
    )
    card = ModelCard(
        name=folder.name,
        architecture="compact48",
        input_size=48,
        parameters=905_000,
        multiply_adds=85_000_000,
        temperature=1.23,
        training={"data": "FER2013", "epochs": 12},
        figures={"PrivateTest": {"accuracy": 0.69, "macro_f1": 0.66, "images": 3589}},
        files={"model.keras": {"sha256": "0" * 64, "bytes": 1}},
        versions={"keras": "3"},
        intended_use="Labels of facial expressions for people who look at themselves.",
        limits=("No demographic audit was made.", "Fear is often taken for sadness."),
    )
    write_card(card, folder)
    return folder
