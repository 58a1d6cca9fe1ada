"""Times and ids rewritten inside payloads, judged by the product's decoder and by plain parsers."""

from __future__ import annotations

import json

import cbor2
import pytest
from msgspec.structs import replace

from collector.wire.notifications.notification import decode
from publisher_sim.distort.messages import SECOND, Captured, Message
from publisher_sim.distort.payload import CBOR, JSON, XML, respell, rewrite

TIME = 1_730_543_452 * SECOND  # 2024-11-02T10:30:52Z

JSON_OCTETS = (
    b'{"ietf-notification:notification":{"eventTime":"2024-11-02T10:30:52Z",'
    b'"ietf-notification-sequencing:sysName":"r1",'
    b'"ietf-notification-sequencing:sequenceNumber":7,"ietf-yang-push:push-update":{"id":1,'
    b'"ietf-yp-observation:timestamp":"2024-11-02T11:30:52.25+01:00",'
    b'"ietf-distributed-notif:message-publisher-id":16974853,'
    b'"datastore-contents":{"a:b":[{"id":1,"timestamp":"2024-11-02T10:30:52Z",'
    b'"eventTime":"x","n":"10156812717"}]}}}}'
)
XML_OCTETS = (
    b'<notification xmlns="urn:ietf:params:xml:ns:netconf:notification:1.0">'
    b"<eventTime>2024-11-02T10:30:52.0Z</eventTime>"
    b'<push-update xmlns="urn:ietf:params:xml:ns:yang:ietf-yang-push"><id>1</id>'
    b'<message-publisher-id xmlns="urn:ietf:params:xml:ns:yang:ietf-distributed-notif">5'
    b"</message-publisher-id>"
    b'<datastore-contents><x xmlns="urn:x"><id>1</id></x></datastore-contents>'
    b"</push-update></notification>"
)


def message(payload: bytes, media_type: int) -> Message:
    """A message as it would have been read."""
    heard = decode(payload, media_type)
    captured = Captured(
        payload,
        media_type,
        "192.0.2.1",
        10003,
        publisher_id=9,
        message_id=100,
        subscription_id=heard.subscription_id,
        generator=heard.generator,
        event_time=heard.event_time,
        observation_time=heard.observation_time,
    )
    return Message(
        at=TIME,
        source="192.0.2.7",
        port=5000,
        publisher_id=9,
        message_id=100,
        subscription_id=heard.subscription_id,
        generator=heard.generator or "9",
        event_time=heard.event_time,
        observation_time=heard.observation_time,
        captured=captured,
    )


def changed(one: Message) -> Message:
    """Other times, ids and originator."""
    assert one.event_time is not None
    return replace(
        one,
        event_time=one.event_time + 90 * SECOND,
        observation_time=None if one.observation_time is None else one.observation_time - SECOND,
        message_id=142,
        subscription_id=77,
        generator="12",
    )


def test_json_is_rewritten_in_the_spelling_that_it_had() -> None:
    octets = rewrite(changed(message(JSON_OCTETS, JSON)))
    outer = json.loads(octets)["ietf-notification:notification"]
    inner = outer["ietf-yang-push:push-update"]
    assert outer["eventTime"] == "2024-11-02T10:32:22Z"
    assert outer["ietf-notification-sequencing:sequenceNumber"] == 49
    assert inner["ietf-yp-observation:timestamp"] == "2024-11-02T11:30:51.25+01:00"
    assert inner["id"] == 77
    assert inner["ietf-distributed-notif:message-publisher-id"] == 12
    before = json.loads(JSON_OCTETS)["ietf-notification:notification"]
    contents = before["ietf-yang-push:push-update"]["datastore-contents"]
    assert inner["datastore-contents"] == contents  # times and ids in there are not ours
    assert list(outer) == list(before)


def test_xml_is_rewritten_and_its_contents_are_left_alone() -> None:
    octets = rewrite(changed(message(XML_OCTETS, XML)))
    assert b"<eventTime>2024-11-02T10:32:22.0Z</eventTime>" in octets
    assert b'<x xmlns="urn:x"><id>1</id></x>' in octets
    heard = decode(octets, XML)
    assert (heard.subscription_id, heard.generator) == (77, "12")


def test_cbor_is_rewritten() -> None:
    octets = cbor2.dumps(json.loads(JSON_OCTETS))
    heard = decode(rewrite(changed(message(octets, CBOR))), CBOR)
    assert heard.event_time == TIME + 90 * SECOND
    assert heard.observation_time == TIME + SECOND // 4 - SECOND
    assert (heard.subscription_id, heard.generator, heard.sequence_number) == (77, "12", 49)


@pytest.mark.parametrize(("octets", "kind"), [(JSON_OCTETS, JSON), (XML_OCTETS, XML)])
def test_what_needs_no_change_stays_octet_for_octet(octets: bytes, kind: int) -> None:
    assert rewrite(message(octets, kind)) == octets


@pytest.mark.parametrize("kind", [JSON, XML, CBOR])
def test_times_can_be_left_out(kind: int) -> None:
    octets = {JSON: JSON_OCTETS, XML: XML_OCTETS, CBOR: cbor2.dumps(json.loads(JSON_OCTETS))}[kind]
    one = message(octets, kind)
    one.event_time = one.observation_time = None
    heard = decode(rewrite(one), kind)
    assert (heard.event_time, heard.observation_time) == (None, None)
    assert heard.subscription_id == 1


def test_a_list_names_the_clones() -> None:
    said = {
        "ietf-yp-notification:envelope": {
            "event-time": "2025-03-04T07:11:33Z",
            "notification-contents": {
                "ietf-subscribed-notifications:subscription-started": {
                    "id": 5,
                    "ietf-distributed-notif:message-publisher-ids": [0],
                    "ietf-yang-push:periodic": {"period": 3000},
                }
            },
        }
    }
    one = message(json.dumps(said).encode(), JSON)
    one.members = ("0", "1", "2")
    heard = decode(rewrite(one), JSON)
    assert heard.state_change is not None
    assert heard.state_change.generators == ("0", "1", "2")
    assert heard.state_change.terms is not None
    assert heard.state_change.terms.period == 30 * SECOND


@pytest.mark.parametrize(
    ("text", "time", "expected"),
    [
        ("2024-11-02T10:30:52Z", 1, "1970-01-01T00:00:00Z"),
        ("2024-11-02T10:30:52.123Z", 1_500_000_000, "1970-01-01T00:00:01.500Z"),
        (
            "2024-11-02T10:30:52.123456789-02:30",
            9_000_000_001,
            "1969-12-31T21:30:09.000000001-02:30",
        ),
        ("no time", 5, "no time"),
    ],
)
def test_the_spelling_of_a_time(text: str, time: int, expected: str) -> None:
    assert respell(text, time) == expected


def test_what_cannot_be_rewritten_is_said() -> None:
    one = message(JSON_OCTETS, JSON)
    with pytest.raises(ValueError, match="without a payload"):
        rewrite(replace(one, captured=None))
    assert one.captured is not None
    strange = replace(one, message_id=5, captured=replace(one.captured, media_type=9))
    with pytest.raises(ValueError, match="media type 9"):
        rewrite(strange)
