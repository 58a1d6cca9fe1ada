"""A client of the control socket for an event loop (``collector.control`` has the protocol, and the
client for everybody else).

Does: one question with one answer, or the rows of a stream. Does not: wait longer than it is told.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec

from collector.control import ANSWER_BYTES, LINE_BYTES, SOCKET_NAME, hang_up, short_path
from collector.errors import UsageError

LANE_SECONDS = 3.0
"""How long a collector may take over an answer (ours); its loop has messages to take too."""


async def ask(
    folder: Path,
    command: str,
    arguments: Mapping[str, Any] | None = None,
    *,
    seconds: float = LANE_SECONDS,
) -> tuple[dict[str, Any], bytes]:
    """The answer to a command: plain values, and octets where it has any.

    Raises:
        UsageError: nobody answers in time, or the command failed.
    """
    try:
        async with asyncio.timeout(seconds), _asked(folder, command, arguments) as found:
            answer, reader = found
            length = answer.get("bytes", 0)
            if not isinstance(length, int) or not 0 <= length <= ANSWER_BYTES:
                raise UsageError("the answer cannot be understood")
            return answer, await reader.readexactly(length)
    except TimeoutError:
        raise UsageError(f"no answer within {seconds:g} s") from None
    except (OSError, asyncio.IncompleteReadError):
        raise UsageError("nobody answers") from None


async def follow(
    folder: Path, command: str = "follow", arguments: Mapping[str, Any] | None = None
) -> AsyncGenerator[dict[str, Any], None]:
    """The rows of a stream, of facts without a command, until the other side ends.

    Raises:
        UsageError: the command failed, or what comes is not JSON.
    """
    try:
        async with _asked(folder, command, arguments) as (_, reader):
            while (line := await reader.readline()).endswith(b"\n"):
                yield _decoded(line)
    except (OSError, ValueError):
        return


@asynccontextmanager
async def _asked(
    folder: Path, command: str, arguments: Mapping[str, Any] | None = None
) -> AsyncIterator[tuple[dict[str, Any], asyncio.StreamReader]]:
    with short_path(folder / SOCKET_NAME) as short:
        reader, writer = await asyncio.open_unix_connection(short, limit=LINE_BYTES)
    try:
        writer.write(msgspec.json.encode({"command": command, **(arguments or {})}) + b"\n")
        await writer.drain()
        answer = _decoded(await reader.readline())
        if not answer.pop("ok", False):
            raise UsageError(str(answer.get("error", "it refused")))
        yield answer, reader
    finally:
        await hang_up(writer)


def _decoded(line: bytes) -> dict[str, Any]:
    try:
        return msgspec.json.decode(line, type=dict[str, Any])
    except msgspec.DecodeError:
        raise UsageError("the answer is not JSON") from None
