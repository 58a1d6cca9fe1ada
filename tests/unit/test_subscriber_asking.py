"""Hints that are followed, subscriptions that depend on others, resynchronization."""

from __future__ import annotations

import logging

import pytest
from msgspec.structs import replace

from collector.errors import UsageError
from collector.model import SECOND, OnChange
from collector.subscriber.states import DevicePhase, SubscriptionPhase
from collector.wire.netconf.rpc import (
    DeleteSubscription,
    EstablishSubscription,
    ResyncSubscription,
)
from tests.netconf_device import run
from tests.subscriber_world import (
    NEVER,
    World,
    answering,
    at_rest,
    hint,
    kinds,
    on_change,
    operations,
    push,
    refusal,
    reply,
    state,
    state_change,
    wanted,
)
from tests.waiting import until

NO_SUCH = refusal("invalid-value", "ietf-yang-push:no-such-subscription-resync")
NO_OPERATION = refusal("operation-not-supported", "")
TOO_BIG = refusal("too-big", "ietf-yang-push:sync-too-big")
RESOURCES = refusal("resource-denied", "ietf-subscribed-notifications:insufficient-resources")


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


def test_a_hinted_dampening_is_asked_for_when_that_is_allowed() -> None:
    async def main() -> None:
        world = World(NEVER)
        world.device.answers = answering(world, {"<dampening-period>0<": hint(200)})
        await world.want(replace(on_change(), accept_hints=True))
        await world.active()
        assert kinds(world) == "ee"
        last = operations(world)[1]
        assert isinstance(last, EstablishSubscription)
        assert last.terms.on_change == OnChange(2 * SECOND)
        assert state(world).reason == "dampened to 2 s instead of 0 s, as the device hinted"
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


def test_a_change_that_is_refused_leaves_the_former_terms(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """RFC 8639 §2.4.3: the subscription remains as it was; to end it would leave nothing."""

    async def main() -> None:
        world = World()
        world.device.answers = answering(world, {"<period>100<": hint(6000)})
        await world.want(wanted())
        await world.active()
        await world.want(wanted(period=1))
        former = "under its former terms: period-unsupported"
        await until(lambda: state(world).reason.startswith(former))
        await at_rest(world)
        assert (kinds(world), world.phases()) == ("em", [SubscriptionPhase.ACTIVE])
        push(world, state_change("subscription-suspended", 22))
        push(world, state_change("subscription-resumed", 22))
        assert state(world).reason.startswith(former)
        await world.want(wanted(period=20))
        await until(lambda: kinds(world) == "emm")
        await until(lambda: state(world).reason == "")
        await world.manager.stop()

    with caplog.at_level(logging.WARNING):
        run(main())
    assert "It goes on under its former terms." in caplog.records[0].getMessage()


def test_a_change_for_which_there_is_no_room_yet_is_asked_again() -> None:
    async def main() -> None:
        world = World()
        answers = [RESOURCES, RESOURCES]

        def answer(request: str) -> bytes | None:
            if "modify-subscription" in request and answers:
                push(world, state_change("subscription-suspended", 22))
                return reply(request, answers.pop())
            return world.device.answer(request)

        world.device.answers = answer
        await world.want(wanted())
        await world.active()
        await world.want(wanted(period=20))
        await until(lambda: kinds(world) == "emmm")
        await until(lambda: state(world).reason == "")
        assert (state(world).id, world.phases()) == (22, [SubscriptionPhase.ACTIVE])
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
    [(TOO_BIG, False), (refusal("access-denied", ""), False), (RESOURCES, True)],
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


@pytest.mark.parametrize("content", [NO_OPERATION, NO_SUCH, refusal("unknown-element", "")])
def test_a_device_that_cannot_resynchronize_begins_anew_at_a_bounded_pace(content: str) -> None:
    async def main() -> None:
        world = World(NEVER)
        world.device.answers = answering(world, {"resync-subscription": content})
        await world.want(on_change())
        await world.active()
        assert world.manager.resync_soon("core1", 22, "a gap")
        await until(lambda: kinds(world) == "erde")
        await world.active()
        assert world.manager.resync_soon("core1", 23, "another gap")
        await at_rest(world)
        assert kinds(world) == "erde"
        world.clock.skip(3601)
        await world.want(on_change())
        await until(lambda: kinds(world) == "erderde")
        await world.active()
        await world.manager.stop()

    run(main())


def test_who_never_says_everything_does_not_begin_anew() -> None:
    async def main() -> None:
        world = World()
        world.device.answers = answering(world, {"resync-subscription": NO_OPERATION})
        one = on_change()
        trigger = OnChange(sync_on_start=False)
        await world.want(replace(one, terms=replace(one.terms, on_change=trigger)))
        await world.active()
        assert world.manager.resync_soon("core1", 22, "a gap")
        await until(lambda: kinds(world) == "er")
        await at_rest(world)
        assert not world.manager.resync_soon("core1", 22, "a gap")
        assert kinds(world) == "er"
        await world.manager.stop()

    run(main())


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
        assert one.why == "the device refused: sync-too-big"
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
