"""The seven expression classes: one order, one set of names, signs and colours.

The order is that of FER2013's integer codes (Goodfellow et al., 2013): 0 angry ... 6 neutral.
Every array of probabilities in this project has its columns in this order.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Emotion:
    """One expression class.

    Attributes:
        code: FER2013's integer code, 0 to 6; also the column in every array of probabilities.
        name: lower-case English name, as shown to users and written to files.
        emoji: one emoji, for pages and text; OpenCV cannot draw it, so the overlay draws an icon.
        colour: RGB, 0 to 255; to be told apart with the common colour blindnesses too.
    """

    code: int
    name: str
    emoji: str
    colour: tuple[int, int, int]

    @property
    def hex_colour(self) -> str:
        """The colour as `#rrggbb`, for charts."""
        return "#{:02x}{:02x}{:02x}".format(*self.colour)


# Colours follow Okabe and Ito's palette (2008), lightened where a dark one would vanish on video.
EMOTIONS: tuple[Emotion, ...] = (
    Emotion(0, "angry", "😠", (230, 80, 60)),
    Emotion(1, "disgust", "🤢", (0, 158, 115)),
    Emotion(2, "fear", "😨", (204, 121, 167)),
    Emotion(3, "happy", "😄", (240, 200, 40)),
    Emotion(4, "sad", "😢", (60, 130, 210)),
    Emotion(5, "surprise", "😲", (230, 150, 20)),
    Emotion(6, "neutral", "😐", (170, 180, 190)),
)

CLASSES: tuple[str, ...] = tuple(emotion.name for emotion in EMOTIONS)

UNCERTAIN = "uncertain"
"""The label shown when the best probability is under the threshold. It is not a class."""


def emotion_of(name: str) -> Emotion | None:
    """The class called `name`, or None for `uncertain` and unknown names."""
    return _BY_NAME.get(name)


_BY_NAME = {emotion.name: emotion for emotion in EMOTIONS}
