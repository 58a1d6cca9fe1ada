"""Push-change-updates on their way: rows of edits, events of patch-ids, any batch borders."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import cbor2
import pytest

from collector.model import (
    DeviceTime,
    Notification,
    NotificationKind,
    OnChange,
    StateChange,
    SubscriptionTerms,
)
from collector.pipeline import Pipeline, patches
from collector.store.said import edit_rows, tables_of
from collector.store.tables import EDITS
from collector.wire.notifications.notification import encode
from collector.wire.values import names
from tests.unit.pipeline_records import STRANGER, Story, ns, update

PUSH = {False: NotificationKind.PUSH_UPDATE, True: NotificationKind.PUSH_CHANGE_UPDATE}
NAMED = ("patch_gap", "patch_late", "patch_restart", "patch_not_counted", "incomplete_update")


def change(at: float, patch_id: Any, *edits: dict[str, Any], incomplete: bool = False) -> bytes:
    """A push-change-update of subscription 9; ``patch_id`` None: a push-update."""
    kind = PUSH[patch_id is not None]
    told = Notification(
        kind, f"ietf-yang-push:{kind.value}", names.ROOT_ENVELOPE, 9,
        event_time=DeviceTime(ns(at)), incomplete_update=incomplete,
    )  # fmt: skip
    patch = {"yang-patch": {"patch-id": str(patch_id), "edit": list(edits)}}
    return encode(told, None if patch_id is None else patch)


def edit(name: str, value: Any = None) -> dict[str, Any]:
    found = {"edit-id": name, "operation": "replace", "target": f"/m:a/{name}"}
    return found if value is None else found | {"value": value}


def story(ids: Iterable[Any], header: int = 1) -> Story:
    """One message every second."""
    found = Story()
    found.configured()
    for place, one in enumerate(ids):
        found.data(place + 1, change(place + 1, one, edit("e")), header=header)
    return found


def events(said: Iterable[Any]) -> list[tuple[str, str]]:
    return [(row.kind, row.text) for one in said for row in one.events if row.kind in NAMED]


def test_rows_of_edits_in_their_order() -> None:
    found = Story()
    found.configured()
    value = {"m:a": {"x": "é", "l": [1, True, None]}}
    found.data(1, change(1, 0, edit("b", value), edit("a"), edit("c", {"m:a": 1})), header=4)
    found.data(2, change(2, 1), header=4)
    found.data(3, change(3, 2, edit("z")), header=4)
    (said,) = found.tell(Pipeline())
    rows = edit_rows(said.edits).to_pylist()
    assert [(row["patch_id"], row["position"], row["edit_id"]) for row in rows] == [
        ("0", 0, "b"), ("0", 1, "a"), ("0", 2, "c"), ("2", 0, "z"),
    ]  # fmt: skip
    assert json.loads(rows[0]["value"]) == value
    assert "é" in rows[0]["value"]
    first = rows[1]
    del first["received_at"]
    assert first == {
        "device": "core7", "generator": "4", "subscription_id": 9, "revision": None,
        "journal_offset": 2, "patch_id": "0", "position": 1, "edit_id": "a",
        "operation": "replace", "target": "/m:a/a", "point": None, "insert_where": None,
        "value": None,
    }  # fmt: skip
    assert tables_of([said])["edits"].schema == EDITS


def test_no_rows_where_nobody_keeps_them() -> None:
    pipeline, found = Pipeline(), story([0, 2])
    (batch,) = found.batches()
    said = pipeline.receive(0, batch, None)
    assert list(said.edits) == []
    assert events([said]) == [("patch_gap", "Subscription 9: Patches of 1 are missing: 1.")]


def test_a_gap_is_an_event_and_no_verdict() -> None:
    (said,) = story([0, 1, 4, 5, None, 0, 1]).tell(Pipeline())
    assert events([said]) == [("patch_gap", "Subscription 9: Patches of 1 are missing: 2 to 3.")]
    assert not said.verdicts


def test_originators_count_on_their_own() -> None:
    found = Story()
    found.configured()
    for place in range(6):
        found.data(place + 1, change(place + 1, place // 2), header=1 + place % 2)
    assert events(found.tell(Pipeline())) == []


def test_a_push_update_of_another_subscription_changes_nothing() -> None:
    found = story([0, 1])
    found.data(5, update(5, 8))
    found.data(6, change(6, 2))
    found.data(7, update(7, 8))
    found.data(8, change(8, 0))
    assert [kind for kind, _ in events(found.tell(Pipeline()))] == ["patch_restart"]


def test_incomplete_changes_are_said() -> None:
    found = story([0])
    found.data(5, change(5, 1, incomplete=True))
    assert events(found.tell(Pipeline())) == [
        ("incomplete_update", "Subscription 9: An update of 1 leaves something out.")
    ]


def test_incomplete_updates_of_a_subscription_without_periods_are_said() -> None:
    terms = SubscriptionTerms(
        datastore="operational", on_change=OnChange(), encoding="encode-json"
    )  # fmt: skip
    started = NotificationKind.SUBSCRIPTION_STARTED
    told = Notification(
        started, f"ietf-subscribed-notifications:{started.value}", names.ROOT_ENVELOPE, 9,
        event_time=DeviceTime(ns(1)), state_change=StateChange(terms, ("1",)),
    )  # fmt: skip
    found = Story()
    found.configured()
    found.data(1, encode(told, mode=names.MODE_DN_19), header=0)
    found.data(2, change(2, None, incomplete=True))
    found.data(3, change(3, 0))
    found.data(4, change(4, 2))
    for size in (1, 1 << 30):
        assert [kind for kind, _ in events(found.tell(Pipeline(), size))] == [
            "incomplete_update", "patch_gap",
        ]  # fmt: skip


def test_contents_that_are_no_patch_are_counted() -> None:
    found, pipeline = story([0]), Pipeline()
    whole = json.loads(change(5, 1, edit("e")))
    body = whole[names.ROOT_ENVELOPE]["contents"]["ietf-yang-push:push-change-update"]
    body["datastore-changes"]["yang-patch"]["edit"][0]["operation"] = "test"
    found.data(5, json.dumps(whole).encode())
    del body["datastore-changes"]
    found.data(6, json.dumps(whole).encode())
    found.data(7, change(7, 1, edit("e")))
    (said,) = found.tell(pipeline)
    assert events([said]) == []
    assert pipeline.patches.unread == {"bad-value": 1, "no-patch": 1}
    assert len(said.edits) == 2
    assert pipeline.counts.rejected == {}


def test_octets_of_cbor_become_text() -> None:
    found = Story()
    found.configured()
    whole = json.loads(change(5, 1, edit("e", {"m:a": 1})))
    body = whole[names.ROOT_ENVELOPE]["contents"]["ietf-yang-push:push-change-update"]
    body["datastore-changes"]["yang-patch"]["edit"][0]["value"] = {"m:a": b"\x01"}
    found.data(5, cbor2.dumps(whole), media_type=3)
    (said,) = found.tell(Pipeline())
    assert json.loads(said.edits[0].value) == {"m:a": "b'\\x01'"}


IDS = [None, 0, 1, 4, 2, None, 0, 1, None, 0, "x", 2, 7, None]


@pytest.mark.parametrize("rows", [1, 2, 3, 5])
def test_batch_borders_change_nothing(rows: int) -> None:
    whole, cut = (story(IDS).tell(Pipeline(), size) for size in (1 << 30, rows))
    assert events(whole) == events(cut)
    assert len(events(whole)) > 3
    assert [row for one in whole for row in one.edits] == [row for one in cut for row in one.edits]


@pytest.mark.parametrize("at", range(2, 16))
def test_a_snapshot_anywhere_changes_nothing(at: int) -> None:
    told = story(IDS)
    before, after = Pipeline(), Pipeline()
    whole = told.tell(Pipeline(), 1)
    said = told.tell(before, 1, 0, at)
    parts = [(name, at, before.snapshot_part(name)) for name in before.snapshot_names()]
    assert after.restore(parts) == at
    said += told.tell(after, 1, at)
    assert events(said) == events(whole)


def test_changes_in_a_bundle() -> None:
    found, entries = story([0]), []
    for message in (update(5, 8), change(5, 1, edit("a")), change(5, 2, edit("b"))):
        contents = json.loads(message)[names.ROOT_ENVELOPE]["contents"]
        entries.append({"notification-contents": contents})
    found.data(5, json.dumps({names.ROOT_MESSAGES: {"notifications": entries}}).encode())
    said = found.tell(Pipeline())
    assert events(said) == []
    rows = [(row.patch_id, row.edit_id, row.journal_offset) for one in said for row in one.edits]
    assert rows == [("0", "e", 2), ("1", "a", 3), ("2", "b", 3)]


def test_strangers_have_no_edits() -> None:
    found = Story()
    found.configured()
    found.data(1, change(1, 0, edit("e")), peer=STRANGER)
    assert found.tell(Pipeline())[0].edits == []


def test_what_is_followed_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patches, "FOLLOWED_PER_DEVICE", 3)
    pipeline, found = Pipeline(), Story()
    found.configured()
    for number in range(9):
        payload = change(number, 0).replace(b'"id":9', b'"id":%d' % number)
        found.data(number, payload)
    found.tell(pipeline)
    assert len(pipeline.patches._followed["core7"]) <= 3
    found.tell(pipeline, 1)


def test_edits_are_queried(tmp_path: Path) -> None:
    from collector.store.query import open_query
    from collector.store.writer import StoreWriter

    found = story([0, 1])
    writer = StoreWriter(tmp_path)
    for one in found.tell(Pipeline()):
        writer.add(one)
    writer.seal(0, len(found.batch))
    assert writer.flush(30)
    writer.close()
    sql = "select patch_id, edit_id, operation from edits order by journal_offset, position"
    with open_query(tmp_path) as session:
        assert session.run(sql).to_pylist() == [
            {"patch_id": "0", "edit_id": "e", "operation": "replace"},
            {"patch_id": "1", "edit_id": "e", "operation": "replace"},
        ]
