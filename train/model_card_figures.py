"""The figures of a model's README: tables, and sentences on what the network is bad at."""

from __future__ import annotations

from typing import Any

from fer_core.model_store import ModelCard
from train.metrics import wilson_interval

SPLITS = ("Training", "PublicTest", "PrivateTest")
_SHOWN = ("PrivateTest", "PublicTest")
_WORST = 3


def figures_lines(card: ModelCard, evaluation: dict[str, Any]) -> list[str]:
    """Every split in a table, then each class of the last one that was scored."""
    rows = [(name, evaluation[name]) for name in SPLITS if name in evaluation]
    if not rows:
        return ["There is no evaluation in this folder."]
    lines = [
        "| split | images | top-1 (95 % interval) | macro-F1 | top-2 | mean AUC "
        "| calibration error | before temperature |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, row in rows:
        low, high = row["accuracy_interval"]
        auc = row.get("macro_auc")
        # Evaluations of earlier versions hold less.
        maybe = [
            "" if row.get(key) is None else _percent(row[key])
            for key in (
                "macro_f1",
                "top2_accuracy",
                "expected_calibration_error",
                "expected_calibration_error_before",
            )
        ]
        maybe.insert(2, "" if auc is None else f"{auc:.3f}")
        lines.append(
            f"| {name} | {row['images']:,} | {_percent(row['accuracy'])} ({_bare(low)} to "
            f"{_bare(high)}) | {' | '.join(maybe)} |"
        )
    split, found = _last(evaluation)
    if not found:
        return lines
    lines += ["", *_beside_lines(split, found, card.uncertain_below)]
    return [*lines, "", f"Class by class on {split}:", "", *_class_lines(found)]


def weaknesses_lines(evaluation: dict[str, Any]) -> list[str]:
    """Bullets: classes that are missed, answers not to be relied on, damage that costs most."""
    split, found = _last(evaluation)
    if not found:
        return []
    per_class = found["per_class"]
    missed = sorted(per_class, key=lambda name: float(per_class[name]["recall"]))[:_WORST]
    said = sorted(per_class, key=lambda name: float(per_class[name]["precision"]))[:_WORST]
    lines = [
        f"- It misses most: {_list([_missed(found, name) for name in missed])} ({split}).",
        "- Least to be relied on are its answers "
        + _list([f"{name} (right in {_percent(per_class[name]['precision'])})" for name in said])
        + ".",
    ]
    damage = [
        (float(row["accuracy"]), f"{kind.replace('_', ' ')} at {row['strength']}")
        for kind, rows in (found.get("corruptions") or {}).items()
        for row in rows
    ]
    if damage:
        worst = [f"{words} ({_percent(share)})" for share, words in sorted(damage)[:_WORST]]
        lines.append(
            f"- Damaged pictures: right in {_percent(found['corruption_mean'])} of {len(damage)} "
            f"damaged copies of {split} on average, {_percent(found['accuracy'])} undamaged. Worst "
            f"are {_list(worst)}."
        )
    return lines


def _beside_lines(split: str, found: dict[str, Any], threshold: float) -> list[str]:
    lines = []
    fresh = found.get("without_leaked")
    if fresh and fresh["images"]:
        low, high = wilson_interval(round(fresh["accuracy"] * fresh["images"]), fresh["images"])
        lines.append(
            f"- {found['images'] - fresh['images']:,} images of {split} also stand in Training, "
            f"pixel for pixel; without them {_percent(fresh['accuracy'])} ({_bare(low)} to "
            f"{_bare(high)}) of {fresh['images']:,} are right."
        )
    shown = found.get("uncertain")
    if shown:
        lines.append(
            f"- With a label only from {100 * threshold:.0f} % confidence on, "
            f"{_percent(shown['share_shown'])} of {split} get one, and "
            f"{_percent(shown['accuracy_shown'])} of those labels are right."
        )
    lines.append("- One pass a face; no test-time augmentation.")
    return lines


def _class_lines(found: dict[str, Any]) -> list[str]:
    lines = [
        "| class | images | recall (95 % interval) | precision | F1 | most often taken for |",
        "|---|---|---|---|---|---|",
    ]
    for name, row in found["per_class"].items():
        low, high = _recall_interval(row)
        taken = _taken_for(found, name)
        lines.append(
            f"| {name} | {row['support']:,} | {_percent(row['recall'])} ({_bare(low)} to "
            f"{_bare(high)}) | {_percent(row['precision'])} | {_percent(row['f1'])} | "
            f"{'' if taken is None else f'{taken[0]} ({_percent(taken[1])})'} |"
        )
    return lines


def _missed(found: dict[str, Any], name: str) -> str:
    row = found["per_class"][name]
    low, high = _recall_interval(row)
    taken = _taken_for(found, name)
    where = "" if taken is None else f", most often taken for {taken[0]}"
    return f"{name} (finds {_percent(row['recall'])}, {_bare(low)} to {_bare(high)}{where})"


def _recall_interval(row: dict[str, Any]) -> tuple[float, float]:
    return wilson_interval(round(row["recall"] * row["support"]), int(row["support"]))


def _taken_for(found: dict[str, Any], name: str) -> tuple[str, float] | None:
    """The wrong answer that images of a class get most often, and for what share of them."""
    classes = found["classes"]
    row = found["confusion_matrix"][classes.index(name)]
    wrong = {other: count for other, count in zip(classes, row, strict=True) if other != name}
    other = max(wrong, key=lambda key: int(wrong[key]))
    return (other, wrong[other] / sum(row)) if wrong[other] else None


def _last(evaluation: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The split that says most about pictures never seen, and its figures."""
    for name in _SHOWN:
        if name in evaluation:
            return name, evaluation[name]
    return "", {}


def _list(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _bare(share: float) -> str:
    return f"{100 * share:.1f}"
