"""From an uploaded picture to what the Photo tab shows of it. Knows nothing of the page."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

from fer_core.attention import Attention, look
from fer_core.confined.pictures import decode_confined
from fer_core.crops import crop_faces, grey_of
from fer_core.errors import FerError, PictureError
from fer_core.names import shown_name
from fer_core.results import Detection, Face, FrameResult
from ui.photo_pictures import jpeg, smaller, thumbnail

if TYPE_CHECKING:
    from fer_core.classifier import Classifier
    from fer_core.detectors.base import Picture

_log = logging.getLogger(__name__)

MOST_FACES_SHOWN = 24
"""Of one picture; the tables hold them all."""


class Upload(Protocol):
    """The part of Streamlit's uploaded file that is used here."""

    @property
    def name(self) -> str:
        """As the viewer's machine calls the file; anything may stand in it."""
        ...

    @property
    def file_id(self) -> str:
        """Another one for each upload."""
        ...

    @property
    def size(self) -> int:
        """Bytes."""
        ...

    def getvalue(self) -> bytes:
        """The whole content."""
        ...


class PictureAnalyzer(Protocol):
    """The part of `fer_core.analyzer.Analyzer` that is used here."""

    @property
    def classifier(self) -> Classifier:
        """The network that reads the crops."""
        ...

    def analyze(self, source: Picture) -> FrameResult:
        """The faces of a picture, from left to right."""
        ...


@dataclass(frozen=True)
class Photo:
    """What was found in one picture by one detector and one model.

    Attributes:
        name: fit to be shown.
        result: the faces; None when the picture could not be analysed.
        error: why not, in one sentence that begins with the name; None when all went well.
        small: JPEG of the picture, upright, at most SHOWN_SIDE pixels on its longer side.
        thumbnails: JPEG of each shown face.
        crops: uint8 (faces shown, size, size, 1), what the network saw.
        attention: of the shown faces, once it was asked for.
        drawn: JPEG of the picture with its overlay, by the labels on it; the latest only.
    """

    name: str
    result: FrameResult | None = None
    error: str | None = None
    small: bytes = b""
    thumbnails: tuple[bytes, ...] = ()
    crops: npt.NDArray[np.uint8] = field(default_factory=lambda: np.zeros((0, 1, 1, 1), np.uint8))
    attention: list[Attention] = field(default_factory=list)
    drawn: dict[tuple[str, ...], bytes] = field(default_factory=dict)


def analysed(upload: Upload, detector: str, analyzer: PictureAnalyzer, most_bytes: int) -> Photo:
    """Read a picture and its faces; whatever is wrong with it is a sentence in the answer.

    Args:
        upload: the picture.
        detector: name of the analyzer's detector.
        analyzer: finds the faces and reads them.
        most_bytes: larger files are refused unread.
    """
    name = shown_name(upload.name, "picture")
    try:
        picture = decoded(upload.getvalue(), most_bytes)
        result = analyzer.analyze(picture)
        card = analyzer.classifier.card
        found = [as_detection(face, detector) for face in result.faces[:MOST_FACES_SHOWN]]
        return Photo(
            name,
            result,
            small=jpeg(smaller(picture)),
            thumbnails=tuple(jpeg(thumbnail(picture, face, card.crop)) for face in found),
            crops=crop_faces(grey_of(picture), found, card.input_size, card.crop),
        )
    except FerError as error:
        return Photo(name, error=f"{name}: {error}")
    except Exception as error:
        _log.exception("A picture could not be analysed")
        kind = type(error).__name__
        return Photo(name, error=f"{name}: this picture could not be analysed ({kind}).")


def decoded(content: bytes, most_bytes: int) -> Picture:
    """The pixels of an uploaded picture, read in another process.

    Args:
        content: of the file.
        most_bytes: larger files are refused unread.

    Raises:
        PictureError: it is too large, or cannot be read as a picture.
        WorkerError: a limit was met, or the process ended.
    """
    if len(content) > most_bytes:
        raise PictureError(
            f"{len(content) / 1e6:.1f} MB is more than the {most_bytes / 1e6:.0f} MB allowed. "
            "Make the picture smaller first."
        )
    return decode_confined(content, "The picture")


def looked_at(photo: Photo, classifier: Classifier) -> list[Attention]:
    """What the network looked at in each shown face; reckoned once and kept.

    Raises:
        ModelError: the network failed.
    """
    while len(photo.attention) < len(photo.crops):
        photo.attention.append(look(classifier, photo.crops[len(photo.attention)]))
    return photo.attention


def as_detection(face: Face, detector: str) -> Detection:
    """The detection that the analyzer made `face` of."""
    return Detection(face.box, face.score, detector, face.eyes)
