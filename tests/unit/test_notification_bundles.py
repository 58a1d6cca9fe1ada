"""Messages of several notifications, in every encoding, and every root form in every encoding."""

from __future__ import annotations

import json
from typing import Any

import cbor2
import pytest

from collector.errors import WireError
from collector.model import MediaType, Notification, NotificationKind
from collector.wire.encodings import members, yang_xml
from collector.wire.notifications.notification import decode
from collector.wire.values import names, plain_xml
from collector.wire.values.timestamps import parse_date_and_time

K = NotificationKind
T = "2027-01-15T08:00:00.5Z"
SN = "ietf-subscribed-notifications"
YP = "ietf-yang-push"
ENCODINGS = [MediaType.YANG_DATA_JSON, MediaType.YANG_DATA_XML, MediaType.YANG_DATA_CBOR]
NM = "urn:ietf:params:xml:ns:yang:ietf-notification-messages"
in_every_encoding = pytest.mark.parametrize("media_type", ENCODINGS, ids=["json", "xml", "cbor"])


def octets(message: dict[str, Any], media_type: MediaType) -> bytes:
    """By the libraries themselves where there are some."""
    if media_type == MediaType.YANG_DATA_JSON:
        return json.dumps(message, separators=(",", ":")).encode()
    if media_type == MediaType.YANG_DATA_CBOR:
        return cbor2.dumps(message)
    return plain_xml.message_to_xml(message)


def entry(time: str | None = None, ids: Any = None, **contents: Any) -> dict[str, Any]:
    header = {}
    if time is not None:
        header["notification-time"] = time
    if ids is not None:
        header["subscription-id"] = ids
    found: dict[str, Any] = {"notification-header": header} if header else {}
    return found | {"notification-contents": {k.replace("__", ":"): v for k, v in contents.items()}}


def bundle(*entries: Any, **header: Any) -> dict[str, Any]:
    header = {"message-time": T, "message-id": 12, "message-generator-id": "linecard 1"} | header
    body = {"message-header": header, "notifications": list(entries)}
    return {names.ROOT_MESSAGES: body}


UPDATE, CHANGE = {f"{YP}:push-update": {"id": 7}}, {f"{YP}:push-change-update": {"id": 8}}
MODIFIED = {f"{SN}:subscription-suspended": {"id": 7, "reason": "insufficient-resources"}}


@in_every_encoding
def test_each_entry_has_its_subscription_and_time(media_type: MediaType) -> None:
    message = bundle(
        entry("2027-01-15T08:00:01Z", [22], **{f"{YP}:push-update": {}}),
        entry(None, [23], **{f"{YP}:push-change-update": {"incomplete-update": [None]}}),
        entry("2027-01-15T08:00:02Z", **MODIFIED),
        entry(**{f"{YP}:push-update": {"id": 24}}),
    )
    first = decode(octets(message, media_type), media_type)
    assert [one.subscription_id for one in (first, *first.bundled)] == [22, 23, 7, 24]
    assert [one.kind for one in (first, *first.bundled)] == [
        K.PUSH_UPDATE, K.PUSH_CHANGE_UPDATE, K.SUBSCRIPTION_SUSPENDED, K.PUSH_UPDATE,
    ]  # fmt: skip
    own = parse_date_and_time(T)
    later = [parse_date_and_time(f"2027-01-15T08:00:0{second}Z") for second in (1, 2)]
    assert [one.event_time for one in (first, *first.bundled)] == [later[0], own, later[1], own]
    for one in (first, *first.bundled):
        assert (one.generator, one.sequence_number) == ("linecard 1", 12)
        assert one.root == names.ROOT_MESSAGES
    assert [one.bundled for one in first.bundled] == [(), (), ()]
    assert first.bundled[0].incomplete_update
    change = first.bundled[1].state_change
    assert change is not None
    assert change.reason == "insufficient-resources"


@in_every_encoding
def test_the_name_of_the_module_in_the_way_of_the_draft(media_type: MediaType) -> None:
    message = bundle(entry(**UPDATE), entry(**CHANGE))
    plain = {"message": message[names.ROOT_MESSAGES]}
    said = decode(octets(message, media_type), media_type)
    if media_type != MediaType.YANG_DATA_XML:  # which has no names without a module
        assert decode(octets(plain, media_type), media_type) == said
    assert len(said.bundled) == 1


@in_every_encoding
def test_one_wrong_entry_refuses_the_message(media_type: MediaType) -> None:
    wrong = {f"{YP}:push-update": {"id": "seven"}}
    with pytest.raises(WireError) as refused:
        decode(octets(bundle(entry(**UPDATE), entry(**wrong)), media_type), media_type)
    assert refused.value.reason == "bad-value"
    with pytest.raises(WireError) as refused:
        decode(octets(bundle(entry(**UPDATE), entry()), media_type), media_type)
    assert refused.value.reason == "no-notification"


def test_the_number_of_entries_is_bounded() -> None:
    def said(count: int) -> Notification:
        return decode(octets(bundle(*[entry(**UPDATE)] * count), MediaType.YANG_DATA_JSON), 1)

    assert len(said(members.MAX_BUNDLED).bundled) == members.MAX_BUNDLED - 1
    with pytest.raises(WireError) as refused:
        said(members.MAX_BUNDLED + 1)
    assert refused.value.reason == "bad-value"


# --------------------------------------------------------------------------- every root form
ROOTS = {
    "envelope": (
        {"ietf-yp-notification:envelope": {
            "event-time": T, "hostname": "r1", "sequence-number": 5, "contents": UPDATE}},
        (names.ROOT_ENVELOPE, "r1", 5),
    ),
    "envelope-old": (
        {"ietf-yp-notification:envelope": {"event-time": T, "notification-contents": UPDATE}},
        (names.ROOT_ENVELOPE, None, None),
    ),
    "rfc5277": (
        {"ietf-notification:notification": {
            "eventTime": T, "ietf-notification-sequencing:sysName": "r1",
            "ietf-notification-sequencing:sequenceNumber": 5, **UPDATE}},
        (names.ROOT_NOTIFICATION, "r1", 5),
    ),
    "restconf": (
        {"ietf-restconf:notification": {"eventTime": T, **UPDATE}},
        (names.ROOT_RESTCONF, None, None),
    ),
    "https": (
        {"ietf-https-notif:notification": {"eventTime": T, **UPDATE}},
        (names.ROOT_HTTPS, None, None),
    ),
    "arrcus": (
        {"ietf-yp-notification:notification": {"event-time": T, **UPDATE}},
        (names.ROOT_ARRCUS, None, None),
    ),
    "messages": (bundle(entry(**UPDATE)), (names.ROOT_MESSAGES, None, 12)),
    "bare": (UPDATE, (names.ROOT_BARE, None, None)),
}  # fmt: skip
"""digest of the wrappers: JSON root -> what is said of it."""


@in_every_encoding
@pytest.mark.parametrize("form", ROOTS)
def test_every_root_in_every_encoding(form: str, media_type: MediaType) -> None:
    message, (root, hostname, number) = ROOTS[form]
    said = decode(octets(message, media_type), media_type)
    assert (said.root, said.hostname, said.sequence_number) == (root, hostname, number)
    assert (said.kind, said.subscription_id) == (K.PUSH_UPDATE, 7)
    assert said.event_time == (None if form == "bare" else parse_date_and_time(T))


def test_xml_typed_from_the_draft() -> None:
    document = f"""<message xmlns="{NM}">
  <message-header><message-time>{T}</message-time><message-id>12</message-id>
    <message-generator-id>linecard 1</message-generator-id>
    <notification-count>2</notification-count></message-header>
  <notifications><notification-header><notification-time>{T}</notification-time>
      <subscription-id>22</subscription-id></notification-header>
    <notification-contents><push-update xmlns="urn:ietf:params:xml:ns:yang:{YP}"/>
    </notification-contents></notifications>
  <notifications><notification-header><notification-time>{T}</notification-time>
      <subscription-id>23</subscription-id></notification-header>
    <notification-contents><push-update xmlns="urn:ietf:params:xml:ns:yang:{YP}"/>
    </notification-contents></notifications>
</message>"""
    said = yang_xml.XmlEncoding().decode(document.encode())
    assert [one.subscription_id for one in (said, *said.bundled)] == [22, 23]
    assert {one.generator for one in (said, *said.bundled)} == {"linecard 1"}
