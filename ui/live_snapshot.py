"""Single pictures instead of a stream: works wherever the page itself does, without WebRTC."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import cast

import numpy as np
import numpy.typing as npt
import streamlit as st

from fer_core.analyzer import Analyzer
from fer_core.errors import FerError
from fer_core.live import LiveSession
from fer_core.live_analyzer import draw_overlay
from fer_core.live_answers import with_threshold
from fer_core.overlay.privacy import blur_faces
from fer_core.quality import with_quality
from fer_core.results import FrameResult
from ui import resources
from ui.photo_tab import MOST_MEGABYTES
from ui.photo_work import decoded


def snapshots(session: LiveSession) -> None:
    """Room to take a picture, and the same picture with labels."""
    taken = st.camera_input(
        "Snapshot",
        key="live_snapshot",
        help="The picture goes to this server's process and comes back with labels.",
    )
    if taken is None:
        return
    try:
        picture, result = _analysed(session, taken.getvalue())
    except FerError as error:
        st.error(str(error))
        return
    st.image(picture, width="stretch")
    st.markdown(in_words(result))


def in_words(result: FrameResult) -> str:
    """What was found, a line a face."""
    if not result.faces:
        return "No face was found. Come closer, or turn on a light."
    lines = []
    for number, face in enumerate(result.faces, 1):
        who = "The face" if len(result.faces) == 1 else f"Face {number} from the left"
        words = f"- {who}: **{face.label}**, {face.top} at {100 * face.confidence:.0f} %"
        if face.quality is not None and not face.quality.good:
            words += f" ({', '.join(face.quality.problems)})"
        lines.append(words)
    return "\n".join(lines)


def _analysed(session: LiveSession, content: bytes) -> tuple[npt.NDArray[np.uint8], FrameResult]:
    settings = session.settings
    picture = decoded(content, MOST_MEGABYTES * 1_000_000)
    if settings.mirror:
        picture = np.ascontiguousarray(picture[:, ::-1])
    with contextlib.closing(cast(Analyzer, resources.live_analyzer(settings))) as analyzer:
        result = with_quality(picture, analyzer.analyze(picture))
        if settings.min_confidence is not None:
            result = with_threshold(result, settings.min_confidence)
    shown = picture.copy()
    if settings.privacy:
        blur_faces(shown, [face.box for face in result.faces])
    return draw_overlay(shown, result, replace(settings, numbers=False)), result
