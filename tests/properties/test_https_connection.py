"""One connection of the HTTPS receiver on a pretend transport: how octets are cut changes nothing,
in the clear and over TLS; whatever comes, it ends or goes on in good order and keeps nothing."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collector.receivers.https.connection import Connection
from collector.receivers.https_notif import HttpsNotifReceiver
from tests.certificates import Certified, certified
from tests.https_ends import GOOD, Clock, Intake, post
from tests.tls_ends import Client, client_context

PARTS = [
    post(), post(b"{"), post(content_type="a/b"), post(more="Connection: close\r\n"),
    b"GET /yang-push/capabilities HTTP/1.1\r\nHost: c\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: c\r\n\r\n",
    post(b"x" * 2000), b"garbage\r\n\r\n", post()[:60], b"\x16\x03\x01\x00", b"\r\n",
]  # fmt: skip
REQUESTS = st.lists(st.sampled_from(PARTS) | st.binary(max_size=30), max_size=12).map(b"".join)


class Wire(asyncio.Transport):
    """The other end of a connection."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.closed = self.ended = False

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return ("::ffff:192.0.2.7", 4000, 0, 0) if name == "peername" else default

    def write(self, data: Any) -> None:
        assert not self.ended, "nothing follows the last word"
        self.written += data

    def write_eof(self) -> None:
        self.ended = True

    def close(self) -> None:
        self.closed = True

    abort = close

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


class Joined:
    """A receiver that does not listen, with one connection."""

    def __init__(self, **options: Any) -> None:
        self.intake = Intake()
        given = {"plain_http": "certificate_file" not in options, "max_message_bytes": 1000}
        self.receiver = HttpsNotifReceiver(self.intake, Clock(), **given | options)
        self.receiver._loop = asyncio.get_running_loop()
        if self.receiver.tls is not None:
            self.receiver.tls.load()
        self.wire = Wire()
        self.connection = Connection(self.receiver, self.receiver._loop)
        self.connection.connection_made(self.wire)

    async def feed(self, octets: bytes, piece: int) -> None:
        for at in range(0, len(octets), piece):
            part = octets[at : at + piece]
            self.receiver.buffer[: len(part)] = part
            self.connection.buffer_updated(len(part))
            await asyncio.sleep(0)
        for _ in range(5):
            await asyncio.sleep(0)

    def over(self) -> None:
        """The peer is gone; nothing is left of it."""
        self.connection.eof_received()
        self.connection.connection_lost(None)
        guests = self.receiver._guests
        assert (guests._held, guests.connections, guests._of_peer) == (0, set(), {})


def statuses(octets: bytes) -> list[bytes]:
    """Of all answers."""
    return [part[:3] for part in octets.split(b"HTTP/1.1 ")[1:]]


@settings(max_examples=120, deadline=None)
@given(REQUESTS, st.integers(1, 400))
def test_how_octets_are_cut_changes_nothing(octets: bytes, piece: int) -> None:
    async def answers(size: int) -> tuple[list[bytes], list[bytes], bool]:
        joined = Joined()
        await joined.feed(octets, size)
        found = statuses(joined.wire.written), joined.intake.payloads(), joined.wire.ended
        joined.over()
        return found

    async def run() -> None:
        assert await answers(piece) == await answers(60_000)

    asyncio.run(run())


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Certified:
    return certified(Path(tmp_path_factory.mktemp("https")))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(1, 3000), st.binary(max_size=40), st.integers(0, 2000))
def test_tls_in_pieces_and_broken(known: Certified, piece: int, junk: bytes, at: int) -> None:
    options = {key: value for key, value in known.sections().items() if key != "enabled"}

    async def run() -> None:
        joined = Joined(**options)
        client = Client(client_context(known.authority.file, known.publisher))
        to_server = client.step()
        while to_server:
            await joined.feed(to_server, piece)
            octets, joined.wire.written = joined.wire.written, b""
            to_server = client.step(octets)
        await joined.feed(client.send(post() + post()), piece)
        assert statuses(client.receive(joined.wire.written)) == [b"204", b"204"]
        assert joined.intake.payloads() == [GOOD, GOOD]
        assert set(joined.intake.column("session")) == {"certificate:publisher.example"}
        assert set(joined.intake.column("peer")) == {"192.0.2.7"}
        sent = client.send(post())
        await joined.feed(sent[: at % len(sent)] + junk + sent[at % len(sent) :], piece)
        assert joined.intake.payloads() in ([GOOD] * 2, [GOOD] * 3)
        joined.over()

    asyncio.run(run())
