"""NETCONF requests and replies as the documents print them (``tests/vectors/netconf``)."""

from __future__ import annotations

from pathlib import Path

import pytest

from collector.errors import WireError
from collector.model import OnChange, SelectionFilter, SubscriptionTerms
from collector.wire.netconf.rpc import (
    DeleteSubscription,
    EstablishSubscription,
    ModifySubscription,
    Operation,
    ResyncSubscription,
    Rpc,
    RpcReply,
    decode_reply,
    decode_rpc,
)

VECTORS = Path(__file__).parent.parent / "vectors" / "netconf"
S = 1_000_000_000
EX = {"ex": "https://example.com/sample-data/1.0"}


def octets(name: str) -> bytes:
    return (VECTORS / name).read_bytes()


def periodic(path: str, period: int) -> SubscriptionTerms:
    return SubscriptionTerms(
        datastore="operational", selection_filter=SelectionFilter("xpath", path, EX), period=period
    )


REQUESTS: list[tuple[str, str, Operation]] = [
    ("base-figure-4.xml", "101", EstablishSubscription(periodic("/ex:foo", 5 * S))),
    ("base-figure-6.xml", "102", ModifySubscription(22, periodic("/ex:bar", 2_500_000_000))),
    ("rfc8640-figure-3.xml", "102", EstablishSubscription(SubscriptionTerms(
        stream="NETCONF", dscp=10,
        selection_filter=SelectionFilter(
            "xpath", "/ex:foo/", {"ex": "https://example.com/events"})))),
    # the datastore is missing in the figure, which a server must cope with
    ("rfc8640-figure-7.xml", "303", ModifySubscription(23, SubscriptionTerms(
        period=5 * S, selection_filter=SelectionFilter(
            "xpath", "/ex:foo/ex:bar", {"ex": "https://example.com/datastore"})))),
    ("rfc8640-figure-9.xml", "103", DeleteSubscription(22)),
    ("rfc8640-figure-16.xml", "602", ModifySubscription(99, SubscriptionTerms(
        selection_filter=SelectionFilter(
            "subtree",
            '<vrrp-protocol-error-event xmlns="urn:ietf:params:xml:ns:yang:ietf-vrrp"/>')),
        stream_filter=True)),
    ("rfc8641-figure-10.xml", "101", EstablishSubscription(periodic("/ex:foo", 5 * S))),
    ("rfc8641-figure-12.xml", "101", EstablishSubscription(SubscriptionTerms(
        datastore="operational", on_change=OnChange(S),
        selection_filter=SelectionFilter("xpath", "/ex:foo", EX)))),
    ("rfc8641-figure-14.xml", "102", ModifySubscription(1011, periodic("/ex:bar", 2_500_000_000))),
    ("rfc8641-figure-15.xml", "103", ResyncSubscription(1011)),
]  # fmt: skip


@pytest.mark.parametrize(("name", "message_id", "operation"), REQUESTS)
def test_requests(name: str, message_id: str, operation: Operation) -> None:
    assert decode_rpc(octets(name)) == Rpc(message_id, operation)


ESTABLISHED = [
    ("base-figure-5.xml",
     RpcReply("101", True, 22, ("1", "2"), generator_leaf="message-generator-id")),
    ("distributed-notif-18-figure-5.xml",
     RpcReply("101", True, 22, ("1", "2"), generator_leaf="message-publisher-id")),
    ("rfc8640-figure-4.xml", RpcReply("102", True, 22)),
    ("rfc8641-figure-11.xml", RpcReply("101", True, 52)),
]  # fmt: skip


@pytest.mark.parametrize(("name", "reply"), ESTABLISHED)
def test_positive_replies(name: str, reply: RpcReply) -> None:
    assert decode_reply(octets(name)) == reply


# name, message id, tag, identity, path, hints
ERRORS = [
    ("rfc8640-figure-5.xml", "102", "invalid-value", "dscp-unavailable", "", {}),
    ("rfc8640-figure-8.xml", "303", "invalid-value", "period-unsupported", "",
     {"period-hint": "3000"}),
    ("rfc8640-figure-10.xml", "103", "invalid-value", "no-such-subscription", "", {}),
    # the reason stands in error-info only, in a container of another name than the module's
    ("rfc8641-figure-13.xml", "101", "operation-failed", "on-change-unsupported",
     "/yp:periodic/yp:period", {}),
]  # fmt: skip


@pytest.mark.parametrize("case", ERRORS, ids=lambda case: case[0])
def test_errors(case: tuple[str, str, str, str, str, dict[str, str]]) -> None:
    name, message_id, tag, identity, path, hints = case
    reply = decode_reply(octets(name))
    assert not reply.ok
    assert reply.message_id == message_id
    assert reply.subscription_id is None
    assert reply.error is not None
    assert (reply.error.tag, reply.error.identity, reply.error.path, reply.error.hints) == (
        tag, identity, path, hints,
    )  # fmt: skip
    assert identity in str(reply.error)


def test_the_figure_as_printed_is_no_xml() -> None:
    with pytest.raises(WireError) as refused:
        decode_reply(octets("base-figure-5-as-printed.xml"))
    assert refused.value.reason == "bad-xml"


def test_a_filter_that_the_figure_puts_into_a_foreign_namespace_is_not_passed_over() -> None:
    # xmlns on the filter itself moves the element out of its module, so a server cannot know it
    read = decode_rpc(octets("rfc8640-figure-15.xml"))
    assert read.message_id == "601"
    assert read.error is not None
    assert read.error.tag == "unknown-namespace"
    assert read.error.hints == {
        "bad-element": "stream-xpath-filter",
        "bad-namespace": "urn:ietf:params:xml:ns:yang:ietf-vrrp",
    }


def test_every_vector_is_used() -> None:
    used = {case[0] for case in [*REQUESTS, *ESTABLISHED, *ERRORS]}
    used |= {"base-figure-5-as-printed.xml", "rfc8640-figure-15.xml"}
    assert used == {path.name for path in VECTORS.iterdir()}
