"""A package of somebody else: a receiver, an encoding and a sink of its own.

It imports nothing of the tests, and of the collector only what an author may use. Messages come
over TCP, each with its length in four octets before it, after a line with the token.
"""

from __future__ import annotations

import asyncio
import struct
import zlib
from typing import Annotated, Any

from msgspec import Meta, Struct

from collector.config import secret_from
from collector.errors import ConfigError, IntakeFullError, SinkError, WireError
from collector.interfaces import Clock, Intake, Said
from collector.model import Notification, ReceivedBatch, RecordKind
from collector.wire.encodings.yang_json import JsonEncoding

LARGEST = 1 << 16
"""Octets of a message, packed and unpacked."""


class TcpSettings(Struct, frozen=True, kw_only=True):
    """The keys of ``[receiver.acme-tcp]``."""

    address: str = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535)] = 0
    media_type: Annotated[int, Meta(ge=1, le=65535)] = 512
    token_file: str | None = None
    token_env: str | None = None

    def __post_init__(self) -> None:
        if self.token_file and self.token_env:
            raise ValueError("token_file and token_env cannot be used together")


class TcpReceiver:
    """Messages over TCP."""

    name = "acme-tcp"
    title = "Acme over TCP"
    settings = TcpSettings
    behind = False
    reads_ahead = False

    def __init__(
        self,
        intake: Intake,
        clock: Clock,
        *,
        address: str = "127.0.0.1",
        port: int = 0,
        media_type: int = 512,
        token_file: str | None = None,
        token_env: str | None = None,
    ) -> None:
        self._intake, self._clock = intake, clock
        self._address, self._port, self._media_type = address, port, media_type
        self._token_file, self._token_env = token_file, token_env
        self._token: bytes | None = None
        self._server: asyncio.Server | None = None
        self._peers: set[asyncio.StreamWriter] = set()
        self.local_port = 0

    async def start(self) -> None:
        token = secret_from(
            file=self._token_file, env=self._token_env, key=f"receiver.{self.name}.token"
        )
        self._token = None if token is None else token.encode()
        try:
            self._server = await asyncio.start_server(self._serve, self._address, self._port)
        except OSError as error:
            raise ConfigError(f"cannot listen: {error}", key="receiver.acme-tcp.port") from error
        self.local_port = self._server.sockets[0].getsockname()[1]

    def drain(self) -> int:
        return 0  # what was read was handed over at once

    async def stop(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.close()
            for peer in list(self._peers):
                peer.close()
            await server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._peers.add(writer)
        try:
            token = (await reader.readuntil(b"\n")).strip()
            while self._token is None or token == self._token:
                (length,) = struct.unpack("!I", await reader.readexactly(4))
                if length > LARGEST:
                    break
                payload = await reader.readexactly(length)
                await self._hand_over(payload, writer.get_extra_info("peername"))
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # it went away
        finally:
            self._peers.discard(writer)
            writer.close()

    async def _hand_over(self, payload: bytes, peer: tuple[str, int]) -> None:
        while True:
            batch = ReceivedBatch()
            batch.append(
                self._clock.now(), RecordKind.DATA, payload,
                peer=peer[0], port=peer[1], media_type=self._media_type,
            )  # fmt: skip
            try:
                self._intake.take(batch)
            except IntakeFullError:
                await asyncio.sleep(0.05)
            else:
                return


class PackedEncoding:
    """JSON, compressed."""

    name = "acme-packed"
    identity = "encode-acme-packed"
    media_type = 512
    content_type = "application/vnd.acme.packed"

    def __init__(self) -> None:
        self._json = JsonEncoding()

    def decode(self, payload: bytes) -> Notification:
        return self._json.decode(_unpacked(payload))

    def decode_contents(self, payload: bytes) -> Any:
        return self._json.decode_contents(_unpacked(payload))

    def encode(self, notification: Notification, contents: Any = None) -> bytes:
        return zlib.compress(self._json.encode(notification, contents))


def _unpacked(payload: bytes) -> bytes:
    unpacking = zlib.decompressobj()
    try:
        octets = unpacking.decompress(payload, LARGEST)
    except zlib.error as error:
        raise WireError("bad-zlib", str(error)) from None
    if not unpacking.eof:
        raise WireError("bad-zlib", "not all of it is there, or it is too long")
    return octets


class CsvSettings(Struct, frozen=True, kw_only=True):
    """The keys of ``[sink.acme-csv]``."""

    file: str


class CsvSink:
    """Verdicts as lines."""

    name = "acme-csv"
    settings = CsvSettings

    def __init__(self, file: str) -> None:
        self._path = file
        self._file: Any = None

    def start(self) -> None:
        if self._file is None:
            try:
                self._file = open(self._path, "a", encoding="utf-8")  # noqa: SIM115
            except OSError as error:
                raise SinkError(f"{self._path}: {error}", retryable=False) from error

    def write(self, said: Said) -> None:
        for one in said.verdicts:
            missing = " ".join(cause.generator for cause in one.missing)
            self._file.write(f"{one.device},{one.subscription_name},{one.outcome},{missing}\n")
        self._file.flush()

    def flush(self) -> None:
        pass

    def stop(self) -> None:
        if self._file is not None:
            self._file.close()
        self._file = None


def send(port: int, payloads: list[bytes], token: bytes = b"") -> None:
    """Entry point in ``yang_push_collector.senders``: how the contract tests reach the receiver."""
    import socket

    with socket.create_connection(("127.0.0.1", port)) as connection:
        framed = b"".join(struct.pack("!I", len(one)) + one for one in payloads)
        connection.sendall(token + b"\n" + framed)
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(4096):
            pass
