"""gRPC dial-out: what ``grpcio.aio`` takes, and what the receiver takes with it.

The bare library is an ``aio`` server that reads octets (no deserializer) and keeps nothing. The
devices are a process of their own, and no gRPC library, which would be slower than what is
measured: they write HTTP/2 frames that were made before, as far as the windows allow, and wait for
the end of their stream.

Spec: RFC 9113 §4 (frames), §6.9 (windows); RFC 7541 §6.2.2 (literals).
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import ssl
import struct
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

import grpc
import grpc.aio
from msgspec import Struct

from collector.journal import Journal
from collector.model import DeviceTime, MediaType, Notification, NotificationKind
from collector.receivers.grpc_dialout import GrpcDialoutReceiver
from collector.service.clock import CollectorClock
from collector.wire.dialout.streams import MDT_DIALOUT, encode_cisco
from collector.wire.notifications.notification import encode
from collector.wire.values import names
from tests.bench import processes, transports
from tests.bench.running import cores
from tests.bench.transports import Intake, IntoJournal, OnlyCounts, TransportCost
from tests.certificates import Certified, certified

STREAMS = 16
MESSAGES = 40_000
OCTETS = 900
_DEADLINE_SECONDS = 120.0
_AT_ONCE: Final = 64
"""Messages of one write at most."""
_HEAD: Final = struct.Struct("!HBBBI")
"""Length in 24 bits, type, flags, stream."""
_DATA, _HEADERS, _SETTINGS, _PING, _WINDOW_UPDATE = 0, 1, 4, 6, 8
_END_STREAM, _END_HEADERS, _ACK = 1, 4, 1
_FIRST_WINDOW: Final = 65_535
_WHEN: Final = DeviceTime(1_800_000_000_000_000_000)
_KINDS = {"gpb": MediaType.CISCO_GPB, "json": MediaType.CISCO_JSON}


class Order(Struct, frozen=True):
    """What the devices do."""

    port: int
    streams: int
    messages: int
    """Of all streams."""
    message: bytes
    """Of the stream, as the library would write it."""
    authority: str = ""
    """Files for TLS; empty: without."""
    certificate: str = ""
    key: str = ""


def measure(*, folder: Path | None, quick: bool) -> Iterator[TransportCost]:
    """Each encoding, and GPB over TLS."""
    streams, messages = (2, 40) if quick else (STREAMS, MESSAGES)
    for encoding in ("gpb",) if quick else ("gpb", "json", "gpb, TLS"):
        yield _measure(encoding, streams, messages, folder, 1 if quick else transports.TIMES)


def _payload(media_type: MediaType) -> bytes:
    """An update of about ``OCTETS``."""
    said = Notification(
        NotificationKind.PUSH_UPDATE, "", names.ROOT_CISCO, 7, _WHEN, _WHEN, None, "core7",
    )  # fmt: skip
    leaf, found = 0, b""
    while len(found) < OCTETS:
        leaf += 1
        leaves = {f"counter-{number}": number * 10**9 for number in range(leaf)}
        entry = {"name": "eth0/0", "statistics": leaves}
        found = encode(said, {"ietf-interfaces:interfaces": {"interface": [entry]}}, media_type)
    return found


def _measure(
    encoding: str, streams: int, messages: int, folder: Path | None, times: int
) -> TransportCost:
    payload = _payload(_KINDS[encoding.partition(",")[0]])
    (message,) = encode_cisco(payload, 1)
    over_tls = encoding.endswith("TLS")
    spent: dict[str, list[tuple[float, float]]] = {}
    for _ in range(times):
        for name, listen in WAYS.items():
            with tempfile.TemporaryDirectory(prefix="bench-", dir=folder) as kept:
                known = certified(Path(kept))
                gc.collect()
                found = asyncio.run(_run(listen, known, over_tls, streams, messages, message))
                spent.setdefault(name, []).append(found)
    bare, handed, journal = (
        transports.median(name, messages, pairs) for name, pairs in spent.items()
    )
    return TransportCost("grpc-dialout", encoding, len(payload), streams, bare, handed, journal)


async def _run(
    listen: Callable[[Certified, bool], contextlib.AbstractAsyncContextManager[int]],
    known: Certified,
    over_tls: bool,
    streams: int,
    messages: int,
    message: bytes,
) -> tuple[float, float]:
    """CPU seconds of this process, and seconds, from the first message to the last stream's end."""
    loop = asyncio.get_running_loop()
    _, there = cores()
    async with listen(known, over_tls) as port:
        files = (str(known.authority.file), *map(str, known.publisher)) if over_tls else ()
        with processes.process(devices, there) as pipe:
            pipe.send(Order(port, streams, messages, message, *files))
            await loop.run_in_executor(None, processes.answer, pipe, _DEADLINE_SECONDS)
            cpu, wall = time.process_time(), time.perf_counter()
            pipe.send("go")
            await loop.run_in_executor(None, processes.answer, pipe, _DEADLINE_SECONDS)
            return time.process_time() - cpu, time.perf_counter() - wall


# --------------------------------------------------------------------------- ways to receive
class _Bare(grpc.GenericRpcHandler):  # type: ignore[misc]  # grpc has no types
    """Reads and forgets."""

    def service(self, handler_call_details: Any) -> Any:
        """gRPC: who takes care of a call."""
        return grpc.stream_stream_rpc_method_handler(self._serve)

    async def _serve(self, _: Any, context: Any) -> None:
        while await context.read() is not grpc.aio.EOF:
            pass


@contextlib.asynccontextmanager
async def _listening_bare(known: Certified, over_tls: bool) -> AsyncIterator[int]:
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((_Bare(),))
    if over_tls:
        certificate, key = (Path(path).read_bytes() for path in known.collector.files)
        authority = known.authority.file.read_bytes()
        credentials = grpc.ssl_server_credentials([(key, certificate)], authority, True)
        port = server.add_secure_port("127.0.0.1:0", credentials)
    else:
        port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield port
    finally:
        await server.stop(0)


@contextlib.asynccontextmanager
async def _listening(known: Certified, over_tls: bool, intake: Intake) -> AsyncIterator[int]:
    options: dict[str, Any] = {"port": 0, "plaintext": True}
    if over_tls:
        options = {key: value for key, value in known.sections().items() if key != "enabled"}
    receiver = GrpcDialoutReceiver(intake, CollectorClock(), **options)
    await receiver.start()
    try:
        yield receiver.local_port
    finally:
        await receiver.stop()


@contextlib.asynccontextmanager
async def _listening_only(known: Certified, over_tls: bool) -> AsyncIterator[int]:
    async with _listening(known, over_tls, OnlyCounts()) as port:
        yield port


@contextlib.asynccontextmanager
async def _listening_journal(known: Certified, over_tls: bool) -> AsyncIterator[int]:
    with Journal.open(known.authority.folder.parent / "data") as journal:
        async with _listening(known, over_tls, IntoJournal(journal)) as port:
            yield port


WAYS: dict[str, Callable[[Certified, bool], contextlib.AbstractAsyncContextManager[int]]] = {
    "bare library": _listening_bare,
    "handed over": _listening_only,
    "into the journal": _listening_journal,
}


# --------------------------------------------------------------------------- the devices
def devices(pipe: Connection, core: int | None) -> None:
    """A process that opens streams, waits for a word, sends everything, and says so."""
    if core is not None:
        os.sched_setaffinity(0, {core})
    asyncio.run(_publish(pipe, pipe.recv()))


async def _publish(pipe: Connection, order: Order) -> None:
    loop = asyncio.get_running_loop()
    context = None
    if order.authority:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(order.authority)
        context.load_cert_chain(order.certificate, order.key)
        context.set_alpn_protocols(["h2"])
    made = []
    for number in range(order.streams):
        share = order.messages // order.streams + (number < order.messages % order.streams)
        _, one = await loop.create_connection(
            lambda share=share: _Device(order.message, share, loop),
            "127.0.0.1", order.port, ssl=context,
            server_hostname="collector.example" if context else None,
        )  # fmt: skip
        made.append(one)
    await asyncio.gather(*(one.greeted for one in made))
    pipe.send("ready")
    await loop.run_in_executor(None, pipe.recv)
    for one in made:
        one.begin()
    await asyncio.gather(*(one.over for one in made))
    pipe.send("done")
    await loop.run_in_executor(None, pipe.recv)


def _frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    length = len(payload)
    return _HEAD.pack(length >> 8, length & 255, kind, flags, stream) + payload


def _literals(**fields: str) -> bytes:
    """Header fields without an index and without Huffman's code."""
    found = b""
    for name, value in fields.items():
        name = name.replace("_", "-").replace("pseudo-", ":")
        found += b"\x00" + b"".join(bytes([len(one)]) + one.encode() for one in (name, value))
    return found


class _Device(asyncio.Protocol):
    """One connection with one stream."""

    def __init__(self, message: bytes, share: int, loop: asyncio.AbstractEventLoop) -> None:
        self._frame = _frame(_DATA, 0, 1, b"\x00" + len(message).to_bytes(4, "big") + message)
        self._octets = len(self._frame) - _HEAD.size
        self._left = share
        self._connection = self._stream = _FIRST_WINDOW
        self._first_window = _FIRST_WINDOW
        self._rest = b""
        self._began = self._ended = False
        self.greeted: asyncio.Future[None] = loop.create_future()
        self.over: asyncio.Future[None] = loop.create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio: connected, over TLS as well."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.set_write_buffer_limits(1 << 20)
        transport.write(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + _frame(_SETTINGS, 0, 0))

    def connection_lost(self, exc: Exception | None) -> None:
        """asyncio: too early, if somebody waits."""
        for waited in (self.greeted, self.over):
            if not waited.done():
                waited.set_exception(ConnectionError("the receiver hung up"))

    def begin(self) -> None:
        """Open the stream and send."""
        self._began = True
        fields = _literals(
            pseudo_method="POST", pseudo_scheme="http", pseudo_path=MDT_DIALOUT,
            pseudo_authority="collector.example", te="trailers",
            content_type="application/grpc",
        )  # fmt: skip
        self._transport.write(_frame(_HEADERS, _END_HEADERS, 1, fields))
        self._send()

    def _send(self) -> None:
        """As much as the windows allow."""
        while self._began and self._left:
            fits = min(self._connection, self._stream) // self._octets
            count = min(fits, self._left, _AT_ONCE)
            if not count:
                return
            self._left -= count
            self._connection -= count * self._octets
            self._stream -= count * self._octets
            self._transport.write(self._frame * count)
        if self._began and not self._ended:
            self._ended = True
            self._transport.write(_frame(_DATA, _END_STREAM, 1))

    def data_received(self, data: bytes) -> None:
        """asyncio: frames."""
        data = self._rest + data
        at = 0
        while at + _HEAD.size <= len(data):
            high, low, kind, flags, stream = _HEAD.unpack_from(data, at)
            end = at + _HEAD.size + (high << 8 | low)
            if end > len(data):
                break
            self._heard(kind, flags, stream, data[at + _HEAD.size : end])
            at = end
        self._rest = data[at:]
        self._send()

    def _heard(self, kind: int, flags: int, stream: int, payload: bytes) -> None:
        if kind == _SETTINGS and not flags & _ACK:
            for at in range(0, len(payload), 6):
                setting, value = struct.unpack_from("!HI", payload, at)
                if setting == 4:  # SETTINGS_INITIAL_WINDOW_SIZE
                    self._stream += value - self._first_window
                    self._first_window = value
            self._transport.write(_frame(_SETTINGS, _ACK, 0))
            if not self.greeted.done():
                self.greeted.set_result(None)
        elif kind == _PING and not flags & _ACK:
            self._transport.write(_frame(_PING, _ACK, 0, payload))
        elif kind == _WINDOW_UPDATE:
            more = int.from_bytes(payload, "big")
            if stream:
                self._stream += more
            else:
                self._connection += more
        elif kind == _HEADERS and flags & _END_STREAM and not self.over.done():
            assert not self._left, "the stream ended early"
            self.over.set_result(None)
