"""The HTTPS receiver over loopback: answers in order, 204 only when safe, bounds, slow peers."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from collector.errors import ConfigError
from collector.model import RecordKind, Transport
from collector.receivers.https import guests as https_guests
from collector.receivers.https.connection import IN_PIPELINE
from collector.receivers.https_notif import HttpsNotifReceiver
from collector.receivers.sockets.tcp import peer_of
from collector.wire.https_notif import OURS
from tests.https_ends import GOOD, Browser, Clock, Intake, browsing, post, serving
from tests.waiting import until

pytestmark = pytest.mark.integration

Test = Callable[[HttpsNotifReceiver, Intake, Browser], Awaitable[None]]
PLAIN = ("content-type", "text/plain; charset=utf-8")
ASK = b"GET /yang-push/capabilities HTTP/1.1\r\nHost: c\r\n\r\n"


def over_loopback(test: Test, **options: Any) -> None:
    """Run a test with a receiver and one connection to it."""

    async def run() -> None:
        async with serving(**options) as (receiver, intake), browsing(receiver) as browser:
            await test(receiver, intake, browser)

    asyncio.run(run())


# --------------------------------------------------------------------------- answers
def test_a_notification_becomes_a_record() -> None:
    async def test(receiver: HttpsNotifReceiver, intake: Intake, browser: Browser) -> None:
        bodies = [GOOD, b"<notification/>", b"\xa0"]
        types = ["application/yang-data+json", "application/xml", "application/yang-data+cbor"]
        for body, content_type in zip(bodies, types, strict=True):
            browser.send(post(body, content_type))
            assert (await browser.response()).status in (204, 400)
        assert intake.payloads() == bodies
        assert intake.column("media_type") == [1, 2, 3]
        port = browser.writer.get_extra_info("sockname")[1]
        assert intake.column("port") == [port] * 3
        assert set(intake.column("peer")) == {"127.0.0.1"}
        assert set(intake.column("kind")) == {RecordKind.DATA}
        assert set(intake.column("transport")) == {Transport.HTTPS_NOTIF}
        assert set(intake.column("session")) == {""}
        assert set(intake.column("flags")) == {0}
        assert receiver.stats()["messages"] == 3
        assert receiver.stats()["connections"] == 1

    over_loopback(test)


def test_204_says_nothing_but_that() -> None:
    async def test(receiver: HttpsNotifReceiver, intake: Intake, browser: Browser) -> None:
        browser.send(post())
        response = await browser.response()
        assert response.status == 204
        assert set(response.fields) == {"date"}
        assert receiver.stats()["answered/204"] == 1

    over_loopback(test)


def test_204_comes_only_after_the_commit() -> None:
    async def test(receiver: HttpsNotifReceiver, intake: Intake, browser: Browser) -> None:
        intake.gate.clear()
        browser.send(post())
        await until(intake.payloads)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await browser.reader.read(1)
        intake.gate.set()
        assert (await browser.response()).status == 204

    over_loopback(test)


def test_answers_keep_the_order_of_requests() -> None:
    async def test(receiver: HttpsNotifReceiver, intake: Intake, browser: Browser) -> None:
        intake.gate.clear()
        other = b"GET /nothing HTTP/1.1\r\nHost: c\r\n\r\n"
        browser.send(post() + ASK + post() + other + post(b"no json") + post())
        await until(lambda: len(intake.payloads()) == 4)
        assert len(intake.batches) == 1, "what waits in one turn is one batch"
        intake.gate.set()
        statuses = [(await browser.response()).status for _ in range(6)]
        assert statuses == [204, 200, 204, 404, 400, 204]

    over_loopback(test)


def test_what_cannot_be_decoded_is_kept_and_answered_400() -> None:
    async def test(receiver: HttpsNotifReceiver, intake: Intake, browser: Browser) -> None:
        browser.send(post(b'{"a": \x00'))
        response = await browser.response()
        assert response.status == 400
        sentence = response.body.decode()
        assert sentence.startswith("This notification cannot be read (bad-json): ")
        assert sentence.endswith("\n")
        assert sentence.strip().isprintable()
        assert intake.payloads() == [b'{"a": \x00'], "a period may be short of it"
        browser.send(post())
        assert (await browser.response()).status == 204, "the connection goes on"

    over_loopback(test)


def test_connections_of_one_turn_are_one_batch() -> None:
    async def run() -> None:
        async with serving() as (receiver, intake):
            async with several(receiver, 20) as browsers:
                await until(lambda: receiver.stats()["connections"] == 20)
                for browser in browsers:
                    browser.send(post())
                for browser in browsers:
                    assert (await browser.response()).status == 204
            assert len(intake.payloads()) == 20
            assert len(intake.batches) < 20

    asyncio.run(run())


def test_more_requests_than_may_wait() -> None:
    async def test(receiver: HttpsNotifReceiver, intake: Intake, browser: Browser) -> None:
        intake.gate.clear()
        number = 20 * IN_PIPELINE
        bodies = [b'{"a:b":{"c":%d}}' % one + b" " * 900 for one in range(number)]
        browser.send(b"".join(map(post, bodies)))
        await until(lambda: len(intake.payloads()) >= IN_PIPELINE)
        await asyncio.sleep(0.1)
        assert len(intake.payloads()) < 3 * IN_PIPELINE, "then nothing more is read"
        intake.gate.set()
        for _ in range(number):
            assert (await browser.response()).status == 204
        assert intake.payloads() == bodies

    over_loopback(test)


def test_capabilities() -> None:
    async def test(receiver: HttpsNotifReceiver, intake: Intake, browser: Browser) -> None:
        for accept, form in (
            ("application/xml, application/json;q=0.5", "application/xml"),
            ("application/yang-data+json", "application/yang-data+json"),
        ):
            browser.send(ASK.replace(b"\r\n\r\n", f"\r\nAccept: {accept}\r\n\r\n".encode()))
            response = await browser.response()
            assert (response.status, response.fields["content-type"]) == (200, form)
            assert all(uri.encode() in response.body for uri in OURS)
        browser.send(ASK.replace(b"GET", b"HEAD"))
        response = await browser.response(head=True)
        assert int(response.fields["content-length"]) > 0
        browser.send(ASK.replace(b"\r\n\r\n", b"\r\nAccept: text/html\r\n\r\n"))
        assert (await browser.response()).status == 406
        assert intake.batches == []

    over_loopback(test)


@pytest.mark.parametrize(
    ("request_octets", "status", "field"),
    [
        (post().replace(b"POST", b"PUT"), 405, ("allow", "POST")),
        (ASK.replace(b"GET", b"DELETE"), 405, ("allow", "GET, HEAD")),
        (post(content_type="text/plain"), 415, PLAIN),
        (post().replace(b"/yang-push/", b"/"), 404, PLAIN),
        (b"POST /yang-push/relay-notification HTTP/1.1\r\nHost: c\r\n"
         b"Content-Type: application/json\r\n\r\n", 411, PLAIN),
    ],
)  # fmt: skip
def test_refusals_leave_the_connection_usable(
    request_octets: bytes, status: int, field: tuple[str, str]
) -> None:
    async def test(receiver: HttpsNotifReceiver, intake: Intake, browser: Browser) -> None:
        browser.send(request_octets)
        response = await browser.response()
        assert response.status == status
        assert response.fields[field[0]] == field[1], response.body
        assert "connection" not in response.fields
        assert response.body.endswith(b".\n")
        browser.send(post())
        assert (await browser.response()).status == 204

    over_loopback(test)


@pytest.mark.parametrize(
    ("request_octets", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (post(more="Content-Length: 3\r\n"), 400),
        (b"GET / HTTP/1.1\r\nX: " + b"a" * 100_000, 431),
        (post(b" " * 1001), 413),
        (post(b"{}", more="Transfer-Encoding: chunked\r\n"), 400),
    ],
)
def test_refusals_that_end_the_connection(request_octets: bytes, status: int) -> None:
    async def test(receiver: HttpsNotifReceiver, intake: Intake, browser: Browser) -> None:
        browser.send(post(b"{}") + request_octets)
        assert (await browser.response()).status == 400, "{} is no notification"
        response = await browser.response()
        assert response.status == status
        assert response.fields["connection"] == "close"
        assert await browser.ended()
        browser.writer.close()
        await until(lambda: receiver.stats()["connections"] == 0)
        assert receiver._guests._held == 0

    over_loopback(test, max_message_bytes=1000)


def test_connection_close_and_half_closed() -> None:
    async def test(receiver: HttpsNotifReceiver, intake: Intake, browser: Browser) -> None:
        browser.send(post(more="Connection: close\r\n") + post())
        response = await browser.response()
        assert (response.status, response.fields["connection"]) == (204, "close")
        assert await browser.ended()
        assert len(intake.payloads()) == 1
        async with browsing(receiver) as other:
            intake.gate.clear()
            other.send(post())
            other.writer.write_eof()
            await until(lambda: len(intake.payloads()) == 2)
            intake.gate.set()
            assert (await other.response()).status == 204, "a peer may close its side first"
            assert await other.ended()
        async with browsing(receiver) as third:
            third.send(post()[:-1])
            third.writer.write_eof()
            assert await third.ended()
        assert len(intake.payloads()) == 2, "half a notification is none"

    over_loopback(test)


def test_a_peer_that_waits_for_100() -> None:
    async def test(receiver: HttpsNotifReceiver, intake: Intake, browser: Browser) -> None:
        octets = post(more="Expect: 100-continue\r\n")
        browser.send(octets[: -len(GOOD)])
        assert (await browser.response()).status == 100
        browser.send(GOOD)
        assert (await browser.response()).status == 204

    over_loopback(test)


# --------------------------------------------------------------------------- nothing is taken
def test_503_while_nothing_is_taken(caplog: pytest.LogCaptureFixture) -> None:
    async def test(receiver: HttpsNotifReceiver, intake: Intake, browser: Browser) -> None:
        intake.full = True
        for _ in range(3):
            browser.send(post())
            response = await browser.response()
            assert (response.status, response.fields["retry-after"]) == (503, "1")
        assert caplog.text.count("told to come back later (503): the disk is full") == 1
        intake.full = False
        browser.send(post())
        assert (await browser.response()).status == 204
        assert "taken again" in caplog.text
        intake.lost = True
        browser.send(post())
        assert (await browser.response()).status == 503, "taken, but it may not survive"
        assert receiver.stats()["answered/503"] == 4

    with caplog.at_level(logging.WARNING):
        over_loopback(test)


def test_a_fault_of_ours_is_answered_500(caplog: pytest.LogCaptureFixture) -> None:
    def broken(*_: object) -> int:
        raise ZeroDivisionError

    async def also_broken(*_: object) -> None:
        raise ZeroDivisionError

    async def test(receiver: HttpsNotifReceiver, intake: Intake, browser: Browser) -> None:
        take = intake.take
        intake.take = broken  # type: ignore[method-assign]
        browser.send(post())
        assert (await browser.response()).status == 500
        intake.take, intake.committed = take, also_broken  # type: ignore[method-assign]
        browser.send(post())
        assert (await browser.response()).status == 500
        assert caplog.text.count("could not be taken") == 2

    over_loopback(test)


def test_too_many_octets_of_unfinished_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(https_guests, "HELD_OCTETS", 0)

    async def test(receiver: HttpsNotifReceiver, intake: Intake, browser: Browser) -> None:
        large = post(b" " * 990)
        async with browsing(receiver) as one, browsing(receiver) as two:
            one.send(large[:-1])
            two.send(large[:-1])
            await until(lambda: receiver._guests._held > 1900)
            browser.send(large[:-1])
            assert (await browser.response()).status == 503
            two.writer.transport.abort()
            await until(lambda: receiver._guests._held < 1000)
            one.send(large[-1:])
            assert (await one.response()).status == 400, "and it goes on for the others"
        await until(lambda: receiver._guests._held == 0)

    over_loopback(test, max_message_bytes=1000)


# --------------------------------------------------------------------------- time and number
def test_peers_that_take_too_long() -> None:
    async def run() -> None:
        options = {"request_timeout_seconds": 30, "idle_timeout_seconds": 600}
        async with serving(**options) as (receiver, _), several(receiver, 3) as (slow, idle, good):
            slow.send(post()[:40])
            idle.send(post())
            assert (await idle.response()).status == 204
            guests = receiver._guests
            await until(lambda: any(one.in_request for one in guests.connections))
            now = asyncio.get_running_loop().time()
            guests.look(now + 29)
            assert len(guests.connections) == 3
            guests.look(now + 31)
            response = await slow.response()
            assert (response.status, response.fields["connection"]) == (408, "close")
            assert await slow.ended()
            assert receiver.stats()["refused/request-timeout"] == 1
            good.send(post())
            assert (await good.response()).status == 204
            guests.look(now + 601)
            assert await idle.ended()
            lingering = [one for one in guests.connections if one.closing]
            assert lingering
            guests.look(asyncio.get_running_loop().time() + 700)
            await until(lambda: not any(one in guests.connections for one in lingering))

    asyncio.run(run())


def test_a_peer_that_does_not_read_its_answers() -> None:
    async def test(receiver: HttpsNotifReceiver, intake: Intake, browser: Browser) -> None:
        browser.writer.transport.pause_reading()  # type: ignore[attr-defined]  # what it is for
        guests = receiver._guests
        (connection,) = guests.connections

        async def ask() -> None:
            while connection.stuck_since is None:
                browser.send(ASK * 200)
                await asyncio.sleep(0.002)

        await asyncio.wait_for(ask(), 20)
        before = receiver.stats()["answered/200"]
        await asyncio.sleep(0.1)
        assert receiver.stats()["answered/200"] <= before + 3 * IN_PIPELINE + 400
        guests.look(asyncio.get_running_loop().time() + 31)
        await until(lambda: receiver.stats()["connections"] == 0)
        assert receiver.stats()["refused/answers-unread"] == 1

    over_loopback(test)


def test_a_peer_that_reads_late_gets_everything() -> None:
    async def test(receiver: HttpsNotifReceiver, intake: Intake, browser: Browser) -> None:
        browser.writer.transport.pause_reading()  # type: ignore[attr-defined]  # what it is for
        (connection,) = receiver._guests.connections
        sent = 0
        while connection.stuck_since is None:
            browser.send(ASK * 50)
            sent += 50
            await asyncio.sleep(0.001)
        browser.send(post())
        browser.writer.transport.resume_reading()  # type: ignore[attr-defined]
        for _ in range(sent):
            assert (await browser.response()).status == 200
        assert (await browser.response()).status == 204

    over_loopback(test)


def test_too_many_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(https_guests, "_OF_A_PEER", 1)

    async def refused(most: int, kept: int) -> None:
        options = {"max_connections": most}
        async with serving(**options) as (receiver, _), several(receiver, kept) as browsers:
            await until(lambda: receiver.stats()["connections"] == kept)
            async with browsing(receiver) as one_more:
                assert await one_more.ended()
            assert receiver.stats()["refused/too-many-connections"] == 1
            browsers[0].send(post())
            assert (await browsers[0].response()).status == 204
            browsers[-1].writer.close()
            await until(lambda: receiver.stats()["connections"] == kept - 1)
            async with browsing(receiver) as another:
                another.send(post())
                assert (await another.response()).status == 204

    asyncio.run(refused(1, 1))
    asyncio.run(refused(12, 3))


@contextlib.asynccontextmanager
async def several(receiver: HttpsNotifReceiver, number: int) -> AsyncIterator[list[Browser]]:
    """So many connections."""
    async with contextlib.AsyncExitStack() as stack:
        yield [await stack.enter_async_context(browsing(receiver)) for _ in range(number)]


# --------------------------------------------------------------------------- life
def test_a_stop_answers_what_gets_safe() -> None:
    async def run() -> None:
        async with serving() as (receiver, intake), browsing(receiver) as browser:
            intake.gate.clear()
            browser.send(post())
            await until(intake.payloads)
            stopping = asyncio.create_task(receiver.stop())
            await asyncio.sleep(0.05)
            intake.gate.set()
            assert (await browser.response()).status == 204
            assert await browser.ended()
            browser.writer.close()
            await stopping
            assert not receiver.listening

    asyncio.run(run())


def test_a_port_that_is_taken() -> None:
    async def run() -> None:
        async with serving() as (receiver, _):
            other = HttpsNotifReceiver(Intake(), Clock(), port=receiver.local_port, plain_http=True)
            with pytest.raises(ConfigError) as caught:
                await other.start()
            assert caught.value.key == "https_notif.port"
            assert "in use" in str(caught.value)
        for address in ("nowhere", "192.0.2.1"):
            with pytest.raises(ConfigError):
                await HttpsNotifReceiver(
                    Intake(), Clock(), address=address, port=0, plain_http=True
                ).start()

    asyncio.run(run())


@pytest.mark.parametrize(
    ("address", "to", "peer"), [("::1", "::1", "::1"), ("::", "127.0.0.1", "127.0.0.1")]
)
def test_ipv6(address: str, to: str, peer: str) -> None:
    async def run() -> None:
        try:
            async with serving(address=address) as (receiver, intake):
                reader, writer = await asyncio.open_connection(to, receiver.local_port)
                writer.write(post())
                assert (await Browser(reader, writer).response()).status == 204
                writer.close()
                assert intake.column("peer") == [peer]
        except ConfigError as error:
            pytest.skip(f"no IPv6 here: {error}")

    asyncio.run(run())


def test_who_is_at_the_other_end() -> None:
    assert peer_of(("fe80::1%eth0", 7, 0, 2)) == ("fe80::1", 7)
    assert peer_of(("::ffff:192.0.2.7", 7, 0, 0)) == ("192.0.2.7", 7)
    assert peer_of(None) == peer_of(("",)) == ("", 0)


def test_pythons_own_client_agrees() -> None:
    async def run() -> None:
        async with serving(path="/") as (receiver, intake):
            found = await asyncio.to_thread(ask_with_http_client, receiver.local_port)
            assert found == [(200, list(OURS)), (204, b""), (204, b""), (400, b""), (413, b"")]
            assert len(intake.payloads()) == 3

    asyncio.run(run())


def ask_with_http_client(port: int) -> list[tuple[int, Any]]:
    """What an outside judge makes of our answers, all on one connection but the last."""
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    client.request("GET", "/capabilities", headers={"Accept": "application/json"})
    reply = client.getresponse()
    found: list[tuple[int, Any]] = [
        (reply.status, json.load(reply)["receiver-capabilities"]["receiver-capability"])
    ]
    json_type = {"Content-Type": "application/json"}
    for body, headers in (
        (GOOD, json_type), (iter([GOOD[:9], GOOD[9:]]), json_type), (b"[]", json_type),
        (b" " * 2_000_000, json_type),
    ):  # fmt: skip
        client.request("POST", "/relay-notification", body, headers)
        reply = client.getresponse()
        text = reply.read()
        found.append((reply.status, b"" if reply.status >= 400 else text))
    client.close()
    return found
