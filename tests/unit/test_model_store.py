"""Names in a models folder lead to what lies in it, and nowhere else."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from fer_core.errors import ModelError
from fer_core.model_store import (
    CropSpec,
    ModelCard,
    default_model_name,
    file_sha256,
    load_card,
    model_folder,
    verify_model,
    write_card,
)
from tests.made_models import make_model


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A models folder, and a model outside of it that `../x` would lead to from anywhere near."""
    root = tmp_path / "models"
    make_model(root / "made")
    make_model(tmp_path / "x")
    (tmp_path / "evil").write_bytes(b"not ours")
    monkeypatch.chdir(root)
    return root


@pytest.mark.parametrize("name", ["../x", "../models/made", "./made", ".", "..", "made/../../x"])
def test_the_default_model_is_a_folder_beside_the_file_that_names_it(root: Path, name: str) -> None:
    (root / "default").write_text(f"{name}\n")
    for ask in (default_model_name, lambda root: model_folder(None, root)):
        with pytest.raises(ModelError, match="is not a plain folder name") as caught:
            ask(root)
        assert name in str(caught.value)
    (root / "default").write_text("made\n")
    assert model_folder(None, root) == root / "made"


def test_an_absolute_path_is_no_default_either(root: Path, tmp_path: Path) -> None:
    (root / "default").write_text(str(tmp_path / "x"))
    with pytest.raises(ModelError, match="is not a plain folder name"):
        model_folder(None, root)


@pytest.mark.parametrize("name", ["../evil", "../../evil", "a/../../../evil", "..", "..\\evil"])
@pytest.mark.parametrize("only", [False, True])
def test_a_card_lists_files_of_its_own_folder_alone(root: Path, name: str, only: bool) -> None:
    """Even one whose checksum is right is not opened."""
    outside = root / "evil"
    outside.write_bytes(b"not ours")
    listed = {name: {"sha256": file_sha256(outside), "bytes": 8}}
    folder = root / "made"
    write_card(replace(load_card(folder), files=listed), folder)
    with pytest.raises(ModelError, match="is not a plain file name") as caught:
        verify_model(folder, name if only else None)
    assert repr(name) in str(caught.value)


@pytest.mark.parametrize("tilt", [-1, 181, "12", None])
def test_a_tilt_that_is_none_is_said(tilt: object, tmp_path: Path) -> None:
    write_card(ModelCard("made", "none", 48), tmp_path)
    card = json.loads((tmp_path / "card.json").read_text())
    card["crop"]["tilt"] = tilt
    (tmp_path / "card.json").write_text(json.dumps(card))
    with pytest.raises(ModelError, match=r"out of range: a tilt of .* degrees"):
        load_card(tmp_path)


@pytest.mark.parametrize(
    ("crop", "words"),
    [
        (CropSpec(), "levelled"),
        (CropSpec(tilt=12.0), "levelled beyond 12 degrees"),
        (CropSpec(align=False, tilt=12.0), "as they are"),
    ],
)
def test_what_becomes_of_the_eyes_in_words(crop: CropSpec, words: str) -> None:
    assert crop.eyes == words
