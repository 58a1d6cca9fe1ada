"""The datastore changes at times of its own, which everybody can work out."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.errors import ConfigError
from publisher_sim.data.cbor_values import for_cbor
from publisher_sim.data.entries import HARDWARE, INTERFACES, PERIODIC_ONLY, Node, sample
from publisher_sim.data.selection import EVERYTHING
from publisher_sim.scenario import Card, Changes, Scenario, parse_scenario
from publisher_sim.sources.datastore import Datastore
from publisher_sim.sources.flaps import Flap

SECOND = 1_000_000_000
AT = 1_800_000_000 * SECOND
ETH, SUB, FAN = Node(INTERFACES, "eth1"), Node(INTERFACES, "eth1.7"), Node(HARDWARE, "fan")
CARD = Card("lc1", 101, ("eth1",), ("fan",), transient=("eth1.7",))
CHANGES = Changes(status_seconds=4, sensor_seconds=5, entry_seconds=6)


def datastore(changes: Changes = CHANGES, seed: int = 1) -> Datastore:
    return Datastore(Scenario(seed=seed, card=(CARD,), changes=changes))


@given(
    slot=st.integers(10**8, 10**11), at=st.integers(0, 2 * 10**18), name=st.text(max_size=8)
)  # fmt: skip
def test_a_flap_is_away_once_a_slot_and_knows_when_it_changes(
    slot: int, at: int, name: str
) -> None:
    flap = Flap(name, slot)
    change = flap.next_change(at)
    since = flap.since(at)
    assert change is not None
    assert since is not None
    assert since <= at < change <= at + 2 * slot
    assert flap.is_away(change) != flap.is_away(change - 1) == flap.is_away(at)
    assert flap.is_away(since) == flap.is_away(at) != flap.is_away(since - 1)
    away = sum(flap.is_away(at // slot * slot + n * slot // 64) for n in range(64))
    assert 3 <= away <= 21


def test_what_has_no_slot_never_changes() -> None:
    flap = Flap("x", 0)
    assert not flap.is_away(AT)
    assert flap.next_change(AT) is None
    assert flap.since(AT) is None


def walk(store: Datastore, node: Node, seconds: int) -> list[tuple[int, dict[str, Any] | None]]:
    """All changes of an entry: when, and what it then is."""
    found = []
    at: int | None = AT
    while (at := store.next_change(node, at)) is not None and at < AT + seconds * SECOND:
        found.append((at, store.notifiable(node, at, EVERYTHING)))
    return found


def test_nothing_changes_unless_the_scenario_says_so() -> None:
    still = datastore(Changes())
    assert [still.next_change(node, AT) for node in (ETH, SUB, FAN)] == [None] * 3
    before, after = (still.notifiable(ETH, at, EVERYTHING) for at in (AT, AT + 9 * SECOND))
    assert before == after
    assert still.contents([ETH], AT) != still.contents([ETH], AT + SECOND)  # counters do


def test_interfaces_go_down_and_are_shut() -> None:
    found = walk(datastore(), ETH, 200)
    assert len(found) > 60
    states = set()
    before = datastore().notifiable(ETH, AT, EVERYTHING)
    for _, values in found:
        assert values is not None
        assert before is not None
        states.add((values["admin-status"], values["oper-status"]))
        if values["oper-status"] != before["oper-status"]:
            assert values["last-change"] > before["last-change"]
        before = values
    assert states == {("up", "up"), ("up", "down"), ("down", "down")}


def test_components_fail_and_their_sensors_say_so() -> None:
    values = [values for _, values in walk(datastore(), FAN, 60)]
    states = {(v["state"]["oper-state"], v["sensor-data"]["oper-status"]) for v in values if v}
    assert states == {("enabled", "ok"), ("disabled", "nonoperational")}


def test_transient_entries_come_and_go() -> None:
    store = datastore(Changes(entry_seconds=6))
    found = walk(store, SUB, 60)
    assert [values is None for _, values in found[:4]] in ([True, False] * 2, [False, True] * 2)
    gone = next(at for at, values in found if values is None)
    assert store.contents([SUB], gone) == {}
    assert set(store.contents([ETH, SUB], gone - 1)["ietf-interfaces:interfaces"]) == {"interface"}
    assert store.next_change(ETH, AT) is None


def test_all_processes_see_the_same_and_other_seeds_something_else() -> None:
    assert walk(datastore(), ETH, 60) == walk(datastore(), ETH, 60)
    assert walk(datastore(), ETH, 60) != walk(datastore(seed=2), ETH, 60)


@pytest.mark.parametrize("node", [ETH, FAN])
def test_what_is_said_on_change_is_the_rest_of_the_entry(node: Node) -> None:
    store = datastore()
    (container,) = store.contents([node], AT).values()
    (((entry,),)) = container.values()
    for path in PERIODIC_ONLY[node.module]:
        above, _, name = path.rpartition("/")
        del (entry[above] if above else entry)[name]
    assert store.notifiable(node, AT, EVERYTHING) == entry


def test_every_enumeration_has_its_number_in_cbor() -> None:
    for module in (INTERFACES, HARDWARE):
        values = for_cbor(sample(module, "x"))
        assert [name for name in values if name.endswith("-status") and values[name] == "up"] == []
    down = {"oper-status": "down", "admin-status": "down", "oper-state": "disabled"}
    assert for_cbor(down) == {"oper-status": 2, "admin-status": 2, "oper-state": 2}  # RFC 8343
    assert for_cbor({"oper-status": "nonoperational"}) == {"oper-status": 3}  # RFC 8348
    edit = {"operation": "replace", "where": "after"}
    assert for_cbor({"yang-patch": {"edit": [edit]}}) == {
        "yang-patch": {"edit": [{"operation": 5, "where": 1}]}  # RFC 8072 §3
    }


def test_times_have_limits_and_names_are_once() -> None:
    with pytest.raises(ConfigError) as error:
        parse_scenario("[changes]\nstatus_seconds = 0.01")
    assert error.value.key == "changes.status_seconds"
    cards = "[[card]]\nname = 'a'\npublisher_id = 2\ninterfaces = ['x']\ntransient = ['x']"
    with pytest.raises(ConfigError) as error:
        parse_scenario(cards)
    assert error.value.key == "card.interfaces"
    scenario = parse_scenario("[master]\ntransient = ['y']")
    assert scenario.publishers[0].all_interfaces == ("y",)
