"""Continuity of patch-ids: what each step says, for one originator, many, after a restart."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from collector.core.on_change import patch_ids
from collector.core.on_change.patch_ids import MAX_GAP, Patched, PatchIds
from collector.model import SECOND, CollectorTime, Event

UPDATE = None
"""A push-update."""


def told(ids: list[Any], times: list[float] | None = None, **more: Any) -> list[Patched]:
    """One message of an originator every 100 s."""
    seconds = times or [100.0 * place for place in range(len(ids))]
    fixed: dict[str, Any] = {
        "device": "core7", "subscription_id": 7, "revision": 3, "generator": "lc1",
    } | more  # fmt: skip
    return [
        Patched(CollectorTime(place), place, patch_id=None if one is None else str(one),
                made=round(second * SECOND), **fixed)
        for place, (one, second) in enumerate(zip(ids, seconds, strict=True))
    ]  # fmt: skip


def said(ids: list[Any], times: list[float] | None = None) -> tuple[list[str], dict[str, int]]:
    """Kinds of the events, and the counts."""
    found = PatchIds()
    return [event.kind for event in found.receive(told(ids, times))], found.counts


@pytest.mark.parametrize(
    "ids",
    [
        [0, 1, 2, 3], [41, 42, 43], [UPDATE, 0, 1, UPDATE, 0, 1], [5, 6, UPDATE, 7, 8],
        [4_294_967_294, 4_294_967_295, 0, 1], ["patch-1", "patch-2", "patch-3"], [UPDATE, UPDATE],
        [UPDATE, 9, 10], ["s1-p0", "s1-p1", "s2-p0", "s2-p1"], [0, UPDATE, UPDATE, 0],
    ],
)  # fmt: skip
def test_whole_sequences(ids: list[Any]) -> None:
    assert said(ids) == ([], {})


@pytest.mark.parametrize(
    ("ids", "kinds", "counts"),
    [
        ([0, 2], ["patch_gap"], {"gap": 1, "missing": 1}),
        ([0, 5, 6], ["patch_gap"], {"gap": 1, "missing": 4}),
        ([4_294_967_295, 2], ["patch_gap"], {"gap": 1, "missing": 2}),
        ([7, 8, UPDATE, 2, 3], ["patch_gap"], {"gap": 1, "missing": 2}),
        ([1, UPDATE, 5], ["patch_gap"], {"gap": 1, "missing": 3}),
        ([7, 8, 0, 1], ["patch_restart"], {"restart": 1}),
        ([7, MAX_GAP + 8, MAX_GAP + 9], ["patch_restart"], {"restart": 1}),
        ([MAX_GAP * 4, UPDATE, MAX_GAP * 2], ["patch_restart"], {"restart": 1}),
        (["x", "y", "x"], ["patch_not_counted"], {"not-counted": 3}),
        ([0, 0, 0], ["patch_not_counted"], {"not-counted": 2}),
        ([0, 0, 1, 2, 2], ["patch_not_counted"] * 2, {"not-counted": 2}),
        (["4294967296", "1" * 300], ["patch_not_counted"], {"not-counted": 2}),
        ([1, UPDATE, 1], ["patch_not_counted"], {"not-counted": 1}),
    ],
)  # fmt: skip
def test_odd_steps(ids: list[Any], kinds: list[str], counts: dict[str, int]) -> None:
    assert said(ids) == (kinds, counts)


def test_late_ones_fill_the_hole_they_belong_to() -> None:
    ids, times = [0, 5, 3, 1, 4, 2, 6], [0.0, 5, 3, 1, 4, 2, 6]
    assert said(ids, times) == (
        ["patch_gap", "patch_late", "patch_late", "patch_late", "patch_late"],
        {"gap": 1, "missing": 4, "late": 4},
    )


def test_doubled_and_repeated_ones() -> None:
    assert said([0, 1, 2, 1], [0.0, 1, 2, 1]) == ([], {"duplicate": 1})
    assert said([19, 19, 19, 20, 20], [0.0, 0, 0.1, 60, 60]) == ([], {"repeated": 3})
    # behind a push-update that overtook them
    assert said([0, 1, UPDATE, 1, 0, 1], [0.0, 1, 2, 1, 3, 4]) == ([], {"duplicate": 1})


def test_what_was_made_before_a_push_update_says_nothing_of_the_ids_behind_it() -> None:
    assert said([5, 8, UPDATE, 1, 6, 2], [0.0, 1, 2, 3, 0.5, 4]) == (
        ["patch_gap", "patch_gap"], {"gap": 2, "missing": 3, "duplicate": 1}
    )  # fmt: skip


def test_what_is_said() -> None:
    (gap,) = PatchIds().receive(told([4, 8]))
    assert gap == Event(
        CollectorTime(1), "core7", "lc1", "patch_gap",
        "Subscription 7: Patches of lc1 are missing: 5 to 7.",
    )  # fmt: skip
    (gap,) = PatchIds().receive(told([4, 6], subscription_id=-1))
    assert gap.text == "Patches of lc1 are missing: 5."
    (anew,) = PatchIds().receive(told([4, 0]))
    assert anew.text == "Subscription 7: Patches of lc1 began anew at 0 without a push-update."
    (stuck,) = PatchIds().receive(told(["a" * 99]))
    assert len(stuck.text) < 160


def test_incomplete_updates() -> None:
    found = PatchIds()
    (event,) = found.receive(told([0], incomplete=True))
    assert event.kind == "incomplete_update"
    assert event.text == "Subscription 7: An update of lc1 leaves something out."
    assert len(found.receive(told([UPDATE], incomplete=True))) == 1
    assert found.counts == {"incomplete": 2}


def test_what_repeats_is_said_less_and_less() -> None:
    found = PatchIds()
    events = found.receive(told(list(range(0, 80, 2))))
    assert found.counts["gap"] == 39
    assert len(events) == 8 + 2  # 16 and 32
    assert events[-1].text.endswith("(32 times so far).")


def test_each_originator_of_each_subscription_has_its_run() -> None:
    found = PatchIds()
    for ids in ([0, 1], [2, 3]):
        for generator in ("lc1", "lc2"):
            for number in (7, 8):
                assert not found.receive(told(ids, generator=generator, subscription_id=number))
    assert not found.receive(told([9], device="edge1"))
    assert found.receive(told([5], [200.0], generator="lc2", subscription_id=8))[0].subject == "lc2"
    assert found.subscriptions("core7") == {7, 8}
    assert found.subscriptions("nowhere") == set()


def test_a_new_revision_begins_anew() -> None:
    found = PatchIds()
    found.receive(told([0, 1]))
    assert not found.receive(told([40, 41], revision=9))
    assert not found.receive(told([UPDATE], revision=10))
    assert found.subscriptions("core7") == set()


def test_tables_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patch_ids, "RUNS_PER_DEVICE", 2)
    found = PatchIds()
    for number in (1, 2, 1, 3):  # the second one was used least lately
        found.receive(told([0], [0.0], subscription_id=number))
    assert found.subscriptions("core7") == {1, 3}
    assert found.counts == {"repeated": 1, "forgotten": 1}
    found = PatchIds()
    found.receive(told(list(range(0, 300, 3))))
    (run,) = found._devices["core7"].runs.values()
    assert len(run.holes) == patch_ids.HOLES_PER_RUN


def test_a_snapshot_anywhere_changes_nothing() -> None:
    story = told([0, 2, 1, UPDATE, 0, 4, 4, 3, 9, "x", 10], [0.0, 2, 1, 3, 4, 5, 5, 4, 6, 7, 8])
    whole = PatchIds().receive(story)
    for at in range(len(story) + 1):
        before, after = PatchIds(), PatchIds()
        first = before.receive(story[:at])
        after.restore("core7", before.snapshot("core7"), at)
        assert first + after.receive(story) == whole


def test_snapshots_of_nothing_and_of_something_else() -> None:
    found = PatchIds()
    found.restore("core7", b"", 4)
    assert not found.receive(told([0, 5], [0.0, 1])[:2])
    with pytest.raises(msgspec.MsgspecError):
        found.restore("core7", b"\xc1", 0)
