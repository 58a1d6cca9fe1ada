"""The law of on-change: who applies every record has the data, whatever happens to it."""

from __future__ import annotations

from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.model import OnChange
from publisher_sim.agent.on_change import OnChangeShare, Record, target_of
from publisher_sim.data.entries import Node
from publisher_sim.data.selection import EVERYTHING
from publisher_sim.sources.datastore import Datastore
from tests.unit.test_sim_on_change import Script

NODES = tuple(Node("ietf-interfaces", name) for name in "ab")
END = 100
VALUES = st.none() | st.fixed_dictionaries(
    {"name": st.just("a")},
    optional={
        "leaf": st.integers(0, 2),
        "inside": st.dictionaries(st.sampled_from("xy"), st.booleans(), min_size=1),
    },
)
SCRIPTS = st.lists(st.tuples(st.integers(1, END), VALUES), max_size=12).map(
    lambda steps: [(0, None), *sorted(steps, key=lambda step: step[0])]
)
DEEDS = st.lists(
    st.tuples(st.integers(1, END), st.sampled_from(["resync", "fewer", "more", "resume"])),
    max_size=3,
)


class Receiver:
    """Applies records and knows no more than they say."""

    def __init__(self) -> None:
        self.entries: dict[str, dict[str, Any]] = {}
        self.next_patch = 0

    def take(self, record: Record) -> None:
        if record.patch_id is None:
            lists = record.contents.get("ietf-interfaces:interfaces", {})
            self.entries = {}
            for entry, node in zip(lists["interface"], self._present(lists), strict=True):
                self.entries[node] = _copy(entry)
            self.next_patch = 0
            return
        assert record.patch_id == self.next_patch
        self.next_patch += 1
        for edit in record.contents["yang-patch"]["edit"]:
            self._apply(edit)

    def _present(self, lists: dict[str, Any]) -> list[str]:
        return [entry["key"] for entry in lists["interface"]]

    def _apply(self, edit: dict[str, Any]) -> None:
        _, _, entry, *path = edit["target"].split("/")
        key = entry.partition("=")[2]
        if not path:
            self.entries.pop(key, None)
            if edit["operation"] == "create":
                self.entries[key] = _copy(edit["value"]["ietf-interfaces:interface"][0])
            return
        place = self.entries[key]
        for name in path[:-1]:
            place = place[name]
        if edit["operation"] == "delete":
            place.pop(path[-1], None)  # it may have come and gone
        else:
            (place[path[-1]],) = edit["value"].values()


def _copy(values: dict[str, Any]) -> dict[str, Any]:
    return {
        name: _copy(value) if isinstance(value, dict) else value for name, value in values.items()
    }


@settings(max_examples=300, deadline=None)
@given(
    scripts=st.tuples(SCRIPTS, SCRIPTS),
    dampening=st.sampled_from([0, 0, 7, 30]),
    deeds=DEEDS,
)
@pytest.mark.clause("8641-3.11.1-a")
def test_whoever_applies_every_record_has_the_data(
    scripts: tuple[Any, Any], dampening: int, deeds: list[tuple[int, str]]
) -> None:
    script = {
        node: [(at, None if values is None else values | {"key": node.key}) for at, values in steps]
        for node, steps in zip(NODES, scripts, strict=True)
    }
    store = Script(script)
    one = OnChangeShare(cast(Datastore, store), NODES, EVERYTHING, OnChange(dampening))
    receiver, nodes, last = Receiver(), NODES, -END

    def taken(record: Record | None) -> None:
        nonlocal last
        if record is not None:
            assert record.patch_id is None or record.at - last >= dampening
            last = record.at
            receiver.take(record)

    def wait(until: int) -> None:
        while (due := one.next_deadline()) is not None and due <= until:
            taken(one.handle_timer(due))

    taken(one.begin(0))
    for at, deed in sorted(deeds):
        wait(at)
        if deed == "resync":
            taken(one.resync(at))
        elif deed == "resume":
            taken(one.resume(nodes, at))
        else:
            nodes = NODES[:1] if deed == "fewer" else NODES
            taken(one.serve(nodes, at))
    wait(END + dampening)
    there = {
        node.key: values
        for node in nodes
        if (values := store.notifiable(node, END + dampening, EVERYTHING)) is not None
    }
    mine = {target_of(node).rpartition("=")[2] for node in nodes}
    assert {key: entry for key, entry in receiver.entries.items() if key in mine} == there
