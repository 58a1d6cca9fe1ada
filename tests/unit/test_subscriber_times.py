"""Stop-times and their renewal, streams and replays."""

from __future__ import annotations

import logging

import pytest
from msgspec.structs import replace

from collector.model import SECOND, DeviceTime
from collector.subscriber.states import DevicePhase, SubscriptionPhase
from collector.wire.netconf.rpc import (
    EstablishSubscription,
    ModifySubscription,
)
from tests.netconf_device import run
from tests.subscriber_world import (
    NEVER,
    SN,
    World,
    answering,
    at_rest,
    kinds,
    operations,
    push,
    refusal,
    reply,
    state,
    state_change,
    stream,
    wanted,
)
from tests.waiting import until


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
    assert "It is established anew when it has ended." in caplog.records[0].getMessage()
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
