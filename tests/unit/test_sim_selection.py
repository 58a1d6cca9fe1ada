"""Filters: what is understood selects what it says, everything else is refused."""

from __future__ import annotations

import pytest

from collector.model import SelectionFilter
from publisher_sim.datastore import contents
from publisher_sim.resource_location import Node, ResourceLocationTable, decompose
from publisher_sim.selection import FilterUnsupportedError, Selection, select

IF = "urn:ietf:params:xml:ns:yang:ietf-interfaces"
NAMES = {"if": IF}
ETH0 = ("ietf-interfaces", "eth0")
ETH1 = ("ietf-interfaces", "eth1")
FAN = ("ietf-hardware", "fan")


def xpath(text: str, namespaces: dict[str, str] | None = None) -> SelectionFilter:
    return SelectionFilter("xpath", text, NAMES if namespaces is None else namespaces)


@pytest.mark.parametrize(
    ("wanted", "selected"),
    [
        (None, {ETH0, ETH1, FAN}),
        (xpath("/if:interfaces"), {ETH0, ETH1}),
        (xpath("/ietf-interfaces:interfaces", {}), {ETH0, ETH1}),
        (xpath("/if:interfaces/if:interface"), {ETH0, ETH1}),
        (xpath("/if:interfaces/interface[if:name='eth1']"), {ETH1}),
        (xpath('/if:interfaces/if:interface[name="eth1"]/statistics'), {ETH1}),
        (xpath("/if:interfaces | /ietf-hardware:hardware"), {ETH0, ETH1, FAN}),
        (SelectionFilter("subtree", f'<interfaces xmlns="{IF}"/>'), {ETH0, ETH1}),
        (
            SelectionFilter(
                "subtree",
                f'<interfaces xmlns="{IF}"><interface><name>eth0</name></interface></interfaces>',
            ),
            {ETH0},
        ),
        (
            SelectionFilter(
                "subtree",
                f'<interfaces xmlns="{IF}"><interface><statistics/></interface></interfaces>',
            ),
            {ETH0, ETH1},
        ),
    ],
)
def test_what_is_selected(wanted: SelectionFilter | None, selected: set[tuple[str, str]]) -> None:
    selection = select(wanted)
    assert {node for node in (ETH0, ETH1, FAN) if selection.selects(*node)} == selected


@pytest.mark.parametrize(
    "wanted",
    [
        xpath("//if:interface"),
        xpath("if:interfaces"),
        xpath("/if:interfaces-state"),
        xpath("/other:things"),
        xpath("/if:interfaces[name='x']"),
        xpath("/if:interfaces/if:interface[position()=1]"),
        xpath("/if:interfaces/if:interface/a/b"),
        xpath("/" + "x" * 5000),
        SelectionFilter("ref", "named"),
        SelectionFilter("subtree", ""),
        SelectionFilter("subtree", "<open>"),
        SelectionFilter("subtree", "<interfaces/>"),
        SelectionFilter("subtree", f'<interfaces xmlns="{IF}"><other/></interfaces>'),
        SelectionFilter(
            "subtree",
            f'<interfaces xmlns="{IF}"><interface><mtu>9000</mtu></interface></interfaces>',
        ),
    ],
)
def test_what_is_not_understood_is_refused(wanted: SelectionFilter) -> None:
    with pytest.raises(FilterUnsupportedError):
        select(wanted)


def test_only_the_selected_child_is_in_the_update() -> None:
    selection = select(xpath("/if:interfaces/if:interface/if:statistics"))
    found = contents(1, [Node(*ETH0)], selection, 0)
    (entry,) = found["ietf-interfaces:interfaces"]["interface"]
    assert set(entry) == {"name", "statistics"}


def test_an_update_is_about_900_octets_and_moves() -> None:
    import json

    before, after = (
        contents(1, [Node(*ETH0)], Selection(), second * 1_000_000_000)
        for second in (1_800_000_000, 1_800_000_001)
    )
    assert 600 < len(json.dumps(before)) < 1100
    entries = [one["ietf-interfaces:interfaces"]["interface"][0] for one in (before, after)]
    octets = [entry["statistics"]["in-octets"] for entry in entries]
    assert all(isinstance(text, str) for text in octets)  # RFC 7951 §6.1: 64 bits are text
    assert int(octets[0]) < int(octets[1])
    assert contents(1, [], Selection(), 0) == {}
    assert "ietf-hardware:hardware" in contents(1, [Node(*FAN)], Selection(), 0)


def test_decomposition_with_holes_in_the_connectivity() -> None:
    owners = {Node(*ETH0): "lc1", Node(*ETH1): "lc2", Node(*FAN): "master"}
    everything = decompose(owners, Selection(), ["master", "lc1", "lc2"], "master")
    assert everything == {
        "master": (Node(*FAN),), "lc1": (Node(*ETH0),), "lc2": (Node(*ETH1),),
    }  # fmt: skip
    # base draft §5: a publisher that cannot reach out MUST NOT get a part
    lonely = decompose(owners, Selection(), ["master", "lc1"], "master")
    assert lonely == {"master": (Node(*ETH1), Node(*FAN)), "lc1": (Node(*ETH0),)}
    nothing = decompose(owners, select(xpath("/if:interfaces/interface[name='x']")), [], "master")
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
