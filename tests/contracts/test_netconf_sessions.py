"""What every NETCONF session promises, proven for each of them by the same tests."""

from __future__ import annotations

import asyncio
import gc
import logging
import socket
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path

import asyncssh
import pytest

from collector.errors import ConfigError, SessionError, UsageError
from collector.model import SECOND
from collector.subscriber.sessions import inbox
from collector.subscriber.sessions.asyncssh_session import AsyncsshSession
from collector.subscriber.sessions.ncclient_session import NcclientSession
from collector.subscriber.sessions.session import NetconfSession, SessionSettings
from publisher_sim.netconf.server import CAPABILITIES
from publisher_sim.netconf.session import ServerSession
from tests.netconf_device import (
    LIMIT,
    PASSWORD,
    USER,
    Basket,
    Device,
    RunningClock,
    notification,
    ok_reply,
    rpc,
    run,
)
from tests.vectors.netconf_hello import HELLO_OF_RFC6242
from tests.waiting import until

pytestmark = pytest.mark.integration

BASE_1_0_ONLY = tuple(uri for uri in CAPABILITIES if uri != "urn:ietf:params:netconf:base:1.1")
SESSIONS: dict[str, type[AsyncsshSession] | type[NcclientSession]] = {
    "asyncssh": AsyncsshSession,
    "ncclient": NcclientSession,
}


@pytest.fixture(params=SESSIONS)
def kind(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


def session_of(kind: str, settings: SessionSettings, basket: Basket) -> NetconfSession:
    return SESSIONS[kind](settings, basket.deliver, RunningClock())


def with_device(
    folder: Path,
    kind: str,
    test: Callable[[Device, NetconfSession, Basket], Awaitable[None]],
    **device: object,
) -> None:
    async def main() -> None:
        basket = Basket()
        async with Device(folder, **device) as there:  # type: ignore[arg-type]  # passed through
            session = session_of(kind, there.settings(), basket)
            await session.open()
            try:
                await test(there, session, basket)
            finally:
                await session.close()

    run(main())


async def refusal_of(kind: str, settings: SessionSettings) -> SessionError:
    """Why the session could not be opened; it says so wherever it is asked."""
    session = session_of(kind, settings, Basket())
    with pytest.raises(SessionError) as caught:
        await session.open()
    assert session.closed.result().reason == caught.value.reason
    await session.close()
    return caught.value


def refused(kind: str, settings: SessionSettings) -> SessionError:
    return run(refusal_of(kind, settings))


def refused_by(
    folder: Path,
    kind: str,
    *,
    device: dict[str, object] | None = None,
    change: Callable[[SessionSettings, Device], dict[str, object]] = lambda *_: {},
) -> SessionError:
    async def main() -> SessionError:
        async with Device(folder, **device or {}) as there:  # type: ignore[arg-type]  # passed on
            settings = there.settings()
            values = {field: getattr(settings, field) for field in settings.__struct_fields__}
            return await refusal_of(kind, SessionSettings(**values | change(settings, there)))

    return run(main())


# --------------------------------------------------------------------------- the good way
@pytest.mark.parametrize("capabilities", [CAPABILITIES, BASE_1_0_ONLY], ids=["1.1", "1.0"])
def test_request_and_reply(tmp_path: Path, kind: str, capabilities: tuple[str, ...]) -> None:
    async def test(device: Device, session: NetconfSession, basket: Basket) -> None:
        assert session.capabilities == capabilities
        assert (session.session_id, session.peer) == (1, "127.0.0.1")
        assert session.port == device.server.port
        request = rpc(7, "<get><!-- \n##\n --></get>")
        assert await session.rpc(request) == ok_reply(request)
        assert device.rpcs == [("1", request)]
        assert device.opened == [("1", USER)]
        assert [(m.root, m.message_id) for m in basket.messages] == [("rpc-reply", "7")]
        await session.close()
        assert session.closed.result().reason == "closed"
        await until(lambda: device.closed == ["1"])

    with_device(tmp_path, kind, test, capabilities=capabilities)


def test_everything_arrives_in_order_and_before_the_reply_is_returned(
    tmp_path: Path, kind: str
) -> None:
    other = b'<envelope xmlns="urn:ietf:params:xml:ns:yang:ietf-yp-notification"><a/></envelope>'

    async def test(device: Device, session: NetconfSession, basket: Basket) -> None:
        def answer(sid: str, request: bytes) -> None:
            for message in (notification(1), other, ok_reply(request), notification(2), b"no xml"):
                device.server.send(sid, message)

        device.answer = answer
        reply = await session.rpc(rpc(1))
        assert basket.payloads()[:3] == [notification(1), other, reply]
        await until(lambda: len(basket.messages) >= 5)
        assert [message.root for message in basket.messages] == [
            "notification",
            "envelope",
            "rpc-reply",
            "notification",
            "",
        ]
        assert basket.payloads()[4] == b"no xml"
        assert basket.times == sorted(basket.times)
        device.answer = device.answer_ok

    with_device(tmp_path, kind, test)


def test_what_comes_together_is_handed_over_together(tmp_path: Path, kind: str) -> None:
    sent = [notification(number) for number in range(400)]

    async def test(device: Device, session: NetconfSession, basket: Basket) -> None:
        def answer(sid: str, request: bytes) -> None:
            device.server.send(sid, ok_reply(request))
            for message in sent:
                device.server.send(sid, message)

        device.answer = answer
        calls = 0
        deliver = session._inbox._deliver  # type: ignore[attr-defined]  # both have one

        def counted(*arguments: object) -> None:
            nonlocal calls
            calls += 1
            deliver(*arguments)

        session._inbox._deliver = counted  # type: ignore[attr-defined]
        await session.rpc(rpc(1))
        await until(lambda: len(basket.messages) > len(sent))
        assert basket.payloads()[1:] == sent
        # each came in an SSH packet of its own; how many wait together is up to the machine
        assert calls < len(sent)

    with_device(tmp_path, kind, test)


def test_replies_find_their_requests_in_any_order(tmp_path: Path, kind: str) -> None:
    async def test(device: Device, session: NetconfSession, basket: Basket) -> None:
        device.answer = lambda *_: None
        first = asyncio.ensure_future(session.rpc(rpc(1)))
        second = asyncio.ensure_future(session.rpc(rpc(2)))
        await until(lambda: len(device.rpcs) == 2)
        with pytest.raises(UsageError, match="waits"):
            await session.rpc(rpc(2))
        device.server.send("1", ok_reply(rpc("nobody")))
        device.server.send("1", ok_reply(rpc(2)))
        assert await second == ok_reply(rpc(2))
        assert not first.done()
        device.server.send("1", b"<rpc-reply><rpc-error/></rpc-reply>")
        assert await first == b"<rpc-reply><rpc-error/></rpc-reply>"
        device.answer = device.answer_ok

    with_device(tmp_path, kind, test)


def test_two_sessions_at_once(tmp_path: Path, kind: str) -> None:
    async def main() -> None:
        baskets = Basket(), Basket()
        async with Device(tmp_path) as device:
            sessions = [session_of(kind, device.settings(), basket) for basket in baskets]
            await asyncio.gather(*(session.open() for session in sessions))
            assert {session.session_id for session in sessions} == {1, 2}
            await asyncio.gather(*(session.rpc(rpc(1)) for session in sessions))
            for session in sessions:
                device.server.send(str(session.session_id), notification(session.session_id))
            await until(lambda: all(len(basket.messages) == 2 for basket in baskets))
            for session, basket in zip(sessions, baskets, strict=True):
                assert basket.payloads()[1] == notification(session.session_id)
            await sessions[0].close()
            assert await sessions[1].rpc(rpc(2)) == ok_reply(rpc(2))
            await sessions[1].close()

    run(main())


# --------------------------------------------------------------------------- back-pressure
def test_a_full_intake_stops_the_device_and_loses_nothing(tmp_path: Path, kind: str) -> None:
    async def test(device: Device, session: NetconfSession, basket: Basket) -> None:
        basket.full = True
        sent = 0
        while device.server.unsent("1") < 2_000_000:  # the SSH window is closed, sockets are full
            assert device.server.send("1", notification(sent, 2000))
            sent += 1
            await asyncio.sleep(0)
        await until(lambda: basket.refused > 2)
        assert basket.messages == []
        assert basket.largest < 600, "only what one read brought may wait"
        basket.full = False
        await until(lambda: len(basket.messages) == sent)
        assert basket.payloads() == [notification(n, 2000) for n in range(sent)]

    with_device(tmp_path, kind, test)


def test_the_end_waits_until_a_full_intake_took_what_came_before(tmp_path: Path, kind: str) -> None:
    async def test(device: Device, session: NetconfSession, basket: Basket) -> None:
        basket.full = True
        device.server.send("1", notification(1))
        await until(lambda: basket.refused > 0)
        device.server.close_session("1")
        await until(lambda: device.closed == ["1"])
        for _ in range(20):
            await asyncio.sleep(0.01)
        assert not session.closed.done()
        basket.full = False
        async with asyncio.timeout(LIMIT):
            assert (await session.closed).reason == "lost"
        assert basket.payloads() == [notification(1)]

    with_device(tmp_path, kind, test)


def test_closing_while_the_intake_is_full_does_not_hang(tmp_path: Path, kind: str) -> None:
    async def test(device: Device, session: NetconfSession, basket: Basket) -> None:
        basket.full = True
        device.server.send("1", notification(1))
        await until(lambda: basket.refused > 0)
        await session.close()
        assert session.closed.result().reason == "closed"
        assert session.dropped >= 1  # and perhaps the reply to close-session

    with_device(tmp_path, kind, test)


# --------------------------------------------------------------------------- the end
def test_a_device_that_dies_ends_what_waits(tmp_path: Path, kind: str) -> None:
    async def test(device: Device, session: NetconfSession, basket: Basket) -> None:
        device.answer = lambda *_: None
        waiting = asyncio.ensure_future(session.rpc(rpc(1)))
        await until(lambda: len(device.rpcs) == 1)
        for connection in list(device.server._connections):
            connection.abort()
        with pytest.raises(SessionError) as caught:
            await waiting
        assert caught.value.reason == "lost"
        assert caught.value.retryable
        assert session.closed.result().reason == "lost"
        with pytest.raises(SessionError):
            await session.rpc(rpc(2))

    with_device(tmp_path, kind, test)


def test_no_answer_is_a_time_out_and_the_session_lives_on(tmp_path: Path, kind: str) -> None:
    async def test(device: Device, session: NetconfSession, basket: Basket) -> None:
        device.answer = lambda *_: None
        with pytest.raises(SessionError) as caught:
            await session.rpc(rpc(1), SECOND // 20)
        assert (caught.value.reason, caught.value.retryable) == ("timeout", True)
        device.answer = device.answer_ok
        assert await session.rpc(rpc(2)) == ok_reply(rpc(2))

    with_device(tmp_path, kind, test)


def test_closing_twice_and_unopened(tmp_path: Path, kind: str) -> None:
    async def main() -> None:
        async with Device(tmp_path) as device:
            session = session_of(kind, device.settings(), Basket())
            with pytest.raises(UsageError, match="not open"):
                await session.rpc(rpc(1))
            await session.close()
            await session.close()
            assert session.closed.result().reason == "closed"

    run(main())


def test_no_thread_is_left(tmp_path: Path, kind: str) -> None:
    before = threading.active_count()

    async def test(device: Device, session: NetconfSession, basket: Basket) -> None:
        await session.rpc(rpc(1))

    with_device(tmp_path, kind, test)
    gc.collect()  # ResourceWarnings of what was left open become errors here
    assert threading.active_count() <= before


def test_requests_without_id_and_too_many(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "MAX_PENDING_RPCS", 8)

    async def test(device: Device, session: NetconfSession, basket: Basket) -> None:
        with pytest.raises(UsageError, match="message-id"):
            await session.rpc(b"<rpc/>")
        device.answer = lambda *_: None
        waiting = [asyncio.ensure_future(session.rpc(rpc(n), 60 * SECOND)) for n in range(8)]
        await until(lambda: len(device.rpcs) == 8)
        with pytest.raises(UsageError, match="8"):
            await session.rpc(rpc(8))
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        device.answer = device.answer_ok
        assert await session.rpc(rpc(9)) == ok_reply(rpc(9))

    with_device(tmp_path, kind, test)


# --------------------------------------------------------------------------- misbehaviour
class EndlessReply(ServerSession):
    """Sends a reply that never ends, in chunks."""

    def received(self, message: bytes) -> None:
        self.write(b"\n#11\n<rpc-reply>" + b"\n#1000\n" + b"x" * 1000)
        for _ in range(200):
            self.write(b"\n#1000\n" + b"x" * 1000)


class EndlessText(ServerSession):
    """The same in end-of-message framing, octet by octet at its end."""

    def received(self, message: bytes) -> None:
        self.write(b"<rpc-reply>" + b"]]>]]" * 19_990)
        for _ in range(200):
            self.write(b"]")


class WrongFraming(ServerSession):
    """Sends end-of-message framing although both said base:1.1."""

    def received(self, message: bytes) -> None:
        self.write(ok_reply(message) + b"]]>]]>")


@pytest.mark.parametrize(
    ("session_type", "capabilities", "reason"),
    [
        (EndlessReply, CAPABILITIES, "message-too-large"),
        (EndlessText, BASE_1_0_ONLY, "message-too-large"),
        (WrongFraming, CAPABILITIES, "bad-chunk-start"),
    ],
)
def test_broken_messages_end_the_session(
    tmp_path: Path,
    kind: str,
    session_type: type[ServerSession],
    capabilities: tuple[str, ...],
    reason: str,
) -> None:
    async def main() -> None:
        basket = Basket()
        async with Device(tmp_path, session_type=session_type, capabilities=capabilities) as device:
            session = session_of(kind, device.settings(max_message=100_000), basket)
            await session.open()
            with pytest.raises(SessionError) as caught:
                await session.rpc(rpc(1))
            assert (caught.value.reason, caught.value.retryable) == (reason, True)
            assert session.closed.result().reason == reason
            await until(lambda: device.closed == ["1"])
            assert basket.messages == []
            await session.close()

    run(main())


class NoHello(ServerSession):
    def greet(self) -> None:
        pass


class BadHello(ServerSession):
    greeting = b""

    def greet(self) -> None:
        self.write(self.greeting + b"]]>]]>")


def hello_of(text: bytes) -> type[ServerSession]:
    return type("Hello", (BadHello,), {"greeting": text})


CAPABILITY = (
    b"<capabilities><capability>urn:ietf:params:netconf:base:1.0</capability></capabilities>"
)


@pytest.mark.parametrize(
    "greeting",
    [
        b"<goodbye/>",
        b"<hello></hello>",
        b"not xml",
        b"<hello>" + CAPABILITY + b"</hello>",
        b"<hello>" + CAPABILITY + b"<session-id>0</session-id></hello>",
        b'<!DOCTYPE hello [<!ENTITY a "b">]><hello>'
        + CAPABILITY
        + b"<session-id>1</session-id></hello>",
    ],
    ids=["other-root", "no-capability", "no-xml", "no-session-id", "bad-session-id", "dtd"],
)
def test_bad_hello(tmp_path: Path, kind: str, greeting: bytes) -> None:
    error = refused_by(tmp_path, kind, device={"session_type": hello_of(greeting)})
    assert (error.reason, error.retryable) == ("bad-hello", True)


def test_a_hello_as_it_is_printed_in_rfc6242(tmp_path: Path, kind: str) -> None:
    """White space around capabilities, and a line end behind the delimiter."""
    printed = b"\n" + HELLO_OF_RFC6242 + b"]]>]]>\n"

    class Printed(ServerSession):
        def greet(self) -> None:
            self.write(printed)

    async def test(device: Device, session: NetconfSession, basket: Basket) -> None:
        assert session.session_id == 4
        assert session.capabilities[0] == "urn:ietf:params:netconf:base:1.1"
        assert await session.rpc(rpc(1)) == ok_reply(rpc(1))

    with_device(tmp_path, kind, test, session_type=Printed)


def test_no_hello_is_a_time_out(tmp_path: Path, kind: str) -> None:
    error = refused_by(
        tmp_path,
        kind,
        device={"session_type": NoHello},
        change=lambda *_: {"connect_timeout": SECOND},
    )
    assert (error.reason, error.retryable) == ("timeout", True)


def test_no_netconf_subsystem(tmp_path: Path, kind: str) -> None:
    error = refused_by(tmp_path, kind, device={"max_sessions": 0})
    assert (error.reason, error.retryable) == ("subsystem", True)


# --------------------------------------------------------------------------- log-in
@pytest.mark.clause("8639-7-b")
def test_unknown_host_key(tmp_path: Path, kind: str) -> None:
    stranger = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()

    def change(settings: SessionSettings, device: Device) -> dict[str, object]:
        wrong = tmp_path / "wrong_hosts"
        wrong.write_text(f"[127.0.0.1]:{settings.port} {stranger}")
        return {"known_hosts": str(wrong)}

    error = refused_by(tmp_path, kind, change=change)
    assert (error.reason, error.retryable) == ("host-key", False)
    assert "127.0.0.1" in str(error)
    assert "ssh-keyscan -p" in str(error)
    absent = refused_by(tmp_path, kind, change=lambda *_: {"known_hosts": str(tmp_path / "none")})
    assert absent.reason == "host-key"


def test_host_key_check_can_be_given_up(tmp_path: Path, kind: str) -> None:
    async def main() -> None:
        async with Device(tmp_path) as device:
            settings = device.settings(known_hosts="/nowhere", verify_host_key=False)
            session = session_of(kind, settings, Basket())
            await session.open()
            await session.close()

    run(main())


def log_everything(caplog: pytest.LogCaptureFixture) -> None:
    for name in ("", "asyncssh", "ncclient", "paramiko"):
        caplog.set_level(logging.DEBUG, name)


def test_wrong_password(tmp_path: Path, kind: str, caplog: pytest.LogCaptureFixture) -> None:
    log_everything(caplog)
    error = refused_by(tmp_path, kind, change=lambda *_: {"password": lambda: "wr0ng-secret"})
    assert (error.reason, error.retryable) == ("auth", False)
    assert USER in str(error)
    assert "wr0ng-secret" not in str(error) + caplog.text


def test_the_password_is_in_no_log_and_no_repr(
    tmp_path: Path, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    log_everything(caplog)

    async def test(device: Device, session: NetconfSession, basket: Basket) -> None:
        await session.rpc(rpc(1))
        assert PASSWORD not in repr(session.settings) + repr(session)

    with_device(tmp_path, kind, test)
    assert PASSWORD not in caplog.text


@pytest.mark.parametrize("phrase", [None, "a passphrase"])
def test_log_in_by_key(tmp_path: Path, kind: str, phrase: str | None) -> None:
    key = asyncssh.generate_private_key("ssh-ed25519")
    path = tmp_path / "key"
    key.write_private_key(path, passphrase=phrase, rounds=50)
    path.chmod(0o600)

    async def main() -> None:
        public = key.export_public_key().decode()
        async with Device(tmp_path, users={}, authorized_keys={USER: public}) as device:
            settings = device.settings(
                password=None,
                key_file=str(path),
                key_passphrase=None if phrase is None else lambda: phrase,
            )
            session = session_of(kind, settings, Basket())
            await session.open()
            await session.close()

    run(main())


@pytest.mark.parametrize("content", [None, "no key", "encrypted"])
def test_a_key_that_cannot_be_read_is_the_operators_fault(
    tmp_path: Path, kind: str, content: str | None
) -> None:
    path = tmp_path / "key"
    if content == "encrypted":
        asyncssh.generate_private_key("ssh-ed25519").write_private_key(
            path, passphrase="x", rounds=50
        )
    elif content is not None:
        path.write_text(content)

    async def main() -> None:
        async with Device(tmp_path) as device:
            session = session_of(kind, device.settings(key_file=str(path)), Basket())
            with pytest.raises(ConfigError, match=str(path)):
                await session.open()
            await session.close()
            assert device.opened == []

    run(main())


def test_a_key_that_the_device_does_not_know(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "key"
    asyncssh.generate_private_key("ssh-ed25519").write_private_key(path)

    def change(settings: SessionSettings, device: Device) -> dict[str, object]:
        return {"key_file": str(path), "password": None}

    error = refused_by(tmp_path, kind, change=change)
    assert (error.reason, error.retryable) == ("auth", False)


def test_a_secret_that_cannot_be_read_is_the_operators_fault(tmp_path: Path, kind: str) -> None:
    def unreadable() -> str:
        raise ConfigError("environment variable X is not set")

    async def main() -> None:
        async with Device(tmp_path) as device:
            session = session_of(kind, device.settings(password=unreadable), Basket())
            with pytest.raises(ConfigError, match="not set"):
                await session.open()
            await session.close()

    run(main())


# --------------------------------------------------------------------------- nobody there
def test_connection_refused(kind: str) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        settings = SessionSettings("127.0.0.1", USER, port=unused.getsockname()[1])
        error = refused(kind, settings)
    assert (error.reason, error.retryable) == ("refused", True)


def test_unknown_name(kind: str) -> None:
    error = refused(kind, SessionSettings("no-such-host.invalid", USER))
    assert (error.reason, error.retryable) == ("unreachable", True)


def test_a_port_that_never_speaks_ssh(kind: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        settings = SessionSettings("127.0.0.1", USER, port=port, connect_timeout=SECOND // 2)
        error = refused(kind, settings)
    assert (error.reason, error.retryable) == ("timeout", True)


def test_a_port_that_hangs_up(kind: str) -> None:
    async def main() -> None:
        server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        session = session_of(kind, SessionSettings("127.0.0.1", USER, port=port), Basket())
        with pytest.raises(SessionError) as caught:
            await session.open()
        assert (caught.value.reason, caught.value.retryable) == ("lost", True)
        await session.close()
        server.close()
        await server.wait_closed()

    run(main())


def test_no_common_algorithm(tmp_path: Path, kind: str) -> None:
    async def main() -> None:
        acceptor = await asyncssh.listen(
            "127.0.0.1",
            0,
            server_host_keys=[asyncssh.generate_private_key("ssh-ed25519")],
            kex_algs=["rsa1024-sha1"],
        )
        settings = SessionSettings(
            "127.0.0.1", USER, port=acceptor.get_port(), verify_host_key=False
        )
        session = session_of(kind, settings, Basket())
        with pytest.raises(SessionError) as caught:
            await session.open()
        assert (caught.value.reason, caught.value.retryable) == ("ssh", False)
        await session.close()
        acceptor.close()
        await acceptor.wait_closed()

    run(main())


def test_opening_can_be_cancelled(kind: str) -> None:
    async def main() -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            settings = SessionSettings("127.0.0.1", USER, port=silent.getsockname()[1])
            session = session_of(kind, settings, Basket())
            opening = asyncio.ensure_future(session.open())
            await asyncio.sleep(0.1)
            opening.cancel()
            with pytest.raises(asyncio.CancelledError):
                await opening
            await session.close()

    run(main())
