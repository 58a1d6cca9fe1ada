"""Looks into /subscriptions: which device when, in which words, and what is counted."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from itertools import pairwise

import pytest

from collector.errors import SessionError
from collector.model import SECOND, CollectorTime, RecordKind
from collector.subscriber.device.cross_check import AT_ONCE, CrossChecking
from collector.wire.netconf.looks import CROSS_CHECK, LOOK, LOOK_AT_ALL
from collector.wire.netconf.rpc import decode_reply, decode_rpc, encode_rpc
from tests.netconf_device import run
from tests.subscriber_world import SN, World, refusal, reply, wanted
from tests.waiting import until

SHOWN = (
    f"<data><subscriptions {SN}><subscription><id>22</id>"
    '<message-publisher-id xmlns="urn:ietf:params:xml:ns:yang:ietf-distributed-notif">101'
    '</message-publisher-id><message-publisher-id xmlns="urn:ietf:params:xml:ns:yang:'
    'ietf-distributed-notif">102</message-publisher-id><receivers><receiver><name>r</name>'
    "<sent-event-records>12</sent-event-records><state>active</state></receiver></receivers>"
    "</subscription></subscriptions></data>"
)


# --------------------------------------------------------------------------- on the wire
def test_only_what_is_compared_is_asked_for() -> None:
    request = encode_rpc("7", LOOK).decode()
    assert request.count("xpath") == request.count("target") == request.count("period") == 0
    for leaf in ("sent-event-records", "excluded-event-records", "state", "message-publisher-id"):
        assert f"<{leaf}" in request
    assert "urn:ietf:params:xml:ns:yang:ietf-multiple-stream-originators" in request
    operation = decode_rpc(encode_rpc("7", LOOK)).operation
    assert operation.selects == LOOK.selects  # type: ignore[union-attr]  # it is a get
    assert decode_rpc(encode_rpc("7", LOOK_AT_ALL)).operation == LOOK_AT_ALL


def test_a_part_of_the_tree_can_be_read() -> None:
    (entry,) = decode_reply(reply('message-id="1"', SHOWN)).subscriptions or ()
    assert (entry.id, entry.generators) == (22, ("101", "102"))
    (receiver,) = entry.receivers
    assert (receiver.name, receiver.state, receiver.sent_event_records) == ("r", "active", 12)


# --------------------------------------------------------------------------- one device
def looking(answers: Callable[[str], bytes | None]) -> World:
    """A device whose get is answered so; all else as usual."""
    world = World()
    usual = world.device.answers
    world.device.answers = lambda request: (answers if "<get" in request else usual)(request)
    return world


def looks(world: World) -> list[str]:
    """Filtered or whole: the requests of looks."""
    return [
        "filtered" if "<receivers>" in note.request else "whole"
        for note in world.intake.notes(RecordKind.REQUEST)
        if note.subscription == CROSS_CHECK
    ]


def counted(world: World) -> dict[str, int]:
    return {result: number for (result,), number in world.counters.cross_checks.items()}


def test_a_look_and_its_answer_are_in_the_journal() -> None:
    async def main() -> None:
        world = looking(lambda request: reply(request, SHOWN))
        await world.manager.look("core1")  # nobody knows it
        await world.want(wanted())
        await world.active()
        assert world.manager.sessions_up() == ["core1"]
        await world.manager.look("core1")
        answered = [
            note
            for note in world.intake.notes(RecordKind.REPLY)
            if note.subscription == CROSS_CHECK
        ]
        assert [note.operation for note in answered] == ["get"]
        assert SHOWN in (answered[0].reply or "")
        assert counted(world) == {"ok": 1}
        await world.manager.stop()

    run(main())


def test_a_device_that_refuses_the_filter_is_asked_for_all() -> None:
    def answers(request: str) -> bytes:
        if "<receivers>" in request:
            return reply(request, refusal("unknown-namespace", "x"))
        return reply(request, "<data/>")

    async def main() -> None:
        world = looking(answers)
        await world.want(wanted())
        await world.active()
        await world.manager.look("core1")
        await world.manager.look("core1")
        assert looks(world) == ["filtered", "whole", "whole"]
        assert counted(world) == {"refused": 1, "nothing": 2}
        await world.manager.stop()

    run(main())


def test_a_device_that_shows_nothing_is_left_alone_until_its_next_session() -> None:
    async def main() -> None:
        world = looking(lambda request: reply(request, refusal("access-denied", "x")))
        await world.want(wanted())
        await world.active()
        for _ in range(3):
            await world.manager.look("core1")
        assert looks(world) == ["filtered", "whole"]
        world.device.sessions[0].lose()
        await until(lambda: len(world.device.sessions) == 2)
        await world.active()
        await world.manager.look("core1")
        assert looks(world) == ["filtered", "whole"] * 2
        assert counted(world) == {"refused": 4}
        await world.manager.stop()

    run(main())


def test_a_session_that_ends_meanwhile_is_counted() -> None:
    async def main() -> None:
        world = looking(lambda request: None)
        await world.want(wanted())
        await world.active()
        look = asyncio.create_task(world.manager.look("core1"))
        await until(lambda: bool(looks(world)))
        world.device.sessions[0].lose()
        await look
        assert counted(world) == {"lost": 1}
        await world.manager.stop()

    run(main())


def test_without_a_session_nobody_is_asked() -> None:
    async def main() -> None:
        world = World()
        world.device.refuse_to_open = [SessionError("no", reason="refused", retryable=False)]
        await world.want(wanted())
        await until(lambda: world.phase() == "refused")
        assert world.manager.sessions_up() == []
        await world.manager.look("core1")
        assert counted(world) == {"closed": 1}
        await world.manager.stop()

    run(main())


# --------------------------------------------------------------------------- all devices
class Fleet:
    """Devices that are up, who was asked when, and a clock."""

    def __init__(self, count: int) -> None:
        self.time = 0
        self.interval = 300 * SECOND
        self.up = [f"core{number}" for number in range(count)]
        self.asked: list[tuple[int, str]] = []
        self.answer: asyncio.Event | None = None
        self.checking = CrossChecking(lambda: self.up, self.look, self, lambda: self.interval)

    def now(self) -> CollectorTime:
        return CollectorTime(self.time)

    async def look(self, name: str) -> None:
        self.asked.append((self.time, name))
        if name == "broken":
            raise RuntimeError("a fault of ours")
        if self.answer is not None:
            await self.answer.wait()

    async def seconds(self, count: int) -> None:
        for _ in range(count):
            self.checking.begin_due()
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            self.time += SECOND


def test_looks_are_spread_over_the_interval() -> None:
    async def main() -> None:
        many = Fleet(600)
        await many.seconds(901)
        assert len(many.asked) == 3 * 600
        assert len({name for _, name in many.asked}) == 600
        times = [time for time, _ in many.asked]
        assert max(times.count(second * SECOND) for second in range(901)) <= AT_ONCE

    run(main())


def test_each_device_is_asked_once_an_interval_wherever_it_comes_from() -> None:
    async def main() -> None:
        one = Fleet(1)
        await one.seconds(1500)
        times = [time for time, _ in one.asked]
        assert [later - first for first, later in pairwise(times)] == [300 * SECOND] * 4
        one.up = []
        await one.seconds(300)
        one.up = ["core0"]
        await one.seconds(300)
        assert len(one.asked) == 6

    run(main())


def test_no_interval_asks_nobody_and_another_one_holds_at_once() -> None:
    async def main() -> None:
        some = Fleet(20)
        some.interval = 0
        await some.seconds(700)
        assert some.asked == []
        some.interval = 10 * SECOND
        await some.seconds(21)
        assert len(some.asked) == 40

    run(main())


def test_few_looks_are_under_way_at_the_same_time(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        slow = Fleet(100)
        slow.answer = asyncio.Event()
        await slow.seconds(600)
        assert len(slow.asked) == AT_ONCE
        slow.answer.set()
        await slow.seconds(100)
        assert len(slow.asked) > 100
        slow.up = ["broken"]
        with caplog.at_level(logging.ERROR):
            await slow.seconds(300)
        assert "look into /subscriptions of broken" in caplog.text

    run(main())


def test_it_runs_by_itself_and_stops() -> None:
    async def main() -> None:
        hanging = Fleet(1)
        hanging.answer = asyncio.Event()
        hanging.interval = 1
        hanging.checking.start()
        await until(lambda: len(hanging.asked) == 1)
        await hanging.checking.stop()
        await hanging.checking.stop()

    run(main())
