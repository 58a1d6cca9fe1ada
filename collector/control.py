"""The Unix socket in the data folder: how other processes talk to the running collector.

Does: serve named commands (``status``, ``devices``, ``follow``, ``open_rows``, ``reload``, whatever
the service plugs in) and be their client. Does not: know what a command does.
Rules: one request a connection, one line of JSON: ``{"command": name, ...}``. The answer is one
line of JSON, ``{"ok": true, ...}`` or ``{"ok": false, "error": sentence}``; with ``"bytes": n`` in
it n octets follow; with ``"stream": true`` lines of JSON follow until one side hangs up.
The socket is for its owner only (mode 0600). Requests, clients, time and what waits for a
slow follower are bounded; what a follower loses is counted and said in its stream.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from collector.errors import CollectorError, ConfigError, UsageError
from collector.journal.lock import is_held
from collector.listening import accept_no_more

SOCKET_NAME = "control.sock"
REQUEST_BYTES = 4 * 2**20
"""Octets of a request (ours): what is written to a device in one edit fits in."""
CLIENTS = 32
REQUEST_SECONDS = 5.0
SLOW_SECONDS = 30.0
"""Seconds that a client may leave an answer unread before it is hung up on."""
ANSWER_BYTES = 2**31
"""Octets of one answer that a client takes."""
LINE_BYTES = 2**28
"""Octets of one line of an answer that a client takes."""

Arguments = Mapping[str, Any]
Answer = Mapping[str, Any] | bytes | AsyncIterator[Mapping[str, Any]]
"""Plain values; octets; or a stream of plain values."""
Command = Callable[[Arguments], Answer | Awaitable[Answer]]


class ControlServer:
    """Serves ``commands`` on the socket in ``folder``."""

    def __init__(self, folder: str | Path, commands: Mapping[str, Command]) -> None:
        self._folder = Path(folder)
        self._commands = dict(commands)
        self._server: asyncio.Server | None = None
        self._clients: set[asyncio.Task[None]] = set()
        self.refused = 0
        """Connections turned away since too many were open."""

    async def start(self) -> None:
        """Return when listening; whoever starts us holds the folder's lock.

        Raises:
            ConfigError: the socket cannot be made.
        """
        try:
            listening = _listen(self._folder)
            self._server = await asyncio.start_unix_server(
                self._serve, sock=listening, limit=REQUEST_BYTES
            )
        except OSError as error:
            raise ConfigError(
                f"control socket in {self._folder} cannot be made: {error.strerror or error}",
                key="collector.data_dir",
            ) from None

    async def stop(self) -> None:
        """Hang up and remove the socket. May be called twice, or without ``start``."""
        server, self._server = self._server, None
        if server is None:
            return
        await accept_no_more(server.sockets)
        server.close()
        clients = self._clients - {asyncio.current_task()}
        for client in clients:
            client.cancel()
        await asyncio.gather(*clients, return_exceptions=True)
        with contextlib.suppress(OSError):
            (self._folder / SOCKET_NAME).unlink()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        if len(self._clients) >= CLIENTS:
            self.refused += 1
            await hang_up(writer)
            return
        self._clients.add(task)
        try:
            async with asyncio.timeout(REQUEST_SECONDS):
                line = await reader.readline()
            await self._answer(line, reader, writer)
        except (OSError, TimeoutError, ValueError):
            pass  # a client that is slow, gone, or sent too long a line
        except asyncio.CancelledError:
            pass  # by our own stop; let through, asyncio 3.11 would log it as an error
        finally:
            await hang_up(writer)
            self._clients.discard(task)

    async def _answer(
        self, line: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        try:
            answer = await self._run(line)
        except CollectorError as error:
            await _send(writer, _line({"ok": False, "error": str(error)}))
            return
        if isinstance(answer, bytes):
            await _send(writer, _line({"ok": True, "bytes": len(answer)}), answer)
        elif isinstance(answer, Mapping):
            await _send(writer, _line({"ok": True, **answer}))
        else:
            await _stream(answer, reader, writer)

    async def _run(self, line: bytes) -> Answer:
        try:
            request = msgspec.json.decode(line, type=dict[str, Any])
        except (msgspec.DecodeError, RecursionError):
            raise UsageError("a request is one line with one JSON object") from None
        command = self._commands.get(str(request.pop("command", "")))
        if command is None:
            raise UsageError(f"commands are {', '.join(self._commands)}")
        answer = command(request)
        return await answer if isinstance(answer, Awaitable) else answer


async def hang_up(writer: asyncio.StreamWriter) -> None:
    """Close a connection; what the other side does not take within a second is dropped."""
    writer.close()
    try:
        async with asyncio.timeout(1.0):
            await writer.wait_closed()
    except (OSError, TimeoutError):
        writer.transport.abort()


def _listen(folder: Path) -> socket.socket:
    path = folder / SOCKET_NAME
    with contextlib.suppress(FileNotFoundError):
        path.unlink()  # left by a killed predecessor: the folder's lock says that it is gone
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        os.fchmod(listening.fileno(), 0o600)  # the name that bind makes takes this mode over
        with short_path(path) as short:
            listening.bind(short)
        listening.listen(CLIENTS)
        listening.setblocking(False)
    except OSError:
        listening.close()
        raise
    return listening


@contextlib.contextmanager
def short_path(path: Path) -> Iterator[str]:
    """A name for ``path`` that fits into the 108 octets of a Unix socket address."""
    if len(os.fsencode(path)) < 100:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


async def _stream(
    rows: AsyncIterator[Mapping[str, Any]],
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
) -> None:
    """Send rows until they end or the client hangs up, whichever is first."""
    await _send(writer, _line({"ok": True, "stream": True}))
    sending = asyncio.ensure_future(_send_rows(rows, writer))
    gone = asyncio.ensure_future(reader.read(1))
    try:
        await asyncio.wait({sending, gone}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (sending, gone):
            task.cancel()
        await asyncio.gather(sending, gone, return_exceptions=True)
        close = getattr(rows, "aclose", None)
        if close is not None:
            await close()


async def _send_rows(rows: AsyncIterator[Mapping[str, Any]], writer: asyncio.StreamWriter) -> None:
    async for row in rows:
        await _send(writer, _line(row))


async def _send(writer: asyncio.StreamWriter, *parts: bytes) -> None:
    for part in parts:
        writer.write(part)
    async with asyncio.timeout(SLOW_SECONDS):
        await writer.drain()


def _line(row: Mapping[str, Any]) -> bytes:
    return msgspec.json.encode(row) + b"\n"


# --------------------------------------------------------------------------- client
def is_running(folder: str | Path) -> bool:
    """Whether a collector answers on the socket in ``folder``."""
    try:
        with _connect(folder, 2.0):
            return True
    except UsageError:
        return False


def is_between(folder: str | Path) -> bool:
    """Whether a collector has ``folder`` and does not answer: it starts or stops."""
    return is_held(Path(folder)) and not is_running(folder)


def between(folder: str | Path) -> str:
    """A sentence for that."""
    return f"the collector on {folder} is starting or stopping; say it again in a moment"


def ask(
    folder: str | Path, command: str, *, timeout_seconds: float = 30.0, **arguments: Any
) -> dict[str, Any]:
    """One command, one answer. Raises UsageError when nobody answers or the command failed."""
    with _request(folder, command, arguments, timeout_seconds) as (answer, _):
        return answer


def ask_bytes(
    folder: str | Path, command: str, *, timeout_seconds: float = 30.0, **arguments: Any
) -> bytes:
    """One command whose answer is octets (``open_rows``: Arrow IPC). Raises UsageError."""
    with _request(folder, command, arguments, timeout_seconds) as (answer, file):
        length = answer.get("bytes")
        if not isinstance(length, int) or not 0 <= length <= ANSWER_BYTES:
            raise UsageError(f"the collector gave no octets for {command}")
        content: bytes = file.read(length)
        if len(content) != length:
            raise UsageError(f"the collector hung up in the middle of its answer to {command}")
        return content


def follow(
    folder: str | Path, command: str = "follow", **arguments: Any
) -> Generator[dict[str, Any], None, None]:
    """The rows of a stream from now on, as they come, until the collector stops.

    Raises:
        UsageError: at once, when nobody answers or the command failed.
    """
    opened = contextlib.ExitStack()
    _, file = opened.enter_context(_request(folder, command, arguments, None))
    return _rows(opened, file)


def _rows(opened: contextlib.ExitStack, file: Any) -> Generator[dict[str, Any], None, None]:
    with opened:
        for line in file:
            yield _decoded(line)


@contextlib.contextmanager
def _request(
    folder: str | Path, command: str, arguments: Mapping[str, Any], timeout_seconds: float | None
) -> Iterator[tuple[dict[str, Any], Any]]:
    with _connect(folder, timeout_seconds) as connected, connected.makefile("rb") as file:
        try:
            connected.sendall(_line({"command": command, **arguments}))
            line = file.readline(LINE_BYTES)
            if not line:
                raise UsageError(
                    "the collector hung up without an answer: it stops, or too many ask at once"
                )
            answer = _decoded(line)
            if not answer.pop("ok", False):
                raise UsageError(str(answer.get("error", "the collector refused")))
            yield answer, file
        except OSError as error:
            raise UsageError(
                f"the collector on {folder} does not answer: {error.strerror or error}"
            ) from None


def _connect(folder: str | Path, timeout_seconds: float | None) -> socket.socket:
    path = Path(folder) / SOCKET_NAME
    connecting = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connecting.settimeout(timeout_seconds)
    try:
        with short_path(path) as short:
            connecting.connect(short)
    except OSError as error:
        connecting.close()
        if isinstance(error, PermissionError):
            raise UsageError(f"the collector on {folder} belongs to another user") from None
        if is_held(Path(folder)):
            raise UsageError(between(folder)) from None
        raise UsageError(f"no collector is running on {folder}") from None
    return connecting


def _decoded(line: bytes) -> dict[str, Any]:
    try:
        return msgspec.json.decode(line, type=dict[str, Any])
    except msgspec.DecodeError:
        raise UsageError("the collector's answer is not JSON") from None
