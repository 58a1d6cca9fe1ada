"""Call home over SSH (RFC 8071), both ends: the simulator's server calls, a session comes of it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import asyncssh
import pytest
from msgspec.structs import replace

from collector.config import CallHomeSettings, pinned_keys
from collector.errors import ConfigError, SessionError
from collector.subscriber.call_home import listener as call_home
from collector.subscriber.call_home.called_session import CalledSession
from collector.subscriber.call_home.listener import CallHome
from collector.subscriber.sessions.session import SessionSettings
from publisher_sim.netconf.call_home import CallHome as Calling
from publisher_sim.netconf.server import NetconfServer
from publisher_sim.scenario import Netconf
from tests.netconf_device import (
    LIMIT,
    USER,
    Basket,
    Device,
    RunningClock,
    ok_reply,
    rpc,
    run,
)
from tests.waiting import until

pytestmark = pytest.mark.integration


class Heard:
    """What was refused."""

    def __init__(self) -> None:
        self.said: list[tuple[str, str]] = []

    def __call__(self, reason: str, sentence: str) -> None:
        self.said.append((reason, sentence))

    def reasons(self) -> list[str]:
        return [reason for reason, _ in self.said]


@asynccontextmanager
async def listening(**changes: Any) -> AsyncIterator[tuple[CallHome, Heard]]:
    heard = Heard()
    settings = CallHomeSettings(**{"port": 0, "timeout_seconds": LIMIT} | changes)
    calls = CallHome(settings, per_second=1000, refused=heard)
    await calls.start()
    try:
        yield calls, heard
    finally:
        await calls.stop()
        await calls.stop()


@asynccontextmanager
async def calling(calls: CallHome, server: NetconfServer, **changes: Any) -> AsyncIterator[Calling]:
    settings = Netconf(call_home=f"127.0.0.1:{calls.local_port}", call_home_retry_seconds=0.05)
    device = Calling(server, replace(settings, **changes), holds=lambda session: False)
    device.start()
    try:
        yield device
    finally:
        await device.stop()
        await device.stop()


def pinned(device: Device, **changes: Any) -> SessionSettings:
    values: dict[str, Any] = {
        "host": "",
        "calls_home": True,
        "known_hosts": "/nowhere",
        "host_keys": pinned_keys([device.server.public_key]),
    }
    return device.settings(**values | changes)


def session_for(calls: CallHome, settings: SessionSettings) -> CalledSession:
    return CalledSession(settings, Basket().deliver, RunningClock(), calls=calls)


@pytest.mark.clause("8071-3.1-c5")
@pytest.mark.clause("8071-3.1-c7")
class There(NamedTuple):
    """A device that may call, and a session that waits for it."""

    device: Device
    calls: CallHome
    heard: Heard
    session: CalledSession
    opening: asyncio.Future[None]


@asynccontextmanager
async def awaited(folder: Path, server: Any = None, **changes: Any) -> AsyncIterator[There]:
    """``server``: of the device; ``changes``: of the session's settings."""
    async with Device(folder, **server or {}) as device, listening() as (calls, heard):
        settings = pinned(device, **changes)
        calls.expect({"core7": settings})
        session = session_for(calls, settings)
        opening = asyncio.ensure_future(session.open())
        yield There(device, calls, heard, session, opening)
        await session.close()


# --------------------------------------------------------------------------- the good way
@pytest.mark.parametrize("log_in", ["password", "key"])
def test_a_device_calls_and_a_session_comes_of_it(tmp_path: Path, log_in: str) -> None:
    key = asyncssh.generate_private_key("ssh-ed25519")
    key.write_private_key(tmp_path / "key", passphrase="a phrase")
    server: dict[str, Any] = {}
    changes: dict[str, Any] = {}
    if log_in == "key":
        server = {"users": {}, "authorized_keys": {USER: key.export_public_key().decode()}}
        changes = {
            "password": None,
            "key_file": str(tmp_path / "key"),
            "key_passphrase": lambda: "a phrase",
        }

    async def main() -> None:
        async with awaited(tmp_path, server, **changes) as there:
            device, calls, heard, session, opening = there
            async with calling(calls, device.server):
                await opening
                assert session.peer == "127.0.0.1"
                assert session.settings.where.startswith("127.0.0.1:")
                assert device.opened == [("1", USER)]
                assert await session.rpc(rpc(1)) == ok_reply(rpc(1))
                assert calls.stats() == {"connections": 1}
                await session.close()
            assert heard.said == []

    run(main())


def test_it_calls_again_and_again(tmp_path: Path) -> None:
    """Persistent (RFC 8071 §4.1 S7): whoever ends the connection, the device calls once more."""

    async def main() -> None:
        async with Device(tmp_path) as device, listening() as (calls, _):
            settings = pinned(device)
            calls.expect({"core7": settings})
            async with calling(calls, device.server) as device_end:
                for number in range(1, 4):
                    session = session_for(calls, settings)
                    async with asyncio.timeout(LIMIT):
                        await session.open()
                    assert session.session_id == number
                    if number == 1:
                        await session.close()
                    else:
                        for connection in list(device.server._connections):
                            connection.abort()
                        assert (await session.closed).reason == "lost"
                        await session.close()
                await until(lambda: device_end.calls >= 3)

    run(main())


@pytest.mark.clause("8071-4.1-s7")
def test_the_device_notices_that_nobody_answers_and_calls_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("publisher_sim.netconf.ssh_transport.KEEPALIVE_SECONDS", 0.1)

    async def main() -> None:
        async with awaited(tmp_path) as there:
            device, calls, _heard, session, opening = there
            async with calling(calls, device.server) as device_end:
                await opening
                (slot,) = calls._slots.values()
                transport: Any = slot._given._transport  # type: ignore[union-attr]
                transport.pause_reading()  # our end hangs
                await until(lambda: device_end.calls == 2)
                transport.resume_reading()
                async with asyncio.timeout(LIMIT):
                    assert (await session.closed).reason == "lost"
                await session.close()

    run(main())


def test_it_calls_once_in_a_period_and_leaves_when_idle(tmp_path: Path) -> None:
    async def main() -> None:
        async with Device(tmp_path) as device, listening() as (calls, _):
            settings = pinned(device)
            calls.expect({"core7": settings})
            periodic = {"call_home_period_seconds": 0.3, "call_home_idle_seconds": 0.1}
            async with calling(calls, device.server, **periodic):
                for _ in range(2):
                    session = session_for(calls, settings)
                    async with asyncio.timeout(LIMIT):
                        await session.open()
                        assert (await session.closed).reason == "lost"
                    await session.close()

    run(main())


def test_a_second_call_while_the_first_session_lives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first one is asked whether it lives; it does, so the second one is sent away."""
    monkeypatch.setattr(call_home, "SECOND_CALL_SECONDS", 0.3)

    async def main() -> None:
        async with awaited(tmp_path) as there:
            device, calls, heard, session, opening = there
            async with calling(calls, device.server):
                await opening
                async with calling(calls, device.server, call_home_retry_seconds=60.0):
                    await until(lambda: "already-connected" in heard.reasons())
                assert await session.rpc(rpc(1)) == ok_reply(rpc(1))
                await session.close()

    run(main())


def test_a_second_call_replaces_a_session_that_is_dead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A device that lost power calls again while we still believe in the old connection."""
    monkeypatch.setattr(call_home, "TEST_SECONDS", 0.1)

    async def main() -> None:
        async with Device(tmp_path) as device, listening() as (calls, _):
            settings = pinned(device)
            calls.expect({"core7": settings})
            first = session_for(calls, settings)
            opening = asyncio.ensure_future(first.open())
            connection = await device.server.call("127.0.0.1", calls.local_port)
            await opening
            connection.get_extra_info("socket")  # it stays open, but nobody reads or answers
            connection._transport.pause_reading()  # type: ignore[union-attr]
            async with calling(calls, device.server):
                assert (await first.closed).reason == "lost"
                await first.close()
                second = session_for(calls, settings)
                async with asyncio.timeout(LIMIT):
                    await second.open()
                await second.close()
            connection.abort()
            await connection.wait_closed()

    run(main())


def test_a_call_is_kept_until_the_end_of_the_session_before_it_is_noted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a full disk that takes as long as there is no room."""
    monkeypatch.setattr(call_home, "SECOND_CALL_SECONDS", 0.1)
    monkeypatch.setattr(call_home, "TEST_SECONDS", 0.1)

    async def main() -> None:
        async with awaited(tmp_path) as there:
            device, calls, heard, session, opening = there
            async with calling(calls, device.server) as caller:
                await opening
                await session.close()
                await until(lambda: caller.calls == 2)
                await asyncio.sleep(0.5)  # nobody waits for it all the while
                assert heard.said == []
                second = session_for(calls, session.settings)
                async with asyncio.timeout(LIMIT):
                    await second.open()
                assert caller.calls == 2
                await second.close()
            await until(lambda: not calls._callers)

    run(main())


def test_a_call_is_kept_no_longer_than_the_device_may_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(call_home, "TEST_SECONDS", 0.1)

    async def main() -> None:
        async with awaited(tmp_path) as there:
            device, calls, heard, session, opening = there
            async with calling(calls, device.server) as caller:
                await opening
                await session.close()
                await until(lambda: caller.calls == 2)
                calls.expect({"core7": replace(session.settings, username="other")})
                await until(lambda: "not-wanted" in heard.reasons())
                assert "nothing is taken of it now" in dict(heard.said)["not-wanted"]

    run(main())


def test_who_hangs_up_while_his_call_is_kept_is_not_handed_over(tmp_path: Path) -> None:
    async def main() -> None:
        async with awaited(tmp_path) as there:
            device, calls, heard, session, opening = there
            async with calling(calls, device.server) as caller:
                await opening
                await session.close()
                await until(lambda: caller.calls == 2)
                await asyncio.sleep(0.1)
            await until(lambda: "lost" in heard.reasons())
            assert "core7 called from" in heard.said[-1][1]
            assert "but went away before it was its turn" in heard.said[-1][1]

    run(main())


# --------------------------------------------------------------------------- who is refused
async def call(calls: CallHome, server: NetconfServer) -> None:
    """One call that comes to nothing."""
    with pytest.raises((OSError, asyncssh.Error)):
        connection = await server.call("127.0.0.1", calls.local_port)
        await connection.wait_closed()
        raise ConnectionError


@pytest.mark.clause("8071-3.1-c5")
def test_a_stranger_is_refused_and_remembered(tmp_path: Path) -> None:
    async def main() -> None:
        (tmp_path / "b").mkdir()
        async with (
            Device(tmp_path) as device,
            Device(tmp_path / "b") as stranger,
            listening() as (calls, heard),
        ):
            settings = pinned(device)
            calls.expect({"core7": settings})
            session = session_for(calls, settings)
            opening = asyncio.ensure_future(session.open())
            for _ in range(2):
                await call(calls, stranger.server)
            await until(lambda: len(heard.said) == 2)
            assert heard.reasons() == ["unknown-host-key"] * 2
            (unknown,) = calls.unknown()
            assert (unknown.address, unknown.calls) == ("127.0.0.1", 2)
            assert unknown.host_key == stranger.server.fingerprint
            assert stranger.opened == []
            assert calls.stats() == {"connections": 0, "refused/unknown-host-key": 2}
            assert not opening.done()
            opening.cancel()
            with pytest.raises(asyncio.CancelledError):
                await opening
            assert session.closed.result().reason == "closed"
            await session.close()

    run(main())


def test_nothing_is_wanted_of_it(tmp_path: Path) -> None:
    async def main() -> None:
        async with Device(tmp_path) as device, listening() as (calls, heard):
            calls.expect({"core7": pinned(device)})
            await call(calls, device.server)
            await until(lambda: heard.reasons() == ["not-wanted"])
            calls.expect({})
            await call(calls, device.server)
            await until(lambda: heard.reasons() == ["not-wanted", "unknown-host-key"])
            with pytest.raises(ConfigError, match="nobody listens"):
                await calls.next_call(pinned(device))

    run(main())


@pytest.mark.clause("8071-3.1-c7")
def test_a_wrong_password_is_said_once_and_not_tried_again(tmp_path: Path) -> None:
    async def main() -> None:
        async with awaited(tmp_path, password=lambda: "hunter2") as there:
            device, calls, heard, session, opening = there
            await call(calls, device.server)
            with pytest.raises(SessionError, match="refused the user") as caught:
                await opening
            assert (caught.value.reason, caught.value.retryable) == ("auth", False)
            await session.close()
            await call(calls, device.server)
            await until(lambda: heard.reasons() == ["auth", "not-wanted"])
            assert "hunter2" not in str(heard.said)

    run(main())


def no_password() -> str | None:
    raise ConfigError("environment variable P is not set or empty")


@pytest.mark.parametrize("missing", ["key", "password"])
def test_our_credentials_cannot_be_read(tmp_path: Path, missing: str) -> None:
    key = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()

    async def main() -> None:
        async with (
            Device(tmp_path, authorized_keys={USER: key}) as device,
            listening() as (calls, heard),
        ):
            if missing == "key":
                settings = pinned(device, key_file=str(tmp_path / "none"))
            else:
                settings = pinned(device, password=no_password)
            calls.expect({"core7": settings})
            session = session_for(calls, settings)
            opening = asyncio.ensure_future(session.open())
            await call(calls, device.server)
            with pytest.raises(ConfigError, match=r"private key|not set"):
                await opening
            await session.close()
            assert heard.reasons() == ["config"]

    run(main())


# --------------------------------------------------------------------------- bounds
async def connect(calls: CallHome, octets: bytes = b"") -> asyncio.StreamWriter:
    _, writer = await asyncio.open_connection("127.0.0.1", calls.local_port)
    writer.write(octets)
    return writer


async def leave(writers: Sequence[asyncio.StreamWriter]) -> None:
    for writer in writers:
        writer.transport.abort()
    await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("octets", "reason"),
    [
        (b"", "timeout"),
        (b"SSH-2.0-" + b"x" * 300 + b"\r\n", "ssh"),
        (b"GET / HTTP/1.1\r\n\r\n" * 2000, "ssh"),
        (b"\0" * 100_000, "ssh"),
        (b"SSH-1.5-old\r\n", "ssh"),
        (b"SSH-2.0-x\r\n" + b"\xff" * 64, "ssh"),
    ],
)
def test_what_is_no_ssh(octets: bytes, reason: str) -> None:
    async def main() -> None:
        patience = {"timeout_seconds": 0.5} if reason == "timeout" else {}
        async with listening(**patience) as (calls, heard):
            writer = await connect(calls, octets)
            await until(lambda: heard.reasons() == [reason])
            await leave([writer])

    run(main())


def test_so_many_callers_and_no_more() -> None:
    async def main() -> None:
        async with listening(max_callers=8) as (calls, heard):
            first = [await connect(calls) for _ in range(2)]
            await until(lambda: len(calls._callers) == 2)
            third = await connect(calls)
            await until(lambda: heard.reasons() == ["too-many"])
            assert "2 callers from 127.0.0.1" in heard.said[0][1]
            await leave([*first, third])
            await until(lambda: heard.reasons().count("lost") == 2)

    run(main())


def test_an_address_that_keeps_failing_is_left_alone_for_a_while() -> None:
    async def main() -> None:
        async with listening() as (calls, heard):
            for number in range(1, 11):
                await leave([await connect(calls, b"\0" * 10_000)])
                await until(lambda count=number: len(heard.said) == count)  # type: ignore[misc]
            await leave([await connect(calls)])
            await until(lambda: len(heard.said) == 11)
            assert heard.reasons()[-1] == "blocked"

    run(main())


def test_no_file_can_be_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        accept = loop.sock_accept
        failing = [OSError(24, "Too many open files")]

        async def sock_accept(sock: socket.socket) -> Any:
            if failing:
                raise failing.pop()
            return await accept(sock)

        monkeypatch.setattr(loop, "sock_accept", sock_accept)
        async with listening(timeout_seconds=0.5) as (calls, heard):
            writer = await connect(calls)
            await until(lambda: heard.reasons() == ["files", "timeout"])
            await leave([writer])

    run(main())


def test_an_address_that_is_taken_or_wrong() -> None:
    async def main() -> None:
        async with listening() as (calls, _):
            for address in ("127.0.0.1", "192.0.2.1"):
                settings = CallHomeSettings(address=address, port=calls.local_port)
                with pytest.raises(ConfigError, match="cannot listen on"):
                    await CallHome(settings, per_second=1).start()

    run(main())


@pytest.mark.clause("8071-4.1-s5")
def test_a_server_of_a_device_ends_who_does_not_log_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RFC 8071 §4.1 S5."""
    monkeypatch.setattr("publisher_sim.netconf.ssh_transport.LOGIN_SECONDS", 0.3)

    async def main() -> None:
        ended = asyncio.Event()

        async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()
            ended.set()
            writer.close()

        async with Device(tmp_path) as device:
            listener = await asyncio.start_server(silent, "127.0.0.1", 0)
            port = listener.sockets[0].getsockname()[1]
            with pytest.raises(asyncssh.Error):
                await device.server.call("127.0.0.1", port)
            async with asyncio.timeout(LIMIT):
                await ended.wait()
            listener.close()
            await listener.wait_closed()

    run(main())


@pytest.mark.clause("8071-4.1-s1")
@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("collector.example", ("collector.example", 4334)),
        ("192.0.2.1:4000", ("192.0.2.1", 4000)),
        ("[2001:db8::1]:4000", ("2001:db8::1", 4000)),
        ("2001:db8::1", ("2001:db8::1", 4334)),
    ],
)
def test_whom_to_call(text: str, found: tuple[str, int]) -> None:
    assert Netconf(call_home=text).collector == found


def test_only_the_called_collector_has_a_session(tmp_path: Path) -> None:
    """Commands that connect by themselves say why they cannot."""
    from collector.subscriber.sessions.asyncssh_session import AsyncsshSession

    async def main() -> None:
        async with Device(tmp_path) as device:
            session = AsyncsshSession(pinned(device), Basket().deliver, RunningClock())
            with pytest.raises(ConfigError, match="calls home"):
                await session.open()
            await session.close()

    run(main())
