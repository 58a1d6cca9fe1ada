"""What a simulated device can afford: refusals with hints, suspension and resumption."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import structs

from collector.errors import ConfigError
from collector.model import NotificationKind, OnChange, SubscriptionTerms
from collector.wire.netconf.rpc import EstablishSubscription, Get, ModifySubscription
from publisher_sim.data.entries import Node
from publisher_sim.data.selection import Selection
from publisher_sim.master.capacity import Capacity
from publisher_sim.scenario import Fault, Limits, Push, Scenario, Stream, parse_scenario
from publisher_sim.subscriptions.global_subscription import GlobalSubscription
from tests.unit.test_sim_master import ETH1, SECOND, TERMS, Driver, error_of

SUSPENDED = NotificationKind.SUBSCRIPTION_SUSPENDED
RESUMED = NotificationKind.SUBSCRIPTION_RESUMED
TERMINATED = NotificationKind.SUBSCRIPTION_TERMINATED


def said(driver: Driver) -> list[tuple[NotificationKind, int | None, str | None]]:
    return [
        (one.kind, one.subscription_id, one.state_change.reason if one.state_change else None)
        for one in driver.said()
    ]


def states(driver: Driver) -> list[str | None]:
    return [one.receivers[0].state for one in driver.ask(Get(), "2").subscriptions or ()]


# --------------------------------------------------------------------------- refusals
@pytest.mark.clause("8639-8-a", "8641-4.4.1")
@pytest.mark.parametrize(
    ("limits", "hints"),
    [
        (
            Limits(nodes_per_update=1),
            {"object-count-estimate": "2", "object-count-limit": "1", "kilobytes-estimate": "3"},
        ),
        (
            Limits(kilobytes_per_update=2),
            {"object-count-estimate": "2", "kilobytes-estimate": "3", "kilobytes-limit": "2"},
        ),
    ],
)
def test_an_update_that_would_be_too_big(limits: Limits, hints: dict[str, str]) -> None:
    driver = Driver(limits=limits)
    error = driver.ask(EstablishSubscription(TERMS)).error
    assert error is not None
    assert (error.tag, error.identity) == ("too-big", "update-too-big")
    assert error.hints == hints
    smaller = structs.replace(TERMS, selection_filter=ETH1)
    number = driver.establish(smaller)
    refused = driver.ask(ModifySubscription(number, TERMS))
    assert refused.error is None  # without a filter the one that it has stays (RFC 8641 §4.4.2)


def test_more_updates_for_a_tick_are_smaller() -> None:
    limits = Limits(nodes_per_update=1)
    driver = Driver(limits=limits, push=Push(updates_per_period=2))
    assert driver.ask(EstablishSubscription(TERMS)).ok


@pytest.mark.clause("8639-8-a")
@pytest.mark.parametrize(
    "limits",
    [Limits(records_per_second=5), Limits(kilobytes_per_second=9), Limits(subscriptions=1)],
)
def test_what_runs_is_not_harmed_by_what_is_asked_for(limits: Limits) -> None:
    """Three publishers each second; a second subscription like it does not fit."""
    driver = Driver(limits=limits)
    number = driver.establish()
    error = error_of(driver.ask(EstablishSubscription(TERMS)))
    assert error == ("resource-denied", "insufficient-resources")
    assert driver.actions == []
    assert states(driver) == ["active"]
    slower = structs.replace(TERMS, period=10 * SECOND)
    assert driver.ask(EstablishSubscription(slower)).ok is (limits.subscriptions > 1)
    faster = structs.replace(TERMS, period=SECOND // 2)
    if limits.subscriptions > 1:
        refused = error_of(driver.ask(ModifySubscription(number, faster)))
        assert refused == ("resource-denied", "insufficient-resources")


def test_a_synchronisation_that_would_be_too_big() -> None:
    terms = SubscriptionTerms(datastore="operational", on_change=OnChange())
    one = GlobalSubscription(1, "1", terms, Selection(), {"lc1": (Node("a", "b"), Node("a", "c"))})
    capacity = Capacity(Scenario(limits=Limits(nodes_per_sync=1), push=Push(updates_per_period=2)))
    with pytest.raises(Exception, match="2 nodes") as caught:
        capacity.admit(one, ())
    assert caught.value.identity == "sync-too-big"  # type: ignore[attr-defined]
    one.terms = structs.replace(terms, on_change=OnChange(sync_on_start=False))
    capacity.admit(one, ())
    assert capacity.load(one).records == 2  # at most one update a second each; ours


# --------------------------------------------------------------------------- while it runs
@pytest.mark.clause("8641-A.2", "8641-3.11.1-c")
@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        (Limits(records_per_second=5), "insufficient-resources"),
        (Limits(kilobytes_per_second=9), "unsupportable-volume"),
    ],
)
def test_an_overload_suspends_until_it_is_over(limits: Limits, reason: str) -> None:
    driver = Driver(Fault("overload", 10, 12, share=0.5), limits=limits)
    number = driver.establish()
    driver.until(10.7)
    assert driver.actions == []
    driver.until(10.75)
    assert said(driver) == [(SUSPENDED, number, reason)]
    assert states(driver) == ["suspended"]
    driver.until(12.75)
    assert said(driver) == [(RESUMED, number, None)]
    assert states(driver) == ["active"]
    assert set(driver.told()) == set()  # the last ask was get


@pytest.mark.clause("8639-2.3-b")
def test_who_weighs_least_goes_first_and_what_depends_on_it_with_it() -> None:
    driver = Driver(
        Fault("overload", 10, 12, share=0.5), Fault("overload", 20, 22, share=0.3),
        limits=Limits(records_per_second=12),
    )  # fmt: skip
    heavy = driver.establish(structs.replace(TERMS, weighting=200))
    light = driver.establish(structs.replace(TERMS, weighting=3))
    usual = driver.establish()
    follows = driver.establish(structs.replace(TERMS, weighting=255, dependency=light))
    driver.until(10.75)
    assert said(driver) == [
        (SUSPENDED, light, "insufficient-resources"),
        (SUSPENDED, follows, "insufficient-resources"),
    ]
    driver.until(20)
    assert [number for kind, number, _ in said(driver) if kind is RESUMED] == [light, follows]
    driver.until(20.75)
    assert {number for _, number, _ in said(driver)} == {light, usual, follows}
    assert heavy not in {number for _, number, _ in said(driver)}


@pytest.mark.clause("8641-3.11.1-c")
def test_a_share_that_grows_too_big() -> None:
    """A card's interface moves to another one, whose updates then have a node too many."""
    move = Fault("move", 10, 15, "lc1", moves_to="lc2", interfaces=("eth1",))
    driver = Driver(move, limits=Limits(nodes_per_update=2))
    number = driver.establish()
    driver.until(10.75)
    assert [kind for kind, _, _ in said(driver)] == [NotificationKind.SUBSCRIPTION_MODIFIED]
    narrow = Driver(
        Fault("move", 10, 15, "lc2", moves_to="lc1"), limits=Limits(nodes_per_update=2)
    )  # fmt: skip
    number = narrow.establish()
    narrow.until(10.75)
    assert said(narrow)[-1] == (SUSPENDED, number, "update-too-big")
    narrow.until(15.75)
    assert said(narrow)[0] == (RESUMED, number, None)
    assert set(narrow.told()) == {"master", "lc1", "lc2"}


def test_the_end_of_one_makes_room_for_another() -> None:
    driver = Driver(Fault("overload", 10, share=0.5), limits=Limits(records_per_second=8))
    first, second = driver.establish(), driver.establish(session="2")
    driver.until(11)
    assert said(driver) == [(SUSPENDED, second, "insufficient-resources")]
    driver.actions = driver.master.session_closed("1", driver.now)
    assert said(driver) == [(RESUMED, second, None)]
    assert first not in {one.id for one in driver.ask(Get(), "2").subscriptions or ()}


def test_each_resumes_what_it_suspended() -> None:
    driver = Driver(
        Fault("overload", 10, 16, share=0.5), Fault("suspend", 12, 14),
        limits=Limits(records_per_second=5),
    )  # fmt: skip
    number = driver.establish()
    driver.until(15)
    assert said(driver) == [(SUSPENDED, number, "insufficient-resources")]
    driver.until(16.75)
    assert said(driver) == [(RESUMED, number, None)]


@pytest.mark.clause("8639-2.7.3")
def test_a_suspension_has_its_time() -> None:
    driver = Driver(Fault("suspend", 10, 30), limits=Limits(suspension_timeout_seconds=5))
    number = driver.establish()
    driver.until(15.7)
    assert said(driver) == [(SUSPENDED, number, "insufficient-resources")]
    driver.until(15.75)
    assert said(driver) == [(TERMINATED, number, "suspension-timeout")]
    assert driver.ask(Get()).subscriptions == ()


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("[limits]\nsubscriptions = 0", "limits.subscriptions"),
        ("[limits]\nrecords_per_second = -1.0", "limits.records_per_second"),
        ("[limits]\ndscp = [64]", "limits.dscp"),
        ("[[fault]]\nkind = 'overload'\nat_period = 9", "fault.kind"),
        (
            "[limits]\nrecords_per_second = 1\n"
            "[[fault]]\nkind = 'overload'\nat_period = 9\nshare = 2.0",
            "fault[0].share",
        ),
    ],
)
def test_limits_that_cannot_be(text: str, key: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_scenario(text)
    assert caught.value.key == key


def test_limits_are_read() -> None:
    found: Any = parse_scenario("[limits]\nnodes_per_update = 5\ndscp = [0, 16]")
    assert found.limits.of_size
    assert found.limits.dscp == (0, 16)


@pytest.mark.clause("8639-8-a")
def test_event_streams_cost_their_pace() -> None:
    """Two alarms a second each; while one is suspended nothing of it is kept for later."""
    alarms = Stream("alarms", events_per_second=2.0)
    driver = Driver(
        Fault("overload", 10, 14, share=0.5), limits=Limits(records_per_second=8), stream=(alarms,)
    )
    driver.establish()  # three records a second
    first, second = (driver.establish(SubscriptionTerms(stream="alarms")) for _ in range(2))
    refused = driver.ask(EstablishSubscription(SubscriptionTerms(stream="alarms")))
    assert error_of(refused) == ("resource-denied", "insufficient-resources")
    driver.until(10.8)
    suspended = [number for kind, number, _ in said(driver) if kind is SUSPENDED]
    assert suspended == [first, second]
    driver.until(14.7)
    assert driver.said() == []
    driver.until(14.8)
    assert [number for kind, number, _ in said(driver) if kind is RESUMED] == [first, second]
    driver.until(20)
    assert len(driver.said()) >= 2 * 9
