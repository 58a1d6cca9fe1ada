"""Every rule: broken by a message made for it, kept by one that is as it should be."""

from __future__ import annotations

from typing import Any

import pytest

from collector.conformance import RULES
from collector.model import MediaType, Observed, Origin, Transport
from tests.unit.conformance_maker import (
    CONTENTS,
    IYPO,
    ORIGIN,
    SN,
    YP,
    change,
    datagram,
    envelope,
    header,
    inspected,
    message,
    raw,
    started,
    state,
    text_of,
    update,
)

FIRST = bytes.fromhex("0104 0000")
"""Segmentation option: segment 0, not the last."""


def m(payload: Any, number: int | None = 7, at: float = 0.1, **more: Any) -> Observed:
    """A message in the envelope."""
    return message(envelope(payload, at - 0.1), number, at, **more)


def numbered(numbers: list[int], sequence: list[int], kinds: list[Any] | None = None) -> Any:
    payloads = kinds or [update(float(n)) for n in range(len(numbers))]
    return [
        message(envelope(payload, at, one), number, at + 0.1)
        for at, (number, one, payload) in enumerate(zip(numbers, sequence, payloads, strict=True))
    ]


def contents(**leaves: Any) -> Any:
    return {"ietf-interfaces:interfaces": {"interface": [{"name": "eth0", **leaves}]}}


def others(rule: str) -> list[Observed]:
    """Two subscriptions behind one header id, numbered each by itself."""
    return [
        m(update(at, subscription=1 + n % 2), 100 * (n % 2) + n // 2, at + 0.1)
        for n in range(8)
        for at in [float(n)]
    ]


CASES: dict[str, tuple[list[Observed], list[Observed], str]] = {
    # ------------------------------------------------------------------ datagrams
    "header-is-whole": ([datagram(b"\x21" * 11)], [datagram(raw())], "11 octets"),
    "header-version": ([datagram(raw(0x01))], [datagram(raw())], "version 0"),
    "media-type-not-reserved": ([datagram(raw(0x20))], [datagram(raw(0x22))], "MT 0 without"),
    "media-type-registered": ([datagram(raw(0x27))], [datagram(raw(0x37))], "MT 7"),
    "header-length": ([datagram(raw(header_length=11))], [datagram(raw())], "Header Length 11"),
    "message-length": ([datagram(raw(length=13))], [datagram(raw())], "Message Length 13 in a"),
    "options-well-formed": (
        [datagram(raw(options=b"\x05\x01\x00\x00"))], [datagram(raw(options=FIRST))],
        "options 05 01 00 00",
    ),
    "segmentation-option-first": (
        [datagram(raw(options=b"\x05\x02" + FIRST))], [datagram(raw(options=FIRST + b"\x05\x02"))],
        "options of the types 5, 1",
    ),
    "segmentation-option-length": (
        [datagram(raw(options=b"\x01\x05\x00\x00\x00"))], [datagram(raw(options=FIRST))],
        "5 octets",
    ),
    "last-segment-flag": (
        [datagram(raw(options=bytes.fromhex("0104 8001")))],
        [datagram(raw(options=bytes.fromhex("0104 0003")))],
        "option octets 80 01 are segment 16,384",
    ),
    "option-types-registered": (
        [datagram(raw(options=FIRST + b"\x02\x03x"))], [datagram(raw(options=FIRST))],
        "an option of type 2",
    ),
    "no-ip-fragmentation": (
        [datagram(raw(), fragments=3)], [datagram(raw())], "14 octets in 3 IP fragments",
    ),
    "ephemeral-source-port": (
        [datagram(raw(), port=10003)], [datagram(raw())], "source port 10003",
    ),
    "marked-cs2": ([datagram(raw(), dscp=0)], [datagram(raw())], "DSCP 0"),
    # ------------------------------------------------------------------ ids
    "stream-starts-with-started": (
        [m(update(), 0)], [m(started(), 1), m(update(), 2)], "Message ID 0 is a push-update",
    ),
    "message-id-starts-random": (
        [m(started(), 1)], [m(started(), 815)], "the first one is 1, as -19 to -25 demand",
    ),
    "message-id-increments": (
        numbered([7, 9], [3, 4]), numbered([7, 8], [3, 4]),
        "from 7 to 9 while sequence-number goes from 3 to 4",
    ),
    "message-id-not-reused": (
        [m(update(0.0), 7), m(update(1.0), 7, 1.1)], [m(update(0.0), 7), m(update(1.0), 8, 1.1)],
        "7 is a push-update of subscription 1 and a push-update of subscription 1",
    ),
    "message-id-scope": (
        others(""), [m(update(float(n), subscription=1 + n % 2), n, n + 0.1) for n in range(8)],
        "header id 1 numbers each of its 2 subscriptions by itself",
    ),
    "publisher-id-is-one-process": (
        [m(update(generator=1), 7), m(update(1.0, generator=2), 8)],
        [m(update(), 7), m(update(1.0), 8)], "header id 1 carries 1 and 2",
    ),
    "header-id-is-payload-id": (
        [m(update(generator=2))], [m(update(generator=1))], "header 1, payload 2",
    ),
    "sequence-number-starts-at-1": (
        numbered([815], [0], [started()]), numbered([815], [1], [started()]),
        "a sequence-number of 0 at the start",
    ),
    "sequence-number-increments": (
        numbered([7, 8], [3, 5]), numbered([7, 8], [4294967295, 0]),
        "from 3 to 5 while Message ID goes from 7 to 8",
    ),
    "hostname-and-sequence-number": (
        [m(update())], numbered([7], [3]), "no sequence-number",
    ),
    # ------------------------------------------------------------------ wrapper
    "message-can-be-read": ([message(b"{")], [m(update())], "no JSON"),
    "root-form": ([message(update())], [m(update())], "no wrapper at all"),
    "event-time-present": (
        [message(envelope(update(), event_time=None))], [m(update())], "push-update without one",
    ),
    "event-time-has-zone": (
        [message(envelope(update(), event_time="2023-11-14T22:14:00"))], [m(update())],
        "2023-11-14T22:14:00",
    ),
    "one-notification": (
        [m({**update(), **started()})], [m(update())], "2 in one wrapper",
    ),
    "state-change-alone": (
        [m({**started(), "x:y": {}})], [m(started())], "subscription-started with 1 others",
    ),
    "contents-member-name": (
        [message(envelope(None, contents=None, notification_contents=update()))], [m(update())],
        "notification-contents",
    ),
    "one-encoding-per-receiver": (
        [m(update()), message(envelope(update(1.0)), 8, media_type=MediaType.YANG_DATA_CBOR)],
        [m(update()), m(update(1.0), 8)], "media types 1 and 3",
    ),
    "encoding-as-declared": (
        [m(started(encoding="encode-xml")), m(update(1.0), 8, 1.1)],
        [m(started()), m(update(1.0), 8, 1.1)], "encode-json where encode-xml was named",
    ),
    "transport-as-declared": (
        [m(started(transport="ietf-https-notif-transport:https")), m(update(1.0), 8, 1.1)],
        [m(started()), m(update(1.0), 8, 1.1)], "udp-notif where https was named",
    ),
    "dscp-as-declared": (
        [m(started(dscp=10)), m(update(1.0), 8, 1.1)],
        [m(started(dscp=16)), m(update(1.0), 8, 1.1)], "DSCP 16 where 10 was named",
    ),
    "fewer-than-64-segments": (
        [m(update(), segments=64)], [m(update(), segments=63)], "64 segments",
    ),
    "message-up-to-96-kb": (
        [m(update(datastore_contents=contents(x="y" * 98304)))], [m(update())], "octets",
    ),
    "notification-is-known": ([m({"x:y": {}})], [m(update())], "x:y"),
    # ------------------------------------------------------------------ names and values
    "top-level-qualified": (
        [message({"notification": {"eventTime": text_of(0), **update()}})],
        [message(header(update()))], "notification",
    ),
    "notification-qualified": (
        [m({"push-update": update()[f"{YP}:push-update"]})], [m(update())], "push-update",
    ),
    "members-qualified": (
        [m(update(timestamp=None) | {f"{YP}:push-update": {"id": 1, "timestamp": text_of(0)}})],
        [m(started()), m(update(1.0), 8)], "timestamp in ietf-yang-push:push-update",
    ),
    "contents-qualified": (
        [m(update(datastore_contents={"interfaces": {}}))], [m(update())],
        "interfaces in datastore-contents",
    ),
    "names-not-repeated": (
        [m(update(datastore_contents={"a:b": {"c": [{"a:d": 1}]}}))],
        [m(update(datastore_contents={"a:b": {"c": [{"x:d": 1}]}}))], "a:d within a node of a",
    ),
    "int64-is-text": (
        [m(update(datastore_contents=contents(octets=4294967296)))],
        [m(update(datastore_contents=contents(octets="4294967296")))], "is the number 4294967296",
    ),
    "decimal64-is-text": (
        [m(update(datastore_contents=contents(load=0.5)))],
        [m(update(datastore_contents=contents(load="0.5")))], "is the number 0.5",
    ),
    "identities-qualified": (
        [m(started(datastore="operational"))], [m(started())], "datastore is operational",
    ),
    "identities-by-module": (
        [m(update(datastore_contents=contents(type="ianaift:gpon")))],
        [m(update(datastore_contents=contents(type="iana-if-type:gpon")))],
        "is ianaift:gpon, of iana-if-type",
    ),
    "lists-are-arrays": (
        [m(started(message_publisher_id=1))], [m(started())], "1 is no array",
    ),
    "empty-is-null": (
        [m(update(incomplete_update=True))], [m(update(incomplete_update=[None]))],
        "incomplete-update is True",
    ),
    # ------------------------------------------------------------------ state changes
    "state-change-has-id": (
        [m({f"{SN}:subscription-resumed": {"identifier": 1}})], [m(state("resumed"))],
        "subscription-resumed with identifier",
    ),
    "started-has-list": (
        [m(started(message_publisher_id=None))], [m(started())],
        "subscription-started of subscription 1 without a list",
    ),
    "list-leaf-name": (
        [m({f"{SN}:subscription-started": {"id": 1, "ietf-distributed-notif:message-publisher-ids":
            [1]}})], [m(started())], "ietf-distributed-notif:message-publisher-ids",
    ),
    "started-has-target": (
        [m(started(datastore=None))], [m(started())], "without datastore and stream",
    ),
    "started-has-trigger": (
        [m(started(periodic=None))], [m(started())], "subscription-started with 0 triggers",
    ),
    "started-names-transport-and-encoding": (
        [m(started(encoding=None))], [m(started())], "subscription-started without encoding",
    ),
    "choice-is-no-node": (
        [m(started(target={"stream": "NETCONF"}))], [m(started())], "a member target",
    ),
    "reason-present": (
        [m(state("suspended"))], [m(state("suspended", reason="insufficient-resources"))],
        "subscription-suspended of subscription 1",
    ),
    "reason-is-defined": (
        [m(state("terminated", reason="receiver-unavailable"))],
        [m(state("terminated", reason="vendor-x:receiver-unavailable"))],
        "subscription-terminated with receiver-unavailable",
    ),
    "module-versions-present": (
        [m(started(module_version=None))], [m(started())], "no module-version",
    ),
    "module-version-leaf-names": (
        [m(started(module_version=[{"module-name": "a", "revision": "2024-01-01"}]))],
        [m(started())], "module-version with module-name",
    ),
    "configured-id-in-lower-half": (
        [m(started(subscription=2**31))], [m(started(subscription=2**31 - 1))], "id 2147483648",
    ),
    "state-changes-from-parent": (
        [m(started()), m(state("resumed"), 8, publisher=2)], [m(started()), m(state("resumed"), 8)],
        "from 1 and from 2",
    ),
    "started-before-data": (
        [m(update(), 7), m(started(), 8, 1.1)], [m(started(), 7), m(update(1.0), 8, 1.1)],
        "an update of subscription 1 came before",
    ),
    "no-data-while-suspended": (
        [m(state("suspended", reason="unsupportable-volume")), m(update(1.0), 8, 1.1)],
        [m(state("suspended", reason="unsupportable-volume")), m(update(1.0), 6, 1.1)],
        "an update of subscription 1, which was suspended",
    ),
    "no-data-after-end": (
        [m(state("completed")), m(update(1.0), 8, 1.1)],
        [m(state("completed")), m(started(), 8), m(update(1.0), 9, 1.1)],
        "an update of subscription 1, which was ended",
    ),
    # ------------------------------------------------------------------ updates
    "update-has-id": ([m(update(id=None))], [m(update())], "a push-update without one"),
    "contents-in-their-leaf": (
        [m(change(datastore_contents=CONTENTS))], [m(change()), m(update(), 8)],
        "datastore-contents in a push-change-update",
    ),
    "updates-are-complete": (
        [m(update(incomplete_update=[None]))], [m(update())], "incomplete-update in subscription 1",
    ),
    "update-has-publisher-id": (
        [m(update(message_publisher_id=None))], [m(update())], "a push-update without one",
    ),
    "update-publisher-id-leaf": (
        [m(update(generator=[1]))], [m(update())],
        "a list in ietf-distributed-notif:message-publisher-id",
    ),
    "observation-time-present": (
        [m(update(timestamp=None))], [m(update())], "a push-update without one",
    ),
    "point-in-time-fits": (
        [m(started(periodic=None) | {f"{SN}:subscription-started": {"id": 1, f"{YP}:on-change":
            {}}}), m(update(1.0), 8, 1.1)],
        [m(started()), m(update(1.0), 8, 1.1), m(change(2.0), 9, 2.1)],
        "current-accounting in a push-update of an on-change subscription",
    ),
    "patch-ids-are-texts": ([m(change(patch=0))], [m(change())], "patch-id is 0, a number"),
    "patch-id-counts": (
        [m(change(patch="3")), m(change(1.0, "5"), 8, 1.1)],
        [m(update()), m(change(1.0, "0"), 8, 1.1), m(change(2.0, "1"), 9, 2.1)],
        "patch-id 5 after 3",
    ),
    "edits-well-formed": (
        [m(change(edits=[{"edit-id": "e1", "operation": "replace", "target": "/a:b"}]))],
        [m(change())], "edit e1: replace without a value",
    ),
    # ------------------------------------------------------------------ times
    "clocks-agree": (
        [message(envelope(update(10.0), 10.0), 7, 0.1)], [m(update())],
        "arrived 9.900 s before its event time",
    ),
    "observed-before-event-time": (
        [m(update(1.5))], [m(update())], "observed 1.500000 s after the event time",
    ),
    "updates-in-order": (
        [m(update(5.0), 7, 5.1), message(envelope(update(4.0), 4.0), 8, 5.2)],
        [m(update(5.0), 7, 5.1), m(update(6.0), 8, 6.1)], "made 1.000 s before the one",
    ),
    "anchor-time-kept": (
        [m(started()), m(update(15.0), 8, 15.1)], [m(started()), m(update(20.9), 8, 21.0)],
        "-5.000 s off, the period is 10 s",
    ),
    "one-update-per-period": (
        [m(started()), m(update(1.0), 8, 1.1), m(update(2.0), 9, 2.1)],
        [m(started()), m(update(1.0), 8, 1.1), m(update(11.0), 9, 11.1)],
        "two within 1.000 s, the period is 10 s",
    ),
    "updates-are-fresh": (
        [m(started()), message(envelope(update(0.0), 20.0), 8, 20.1)],
        [m(started()), m(update(1.0), 8, 1.1)], "observed 20.000 s before, the period is 10 s",
    ),
    # ------------------------------------------------------------------ originators
    "sender-is-on-list": (
        [m(started()), m(update(1.0, generator=2), 8, 1.1)], [m(started()), m(update(1.0), 8, 1.1)],
        "2 sends in subscription 1, listed: 1",
    ),
    "everybody-on-list-sends": (
        [m(started(message_publisher_id=[1, 2])), m(update(90.0), 8, 90.1)],
        [m(started()), m(update(90.0), 8, 90.1)], "2 never sent in subscription 1 in 90 s",
    ),
}  # fmt: skip
"""Rule -> what breaks it, what keeps it, words of the example."""
ELSEWHERE = {
    "max-segment-size",
    "datagrams-can-be-used",
    "update-in-every-period",
    "parts-do-not-overlap",
    "parts-cover-all",
    "data-has-started-id",
    "reply-has-list",
}
"""What messages alone do not show: ``test_conformance_engine``."""


def test_every_rule_has_its_cases() -> None:
    assert {rule.name for _, rule in RULES} == set(CASES) | ELSEWHERE


@pytest.mark.parametrize("name", CASES)
def test_a_rule_broken_and_kept(name: str) -> None:
    broken, kept, words = CASES[name]
    tally = inspected(broken)[name]
    assert tally.result == "broken"
    assert tally.example is not None
    assert words in tally.example.text
    assert inspected(kept)[name].result == "kept"


def test_a_well_behaved_publisher_breaks_nothing() -> None:
    """Everything of one publisher as the drafts want it."""
    sent = [message(envelope(started(), -1.0, 1), 815, -0.9)]
    sent += [
        message(envelope(update(10.0 * n), 10.0 * n, n + 2), 816 + n, 10.0 * n + 0.1)
        for n in range(12)
    ]
    found = inspected([datagram(raw()), *sent])
    assert [name for name, tally in found.items() if tally.broken] == []
    assert sum(tally.checked > 0 for tally in found.values()) > 45


def test_clauses_and_sentences() -> None:
    names = [rule.name for _, rule in RULES]
    assert len(names) == len(set(names))
    for _, rule in RULES:
        assert "§" in rule.clause or rule.clause.startswith("RFC")
        assert rule.sentence.endswith(".")
        assert rule.check.__doc__


# --------------------------------------------------------------------------- not blamed
NOT_BLAMED: dict[str, tuple[str, list[Observed]]] = {
    "a hole without sequence numbers can be the network's": (
        "message-id-increments", [m(update(), 7), m(update(1.0), 9, 1.1)],
    ),
    "a hole in both numbers is lost on the way": (
        "message-id-increments", numbered([7, 9], [3, 5]),
    ),
    "overtaken on the way": ("message-id-increments", numbered([7, 6], [3, 2])),
    "a copy made by the network": (
        "message-id-not-reused", [m(update(), 7)],
    ),
    "a line card whose parent sends the state changes": (
        "stream-starts-with-started", [m(started(), 815), m(update(1.0), 0, publisher=2)],
    ),
    "nobody knows whether it is the first message": (
        "message-id-starts-random", [m(update(), 815)],
    ),
    "an unknown media type has a rule of its own": (
        "message-can-be-read", [m(update()), message(b"x", 8, media_type=7)],
    ),
    "another run of the subscription long ago": (
        "started-before-data", [m(update(), 7), m(started(), 8, 60.1)],
    ),
    "a list in force for a short time": (
        "everybody-on-list-sends",
        [m(started(message_publisher_id=[1, 2])), m(update(20.0), 8, 20.1)],
    ),
    "something between two patches": (
        "patch-id-counts", [m(change(patch="3")), m(change(1.0, "5"), 12, 1.1)],
    ),
    "small numbers can be of any type": ("int64-is-text", [m(update())]),
}  # fmt: skip


@pytest.mark.parametrize("why", NOT_BLAMED)
def test_not_blamed_on_the_publisher(why: str) -> None:
    name, sent = NOT_BLAMED[why]
    assert inspected(sent)[name].broken == 0


def test_equal_octets_are_a_copy() -> None:
    found = inspected([m(update(), 7), m(update(), 7, 0.1)])["message-id-not-reused"]
    assert (found.checked, found.broken) == (1, 0)


# --------------------------------------------------------------------------- details
@pytest.mark.parametrize(
    ("edit", "words"),
    [
        ("x", "no object"),
        ({}, "without edit-id"),
        ({"edit-id": "a", "operation": "swap", "target": "/a"}, "the operation swap"),
        ({"edit-id": "a", "target": "/a"}, "the operation missing"),
        ({"edit-id": "a", "operation": "delete"}, "without a target"),
        ({"edit-id": "a", "operation": "delete", "target": "/a", "value": 1}, "with a value"),
    ],
)
def test_edits(edit: Any, words: str) -> None:
    tally = inspected([m(change(edits=[edit]))])["edits-well-formed"]
    assert tally.example is not None
    assert words in tally.example.text


def test_an_edit_id_twice() -> None:
    edit = {"edit-id": "a", "operation": "delete", "target": "/a"}
    tally = inspected([m(change(edits=[edit, edit]))])["edits-well-formed"]
    assert tally.example is not None
    assert tally.example.text == "the edit-id a twice"


def test_the_lead_root_of_each_transport() -> None:
    https = {"ietf-https-notif:notification": {"eventTime": text_of(0), **update()}}
    dead = {
        "ietf-notification-messages:message": {
            "message-header": {"message-time": text_of(0)},
            "notifications": [{"notification-contents": update()}],
        }
    }
    for body, transport, result in (
        (https, Transport.HTTPS_NOTIF, "kept"),
        (https, Transport.UDP_NOTIF, "broken"),
        (dead, Transport.UDP_NOTIF, "kept"),
        (dead, Transport.NETCONF, "broken"),
        (dead, Transport.GRPC_DIALOUT, "not checked"),  # no standard speaks of it
    ):
        found = inspected([message(body, None, transport=transport)])
        assert found["root-form"].result == result, (body, transport)


def test_a_publisher_on_two_ports_is_one() -> None:
    other = Origin("core7", "192.0.2.7", 50000, "192.0.2.1", 10003, 16)
    sent = [m(update(), 7), m(update(1.0), 8, 1.1, origin=other)]
    assert inspected(sent)["message-id-increments"].checked == 1
    assert ORIGIN.source_port != other.source_port


def test_observation_names_in_messages_without_names() -> None:
    """XML has no names of RFC 7951, so its rules do not apply."""
    xml = (
        '<notification xmlns="urn:ietf:params:xml:ns:netconf:notification:1.0">'
        f"<eventTime>{text_of(0)}</eventTime>"
        f'<push-update xmlns="urn:ietf:params:xml:ns:yang:{YP}"><id>1</id>'
        f'<timestamp xmlns="urn:ietf:params:xml:ns:yang:{IYPO}">{text_of(0)}</timestamp>'
        "</push-update></notification>"
    ).encode()
    found = inspected([message(xml, media_type=MediaType.YANG_DATA_XML)])
    assert found["members-qualified"].result == "not checked"
    assert found["update-has-id"].result == "kept"
    assert found["event-time-has-zone"].result == "kept"
