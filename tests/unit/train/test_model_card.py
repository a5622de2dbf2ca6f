"""The README of a model folder: made from its figures, and in step with them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from fer_core.emotions import CLASSES
from fer_core.errors import ModelError
from fer_core.model_store import ModelCard, list_models, load_card, models_root, write_card
from tests.made_models import made_evaluation
from train.cli import main
from train.model_card import NOISE, OUT_OF_SCOPE, describe_folder, limits, readme_text

SECTIONS = (
    "Intended use",
    "Out of scope",
    "Data",
    "Protocol",
    "Figures",
    "What it is bad at",
    "Not examined",
    "Files",
)
CARD = ModelCard(
    "made",
    "base",
    48,
    parameters=979_719,
    multiply_adds=33_105_664,
    uncertain_below=0.6,
    training={
        "data": "FER2013, with FER+ votes",
        "classes": {"Training": dict.fromkeys(CLASSES, 1000)},
        "options": {"seed": 4, "teachers": ["one", "two"], "distillation": 0.5},
        "epochs_trained": 9,
        "best_epoch": 7,
        "seconds": 1234,
        "device": "a machine",
    },
)


def scored() -> dict[str, object]:
    """100 images of each class; `fear` is right in 20 of them and called `sad` in 70."""
    found = made_evaluation(0.8, each=100)
    matrix = found["confusion_matrix"]
    fear, sad = CLASSES.index("fear"), CLASSES.index("sad")
    matrix[fear] = [0] * 7
    matrix[fear][fear], matrix[fear][sad], matrix[fear][0] = 20, 70, 10
    found["per_class"]["fear"]["recall"] = 0.2
    found["without_leaked"] = {"images": 600, "accuracy": 0.5}
    return found


@pytest.mark.parametrize("name", list_models(models_root()))
def test_every_shipped_model_has_a_page_that_fits_its_figures(name):
    folder = models_root() / name
    evaluation = json.loads((folder / "evaluation.json").read_text())
    card = load_card(folder)
    written = (folder / "README.md").read_text(encoding="utf-8")
    assert written == readme_text(card, evaluation), f"run `python -m train card --model {name}`"
    assert [line[3:] for line in written.splitlines() if line.startswith("## ")] == list(SECTIONS)
    assert "No demographic audit was made" in written
    assert evaluation["network"]["parameters"] == card.parameters


def test_it_says_what_the_network_is_bad_at():
    text = readme_text(CARD, {"PrivateTest": scored()})
    worst = next(line for line in text.splitlines() if line.startswith("- It misses most"))
    assert worst.startswith("- It misses most: fear (finds 20.0 %, 13.3 to 28.9, most often taken")
    assert "taken for sad" in worst
    assert "| fear | 100 | 20.0 % (13.3 to 28.9)" in text
    assert "sad (70.0 %) |" in text
    assert "100 images of PrivateTest also stand in Training" in text
    assert "without them 50.0 % (46.0 to 54.0) of 600 are right" in text


def test_it_says_how_it_was_trained():
    text = readme_text(CARD, {})
    assert "There is no evaluation in this folder." in text
    assert "| Training | 7,000 | 1,000 |" in text
    assert "One run, seed 4: 9 epochs, of which 7 was the best on PublicTest, 1,234 seconds" in text
    assert "50 % of each target are the mean answers of other networks: `one`, `two`." in text
    assert "The model folders of its teachers, `one`, `two`, have to be there first" in text
    assert "--ferplus fer2013new.csv --config models/made/options.json" in text


def test_a_network_that_learned_from_its_like_says_that_it_was_an_earlier_one():
    options = {"teachers": [CARD.name], "start_from": CARD.name}
    training = CARD.training | {"options": CARD.training["options"] | options}
    text = readme_text(replace(CARD, training=training), {})
    assert f"It began with the weights of an earlier `{CARD.name}`." in text
    assert f"are the answers of another network: an earlier `{CARD.name}`." in text
    assert f"The model folder of its teacher, an earlier `{CARD.name}`, has to be there" in text


def test_it_says_whose_labels_and_weights_it_learned_from():
    options = {
        "labels": "ferplus",
        "ferplus_targets": "soft",
        "vote_smoothing": 0.2,
        "start_from": "plain48",
        "scenes": "haar",
    }
    training = CARD.training | {"options": CARD.training["options"] | options}
    text = readme_text(replace(CARD, training=training), {})
    assert "with the class that most of ten people voted for (FER+) as label" in text
    assert "no more than half agree, as FER+'s authors score" in text
    assert NOISE["ferplus"] in text
    assert NOISE["fer2013"] not in text
    assert "% of what the labels ask for follows" not in text, "all of it does"
    assert "search word" not in text
    assert "- It began with the weights of `plain48`." in text
    assert "- Networks named here are meant as they were then" in text
    assert "- Beside each training image stood the crop that haar made of it" in text
    assert "Each target in training is the share of the FER+ votes for each class." in text
    assert "The model folder of `plain48` has to be there first." in text
    plain = readme_text(CARD, {})
    assert "Beside each training image" not in plain
    assert "labelled by search word and checked by people" in plain
    assert "began with" not in plain
    taught = CARD.training | {"options": CARD.training["options"] | {"teachers": ["one"]}}
    assert "as they were then" in readme_text(replace(CARD, training=taught), {})
    alone = CARD.training | {"options": CARD.training["options"] | {"distillation": 0.0}}
    assert "as they were then" not in readme_text(replace(CARD, training=alone), {})


def test_it_says_what_other_seeds_came_to_where_that_is_known():
    assert "How much another seed would change is not known." in readme_text(CARD, {})
    training = CARD.training | {"seeds": {"4": 0.7286, "5": 0.7253, "6": 0.7278}}
    text = readme_text(replace(CARD, training=training), {})
    assert "Seeds 4, 5, 6 reached 72.9, 72.5, 72.8 % of PublicTest in such runs, 72.7 in" in text
    assert "another seed" not in text


def test_an_empty_card_is_described_too():
    text = readme_text(ModelCard("bare", "base", 48), {})
    assert "Unknown" in text
    assert "one of seven" in text


def test_the_command_writes_words_and_page(tmp_path, capsys):
    folder = tmp_path / "three"
    folder.mkdir()
    classes = ("happy", "sad", "neutral")
    write_card(replace(CARD, name="three", classes=classes, limits=("An old one.",)), folder)
    assert main(["card", "--model", str(folder)]) == 0
    assert capsys.readouterr().out.strip() == str(folder / "README.md")
    card = load_card(folder)
    assert "one of three" in card.intended_use
    assert (card.out_of_scope, card.limits) == (OUT_OF_SCOPE, limits(CARD))
    assert card.training == CARD.training
    assert all(sentence in (folder / "README.md").read_text() for sentence in card.limits)


def test_what_cannot_be_described_is_one_sentence(tmp_path, monkeypatch):
    with pytest.raises(ModelError, match="There is no model called"):
        describe_folder(str(tmp_path / "none"))
    write_card(CARD, tmp_path)
    (tmp_path / "evaluation.json").write_text("{")
    with pytest.raises(ModelError, match=r"evaluation\.json cannot be read"):
        describe_folder(str(tmp_path))
    (tmp_path / "evaluation.json").unlink()

    def full(*arguments: object) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("train.model_card.write_text", full)
    with pytest.raises(ModelError, match=r"No space left on device\. Make room and try again"):
        describe_folder(str(tmp_path))
