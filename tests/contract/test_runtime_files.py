"""Model folders that a runtime refuses: altered, incomplete, or of another kind."""

from __future__ import annotations

from pathlib import Path

import pytest

from fer_core.classifier import Classifier
from fer_core.errors import ModelError
from fer_core.model_store import ModelCard, file_sha256, load_card, write_card
from fer_core.runtimes import create_runtime
from tests.contract.kinds import FILES, NAMES


@pytest.mark.parametrize("name", NAMES)
def test_an_altered_file_is_not_opened(name: str, copied: Path) -> None:
    file = copied / FILES[name]
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    with pytest.raises(ModelError, match="SHA-256 differs"):
        Classifier(copied, name)


@pytest.mark.parametrize("name", NAMES)
def test_a_missing_file_is_said(name: str, copied: Path) -> None:
    (copied / FILES[name]).unlink()
    with pytest.raises(ModelError, match=f"lacks {FILES[name]}"):
        Classifier(copied, name)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("content", [b"", b"not a network at all", b"PK\x03\x04" + b"\0" * 64])
def test_a_file_that_is_no_network_is_said(name: str, content: bytes, tmp_path: Path) -> None:
    file = tmp_path / FILES[name]
    file.write_bytes(content)
    listed = {file.name: {"sha256": file_sha256(file), "bytes": len(content)}}
    write_card(ModelCard("wrong", "none", 48, files=listed), tmp_path)
    with pytest.raises(ModelError, match=r"cannot be (run|loaded) by .*export"):
        create_runtime(name, tmp_path)


@pytest.mark.parametrize("name", NAMES)
def test_a_network_of_another_size_is_said(name: str, copied: Path) -> None:
    card = load_card(copied)
    write_card(ModelCard(card.name, card.architecture, 56, files=card.files), copied)
    with pytest.raises(ModelError, match=r"must map .*56"):
        create_runtime(name, copied)


@pytest.mark.parametrize(
    ("classes", "channels"), [(("happy", "sad"), 1), (None, 3)], ids=["classes", "channels"]
)
def test_a_card_of_another_kind_is_said(
    classes: tuple[str, ...] | None, channels: int, copied: Path
) -> None:
    card = load_card(copied)
    other = ModelCard(
        card.name, "none", 48, classes or card.classes, channels=channels, files=card.files
    )
    write_card(other, copied)
    with pytest.raises(ModelError, match="this program runs networks that give angry, disgust"):
        create_runtime("litert", copied)
