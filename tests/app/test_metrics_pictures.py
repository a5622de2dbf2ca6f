"""The Training metrics tab with and without a data set to show pictures of."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.app.metrics_made import make_full_model, write_dataset
from tests.app.metrics_page import (
    html,
    notes,
    opened,
    section,
)


def test_without_a_data_set_it_says_how_to_name_one(models: Path) -> None:
    make_full_model(models / "only")
    tab = section(opened(), "Confusion")
    assert "FER_LIVE_DATA=/path/to/fer2013.csv" in notes(tab)
    assert "Folders" in notes(tab)
    assert "<img" not in html(tab)


def test_the_pictures_of_a_mistake(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_full_model(models / "only")
    monkeypatch.setenv("FER_LIVE_DATA", str(write_dataset(tmp_path / "fer2013.npz")))
    tab = section(opened(), "Confusion")
    tab.selectbox(key="metrics_truth").select("fear").run()
    tab.selectbox(key="metrics_answer").select("sad").run()
    assert not tab.exception
    assert not tab.info
    assert not tab.warning
    # Rows of fear: 2, 9, 16 after those of the other splits.
    assert re.findall(r"row (\d+)", html(tab)) == ["170", "177", "184"]
    assert html(tab).count("<img") == 3
    assert "90% sure" in html(tab)
    tab.selectbox(key="metrics_answer").select("fear").run()
    assert "These answers are right" in notes(tab)
    section(tab, "Data")
    assert html(tab).count("<img") == 70
    before = html(tab)
    tab.button[0].click().run()
    assert html(tab) != before
    tab.selectbox(key="metrics_sample_split").select("Training").run()
    assert max(map(int, re.findall(r"row (\d+)", html(tab)))) < 84


def test_a_data_set_named_on_the_page(models: Path, tmp_path: Path) -> None:
    make_full_model(models / "only")
    file = write_dataset(tmp_path / "fer2013.npz")
    tab = section(opened(), "Confusion")
    tab.text_input(key="metrics_data").set_value(str(file)).run()
    assert not tab.exception
    assert html(tab).count("<img") == 3


@pytest.mark.parametrize(
    ("content", "words"),
    [(None, "There is no data set at"), (b"PK", "cannot be read"), (b"", "cannot be read")],
)
def test_a_data_set_that_cannot_be_read_is_a_sentence(
    content: bytes | None,
    words: str,
    models: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make_full_model(models / "only")
    file = tmp_path / "fer2013.npz"
    if content is not None:
        file.write_bytes(content)
    monkeypatch.setenv("FER_LIVE_DATA", str(file))
    for name in ("Confusion", "Data"):
        tab = section(opened(), name)
        assert words in tab.warning[0].value


def test_a_data_set_of_another_order_shows_no_wrong_pictures(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_full_model(models / "only")
    data = json.loads((folder / "evaluation.json").read_text())
    for answers in data["PrivateTest"]["mistakes"].values():
        for rows in answers.values():
            for row in rows:
                row[0] += 1
    (folder / "evaluation.json").write_text(json.dumps(data))
    monkeypatch.setenv("FER_LIVE_DATA", str(write_dataset(tmp_path / "fer2013.npz")))
    tab = section(opened(), "Confusion")
    assert "another order" in tab.warning[0].value
    assert "<img" not in html(tab)


def test_a_page_for_others_does_not_ask_for_paths(
    models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_full_model(models / "only")
    monkeypatch.setattr("ui.metrics_pictures.only_this_machine", lambda: False)
    tab = section(opened(), "Confusion")
    assert not tab.text_input
    assert "FER_LIVE_DATA" in notes(tab)
    assert "Folders" not in notes(tab)
