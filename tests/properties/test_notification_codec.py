"""Laws of the notification codec, and its agreement with the naive reader."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import cbor2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import structs

from collector.errors import WireError
from collector.model import (
    MediaType,
    Notification,
    NotificationKind,
    OnChange,
    SelectionFilter,
    StateChange,
    SubscriptionTerms,
)
from collector.wire.encodings import json_updates
from collector.wire.netconf.rpc import decode_reply, decode_rpc
from collector.wire.notifications.notification import REASONS, decode, decode_contents, encode
from collector.wire.values import names
from tests.reference.notification import naive_decode, naive_decode_xml, naive_xml_of

K = NotificationKind
MEDIA_TYPES = [int(media_type) for media_type in MediaType if media_type < 16]
UINT32 = st.integers(0, 0xFFFF_FFFF)
TIMES = st.integers(-(10**18), 4 * 10**18)
CS = st.integers(0, 0xFFFF_FFFF).map(lambda cs: cs * 10_000_000)
# what XML can hold, and what stripping leaves alone
TEXT = st.text(
    st.characters(blacklist_categories=["Cs", "Cc"], blacklist_characters="\ufffe\uffff"),
    min_size=1, max_size=20,
).filter(lambda text: text == text.strip() and ":" not in text)  # fmt: skip
IDENTITIES = st.from_regex(r"[a-z][a-z0-9-]{0,12}", fullmatch=True)
GENERATORS = UINT32.map(str)


def optional(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


@st.composite
def updates(draw: st.DrawFn) -> Notification:
    kind = draw(st.sampled_from([K.PUSH_UPDATE, K.PUSH_CHANGE_UPDATE]))
    return Notification(
        kind=kind,
        name=f"ietf-yang-push:{kind.value}",
        root=draw(st.sampled_from([names.ROOT_ENVELOPE, names.ROOT_NOTIFICATION])),
        subscription_id=draw(UINT32),
        event_time=draw(TIMES),
        observation_time=draw(optional(TIMES)),
        point_in_time=draw(optional(st.sampled_from(["current-accounting", "state-changed"]))),
        generator=draw(optional(GENERATORS)),
        hostname=draw(optional(TEXT)),
        sequence_number=draw(optional(UINT32)),
        incomplete_update=draw(st.booleans()),
    )


@st.composite
def all_terms(draw: st.DrawFn) -> SubscriptionTerms:
    on_change = draw(optional(st.builds(
        OnChange, CS, st.booleans(),
        st.lists(st.sampled_from(["create", "delete", "move"]), unique=True).map(tuple),
    )))  # fmt: skip
    periodic = on_change is None
    stream = draw(optional(TEXT))
    return SubscriptionTerms(
        datastore=draw(IDENTITIES) if stream is None else None,
        stream=stream,
        selection_filter=draw(optional(
            st.builds(SelectionFilter, st.just("ref"), TEXT)
            | st.builds(SelectionFilter, st.just("xpath"), st.just("/ietf-ip:a"),
                        st.just({"ietf-ip": "ietf-ip"})))),
        period=draw(optional(CS)) if periodic else None,
        on_change=on_change,
        encoding=draw(optional(st.sampled_from(["encode-json", "encode-xml", "encode-cbor"]))),
        transport=draw(optional(st.sampled_from(["udp-notif", "https"]))),
        stop_time=draw(optional(TIMES)),
        dscp=draw(optional(st.integers(0, 63))),
        weighting=draw(optional(st.integers(0, 255))),
        dependency=draw(optional(UINT32)),
        replay_start_time=draw(optional(TIMES)) if stream is not None else None,
        module_versions=tuple(draw(st.lists(st.tuples(
            IDENTITIES, st.just("2020-01-01"), st.sampled_from(["", "1.0.0"])), max_size=3))),
    )  # fmt: skip


@st.composite
def changes(draw: st.DrawFn) -> Notification:
    kind = draw(st.sampled_from([K.SUBSCRIPTION_STARTED, K.SUBSCRIPTION_MODIFIED]))
    lists = st.lists(GENERATORS, unique=True, min_size=1, max_size=5).map(tuple)
    return Notification(
        kind=kind,
        name=f"ietf-subscribed-notifications:{kind.value}",
        root=draw(st.sampled_from([names.ROOT_ENVELOPE, names.ROOT_NOTIFICATION])),
        subscription_id=draw(UINT32),
        event_time=draw(TIMES),
        state_change=StateChange(
            terms=draw(all_terms()),
            generators=draw(optional(lists)),
            yang_library_content_id=draw(optional(TEXT)),
        ),
    )


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(updates(), st.sampled_from(MEDIA_TYPES))
def test_updates_read_back(notification: Notification, media_type: int) -> None:
    octets = encode(notification, {"ietf-interfaces:interfaces": {}}, media_type)
    assert decode(octets, media_type) == notification


@settings(max_examples=80, deadline=None)
@given(changes(), st.sampled_from(MEDIA_TYPES), st.sampled_from(list(names.CONTROL_MODES)))
def test_state_changes_read_back(notification: Notification, media_type: int, mode: str) -> None:
    octets = encode(notification, None, media_type, mode=mode)
    read = decode(octets, media_type)
    if media_type == MediaType.YANG_DATA_XML:  # the namespace instead of the module name
        assert read.state_change is not None
        assert read.state_change.terms is not None
        selection = read.state_change.terms.selection_filter
        if selection is not None and selection.kind == "xpath":
            assert selection.namespaces == {"ietf-ip": "urn:ietf:params:xml:ns:yang:ietf-ip"}
            selection.namespaces["ietf-ip"] = "ietf-ip"
    change = notification.state_change
    assert change is not None
    leaf = None if change.generators is None else names.CONTROL_MODES[mode].leaf
    told = structs.replace(change, generator_leaf=leaf)
    assert read == structs.replace(notification, state_change=told)


@settings(max_examples=150, deadline=None)
@given(updates(), JSON_VALUES, st.booleans())
def test_both_ways_through_json_agree(
    notification: Notification, contents: Any, ascii_only: bool
) -> None:
    message = json.loads(encode(notification, None))
    root = next(iter(message))
    holder = message[root].get("contents", message[root])
    body = holder[notification.name]
    body["datastore-contents"] = contents
    compact = json.dumps(message, separators=(",", ":"), ensure_ascii=ascii_only).encode()
    spaced = json.dumps(message, indent=1, ensure_ascii=ascii_only).encode()
    assert decode(compact, 1) == decode(spaced, 1) == notification
    assert json_updates.read_typed(spaced) is None
    typed = json_updates.read_typed(compact)
    assert typed == notification or (typed is None and b"\\" in compact)


@settings(max_examples=150, deadline=None)
@given(updates(), st.permutations(range(6)), st.randoms(use_true_random=False))
def test_the_naive_reader_agrees(notification: Notification, order: list[int], random: Any) -> None:
    message = json.loads(encode(notification, {"a:b": {"c": "d"}}))

    def shuffled(value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        items = [(name, shuffled(member)) for name, member in value.items()]
        random.shuffle(items)
        return dict(items)

    message = shuffled(message)
    naive = naive_decode(message)
    in_json = decode(json.dumps(message, separators=(",", ":")).encode(), 1)
    in_cbor = decode(cbor2.dumps(message), 3)
    octets = naive_xml_of(message)
    in_xml = decode(octets, 2)
    for read in (in_json, in_cbor, in_xml):
        assert {name: getattr(read, name) for name in naive} == naive
    assert naive_decode_xml(octets) == naive


READ = "read"
REASONS_OR_READ = {*REASONS, READ}
RPC_OUTCOMES = {*REASONS, "bad-rpc", "bad-rpc-reply", READ}
LEAVES = (
    "id", "target", "periodic", "on-change", "datastore", "dscp", "stream", "module-version",
    "datastore-subtree-filter", "stream-subtree-filter", "datastore-xpath-filter",
    "message-generator-id", "stop-time",
)  # fmt: skip


def outcome(read: Callable[..., object], *arguments: object) -> str:
    """The reason of a refusal, or that it was read; anything else is a fault of ours."""
    try:
        read(*arguments)
    except WireError as refused:
        return refused.reason
    return READ


@settings(max_examples=400, deadline=None)
@given(st.binary(max_size=200), st.sampled_from(MEDIA_TYPES))
def test_garbage_is_refused_with_a_reason(octets: bytes, media_type: int) -> None:
    for read in (decode, decode_contents):
        assert outcome(read, octets, media_type) in REASONS_OR_READ


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    updates() | changes(), st.sampled_from(MEDIA_TYPES),
    st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255)), min_size=1, max_size=3),
    st.integers(0, 2000),
)  # fmt: skip
def test_damaged_messages_are_read_or_refused(
    notification: Notification, media_type: int, damage: list[tuple[int, int]], cut: int
) -> None:
    octets = bytearray(encode(notification, {"a:b": {"c": "d"}}, media_type))
    for place, octet in damage:
        octets[place % len(octets)] = octet
    for payload in (bytes(octets), bytes(octets[: cut % len(octets)])):
        for read in (decode, decode_contents):
            assert outcome(read, payload, media_type) in REASONS_OR_READ


@settings(max_examples=200, deadline=None)
@given(JSON_VALUES)
def test_any_json_is_read_or_refused(value: Any) -> None:
    started = "ietf-subscribed-notifications:subscription-started"
    messages = [value, *({started: {name: value}} for name in LEAVES)]
    for message in messages:
        for media_type, octets in ((1, json.dumps(message).encode()), (3, cbor2.dumps(message))):
            assert outcome(decode, octets, media_type) in REASONS_OR_READ


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=100), st.integers(0, 400), st.integers(0, 255))
def test_damaged_rpcs_are_read_or_refused(garbage: bytes, place: int, octet: int) -> None:
    request = bytearray(
        b'<rpc xmlns="urn:ietf:params:xml:ns:netconf:base:1.0" message-id="1">'
        b'<establish-subscription xmlns="urn:ietf:params:xml:ns:yang:ietf-subscribed-notifications"'
        b"><stream>NETCONF</stream><dscp>7</dscp></establish-subscription></rpc>"
    )
    request[place % len(request)] = octet
    for octets in (bytes(request), garbage, bytes(request).replace(b"rpc", b"rpc-reply")):
        for read in (decode_rpc, decode_reply):
            assert outcome(read, octets) in RPC_OUTCOMES


@pytest.mark.parametrize("media_type", MEDIA_TYPES)
def test_the_strategies_reach_the_filters(media_type: int) -> None:
    """A law that never meets a filter would prove little."""
    terms = SubscriptionTerms(selection_filter=SelectionFilter("ref", "f"))
    notification = Notification(
        K.SUBSCRIPTION_STARTED, "ietf-subscribed-notifications:subscription-started",
        names.ROOT_ENVELOPE, 1, 0, state_change=StateChange(terms=terms),
    )  # fmt: skip
    assert decode(encode(notification, None, media_type), media_type) == notification
