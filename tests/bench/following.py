"""A live sink of the benchmark: follows the collector's control socket and notes when rows come.

Does: read in a thread of its own, and only note the time of every piece that came; the rows are
taken apart afterwards, so that nothing here is in the figures.
"""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self

from collector.control import SOCKET_NAME
from collector.wire.values.timestamps import parse_date_and_time
from tests.bench.running import CollectorRun

_PIECE = 1 << 20
_PATIENCE_SECONDS = 30


class Follower:
    """Everything that one collector says, with the time at which it was here."""

    def __init__(self, running: CollectorRun) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._path = str(running.folder / SOCKET_NAME)
        self._pieces: list[tuple[int, bytes]] = []
        self._thread = threading.Thread(target=self._read, daemon=True)

    def __enter__(self) -> Self:
        self._socket.settimeout(_PATIENCE_SECONDS)
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            try:
                self._socket.connect(self._path)
                break
            except OSError:  # it is the last thing that a collector makes at its start
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.01)
        self._socket.sendall(b'{"command": "follow"}\n')
        answer = self._socket.recv(_PIECE)
        if b'"stream":true' not in answer.replace(b" ", b""):
            raise RuntimeError(f"nobody can follow this collector: {answer!r}")
        self._pieces.append((time.time_ns(), answer.split(b"\n", 1)[1]))
        self._socket.settimeout(None)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:  # fmt: skip
        self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join(10)
        self._socket.close()

    def _read(self) -> None:
        while piece := self._socket.recv(_PIECE):
            self._pieces.append((time.time_ns(), piece))

    def rows(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """(when it was here, ns since 1970; the row)."""
        rest = b""
        for when, piece in list(self._pieces):
            *lines, rest = (rest + piece).split(b"\n")
            for line in lines:
                yield when, json.loads(line)

    def first_verdicts(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """The first row on every period, ``judged_at`` in ns since 1970."""
        for when, row in self.rows():
            if row.get("row") == "verdict" and row["amendment"] == 0:
                row["judged_at"] = parse_date_and_time(row["judged_at"])
                yield when, row
