"""HTTPS-notif: what ``ssl``, asyncio and httptools take, and what the receiver takes with them.

The bare library is a protocol of twenty lines under ``asyncio``'s own TLS that answers 204 to every
request. The publishers are a process of their own: so many connections with a client certificate,
each posting its next notification when the last was answered.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import ssl
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path

import httptools
import numpy as np
from msgspec import Struct

from collector.journal import Journal
from collector.receivers.https_notif import HttpsNotifReceiver
from collector.service.clock import CollectorClock
from collector.service.memory import settle
from collector.wire.https_notif import CONTENT_TYPES
from tests.bench import processes, transports
from tests.bench.load import Load
from tests.bench.payloads import ENCODINGS
from tests.bench.running import cores
from tests.bench.stages import Sample
from tests.bench.transports import Intake, IntoJournal, OnlyCounts, TransportCost
from tests.certificates import Certified, certified

CONNECTIONS = 256
MESSAGES = 20_000
OCTETS = {"json": 900, "cbor": 900, "xml": 1400}
"""Encoding -> of a payload; in XML nothing smaller holds an interface."""
_DEADLINE_SECONDS = 120.0
_ANSWER = b"HTTP/1.1 204"


class Order(Struct, frozen=True):
    """What the publishers do."""

    port: int
    connections: int
    messages: int
    """Of all connections."""
    request: bytes
    authority: str
    certificate: str
    key: str


def measure(*, folder: Path | None, quick: bool) -> Iterator[TransportCost]:
    """Each encoding."""
    connections, messages = (4, 40) if quick else (CONNECTIONS, MESSAGES)
    for encoding in ("json",) if quick else ENCODINGS:
        yield _measure(encoding, connections, messages, folder, 1 if quick else transports.TIMES)


def _measure(
    encoding: str, connections: int, messages: int, folder: Path | None, times: int
) -> TransportCost:
    load = Load(devices=1, cards=1, octets=OCTETS[encoding], encoding=encoding)
    body = Sample(load, 1).batches[0].payload[0]
    media_type = ENCODINGS[encoding].media_type
    request = (
        "POST /yang-push/relay-notification HTTP/1.1\r\nHost: collector.example\r\n"
        f"Content-Type: {CONTENT_TYPES[media_type]}\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body
    spent: dict[str, list[tuple[float, float]]] = {}
    for _ in range(times):
        for name, listen in WAYS.items():
            with tempfile.TemporaryDirectory(prefix="bench-", dir=folder) as kept:
                known = certified(Path(kept))
                gc.collect()
                found = asyncio.run(_run(listen, known, connections, messages, request))
                spent.setdefault(name, []).append(found)
    bare, handed, journal = (
        transports.median(name, messages, pairs) for name, pairs in spent.items()
    )
    return TransportCost("https-notif", encoding, len(body), connections, bare, handed, journal)


async def _run(
    listen: Callable[[Certified], contextlib.AbstractAsyncContextManager[int]],
    known: Certified,
    connections: int,
    messages: int,
    request: bytes,
) -> tuple[float, float]:
    """CPU seconds of this process, and seconds, from the first notification to the last answer."""
    loop = asyncio.get_running_loop()
    _, there = cores()
    async with listen(known) as port:
        order = Order(
            port, connections, messages, request, str(known.authority.file),
            *map(str, known.publisher),
        )  # fmt: skip
        with processes.process(publishers, there) as pipe:
            pipe.send(order)
            await loop.run_in_executor(None, processes.answer, pipe, _DEADLINE_SECONDS)
            settle()  # as a collector does when everything has begun
            cpu, wall = time.process_time(), time.perf_counter()
            pipe.send("go")
            await loop.run_in_executor(None, processes.answer, pipe, _DEADLINE_SECONDS)
            return time.process_time() - cpu, time.perf_counter() - wall


# --------------------------------------------------------------------------- ways to receive
class _Bare(asyncio.Protocol):
    """Parses requests and answers them."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio: the handshake is over."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._parser = httptools.HttpRequestParser(self)

    def data_received(self, data: bytes) -> None:
        """asyncio: decrypted octets."""
        self._parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        """httptools: a part of it."""

    def on_message_complete(self) -> None:
        """httptools: a whole request."""
        self._transport.write(b"HTTP/1.1 204 No Content\r\n\r\n")


@contextlib.asynccontextmanager
async def _listening_bare(known: Certified) -> AsyncIterator[int]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*known.collector.files)
    context.load_verify_locations(known.authority.file)
    context.verify_mode = ssl.CERT_REQUIRED
    loop = asyncio.get_running_loop()
    server = await loop.create_server(_Bare, "127.0.0.1", 0, ssl=context, backlog=1024)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


@contextlib.asynccontextmanager
async def _listening(known: Certified, intake: Intake) -> AsyncIterator[int]:
    options = {key: value for key, value in known.sections().items() if key != "enabled"}
    receiver = HttpsNotifReceiver(intake, CollectorClock(), **options)  # type: ignore[arg-type]
    await receiver.start()
    try:
        yield receiver.local_port
    finally:
        await receiver.stop()


@contextlib.asynccontextmanager
async def _listening_only(known: Certified) -> AsyncIterator[int]:
    async with _listening(known, OnlyCounts()) as port:
        yield port


@contextlib.asynccontextmanager
async def _listening_journal(known: Certified) -> AsyncIterator[int]:
    with Journal.open(known.authority.folder.parent / "data") as journal:
        async with _listening(known, IntoJournal(journal)) as port:
            yield port


WAYS: dict[str, Callable[[Certified], contextlib.AbstractAsyncContextManager[int]]] = {
    "bare library": _listening_bare,
    "handed over": _listening_only,
    "into the journal": _listening_journal,
}


# --------------------------------------------------------------------------- the publishers
def publishers(pipe: Connection, core: int | None) -> None:
    """A process that connects, waits for a word, posts everything, and says so."""
    if core is not None:
        os.sched_setaffinity(0, {core})
    asyncio.run(_publish(pipe, pipe.recv()))


async def _publish(pipe: Connection, order: Order) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(order.authority)
    context.load_cert_chain(order.certificate, order.key)
    loop = asyncio.get_running_loop()
    shares = np.full(order.connections, order.messages // order.connections)
    shares[: order.messages % order.connections] += 1
    all_over = asyncio.Event()
    left = [order.messages]

    def answered() -> None:
        left[0] -= 1
        if not left[0]:
            all_over.set()

    made = []
    for share in shares.tolist():
        _, one = await loop.create_connection(
            lambda share=share: _Publisher(order.request, share, answered),  # type: ignore[misc]
            "127.0.0.1", order.port, ssl=context, server_hostname="collector.example",
        )  # fmt: skip
        made.append(one)
    pipe.send("ready")
    await loop.run_in_executor(None, pipe.recv)
    for one in made:
        one.post()
    await all_over.wait()
    pipe.send("done")
    await loop.run_in_executor(None, pipe.recv)


class _Publisher(asyncio.Protocol):
    """One connection."""

    def __init__(self, request: bytes, share: int, answered: Callable[[], None]) -> None:
        self._request, self._left, self._answered = request, share, answered

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio: the handshake is over."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def post(self) -> None:
        """The next one."""
        if self._left:
            self._left -= 1
            self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        """asyncio: an answer."""
        assert data.startswith(_ANSWER), data
        self._answered()
        self.post()
