"""Things that a publisher sent, for tests of rules: typed from the drafts' forms, decoded as live.

Times are seconds after ``START``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import cbor2

from collector.conformance import Inspector, Tally
from collector.errors import WireError
from collector.model import (
    CollectorTime,
    MediaType,
    Observed,
    ObservedDatagram,
    ObservedMessage,
    Origin,
    Transport,
)
from collector.wire.notifications.notification import decode

START = 1_700_000_040
SECOND = 10**9
SN, YP = "ietf-subscribed-notifications", "ietf-yang-push"
DN, IYPO = "ietf-distributed-notif", "ietf-yp-observation"
ORIGIN = Origin("core7", "192.0.2.7", 49152, "192.0.2.1", 10003, 16)
CONTENTS = {"ietf-interfaces:interfaces": {"interface": [{"name": "eth0"}]}}


def text_of(at: float) -> str:
    return datetime.fromtimestamp(START + at, UTC).isoformat().replace("+00:00", "Z")


def update(at: float = 0.0, generator: object = 1, subscription: object = 1, **more: Any) -> Any:
    """A push-update as it should be; ``more``: members by local name, None takes one away."""
    body: dict[str, Any] = {
        "id": subscription,
        f"{DN}:message-publisher-id": generator,
        f"{IYPO}:timestamp": text_of(at),
        f"{IYPO}:point-in-time": "current-accounting",
        "datastore-contents": CONTENTS,
    }
    return {f"{YP}:push-update": changed(body, more)}


def change(at: float = 0.0, patch: object = "0", edits: object = None, **more: Any) -> Any:
    """A push-change-update as it should be."""
    edit = {"edit-id": "e1", "operation": "delete", "target": "/ietf-interfaces:interfaces"}
    body: dict[str, Any] = {
        "id": 1,
        f"{DN}:message-publisher-id": 1,
        f"{IYPO}:timestamp": text_of(at),
        f"{IYPO}:point-in-time": "state-changed",
        "datastore-changes": {
            "yang-patch": {"patch-id": patch, "edit": [edit] if edits is None else edits}
        },
    }
    return {f"{YP}:push-change-update": changed(body, more)}


def started(kind: str = "started", subscription: object = 1, **more: Any) -> Any:
    """subscription-started or -modified as it should be."""
    body: dict[str, Any] = {
        "id": subscription,
        f"{YP}:datastore": "ietf-datastores:operational",
        f"{YP}:periodic": {"period": 1000, "anchor-time": text_of(0)},
        "transport": "ietf-udp-notif-transport:udp-notif",
        "encoding": "encode-json",
        f"{DN}:message-publisher-id": [1],
        "ietf-yang-push-revision:module-version": [
            {"name": "ietf-interfaces", "revision": "2018-02-20"}
        ],
        "ietf-yang-push-revision:yang-library-content-id": "42",
    }
    return {f"{SN}:subscription-{kind}": changed(body, more)}


def state(kind: str, **body: Any) -> Any:
    """Another state change, members as given."""
    return {f"{SN}:subscription-{kind}": {"id": 1, **body}}


def changed(body: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    """Members by local name (``_`` for ``-``) replaced, taken away or added."""
    found = dict(body)
    for name, value in more.items():
        local = name.replace("_", "-")
        key = next((one for one in found if one.rpartition(":")[2] == local), local)
        found.pop(key, None)
        if value is not None:
            found[key] = value
    return found


def envelope(payload: Any, at: float = 0.0, number: int | None = None, **more: Any) -> Any:
    """The envelope of the notif-envelope draft."""
    body: dict[str, Any] = {"event-time": text_of(at), "hostname": "core7"}
    if number is not None:
        body["sequence-number"] = number
    return {"ietf-yp-notification:envelope": changed({**body, "contents": payload}, more)}


def header(payload: Any, at: float = 0.0) -> Any:
    """The header of RFC 5277."""
    return {"ietf-notification:notification": {"eventTime": text_of(at), **payload}}


def message(
    body: Any,
    number: int | None = 7,
    at: float = 0.1,
    *,
    publisher: int | None = 1,
    media_type: int = MediaType.YANG_DATA_JSON,
    transport: int = Transport.UDP_NOTIF,
    segments: int = 1,
    origin: Origin = ORIGIN,
) -> ObservedMessage:
    """One whole message; ``body`` as plain values or octets, ``number``: its Message ID."""
    payload = body
    if not isinstance(body, bytes):
        in_cbor = media_type == MediaType.YANG_DATA_CBOR
        payload = cbor2.dumps(body) if in_cbor else json.dumps(body).encode()
    said, refused = None, None
    try:
        said = decode(payload, media_type)
    except WireError as error:
        refused = error
    time = CollectorTime(START * SECOND + round(at * SECOND))
    return ObservedMessage(
        time, origin, transport, 1, False, media_type, publisher if number is not None else None,
        number, segments, b"", payload, said, refused,
    )  # fmt: skip


def datagram(
    octets: bytes, *, fragments: int = 1, port: int = 49152, dscp: int | None = 16
) -> ObservedDatagram:
    origin = Origin("core7", "192.0.2.7", port, "192.0.2.1", 10003, dscp)
    return ObservedDatagram(CollectorTime(START * SECOND), origin, octets, fragments)


def raw(
    first: int = 0x21,
    options: bytes = b"",
    payload: bytes = b"{}",
    *,
    header_length: int | None = None,
    length: int | None = None,
) -> bytes:
    """A datagram of UDP-notif, octet by octet."""  # fmt: skip
    size = 12 + len(options)
    total = size + len(payload)
    return (
        bytes([first, size if header_length is None else header_length])
        + (total if length is None else length).to_bytes(2)
        + (1).to_bytes(4)
        + (7).to_bytes(4)
        + options
        + payload
    )


def inspected(things: Iterable[Observed], **settings: Any) -> dict[str, Tally]:
    """What the rules say of them, by name."""
    inspector = Inspector(**settings)
    for one in things:
        inspector.observe(one)
    (device,) = inspector.finish().devices
    return {tally.rule.name: tally for tally in device.tallies}
