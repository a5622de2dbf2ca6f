"""`python -m benchmarks.api`: pictures a second that the HTTP API answers.

The app is started as its users start it, in a process of its own, and asked over keep-alive
connections by clients that do next to nothing themselves (the request is made once, and of the
answer only the status and the end are looked for), because they share the processor with it.

Four rows, measured in turn, round by round:

- one client that waits for each answer before it asks again;
- eight clients of a server that reads one picture at a time;
- eight clients of a server that reads several at once, the faces of each classified alone;
- eight clients of the server as it is: several at once, faces that meet classified together.

Beside each stands the processor time of an answer, that of the server and of the processes in which
it reads pictures, that of the clients, and how many cores were busy with all of it. What one client
leaves idle is all that eight can gain: how much that is at most is said below the table.

The aim is twice the pictures a second of one client.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.clip import face_clip
from benchmarks.processor import family_seconds, machine_seconds
from benchmarks.report import Benchmark, verdict
from fer_core.cores import available_cores
from fer_core.errors import OptionError

ROOT = Path(__file__).resolve().parent.parent
KEY = "benchmark-of-the-api"
START_SECONDS = 60
AIM = 2.0
QUIET = 0.1
"""Cores that other programs may keep busy meanwhile."""
COUNTED = ("fer_batch_pictures_sum", "fer_batch_pictures_count")
"""Lines of `/api/metrics`: pictures and batches so far."""

ROWS: dict[str, tuple[str, bool, dict[str, str]]] = {
    "one client": ("one client, one picture after the other", False, {}),
    "in turn": (
        "{} clients, pictures read in turn",
        True,
        {"FER_LIVE_API_WORKERS": "1", "FER_LIVE_API_BATCH": "1"},
    ),
    "unbatched": ("{} clients, read at once, no batches", True, {"FER_LIVE_API_BATCH": "1"}),
    "together": ("{} clients, classified together", True, {}),
}
"""Name: words for it, whether all clients ask, and what the server is told."""


@dataclass(frozen=True)
class Server:
    """A running app: its port, and the number of its process."""

    port: int
    process: int


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Everything that is printed.

    Raises:
        OptionError: an option does not fit.
    """
    match = re.fullmatch(r"(\d{2,5})x(\d{2,5})", options.size)
    if match is None:
        raise OptionError(
            f"--size must be WIDTHxHEIGHT, such as 640x480. Received: {options.size!r}."
        )
    if min(options.faces, options.clients, options.rounds) < 1 or not options.seconds > 0:
        raise OptionError("--faces, --clients, --rounds and --seconds must be positive.")
    content = _picture(int(match[1]), int(match[2]), options.faces)
    rows: dict[str, list[dict[str, float]]] = {name: [] for name in ROWS}
    with contextlib.ExitStack() as servers:
        running: dict[str, Server] = {}
        for name in ("in turn", "unbatched", "together"):
            running[name] = servers.enter_context(serve(ROWS[name][2]))
            load(running[name].port, content, options.clients, 2.0)  # warms up
        running["one client"] = running["together"]
        for _ in range(options.rounds):
            for name, (_, many, _) in ROWS.items():
                clients = options.clients if many else 1
                rows[name].append(_row(running[name], content, clients, options.seconds))
    return {
        "size": options.size,
        "bytes": len(content),
        "faces": options.faces,
        "clients": options.clients,
        "seconds": options.seconds,
        "rounds": options.rounds,
        "available_cores": available_cores(),
        "rows": {
            name: {
                figure: round(float(np.median([one[figure] for one in found])), 2)
                for figure in found[0]
            }
            for name, found in rows.items()
        },
        "ratios": {
            name: [
                # Finer than they are printed: an aim must not be reached by rounding.
                round(many["a second"] / one["a second"], 4)
                for many, one in zip(rows["together"], rows[name], strict=True)
            ]
            for name in ("one client", "in turn", "unbatched")
        },
    }


@contextlib.contextmanager
def serve(settings: dict[str, str]) -> Iterator[Server]:
    """The app with these settings.

    Raises:
        OptionError: it does not start.
    """
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        port: int = asked.getsockname()[1]
    environment = {
        **os.environ,
        "FER_LIVE_API_KEY": KEY,
        "FER_LIVE_API_REQUESTS_PER_MINUTE": "0",
        **settings,
    }
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless", "true"]
    command += ["--server.address", "127.0.0.1", "--server.port", str(port)]
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            _wait(port, process)
            yield Server(port, process.pid)
        finally:
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _row(server: Server, content: bytes, clients: int, seconds: float) -> dict[str, float]:
    """What `load` gives, and what the server did meanwhile."""
    before, used = _counts(server.port), family_seconds(server.process)
    machine = machine_seconds()
    own, started = time.process_time(), time.perf_counter()
    found = load(server.port, content, clients, seconds)
    lasted, own = time.perf_counter() - started, time.process_time() - own
    used, machine = family_seconds(server.process) - used, machine_seconds() - machine
    pictures, batches = (now - then for now, then in zip(_counts(server.port), before, strict=True))
    answers = found["a second"] * lasted
    return {
        **found,
        "processor ms": 1000 * used / answers,
        "client ms": 1000 * own / answers,
        "cores": (used + own) / lasted,
        "others": max(0.0, machine - used - own) / lasted,
        "a batch": pictures / max(1.0, batches),
    }


def load(port: int, content: bytes, clients: int, seconds: float) -> dict[str, float]:
    """Ask for `seconds`; answers a second, and the median and 95th percentile of their time, ms."""
    request = (
        f"POST /api/v1/analyze HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {KEY}\r\n"
        f"Content-Type: image/jpeg\r\nContent-Length: {len(content)}\r\n\r\n"
    ).encode() + content
    times: list[float] = []
    stop = time.perf_counter() + seconds

    def ask() -> None:
        with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while (started := time.perf_counter()) < stop:
                connection.sendall(request)
                _read_answer(connection)
                times.append(time.perf_counter() - started)

    threads = [threading.Thread(target=ask) for _ in range(clients)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lasted = time.perf_counter() - began
    if not times:
        raise OptionError("The API gave no answer. Try it with --seconds 10.")
    return {
        "a second": len(times) / lasted,
        "median ms": 1000 * float(np.median(times)),
        "p95 ms": 1000 * float(np.percentile(times, 95)),
    }


def _read_answer(connection: socket.socket) -> None:
    got = b""
    while (end := got.find(b"\r\n\r\n")) < 0:
        part = connection.recv(65536)
        if not part:
            raise OptionError("The API closed the connection.")
        got += part
    if not got.startswith(b"HTTP/1.1 200"):
        raise OptionError(f"The API refused the picture: {got[:300]!r}")
    length = int(re.search(rb"content-length: (\d+)", got, re.IGNORECASE)[1])  # type: ignore[index]
    while len(got) < end + 4 + length:
        got += connection.recv(65536)


def _picture(width: int, height: int, faces: int) -> bytes:
    _, picture = next(iter(face_clip(width, height, faces, 1)))
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, "JPEG", quality=90)
    return stream.getvalue()


def _counts(port: int) -> tuple[float, float]:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/api/metrics", headers={"Authorization": f"Bearer {KEY}"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return _counted(answer.read().decode())


def _counted(text: str) -> tuple[float, float]:
    found = [re.search(rf"^{name} (\S+)$", text, re.MULTILINE) for name in COUNTED]
    missing = [name for name, line in zip(COUNTED, found, strict=True) if line is None]
    if missing:
        raise OptionError(
            f"/api/metrics has no {' and no '.join(missing)}. "
            "Write into benchmarks/api.py what it is called there now."
        )
    pictures, batches = (float(line[1]) for line in found if line is not None)
    return pictures, batches


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with (
            contextlib.suppress(OSError),
            urllib.request.urlopen(f"http://127.0.0.1:{port}/api/health", timeout=2),
        ):
            return
        time.sleep(0.1)
    raise OptionError("The app does not start. Try `streamlit run app.py` to see why.")


def _table(report: dict[str, Any]) -> str:
    names = {name: words.format(report["clients"]) for name, (words, _, _) in ROWS.items()}
    lines = [
        f"JPEG of {report['size']}, {report['bytes']} bytes, {report['faces']} face(s); "
        f"{report['rounds']} rounds of {report['seconds']:g} s, medians",
        "",
        "CPU ms each: of the server and its processes, and of the clients",
        "",
        f"{'':<40}{'pictures/s':>11}{'median ms':>11}{'p95 ms':>9}{'CPU ms each':>18}"
        f"{'cores busy':>12}{'by others':>11}{'in a batch':>12}",
    ]
    for name, words in names.items():
        row = report["rows"][name]
        each = f"{row['processor ms']:.1f} + {row['client ms']:.1f}"
        lines.append(
            f"{words:<40}{row['a second']:>11.1f}{row['median ms']:>11.1f}{row['p95 ms']:>9.1f}"
            f"{each:>18}{row['cores']:>12.2f}{row['others']:>11.2f}{row['a batch']:>12.2f}"
        )
    for name, ratios in report["ratios"].items():
        spread = f"{min(ratios):.2f} to {max(ratios):.2f}"
        lines.append(
            f"together against {names[name]}: {np.median(ratios):.2f} times (rounds: {spread})"
        )
    one = report["rows"]["one client"]
    lines.append(
        f"one client keeps {one['cores']:.2f} of {report['available_cores']} cores busy; with all "
        f"of them busy at what a picture costs many clients: {_ceiling(report):.2f} times"
    )
    disturbed = max(row["others"] for row in report["rows"].values())
    if disturbed > QUIET:
        lines.append(
            f"other programs kept {disturbed:.2f} cores busy, which tells against one client most: "
            "measure again on a machine at rest"
        )
    reached = np.median(report["ratios"]["one client"]) >= AIM
    lines.append(f"aim {AIM:g} times one client: {verdict(reached)}")
    return "\n".join(lines)


def _ceiling(report: dict[str, Any]) -> float:
    """How many times one client's pictures a second there would be, were no core ever idle."""
    one, many = report["rows"]["one client"], report["rows"]["together"]
    most = 1000 * report["available_cores"] / (many["processor ms"] + many["client ms"])
    return float(most / one["a second"])


def _heading(report: dict[str, Any]) -> str:
    faces = "1 face" if report["faces"] == 1 else f"{report['faces']} faces"
    return f"api: {report['size']}, {faces}, {report['clients']} clients"


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--size", default="640x480", metavar="WxH", help="default: %(default)s")
    parser.add_argument("--faces", type=int, default=1, metavar="N", help="default: %(default)s")
    parser.add_argument("--clients", type=int, default=8, metavar="N", help="default: %(default)s")
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="default: %(default)s")
    parser.add_argument(
        "--seconds", type=float, default=3.0, metavar="S", help="of each row, default: %(default)s"
    )


BENCHMARK = Benchmark(
    name="api",
    describe="Measure the pictures a second that the HTTP API answers.",
    add_options=_add_options,
    measure=measure,
    heading=_heading,
    table=_table,
    packages=("streamlit", "fastapi", "uvicorn", "ai-edge-litert", "pillow"),
)
main = BENCHMARK.main

if __name__ == "__main__":
    sys.exit(main())
