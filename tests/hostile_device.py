"""Devices that misbehave on their management session, each in one way of its own.

Does: serve any of ``BEHAVIOURS``, in this process (``hostile``) or in another one (``python -m
tests.hostile_device NAME..``: a JSON line for each, until standard input ends), so that a collector
can be run against them beside devices that behave. Does not: know the collector.

Each behaviour says what a collector must say of it: a reason word and part of a sentence.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, NamedTuple

import asyncssh

from collector.wire.values import names
from publisher_sim.netconf.server import CAPABILITIES, Login, NetconfServer
from publisher_sim.netconf.session import ServerSession

USER, PASSWORD = "operator", "only for this test"
BASE = names.NETCONF_BASE
PUSH = "urn:ietf:params:xml:ns:yang:ietf-yang-push"
SUBSCRIBED = "urn:ietf:params:xml:ns:yang:ietf-subscribed-notifications"
ORIGINATORS = "urn:ietf:params:xml:ns:yang:ietf-multiple-stream-originators"
EVENTS = "urn:ietf:params:xml:ns:netconf:notification:1.0"
_KIB_64 = b"x" * 65_536


class Session(ServerSession):
    """Answers establish-subscription well, unless a subclass does otherwise."""

    def __init__(self, server: NetconfServer, user: str) -> None:
        super().__init__(server, user)
        self._tasks: set[asyncio.Task[None]] = set()

    def received(self, message: bytes) -> None:
        if b"<close-session" in message:
            super().received(message)
        elif b"establish-subscription" in message:
            self.establish(message)
        else:
            self.send(reply(message, b"<ok/>"))

    def establish(self, message: bytes) -> None:
        self.send(reply(message, established(7)))

    def do(self, work: Awaitable[None]) -> None:
        """In the background, while the channel lives."""

        async def whole() -> None:
            with contextlib.suppress(OSError, asyncssh.Error):
                await work

        task = asyncio.ensure_future(whole())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        for task in self._tasks:
            task.cancel()

    async def pour(self, octets: bytes, times: int, pause: float = 0.005) -> None:
        """Write something again and again, as far as the other side takes it."""
        for _ in range(times):
            if self.unsent < 4 * 1024 * 1024:
                self.write(octets)
            await asyncio.sleep(pause)


def rpc_of(operation: str, number: int = 1) -> bytes:
    return f'<rpc message-id="{number}" xmlns="{BASE}"><{operation}/></rpc>'.encode()


def reply(request: bytes, inner: bytes, number: bytes | None = None) -> bytes:
    found = re.search(rb'message-id="([^"]*)"', request)
    number = number if number is not None else found[1] if found else b""
    return b'<rpc-reply message-id="%b" xmlns="%b">%b</rpc-reply>' % (number, BASE.encode(), inner)


def established(number: int, generators: tuple[str, ...] = ("1",)) -> bytes:
    listed = "".join(
        f'<message-generator-id xmlns="{ORIGINATORS}">{one}</message-generator-id>'
        for one in generators
    )
    return f'<id xmlns="{SUBSCRIBED}">{number}</id>{listed}'.encode()


def with_id(text: bytes) -> bytes:
    return b'<id xmlns="%b">%b</id>' % (SUBSCRIBED.encode(), text)


def notification(content: str) -> bytes:
    return (
        f'<notification xmlns="{EVENTS}"><eventTime>2026-01-01T00:00:00Z</eventTime>{content}'
        "</notification>"
    ).encode()


def push_update(number: int) -> bytes:
    return notification(
        f'<push-update xmlns="{PUSH}"><id>{number}</id><datastore-contents/></push-update>'
    )


# --------------------------------------------------------------------------- hello
class NoHello(Session):
    def greet(self) -> None: ...


class SlowHello(Session):
    def greet(self) -> None:
        self.do(self._drip())

    async def _drip(self) -> None:
        for octet in b'<?xml version="1.0"?><hello xmlns="' + BASE.encode() + b'">' + _KIB_64:
            self.write(bytes((octet,)))
            await asyncio.sleep(0.05)


class EndlessHello(Session):
    def greet(self) -> None:
        self.write(b"<hello>")
        self.do(self.pour(_KIB_64, 2000, 0.001))


class WrongHello(Session):
    hello = b"<hello/>"

    def greet(self) -> None:
        self.write(self.hello + b"]]>]]>")


class BombHello(WrongHello):
    hello = (
        b'<!DOCTYPE b [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "'
        + b"&a;" * 500
        + b'"><!ENTITY c "'
        + b"&b;" * 500
        + b'">]><hello xmlns="%b">&c;</hello>' % BASE.encode()
    )


class DeepHello(WrongHello):
    hello = b"<a>" * 20_000 + b"</a>" * 20_000


# --------------------------------------------------------------------------- framing
class ChunksOfNoSize(Session):
    def establish(self, message: bytes) -> None:
        self.write(b"\n#0\n\n##\n")


class NotInChunks(Session):
    """Both said base:1.1, and it goes on with the end-of-message framing of 1.0."""

    def establish(self, message: bytes) -> None:
        self.write(reply(message, established(7)) + b"]]>]]>")


class ChunksUnasked(Session):
    """It never said base:1.1, and sends chunks, which never end in ``]]>]]>``."""

    def establish(self, message: bytes) -> None:
        answer = reply(message, established(7))
        self.write(b"\n#%d\n%b\n##\n" % (len(answer), answer))


class Gigabyte(Session):
    def establish(self, message: bytes) -> None:
        self.write(b"\n#1073741824\n")
        self.do(self.pour(_KIB_64, 2000))


class EndlessReply(Session):
    """In chunks, each of them small."""

    def establish(self, message: bytes) -> None:
        self.do(self.pour(b"\n#65536\n" + _KIB_64, 2000))


class EndlessDelimited(Session):
    def establish(self, message: bytes) -> None:
        self.do(self.pour(_KIB_64, 2000))


class Drip(Session):
    """Answers well, then begins a message and goes on with it octet by octet."""

    def establish(self, message: bytes) -> None:
        super().establish(message)
        self.write(b"\n#1000\n")
        self.do(self.pour(b"x", 900, 0.05))


# --------------------------------------------------------------------------- answers
class NoAnswer(Session):
    def establish(self, message: bytes) -> None: ...


class OtherMessageId(Session):
    def establish(self, message: bytes) -> None:
        self.send(reply(message, established(7), b"4711"))


class StrayFlood(Session):
    def establish(self, message: bytes) -> None:
        stray = reply(message, established(8), b"9999")
        self.do(self.pour(b"\n#%d\n%b\n##\n" % (len(stray), stray) * 50, 2000))


class Twice(Session):
    """The same answer again and again; only the first one counts."""

    def establish(self, message: bytes) -> None:
        for number in (7, 8, 9):
            self.send(reply(message, established(number)))


class ManyGenerators(Session):
    count = 10_000

    def establish(self, message: bytes) -> None:
        listed = tuple(f"card {number}" for number in range(self.count))
        self.send(reply(message, established(7, listed)))


class MoreGenerators(ManyGenerators):
    count = 1025


class SameGenerators(Session):
    def establish(self, message: bytes) -> None:
        self.send(reply(message, established(7, ("1", "2") * 2000)))


class ManyElements(Session):
    def establish(self, message: bytes) -> None:
        self.send(reply(message, established(7) + b"<a/>" * 1_000_000))


class DeepReply(Session):
    def establish(self, message: bytes) -> None:
        self.send(reply(message, b"<a>" * 20_000 + b"</a>" * 20_000))


class BombReply(Session):
    head = BombHello.hello.split(b"<hello")[0]

    def establish(self, message: bytes) -> None:
        self.send(self.head + reply(message, with_id(b"&c;")))


class OutsideReply(BombReply):
    """Would read a file of ours."""

    head = b'<!DOCTYPE n [<!ENTITY c SYSTEM "file:///etc/passwd">]>'


class NoId(Session):
    inner = b"<ok/>"

    def establish(self, message: bytes) -> None:
        self.send(reply(message, self.inner))


class HugeId(NoId):
    inner = with_id(b"9" * 4000)


class IdOfNoText(NoId):
    inner = with_id(b"\xff\xfe")


class NotClosed(NoId):
    inner = b"<a>"


class Escape(NoId):
    """No well-formed XML, and it would move a cursor."""

    inner = b"<rpc-error><error-message>\x1b[2J</error-message></rpc-error>"


class TerminalReply(Session):
    """An error text that would move the cursor of whoever reads it."""

    def establish(self, message: bytes) -> None:
        error = (
            b"<rpc-error><error-type>application</error-type><error-tag>invalid-value</error-tag>"
            b"<error-severity>error</error-severity><error-message>%b</error-message></rpc-error>"
        )
        self.send(reply(message, error % (b"\xc2\x9b2J&#x9b;2J" + b"word \n" * 100_000)))


# --------------------------------------------------------------------------- notifications
class OthersId(Session):
    """Pushes, ends and counts subscriptions that are another device's; answers well."""

    def establish(self, message: bytes) -> None:
        super().establish(message)
        self.do(self._meddle())

    async def _meddle(self) -> None:
        while True:
            for number in (*range(1, 40), 2_147_483_648, 2_147_483_649, 4_294_967_295):
                for kind in ("subscription-terminated", "subscription-suspended"):
                    text = f'<{kind} xmlns="{SUBSCRIBED}"><id>{number}</id>'
                    if number != 7:  # its own one
                        self.send(
                            notification(f"{text}<reason>no-such-subscription</reason></{kind}>")
                        )
                        self.send(push_update(number))
            await asyncio.sleep(0.2)


class ManyGeneratorsLater(Session):
    """subscription-modified with a list that nobody can have."""

    def establish(self, message: bytes) -> None:
        super().establish(message)
        listed = "".join(
            f'<message-generator-id xmlns="{ORIGINATORS}">g{number}</message-generator-id>'
            for number in range(10_000)
        )
        for _ in range(3):
            self.send(
                notification(
                    f'<subscription-modified xmlns="{SUBSCRIBED}"><id>7</id>{listed}'
                    "</subscription-modified>"
                )
            )


class Junk(Session):
    def establish(self, message: bytes) -> None:
        super().establish(message)
        for text in (b"\x00\x01", b"no xml", b"<a>", b"<a/>" * 3, b"&c;", _KIB_64):
            self.send(text)


# --------------------------------------------------------------------------- before NETCONF
async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Accepts, and says nothing."""
    await reader.read()


async def lines_flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Lines in front of its version (RFC 4253 §4.2 allows some), without end."""
    while True:
        writer.write(b"welcome to this device\r\n" * 1000)
        await writer.drain()
        await asyncio.sleep(0.001)


async def line_flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One line without end."""
    while True:
        writer.write(_KIB_64)
        await writer.drain()
        await asyncio.sleep(0.001)


async def slow_version(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Its version, octet by octet."""
    for octet in b"SSH-2.0-" + _KIB_64:
        writer.write(bytes((octet,)))
        await writer.drain()
        await asyncio.sleep(0.05)


async def no_ssh(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Something else than SSH."""
    writer.write(b"SSH-2.0-x\r\n" + b"\xff" * 4096)
    await reader.read()


class BannerFlood(Login):
    """Banners without end while somebody logs in (RFC 4252 §5.4)."""

    def begin_auth(self, username: str) -> bool:
        assert self._connection is not None
        for _ in range(2000):
            self._connection.send_auth_banner("welcome to this device\n" * 20)
        return super().begin_auth(username)


class Behaviour(NamedTuple):
    """A way to misbehave."""

    kind: Any
    """A session's class, a ``Login``'s, or what answers a TCP connection."""
    reason: str
    """Of the failure or refusal that a collector counts; empty: nothing fails."""
    says: str
    """Part of what a collector says of the device; where two time-outs race, both: ``a | b``."""
    chunked: bool = True
    """Whether its hello says base:1.1."""


BEHAVIOURS: dict[str, Behaviour] = {
    "silent": Behaviour(silent, "timeout", "did not greet within"),
    "lines-flood": Behaviour(lines_flood, "ssh", "does not speak SSH as it should"),
    "line-flood": Behaviour(line_flood, "ssh", "does not speak SSH as it should"),
    "slow-version": Behaviour(slow_version, "timeout", "did not greet within"),
    "no-ssh": Behaviour(no_ssh, "ssh", "SSH"),
    "banner-flood": Behaviour(BannerFlood, "ssh", "banners without end"),
    "no-hello": Behaviour(NoHello, "timeout", "did not greet within"),
    "slow-hello": Behaviour(SlowHello, "timeout", "did not greet within"),
    "endless-hello": Behaviour(EndlessHello, "message-too-large", "is longer than"),
    "wrong-hello": Behaviour(WrongHello, "bad-hello", "the hello names no capability"),
    "bomb-hello": Behaviour(BombHello, "bad-hello", "document type declaration"),
    "deep-hello": Behaviour(DeepHello, "bad-hello", "nest deeper"),
    "chunks-of-no-size": Behaviour(ChunksOfNoSize, "bad-chunk-size", "begins with 0"),
    "not-in-chunks": Behaviour(NotInChunks, "bad-chunk-start", "a chunk must begin"),
    "chunks-unasked": Behaviour(  # no answer, or one without an end: whichever time is over first
        ChunksUnasked, "timeout", "did not answer | without an end", chunked=False
    ),
    "gigabyte": Behaviour(Gigabyte, "message-too-large", "is longer than"),
    "endless-reply": Behaviour(EndlessReply, "message-too-large", "is longer than"),
    "endless-delimited": Behaviour(
        EndlessDelimited, "message-too-large", "is longer than", chunked=False
    ),
    "drip": Behaviour(Drip, "timeout", "without an end"),
    "no-answer": Behaviour(NoAnswer, "timeout", "did not answer a request within"),
    "other-message-id": Behaviour(OtherMessageId, "stray-reply", "to no request of ours: 1"),
    "stray-flood": Behaviour(StrayFlood, "stray-reply", "to no request of ours"),
    "twice": Behaviour(Twice, "", ""),
    "many-generators": Behaviour(ManyGenerators, "too-many-elements", "more than 4096 elements"),
    "more-generators": Behaviour(
        MoreGenerators, "too-many-generators", "more than 1024 message generators"
    ),
    "same-generators": Behaviour(SameGenerators, "", ""),
    "many-elements": Behaviour(ManyElements, "too-many-elements", "more than 4096 elements"),
    "deep-reply": Behaviour(DeepReply, "too-deep", "nest deeper"),
    "bomb-reply": Behaviour(BombReply, "timeout", "did not answer"),  # not even a reply
    "outside-reply": Behaviour(OutsideReply, "timeout", "did not answer"),
    "no-id": Behaviour(NoId, "no-subscription-id", "no subscription id"),
    "huge-id": Behaviour(HugeId, "bad-value", "cannot be read"),
    "id-of-no-text": Behaviour(IdOfNoText, "bad-xml", "cannot be read"),
    "not-closed": Behaviour(NotClosed, "bad-xml", "no well-formed XML"),
    "escape": Behaviour(Escape, "bad-xml", "no well-formed XML"),
    "terminal-reply": Behaviour(TerminalReply, "rpc-error", "word word"),
    "others-id": Behaviour(OthersId, "", ""),
    "many-generators-later": Behaviour(ManyGeneratorsLater, "", ""),
    "junk": Behaviour(Junk, "", ""),
}
"""Name -> what is done."""


class Hostile(NamedTuple):
    """One of them, listening."""

    name: str
    port: int
    host_key: str
    """To be pinned; empty where it never shows one."""


@contextlib.asynccontextmanager
async def hostile(name: str) -> AsyncIterator[Hostile]:
    """A device of that behaviour, on 127.0.0.1."""
    kind, _, _, chunked = BEHAVIOURS[name]
    if not isinstance(kind, type):
        async with _raw(kind) as port:
            yield Hostile(name, port, "")
        return
    capabilities = (
        CAPABILITIES if chunked else tuple(c for c in CAPABILITIES if "base:1.1" not in c)
    )
    session = kind if issubclass(kind, ServerSession) else Session

    class Server(NetconfServer):
        def make_session(self, user: str) -> ServerSession:
            return session(self, user)

    server = Server(port=0, users={USER: PASSWORD}, capabilities=capabilities)
    if issubclass(kind, Login):
        acceptor = await asyncssh.listen(
            "127.0.0.1", 0, server_factory=lambda: kind(server), server_host_keys=[server._host_key]
        )
        try:
            yield Hostile(name, acceptor.get_port(), server.public_key)
        finally:
            acceptor.close()
            await server.stop()
            await acceptor.wait_closed()
        return
    await server.start()
    try:
        yield Hostile(name, server.port, server.public_key)
    finally:
        for connection in list(server._connections):
            connection.abort()
        await server.stop()


@contextlib.asynccontextmanager
async def _raw(
    answer: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> AsyncIterator[int]:
    tasks: set[asyncio.Task[Any]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await answer(reader, writer)
        finally:
            tasks.discard(task)
            writer.transport.abort()

    listener = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield listener.sockets[0].getsockname()[1]
    finally:
        listener.close()
        for task in tuple(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await listener.wait_closed()


async def _serve(names: list[str]) -> None:
    async with contextlib.AsyncExitStack() as stack:
        for name in names:
            one = await stack.enter_async_context(hostile(name))
            print(json.dumps(one._asdict()), flush=True)
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1:] or list(BEHAVIOURS)))
