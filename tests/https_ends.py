"""A running HTTPS receiver and a raw client of it, for tests over loopback."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

from collector.errors import IntakeFullError, WireError
from collector.model import ReceivedBatch
from collector.receivers.https_notif import HttpsNotifReceiver
from collector.wire.notifications.envelopes import decode_batch
from tests import receiver_ends
from tests.receiver_ends import Clock

PATIENCE = 20.0
"""Seconds; generous, nothing is measured."""
GOOD = b'{"ietf-https-notif:notification":{"eventTime":"2026-11-21T14:00:00Z","a:b":{}}}'


class Intake(receiver_ends.Intake):
    """Reads what it takes, and can lose what it took."""

    def __init__(self) -> None:
        super().__init__()
        self.lost = False
        """The disk refuses to keep what was taken."""
        self.unreadable: dict[int, WireError] = {}

    def take(self, batch: ReceivedBatch) -> int:
        offset = super().take(batch)
        others = decode_batch(batch.payload, batch.media_type).others
        self.unreadable = {row: one for row, one in others.items() if isinstance(one, WireError)}
        return offset

    async def committed(self, offset: int) -> None:
        await super().committed(offset)
        if self.lost:
            raise IntakeFullError("the disk refused")

    def payloads(self) -> list[bytes]:
        return self.column("payload")


@contextlib.asynccontextmanager
async def serving(**options: Any) -> AsyncIterator[tuple[HttpsNotifReceiver, Intake]]:
    """A receiver on a free port of 127.0.0.1; plain HTTP unless a certificate is given."""
    intake = Intake()
    given = {"port": 0, "plain_http": "certificate_file" not in options} | options
    receiver = HttpsNotifReceiver(intake, Clock(), **given)
    await receiver.start()
    try:
        yield receiver, intake
    finally:
        intake.gate.set()
        await receiver.stop()


class Response(NamedTuple):
    status: int
    fields: dict[str, str]
    body: bytes


class Browser:
    """One connection, octets in and responses out."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    def send(self, octets: bytes) -> None:
        self.writer.write(octets)

    async def response(self, *, head: bool = False) -> Response:
        """The next one. Raises EOFError."""
        async with asyncio.timeout(PATIENCE):
            text = (await self.reader.readuntil(b"\r\n\r\n")).decode()
            first, *lines = text[:-4].split("\r\n")
            fields = {}
            for line in lines:
                name, _, value = line.partition(": ")
                fields[name.lower()] = value
            length = 0 if head else int(fields.get("content-length", "0"))
            body = await self.reader.readexactly(length)
        return Response(int(first.split(" ")[1]), fields, body)

    async def ended(self) -> bool:
        """Whether nothing more comes, once the connection is over."""
        async with asyncio.timeout(PATIENCE):
            try:
                return await self.reader.read() == b""
            except ConnectionError:
                return True


@contextlib.asynccontextmanager
async def browsing(
    receiver: HttpsNotifReceiver, context: ssl.SSLContext | None = None
) -> AsyncIterator[Browser]:
    """A connection to it."""
    async with asyncio.timeout(PATIENCE):
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", receiver.local_port, ssl=context,
            server_hostname="collector.example" if context else None,
        )  # fmt: skip
    try:
        yield Browser(reader, writer)
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


def post(body: bytes = GOOD, content_type: str = "application/json", more: str = "") -> bytes:
    """A notification as a request."""
    return (
        f"POST /yang-push/relay-notification HTTP/1.1\r\nHost: c\r\nContent-Type: {content_type}"
        f"\r\nContent-Length: {len(body)}\r\n{more}\r\n"
    ).encode() + body
