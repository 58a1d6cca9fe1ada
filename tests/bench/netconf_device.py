"""A device for the NETCONF stages, in a process of its own: it answers the first request of a
session with notifications, as fast as they are taken.

Does: say hello over real SSH, reply, then send. The messages are framed before anybody asks, and
encrypted before the first of them leaves, so that the device is never what takes the time; what is
beyond the SSH window (see ``WINDOW``) is encrypted as that opens.
"""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import time
from collections.abc import Iterable, Iterator, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

from msgspec import Struct

from collector.model import SECOND
from collector.subscriber.sessions.session import SessionSettings
from collector.wire.netconf.framing import encode_chunked
from collector.wire.netconf.hello import root_of
from collector.wire.values import names
from collector.wire.values.timestamps import format_date_and_time
from publisher_sim.netconf.server import NetconfServer
from publisher_sim.netconf.session import ServerSession
from tests.bench.payloads import SUBSCRIPTION

CARDS = 8
START = b'<rpc message-id="1" xmlns="urn:ietf:params:xml:ns:netconf:base:1.0"><go/></rpc>'
"""The request after which everything is sent."""
_USER, _PASSWORD = "bench", "loopback only"
WINDOW = 1 << 30
"""Octets that a client may allow to be sent before it asks for more; enough for everything."""
_WRITE = 256 * 1024
"""Octets that are written into the socket at once, about."""


class Stream(Struct, frozen=True):
    """What is sent after each request."""

    messages: int
    octets: int
    """Of each message, without framing."""
    packets: Literal["single", "full"] = "single"
    """One SSH packet for each message, as of a device that writes each when it is made; or packets
    of 32 KiB, as of one that lags behind."""


@contextlib.contextmanager
def device(stream: Stream) -> Iterator[SessionSettings]:
    """A device that listens, and how to reach it."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, stream), daemon=True)
    process.start()
    with TemporaryDirectory() as folder:
        port, line = ours.recv()
        known_hosts = Path(folder) / "known_hosts"
        known_hosts.write_text(line)
        try:
            yield SessionSettings(
                "127.0.0.1",
                _USER,
                port=port,
                password=lambda: _PASSWORD,
                known_hosts=str(known_hosts),
                rpc_timeout=60 * SECOND,
            )
        finally:
            ours.send(None)
            process.join()
            ours.close()


def _serve(pipe: Connection, stream: Stream) -> None:
    asyncio.run(_serve_until_told(pipe, stream))


async def _serve_until_told(pipe: Connection, stream: Stream) -> None:
    framed = [
        encode_chunked(push_update(number, stream.octets, time.time_ns()))
        for number in range(stream.messages)
    ]
    if stream.packets == "full":
        framed = list(_joined(framed))
    tasks: set[asyncio.Task[None]] = set()
    asked: set[str] = set()

    def answer(session: str, request: bytes) -> None:
        first = session not in asked
        asked.add(session)
        said = f'<id xmlns="{names.NAMESPACES[names.SN]}">{SUBSCRIPTION}</id>' if first else "<ok/>"
        number = root_of(request).message_id
        reply = f'<rpc-reply message-id="{number}" xmlns="{names.NETCONF_BASE}">{said}</rpc-reply>'
        server.send(session, reply.encode())
        if first:
            task = asyncio.get_running_loop().create_task(_send(server._sessions[session], framed))
            tasks.add(task)
            task.add_done_callback(tasks.discard)

    server = NetconfServer(port=0, users={_USER: _PASSWORD}, on_rpc=answer, max_sessions=10_000)
    await server.start()
    pipe.send((server.port, server.known_hosts_line()))
    await asyncio.get_running_loop().run_in_executor(None, pipe.recv)
    await server.stop()


async def _send(session: ServerSession, framed: Sequence[bytes]) -> None:
    """Encrypt everything, then let it go."""
    channel: Any = session._channel
    connection = channel._conn
    transport = connection._transport
    connection._transport = held = _Held(transport)
    for octets in framed:
        channel.write(octets)
    connection._transport = transport
    for octets in _joined(held.written):
        transport.write(octets)
        while transport.get_write_buffer_size() > 2 * _WRITE:
            await asyncio.sleep(0)


class _Held:
    """In the place of a transport: what is written is kept."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self.written: list[bytes] = []
        self.write = self.written.append
        self.is_closing = transport.is_closing


def _joined(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """A few together."""
    joined = bytearray()
    for piece in pieces:
        joined += piece
        if len(joined) >= _WRITE:
            yield bytes(joined)
            joined.clear()
    if joined:
        yield bytes(joined)


def push_update(number: int, octets: int, now: int) -> bytes:
    """The ``number``-th message: as many interfaces as fit into ``octets``, and a description.

    Raises:
        ValueError: so few octets cannot hold one interface.
    """
    card = number % CARDS + 1
    head = (
        f'<notification xmlns="{names.NOTIFICATION_1_0}"><eventTime>'
        f"{format_date_and_time(now, 6)}</eventTime><push-update "
        f'xmlns="{names.NAMESPACES[names.YP]}"><id>{SUBSCRIPTION}</id><message-publisher-id '
        f'xmlns="{names.NAMESPACES[names.DN]}">{card}</message-publisher-id><datastore-contents>'
        '<interfaces xmlns="urn:ietf:params:xml:ns:yang:ietf-interfaces">'
    )
    tail = "</interfaces></datastore-contents></push-update></notification>"
    left = octets - len(head) - len(tail)
    entries = [_interface(card, 1, number)]
    while len(entry := _interface(card, len(entries) + 1, number)) <= left - sum(map(len, entries)):
        entries.append(entry)
    left -= sum(map(len, entries))
    if left < 0:
        raise ValueError(f"a push-update needs {octets - left} octets, not {octets}")
    filled = entries[0].replace("</description>", "." * left + "</description>")
    return "".join((head, filled, *entries[1:], tail)).encode()


def _interface(card: int, number: int, moved: int) -> str:
    counters = "".join(
        f"<{name}>{1_234_567_890_123 + moved * 7919}</{name}>"
        for name in ("in-octets", "out-octets", "in-unicast-pkts", "out-unicast-pkts")
    )
    return (
        f"<interface><name>TenGigE0/{card}/0/{number}</name><description></description>"
        f"<enabled>true</enabled><statistics>{counters}</statistics></interface>"
    )
