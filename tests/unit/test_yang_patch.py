"""Edits of push-change-updates, as figures print them and as devices send them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cbor2
import pytest

from collector.errors import WireError
from collector.model import MediaType
from collector.wire.notifications import yang_patch
from collector.wire.notifications.yang_patch import Edit, YangPatch, patch_of, read_patch
from collector.wire.values import plain_xml

VECTORS = Path(__file__).parents[1] / "vectors" / "notification"
JSON, XML, CBOR = MediaType.YANG_DATA_JSON, MediaType.YANG_DATA_XML, MediaType.YANG_DATA_CBOR


def message(patch: Any, holder: str = "datastore-changes") -> dict[str, Any]:
    body = {"id": 7, holder: {"yang-patch": patch}}
    contents = {"ietf-yang-push:push-change-update": body}
    return {"ietf-yp-notification:envelope": {"contents": contents}}


EDITS = [
    {"edit-id": "b", "operation": "merge", "target": "/m:a", "value": {"m:a": {"x": "1"}}},
    {"edit-id": "a", "operation": "delete", "target": "/m:a/l[k='2']"},
    {"edit-id": "c", "operation": "move", "target": "/m:u[k='3']", "point": "/m:u[k='1']",
     "where": "after"},
]  # fmt: skip
READ = YangPatch(
    "17",
    (
        Edit("b", "merge", "/m:a", value={"m:a": {"x": "1"}}),
        Edit("a", "delete", "/m:a/l[k='2']"),
        Edit("c", "move", "/m:u[k='3']", "/m:u[k='1']", "after"),
    ),
    "why",
)
WHOLE = {"patch-id": "17", "comment": "why", "edit": EDITS}


def test_figure_2_of_rfc_8641() -> None:
    patch = read_patch((VECTORS / "rfc8641-figure-2.xml").read_bytes(), XML)
    assert patch is not None
    assert (patch.patch_id, len(patch.edits)) == ("0", 1)
    (edit,) = patch.edits
    assert (edit.edit_id, edit.operation) == ("edit1", "replace")
    assert edit.target == "/ietf-interfaces:interfaces"
    assert edit.value == {
        "ietf-interfaces:interfaces": {"interface": {"name": "eth0", "oper-status": "down"}}
    }


def test_a_patch_where_the_envelope_draft_puts_it() -> None:
    patch = read_patch((VECTORS / "envelope-figure-8.json").read_bytes(), JSON)
    assert patch is not None
    assert (patch.patch_id, patch.edits[0].edit_id) == ("52", "edit_example_1")


def test_every_member_in_every_encoding() -> None:
    assert read_patch(json.dumps(message(WHOLE)).encode(), JSON) == READ
    assert read_patch(cbor2.dumps(message(WHOLE)), CBOR) == READ
    assert read_patch(plain_xml.message_to_xml(message(WHOLE)), XML) == READ


def test_order_is_the_senders() -> None:
    assert [edit.edit_id for edit in READ.edits] == ["b", "a", "c"]
    back = WHOLE | {"edit": EDITS[::-1]}
    found = read_patch(json.dumps(message(back)).encode(), JSON)
    assert found is not None
    assert found.edits == READ.edits[::-1]


@pytest.mark.parametrize("wrapper", ["bare", "rfc5277", "messages"])
def test_wrappers(wrapper: str) -> None:
    body = {"ietf-yang-push:push-change-update": {"datastore-changes": {"yang-patch": WHOLE}}}
    told: Any = body
    if wrapper == "rfc5277":
        told = {"ietf-notification:notification": {"eventTime": "x", **body}}
    if wrapper == "messages":
        told = {"ietf-notification-messages:message": {"notifications": [
            {"notification-contents": {"ietf-yang-push:push-update": {}}},
            {"notification-contents": body}]}}  # fmt: skip
    assert patch_of(told, 1) == READ
    assert (patch_of(told, 0) == READ) is (wrapper != "messages")


def test_names_with_modules_and_foreign_members() -> None:
    edit = {"edit-id": "e", "operation": "remove", "target": "/a", "acme:operation": "x"}
    patch = {"ietf-yang-patch:patch-id": 5, "acme:patch-id": "x", "edit": edit}
    told = {"ietf-yang-patch:yang-patch": patch}
    found = patch_of({"m:push-change-update": {"datastore-changes": told}})
    assert found == YangPatch("5", (Edit("e", "remove", "/a"),))


@pytest.mark.parametrize(
    "told",
    [None, 5, [], {}, {"a": {}}, {"ietf-yang-push:push-change-update": {"id": 1}},
     {"notification": {"notification": {"datastore-changes": []}}}],
)  # fmt: skip
def test_no_patch(told: Any) -> None:
    assert patch_of(told) is None


def test_a_patch_without_edits() -> None:
    assert patch_of(message({"patch-id": "0"})) == YangPatch("0")


def test_the_way_to_the_patch_is_bounded() -> None:
    told: Any = {"yang-patch": WHOLE}
    for _ in range(8):
        told = {"contents": told}
    assert patch_of(told) == READ
    assert patch_of({"contents": told}) is None


@pytest.mark.parametrize(
    "wrong",
    [
        None, 5, "text", [], [5], {}, {"patch-id": None}, {"patch-id": {}}, {"edit": EDITS},
        {"patch-id": "1", "edit": 5}, {"patch-id": "1", "edit": [None]},
        {"patch-id": "1", "ietf-yang-patch:patch-id": "2"}, WHOLE | {"comment": {}},
        *(
            WHOLE | {"edit": [EDITS[2] | change]}
            for change in ({"operation": "test"}, {"where": "between"}, {"edit-id": None},
                           {"target": []}, {"point": {}}, {"operation": 1})
        ),
        *(
            WHOLE | {"edit": [{k: v for k, v in EDITS[0].items() if k != name}]}
            for name in ("edit-id", "operation", "target")
        ),
    ],
)  # fmt: skip
def test_what_is_no_patch_is_refused(wrong: Any) -> None:
    with pytest.raises(WireError) as refused:
        patch_of(message(wrong))
    assert refused.value.reason in ("bad-value", "duplicate-member")


def test_the_number_of_edits_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yang_patch, "MAX_EDITS", 2)
    with pytest.raises(WireError) as refused:
        patch_of(message(WHOLE))
    assert refused.value.reason == "bad-value"


def test_octets_that_are_no_message_any_more() -> None:
    for media_type in (JSON, XML, CBOR):
        with pytest.raises(WireError):
            read_patch(b"\xff", media_type)
    deep = json.dumps(message(WHOLE)).replace('"x"', '"y": ' + "[" * 3000 + "]" * 3000 + ', "x"')
    with pytest.raises(WireError) as refused:
        read_patch(deep.encode(), JSON)
    assert refused.value.reason == "too-deep"


def test_enumerations_are_numbers_in_cbor_and_nowhere_else() -> None:
    edit = {"edit-id": "1", "operation": 4, "target": "/a", "where": 1}
    moved = message({"patch-id": "0", "edit": [edit]})
    found = read_patch(cbor2.dumps(moved), CBOR)
    assert found is not None
    (one,) = found.edits
    assert (one.operation, one.where) == ("move", "after")  # RFC 9254 §6.6, RFC 8072 §3
    for odd in ({"operation": 7}, {"operation": -1}, {"operation": True}, {"where": 4}):
        with pytest.raises(WireError):
            patch_of(message({"patch-id": "0", "edit": [edit | odd]}), numbered=True)
    with pytest.raises(WireError):
        read_patch(json.dumps(moved).encode(), JSON)
