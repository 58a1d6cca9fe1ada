"""AgentPublisher: when it sends what, and what it accounts for before."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from msgspec import structs

from collector.model import OnChange
from publisher_sim.agent import Account, AgentAction, AgentPublisher, Transmit
from publisher_sim.agent.numbering import Numbering
from publisher_sim.cards.channel import (
    ComponentSubscription,
    Count,
    Destination,
    EndComponent,
    Status,
)
from publisher_sim.data.entries import Node
from publisher_sim.scenario import Card, Changes, Fault, Push, Scenario
from publisher_sim.truth.accounts import OnWire, Produced
from publisher_sim.truth.books import road

SECOND = 1_000_000_000
START = 1_800_000_000 * SECOND
COMPONENT = ComponentSubscription(
    subscription_id=7,
    period=10 * SECOND,
    anchor=START,
    encoding="encode-json",
    nodes=(Node("ietf-interfaces", "eth0"), Node("ietf-interfaces", "eth1")),
    selection=None,
    receiver_transport="udp-notif",
    receiver_address="192.0.2.1",
    receiver_port=10003,
    timeline_start=START,
    timeline_period=10 * SECOND,
)
CARD = Card("lc1", 101, phase=0.1, arc=0.2)


def agent(*faults: Fault, updates: int = 1, run: str = "lc1/0", size: int = 9000) -> AgentPublisher:
    push = Push(updates_per_period=updates, max_segment_size=size)
    return AgentPublisher(Scenario(name="core7", push=push, card=(CARD,), fault=faults), CARD, run)


def play(one: AgentPublisher, until: int) -> list[tuple[int, AgentAction]]:
    """All actions up to an instant, each with its time."""
    done: list[tuple[int, AgentAction]] = []
    while (deadline := one.next_deadline()) is not None and deadline <= until:
        done.extend((deadline, action) for action in one.handle_timer(deadline))
    return done


def sent(done: list[tuple[int, AgentAction]]) -> list[tuple[float, bytes]]:
    return [
        ((at - START) / SECOND, action.octets)
        for at, action in done
        if isinstance(action, Transmit)
    ]


def message_ids(octets: list[bytes]) -> list[int]:
    return [int.from_bytes(datagram[8:12], "big") for datagram in octets]


def test_each_tick_at_its_phase_spread_over_its_arc() -> None:
    one = agent(updates=3)
    assert one.next_deadline() is None
    assert one.receive(COMPONENT, START - SECOND) == [Status("lc1", 7, "active")]
    done = sent(play(one, START + 19 * SECOND))
    assert [at for at, _ in done] == [1.0, 2.0, 3.0, 11.0, 12.0, 13.0]
    first, *rest = message_ids([octets for _, octets in done])
    assert rest == [(first + n) % 2**32 for n in range(1, 6)]


def test_the_octets_of_an_update() -> None:
    one = agent()
    one.receive(COMPONENT, START - SECOND)
    ((_, octets),) = sent(play(one, START + 5 * SECOND))
    assert octets[:2] == b"\x21\x0c"  # version 1, JSON, no options
    assert int.from_bytes(octets[4:8], "big") == 101
    envelope = json.loads(octets[12:])["ietf-yp-notification:envelope"]
    assert envelope["event-time"] == "2027-01-15T08:00:01Z"
    assert envelope["hostname"] == "core7"
    assert envelope["sequence-number"] == 1
    update = envelope["contents"]["ietf-yang-push:push-update"]
    assert update["id"] == 7
    assert update["ietf-yp-observation:timestamp"] == "2027-01-15T08:00:01Z"
    # the base draft has no leaf for it in a push-update: the header alone says who it was
    assert not [name for name in update if "publisher-id" in name or "generator" in name]
    interfaces = update["datastore-contents"]["ietf-interfaces:interfaces"]["interface"]
    assert [entry["name"] for entry in interfaces] == ["eth0", "eth1"]


@pytest.mark.clause("8641-3.9-d")
def test_parts_of_one_tick_never_overlap_and_an_empty_one_is_sent() -> None:
    one = agent(updates=3)
    one.receive(COMPONENT, START - SECOND)
    found = []
    for _, octets in sent(play(one, START + 9 * SECOND)):
        update = json.loads(octets[12:])["ietf-yp-notification:envelope"]["contents"]
        contents = update["ietf-yang-push:push-update"]["datastore-contents"]
        entries = contents.get("ietf-interfaces:interfaces", {}).get("interface", [])
        found.append([entry["name"] for entry in entries])
    assert found == [["eth0"], ["eth1"], []]


def test_the_account_comes_before_the_deed() -> None:
    one = agent(size=700)
    one.receive(COMPONENT, START - SECOND)
    actions = [action for _, action in play(one, START + 5 * SECOND)]
    kinds = [
        type(action.fact).__name__ if isinstance(action, Account) else type(action).__name__
        for action in actions
    ]
    assert kinds == ["Produced", *["OnWire", "Transmit"] * 3, "Count"]
    produced = actions[0].fact if isinstance(actions[0], Account) else None
    assert isinstance(produced, Produced)
    assert (produced.generator, produced.units, produced.of) == ("101", 3, 1)
    assert produced.nominal == START
    assert produced.planned == START + SECOND


def test_silence_uses_up_no_id_and_a_drop_does() -> None:
    first, second, third = (
        message_ids([octets for _, octets in sent(play(one, START + 39 * SECOND))])
        for one in (_started(agent()), _started(agent(Fault("silent", 1))),
                    _started(agent(Fault("drop", 1))))
    )  # fmt: skip
    assert len(first) == 4
    assert second == first[:3]
    assert third == [first[0], *first[2:]]


def _started(one: AgentPublisher) -> AgentPublisher:
    one.receive(COMPONENT, START - SECOND)
    return one


def test_a_wrong_clock_is_in_the_message_not_in_the_sending() -> None:
    one = _started(agent(Fault("clock_skew", 0, seconds=3600)))
    ((at, octets),) = sent(play(one, START + 5 * SECOND))
    assert at == 1.0
    assert b'"event-time":"2027-01-15T09:00:01Z"' in octets


def test_a_new_life_counts_from_elsewhere() -> None:
    ids = {
        message_ids([sent(play(_started(agent(run=run)), START + 5 * SECOND))[0][1]])[0]
        for run in ("lc1/0", "lc1/1", "lc2/0")
    }
    assert len(ids) == 3


@pytest.mark.clause("8639-2.4.4")
def test_the_end_takes_back_what_waits() -> None:
    one = _started(agent(Fault("delay", 0, seconds=5)))
    play(one, START + SECOND)
    assert one.receive(EndComponent(7), START + 2 * SECOND) == [
        Count("lc1", 7, 1), Status("lc1", 7, "ended"),
    ]  # fmt: skip
    assert one.receive(EndComponent(7), START + 2 * SECOND) == []
    assert sent(play(one, START + 100 * SECOND)) == []


def test_the_same_grid_goes_on_and_another_one_starts_anew() -> None:
    one = _started(agent())
    play(one, START + 5 * SECOND)
    one.receive(structs.replace(COMPONENT, nodes=()), START + 5 * SECOND)
    assert [at for at, _ in sent(play(one, START + 15 * SECOND))] == [11.0]
    one.receive(structs.replace(COMPONENT, period=4 * SECOND), START + 15 * SECOND)
    assert [round(at, 1) for at, _ in sent(play(one, START + 25 * SECOND))] == [16.4, 20.4, 24.4]


def test_stopped_and_started_again_sends_once_a_tick() -> None:
    one = _started(agent())
    one.receive(EndComponent(7), START)
    one.receive(COMPONENT, START)
    assert [at for at, _ in sent(play(one, START + 25 * SECOND))] == [11.0, 21.0]


def test_what_it_cannot_write_is_refused() -> None:
    one = agent()
    (status,) = one.receive(structs.replace(COMPONENT, encoding="encode-gpb"), START)
    assert isinstance(status, Status)
    assert status.state == "refused"
    assert one.next_deadline() is None


def test_every_encoding() -> None:
    for encoding, first in (("encode-json", 0x21), ("encode-xml", 0x22), ("encode-cbor", 0x23)):
        one = agent()
        one.receive(structs.replace(COMPONENT, encoding=encoding), START - SECOND)
        done = sent(play(one, START + 5 * SECOND))
        assert {octets[0] for _, octets in done} == {first}


def test_datagrams_say_when_they_left() -> None:
    one = _started(agent())
    (_, action) = one.handle_timer(START + SECOND)[:2]
    assert isinstance(action, Account)
    assert action.fact == OnWire("lc1/0", action.fact.message_id, 0, START + SECOND, START + SECOND)


def test_each_destination_has_numbers_of_its_own() -> None:
    """Half of the Message IDs at each of two receivers would look like losses at both."""
    one = agent(updates=2)
    two = structs.replace(
        COMPONENT,
        destinations=(
            Destination("udp-notif", "127.0.0.1", 1),
            Destination("https-notif", "127.0.0.1", 2, "/x"),
        ),
    )
    one.receive(two, START)
    actions = [action for _, action in play(one, START + 39 * SECOND)]
    units = [action for action in actions if isinstance(action, Transmit)]
    ids = message_ids([unit.octets for unit in units if unit.transport == "udp-notif"])
    assert [(after - before) % 2**32 for before, after in pairwise(ids)] == [1] * 5
    posts = [unit for unit in units if unit.transport == "https-notif"]
    numbers = [
        json.loads(post.octets)["ietf-yp-notification:envelope"]["sequence-number"]
        for post in posts
    ]
    assert numbers == list(range(1, 7))
    assert {post.path for post in posts} == {"/x"}
    facts = [action.fact for action in actions if isinstance(action, Account)]
    assert [fact.run for fact in facts if isinstance(fact, OnWire)] == ["lc1/0"] * 6


def test_a_further_destination_is_another_run_for_the_truth() -> None:
    numbering = Numbering(7, "lc1/0")
    first = numbering.of(Destination("udp-notif", "a", 1), 7)
    second = numbering.of(Destination("udp-notif", "a", 2), 7)
    assert (first.run, second.run) == ("lc1/0", "lc1/0+1")
    assert numbering.of(Destination("udp-notif", "a", 1, "/p", 900), 8) is first
    assert (road(first.run), road(second.run)) == ("", "1")


def test_what_is_kept_back_is_counted_as_well() -> None:
    scenario = Scenario(name="core7", card=(CARD,), changes=Changes(status_seconds=5.0))
    one = AgentPublisher(scenario, CARD, "lc1/0")
    wanted = OnChange(excluded_change=("replace",))
    component = structs.replace(COMPONENT, on_change=wanted, period=0, timeline_period=SECOND)
    one.receive(component, START)
    done = [action for _, action in play(one, START + 60 * SECOND)]
    counts = [action for action in done if isinstance(action, Count)]
    assert {action.subscription_id for action in counts} == {7}
    assert sum(action.sent for action in counts) == 1  # the push-update to begin with
    assert sum(action.excluded for action in counts) >= 4
