"""What every encoding promises, run on each one that is installed."""

from __future__ import annotations

from importlib.metadata import entry_points

import pytest

from collector.errors import UsageError, WireError
from collector.interfaces import Encoding
from collector.model import Notification, NotificationKind, StateChange, SubscriptionTerms
from collector.wire.notifications.notification import encoding_of
from collector.wire.values import names

GROUP = "yang_push_collector.encodings"
INSTALLED = {entry.name: entry for entry in entry_points(group=GROUP)}
UPDATE = Notification(
    NotificationKind.PUSH_UPDATE, "ietf-yang-push:push-update", names.ROOT_ENVELOPE, 7,
    1_742_009_138_000_000_001, 1_742_009_137_000_000_000, "current-accounting", "42", "core7", 3,
    True,
)  # fmt: skip


DIALOUT = {
    f"{vendor}-{kind}": Notification(
        NotificationKind.PUSH_UPDATE, "ietf-yang-push:push-update", root, 7,
        1_742_009_138_001_000_000, 1_742_009_137_000_000_000, generator=generator,
        hostname="core7", sequence_number=number,
    )
    for vendor, root, generator, number in (
        ("cisco", names.ROOT_CISCO, "core7", None), ("huawei", names.ROOT_HUAWEI, "42", 3)
    )
    for kind in ("gpb", "json")
}  # fmt: skip
"""What those of gRPC dial-out can carry: push-updates, times in milliseconds."""


@pytest.fixture(params=sorted(INSTALLED))
def encoding(request: pytest.FixtureRequest) -> Encoding:
    made: Encoding = INSTALLED[request.param].load()()
    assert made.name == request.param
    return made


@pytest.fixture
def said(encoding: Encoding) -> Notification:
    """An update that the encoding can carry as a whole."""
    return DIALOUT.get(encoding.name, UPDATE)


def test_they_are_installed() -> None:
    assert {"yang-data-json", "yang-data-xml", "yang-data-cbor", *DIALOUT} <= set(INSTALLED)


def test_it_meets_the_contract(encoding: Encoding) -> None:
    assert isinstance(encoding, Encoding)
    assert encoding.identity.startswith("encode-")
    assert encoding.content_type.startswith("application/")
    assert type(encoding_of(encoding.media_type)) is type(encoding)


def test_an_update_comes_back(encoding: Encoding, said: Notification) -> None:
    octets = encoding.encode(said, {"ietf-interfaces:interfaces": {"interface": []}})
    assert encoding.decode(octets) == said


def test_a_state_change_comes_back(encoding: Encoding) -> None:
    started = Notification(
        NotificationKind.SUBSCRIPTION_STARTED,
        "ietf-subscribed-notifications:subscription-started", names.ROOT_NOTIFICATION, 7, 0,
        state_change=StateChange(
            terms=SubscriptionTerms(datastore="operational", period=10**10),
            generators=("1", "b"),
            generator_leaf="message-generator-id",
        ),
    )  # fmt: skip
    if encoding.name in DIALOUT:
        with pytest.raises(UsageError):
            encoding.encode(started)
        return
    assert encoding.decode(encoding.encode(started)) == started


def test_contents_are_plain_values(encoding: Encoding, said: Notification) -> None:
    octets = encoding.encode(said, {"ietf-interfaces:interfaces": {"interface": {"name": "e"}}})
    message = encoding.decode_contents(octets)
    if encoding.name not in DIALOUT:
        message = message[names.ROOT_ENVELOPE]["contents"]
    update = message["ietf-yang-push:push-update"]
    interfaces = update["datastore-contents"]["ietf-interfaces:interfaces"]
    assert interfaces == {"interface": {"name": "e"}}
    assert str(update["id"]) == "7"


@pytest.mark.parametrize("octets", [b"", b"\x00", b"\xff" * 40, b"<", b"{", b"\xa1"])
def test_garbage_is_a_wire_error(encoding: Encoding, octets: bytes) -> None:
    with pytest.raises(WireError) as refused:
        encoding.decode(octets)
    assert refused.value.reason


def test_it_keeps_no_state(encoding: Encoding, said: Notification) -> None:
    octets = encoding.encode(said, {})
    with pytest.raises(WireError):
        encoding.decode(b"garbage")
    assert encoding.decode(octets) == encoding.decode(octets) == said
    assert encoding.encode(said, {}) == octets
