"""The Photo tab: pictures of every kind in, faces with bars, heat maps and tables out."""

from __future__ import annotations

import csv
import io
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import streamlit
from PIL import Image
from streamlit.testing.v1 import AppTest

from fer_core.classifier import Classifier
from fer_core.emotions import CLASSES, UNCERTAIN
from fer_core.exports import CSV_COLUMNS
from fer_core.model_store import runnable_models
from fer_core.results import Box, Detection, Face, FrameResult
from tests.made_models import make_model
from ui import photo_tab
from ui.choices import Choice
from ui.photo_parts import faces_html
from ui.photo_pictures import THUMBNAIL, heat_picture, smaller, thumbnail
from ui.photo_tables import csv_table, json_table
from ui.photo_work import MOST_FACES_SHOWN, Photo

ROOT = Path(__file__).resolve().parents[2]
LIMIT = 60.0
CHOICE = Choice("blazeface", "made", 0.5)


def encoded(picture: np.ndarray, kind: str = "JPEG", **options: object) -> bytes:
    held = io.BytesIO()
    Image.fromarray(picture).save(held, kind, **options)
    return held.getvalue()


@pytest.fixture
def portrait(astronaut: np.ndarray) -> bytes:
    return encoded(astronaut[:300, 80:380])


@pytest.fixture
def wall() -> bytes:
    return encoded(np.full((200, 300, 3), 120, np.uint8), "PNG")


def page() -> None:
    from ui import photo_tab

    photo_tab.render()


def opened(*files: tuple[str, bytes]) -> AppTest:
    tab = AppTest.from_function(page, default_timeout=LIMIT).run()
    return drop(tab, *files) if files else tab


def drop(tab: AppTest, *files: tuple[str, bytes]) -> AppTest:
    dropped = [(name, content, "image/jpeg") for name, content in files]
    return ran(tab.file_uploader(key="photo_upload").set_value(dropped or None))


def ran(element: object) -> AppTest:
    tab: AppTest = element.run()  # type: ignore[attr-defined]
    assert not tab.exception
    return tab


def photos(tab: AppTest) -> list[Photo]:
    return list(tab.session_state["photo_done"].values())


def html(tab: AppTest) -> str:
    return "".join(element.proto.body for element in tab.get("html"))


def said(tab: AppTest) -> list[str]:
    """The errors, as they read once their marks have been taken as marks."""
    return [element.value.replace("\\", "") for element in tab.error]


def switch(tab: AppTest, name: str) -> AppTest:
    toggle = next(item for item in tab.toggle if item.key.startswith(f"photo_{name}_"))
    return ran(toggle.set_value(not toggle.value))


def test_an_empty_tab_says_what_may_come_and_where_it_goes_and_no_camera_starts():
    tab = opened()
    assert not tab.exception
    words = tab.caption[0].value
    for part in ("24 pictures", "20 MB", "AVIF", "HEIC", "forgotten"):
        assert part in words
    assert tab.file_uploader(key="photo_upload").accept_multiple_files
    assert not tab.get("camera_input")
    assert not tab.selectbox


def test_every_picture_has_its_faces_bars_and_downloads(portrait, wall):
    tab = opened(("smile.jpg", portrait), ("wall.png", wall))
    first, second = (photo.result for photo in photos(tab))
    assert (len(first.faces), len(second.faces)) == (1, 0)
    assert first.faces[0].label == "happy"
    assert len(tab.image) == 2
    shown = html(tab)
    assert "smile.jpg" in shown
    assert "300 x 300, 1 face" in shown
    assert 'data-label="happy"' in shown
    for name, share in zip(CLASSES, first.faces[0].probabilities, strict=True):
        assert f'data-class="{name}" data-share="{share:.4f}"' in shown
    assert [info.value for info in tab.info] == [photo_tab.NOBODY]
    assert "**1 face** in 2 pictures" in [element.value for element in tab.markdown]
    assert len(tab.get("download_button")) == 2
    assert said(tab) == []


@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_a_picture_lies_as_the_camera_noted_it(astronaut, orientation):
    turns = {3: 2, 6: 1, 8: 3}[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    lying = np.ascontiguousarray(np.rot90(astronaut[:300, 80:360], turns))
    tab = opened(("turned.jpg", encoded(lying, exif=exif)))
    result = photos(tab)[0].result
    assert (result.width, result.height) == (280, 300)
    assert len(result.faces) == 1, "a face that lies on its side is not found"
    with Image.open(io.BytesIO(photos(tab)[0].small)) as small:
        assert small.size == (280, 300)


@pytest.mark.parametrize("kind", ["AVIF", "WEBP", "PNG", "TIFF"])
def test_other_formats(astronaut, kind):
    tab = opened((f"face.{kind.lower()}", encoded(astronaut[:300, 80:380], kind)))
    assert len(photos(tab)[0].result.faces) == 1


def test_each_bad_file_is_one_sentence_that_names_it_and_the_rest_goes_on(portrait, wall):
    large = b"\xff\xd8" + bytes(photo_tab.MOST_MEGABYTES * 1_000_000)
    heic = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(200)
    tab = opened(
        ("empty.jpg", b""),
        ("smile.jpg", portrait),
        ("cut.jpg", portrait[: len(portrait) // 2]),
        ("diary.png", b"Dear diary, " * 50),
        ("large.jpg", large),
        ("phone.jpg", heic),
        ("wall.png", wall),
    )
    sentences = said(tab)
    names = ["empty.jpg", "cut.jpg", "diary.png", "large.jpg", "phone.jpg"]
    assert len(sentences) == len(names)
    for name, sentence in zip(names, sentences, strict=True):
        assert sentence.startswith(f"{name}: ")
        assert sentence.endswith(".")
        assert len(sentence) < 300
    assert "more than the 20 MB" in sentences[3]
    assert "**1 face** in 2 pictures" in [element.value for element in tab.markdown]


def test_a_name_is_never_taken_for_a_path_or_for_markup(portrait):
    evil = "../../x<img src=q onerror=1>![a](http://b.example/c)\u202egpj.jpg"
    tab = opened((evil, b"no picture"), (evil, portrait))
    assert tab.error[0].value.startswith(r"c\)gpj.jpg\: ")
    markup = opened(("<img src=q onerror=1> [a](b).jpg", b"no picture"), ("<b>&.jpg", portrait))
    assert r"\<img src=q onerror=1\> \[a\]\(b\).jpg" in markup.error[0].value
    assert "&lt;b&gt;&amp;.jpg" in html(markup)


def test_more_pictures_than_the_limit_are_said_and_left_out(wall, monkeypatch):
    monkeypatch.setattr(photo_tab, "MOST_PICTURES", 3)
    tab = opened(*((f"{number}.png", wall) for number in range(5)))
    assert len(photos(tab)) == 3
    assert "The last 2 are left out" in tab.warning[0].value


def test_below_the_threshold_a_label_reads_uncertain_without_another_look(portrait, monkeypatch):
    tab = opened(("smile.jpg", portrait))
    before = photos(tab)[0]
    monkeypatch.setattr(photo_tab, "analysed", None)
    model = tab.selectbox(key="photo_model").value
    tab = ran(tab.slider(key=f"photo_threshold_{model}").set_value(100))
    assert f'data-label="{UNCERTAIN}"' in html(tab)
    assert "happy at " in html(tab)
    assert photos(tab)[0] is before


def test_only_models_that_can_run_are_offered(portrait, tmp_path, monkeypatch, model_folder):
    shutil.copytree(model_folder, tmp_path / "real")
    folder = make_model(tmp_path / "figures")
    card = json.loads((folder / "card.json").read_text())
    (folder / "card.json").write_text(json.dumps({**card, "files": {}}))
    (tmp_path / "default").write_text("real\n")
    monkeypatch.setenv("FER_LIVE_MODELS", str(tmp_path))
    tab = opened(("smile.jpg", portrait))
    assert list(tab.selectbox(key="photo_model").options) == runnable_models() == ["real"]


def test_a_model_that_cannot_be_opened_is_said_once_and_not_kept(
    portrait, wall, tmp_path, monkeypatch
):
    make_model(tmp_path / "made")
    (tmp_path / "default").write_text("made\n")
    monkeypatch.setenv("FER_LIVE_MODELS", str(tmp_path))
    tab = opened(("smile.jpg", portrait), ("wall.png", wall))
    assert len(said(tab)) == 1
    assert photos(tab) == []
    (tmp_path / "default").unlink()
    shutil.rmtree(tmp_path / "made")
    assert "no model folder" in said(opened(("smile.jpg", portrait)))[0]


def test_what_the_network_looked_at_is_shown_on_request(portrait):
    tab = opened(("smile.jpg", portrait))
    assert "Heat map" not in html(tab)
    assert photos(tab)[0].attention == []
    tab = switch(tab, "heat")
    assert said(tab) == []
    assert "Heat map of face 1 for happy" in html(tab)
    (attention,) = photos(tab)[0].attention
    assert attention.heat.shape == (48, 48)
    assert attention.probability == pytest.approx(
        photos(tab)[0].result.faces[0].confidence, abs=1e-4
    ), "the crop is the one that was read"
    assert "Heat map" not in html(switch(tab, "heat"))
    assert photos(tab)[0].attention == [attention], "reckoned once"


def test_two_detectors_side_by_side(portrait):
    tab = switch(opened(("smile.jpg", portrait)), "compare")
    assert said(tab) == []
    captions = [caption for image in tab.image for caption in image.captions]
    assert len(captions) == 2
    assert captions[0] == "BlazeFace (fast): 1 face"
    assert captions[1] == "Haar (classic): 1 face"
    boxes = [photo.result.faces[0].box for photo in photos(tab)]
    assert boxes[0] != boxes[1]
    assert boxes[0].iou(boxes[1]) > 0.4


class Taken:
    """What the camera gives. AppTest can put no picture into it on Python 3.10."""

    def __init__(self, content: bytes) -> None:
        self.file_id, self.name, self.size, self._content = "1", "shot.jpg", len(content), content

    def getvalue(self) -> bytes:
        return self._content


def test_a_snapshot_comes_first_and_goes_with_the_camera(portrait, wall, monkeypatch):
    tab = ran(opened(("wall.png", wall)).toggle(key="photo_camera").set_value(True))
    assert len(tab.get("camera_input")) == 1
    monkeypatch.setattr(streamlit, "camera_input", lambda *_, **__: Taken(portrait))
    tab = ran(tab)
    assert html(tab).index("Snapshot") < html(tab).index("wall.png")
    assert len(photos(tab)) == 2
    tab = ran(tab.toggle(key="photo_camera").set_value(False))
    assert "Snapshot" not in html(tab)
    assert len(photos(tab)) == 1


def test_pictures_that_are_taken_away_are_forgotten(portrait):
    tab = opened(("smile.jpg", portrait))
    assert len(photos(tab)) == 1
    drop(tab)
    assert photos(tab) == []


def made_photo(faces: int, name: str = 'a "b",c.jpg') -> Photo:
    shares = (0.0, 0.0, 0.0, 0.75, 0.0, 0.0, 0.25)
    found = tuple(Face(Box(i, 0, i + 9, 9), 0.5, shares, "happy") for i in range(faces))
    return Photo(name, FrameResult(400, 300, found), thumbnails=(b"x",) * min(faces, 24))


def test_the_tables_hold_every_face_and_every_failure():
    photos = [Photo("bad.jpg", error="bad.jpg: cut off."), made_photo(30), made_photo(0, "ä.png")]
    rows = list(csv.DictReader(io.StringIO(csv_table(photos).decode())))
    assert len(rows) == 30
    assert list(rows[0]) == ["source", *CSV_COLUMNS]
    assert (rows[7]["source"], rows[7]["x0"], rows[7]["happy"]) == (
        'a "b",c.jpg',
        "7.00",
        "0.750000",
    )
    whole = json.loads(json_table(photos, CHOICE))
    assert (whole["detector"], whole["model"], whole["uncertain_below"]) == (
        "blazeface",
        "made",
        0.5,
    )
    bad, crowd, nobody = whole["pictures"]
    assert bad == {"source": "bad.jpg", "error": "bad.jpg: cut off."}
    assert len(crowd["faces"]) == 30
    assert crowd["faces"][0]["probabilities"]["happy"] == 0.75
    assert (nobody["source"], nobody["faces"]) == ("ä.png", [])


def test_a_crowd_is_shown_in_part_and_the_rest_is_counted():
    photo = made_photo(30)
    shown = faces_html(photo, photo.result)
    assert shown.count("fer-photo-label") == MOST_FACES_SHOWN
    assert "6 more faces are in the tables." in shown


def test_a_thumbnail_shows_what_the_network_was_given(astronaut, model_folder):
    """Upright face from a turned picture: the same place in colour as the grey crop."""
    from fer_core.crops import crop_faces, grey_of
    from fer_core.detectors import create_detector

    with Classifier(model_folder) as classifier, create_detector() as detector:
        card = classifier.card
        (face,) = detector.detect(astronaut)
        small = thumbnail(astronaut, face, card.crop)
        crop = crop_faces(grey_of(astronaut), [face], card.input_size, card.crop)[0, :, :, 0]
    assert small.shape == (THUMBNAIL, THUMBNAIL, 3)
    shrunk = np.asarray(Image.fromarray(grey_of(small)).resize((48, 48), Image.Resampling.BOX))
    assert np.abs(shrunk.astype(int) - crop).mean() < 6


@pytest.mark.parametrize("box", [Box(-50, -50, 20, 20), Box(900, 900, 999, 999), Box(5, 5, 6, 6)])
def test_thumbnails_of_faces_at_and_beyond_the_edge(astronaut, box):
    spec = json.loads((ROOT / "models/compact48/card.json").read_text())["crop"]
    from fer_core.model_store import CropSpec

    small = thumbnail(astronaut, Detection(box, 1.0, "haar"), CropSpec(**spec))
    assert small.shape == (THUMBNAIL, THUMBNAIL, 3)


def test_heat_colours_only_where_there_is_some():
    crop = np.full((48, 48, 1), 100, np.uint8)
    heat = np.zeros((48, 48), np.float32)
    assert (heat_picture(crop, heat) == 100).all()
    assert (heat_picture(crop, heat - 0.5) == 100).all(), "what speaks against it stays grey"
    heat[:12, :12] = 0.3
    shown = heat_picture(crop, heat, 48).astype(int)
    assert np.abs(shown[2:8, 2:8] - 100).max() > 60
    assert (shown[24:, 24:] == 100).all()


@pytest.mark.parametrize(
    ("size", "expected"), [((100, 50), (100, 50)), ((5120, 10), (1280, 2)), ((1, 9999), (1, 1280))]
)
def test_large_pictures_are_kept_small(size, expected):
    width, height = size
    small = smaller(np.zeros((height, width, 3), np.uint8))
    assert small.shape == (expected[1], expected[0], 3)


def test_the_tab_needs_neither_tensorflow_nor_mediapipe():
    code = (
        "import sys, ui.photo_tab, ui.photo_parts, ui.photo_tables, fer_core.attention\n"
        "print([m for m in ('tensorflow', 'keras', 'mediapipe') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"
