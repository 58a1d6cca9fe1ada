"""The simulator's HTTPS publisher: capabilities first, order, what is sent again and what is not.

The other end is our receiver, or a server of ten lines that answers what a test says.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from collector.errors import ConfigError, WireError
from collector.model import MediaType
from publisher_sim.publishers import https_notif as publisher
from publisher_sim.publishers.https_notif import HttpsNotifPublisher, read_reply
from publisher_sim.publishers.senders import open_sender
from publisher_sim.scenario import Receiver, Scenario, Tls
from tests.certificates import Certified, certified
from tests.https_ends import GOOD, serving
from tests.waiting import until

pytestmark = pytest.mark.integration

JSON, XML, CBOR = MediaType.YANG_DATA_JSON, MediaType.YANG_DATA_XML, MediaType.YANG_DATA_CBOR
PLAIN = Receiver(transport="https-notif")
DOCUMENT = (
    b"<receiver-capabilities><receiver-capability>urn:ietf:capability:https-notif-receiver:"
    b"encoding:xml</receiver-capability></receiver-capabilities>"
)
ONLY_XML = b"HTTP/1.1 200 OK\r\nContent-Type: application/xml\r\nContent-Length: %d\r\n\r\n%s" % (
    len(DOCUMENT),
    DOCUMENT,
)
ALL_RIGHT = b"HTTP/1.1 204 No Content\r\n\r\n"
NOT_FOUND = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"


def numbered(number: int) -> bytes:
    return GOOD.replace(b'"a:b":{}', b'"a:b":{"n":%d}' % number)


def tls_of(known: Certified, **changed: str) -> Tls:
    values = {
        "ca": str(known.authority.file), "certificate": str(known.publisher.certificate),
        "key": str(known.publisher.key),
    }  # fmt: skip
    return Tls(**values | changed)


@contextlib.asynccontextmanager
async def publishing(receiver: Receiver = PLAIN) -> AsyncIterator[HttpsNotifPublisher]:
    made = HttpsNotifPublisher("127.0.0.2", receiver)
    try:
        yield made
    finally:
        made.close()
        await asyncio.sleep(0)


Answer = Callable[[bytes, bytes], bytes]


class Server:
    """Answers each request as a test says; an empty answer ends the connection."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self.heads: list[bytes] = []
        self.bodies: list[bytes] = []
        self.connections = 0

    async def __aenter__(self) -> Server:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *error: object) -> None:
        self._server.close()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with contextlib.suppress(EOFError, OSError, asyncio.CancelledError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                _, found, rest = head.partition(b"Content-Length: ")
                body = await reader.readexactly(int(rest.split(b"\r\n")[0]) if found else 0)
                self.heads.append(head)
                if body:
                    self.bodies.append(body)
                octets = self._answer(head, body)
                if not octets:
                    break
                writer.write(octets)
        writer.close()


# --------------------------------------------------------------------------- with our receiver
@pytest.mark.parametrize("yang_data", [False, True])
def test_everything_arrives_in_order_over_tls(tmp_path: Path, yang_data: bool) -> None:
    known = certified(tmp_path)

    async def run() -> None:
        options = {key: value for key, value in known.sections().items() if key != "enabled"}
        to = Receiver(transport="https-notif", tls=tls_of(known), yang_data=yang_data)
        async with serving(**options) as (receiver, intake), publishing(to) as sender:
            sent = [numbered(number) for number in range(100)]
            for octets in sent:
                sender.send("127.0.0.1", receiver.local_port, octets, JSON)
            await until(lambda: len(intake.payloads()) == 100)
            assert intake.payloads() == sent
            assert set(intake.column("session")) == {"certificate:publisher.example"}
            assert set(intake.column("peer")) == {"127.0.0.2"}
            assert sender.refused == 0
            assert receiver.stats()["answered/200"] == 1, "asked once what it can do"
            assert len(set(intake.column("port"))) == 1, "one connection for all"

    asyncio.run(run())


def test_what_was_refused_for_a_while_is_sent_again() -> None:
    async def run() -> None:
        async with serving() as (receiver, intake), publishing() as sender:
            intake.full = True
            sender.send("127.0.0.1", receiver.local_port, GOOD, JSON)
            await until(lambda: receiver.stats().get("answered/503", 0) >= 1)
            intake.full = False
            await until(intake.payloads)
            assert sender.refused == 0

    asyncio.run(run())


def test_what_was_answered_400_is_not(tmp_path: Path) -> None:
    async def run() -> None:
        async with serving() as (receiver, intake), publishing() as sender:
            for octets in (b"{", GOOD):
                sender.send("127.0.0.1", receiver.local_port, octets, JSON)
            await until(lambda: receiver.stats().get("answered/204") == 1)
            assert intake.payloads() == [b"{", GOOD]
            await until(lambda: sender.refused == 1)

    asyncio.run(run())


@pytest.mark.parametrize("server_name", ["", "collector.example", "other.example"])
def test_the_name_of_the_receiver_is_verified(tmp_path: Path, server_name: str) -> None:
    known = certified(tmp_path)

    async def run() -> None:
        options = {key: value for key, value in known.sections().items() if key != "enabled"}
        to = Receiver(transport="https-notif", tls=tls_of(known, server_name=server_name))
        async with serving(**options) as (receiver, intake), publishing(to) as sender:
            sender.send("127.0.0.1", receiver.local_port, GOOD, JSON)
            if server_name == "other.example":
                await until(lambda: any(w.startswith("refused/") for w in receiver.stats()))
                assert intake.batches == []
                sender.close()
                assert sender.refused == 1
            else:
                await until(intake.payloads)

    asyncio.run(run())


# --------------------------------------------------------------------------- with odd receivers
def test_what_the_receiver_cannot_take_is_not_sent() -> None:
    async def run() -> None:
        answer: Answer = lambda head, body: ONLY_XML if head.startswith(b"GET") else ALL_RIGHT  # noqa: E731
        async with Server(answer) as server, publishing() as sender:
            for media_type in (JSON, XML, CBOR):
                sender.send("127.0.0.1", server.port, b"<a/>", media_type)
            await until(lambda: sender.refused == 2 and server.bodies)
            assert server.bodies == [b"<a/>"]
            assert server.heads[0].startswith(b"GET /yang-push/capabilities HTTP/1.1\r\n")
            assert b"Content-Type: application/xml\r\n" in server.heads[1]

    asyncio.run(run())


def test_a_receiver_without_capabilities_is_tried_and_asked_again_after_an_error() -> None:
    async def run() -> None:
        bad = b"HTTP/1.1 415 Unsupported Media Type\r\nContent-Length: 0\r\n\r\n"
        answers = iter([NOT_FOUND, bad, NOT_FOUND, ALL_RIGHT])
        async with Server(lambda head, body: next(answers)) as server, publishing() as sender:
            sender.send("127.0.0.1", server.port, b"1", JSON)
            await until(lambda: sender.refused == 1)
            sender.send("127.0.0.1", server.port, b"2", JSON)
            await until(lambda: len(server.heads) == 4)
            assert [head.split(b" ")[0] for head in server.heads] == [
                b"GET", b"POST", b"GET", b"POST",
            ]  # fmt: skip
            assert server.connections == 1

    asyncio.run(run())


def test_a_connection_that_ends_loses_nothing() -> None:
    async def run() -> None:
        closing = b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"
        answers = iter([NOT_FOUND, ALL_RIGHT, b"", NOT_FOUND, ALL_RIGHT, closing])

        def answer(head: bytes, body: bytes) -> bytes:
            return next(answers, NOT_FOUND if head.startswith(b"GET") else ALL_RIGHT)

        async with Server(answer) as server, publishing() as sender:
            sent = [b"%d" % number for number in range(9)]
            for octets in sent:
                sender.send("127.0.0.1", server.port, octets, JSON)
            # what was on its way when a connection ended may have been read, and comes again
            await until(lambda: set(server.bodies) == set(sent) and server.connections == 3)
            assert sender.refused == 0

    asyncio.run(run())


def test_it_gives_up_after_some_tries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publisher, "MOST_TRIES", 2)
    again = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n"

    async def run() -> None:
        def answer(head: bytes, body: bytes) -> bytes:
            return NOT_FOUND if head.startswith(b"GET") else again

        async with Server(answer) as server, publishing() as sender:
            sender.send("127.0.0.1", server.port, b"1", JSON)
            await until(lambda: sender.refused == 1)
            assert server.bodies == [b"1", b"1"]

    asyncio.run(run())


def test_nobody_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publisher, "MOST_QUEUED", 3)

    async def run() -> None:
        async with publishing() as sender:
            for number in range(5):
                sender.send("127.0.0.1", 1, b"%d" % number, JSON)
            assert sender.refused == 2, "the oldest are given up"
            await asyncio.sleep(0.05)
            sender.close()
            assert sender.refused == 5
            sender.close()
            assert sender.refused == 5

    asyncio.run(run())


@pytest.mark.parametrize(
    ("octets", "expected"),
    [
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nA: b: c\r\n\r\n", (200, {"a": "b: c"})),
        (b"HTTP/1.1 204 No\r\ncontent-length: 7\r\n\r\n", (204, {"content-length": "7"})),
        (b"SSH-2.0\r\n\r\n", WireError),
        (b"HTTP/1.1 abc\r\n\r\n", WireError),
        (b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", WireError),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n", WireError),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", EOFError),
        (b"HTTP/1.1 200", EOFError),
    ],
)
def test_replies(octets: bytes, expected: Any) -> None:
    async def run() -> None:
        reader = asyncio.StreamReader()
        reader.feed_data(octets)
        reader.feed_eof()
        if isinstance(expected, tuple):
            reply = await read_reply(reader)
            assert (reply.status, dict(reply.fields)) == expected
        else:
            with pytest.raises(expected):
                await read_reply(reader)

    asyncio.run(run())


def test_files_that_cannot_be_used(tmp_path: Path) -> None:
    known = certified(tmp_path)
    for key in ("ca", "certificate"):
        wrong = {key: str(tmp_path / "nowhere")}
        with pytest.raises(ConfigError) as caught:
            HttpsNotifPublisher("127.0.0.2", Receiver(tls=tls_of(known, **wrong)))
        assert caught.value.key == f"receiver.tls.{key}"


def test_it_is_found_by_its_name() -> None:
    scenario = Scenario(name="d", receiver=PLAIN)
    sender = open_sender(scenario)
    assert isinstance(sender, HttpsNotifPublisher)
    sender.close()
