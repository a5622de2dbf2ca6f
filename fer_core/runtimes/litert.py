"""LiteRT on the CPU: 0.2 s to the first answer, 50 MB, and no TensorFlow."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

import numpy as np

from fer_core.emotions import CLASSES
from fer_core.errors import ModelError, OptionError, RuntimeMissingError
from fer_core.runtimes.base import Crops, Probabilities
from fer_core.runtimes.batches import check_crops, split_exactly

__all__ = ["LitertRuntime", "default_threads"]


class LitertRuntime:
    """Runs `model.tflite` with LiteRT's XNNPACK kernels.

    The cost per crop is the same in a batch of one and of sixteen, so a batch is cut into exact
    parts of 16, 4 and 1 crops instead of being padded. Each part size has an interpreter of its
    own, made when it is first needed and kept; all of them map the same file.

    An instance may be shared between threads: calls take turns, and each uses all of its threads.
    """

    name = "litert"
    file_name = "model.tflite"
    part_sizes = (16, 4, 1)

    def __init__(self, file: Path, size: int, threads: int | None = None) -> None:
        """Open a network and run it once, so that the first frame does not wait.

        Args:
            file: a LiteRT flatbuffer, float32 (N, size, size, 1) to float32 (N, 7).
            size: side of the crops, pixels.
            threads: CPU threads of one call; None for `default_threads()`.

        Raises:
            OptionError: `threads` is not positive.
            RuntimeMissingError: ai-edge-litert is not installed.
            ModelError: the file is not a LiteRT network of that shape.
        """
        if threads is not None and threads < 1:
            raise OptionError(f"threads must be at least 1. Received: {threads}.")
        self.threads = threads or default_threads()
        self.device = f"CPU, {self.threads} thread{'s' if self.threads > 1 else ''}"
        self._file = file
        self._size = size
        self._lock = threading.Lock()
        self._closed = False
        self._interpreters: dict[int, Any] = {1: self._open(1)}

    def run(self, crops: Crops) -> Probabilities:
        """The network's own probabilities; see `Runtime.run`."""
        check_crops(crops, self._size)
        probabilities = np.empty((len(crops), len(CLASSES)), np.float32)
        with self._lock:
            if self._closed:
                raise ModelError("This runtime has been closed. Make a new one.")
            start = 0
            for count in split_exactly(len(crops), self.part_sizes):
                interpreter = self._interpreters.get(count)
                if interpreter is None:
                    interpreter = self._interpreters[count] = self._open(count)
                stop = start + count
                probabilities[start:stop] = _invoke(interpreter, crops[start:stop])
                start = stop
        return probabilities

    def close(self) -> None:
        """Release the interpreters; calling it twice is allowed."""
        with self._lock:
            self._closed = True
            self._interpreters.clear()

    def _open(self, count: int) -> Any:
        try:
            from ai_edge_litert.interpreter import Interpreter
        except ImportError as error:
            raise RuntimeMissingError(
                f"The runtime litert needs the package ai-edge-litert, which cannot be imported "
                f"({error}). Install requirements.txt, or choose the runtime keras."
            ) from None
        try:
            interpreter = Interpreter(model_path=str(self._file), num_threads=self.threads)
            inputs, outputs = interpreter.get_input_details(), interpreter.get_output_details()
            self._check(inputs, outputs)
            interpreter.resize_tensor_input(
                inputs[0]["index"], [count, self._size, self._size, 1], strict=True
            )
            interpreter.allocate_tensors()
            _invoke(interpreter, np.zeros((count, self._size, self._size, 1), np.uint8))
        except (ValueError, RuntimeError) as error:
            raise ModelError(
                f"{self._file} cannot be run by LiteRT: {error}. "
                "Export the model again with `python -m train export`."
            ) from None
        return interpreter

    def _check(self, inputs: list[dict[str, Any]], outputs: list[dict[str, Any]]) -> None:
        wanted_in, wanted_out = [-1, self._size, self._size, 1], [-1, len(CLASSES)]
        given_in = [list(map(int, item["shape_signature"])) for item in inputs]
        given_out = [list(map(int, item["shape_signature"])) for item in outputs]
        types = {item["dtype"] for item in (*inputs, *outputs)}
        if given_in != [wanted_in] or given_out != [wanted_out] or types != {np.float32}:
            raise ModelError(
                f"{self._file} must map float32 {wanted_in} to float32 {wanted_out} (-1: any "
                f"number of crops). It maps {given_in} to {given_out}. "
                "Export the model again with `python -m train export`."
            )


def default_threads() -> int:
    """Threads of one call: the cores that this process may use, at most four."""
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count() or 1
    return min(4, cores)


def _invoke(interpreter: Any, crops: Crops) -> Probabilities:
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], crops.astype(np.float32))
    interpreter.invoke()
    answer: Probabilities = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
    return answer
