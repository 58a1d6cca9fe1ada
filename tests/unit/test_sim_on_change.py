"""On-change shares: what each update record holds, and when it is made (RFC 8641 §3.3, §3.7)."""

from __future__ import annotations

from typing import Any, cast

import pytest

from collector.model import OnChange, SelectionFilter
from publisher_sim.agent.on_change import OnChangeShare, Record, target_of
from publisher_sim.data.entries import Node
from publisher_sim.data.selection import EVERYTHING, Selection, select
from publisher_sim.scenario import Card, Changes, Scenario
from publisher_sim.sources.datastore import Datastore

SECOND = 1_000_000_000
A, B = Node("ietf-interfaces", "a"), Node("ietf-interfaces", "b/1")
UP = {"name": "a", "oper-status": "up", "inside": {"x": 1, "y": 2}}
DOWN = UP | {"oper-status": "down"}


class Script:
    """A datastore whose entries change as written down: node -> (when, values)."""

    def __init__(self, script: dict[Node, list[tuple[int, dict[str, Any] | None]]]) -> None:
        self._script = script

    def notifiable(self, node: Node, at: int, selection: Selection) -> dict[str, Any] | None:
        values = None
        for when, then in self._script[node]:
            if when <= at:
                values = then
        return None if values is None else selection.of(node.module, node.key, values)

    def next_change(self, node: Node, after: int) -> int | None:
        return next((when for when, _ in self._script[node] if when > after), None)


def share(
    script: dict[Node, list[tuple[int, dict[str, Any] | None]]],
    terms: OnChange | None = None,
    selection: Selection = EVERYTHING,
) -> OnChangeShare:
    datastore = cast(Datastore, Script(script))
    return OnChangeShare(datastore, tuple(script), selection, terms or OnChange())


def run(one: OnChangeShare, until: int) -> list[Record]:
    """All records that the timer brings."""
    records = []
    while (deadline := one.next_deadline()) is not None and deadline <= until:
        record = one.handle_timer(deadline)
        if record is not None:
            records.append(record)
    return records


def edits(record: Record) -> list[tuple[str, str, Any]]:
    patch = record.contents["yang-patch"]
    assert patch["patch-id"] == str(record.patch_id)
    found = patch.get("edit", [])
    assert [edit["edit-id"] for edit in found] == [str(n) for n in range(1, len(found) + 1)]
    assert record.edits == len(found)
    return [(edit["operation"], edit["target"], edit.get("value")) for edit in found]


ENTRY = "/ietf-interfaces:interfaces/interface=a"


@pytest.mark.clause("8641-3.7-a")
def test_it_begins_with_everything_and_goes_on_with_changes() -> None:
    one = share({A: [(0, UP), (10, DOWN), (20, UP)], B: [(0, {"name": "b/1"})]})
    first = one.begin(5)
    assert first == Record(5, {"ietf-interfaces:interfaces": {"interface": [UP, {"name": "b/1"}]}})
    down, up = run(one, 100)
    assert (down.at, down.patch_id, up.at, up.patch_id) == (10, 0, 20, 1)
    assert edits(down) == [
        ("replace", f"{ENTRY}/oper-status", {"ietf-interfaces:oper-status": "down"})
    ]
    assert edits(up) == [("replace", f"{ENTRY}/oper-status", {"ietf-interfaces:oper-status": "up"})]


@pytest.mark.clause("8641-3.9-e")
def test_entries_are_created_and_deleted_and_leaves_too() -> None:
    more = {"name": "a", "oper-status": "up", "inside": {"x": 5, "z": 3}, "new": True}
    one = share({A: [(0, None), (10, UP), (20, more), (30, None)]})
    assert one.begin(0) is None  # RFC 8641 §3.9: no push-update without contents
    created, changed, deleted = run(one, 100)
    assert edits(created) == [("create", ENTRY, {"ietf-interfaces:interface": [UP]})]
    assert edits(changed) == [
        ("replace", f"{ENTRY}/inside/x", {"ietf-interfaces:x": 5}),
        ("delete", f"{ENTRY}/inside/y", None),
        ("create", f"{ENTRY}/inside/z", {"ietf-interfaces:z": 3}),
        ("create", f"{ENTRY}/new", {"ietf-interfaces:new": True}),
    ]
    assert edits(deleted) == [("delete", ENTRY, None)]
    assert [one.patch_id for one in (created, changed, deleted)] == [0, 1, 2]


def test_keys_are_escaped_as_in_a_resource_path() -> None:
    assert target_of(B) == "/ietf-interfaces:interfaces/interface=b%2F1"  # RFC 8040 §3.5.3
    assert target_of(Node("ietf-hardware", "x y")).endswith("hardware/component=x%20y")


def test_within_a_dampening_period_nothing_is_said_and_then_the_last_of_everything() -> None:
    again = UP | {"oper-status": "testing"}
    script = {A: [(0, UP), (10, DOWN), (20, UP), (30, again)], B: [(0, None), (25, {"name": "b"})]}
    one = share(script, OnChange(dampening_period=100))
    assert one.begin(5) is not None
    assert one.next_deadline() == 10
    (record,) = run(one, 1000)
    assert record.at == 105
    assert edits(record) == [
        ("replace", f"{ENTRY}/oper-status", {"ietf-interfaces:oper-status": "testing"}),
        ("create", target_of(B), {"ietf-interfaces:interface": [{"name": "b"}]}),
    ]


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (  # as it was before, but something happened
            [(0, UP), (10, DOWN), (20, UP)],
            [("replace", f"{ENTRY}/oper-status", {"ietf-interfaces:oper-status": "up"})],
        ),
        ([(0, None), (10, UP), (20, None)], [("delete", ENTRY, None)]),
        (
            [(0, UP), (10, None), (20, UP)],
            [("create", ENTRY, {"ietf-interfaces:interface": [UP]})],
        ),
        ([(0, UP), (10, DOWN), (20, None)], [("delete", ENTRY, None)]),
    ],
)
def test_churn_is_said_though_nothing_is_different(
    script: list[tuple[int, dict[str, Any] | None]], said: list[tuple[str, str, Any]]
) -> None:
    one = share({A: script, B: [(0, {"name": "b"})]}, OnChange(dampening_period=100))
    one.begin(5)
    (record,) = run(one, 1000)
    assert (record.at, edits(record)) == (105, said)


def test_after_a_quiet_time_a_change_is_said_at_once() -> None:
    one = share({A: [(0, UP), (500, DOWN), (510, UP)]}, OnChange(dampening_period=100))
    one.begin(5)
    assert [record.at for record in run(one, 1000)] == [500, 600]


def test_excluded_changes_are_left_out_and_dampen_nothing() -> None:
    script = {A: [(0, UP), (10, DOWN), (20, None), (30, UP)]}
    terms = OnChange(dampening_period=5, excluded_change=("replace", "delete"))
    one = share(script, terms)
    one.begin(0)
    (record,) = run(one, 100)
    assert (record.at, record.patch_id, edits(record)[0][0]) == (30, 0, "create")
    assert one.excluded == 2


def test_resumed_it_makes_a_patch_from_the_previous_record() -> None:
    script: dict[Node, list[tuple[int, dict[str, Any] | None]]] = {
        A: [(0, UP), (10, DOWN), (50, None)], B: [(0, None), (20, {"name": "b"})],
    }  # fmt: skip
    one = share(script)
    one.begin(0)
    assert len(run(one, 15)) == 1
    record = one.resume((A, B), 100)
    assert record is not None
    assert record.patch_id == 1
    assert [edit[:2] for edit in edits(record)] == [("create", target_of(B)), ("delete", ENTRY)]
    assert one.resume((A, B), 110) is None  # nothing happened
    whole = one.resume((B,), 120)
    assert whole is not None
    assert whole.patch_id is None


@pytest.mark.clause("8641-3.7-b")
def test_resync_says_everything_and_patch_ids_begin_anew() -> None:
    one = share({A: [(0, UP), (10, DOWN), (20, UP), (30, DOWN), (40, None)]})
    one.begin(0)
    assert [record.patch_id for record in run(one, 29)] == [0, 1]
    again = one.resync(35)
    assert again is not None
    assert again.patch_id is None
    assert again.contents == {"ietf-interfaces:interfaces": {"interface": [DOWN]}}
    (after,) = run(one, 100)
    assert (after.at, after.patch_id) == (40, 0)  # what happened at 30 is in the push-update
    assert one.resync(50) is None  # nothing is left


@pytest.mark.clause("8641-3.7-c")
def test_patch_ids_wrap() -> None:
    one = share({A: [(0, UP), (10, DOWN), (20, UP)]})
    one.begin(0)
    one._patch_id = 2**32 - 1
    assert [record.patch_id for record in run(one, 100)] == [2**32 - 1, 0]


@pytest.mark.clause("8641-3.11.1-d", "8641-5-sync")
def test_without_sync_on_start_only_changes_are_said() -> None:
    terms = OnChange(sync_on_start=False)
    one = share({A: [(0, UP), (10, DOWN)]}, terms)
    assert one.begin(5) is None
    (record,) = run(one, 100)
    assert (record.patch_id, record.incomplete) == (0, False)
    # resumed, it cannot know what happened meanwhile, and MUST say so (RFC 8641 §3.11.1)
    resumed = share({A: [(0, UP), (10, DOWN), (20, UP)]}, terms)
    assert resumed.begin(5, resumed=True) is None
    assert [record.incomplete for record in run(resumed, 100)] == [True, False]


@pytest.mark.clause("8641-3.11.1-b")
def test_a_record_that_lacks_something_says_so() -> None:
    more = {"name": "a", "oper-status": "down", "inside": {"x": 9, "y": 9}}
    one = share({A: [(0, UP), (10, more), (20, more | {"oper-status": "up"})]})
    one.begin(0)
    lacking = one.handle_timer(10, lacking=True)
    assert lacking is not None
    assert lacking.incomplete
    assert [target for _, target, _ in edits(lacking)] == [f"{ENTRY}/oper-status"]
    alone = one.handle_timer(20, lacking=True)
    assert alone is not None
    assert alone.contents == {"yang-patch": {"patch-id": "1"}}


def test_another_share_is_said_whole_or_as_creations() -> None:
    script: dict[Node, list[tuple[int, dict[str, Any] | None]]] = {
        A: [(0, UP), (30, DOWN)], B: [(0, {"name": "b"})],
    }  # fmt: skip
    datastore = cast(Datastore, Script(script))
    one = OnChangeShare(datastore, (A,), EVERYTHING, OnChange())
    one.begin(0)
    assert one.serve((A,), 5) is None
    whole = one.serve((A, B), 10)
    assert whole is not None
    assert len(whole.contents["ietf-interfaces:interfaces"]["interface"]) == 2
    without = OnChangeShare(datastore, (A,), EVERYTHING, OnChange(sync_on_start=False))
    without.begin(0)
    assert without.serve((B,), 10) is None
    (record,) = run(without, 100)  # of what it lost somebody else speaks
    assert edits(record) == [
        ("create", target_of(B), {"ietf-interfaces:interface": [{"name": "b"}]})
    ]


def test_entering_and_leaving_the_selection_is_a_creation_and_a_deletion() -> None:
    selection = select(
        SelectionFilter("xpath", "/ietf-interfaces:interfaces/interface[oper-status='down']/name")
    )
    one = share({A: [(0, UP), (10, DOWN), (20, UP)]}, selection=selection)
    assert one.begin(0) is None
    down, up = run(one, 100)
    assert edits(down) == [("create", ENTRY, {"ietf-interfaces:interface": [{"name": "a"}]})]
    assert edits(up) == [("delete", ENTRY, None)]


def test_counters_are_not_in_it() -> None:
    scenario = Scenario(
        card=(Card("lc1", 2, ("a",), ("fan",)),),
        changes=Changes(status_seconds=2, sensor_seconds=2),
    )
    nodes = (A, Node("ietf-hardware", "fan"))
    one = OnChangeShare(Datastore(scenario), nodes, EVERYTHING, OnChange())
    at = 1_800_000_000 * SECOND
    first = one.begin(at)
    assert first is not None
    text = str([first, *run(one, at + 20 * SECOND)])
    assert "oper-status" in text
    assert "oper-state" in text
    assert "statistics" not in text
    assert "'value':" not in text.replace("'value': {", "")
    assert "value-timestamp" not in text
