"""Runs inside the environment of one package: the package's own calls, timed.

It needs nothing of this project but itself.

Started as `python worker.py KIND`; reads a JSON object a line from standard input and answers each
with one. The first line it writes says that the packages are loaded, or why they are not.

    {"do": "pictures", "file": F, "from": A, "to": B}  frames A to B of the array in F, uint8
        (frames, height, width, 3), RGB  ->  {"seconds": [...], "boxes": [[[x0, y0, x1, y1]...]...]}
    {"do": "faces", "file": F}   all frames of such an array
        ->  {"faces": [[[x0, y0, x1, y1, "happy"], ...], ...]}
    {"do": "crops", "file": F}   uint8 (N, 48, 48), one face each -> {"labels": ["happy", ...]}
    {"do": "memory"}             -> {"peak": megabytes}
    {"do": "versions", "of": ["fer", ...]}  -> {"versions": {"fer": "25.10.3"}} of those installed
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import sys
import time
from importlib import metadata
from typing import Any

import numpy as np

LABELS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")


def faces_of(result: Any) -> list[list[Any]]:
    """Box and expression of each face of a `FrameResult` of this project."""
    return [[f.box.x0, f.box.y0, f.box.x1, f.box.y1, f.top] for f in result.faces]


class FerLive:
    """This project: `track` for the frames of a stream, or `analyze` for single pictures."""

    def __init__(self, detector: str = "blazeface", runtime: str = "litert", stream: bool = True):
        """Load the networks."""
        core: Any = importlib.import_module("fer_core")
        options = core.AnalyzerOptions(detector=detector, runtime=runtime)
        self._analyzer = core.Analyzer(options)
        self._stream, self._seconds = stream, 0.0

    def faces(self, picture: Any) -> list[list[Any]]:
        """Box and expression of each face."""
        self._seconds += 1 / 30
        if self._stream:
            result = self._analyzer.track(picture, self._seconds)
        else:
            result = self._analyzer.analyze(picture)
        return faces_of(result)

    def labels(self, crops: Any) -> list[str]:
        """The best class of each crop."""
        answers = self._analyzer.classifier.classify(crops[..., None])
        return [LABELS[index] for index in answers.argmax(axis=1)]


class Fer:
    """The package `fer`, as its page shows it: `FER().detect_emotions(frame)`, BGR."""

    def __init__(self, mtcnn: bool = False):
        """Load the network."""
        fer: Any = importlib.import_module("fer.fer")
        self._fer = fer.FER(mtcnn=mtcnn)

    def faces(self, picture: Any) -> list[list[Any]]:
        """Box and expression of each face."""
        found = self._fer.detect_emotions(np.ascontiguousarray(picture[:, :, ::-1]))
        faces = []
        for one in found:
            x, y, w, h = map(float, one["box"])
            faces.append([x, y, x + w, y + h, max(one["emotions"], key=one["emotions"].get)])
        return faces

    def labels(self, crops: Any) -> list[str]:
        """The best class of each crop, which goes to the network whole."""
        cv2: Any = importlib.import_module("cv2")
        labels = []
        for start in range(0, len(crops), 64):
            large = [cv2.resize(crop, (64, 64)) for crop in crops[start : start + 64]]
            scaled = (np.array(large, np.float32) / 255 - 0.5) * 2
            for row in np.asarray(self._fer._classify_emotions(scaled)):
                labels.append(self._fer._get_labels()[int(np.argmax(row))])
        return labels


class DeepFace:
    """The package `deepface`, emotions only, with its default detector."""

    def __init__(self) -> None:
        """Load the network; its weights are downloaded when they are first asked for."""
        self._deepface: Any = importlib.import_module("deepface.DeepFace")
        try:
            self._analyze(np.zeros((48, 48, 3), np.uint8), "skip")
        except ValueError as error:
            if "download" not in str(error):
                raise
            raise RuntimeError("its weights could not be downloaded here") from None

    def faces(self, picture: Any) -> list[list[Any]]:
        """Box and expression of each face."""
        found = self._analyze(np.ascontiguousarray(picture[:, :, ::-1]), "opencv")
        height, width = picture.shape[:2]
        faces = []
        for one in found:
            x, y, w, h = (one["region"][key] for key in "xywh")
            if (w, h) != (width, height):  # where nothing is found the whole picture is the face
                corners = map(float, (x, y, x + w, y + h))
                faces.append([*corners, one["dominant_emotion"]])
        return faces

    def labels(self, crops: Any) -> list[str]:
        """The best class of each crop, which goes to the network whole."""
        coloured = (np.repeat(crop[:, :, None], 3, axis=2) for crop in crops)
        return [self._analyze(crop, "skip")[0]["dominant_emotion"] for crop in coloured]

    def _analyze(self, picture: Any, detector: str) -> Any:
        return self._deepface.analyze(
            picture,
            actions=["emotion"],
            detector_backend=detector,
            enforce_detection=False,
            silent=True,
        )


KINDS: dict[str, Any] = {
    "fer_live": FerLive,
    "fer_live-int8": lambda: FerLive(runtime="litert_int8"),
    "fer_live-haar": lambda: FerLive("haar"),
    "fer_live-pictures": lambda: FerLive(stream=False),
    "fer": Fer,
    "fer-mtcnn": lambda: Fer(mtcnn=True),
    "deepface": DeepFace,
}


def main() -> None:
    """Answer until standard input ends."""
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    # What packages print must not get among the answers.
    out = sys.stdout
    sys.stdout = sys.stderr
    try:
        reader = KINDS[sys.argv[1]]()
        print(json.dumps({"ready": sys.argv[1]}), file=out, flush=True)
        for line in sys.stdin:
            print(json.dumps(_answer(reader, json.loads(line))), file=out, flush=True)
    except BaseException as error:
        lines = str(error).strip().splitlines() or [""]
        print(json.dumps({"error": f"{type(error).__name__}: {lines[0]}"}), file=out, flush=True)
    # Some packages hang or complain when Python takes them down.
    out.flush()
    os._exit(0)


def _answer(reader: Any, asked: dict[str, Any]) -> dict[str, Any]:
    if asked["do"] == "memory":
        return {"peak": _peak()}
    if asked["do"] == "versions":
        return {"versions": _versions(asked["of"])}
    if asked["do"] == "crops":
        return {"labels": reader.labels(np.load(asked["file"]))}
    pictures = np.load(asked["file"], mmap_mode="r")
    if asked["do"] == "faces":
        return {"faces": [reader.faces(np.array(picture)) for picture in pictures]}
    seconds, boxes = [], []
    for index in range(asked["from"], asked["to"]):
        picture = np.array(pictures[index])
        started = time.perf_counter()
        found = reader.faces(picture)
        seconds.append(time.perf_counter() - started)
        boxes.append([face[:4] for face in found])
    return {"seconds": seconds, "boxes": boxes}


def _versions(names: list[str]) -> dict[str, str]:
    found = {}
    for name in names:
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found


def _peak() -> float:
    with contextlib.suppress(OSError), open("/proc/self/status", encoding="ascii") as status:  # noqa: PTH123
        for line in status:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
