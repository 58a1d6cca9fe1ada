"""A collector of several lanes as a process of its own, and senders that know what they sent.

The collector is started as people start it; what is compared is what commands, pages, journals and
stores really say.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from collector import control
from collector.cli.asking import asked
from collector.model import Verdict
from collector.views.answers import verdicts_of
from collector.wire.udp_notif.datagrams import encode_message
from tests.lab import PASSWORD
from tests.starving import WATCH

WAIT_SECONDS = 60.0
LISTENING = "; data in "
"""Said by one lane and by several."""


def free_port(kind: socket.SocketKind = socket.SOCK_DGRAM) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Collector:
    """One ``collector run`` in a folder, with its data in ``data``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.port = free_port()
        self.metrics_port = free_port(socket.SOCK_STREAM)
        self.child: asyncio.subprocess.Process | None = None

    def configure(self, *, lanes: int, more: str = "", udp: str = "") -> None:
        """Write the configuration file; ``more``: further sections, ``udp``: lines of udp_notif."""
        (self.folder / "collector.toml").write_text(
            f'[collector]\ndata_dir = "data"\nlanes = {lanes}\n'
            f"[udp_notif]\nport = {self.port}\n{udp}\n"
            f"[metrics]\nport = {self.metrics_port}\n"
            "[journal]\nsegment_seconds = 2.0\nsnapshot_seconds = 1\n" + more
        )

    async def start(self) -> None:
        """Return when it listens; it answers a little earlier."""
        log = self.folder / "log"
        before = log.read_text().count(LISTENING) if log.exists() else 0
        with log.open("ab") as stream:
            self.child = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "collector", "run", "-c", "collector.toml"),
                cwd=self.folder,
                stderr=stream,
                env=os.environ
                | {"PYTHONPATH": os.pathsep.join(sys.path), "LAB_PASSWORD": PASSWORD},
            )
        await self.until_logged(LISTENING, before + 1)

    async def until(self, condition: Callable[[], object]) -> None:
        deadline = time.monotonic() + WAIT_SECONDS
        while not condition():
            assert self.child is not None
            assert self.child.returncode is None, self.log()
            assert time.monotonic() < deadline, self.log()
            await asyncio.sleep(0.05)

    async def until_logged(self, words: str, times: int = 1) -> None:
        await self.until(lambda: self.log().count(words) >= times)

    async def stop(self) -> None:
        """SIGTERM, and a good end."""
        assert self.child is not None
        self.child.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(self.child.wait(), WAIT_SECONDS) == 0, self.log()

    async def end(self) -> None:
        """Whatever happened before. Lanes whose supervisor is killed end by themselves."""
        if self.child is not None and self.child.returncode is None:
            self.child.kill()
            await self.child.wait()

    def log(self) -> str:
        return (self.folder / "log").read_text()

    def ask(self, command: str) -> dict[str, Any]:
        return control.ask(self.data, command)

    def lane(self, number: int) -> dict[str, Any]:
        """Its row in the status."""
        row: dict[str, Any] = self.ask("status")["lanes"][number]
        return row

    def page(self, path: str) -> tuple[int, str]:
        """(status, text) of a page beside the metrics."""
        url = f"http://127.0.0.1:{self.metrics_port}{path}"
        try:
            with urllib.request.urlopen(url, timeout=WAIT_SECONDS) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def command(self, *arguments: str) -> asyncio.Future[str]:
        """Standard output of ``collector`` with these arguments, run beside."""
        return asyncio.ensure_future(_output(*arguments, cwd=self.folder))

    def verdicts(self, device: str | None = None) -> list[Verdict]:
        """All rows that the store has or will have."""
        with asked(self.data) as session:
            order = "judged_at, device, subscription_id, period_index, amendment"
            rows = verdicts_of(session.run(f"FROM exact.verdicts ORDER BY {order}"))
        return [one for one in rows if device in (None, one.device)]

    def rows(self, sql: str) -> list[dict[str, Any]]:
        with asked(self.data) as session:
            found: list[dict[str, Any]] = session.run(sql).to_pylist()
            return found


async def _output(*arguments: str, cwd: Path) -> str:
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "collector", *arguments),
        cwd=cwd,
        stdout=asyncio.subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    out, _ = await asyncio.wait_for(child.communicate(), WAIT_SECONDS)
    return out.decode()


@asynccontextmanager
async def collector(folder: Path) -> AsyncIterator[Collector]:
    """Not started yet; ended at the end."""
    WATCH.start()
    made = Collector(folder)
    try:
        yield made
    finally:
        await made.end()


class Card:
    """A line card: sends push-updates from one address to one port or several, and counts."""

    def __init__(self, source: str, generator: int, ports: list[int]) -> None:
        self.source, self.generator = source, generator
        self._ports = ports
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((source, 0))
        self.sent: list[int] = []
        """Message ids that were sent."""
        self._next = 1000 * generator

    def send(self, *, lose: bool = False) -> None:
        """One update of now; ``lose``: it takes a message id and goes nowhere."""
        self._next += 1
        stamp = time.time_ns()
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(stamp // 10**9))
        body = {
            "eventTime": f"{moment}.{stamp % 10**9:09d}Z",
            "ietf-yang-push:push-update": {
                "id": 7,
                "ietf-distributed-notif:message-publisher-id": self.generator,
                "datastore-contents": {"ietf-interfaces:interfaces": {}},
            },
        }
        payload = json.dumps({"ietf-notification:notification": body}).encode()
        if lose:
            return
        (datagram,) = encode_message(
            payload, media_type=1, publisher_id=self.generator, message_id=self._next
        )
        for port in self._ports:
            self._socket.sendto(datagram, ("127.0.0.1", port))
        self.sent.append(self._next)

    def close(self) -> None:
        self._socket.close()
