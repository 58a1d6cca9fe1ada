"""What devices say of their subscriptions, before their replies too: suspended, resumed, ended."""

from __future__ import annotations

import logging

import pytest

from collector.subscriber.dynamic import leftovers
from collector.subscriber.states import DevicePhase, SubscriptionPhase
from tests.netconf_device import run
from tests.subscriber_world import (
    NEVER,
    SN,
    World,
    answering,
    at_rest,
    kinds,
    push,
    refusal,
    state,
    state_change,
    wanted,
)
from tests.waiting import until


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


def test_an_id_is_one_subscriptions() -> None:
    """A device that gives it to another has lost the first, whatever it thinks."""

    async def main() -> None:
        world = World(NEVER)
        world.device.ids = iter((22, 22, 23))
        await world.want(wanted("a"), wanted("b"))
        await until(lambda: kinds(world) == "ee")
        await until(lambda: world.phases() == [SubscriptionPhase.PENDING, SubscriptionPhase.ACTIVE])
        assert state(world).reason == "the device gave its id 22 to b"
        assert (state(world).id, state(world, 1).id) == (None, 22)
        await world.want(wanted("b"))
        await at_rest(world)
        assert kinds(world) == "ee", "there is nothing of a that could be deleted"
        await world.manager.stop()
        world = World()
        world.device.ids = iter((22, 22, 23))
        await world.want(wanted("a"), wanted("b"))
        await world.active(2)
        assert {state(world).id, state(world, 1).id} == {22, 23}
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
