"""The life of a subscription: suspended, resumed, terminated, completed, prolonged, resynchronized,
refused with hints, depending on another. Devices in memory answer with typed XML."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

import pytest
from msgspec.structs import replace

from collector.errors import UsageError
from collector.model import SECOND, DeviceTime, OnChange, SubscriptionTerms
from collector.subscriber import leftovers
from collector.subscriber.states import DevicePhase, SubscriptionPhase, SubscriptionState
from collector.subscriber.wanted import WantedSubscription
from collector.wire.netconf_rpc import (
    DeleteSubscription,
    EstablishSubscription,
    Get,
    ModifySubscription,
    Operation,
    ResyncSubscription,
    decode_rpc,
)
from tests.netconf_device import run, until
from tests.unit.test_subscriber_manager import (
    NEVER,
    SN,
    World,
    refusal,
    reply,
    state_change,
    wanted,
)

YP = 'xmlns="urn:ietf:params:xml:ns:yang:ietf-yang-push"'
INFO = "establish-subscription-datastore-error-info"


def operations(world: World) -> list[Operation]:
    found = [decode_rpc(request.encode()).operation for request in world.device.requests]
    return [one for one in found if not isinstance(one, Get)]


def kinds(world: World) -> str:
    """First letters: e(stablish), m(odify), d(elete), r(esync)."""
    return "".join(name[0] for name in world.device.names() if name != "get")


def state(world: World, number: int = 0) -> SubscriptionState:
    return world.manager.states()[0].subscriptions[number]


def push(world: World, *messages: bytes) -> None:
    world.device.sessions[-1].push(*messages)


async def at_rest(world: World) -> None:
    """Long enough for everything that is due at once."""
    for _ in range(20):
        await asyncio.sleep(0)


def answering(world: World, answers: dict[str, str]) -> Callable[[str], bytes | None]:
    """Typed answers to requests in which a word occurs, the usual one to all others."""

    def answer(request: str) -> bytes | None:
        for word, content in answers.items():
            if word in request:
                return reply(request, content)
        return world.device.answer(request)

    return answer


def hint(period: int, app_tag: str = "ietf-yang-push:period-unsupported") -> str:
    info = f"<error-info><{INFO} {YP}><period-hint>{period}</period-hint></{INFO}></error-info>"
    return refusal("invalid-value", app_tag, info)


def on_change(name: str = "state", **more: object) -> WantedSubscription:
    one = wanted(name)
    terms = replace(one.terms, period=None, on_change=OnChange())
    return replace(one, terms=terms, **more)


def stream(name: str = "alarms", **terms: object) -> WantedSubscription:
    values: dict[str, object] = {"stream": "NETCONF", "encoding": "encode-xml"}
    return WantedSubscription(name, "core1", SubscriptionTerms(**values | terms))  # type: ignore[arg-type]


# --------------------------------------------------------------------------- said by the device
def test_a_suspension_is_shown_with_its_reason_until_it_is_resumed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def main() -> None:
        world = World()
        await world.want(wanted())
        await world.active()
        push(world, state_change("subscription-suspended", 23))
        assert state(world).phase is SubscriptionPhase.ACTIVE, "another's"
        push(world, *[state_change("subscription-suspended", 22)] * 2)
        assert state(world).phase is SubscriptionPhase.SUSPENDED
        assert state(world).reason == "suspended by the device: no-such-subscription"
        assert state(world).id == 22
        push(world, *[state_change("subscription-resumed", 22)] * 2)
        assert (state(world).phase, state(world).reason) == (SubscriptionPhase.ACTIVE, "")
        await at_rest(world)
        assert kinds(world) == "e", "the publisher resumes by itself"
        await world.manager.stop()

    with caplog.at_level(logging.INFO, "collector.subscriber"):
        run(main())
    said = [
        r.getMessage() for r in caplog.records if "suspended" in r.message or "resum" in r.message
    ]
    assert said == [
        "Device core1 suspended subscription interfaces: no-such-subscription.",
        "Device core1 resumed subscription interfaces.",
    ]


REASONS = (
    # RFC 8639 §4, subscription-suspended-reason, and what RFC 8641 §5 derives from it
    ("suspended", "sn:insufficient-resources"),
    ("suspended", "sn:unsupportable-volume"),
    ("suspended", "yp:period-unsupported"),
    ("suspended", "yp:update-too-big"),
    ("suspended", "yp:sync-too-big"),
    # subscription-terminated-reason
    ("terminated", "sn:no-such-subscription"),
    ("terminated", "sn:filter-unavailable"),
    ("terminated", "sn:stream-unavailable"),
    ("terminated", "sn:suspension-timeout"),
    ("terminated", "yp:datastore-not-subscribable"),
    ("terminated", "yp:unchanging-selection"),
    # none, and one that nobody has defined
    ("terminated", ""),
    ("suspended", "acme:holiday"),
)


@pytest.mark.parametrize(("what", "reason"), REASONS)
def test_each_reason_is_shown(what: str, reason: str) -> None:
    leaf = f"<reason>{reason}</reason>" if reason else ""
    message = (
        '<notification xmlns="urn:ietf:params:xml:ns:netconf:notification:1.0">'
        f"<eventTime>2026-01-01T00:00:00Z</eventTime><subscription-{what} {SN}>"
        f"<id>22</id>{leaf}</subscription-{what}></notification>"
    ).encode()

    async def main() -> None:
        world = World(NEVER)
        await world.want(wanted())
        await world.active()
        push(world, message)
        assert state(world).phase == what
        shown = reason.partition(":")[2] or f"subscription-{what}"
        assert state(world).reason == f"{what} by the device: {shown}"
        await world.manager.stop()

    run(main())


def test_a_device_that_changes_its_mind_all_the_time_does_not_fill_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def main() -> None:
        world = World()
        await world.want(wanted())
        await world.active()
        flap = [state_change(f"subscription-{kind}", 22) for kind in ("suspended", "resumed")]
        push(world, *flap * 200)
        assert state(world).phase is SubscriptionPhase.ACTIVE
        world.clock.skip(61)
        push(world, *flap)
        await world.manager.stop()

    with caplog.at_level(logging.INFO, "collector.subscriber"):
        run(main())
    said = [r.getMessage() for r in caplog.records if "suspend" in r.msg or "resumed" in r.msg]
    assert len(said) == 30 + 1 + 2


def test_a_suspended_subscription_can_be_modified_ended_and_deleted() -> None:
    async def main() -> None:
        world = World(NEVER)
        await world.want(wanted())
        await world.active()
        push(world, state_change("subscription-suspended", 22))
        await world.want(wanted(period=20))
        await world.active()
        push(world, state_change("subscription-suspended", 22))
        push(world, state_change("subscription-terminated", 22))
        assert state(world).phase is SubscriptionPhase.TERMINATED
        await world.want(wanted(period=30))
        await world.active()
        push(world, state_change("subscription-suspended", 23))
        await world.manager.stop()
        assert kinds(world) == "emed"

    run(main())


@pytest.mark.parametrize(
    "kind", ["subscription-suspended", "subscription-terminated", "subscription-resumed"]
)
def test_what_is_said_before_the_reply_that_brings_the_id_counts(kind: str) -> None:
    async def main() -> None:
        world = World(NEVER)

        def answer(request: str) -> bytes | None:
            push(world, state_change("subscription-suspended", 77), state_change(kind, 22))
            return world.device.answer(request)

        world.device.answers = answer
        await world.want(wanted())
        expected = {
            "subscription-suspended": SubscriptionPhase.SUSPENDED,
            "subscription-terminated": SubscriptionPhase.TERMINATED,
            "subscription-resumed": SubscriptionPhase.ACTIVE,
        }[kind]
        await until(lambda: world.phases() == [expected])
        await world.manager.stop()

    run(main())


def test_what_is_said_before_a_refusal_is_forgotten() -> None:
    async def main() -> None:
        world = World(NEVER)
        world.device.answers = answering(world, {"establish": refusal("in-use", "")})
        world.device.sent_with_reply = [state_change("subscription-terminated", 22)]
        await world.want(wanted())
        await until(lambda: state_reason(world).startswith("refused: in-use"))
        world.device.answers = world.device.answer
        world.device.sent_with_reply = []
        await world.want(wanted(period=20))
        await world.active()
        await world.manager.stop()

    def state_reason(world: World) -> str:
        held = world.manager.states()[0].subscriptions
        return held[0].reason if held else ""

    run(main())


def test_terminated_before_the_ok_of_a_delete_is_no_news(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def main() -> None:
        world = World()

        def answer(request: str) -> bytes | None:
            if "delete-subscription" in request:
                push(world, state_change("subscription-terminated", 22))
            return world.device.answer(request)

        world.device.answers = answer
        world.device.ids = iter([22, 22])
        await world.want(wanted())
        await world.active()
        await world.want(wanted(encoding="encode-xml"))
        await until(lambda: kinds(world) == "ede")
        await world.active()
        world.manager.subscription_ended("core1", 22, "no-such-subscription")  # the reader, later
        assert world.phases() == [SubscriptionPhase.ACTIVE]
        await world.manager.stop()
        assert kinds(world) == "eded"

    with caplog.at_level(logging.WARNING):
        run(main())
    assert caplog.records == []


def test_a_delete_of_what_is_gone_is_done(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        world = World()
        gone = refusal("invalid-value", "ietf-subscribed-notifications:no-such-subscription")
        world.device.answers = answering(world, {"delete-subscription": gone})
        await world.want(wanted(), wanted("b"))
        await world.active(2)
        await world.want(wanted("b"))
        await until(lambda: world.phases() == [SubscriptionPhase.ACTIVE])
        await world.manager.stop()

    with caplog.at_level(logging.WARNING):
        run(main())
    assert caplog.records == []


@pytest.mark.parametrize("how", ["at last", "ended", "reused", "lost", "for good", "too many"])
def test_what_a_device_does_not_delete_is_asked_again(
    how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else it would push for ever, and nobody would want it."""
    if how == "too many":
        monkeypatch.setattr(leftovers, "_MAX_LEFT", 0)

    async def main() -> None:
        world = World(NEVER)
        tag = "access-denied" if how == "for good" else "in-use"
        world.device.answers = answering(world, {"delete-subscription": refusal(tag, "")})
        await world.want(wanted(), wanted("b"))
        await world.active(2)
        await world.want(wanted())
        await until(lambda: kinds(world) == "eed")
        if how == "ended":
            push(world, state_change("subscription-terminated", 23))
        elif how == "reused":
            world.device.ids = iter([23])
            await world.want(wanted(), wanted("c"))
            await world.active(2)
        elif how == "lost":
            world.device.sessions[0].lose()
            await until(lambda: world.phase() is DevicePhase.WAITING)
        world.device.answers = world.device.answer
        world.clock.skip(2000)
        await world.want(wanted(), *([wanted("c")] if how == "reused" else []))
        expected = {"at last": "eedd", "reused": "eede", "lost": "eede"}.get(how, "eed")
        await until(lambda: kinds(world) == expected)
        await at_rest(world)
        assert kinds(world) == expected
        await world.manager.stop()

    run(main())


def test_another_transport_may_say_that_one_is_suspended() -> None:
    async def main() -> None:
        world = World(NEVER)
        await world.want(wanted(), wanted("b"))
        await world.active(2)
        pause = world.manager.subscription_paused
        pause("nobody", 22, True, "x")
        pause("core1", 99, True, "x")
        pause("core1", 22, True, "insufficient-resources")
        assert state(world).reason == "suspended by the device: insufficient-resources"
        pause("core1", 22, False, "")
        assert world.phases() == [SubscriptionPhase.ACTIVE] * 2
        # the session knows better than the reader of the journal, who is behind it
        push(world, state_change("subscription-suspended", 23))
        pause("core1", 23, False, "")
        assert state(world, 1).phase is SubscriptionPhase.SUSPENDED
        world.manager.subscription_ended("core1", 22, "subscription-completed")
        assert state(world).reason == "completed by the device"
        await world.manager.stop()

    run(main())


def test_a_lost_session_is_said_and_everything_is_established_anew() -> None:
    async def main() -> None:
        world = World(NEVER)
        all_of_them = (wanted(), wanted("b"), wanted("c", selection_filter=None))
        await world.want(*all_of_them)
        await world.active(3)
        push(world, state_change("subscription-suspended", 23))
        world.device.sessions[0].lose()
        await until(lambda: world.phase() is DevicePhase.WAITING)
        assert {s.reason for s in world.manager.states()[0].subscriptions} == {"its session ended"}
        assert set(world.phases()) == {SubscriptionPhase.PENDING}
        await world.want(*all_of_them)
        await world.active(3)
        assert [s.id for s in world.manager.states()[0].subscriptions] == [25, 26, 27]
        push(world, state_change("subscription-suspended", 22))  # an id of before the reboot
        assert world.phases() == [SubscriptionPhase.ACTIVE] * 3
        await world.manager.stop()

    run(main())


# --------------------------------------------------------------------------- stop-time
@pytest.mark.clause("8640-5-b")
def test_a_lease_is_prolonged_before_it_ends() -> None:
    kept = replace(wanted(), stop_after=600 * SECOND)

    async def main() -> None:
        world = World()
        await world.want(kept)
        await world.active()
        (asked,) = operations(world)
        assert isinstance(asked, EstablishSubscription)
        first = asked.terms.stop_time
        assert first == state(world).stop_time
        assert first is not None
        assert 599 * SECOND < first - world.clock.now() <= 601 * SECOND
        world.clock.skip(500)
        await world.want(kept)
        await at_rest(world)
        assert kinds(world) == "e"
        world.clock.skip(45)
        await world.want(kept)
        await until(lambda: kinds(world) == "em")
        await world.active()
        modified = operations(world)[1]
        assert isinstance(modified, ModifySubscription)
        assert modified.id == 22
        assert modified.terms.stop_time == state(world).stop_time
        assert modified.terms.stop_time is not None
        assert modified.terms.stop_time - first >= 540 * SECOND
        assert modified.terms.period == asked.terms.period
        assert modified.terms.anchor_time == asked.terms.anchor_time
        await world.manager.stop()

    run(main())


def test_a_lease_that_cannot_be_prolonged_is_established_anew_when_it_has_ended(
    caplog: pytest.LogCaptureFixture,
) -> None:
    kept = replace(wanted(), stop_after=600 * SECOND)

    async def main() -> None:
        world = World(NEVER)
        no = refusal("operation-not-supported", "")
        world.device.answers = answering(world, {"modify-subscription": no})
        await world.want(kept)
        await world.active()
        for seconds, sent in ((545, "em"), (56, "em"), (5, "eme")):
            world.clock.skip(seconds)
            await world.want(kept)
            await until(lambda sent=sent: kinds(world) == sent)  # type: ignore[misc]
            await world.active()
        assert state(world).id == 23
        push(world, state_change("subscription-completed", 23))
        assert state(world).phase is SubscriptionPhase.PENDING, "not yet: with back-off"
        assert state(world).reason == "completed by the device"
        await world.manager.stop()

    with caplog.at_level(logging.WARNING):
        run(main())
    assert "it is established anew when it has ended" in caplog.records[0].getMessage()
    assert "its stop-time passed before it was prolonged" in caplog.records[1].getMessage()


def test_a_lease_that_the_device_has_lost_is_established_anew_at_once() -> None:
    kept = replace(wanted(), stop_after=600 * SECOND)

    async def main() -> None:
        world = World(NEVER)
        gone = refusal("invalid-value", "ietf-subscribed-notifications:no-such-subscription")
        world.device.answers = answering(world, {"modify-subscription": gone})
        await world.want(kept)
        await world.active()
        world.clock.skip(550)
        await world.want(kept)
        await until(lambda: kinds(world) == "eme")
        await world.active()
        await world.manager.stop()

    run(main())


@pytest.mark.parametrize("said", [True, False])
def test_a_stop_time_that_is_not_renewed_is_the_end(said: bool) -> None:
    once = replace(wanted(), stop_after=600 * SECOND, renew=False)

    async def main() -> None:
        world = World()
        await world.want(once)
        await world.active()
        stop = state(world).stop_time
        world.device.sessions[0].lose()
        await until(lambda: kinds(world) == "ee")
        await world.active()
        assert state(world).stop_time == stop, "a lost session does not begin it again"
        world.clock.skip(601)
        if said:
            push(world, state_change("subscription-completed", 23))
        else:
            world.clock.skip(3)
            await world.want(once)
        await until(lambda: world.phases() == [SubscriptionPhase.COMPLETED])
        assert state(world).reason.startswith("its stop-time 2023-11-14T22:23:")
        world.device.sessions[1].lose()
        await until(lambda: len(world.device.sessions) == 3)
        await until(lambda: world.phase() is DevicePhase.UP)
        await at_rest(world)
        assert world.phases() == [SubscriptionPhase.COMPLETED]
        assert kinds(world) == "ee"
        await world.want(replace(once, expect=("1",)))
        await at_rest(world)
        assert world.phases() == [SubscriptionPhase.COMPLETED], "that changes nothing for it"
        await world.want(replace(once, renew=True))
        await until(lambda: kinds(world) == "eee")
        await world.active()
        await world.manager.stop()

    run(main())


def test_a_stop_time_that_has_passed_is_not_asked_for() -> None:
    async def main() -> None:
        world = World()
        await world.want(wanted(stop_time=DeviceTime(SECOND)), wanted("b"))
        await until(
            lambda: world.phases() == [SubscriptionPhase.COMPLETED, SubscriptionPhase.ACTIVE]
        )
        assert state(world).reason == "its stop-time 1970-01-01T00:00:01Z has passed"
        assert kinds(world) == "e"
        await world.manager.stop()

    run(main())


# --------------------------------------------------------------------------- streams and replay
def test_a_replay_of_the_past_ends_with_the_word_of_the_device() -> None:
    past = stream(replay_start_time=DeviceTime(SECOND), stop_time=DeviceTime(2 * SECOND))

    async def main() -> None:
        world = World()
        await world.want(past)
        await world.active()
        world.clock.skip(3600)
        await world.want(past)
        await at_rest(world)
        assert world.phases() == [SubscriptionPhase.ACTIVE], "only the device knows"
        push(world, state_change("replay-completed", 22))
        assert world.phases() == [SubscriptionPhase.COMPLETED]
        await world.manager.stop()
        assert kinds(world) == "e"

    run(main())


def test_after_a_break_the_replay_begins_where_the_break_did() -> None:
    alarms = replace(stream(), replay_back=3600 * SECOND)

    async def main() -> None:
        world = World()
        await world.want(alarms)
        await world.active()
        world.device.sessions[0].lose()
        await until(lambda: kinds(world) == "ee")
        await world.active()
        push(world, state_change("replay-completed", 23))
        world.clock.skip(1000)
        world.device.sessions[1].lose()
        await until(lambda: kinds(world) == "eee")
        await world.active()
        establish = [o for o in operations(world) if isinstance(o, EstablishSubscription)]
        starts = [one.terms.replay_start_time or 0 for one in establish]
        begin = 1_700_000_000 * SECOND
        assert starts[0] == starts[1] == begin - 3600 * SECOND, "it was not all there yet"
        assert begin + 994 * SECOND <= starts[2] <= begin + 1005 * SECOND
        await world.manager.stop()

    run(main())


def test_another_replay_that_is_wanted_begins_where_it_is_wanted() -> None:
    async def main() -> None:
        world = World()
        await world.want(stream(replay_start_time=DeviceTime(SECOND)))
        await world.active()
        push(world, state_change("replay-completed", 22))
        await world.want(stream("alarms", stream="other", replay_start_time=DeviceTime(2 * SECOND)))
        await until(lambda: kinds(world) == "ede")
        await world.active()
        last = operations(world)[-1]
        assert isinstance(last, EstablishSubscription)
        assert last.terms.replay_start_time == 2 * SECOND
        await world.manager.stop()

    run(main())


def test_a_replay_may_begin_later_than_asked() -> None:
    revised = (
        f"<id {SN}>22</id><replay-start-time-revision {SN}>2023-11-14T00:00:00Z"
        "</replay-start-time-revision>"
    )

    async def main() -> None:
        world = World()
        world.device.answers = answering(world, {"<establish": revised})
        await world.want(replace(stream(), replay_back=10**6 * SECOND))
        await world.active()
        assert state(world).reason == "what the device had kept begins at 2023-11-14T00:00:00Z"
        push(world, state_change("subscription-suspended", 22))
        push(world, state_change("subscription-resumed", 22))
        assert state(world).reason.startswith("what the device had kept")
        await world.manager.stop()

    run(main())


def test_a_replay_that_begins_in_the_future_waits_for_it() -> None:
    async def main() -> None:
        world = World()
        tonight = stream(replay_start_time=DeviceTime(1_700_003_600 * SECOND))
        await world.want(tonight)
        await until(lambda: world.phases() == [SubscriptionPhase.PENDING])
        assert "does not lie in the past yet" in state(world).reason
        assert kinds(world) == ""
        world.clock.skip(3601)
        await world.want(tonight)
        await world.active()
        await world.manager.stop()

    run(main())


def test_what_the_device_would_have_to_refuse_is_not_asked() -> None:
    async def main() -> None:
        world = World()
        await world.want(stream(replay_start_time=DeviceTime(2 * SECOND), stop_time=DeviceTime(1)))
        await until(lambda: world.phases() == [SubscriptionPhase.REFUSED])
        assert "stop-time is not after replay-start-time" in state(world).reason
        assert kinds(world) == ""
        await world.manager.stop()

    run(main())


def test_an_unknown_stream_is_guessed_at_and_tried_again() -> None:
    async def main() -> None:
        world = World()
        answers = iter([refusal("operation-failed", "")])

        def answer(request: str) -> bytes | None:
            given = next(answers, "") if "<establish" in request else ""
            return reply(request, given) if given else world.device.answer(request)

        world.device.answers = answer
        await world.want(stream())
        await world.active()
        assert kinds(world) == "ee"
        await world.manager.stop()

    run(main())


# --------------------------------------------------------------------------- hints
def test_a_hinted_period_is_asked_for_when_that_is_allowed() -> None:
    async def main() -> None:
        world = World(NEVER)
        world.device.answers = answering(
            world, {"<period>1000<": hint(4500), "<period>4500<": hint(6000)}
        )
        await world.want(replace(wanted(), accept_hints=True))
        await world.active()
        assert kinds(world) == "eee"
        last = operations(world)[2]
        assert isinstance(last, EstablishSubscription)
        assert last.terms.period == 60 * SECOND
        assert last.terms.anchor_time is not None
        assert last.terms.anchor_time % (60 * SECOND) == 0
        assert state(world).reason == "every 60 s instead of 10 s, as the device hinted"
        # what is wanted otherwise is asked for first, and its hint followed again
        world.device.answers = answering(world, {"<period>2000<": hint(6000)})
        await world.want(replace(wanted(period=20), accept_hints=True))
        await until(lambda: kinds(world) == "eeemm")
        await until(lambda: "instead of 20 s" in state(world).reason)
        await world.manager.stop()

    run(main())


@pytest.mark.parametrize(
    "content",
    [
        hint(999_999),
        hint(10),
        hint(1000),
        hint(0),
        refusal("invalid-value", "x:period-unsupported"),
    ],
)
def test_a_hint_that_does_not_help_is_no_reason_to_go_on(content: str) -> None:
    async def main() -> None:
        world = World()
        world.device.answers = answering(world, {"establish": content})
        await world.want(replace(wanted(), accept_hints=True))
        await until(lambda: world.phases() == [SubscriptionPhase.REFUSED])
        assert len(world.device.requests) <= 2
        await world.manager.stop()

    run(main())


def test_a_device_that_never_runs_out_of_hints() -> None:
    async def main() -> None:
        world = World()
        periods = iter(range(1000, 100_000, 100))
        world.device.answers = lambda request: reply(request, hint(next(periods) + 100))
        await world.want(replace(wanted(), accept_hints=True))
        await until(lambda: world.phases() == [SubscriptionPhase.REFUSED])
        assert len(world.device.requests) == 4
        await world.manager.stop()

    run(main())


def test_allowing_hints_later_asks_again() -> None:
    async def main() -> None:
        world = World()
        world.device.answers = answering(world, {"<period>1000<": hint(6000)})
        await world.want(wanted())
        await until(lambda: world.phases() == [SubscriptionPhase.REFUSED])
        assert state(world).reason.endswith("the device hints: period-hint 6000 (60 s)")
        await world.want(replace(wanted(), accept_hints=True))
        await world.active()
        await world.manager.stop()

    run(main())


def test_what_no_device_is_told_changes_nothing_there() -> None:
    async def main() -> None:
        world = World()
        await world.want(wanted())
        await world.active()
        await world.want(replace(wanted(), accept_hints=True, expect=("1",)))
        await at_rest(world)
        assert kinds(world) == "e"
        await world.manager.stop()

    run(main())


# --------------------------------------------------------------------------- dependency
def test_a_dependency_is_established_first_and_named_by_its_id() -> None:
    async def main() -> None:
        world = World(NEVER)
        child = replace(wanted("child"), dependency="parent")
        await world.want(child, wanted("parent"))
        await world.active(2)
        parent, first = operations(world)
        assert isinstance(parent, EstablishSubscription)
        assert isinstance(first, EstablishSubscription)
        assert (parent.terms.dependency, first.terms.dependency) == (None, 22)
        # ids change: the child has to be established anew, since a dependency cannot be modified
        await world.want(child, wanted("parent", encoding="encode-xml"))
        await until(lambda: kinds(world) == "eedede")
        await world.active(2)
        last = operations(world)[-1]
        assert isinstance(last, EstablishSubscription)
        assert last.terms.dependency == 24
        # one that is gone for now is no reason to end the child
        push(world, state_change("subscription-terminated", 24))
        await at_rest(world)
        assert kinds(world) == "eedede"
        await world.manager.stop()
        assert operations(world)[6:] == [DeleteSubscription(25)]

    run(main())


def test_children_are_deleted_before_their_parents() -> None:
    async def main() -> None:
        world = World()
        await world.want(wanted("parent"), replace(wanted("child"), dependency="parent"))
        await world.active(2)
        await world.manager.stop()
        deleted = operations(world)[2:]
        assert deleted == [DeleteSubscription(23), DeleteSubscription(22)]

    run(main())


def test_without_its_dependency_a_subscription_is_better_than_none() -> None:
    async def main() -> None:
        world = World()
        world.device.answers = answering(world, {"<period>100<": hint(6000)})
        child = replace(wanted("child"), dependency="parent")
        await world.want(wanted("parent", period=1), child)
        await until(lambda: world.phases() == [SubscriptionPhase.REFUSED, SubscriptionPhase.ACTIVE])
        assert state(world, 1).reason == "without its dependency parent, which is not there"
        await world.want(wanted("parent", period=60), child)
        await world.active(2)
        assert kinds(world) == "eeede"
        assert state(world, 1).reason == ""
        await world.manager.stop()

    run(main())


# --------------------------------------------------------------------------- resync
def test_what_was_lost_is_asked_for_once_more_at_a_bounded_pace() -> None:
    async def main() -> None:
        world = World(NEVER)
        await world.want(on_change(), wanted("periodic"))
        await world.active(2)
        soon = world.manager.resync_soon
        assert not soon("nobody", 22, "x")
        assert not soon("core1", 99, "x")
        assert not soon("core1", 23, "x"), "periodic ones say everything each time"
        assert soon("core1", 22, "patch 4 is missing")
        assert soon("core1", 22, "patch 7 is missing")
        await until(lambda: kinds(world) == "eer")
        assert operations(world)[2] == ResyncSubscription(22)
        assert soon("core1", 22, "patch 9 is missing")
        await at_rest(world)
        assert kinds(world) == "eer", "not before the wait is over"
        world.clock.skip(1801)
        assert soon("core1", 22, "patch 10 is missing")
        await until(lambda: kinds(world) == "eerr")
        await world.manager.stop()

    run(main())


@pytest.mark.parametrize(
    ("content", "again"),
    [
        (refusal("invalid-value", "ietf-yang-push:no-such-subscription-resync"), False),
        (refusal("too-big", "ietf-yang-push:sync-too-big"), False),
        (refusal("operation-not-supported", ""), False),
        (refusal("resource-denied", "ietf-subscribed-notifications:insufficient-resources"), True),
    ],
)
def test_a_refused_resync(content: str, again: bool, caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        world = World()
        world.device.answers = answering(world, {"resync-subscription": content})
        await world.want(on_change())
        await world.active()
        assert world.manager.resync_soon("core1", 22, "a gap")
        await until(lambda: len(world.device.requests) >= (3 if again else 2))
        await at_rest(world)
        assert world.manager.resync_soon("core1", 22, "a gap") is again
        assert world.phases() == [SubscriptionPhase.ACTIVE]
        world.device.sessions[0].lose()
        await until(lambda: len(world.device.sessions) == 2)
        await world.active()
        assert world.manager.resync_soon("core1", 23, "a gap"), "another session, another answer"
        await world.manager.stop()

    with caplog.at_level(logging.WARNING):
        run(main())
    words = "It is asked again in" if again else "It is not asked again by itself."
    assert words in caplog.records[0].getMessage()


def test_a_resync_because_a_person_said_so() -> None:
    async def main() -> None:
        world = World(NEVER)
        await world.want(on_change(), wanted("periodic"), on_change("other"))
        await world.active(3)
        resync = world.manager.resync
        assert [(r.subscription, r.id, r.resynced) for r in await resync("core1")] == [
            ("state", 22, True),
            ("other", 24, True),
        ]
        (one,) = await resync("core1", "periodic")
        assert (one.resynced, one.why[:20]) == (False, "it is not on-change,")
        push(world, state_change("subscription-terminated", 22))
        (one,) = await resync("core1", "state")
        assert one.why.startswith("it is terminated: terminated by the device")
        no = refusal("too-big", "ietf-yang-push:sync-too-big")
        world.device.answers = answering(world, {"resync-subscription": no})
        (one,) = await resync("core1", "other")
        assert one.why == "the device refused: sync-too-big (refused: sync-too-big)"
        with pytest.raises(UsageError, match="there is no device nobody"):
            await resync("nobody")
        with pytest.raises(UsageError, match="no subscription typo is wanted"):
            await resync("core1", "typo")
        await world.want(wanted("periodic"))
        with pytest.raises(UsageError, match="no on-change subscription is wanted"):
            await resync("core1")
        await world.want()
        await until(lambda: world.phase() is DevicePhase.IDLE)
        await world.want(on_change(), host="elsewhere.example")
        with pytest.raises(UsageError, match=r"there is no session with core1 \("):
            await resync("core1")
        await world.manager.stop()

    run(main())
