"""``.sid`` files: those of RFC 9595, those with faults, and our own experimental ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from collector.errors import UsageError
from collector.schema import sid
from collector.schema.sid import experimental_sids_folder, load_sids


def write(folder: Path, name: str, items: list[dict[str, Any]], **more: Any) -> None:
    content = {"module-name": name, "item": items, **more}
    (folder / f"{name}.sid").write_text(json.dumps({"ietf-sid-file:sid-file": content}))


def item(namespace: str, identifier: str, number: Any, status: str = "stable") -> dict[str, Any]:
    return {
        "status": status, "namespace": namespace, "identifier": identifier, "sid": number,
    }  # fmt: skip


# draft-ietf-netconf-notif-envelope-04, Figure 11, a part of it as printed
FIGURE = """
{
  "ietf-sid-file:sid-file": {
    "module-name": "ietf-yp-notification",
    "module-revision": "2025-12-24",
    "sid-file-status":"unpublished",
    "assignment-range": [ { "entry-point": "2950", "size": "50" } ],
    "item": [
      { "status":"unstable", "namespace":"module",
        "identifier":"ietf-yp-notification", "sid":"2950" },
      { "status":"unstable", "namespace":"data",
        "identifier":"/ietf-yp-notification:envelope", "sid":"2957" },
      { "status":"unstable", "namespace":"data",
        "identifier":"/ietf-yp-notification:envelope/contents", "sid":"2958" }
    ]
  }
}
"""


def test_a_file_of_a_draft(tmp_path: Path) -> None:
    (tmp_path / "a.sid").write_text(FIGURE)
    table, wrong = load_sids([tmp_path])
    assert not wrong
    assert table.paths == {
        2957: "/ietf-yp-notification:envelope",
        2958: "/ietf-yp-notification:envelope/contents",
    }
    assert table.nodes[2958] == ("ietf-yp-notification", "contents")


def test_all_kinds_of_items(tmp_path: Path) -> None:
    write(tmp_path, "m", [
        item("identity", "thing", "5"), item("feature", "f", 6), item("data", "/m:a", 7),
        item("data", "/m:old", "8", "obsolete"),
    ])  # fmt: skip
    (tmp_path / "deep").mkdir()
    old = {"module-name": "n", "items": [{"namespace": "data", "identifier": "/n:b", "sid": 9}]}
    (tmp_path / "deep" / "old.sid").write_text(json.dumps(old))
    table, wrong = load_sids([tmp_path])
    assert not wrong
    assert table.identities == {5: "m:thing"}
    assert table.paths == {7: "/m:a", 9: "/n:b"}


def test_one_number_with_two_meanings(tmp_path: Path) -> None:
    write(tmp_path, "a", [item("data", "/a:x", 5), item("feature", "f", 6)])
    write(
        tmp_path, "b", [item("data", "/a:x", 5), item("data", "/b:x", 6), item("data", "/b:y", 5)]
    )
    table, wrong = load_sids([tmp_path])
    assert table.paths == {5: "/a:x"}
    assert [sentence.partition(": ")[2] for sentence in wrong] == [
        "SID 6 is f already, not /b:x", "SID 5 is /a:x already, not /b:y",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "{", "5", '"x"', '{"module-name": 1, "item": []}', '{"item": []}',
        '{"module-name": "m", "item": {}}', '{"module-name": "m", "item": [5]}',
        '{"module-name": "m", "item": [{"namespace": "data", "identifier": "/m:a"}]}',
        '{"module-name": "m", "item": [{"namespace": "data", "identifier": 1, "sid": 1}]}',
        '{"module-name": "m", "item": [{"namespace": "data", "identifier": "/m:a", "sid": 0}]}',
        '{"module-name": "m", "item": [{"namespace": "data", "identifier": "/m:a", "sid": "x"}]}',
        '{"module-name": "m", "item": [{"namespace": "data", "identifier": "/m:a",'
        ' "sid": "9223372036854775808"}]}',
    ],
)  # fmt: skip
def test_what_is_no_sid_file_is_said_and_passed(tmp_path: Path, text: str) -> None:
    (tmp_path / "bad.sid").write_text(text)
    write(tmp_path, "good", [item("data", "/good:a", 7)])
    table, wrong = load_sids([tmp_path])
    assert table.paths == {7: "/good:a"}
    assert len(wrong) == 1
    assert "bad.sid: no .sid file" in wrong[0]


def test_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, "m", [item("data", f"/m:a{number}", number) for number in range(1, 9)])
    monkeypatch.setattr(sid, "MAX_ITEMS", 5)
    table, wrong = load_sids([tmp_path])
    assert (len(table.paths), len(wrong)) == (5, 1)
    monkeypatch.setattr(sid, "MAX_OCTETS", 100)
    table, wrong = load_sids([tmp_path])
    assert (len(table.paths), len(wrong)) == (0, 1)


def test_folders_that_are_none(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "gone"):
        with pytest.raises(UsageError):
            load_sids([folder])


# --------------------------------------------------------------------------- our own
def test_our_numbers_are_experimental_and_unique() -> None:
    table, wrong = load_sids([experimental_sids_folder()])
    assert not wrong
    numbers = [*table.paths, *table.identities]
    proposed = [number for number in numbers if 2950 <= number < 3000]  # of the envelope's draft
    assert len(proposed) == 11
    assert all(60_000 <= number < 100_000 for number in set(numbers) - set(proposed))


def test_our_files_say_that_they_are_registered_nowhere() -> None:
    files = sorted(experimental_sids_folder().glob("*.sid"))
    assert len(files) > 8
    for file in files:
        content = json.loads(file.read_text())["ietf-sid-file:sid-file"]
        assert content["sid-file-status"] == "unpublished"
        assert "registered nowhere" in content["description"]
        assert {one["status"] for one in content["item"]} == {"unstable"}
        (assigned,) = content["assignment-range"]
        first, size = int(assigned["entry-point"]), int(assigned["size"])
        assert all(first <= int(one["sid"]) < first + size for one in content["item"])


def test_every_node_that_the_simulator_sends_has_a_number() -> None:
    table, _ = load_sids([experimental_sids_folder()])
    for path in (
        "/ietf-yp-notification:envelope/contents",
        "/ietf-yang-push:push-update/datastore-contents",
        "/ietf-yang-push:push-update/ietf-distributed-notif:message-publisher-id",
        "/ietf-yang-push:push-update/ietf-yp-observation:timestamp",
        "/ietf-subscribed-notifications:subscription-started/ietf-yang-push:periodic/period",
        "/ietf-subscribed-notifications:subscription-terminated/reason",
        "/ietf-interfaces:interfaces/interface/statistics/in-octets",
        "/ietf-hardware:hardware/component/sensor-data/value",
        "/ietf-notification-messages:message/notifications/notification-contents",
    ):
        assert path in table.sids, path
