"""Selections: which list entries a filter can ever select, and what of them it selects now."""

from __future__ import annotations

import json
from typing import Any

import pytest

from collector.model import SelectionFilter
from publisher_sim.cards.resource_location import ResourceLocationTable, decompose
from publisher_sim.data.entries import TREES, Node, entry
from publisher_sim.data.filters import FilterUnsupportedError
from publisher_sim.data.selection import EVERYTHING, select
from publisher_sim.scenario import Scenario
from publisher_sim.sources.datastore import Datastore

IF = "urn:ietf:params:xml:ns:yang:ietf-interfaces"
NAMES = {"if": IF}
DATASTORE = Datastore(Scenario(seed=1))
ETH0 = ("ietf-interfaces", "eth0")
ETH1 = ("ietf-interfaces", "eth1")
FAN = ("ietf-hardware", "fan")
ENTRIES = "/if:interfaces/if:interface"


def xpath(text: str) -> SelectionFilter:
    return SelectionFilter("xpath", text, NAMES)


def subtree(inside: str) -> SelectionFilter:
    text = f'<interfaces xmlns="{IF}"><interface>{inside}</interface></interfaces>'
    return SelectionFilter("subtree", text)


@pytest.mark.parametrize(
    ("wanted", "selected"),
    [
        (None, {ETH0, ETH1, FAN}),
        (xpath("/"), {ETH0, ETH1, FAN}),
        (xpath("/if:interfaces"), {ETH0, ETH1}),
        (xpath(ENTRIES), {ETH0, ETH1}),
        (xpath(f"{ENTRIES}[if:name='eth1']"), {ETH1}),
        (xpath(f'{ENTRIES}[name="eth1"]/statistics'), {ETH1}),
        (xpath(f"{ENTRIES}[name='eth1' or name='eth0']/mtu"), set()),
        (xpath("/if:interfaces | /ietf-hardware:hardware"), {ETH0, ETH1, FAN}),
        # whether it is down now does not matter, it may be down later
        (xpath(f"{ENTRIES}[oper-status='down'][name='eth0']"), {ETH0}),
        (subtree("<oper-status>down</oper-status><name>eth1</name><type/>"), {ETH1}),
        (subtree("<mtu>9000</mtu>"), {ETH0, ETH1}),
        (subtree("<name>eth0</name>"), {ETH0}),
        (subtree("<statistics/>"), {ETH0, ETH1}),
        (subtree("<other/>"), set()),
        (SelectionFilter("subtree", ""), set()),
        (xpath("/ietf-yang-library:yang-library"), set()),
    ],
)
@pytest.mark.clause("8641-3.9-c", "8641-3.6")
def test_which_entries_could_be_selected(
    wanted: SelectionFilter | None, selected: set[tuple[str, str]]
) -> None:
    selection = select(wanted)
    for _ in range(2):  # the second time it is known
        assert {node for node in (ETH0, ETH1, FAN) if selection.selects(*node)} == selected


@pytest.mark.parametrize(
    "wanted",
    [
        xpath("/if:interfaces[if:interface/if:name='eth0']/if:interface"),
        xpath("/*[name='x']"),
        xpath("/if:interfaces/if:interface[1]"),
        SelectionFilter("ref", "named"),
    ],
)
def test_what_its_owner_alone_cannot_tell_is_refused(wanted: SelectionFilter) -> None:
    with pytest.raises(FilterUnsupportedError):
        select(wanted)


def members(wanted: SelectionFilter, key: str, values: dict[str, Any]) -> set[str]:
    found = select(wanted).of("ietf-interfaces", key, values)
    return set(found or ())


@pytest.mark.parametrize(
    ("wanted", "left"),
    [
        (xpath("/if:interfaces"), {"name", "oper-status", "statistics"}),
        (xpath(f"{ENTRIES}/statistics"), {"name", "statistics"}),
        (xpath(f"{ENTRIES}[name='eth0']/oper-status"), {"name", "oper-status"}),
        (xpath(f"{ENTRIES}[name='eth1']"), set()),
        (xpath(f"{ENTRIES}[oper-status='up']/statistics"), {"name", "statistics"}),
        (xpath(f"{ENTRIES}[oper-status='down']/statistics"), set()),
        (subtree("<statistics><in-errors/></statistics>"), {"name", "statistics"}),
        (subtree("<oper-status>up</oper-status>"), {"name", "oper-status", "statistics"}),
    ],
)
def test_what_is_selected_of_an_entry(wanted: SelectionFilter, left: set[str]) -> None:
    values = {"name": "eth0", "oper-status": "up", "statistics": {"in-errors": 1, "in-octets": "2"}}
    for _ in range(2):
        assert members(wanted, "eth0", values) == left


def test_values_are_looked_at_each_time_and_shapes_once() -> None:
    changing = select(xpath(f"{ENTRIES}[oper-status='up']"))
    up, down = ({"name": "eth0", "oper-status": status} for status in ("up", "down"))
    assert [changing.of(*ETH0, one) for one in (up, down, up)] == [up, None, up]
    inside = select(xpath(f"{ENTRIES}/statistics/in-errors"))
    first = {"name": "eth0", "statistics": {"in-errors": 1, "in-octets": "2"}}
    second = {"name": "eth1", "statistics": {"in-errors": 3, "in-octets": "4"}}
    assert inside.of(*ETH0, first) == {"name": "eth0", "statistics": {"in-errors": 1}}
    assert inside.of(*ETH1, second) == {"name": "eth1", "statistics": {"in-errors": 3}}
    assert inside.of(*ETH1, {"name": "eth1"}) is None  # another shape


def test_the_same_filter_is_one_selection_for_all_publishers() -> None:
    assert select(xpath("/if:interfaces")) is select(xpath("/if:interfaces"))
    assert select(None) is EVERYTHING
    assert select(xpath("/if:interfaces")).wanted == xpath("/if:interfaces")


def test_only_what_is_selected_is_in_the_update() -> None:
    selection = select(xpath(f"{ENTRIES}/if:statistics"))
    found = DATASTORE.contents([Node(*ETH0), Node(*FAN)], 0, selection)
    (values,) = found.pop("ietf-interfaces:interfaces")["interface"]
    assert set(values) == {"name", "statistics"}
    assert found == {}


def test_an_update_is_about_900_octets_and_moves() -> None:
    before, after = (
        DATASTORE.contents([Node(*ETH0)], second * 1_000_000_000, EVERYTHING)
        for second in (1_800_000_000, 1_800_000_001)
    )
    assert 600 < len(json.dumps(before)) < 1100
    entries = [one["ietf-interfaces:interfaces"]["interface"][0] for one in (before, after)]
    octets = [one["statistics"]["in-octets"] for one in entries]
    assert all(isinstance(text, str) for text in octets)  # RFC 7951 §6.1: 64 bits are text
    assert int(octets[0]) < int(octets[1])
    assert DATASTORE.contents([], 0, EVERYTHING) == {}
    assert "ietf-hardware:hardware" in DATASTORE.contents([Node(*FAN)], 0, EVERYTHING)


@pytest.mark.parametrize("module", TREES)
def test_an_entry_is_keyed_by_its_name(module: str) -> None:
    assert entry(1, module, "x", 0)["name"] == "x"


def test_decomposition_with_holes_in_the_connectivity() -> None:
    owners = {Node(*ETH0): "lc1", Node(*ETH1): "lc2", Node(*FAN): "master"}
    everything = decompose(owners, EVERYTHING, ["master", "lc1", "lc2"], "master")
    assert everything == {
        "master": (Node(*FAN),), "lc1": (Node(*ETH0),), "lc2": (Node(*ETH1),),
    }  # fmt: skip
    # base draft §5: a publisher that cannot reach out MUST NOT get a part
    lonely = decompose(owners, EVERYTHING, ["master", "lc1"], "master")
    assert lonely == {"master": (Node(*ETH1), Node(*FAN)), "lc1": (Node(*ETH0),)}
    nothing = decompose(owners, select(xpath(f"{ENTRIES}[name='x']")), [], "master")
    assert nothing == {"master": ()}


def test_nodes_leave_move_and_come_back() -> None:
    table = ResourceLocationTable({Node(*ETH0): "lc1", Node(*ETH1): "lc2"})
    table.leave("lc1")
    assert table.owners == {Node(*ETH1): "lc2"}
    table.leave("lc2", "master")
    assert table.owners == {Node(*ETH1): "master"}
    table.come_back("lc1")
    table.come_back("lc2")
    assert table.owners == {Node(*ETH0): "lc1", Node(*ETH1): "lc2"}
    assert list(table.owners) == [Node(*ETH0), Node(*ETH1)]
