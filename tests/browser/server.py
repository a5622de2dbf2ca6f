"""The real app in a process of its own, as `streamlit run` starts it."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.machine import status_bytes

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 90


@dataclass
class AppServer:
    """A running app.

    Attributes:
        url: where it is served.
        process: of the server.
        log: file with everything that it prints.
    """

    url: str
    process: subprocess.Popen[bytes]
    log: Path

    def threads(self) -> int:
        """How many threads the process has now."""
        return len(list(Path(f"/proc/{self.process.pid}/task").iterdir()))

    def descriptors(self) -> int:
        """How many files and sockets it has open now."""
        return len(self._open())

    def sockets(self, kind: str) -> int:
        """How many of them are sockets of this kind, such as `udp`."""
        return len(self._sockets(kind))

    def peers(self) -> set[str]:
        """Addresses that its sockets are connected to, or on the way to be."""
        told = (line.split()[2].partition(":")[0] for line in self._sockets("tcp", "udp"))
        return {str(_address(one)) for one in told if int(one, 16)}  # 0: it waits for anybody

    def open_under(self, folder: Path) -> int:
        """How many of them are files in this folder."""
        return sum(place.startswith(f"{folder}/") for place in self._open())

    def memory_mb(self) -> float:
        """Resident memory of the process, now, in megabytes."""
        return self._status("VmRSS")

    def peak_memory_mb(self) -> float:
        """The most that it ever was."""
        return self._status("VmHWM")

    def libraries(self) -> str:
        """Every file that is mapped into the process."""
        return Path(f"/proc/{self.process.pid}/maps").read_text()

    def said(self) -> str:
        """What it has printed so far."""
        return self.log.read_text(errors="replace")

    def _sockets(self, *kinds: str) -> list[str]:
        """Lines about its own sockets in the kernel's tables of these kinds."""
        held = {place[8:-1] for place in self._open() if place.startswith("socket:[")}
        return [
            line
            for kind in kinds
            for file in (Path(f"/proc/net/{kind}"), Path(f"/proc/net/{kind}6"))
            if file.exists()
            for line in file.read_text().splitlines()[1:]
            if line.split()[9] in held
        ]

    def _open(self) -> list[str]:
        places = []
        for link in Path(f"/proc/{self.process.pid}/fd").iterdir():
            with contextlib.suppress(OSError):  # closed since
                places.append(str(link.readlink()))
        return places

    def _status(self, name: str) -> float:
        return status_bytes(name, self.process.pid) / 1e6


def _address(told: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """As the kernel's tables tell it: words of four bytes, each the wrong way round."""
    words = [bytes.fromhex(told[start : start + 8]) for start in range(0, len(told), 8)]
    if sys.byteorder == "little":
        words = [word[::-1] for word in words]
    found = ipaddress.ip_address(b"".join(words))
    return getattr(found, "ipv4_mapped", None) or found


@contextlib.contextmanager
def serve(
    folder: Path, app: Path = ROOT / "app.py", environment: dict[str, str] | None = None
) -> Iterator[AppServer]:
    """Start `app` on a free port, wait until it answers, stop it at the end."""
    port = _free_port()
    log = folder / "streamlit.log"
    command = [sys.executable, "-m", "streamlit", "run", str(app)]
    command += ["--server.address", "127.0.0.1", "--server.port", str(port)]
    command += ["--server.headless", "true"]
    variables = {**os.environ, "PYTHONPATH": str(ROOT), **(environment or {})}
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, cwd=ROOT, env=variables, stdout=out, stderr=subprocess.STDOUT
        )
    server = AppServer(f"http://127.0.0.1:{port}", process, log)
    try:
        _wait(server)
        yield server
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(server: AppServer) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if server.process.poll() is not None:
            raise RuntimeError(f"The app ended with {server.process.returncode}:\n{server.said()}")
        with contextlib.suppress(OSError):
            health = urllib.request.urlopen(server.url + "/_stcore/health", timeout=2)
            with health:
                if health.read() == b"ok":
                    return
        time.sleep(0.1)
    raise RuntimeError(f"The app did not answer in {START_SECONDS} s:\n{server.said()}")


def _free_port() -> int:
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        port: int = asked.getsockname()[1]
        return port
