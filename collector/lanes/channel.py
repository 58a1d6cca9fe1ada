"""What the supervisor and a lane say to each other, over a socket pair that the lane inherits.

Down: ``Orders``, first of all and again whenever the configuration was read again. Up: ``Report``,
once the lane listens or has failed to, and one for every further orders. One line of JSON each, at
most ``LINE_OCTETS`` long. When one side ends, the other reads the end of the stream: a lane whose
supervisor is gone stops in good order. No secret is in a configuration, only where secrets are.
"""

from __future__ import annotations

import asyncio
from typing import TypeVar

import msgspec
from msgspec import Struct

from collector.config import Config
from collector.errors import CollectorError, UsageError

LINE_OCTETS = 256 * 2**20
"""Longest line (ours): a configuration file is 16 MiB at most, defaults are written out here."""

StructT = TypeVar("StructT", bound=Struct)


class Orders(Struct, frozen=True):
    """What a lane is to do from now on."""

    lane: int
    lanes: int
    config: Config
    elsewhere: dict[str, str] = {}
    """Host key of a device that calls home -> its name, of those in other lanes."""


class Report(Struct, frozen=True):
    """What came of it."""

    error: str = ""
    """Empty: everything is as ordered."""
    notes: tuple[str, ...] = ()
    """Further sentences to the error."""
    at_next_start: tuple[str, ...] = ()
    """Keys that changed and that only the next start heeds."""


def report_of(error: CollectorError) -> Report:
    """The report of a failure."""
    return Report(str(error), tuple(getattr(error, "__notes__", ())))


async def receive(reader: asyncio.StreamReader, kind: type[StructT]) -> StructT | None:
    """The next message; None when the other side is gone.

    Raises:
        UsageError: something else came.
    """
    try:
        line = await reader.readline()
    except (OSError, ValueError):
        return None  # ValueError: a line without an end
    if not line.endswith(b"\n"):
        return None
    try:
        return msgspec.json.decode(line, type=kind)
    except msgspec.DecodeError as error:
        raise UsageError(f"between supervisor and lane: {error}") from None


async def send(writer: asyncio.StreamWriter, message: Struct) -> None:
    """Say it. Raises OSError when the other side is gone."""
    writer.write(msgspec.json.encode(message) + b"\n")
    await writer.drain()
