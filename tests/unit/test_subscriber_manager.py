"""From wanted to actual subscriptions, against devices in memory that answer with typed XML."""

from __future__ import annotations

import asyncio
import logging
import re
from typing import Any

import msgspec
import pytest

from collector.config import CallHomeSettings
from collector.errors import ConfigError, SessionError
from collector.model import (
    SECOND,
    DeviceTime,
    MediaType,
    RecordKind,
    SelectionFilter,
    SessionNote,
    Transport,
)
from collector.subscriber import manager
from collector.subscriber.backoff import Backoff, BackoffSettings
from collector.subscriber.call_home.listener import CallHome
from collector.subscriber.dynamic import subscriptions
from collector.subscriber.manager import session_factory
from collector.subscriber.sessions import pace
from collector.subscriber.states import DevicePhase, SubscriptionPhase
from collector.subscriber.wanted import WantedSubscription
from tests.netconf_device import run
from tests.subscriber_world import (
    NEVER,
    SN,
    UPDATE,
    FakeSession,
    World,
    refusal,
    reply,
    state_change,
    wanted,
)
from tests.waiting import until


def test_everything_is_in_the_journal_in_order() -> None:
    async def main() -> None:
        world = World()
        world.device.sent_with_reply = [UPDATE]
        await world.want(wanted())
        await world.active()
        world.device.sent_with_reply = []
        world.device.sessions[0].push(UPDATE, UPDATE)
        await world.manager.stop()
        await world.manager.stop()
        assert world.intake.kinds() == [
            "SESSION_UP",
            "REQUEST",
            "REPLY",
            "DATA",
            "DATA",
            "DATA",
            "REQUEST",
            "REPLY",
            "SESSION_DOWN",
        ]
        assert {session for _, session, _ in world.intake.rows()} == {"core1/1"}
        asked, deleted = world.intake.notes(RecordKind.REQUEST)
        assert (asked.device, asked.subscription) == ("core1", "interfaces")
        assert (asked.operation, deleted.operation) == (
            "establish-subscription",
            "delete-subscription",
        )
        assert asked.reply is None
        answered, _ = world.intake.notes(RecordKind.REPLY)
        assert answered.request == asked.request == world.device.requests[0]
        assert answered.reply == reply(asked.request, f"<id {SN}>22</id>").decode()
        notes = [row for kind, _, row in world.intake.rows() if kind is RecordKind.SESSION_DOWN]
        assert msgspec.json.decode(notes[0], type=SessionNote) == SessionNote("core1", "closed")
        data = next(b for b in world.intake.batches if list(b.kind) == [RecordKind.DATA] * 2)
        assert data.payload == [UPDATE, UPDATE]
        assert list(data.transport) == [Transport.NETCONF] * 2
        assert list(data.media_type) == [MediaType.YANG_DATA_XML] * 2
        assert data.peer == ["192.0.2.1"] * 2
        assert (list(data.port), list(data.flags)) == ([830] * 2, [0, 0])
        times = [time for batch in world.intake.batches for time in batch.received_at]
        assert times == sorted(times)
        assert world.manager.states() == ()

    run(main())


def test_anchor_and_encoding_are_always_asked_for() -> None:
    async def main() -> None:
        world = World()
        await world.want(wanted(encoding=None))
        await world.active()
        await world.manager.stop()
        request = world.device.requests[0]
        # The clock of these tests starts at 2023-11-14T22:13:20Z, a multiple of 10 s.
        assert "<anchor-time>2023-11-14T22:13:30Z</anchor-time>" in request
        assert "<period>1000</period>" in request
        assert re.search(r"<encoding[^>]*>([\w-]+:)?encode-xml</encoding>", request)

    run(main())


def test_a_lost_session_is_opened_again_and_established_again() -> None:
    async def main() -> None:
        world = World()
        await world.want(wanted(), wanted("hardware"))
        await world.active(2)
        world.device.sessions[0].lose()
        await until(lambda: len(world.device.sessions) == 2)
        await world.active(2)
        assert [s.id for s in world.manager.states()[0].subscriptions] == [24, 25]
        assert world.manager.states()[0].session_id == 2
        await world.manager.stop()
        kinds = world.intake.kinds()
        assert kinds.count("SESSION_UP") == kinds.count("SESSION_DOWN") == 2
        assert kinds.index("SESSION_DOWN") < len(kinds) - 1

    run(main())


def test_a_device_that_is_away_is_tried_again_and_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def main() -> None:
        world = World()
        away = [SessionError("core1 refused the connection", reason="refused") for _ in range(5)]
        world.device.refuse_to_open = list(away)
        await world.want(wanted())
        await world.active()
        assert len(world.device.sessions) == 6
        await world.manager.stop()

    with caplog.at_level(logging.WARNING):
        run(main())
    assert [record.getMessage() for record in caplog.records] == [
        "No session with device core1: core1 refused the connection. Next try in 0.0 s."
    ]


def test_the_waits_are_bounded_and_start_anew_after_a_long_session() -> None:
    settings = BackoffSettings(first=SECOND, limit=5 * SECOND, reset_after=60 * SECOND)
    numbers = iter([0.0, 0.5, 0.999, 0.0, 0.0, 0.0, 0.0])
    backoff = Backoff(settings, lambda: next(numbers))
    assert [backoff.next() / SECOND for _ in range(2)] == [0.5, 1.5]
    assert 3.9 < backoff.next() / SECOND < 4.0
    assert backoff.next() == backoff.next() == 2.5 * SECOND
    backoff.lived(59 * SECOND)
    assert backoff.next() == 2.5 * SECOND
    backoff.lived(60 * SECOND)
    assert backoff.next() == SECOND // 2


@pytest.mark.parametrize(
    "error",
    [
        SessionError("the host key of core1 is not known", reason="host-key", retryable=False),
        ConfigError("environment variable X is not set"),
    ],
)
def test_what_cannot_heal_waits_for_another_configuration(error: Exception) -> None:
    async def main() -> None:
        world = World()
        world.device.refuse_to_open = [error]
        await world.want(wanted())
        await until(lambda: world.phase() is DevicePhase.REFUSED)
        for _ in range(20):
            await asyncio.sleep(0.001)
        assert len(world.device.sessions) == 1
        assert str(error) in world.manager.states()[0].reason
        reason = getattr(error, "reason", "config")
        assert world.counters.session_failures.items() == [(("core1", reason), 1)]
        await world.want(wanted(), host="core1.example")
        await world.active()
        await world.manager.stop()

    run(main())


def test_a_refusal_that_cannot_heal_is_not_repeated(caplog: pytest.LogCaptureFixture) -> None:
    hint = (
        '<error-info><establish-subscription-datastore-error-info xmlns="urn:ietf:params:xml:ns:'
        'yang:ietf-yang-push"><period-hint>6000</period-hint>'
        "</establish-subscription-datastore-error-info></error-info>"
    )

    async def main() -> None:
        world = World()
        content = refusal("invalid-value", "ietf-yang-push:period-unsupported", hint)
        world.device.answers = lambda request: (
            reply(request, content)
            if "<period>100</period>" in request
            else world.device.answer(request)
        )
        await world.want(wanted(period=1), wanted("hardware"))
        await until(lambda: SubscriptionPhase.ACTIVE in world.phases())
        assert world.phases() == [SubscriptionPhase.REFUSED, SubscriptionPhase.ACTIVE]
        assert "period-unsupported" in world.manager.states()[0].subscriptions[0].reason
        assert world.device.names() == ["establish-subscription"] * 2
        await world.want(wanted(period=60), wanted("hardware"))
        await world.active(2)
        await world.manager.stop()

    with caplog.at_level(logging.WARNING):
        run(main())
    (record,) = caplog.records
    assert "refused subscription interfaces: period-unsupported" in record.getMessage()
    assert "period-hint 6000" in record.getMessage()


@pytest.mark.parametrize(
    ("content", "counted"),
    [
        (
            refusal("resource-denied", "ietf-subscribed-notifications:insufficient-resources"),
            "rpc-error",
        ),
        (refusal("in-use", ""), "rpc-error"),
        ("<ok/>", "no-subscription-id"),
        ("<unclosed>", "bad-xml"),
    ],
)
def test_a_refusal_that_can_heal_is_repeated(content: str, counted: str) -> None:
    async def main() -> None:
        world = World()
        answers = iter([content, content])

        def answer(request: str) -> bytes | None:
            given = next(answers, None)
            return world.device.answer(request) if given is None else reply(request, given)

        world.device.answers = answer
        await world.want(wanted())
        await world.active()
        assert world.device.names() == ["establish-subscription"] * 3
        assert len(world.device.sessions) == 1
        assert world.counters.requests_refused.items() == [(("core1", counted), 2)]
        await world.manager.stop()

    run(main())


def test_a_request_without_answer_ends_the_session() -> None:
    async def main() -> None:
        world = World()
        world.device.answers = lambda request: (
            None if len(world.device.sessions) == 1 else world.device.answer(request)
        )
        await world.want(wanted(), rpc_timeout=SECOND // 5)
        await world.active()
        assert len(world.device.sessions) == 2
        await world.manager.stop()
        downs = [row for kind, _, row in world.intake.rows() if kind is RecordKind.SESSION_DOWN]
        assert msgspec.json.decode(downs[0], type=SessionNote).reason == "timeout"

    run(main())


@pytest.mark.parametrize("name", ["subscription-terminated", "subscription-completed"])
@pytest.mark.parametrize("with_reply", [False, True])
def test_a_subscription_that_the_device_ends_is_established_again(
    name: str, with_reply: bool
) -> None:
    async def main() -> None:
        world = World()
        if with_reply:
            world.device.sent_with_reply = [state_change(name, 22)]
        await world.want(wanted())
        if not with_reply:
            await world.active()
            session = world.device.sessions[0]
            session.push(state_change(name, 999), b"<notification>subscription-terminated")
            session.push(state_change(name, 22))
        await until(lambda: len(world.device.requests) == 2)
        world.device.sent_with_reply = []
        await world.active()
        assert world.manager.states()[0].subscriptions[0].id == 23
        await world.manager.stop()

    run(main())


def test_another_transport_may_say_that_a_subscription_ended() -> None:
    async def main() -> None:
        world = World(NEVER)
        await world.want(wanted())
        await world.active()
        world.manager.subscription_ended("nobody", 22, "x")
        world.manager.subscription_ended("core1", 22, "filter-unavailable")
        (state,) = world.manager.states()[0].subscriptions
        assert state.phase is SubscriptionPhase.TERMINATED
        assert "filter-unavailable" in state.reason
        assert state.retry_at is not None
        await world.manager.stop()

    run(main())


def test_an_end_that_is_told_twice_ends_one_subscription() -> None:
    async def main() -> None:
        world = World()
        world.device.ids = iter([22, 22])  # the device gives the id away again
        await world.want(wanted())
        await world.active()
        world.device.sessions[0].push(state_change("subscription-terminated", 22))
        await until(lambda: len(world.device.requests) == 2)
        await world.active()
        world.manager.subscription_ended("core1", 22, "no-such-subscription")
        assert world.phases() == [SubscriptionPhase.ACTIVE]
        await world.manager.stop()

    run(main())


def test_changes_of_what_is_wanted() -> None:
    async def main() -> None:
        world = World()
        await world.want()
        await until(lambda: world.phase() is DevicePhase.IDLE)
        await world.want(wanted(), wanted("hardware"))
        await world.active(2)
        await world.want(wanted(period=20), wanted("hardware"))
        await until(lambda: len(world.device.requests) == 3)
        await world.want(wanted(period=20, encoding="encode-xml"), wanted("more"))
        await until(lambda: len(world.device.requests) == 7)
        await world.active(2)
        assert world.device.names()[2:] == [
            "modify-subscription",
            "delete-subscription",
            "delete-subscription",
            "establish-subscription",
            "establish-subscription",
        ]
        await world.want()
        await until(lambda: world.phase() is DevicePhase.IDLE)
        assert world.device.names()[7:] == ["delete-subscription"] * 2
        assert world.intake.kinds()[-1] == "SESSION_DOWN"
        await world.manager.stop()

    run(main())


def test_refused_modify_and_delete() -> None:
    async def main() -> None:
        world = World()

        def answer(request: str) -> bytes | None:
            if "establish" in request:
                return world.device.answer(request)
            return reply(request, refusal("operation-failed", ""))

        world.device.answers = answer
        await world.want(wanted())
        await world.active()
        await world.want(wanted(period=20))
        await until(lambda: len(world.device.requests) >= 6)
        assert world.device.names()[:6] == [
            "establish-subscription",
            "modify-subscription",
            "delete-subscription",
            "establish-subscription",
            "delete-subscription",  # it would push for ever
            "delete-subscription",
        ]
        await world.active()
        await world.want(WantedSubscription("interfaces", "core1", wanted(period=20).terms, ("1",)))
        await world.manager.stop()

    run(main())


def test_another_way_to_a_device_replaces_its_session() -> None:
    async def main() -> None:
        world = World()
        await world.want(wanted())
        await world.active()
        await world.want(wanted(), host="other.example")
        await world.active()
        assert [s.settings.host for s in world.device.sessions] == [
            "core1.example",
            "other.example",
        ]
        await world.manager.apply([], [])
        assert world.manager.states() == ()

    run(main())


def test_the_time_of_a_device_stands_still_while_we_do_not_read() -> None:
    """Its reply has come, and waits in front of a full intake: no reason to end the session."""

    async def main() -> None:
        world = World(NEVER)
        limit = SECOND // 5

        def answer(request: str) -> bytes:
            world.intake.full = True
            return world.device.answer(request) or b""

        world.device.answers = answer
        await world.want(wanted(), rpc_timeout=limit)
        await until(lambda: world.intake.full)
        await asyncio.sleep(3 * limit / SECOND)
        assert world.phase() is DevicePhase.UP
        world.device.answers = world.device.answer
        world.intake.full = False
        await world.active()
        assert len(world.device.sessions) == 1
        await world.manager.stop()

    run(main())


def test_a_full_intake_holds_everything_back() -> None:
    async def main() -> None:
        world = World()
        world.intake.full = True
        await world.want(wanted())
        await until(lambda: len(world.device.sessions) == 1)
        world.device.sessions[0].push(UPDATE)
        await asyncio.sleep(0.05)
        assert world.device.requests == [], "nothing is asked that the journal does not know"
        world.intake.full = False
        await world.active()
        await until(lambda: "DATA" in world.intake.kinds())
        assert world.intake.kinds()[0] == "SESSION_UP"
        await world.manager.stop()

    run(main())


def test_terms_that_cannot_be_written_are_refused_here() -> None:
    async def main() -> None:
        world = World()
        await world.want(wanted(selection_filter=SelectionFilter("guess", "interfaces")))
        await until(lambda: world.phases() == [SubscriptionPhase.REFUSED])
        assert world.device.requests == []
        await world.manager.stop()

    run(main())


def test_a_fault_of_ours_is_logged_and_the_session_opened_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def main() -> None:
        world = World()

        def broken(request: str) -> bytes | None:
            if len(world.device.sessions) == 1:
                raise ZeroDivisionError
            return world.device.answer(request)

        world.device.answers = broken
        await world.want(wanted())
        await world.active()
        assert len(world.device.sessions) == 2
        await world.manager.stop()

    run(main())
    assert "A fault in the session with device core1." in caplog.text


def test_stopping_while_connecting() -> None:
    async def main() -> None:
        world = World()
        hang = asyncio.Event()

        class Hanging(FakeSession):
            async def open(self) -> None:
                await hang.wait()

        world.device.session = (  # type: ignore[method-assign]
            lambda *args: Hanging(world.device, *args)
        )
        await world.want(wanted())
        await until(lambda: world.phase() is DevicePhase.CONNECTING)
        await asyncio.sleep(0.01)
        await world.manager.stop()
        assert world.intake.batches == []

    run(main())


def test_stopping_does_not_wait_for_a_device_that_is_mute(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(subscriptions, "_DELETE_SECONDS", 0.05)

    async def main() -> None:
        world = World()
        await world.want(wanted())
        await world.active()
        world.device.answers = lambda request: None
        await world.manager.stop()
        assert world.intake.kinds()[-2:] == ["REQUEST", "SESSION_DOWN"]

    run(main())


@pytest.fixture
def only_hopeless_ends_the_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manager, "STOP_SECONDS", 3600.0)
    monkeypatch.setattr(manager, "STOP_SECONDS_WHEN_HOPELESS", 0.05)
    monkeypatch.setattr(manager, "_LOOK_SECONDS", 0.02)


@pytest.mark.usefixtures("only_hopeless_ends_the_wait")
def test_stopping_while_the_intake_is_full_cuts_the_session(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def main() -> None:
        world = World()
        await world.want(wanted())
        await world.active()
        world.intake.full = True
        world.device.sessions[0].push(UPDATE, UPDATE)
        await world.manager.stop(lambda: world.intake.full)
        assert world.device.sessions[0].closed.done()
        assert world.counters.queue_dropped[("sessions",)] >= 2
        assert world.intake.kinds() == ["SESSION_UP", "REQUEST", "REPLY"]

    run(main())
    assert "Device core1 did not end its session" in caplog.text
    assert "of device core1 are lost" in caplog.text


@pytest.mark.usefixtures("only_hopeless_ends_the_wait")
def test_a_disk_that_is_found_full_only_while_we_stop_is_not_waited_for_either() -> None:
    async def main() -> None:
        world = World()
        await world.want(wanted())
        await world.active()

        def full_from_now_on(request: str) -> bytes | None:
            world.intake.full = True
            return world.device.answer(request)

        world.device.answers = full_from_now_on
        await world.manager.stop(lambda: world.intake.full)
        assert world.device.names()[-1] == "delete-subscription"
        assert world.device.sessions[0].closed.done()

    run(main())


def test_session_implementations_by_name() -> None:
    def made(kind: str, **more: Any) -> str:
        factory: Any = session_factory(kind, **more)
        return str(getattr(factory, "func", factory).__name__)

    assert made("asyncssh") == "AsyncsshSession"
    assert made("ncclient") == "NcclientSession"
    calls = CallHome(CallHomeSettings(), per_second=1)
    assert made("called", calls=calls) == "CalledSession"
    with pytest.raises(ConfigError, match="called"):
        session_factory("called")
    with pytest.raises(ConfigError, match="telnet"):
        session_factory("telnet")


def test_wanted_anchor_is_kept() -> None:
    async def main() -> None:
        world = World()
        await world.want(wanted(anchor_time=DeviceTime(SECOND)))
        await world.active()
        await world.manager.stop()
        assert "<anchor-time>1970-01-01T00:00:01Z</anchor-time>" in world.device.requests[0]

    run(main())


@pytest.mark.parametrize("broken", [False, True])
def test_a_session_is_not_read_while_the_disk_is_far_behind(
    monkeypatch: pytest.MonkeyPatch, broken: bool
) -> None:
    monkeypatch.setattr(pace, "READ_AHEAD", 3 * len(UPDATE))
    monkeypatch.setattr(pace, "ASK_AFTER", 2 * len(UPDATE))

    async def main() -> None:
        world = World()
        world.intake.broken = broken
        await world.want(wanted())
        await world.active()
        device = world.device.sessions[0]
        read = [True]

        def push(*messages: bytes) -> None:
            device.inbox.arrived(messages)
            device.inbox.offer(lambda: read.append(False), lambda: read.append(True))

        data = "DATA"
        push(UPDATE, UPDATE)
        await until(lambda: bool(world.intake.waited_for))
        push(UPDATE)  # reading goes on while the commit is waited for
        assert read[-1] is True
        push(UPDATE)
        assert world.intake.kinds().count(data) == 3
        assert read[-1] is False
        world.intake.commit.set()
        await until(lambda: world.intake.kinds().count(data) == 4)
        assert read[-1] is True
        push(UPDATE)
        assert world.intake.kinds().count(data) == 5
        await world.manager.stop()

    run(main())


def test_stopping_does_not_wait_for_a_disk_that_is_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "READ_AHEAD", 10_000)
    monkeypatch.setattr(pace, "ASK_AFTER", 1)

    async def main() -> None:
        world = World()
        world.intake.commit.set()
        await world.want(wanted())
        await world.active()
        world.intake.commit.clear()
        world.device.sessions[0].push(UPDATE)
        await until(lambda: bool(world.intake.waited_for))
        world.device.sessions[0].lose()
        await world.manager.stop()

    run(main())
