"""LiteRT on the CPU: 0.2 s to the first answer, 50 MB, and no TensorFlow."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from fer_core.cores import available_cores, process_cores, threads_in_words
from fer_core.emotions import CLASSES
from fer_core.errors import ModelError, OptionError, RuntimeMissingError
from fer_core.runtimes.base import Crops, Probabilities
from fer_core.runtimes.batches import check_crops, split_exactly

__all__ = ["LitertInt8Runtime", "LitertRuntime"]


class LitertRuntime:
    """Runs `model.tflite`, float32, with LiteRT's XNNPACK kernels.

    The cost per crop is the same in a batch of one and of sixteen, so a batch is cut into exact
    parts of 16, 4 and 1 crops instead of being padded. Each part size and number of threads has
    interpreters of its own, made when first needed and kept. All of them have what the file held at
    first: a network that is trained anew meanwhile, or deleted, changes nothing.

    An instance may be shared between threads. As many calls run at once as leave each of their
    threads a core of its own; the others wait, so that sessions do not fight over cores. A number
    of threads that was not chosen gives way to one while others work, see `fer_core.cores.Cores`.

    Attributes:
        threads: CPU threads of one call, at most.
        calls: how many calls of so many threads run at once, at most.
        device: `CPU` and the threads, in words.
    """

    name = "litert"
    file_name = "model.tflite"
    part_sizes = (16, 4, 1)
    most_threads = 4
    """By default one call takes no more threads than this, and no more than there are cores."""

    def __init__(self, file: Path, size: int, threads: int | None = None) -> None:
        """Open a network and run it once, so that the first frame does not wait.

        Args:
            file: a LiteRT flatbuffer, float32 (N, size, size, 1) to float32 (N, 7).
            size: side of the crops, pixels.
            threads: CPU threads of one call; None for the cores there are, up to `most_threads`.

        Raises:
            OptionError: `threads` is not positive.
            RuntimeMissingError: ai-edge-litert is not installed.
            ModelError: the file is not a LiteRT network of that shape.
        """
        if threads is not None and threads < 1:
            raise OptionError(f"threads must be at least 1. Received: {threads}.")
        cores = available_cores()
        self.threads = threads or min(self.most_threads, cores)
        self.calls = max(1, cores // self.threads)
        self.device = f"CPU, {threads_in_words(self.threads)}"
        self._file = file
        try:
            self._content = file.read_bytes()
        except OSError as error:
            raise ModelError(f"{file} cannot be read: {error}.") from None
        self._size = size
        self._chosen = threads is not None
        self._turns = threading.BoundedSemaphore(self.calls)
        self._lock = threading.Lock()
        self._closed = False
        self._idle: dict[tuple[int, int], list[Any]] = {}
        with self._interpreter(1, threads or 1):
            pass

    def run(self, crops: Crops) -> Probabilities:
        """The network's own probabilities; see `Runtime.run`."""
        check_crops(crops, self._size)
        probabilities = np.empty((len(crops), len(CLASSES)), np.float32)
        with self._room() as threads:
            self._refuse_when_closed()
            start = 0
            for count in split_exactly(len(crops), self.part_sizes):
                stop = start + count
                with self._interpreter(count, threads) as interpreter:
                    probabilities[start:stop] = _invoke(interpreter, crops[start:stop])
                start = stop
        return probabilities

    def close(self) -> None:
        """Release the interpreters; calling it twice is allowed, and a running call ends well."""
        with self._lock:
            self._closed = True
            self._idle = {}

    def _refuse_when_closed(self) -> None:
        if self._closed:
            raise ModelError("This runtime has been closed. Make a new one.")

    @contextmanager
    def _room(self) -> Iterator[int]:
        """Wait until a call may run; gives the number of its threads."""
        if self._chosen:
            with self._turns:
                yield self.threads
        else:
            with process_cores().taken(self.threads) as threads:
                yield threads

    @contextmanager
    def _interpreter(self, count: int, threads: int) -> Iterator[Any]:
        """An interpreter for batches of `count` that nobody else uses meanwhile."""
        with self._lock:
            idle = self._idle.get((count, threads))
            interpreter = idle.pop() if idle else None
        if interpreter is None:
            interpreter = self._open(count, threads)
        try:
            yield interpreter
        finally:
            with self._lock:
                if not self._closed:
                    self._idle.setdefault((count, threads), []).append(interpreter)

    def _open(self, count: int, threads: int) -> Any:
        try:
            from ai_edge_litert.interpreter import Interpreter
        except ImportError as error:
            raise RuntimeMissingError(
                f"The runtime {self.name} needs the package ai-edge-litert, which cannot be "
                f"imported ({error}). Install requirements.txt, or choose the runtime keras."
            ) from None
        try:
            interpreter = Interpreter(model_content=self._content, num_threads=threads)
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


class LitertInt8Runtime(LitertRuntime):
    """Runs `model.int8.tflite`: weights in int8, activations quantised crop by crop.

    A quarter of the float network's file and, on a processor with VNNI, about a third of its time;
    on one with AVX2 alone it is no faster. Probabilities differ by a few hundredths at most;
    `python -m benchmarks.runtimes --data PATH` prints time and accuracy. One thread a call: with
    VNNI a second one saves 0.1 ms of a crop's 0.26 on an idle machine and costs more than that on
    a busy one.
    """

    name = "litert_int8"
    file_name = "model.int8.tflite"
    most_threads = 1


def _invoke(interpreter: Any, crops: Crops) -> Probabilities:
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], crops.astype(np.float32))
    interpreter.invoke()
    answer: Probabilities = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
    return answer
