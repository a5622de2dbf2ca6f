"""What a model folder says to people: the words of its card, and a README made from its figures."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from fer_core.errors import ModelError
from fer_core.model_store import ModelCard, load_card, model_folder, write_card
from train.card_options import labels_of, options_of
from train.checkpoint import write_text
from train.evaluation import EVALUATION_FILE
from train.model_card_figures import figures_lines, weaknesses_lines

README_FILE = "README.md"

NOISE = {
    "fer2013": "FER2013's labels are noisy: people agree with them about two times in three.",
    "ferplus": "The ten voters of FER+ often disagree: of every nine images whose votes favour a "
    "class one has no class with more than half of them, and that one is not scored.",
}
"""By the labels that a network learned: how far these can be trusted."""

OUT_OF_SCOPE = (
    "Judging workers, applicants or pupils, and any decision about a person. The EU's AI Act, "
    "Article 5(1)(f), forbids that at work and in education.",
    "Findings about health or mind, lie detection, guesses at what somebody thinks or intends.",
    "Telling who somebody is: it knows no identities.",
    "Pictures without a face, drawings, animals, faces seen from the side or from behind.",
)


def intended_use(classes: tuple[str, ...]) -> str:
    """What a network that tells these classes apart is for."""
    return (
        f"Naming the expression that a face shows, one of {_counted(len(classes))}, in pictures, "
        "clips and live video, for learning, research and play, with the knowledge of the people "
        "seen."
    )


def limits(card: ModelCard) -> tuple[str, ...]:
    """What any network that learned such labels cannot do."""
    return (
        "It reads what a face shows in one picture, not what a person feels.",
        NOISE[labels_of(card)],
        "The images were found by web search on emotion words; posed and exaggerated faces are "
        "many.",
        "Faces turned far from the camera, covered, very small or very dark are often read "
        "wrongly.",
        "No audit by age, sex, skin colour or origin was made, since the data carry no such "
        "labels.",
    )


def with_words(card: ModelCard) -> ModelCard:
    """The card with this version's words on use and limits."""
    return replace(
        card,
        intended_use=intended_use(card.classes),
        out_of_scope=OUT_OF_SCOPE,
        limits=limits(card),
    )


def describe_folder(name: str) -> Path:
    """Write the words of a card, and the README of its folder, anew; figures stay as they are.

    Args:
        name: of the model folder, or a path to one.

    Returns:
        The README.

    Raises:
        ModelError: there is no such folder, it is damaged, or it cannot be written.
    """
    folder = model_folder(name)
    card = load_card(folder)
    try:
        write_card(with_words(card), folder)
        return write_readme(folder)
    except OSError as error:
        raise ModelError(f"{folder} cannot be written: {error}. Make room and try again.") from None


def write_readme(folder: Path) -> Path:
    """Write `README.md` of a model folder from its card and evaluation; returns the file."""
    file = folder / README_FILE
    write_text(file, readme_text(load_card(folder), _evaluation(folder)))
    return file


def readme_text(card: ModelCard, evaluation: dict[str, Any]) -> str:
    """The README of a model folder.

    Args:
        card: of the folder.
        evaluation: what its `evaluation.json` holds; empty where there is none.
    """
    lines = [
        f"# {card.name}",
        "",
        f"A network of architecture `{card.architecture}` (`train/architectures`) that names the "
        f"expression of a face, one of {_counted(len(card.classes))}: {', '.join(card.classes)}. "
        f"It takes {card.input_size}x{card.input_size} "
        f"{'grey' if card.channels == 1 else 'grey (as three equal channels)'} pixels, has "
        f"{card.parameters:,} parameters and needs {card.multiply_adds:,} multiply-adds a face.",
        "",
        "This page was written by `python -m train card` from `card.json` and `evaluation.json`.",
        "",
        "## Intended use",
        "",
        card.intended_use or intended_use(card.classes),
        "",
        "## Out of scope",
        "",
        *_bullets(card.out_of_scope or OUT_OF_SCOPE),
        "",
        "## Data",
        "",
        *_data_lines(card),
        "",
        "## Protocol",
        "",
        *_protocol_lines(card),
        "",
        "## Figures",
        "",
        *figures_lines(card, evaluation),
        "",
        "## What it is bad at",
        "",
        *weaknesses_lines(evaluation),
        *_bullets(card.limits or limits(card)),
        "",
        "## Not examined",
        "",
        "No demographic audit was made: how often it is right about people of one age, sex, skin "
        "colour or origin, compared with others, is not known. It was scored on FER2013 alone.",
        "",
        "## Files",
        "",
        *_file_lines(card),
    ]
    return "\n".join(lines) + "\n"


def _data_lines(card: ModelCard) -> list[str]:
    training = card.training
    if labels_of(card) == "ferplus":
        labelled = (
            "with the class that most of ten people voted for (FER+) as label; pictures without a "
            "face or such a class are left out, and of the splits that are scored those too where, "
            "single votes left out, no more than half agree, as FER+'s authors score"
        )
    else:
        labelled = "labelled by search word and checked by people"
    lines = [
        f"{training.get('data', 'Unknown')}. Web pictures, 48x48 grey, {labelled}; none of them is "
        "in this folder."
    ]
    counts = training.get("classes") or {}
    if counts:
        lines += ["", f"| split | images | {' | '.join(card.classes)} |"]
        lines.append("|---" * (2 + len(card.classes)) + "|")
        for split, found in counts.items():
            cells = " | ".join(f"{found.get(name, 0):,}" for name in card.classes)
            lines.append(f"| {split} | {sum(found.values()):,} | {cells} |")
    return lines


def _protocol_lines(card: ModelCard) -> list[str]:
    training = card.training
    options = options_of(card)
    lines = [f"- {_sentence(training.get('protocol', 'Unknown'))}"]
    if "epochs_trained" in training:
        lines.append(
            f"- One run, seed {options.get('seed', 'unknown')}: {training['epochs_trained']} "
            f"epochs, of which {training['best_epoch']} was the best on PublicTest, "
            f"{training['seconds']:,} seconds on {training['device']}. "
            + _of_other_seeds(training.get("seeds") or {})
        )
    if options.get("start_from"):
        lines.append(f"- It began with the weights of {_named(options['start_from'], card)}.")
    if options.get("distillation"):
        teachers = [_named(name, card) for name in options.get("teachers") or ()]
        share = f"{100 * options['distillation']:.0f} % of each target"
        if len(teachers) > 1:
            others = ", ".join(teachers)
            lines.append(f"- {share} are the mean answers of other networks: {others}.")
        else:
            other = teachers[0] if teachers else "probabilities from a file"
            lines.append(f"- {share} are the answers of another network: {other}.")
    if options.get("start_from") or (options.get("distillation") and options.get("teachers")):
        lines.append(
            "- Networks named here are meant as they were then; what has such a name today may be "
            "a later one."
        )
    if options.get("scenes", "off") != "off":
        lines.append(
            f"- Beside each training image stood the crop that {options['scenes']} made of it, "
            "where it found the face in a webcam's picture."
        )
    if options.get("ferplus_targets") == "soft":
        lines.append("- Each target in training is the share of the FER+ votes for each class.")
    elif options.get("vote_smoothing") and "FER+" in training.get("data", ""):
        lines.append(
            f"- {100 * options['vote_smoothing']:.0f} % of what the labels ask for follows the "
            "FER+ votes."
        )
    if options.get("drop_not_a_face") and "FER+" in training.get("data", ""):
        lines.append("- Training rows that FER+ calls not a face were left out.")
    lines.append("- Every option of the run is in `options.json`, its curves in `history.csv`.")
    lines.append(
        f"- Chosen on PublicTest: temperature {card.temperature:g}, and the confidence under which "
        f"an answer is called uncertain, {100 * card.uncertain_below:.0f} %."
    )
    return lines


def _file_lines(card: ModelCard) -> list[str]:
    if not card.files:
        return ["Figures and curves only. The network itself is made again by", "", *_fit(card)]
    lines = ["| file | bytes | SHA-256 |", "|---|---|---|"]
    lines += [
        f"| `{name}` | {file['bytes']:,} | `{file['sha256']}` |"
        for name, file in card.files.items()
    ]
    versions = ", ".join(f"{name} {version}" for name, version in card.versions.items())
    lines += ["", f"Made with {versions}. Trained again by", "", *_fit(card)]
    lines += [
        "",
        "It is scored again by",
        "",
        f"    python -m train evaluate --model {card.name} --data PATH --split PrivateTest",
    ]
    return lines


def _of_other_seeds(seeds: dict[str, float]) -> str:
    """What the seed does to the accuracy on PublicTest, where more than one run was made."""
    if not seeds:
        return "How much another seed would change is not known."
    found = ", ".join(f"{100 * accuracy:.1f}" for accuracy in seeds.values())
    mean = sum(seeds.values()) / len(seeds)
    return (
        f"Seeds {', '.join(seeds)} reached {found} % of PublicTest in such runs, {100 * mean:.1f} "
        "in the mean."
    )


def _fit(card: ModelCard) -> list[str]:
    votes = "--ferplus fer2013new.csv " if "FER+" in card.training.get("data", "") else ""
    config = f"models/{card.name}/options.json"
    lines = [f"    python -m train fit --data PATH {votes}--config {config} --out FOLDER"]
    options = options_of(card)
    start, teachers = options.get("start_from"), options.get("teachers")
    if start:
        lines += ["", f"The model folder of {_named(start, card)} has to be there first."]
    if teachers:
        named = [_named(name, card) for name in teachers]
        lines += ["", f"{_folders(named)} there first (`--teachers FOLDER...` for other names)."]
    return lines


def _folders(teachers: Sequence[str]) -> str:
    if len(teachers) == 1:
        return f"The model folder of its teacher, {teachers[0]}, has to be"
    return f"The model folders of its teachers, {', '.join(teachers)}, have to be"


def _named(name: str, card: ModelCard) -> str:
    """A network in words: one may have learned from another that had its name before it."""
    return f"an earlier `{name}`" if name == card.name else f"`{name}`"


def _evaluation(folder: Path) -> dict[str, Any]:
    try:
        found = json.loads((folder / EVALUATION_FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise ModelError(f"{folder / EVALUATION_FILE} cannot be read: {error}.") from None
    return found if isinstance(found, dict) else {}


def _bullets(sentences: tuple[str, ...]) -> list[str]:
    return [f"- {sentence}" for sentence in sentences]


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."


def _counted(number: int) -> str:
    words = ("two", "three", "four", "five", "six", "seven", "eight")
    return words[number - 2] if 2 <= number <= 8 else str(number)
