"""Hostile traffic beside good traffic, at a running collector: refused with a counted reason,
memory bounded, the process stays up, and the verdicts on the good traffic equal the truth.
"""

from __future__ import annotations

import asyncio
import random
import resource
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from collector import control
from collector.comparison import Comparison
from collector.errors import IntakeFullError, SinkError
from collector.metrics import METRICS, Counts, Distribution
from collector.service.gauges import refresh
from collector.wire.values.timestamps import format_date_and_time
from tests.calm import calmest, equal_to_the_truth
from tests.lab import Lab, fault, lab, scenario_toml
from tests.waiting import PATIENCE, until

pytestmark = [pytest.mark.integration, pytest.mark.realtime]

PERIODS = 14
ENOUGH = PERIODS - 12
"""Periods of each device that must have been compared."""
LIAR = "127.0.2.66"
"""Where a device of the laboratory sends from."""
STRANGER = "127.0.2.77"
JSON, XML, CBOR = 1, 2, 3
BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE b [<!ENTITY a "aaaaaaaaaaaaaaaa"><!ENTITY b "'
    + b"&a;" * 200
    + b'"><!ENTITY c "'
    + b"&b;" * 200
    + b'">]><notification xmlns="urn:ietf:params:xml:ns:netconf:notification:1.0">'
    b"<eventTime>&c;</eventTime></notification>"
)
EXTERNAL = (
    b'<!DOCTYPE n [<!ENTITY f SYSTEM "file:///etc/passwd">]>'
    b'<notification xmlns="urn:ietf:params:xml:ns:netconf:notification:1.0">'
    b"<eventTime>&f;</eventTime></notification>"
)
ENVELOPE = b'{"ietf-yp-notification:envelope":{"event-time":"2026-01-01T00:00:00Z","contents":'


def header(payload: bytes, number: int, media_type: int, publisher: int = 4711) -> bytes:
    """Version 1, twelve octets, no option (draft-ietf-netconf-udp-notif-26 §3.2)."""
    length = 12 + len(payload)
    return (
        bytes((0x20 | media_type, 12))
        + length.to_bytes(2)
        + publisher.to_bytes(4)
        + number.to_bytes(4)
        + payload
    )


def segment(number: int, message: int) -> bytes:
    """A first segment whose rest never comes; option 1 of 4 octets (§4.1)."""
    return (
        bytes((0x21, 16))
        + (24).to_bytes(2)
        + (4712).to_bytes(4)
        + message.to_bytes(4)
        + bytes((1, 4))
        + (number << 1).to_bytes(2)
        + b"abcdefgh"
    )


def refused_payloads() -> Iterator[tuple[bytes, int]]:
    """Whole messages whose payload is refused."""
    yield b"", JSON
    yield b"\x00" * 1400, JSON
    yield b"[" * 30_000, JSON
    yield b'{"a":' * 9_000, JSON
    yield ENVELOPE + b'{"x:y":NaN}}}', JSON
    yield ENVELOPE + b'{"x:y":1},"contents":{"x:y":2}}}', JSON
    yield b'{"a":1,"a":2}', JSON
    yield BOMB, XML
    yield EXTERNAL, XML
    yield b"<a>" * 15_000, XML
    yield b"<notification", XML
    yield b"\x9f" * 20_000, CBOR
    yield b"\xbb\xff\xff\xff\xff\xff\xff\xff\xff", CBOR
    yield b"\x5b\x7f\xff\xff\xff\xff\xff\xff\xff", CBOR


def refused_datagrams() -> Iterator[bytes]:
    """Datagrams whose header is refused."""
    good = header(b"{}", 1, JSON)
    yield b""
    yield good[:7]
    yield b"\x00" + good[1:]  # version 0
    yield b"\xe1" + good[1:]  # version 7
    yield good[:1] + b"\x03" + good[2:]  # header shorter than itself
    yield good[:1] + b"\xff" + good[2:]  # header longer than the datagram
    yield good[:2] + (9999).to_bytes(2) + good[4:]  # longer than it is
    yield good + b"more than it says"
    yield b"\xff" * 60_000


async def flood(address: str, port: int, count: int) -> None:
    """Everything bad there is, over and over, and noise; faster than any device."""
    chance = random.Random(address)
    payloads, datagrams = list(refused_payloads()), list(refused_datagrams())
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.bind((address, 0))
        for number in range(count):
            payload, media_type = payloads[number % len(payloads)]
            hostile = (
                header(payload, chance.randrange(2**32), media_type),
                datagrams[number % len(datagrams)],
                chance.randbytes(chance.randrange(200)),
                segment(0, number),
                segment(number % 32767, number),
            )
            for datagram in hostile:
                sender.sendto(datagram, ("127.0.0.1", port))
            await asyncio.sleep(0.005)


class Seen:
    """What is left after the run."""

    comparisons: dict[str, Comparison]
    status: dict[str, Any]
    devices: dict[str, Any]
    growth_kib: int
    metrics: dict[str, int]


class Broken:
    """An output that takes nothing."""

    name = "broken"

    def start(self) -> None: ...

    def write(self, said: Any) -> None:
        raise SinkError("no", retryable=True)

    def flush(self) -> None: ...

    def stop(self) -> None: ...


def other_troubles(running: Lab) -> None:
    """What no traffic brings about: a lazy follower, a broken output, an unknown option, an
    unknown encoding (9)."""
    running.service._sinks.append(Broken())
    running.service.live.follow(limit=1)
    option = bytes((77, 4, 1, 2))
    with sending(running, STRANGER) as send:
        for form in (0x21, 0x29):
            send(bytes((form, 16)) + (18).to_bytes(2) + bytes(8) + option + b"{}")


@contextmanager
def sending(running: Lab, source: str) -> Iterator[Callable[[bytes], object]]:
    """A way to send datagrams to the collector from an address."""
    port = running.service.receivers[0].local_port  # type: ignore[attr-defined]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.bind((source, 0))
        sender.connect(("127.0.0.1", port))
        yield sender.send


def enveloped(contents: str) -> bytes:
    """A notification as of now."""
    now = format_date_and_time(time.time_ns(), 6)
    envelope = f'{{"event-time":"{now}","contents":{contents}}}'
    return f'{{"ietf-yp-notification:envelope":{envelope}}}'.encode()


async def contents_without_sense(running: Lab) -> None:
    """Updates of a known card with an envelope as it should be; a number in them is too large."""
    states = running.service.pipeline.engine.states("liar")
    subscription = states[0].subscription_id
    update = f'{{"id":{subscription},"datastore-contents":{{"x:y":1e999}}}}'
    with sending(running, LIAR) as send:
        for number in range(20):
            payload = enveloped(f'{{"ietf-yang-push:push-update":{update}}}')
            send(header(payload, 70_000 + number, JSON, publisher=101))
            await asyncio.sleep(0.2)


async def empty_promises(running: Lab) -> None:
    """Starts of subscriptions that never send, more than a device may have; each said twice."""
    with sending(running, LIAR) as send:
        for number in range(600):
            start = f'{{"id":{number},"ietf-yang-push:periodic":{{"period":100}}}}'
            kind = "ietf-subscribed-notifications:subscription-started"
            datagram = header(enveloped(f'{{"{kind}":{start}}}'), number, JSON, publisher=9)
            send(datagram)
            send(datagram)
            await asyncio.sleep(0.002)


async def no_room_for_a_moment(running: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(batch: Any) -> Any:
        raise IntakeFullError("no room for a moment")

    with monkeypatch.context() as patched:
        patched.setattr(running.service.journal, "append", refuse)
        await asyncio.sleep(1.5)
    await until(lambda: running.service.health()[0])


async def stranger_shown(running: Lab) -> dict[str, Any]:
    """What ``collector devices`` says once it names who nobody knows."""
    async with asyncio.timeout(PATIENCE):
        while True:
            shown = await asyncio.to_thread(control.ask, running.service.folder, "devices")
            if shown["unknown_senders"]:
                return shown
            await asyncio.sleep(0.1)


def _moved(running: Lab) -> dict[str, int]:
    refresh(running.service)
    moved = {}
    for metric in METRICS:
        value = getattr(running.service.counters, metric.attribute)
        if isinstance(value, Counts):
            value = value.total()
        elif isinstance(value, Distribution):
            value = value.count
        moved[metric.attribute] = value
    return moved


NOT_HERE = {
    "answers", "certificate_expiry_seconds", "connections", "connections_refused",
    "leaves_left_out", "patches", "patches_unread",
}  # fmt: skip
"""Metrics of receivers other than UDP-notif, of leaves and of on-change subscriptions, which have
tests of their own."""


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    """A device that does everything right and a lossy one, among strangers and liars."""
    monkeypatch = pytest.MonkeyPatch()

    async def whole(folder: Path) -> Seen:
        found = Seen()
        faults = fault("silent", 7, 9, card="linecard2") + fault(
            "drop", 7, 11, card="linecard3", probability=0.5
        )
        faults += fault("delay", 9, 10, card="linecard4", seconds=1.4)
        scenarios = {
            "well": scenario_toml("well", 60, periods=PERIODS),
            "lossy": scenario_toml("lossy", 63, faults, periods=PERIODS),
            "liar": scenario_toml("liar", 66, periods=PERIODS),
        }
        async with lab(folder, scenarios, coverage_sample=1.0) as running:
            port = running.service.receivers[0].local_port  # type: ignore[attr-defined]
            await asyncio.sleep(2.5)
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            other_troubles(running)
            hostile = asyncio.gather(
                flood(STRANGER, port, 1000),
                flood("127.0.2.60", port, 1000),
                contents_without_sense(running),
                empty_promises(running),
            )
            found.devices = await stranger_shown(running)  # before the good ones are done
            await hostile
            growth = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
            found.growth_kib = growth
            data = running.service.folder
            found.status = await asyncio.to_thread(control.ask, data, "status")
            await running.finished()
            await asyncio.sleep(1.0)
            found.comparisons = {name: running.comparison(name) for name in ("well", "lossy")}
            await no_room_for_a_moment(running, monkeypatch)
            found.metrics = _moved(running)
            assert running.service.health() == (True, "ok")
        return found

    def check(found: Seen) -> None:
        for comparison in found.comparisons.values():
            equal_to_the_truth(comparison, ENOUGH)

    folder = Path(tmp_path_factory.mktemp("hostile"))
    return calmest(folder, lambda place: asyncio.run(whole(place)), check)


@pytest.mark.parametrize("name", ["well", "lossy"])
def test_the_good_traffic_is_judged_as_if_nothing_else_came(seen: Seen, name: str) -> None:
    found = seen.comparisons[name]
    equal_to_the_truth(found, ENOUGH)


def test_nobody_who_sent_everything_is_blamed(seen: Seen) -> None:
    outcomes = seen.comparisons["well"].outcomes
    assert set(outcomes) <= {"COMPLETE", "NOT_JUDGED"}, outcomes


def test_every_metric_moves(seen: Seen) -> None:
    still = {name for name, number in seen.metrics.items() if not number}
    # the newest verdict of each device misses nobody when the scenario is over, and these devices
    # refuse no request (``test_hostile_sessions`` does)
    # nor do they send unannounced, declare less than expected or say anything on-change, and it is
    # over before they are asked how they see their subscriptions
    quiet = {
        "generators_missing", "sessions_up", "requests_refused", "generators_unannounced",
        "generators_not_declared", "generators_out_of_sync", "cross_checks",
    }  # fmt: skip
    assert still <= quiet | NOT_HERE, seen.metrics


def test_starts_without_end_fill_no_table(seen: Seen) -> None:
    assert seen.metrics["limits_reached"] > 300
    assert seen.metrics["duplicates"] >= 500


def test_everything_refused_is_counted(seen: Seen) -> None:
    assert seen.status["healthy"] is True
    assert seen.status["datagrams_rejected"] > 2000
    assert seen.status["messages_rejected"] > 500
    assert seen.status["unknown_source_messages"] > 500


def test_the_stranger_is_shown(seen: Seen) -> None:
    assert [one["address"] for one in seen.devices["unknown_senders"]] == [STRANGER]
    generators = {one["generator"]: one for one in seen.devices["generators"]}
    assert {"101", "102", "103", "104"} <= set(generators)
    assert all(one["last_arrival"] and one["counter"] for one in generators.values())


def test_memory_is_bounded(seen: Seen) -> None:
    assert seen.growth_kib < 200 * 1024
