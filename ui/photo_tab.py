"""The Photo tab: pictures in, every face with its expression and what lies behind it out."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import streamlit as st

from fer_core.errors import FerError
from ui.choices import Choice, choices, detector_words
from ui.photo_work import Photo, Upload, analysed

if TYPE_CHECKING:
    from fer_core.analyzer import Analyzer
    from fer_core.attention import Attention
    from fer_core.results import FrameResult

ENDINGS = ["jpg", "jpeg", "png", "webp", "heic", "heif", "avif", "gif", "bmp", "tif", "tiff"]
MOST_PICTURES = 24
MOST_MEGABYTES = 20
COMPARED = ("blazeface", "haar")
"""The detectors shown side by side."""

NOTICE = (
    f"Up to {MOST_PICTURES} pictures of at most {MOST_MEGABYTES} MB each: JPEG, PNG, WebP, HEIC, "
    "AVIF, GIF, BMP or TIFF. They go to the process that serves this page and "
    "are forgotten when you close it or take them away."
)
NOBODY = "No face was found. Larger faces, more light or another detector may help."

_DONE = "photo_done"
"""In session state: what was found, by upload, detector and model."""

_Key = tuple[str, str, str]


@st.fragment
def render() -> None:
    """Draw the tab. A fragment of its own: nothing here reruns the page round a live stream."""
    from ui.photo_parts import STYLE

    st.html(f"<style>{STYLE}</style>")
    uploads = _uploads()
    if not uploads:
        _forget(set())
        return
    choice = choices("photo", st.columns([2, 2, 2.4], gap="medium", vertical_alignment="bottom"))
    if choice is None:
        return
    kept, rest = uploads[:MOST_PICTURES], uploads[MOST_PICTURES:]
    if rest:
        st.warning(
            f"{len(uploads)} pictures are more than the {MOST_PICTURES} that are read at a time. "
            f"The last {len(rest)} are left out; take some of the others away to see them."
        )
    _forget({upload.file_id for upload in uploads})
    summary = st.container()
    photos = _all(kept, choice)
    with summary:
        _downloads(photos, choice)


def _uploads() -> list[Upload]:
    """The snapshot, if one was taken, and the pictures that were dropped."""
    dropped = st.file_uploader(
        "Pictures",
        type=ENDINGS,
        accept_multiple_files=True,
        key="photo_upload",
        max_upload_size=MOST_MEGABYTES,
        help="Turned upright as the camera noted it. Of moving pictures the first is taken.",
    )
    uploads: list[Upload] = list(dropped)
    camera = st.toggle(
        "Take a snapshot",
        key="photo_camera",
        help="Opens your camera. It stays off until you ask for it here.",
    )
    if camera:
        taken = st.camera_input("Snapshot", key="photo_snapshot", width=480)
        if taken is not None:
            uploads.insert(0, _Snapshot(taken))
    st.caption(NOTICE)
    return uploads


class _Snapshot:
    """A picture from the camera, which has no name worth showing."""

    name = "Snapshot"

    def __init__(self, taken: Upload) -> None:
        self.file_id, self.size, self.getvalue = taken.file_id, taken.size, taken.getvalue


def _all(uploads: Sequence[Upload], choice: Choice) -> list[Photo]:
    """Analyse what is new and show each picture as soon as it is done."""
    status = st.empty()
    photos = []
    try:
        with _lazy_analyzer(choice.detector, choice.model) as analyzer:
            for number, upload in enumerate(uploads, 1):
                if _key(upload, choice.detector, choice.model) not in _done():
                    status.progress(
                        (number - 1) / len(uploads), f"Picture {number} of {len(uploads)} …"
                    )
                photo = _labelled(_photo(upload, choice.detector, choice.model, analyzer), choice)
                photos.append(photo)
                with st.container(border=True, key=f"photo_card_{upload.file_id}"):
                    if photo.result is None:
                        st.error(_as_text(photo.error or photo.name))
                    else:
                        _card(upload, photo, photo.result, choice)
    except FerError as error:  # of the model or the detector: the same for every picture
        st.error(str(error))
    finally:
        status.empty()
    return photos


@st.fragment
def _card(upload: Upload, photo: Photo, result: FrameResult, choice: Choice) -> None:
    """One picture; its switches rerun nothing else."""
    from ui.photo_parts import count_of, faces_html, name_html, show_picture

    st.html(name_html(photo.name, f"{result.width} x {result.height}, {count_of(result)}"))
    picture, beside = st.columns([3, 2], gap="medium")
    with beside:
        heat, compare = _switches(upload, bool(result.faces))
    with picture:
        if compare:
            _side_by_side(upload, choice)
        else:
            show_picture(photo, result)
    if not result.faces:
        beside.info(NOBODY)
        return
    attention = _attention(photo, choice) if heat else ()
    # A single face stands beside its picture, a crowd below it.
    with beside if len(result.faces) == 1 else st.container():
        st.html(faces_html(photo, result, attention))
        if attention:
            st.caption(
                "Warm where a grey patch over the face takes most from the answer, in points of "
                "its percentage. It shows what this network used, not what the person feels."
            )


def _switches(upload: Upload, faces: bool) -> tuple[bool, bool]:
    heat = faces and st.toggle(
        "What the network looked at",
        key=f"photo_heat_{upload.file_id}",
        help="Covers the face bit by bit and watches the answer. Takes about a second a face.",
    )
    compare = st.toggle(
        "Two detectors side by side",
        key=f"photo_compare_{upload.file_id}",
        help="The same picture through BlazeFace and through Haar.",
    )
    return heat, compare


def _side_by_side(upload: Upload, choice: Choice) -> None:
    from ui.photo_parts import count_of, show_picture

    columns = st.columns(len(COMPARED), gap="small")
    for column, detector in zip(columns, COMPARED, strict=True):
        with column:
            try:
                with _lazy_analyzer(detector, choice.model) as analyzer:
                    photo = _labelled(_photo(upload, detector, choice.model, analyzer), choice)
            except FerError as error:
                st.error(str(error))
                continue
            if photo.result is None:
                st.error(_as_text(photo.error or photo.name))
                continue
            words = f"{detector_words(detector)}: {count_of(photo.result)}"
            show_picture(photo, photo.result, words)


def _attention(photo: Photo, choice: Choice) -> list[Attention]:
    from ui import resources
    from ui.photo_work import looked_at

    with st.spinner("Covering the face bit by bit …"):
        try:
            return looked_at(photo, resources.classifier(choice.model))
        except FerError as error:
            st.error(str(error))
            return []


def _downloads(photos: Sequence[Photo], choice: Choice) -> None:
    from ui.photo_tables import csv_table, json_table

    read = [photo.result for photo in photos if photo.result is not None]
    if not read:
        return
    faces = sum(len(result.faces) for result in read)
    pictures = "1 picture" if len(read) == 1 else f"{len(read)} pictures"
    st.markdown(f"**{faces} {'face' if faces == 1 else 'faces'}** in {pictures}")
    with st.container(horizontal=True):
        st.download_button(
            "Download the table (CSV)",
            data=lambda: csv_table(photos),
            file_name="expressions.csv",
            mime="text/csv",
            key="photo_download_csv",
            on_click="ignore",
        )
        st.download_button(
            "Download everything (JSON)",
            data=lambda: json_table(photos, choice),
            file_name="expressions.json",
            mime="application/json",
            key="photo_download_json",
            on_click="ignore",
        )


def _photo(upload: Upload, detector: str, model: str, analyzer: Callable[[], Analyzer]) -> Photo:
    """What was found, looked up where it is known already."""
    key = _key(upload, detector, model)
    if key not in _done():
        _done()[key] = analysed(upload, detector, analyzer(), MOST_MEGABYTES * 1_000_000)
    return _done()[key]


def _labelled(photo: Photo, choice: Choice) -> Photo:
    """The photo with the labels that it has under the chosen threshold."""
    from fer_core.live_answers import with_threshold

    if photo.result is None:
        return photo
    return replace(photo, result=with_threshold(photo.result, choice.min_confidence))


@contextlib.contextmanager
def _lazy_analyzer(detector: str, model: str) -> Iterator[Callable[[], Analyzer]]:
    """A function that makes the analyzer when it is first called; closed at the end."""
    from fer_core.analyzer import Analyzer, AnalyzerOptions
    from ui import resources

    with contextlib.ExitStack() as stack:
        made: list[Analyzer] = []

        def analyzer() -> Analyzer:
            if not made:
                network = resources.classifier(model)
                options = AnalyzerOptions(detector=detector, model=model)
                made.append(stack.enter_context(Analyzer(options, classifier=network)))
            return made[0]

        yield analyzer


def _key(upload: Upload, detector: str, model: str) -> _Key:
    return upload.file_id, detector, model


def _done() -> dict[_Key, Photo]:
    done: dict[_Key, Photo] = st.session_state.setdefault(_DONE, {})
    return done


def _forget(kept: set[str]) -> None:
    """What belongs to pictures that were taken away goes too."""
    for key in [key for key in _done() if key[0] not in kept]:
        del _done()[key]


def _as_text(words: str) -> str:
    """A sentence with a file's name in it, so that nothing in the name is taken for markup."""
    return "".join(f"\\{sign}" if sign in r"\`*_{}[]()<>#+-!|~:$&" else sign for sign in words)
