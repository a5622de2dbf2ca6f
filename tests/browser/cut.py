"""The way between browser and page, with a switch: everything but the camera's own packets."""

from __future__ import annotations

import contextlib
import socket
import threading


class Line:
    """Passes connections on to a port of this machine until it is cut.

    Attributes:
        url: where the page is found through it.
    """

    def __init__(self, url: str) -> None:
        self._to = int(url.rsplit(":", 1)[1])
        self._whole = True
        self._ends: list[socket.socket] = []
        self._door = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._door.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def cut(self) -> None:
        """End what is connected and let nobody through."""
        self._whole = False
        self._end()

    def mend(self) -> None:
        """Let them through again."""
        self._whole = True

    def close(self) -> None:
        """No more of it."""
        self._door.close()
        self._end()

    def _end(self) -> None:
        ends, self._ends = self._ends, []
        for end in ends:
            _shut(end)

    def _serve(self) -> None:
        with contextlib.suppress(OSError):  # closed
            while True:
                came, _ = self._door.accept()
                if not self._whole:
                    came.close()
                    continue
                onward = socket.create_connection(("127.0.0.1", self._to))
                self._ends += [came, onward]
                for ends in ((came, onward), (onward, came)):
                    threading.Thread(target=_pass_on, args=ends, daemon=True).start()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while block := source.recv(1 << 16):
            target.sendall(block)
    _shut(source)
    _shut(target)


def _shut(end: socket.socket) -> None:
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()
