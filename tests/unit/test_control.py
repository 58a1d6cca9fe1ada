"""The Unix socket between the running collector and the command line."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import socket
import stat
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import pytest

from collector import control
from collector.control import CLIENTS, REQUEST_BYTES, SOCKET_NAME, ControlServer
from collector.errors import ConfigError, UsageError
from collector.journal import lock
from collector.journal.lock import FolderLock, is_held

pytestmark = pytest.mark.integration

T = TypeVar("T")


async def numbers(_arguments: Mapping[str, Any]) -> AsyncIterator[Mapping[str, Any]]:
    for number in range(3):
        yield {"number": number}


class Commands:
    """Commands that remember what happened to them."""

    def __init__(self) -> None:
        self.closed = asyncio.Event()

    def table(self) -> dict[str, control.Command]:
        return {
            "status": lambda arguments: {"arguments": dict(arguments)},
            "later": self._later,
            "octets": lambda _arguments: b"\x00\xff" * 100_000,
            "numbers": lambda arguments: numbers(arguments),
            "endless": lambda _arguments: self._endless(),
            "refuse": self._refuse,
        }

    async def _later(self, _arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        await asyncio.sleep(0)
        return {"later": True}

    async def _endless(self) -> AsyncIterator[Mapping[str, Any]]:
        try:
            yield {"number": 0}
            await asyncio.Event().wait()
        finally:
            self.closed.set()

    def _refuse(self, _arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        raise UsageError("not today")


def serve(folder: Path, client: Callable[[], T], commands: Commands | None = None) -> T:
    """Run ``client`` in a thread while a server runs."""

    async def run() -> T:
        server = ControlServer(folder, (commands or Commands()).table())
        await server.start()
        try:
            return await asyncio.to_thread(client)
        finally:
            await server.stop()
            await server.stop()

    return asyncio.run(run())


def test_a_question_and_its_answer(tmp_path: Path) -> None:
    answer = serve(tmp_path, lambda: control.ask(tmp_path, "status", a=1, b=["x"]))
    assert answer == {"arguments": {"a": 1, "b": ["x"]}}
    assert serve(tmp_path, lambda: control.ask(tmp_path, "later")) == {"later": True}


def test_octets(tmp_path: Path) -> None:
    octets = serve(tmp_path, lambda: control.ask_bytes(tmp_path, "octets"))
    assert octets == b"\x00\xff" * 100_000


def test_an_answer_without_octets_is_noticed(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="gave no octets for status"):
        serve(tmp_path, lambda: control.ask_bytes(tmp_path, "status"))


def test_a_stream(tmp_path: Path) -> None:
    rows = serve(tmp_path, lambda: list(control.follow(tmp_path, "numbers")))
    assert rows == [{"number": 0}, {"number": 1}, {"number": 2}]


def test_a_follower_that_hangs_up_ends_its_stream(tmp_path: Path) -> None:
    commands = Commands()

    async def run() -> None:
        server = ControlServer(tmp_path, commands.table())
        await server.start()
        try:

            def client() -> dict[str, Any]:
                rows = control.follow(tmp_path, "endless")
                first = next(rows)
                rows.close()
                return first

            assert await asyncio.to_thread(client) == {"number": 0}
            async with asyncio.timeout(10):
                await commands.closed.wait()
        finally:
            await server.stop()

    asyncio.run(run())


def test_a_stop_ends_the_streams(tmp_path: Path) -> None:
    commands = Commands()

    async def run() -> list[dict[str, Any]]:
        server = ControlServer(tmp_path, commands.table())
        await server.start()
        rows = await asyncio.to_thread(control.follow, tmp_path, "endless")
        first = await asyncio.to_thread(next, rows)
        await server.stop()
        return [first, *await asyncio.to_thread(list, rows)]

    assert asyncio.run(run()) == [{"number": 0}]
    assert commands.closed.is_set()


def test_refusals_are_sentences(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"^not today$"):
        serve(tmp_path, lambda: control.ask(tmp_path, "refuse"))
    with pytest.raises(UsageError, match=r"^commands are status, later, octets"):
        serve(tmp_path, lambda: control.ask(tmp_path, "nonsense"))


@pytest.mark.parametrize(
    "request_octets",
    [b"\n", b"[]\n", b"{\n", b"[" * 60_000 + b"\n", b'{"command": ["a"]}\n', b"\xff\xfe\n"],
)
def test_bad_requests_get_an_answer(tmp_path: Path, request_octets: bytes) -> None:
    answer = json.loads(serve(tmp_path, lambda: raw(tmp_path, request_octets)))
    assert answer["ok"] is False


def test_a_request_that_is_too_long_is_hung_up_on(tmp_path: Path) -> None:
    def client() -> bytes:
        try:
            return raw(tmp_path, b"x" * (4 * REQUEST_BYTES))
        except OSError:
            return b""

    assert serve(tmp_path, client) == b""


def raw(folder: Path, octets: bytes) -> bytes:
    with socket.socket(socket.AF_UNIX) as connected:
        connected.settimeout(10)
        connected.connect(str(folder / SOCKET_NAME))
        connected.sendall(octets)
        return connected.recv(65536)


def test_clients_are_bounded(tmp_path: Path) -> None:
    def client() -> bytes:
        idle = [socket.socket(socket.AF_UNIX) for _ in range(CLIENTS)]
        try:
            for one in idle:
                one.connect(str(tmp_path / SOCKET_NAME))
            try:
                return raw(tmp_path, b'{"command": "status"}\n')
            except OSError:
                return b""
        finally:
            for one in idle:
                one.close()

    assert serve(tmp_path, client) == b""


def test_the_socket_is_for_its_owner(tmp_path: Path) -> None:
    mode = serve(tmp_path, lambda: os.stat(tmp_path / SOCKET_NAME).st_mode)
    assert stat.S_ISSOCK(mode)
    assert stat.S_IMODE(mode) == 0o600
    assert not (tmp_path / SOCKET_NAME).exists()


def test_a_folder_with_a_long_name(tmp_path: Path) -> None:
    folder = tmp_path / ("x" * 120)
    folder.mkdir()
    assert serve(folder, lambda: control.is_running(folder))
    assert serve(folder, lambda: control.ask(folder, "later")) == {"later": True}


def test_a_socket_left_by_a_killed_collector(tmp_path: Path) -> None:
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(tmp_path / SOCKET_NAME))
    left.close()
    assert not control.is_running(tmp_path)
    assert serve(tmp_path, lambda: control.is_running(tmp_path))


def test_nobody_is_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=f"^no collector is running on {tmp_path}$"):
        control.ask(tmp_path, "status")
    with pytest.raises(UsageError, match="no collector is running"):
        control.follow(tmp_path)


def test_somebody_is_about_to_be_there_or_to_go(tmp_path: Path) -> None:
    """Between its lock and its socket, at the start of a collector and at its end."""
    held = FolderLock.acquire(tmp_path)
    assert control.is_between(tmp_path)
    with pytest.raises(UsageError, match=f"^the collector on {tmp_path} is starting or stopping"):
        control.ask(tmp_path, "status")
    with pytest.raises(UsageError, match="is starting or stopping; say it again"):
        control.follow(tmp_path)
    assert not serve(tmp_path, lambda: control.is_between(tmp_path))
    held.release()
    assert not control.is_between(tmp_path)
    assert not is_held(tmp_path / "nowhere")


def test_who_looks_holds_up_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A look at the lock has it for a moment, in which a collector may start."""
    first = FolderLock.acquire(tmp_path)
    monkeypatch.setattr(lock.time, "sleep", lambda seconds: None)
    with pytest.raises(ConfigError, match="is in use by process"):
        FolderLock.acquire(tmp_path)
    monkeypatch.setattr(lock.time, "sleep", lambda seconds: first.release())
    FolderLock.acquire(tmp_path).release()


def test_the_collector_of_another_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(self: socket.socket, address: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(socket.socket, "connect", refused)
    with pytest.raises(UsageError, match="belongs to another user"):
        control.ask(tmp_path, "status")


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    async def run() -> None:
        server = ControlServer(tmp_path / "no", {})
        with pytest.raises(ConfigError, match=r"collector\.data_dir: control socket"):
            await server.start()
        await server.stop()

    asyncio.run(run())


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (b"", "hung up without an answer"),
        (b"nonsense\n", "is not JSON"),
        (b'{"ok": true, "bytes": 10}\nabc', "hung up in the middle"),
        (b'{"ok": true, "bytes": -1}\n', "gave no octets"),
        (b'{"ok": false}\n', "the collector refused"),
    ],
)
def test_a_client_bears_a_bad_server(tmp_path: Path, answer: bytes, sentence: str) -> None:
    async def run() -> None:
        async def broken(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readline()
            writer.write(answer)
            await control.hang_up(writer)

        server = await asyncio.start_unix_server(broken, tmp_path / SOCKET_NAME)
        async with server:
            with pytest.raises(UsageError, match=sentence):
                await asyncio.to_thread(control.ask_bytes, tmp_path, "octets")

    asyncio.run(run())
