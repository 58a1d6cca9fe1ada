"""The channel's messages survive protobuf, and the pure contract carries every field."""

from __future__ import annotations

import pytest
from msgspec import structs

from collector.model import OnChange, SelectionFilter
from publisher_sim.cards.channel import (
    ComponentSubscription,
    Count,
    Destination,
    EndComponent,
    Forward,
    FromAgent,
    Heartbeat,
    Register,
    ResyncComponent,
    Status,
    ToAgent,
)
from publisher_sim.data.entries import Node
from publisher_sim.publishers import agent_channel_pb2 as pb
from publisher_sim.publishers.agent_messages import (
    read_from_agent,
    read_to_agent,
    write_from_agent,
    write_to_agent,
)

COMPONENT = ComponentSubscription(
    subscription_id=2**32 - 1,
    period=10**9,
    anchor=-5,
    encoding="encode-cbor",
    nodes=(Node("ietf-interfaces", "eth0"), Node("ietf-hardware", "")),
    selection=SelectionFilter("xpath", "/if:interfaces", {"if": "urn:x", "": ""}),
    receiver_transport="udp-notif",
    receiver_address="2001:db8::1",
    receiver_port=65_535,
    timeline_start=1_800_000_000_000_000_000,
    timeline_period=10**9,
    dscp=46,
)
CONFIGURED = structs.replace(
    COMPONENT,
    destinations=(
        Destination("udp-notif", "192.0.2.1", 10003, max_segment_size=1200),
        Destination("https-notif", "192.0.2.1", 8443, "/here"),
    ),
)


CHANGING = structs.replace(COMPONENT, on_change=OnChange(5, False, ("create",)), resumed=True)
EVERYTHING = structs.replace(COMPONENT, selection=None)


@pytest.mark.parametrize(
    "message",
    [
        COMPONENT,
        CONFIGURED,
        EVERYTHING,
        CHANGING,
        EndComponent(7, suspended=True),
        ResyncComponent(7),
    ],
)
def test_to_an_agent(message: ToAgent) -> None:
    octets = write_to_agent(message).SerializeToString()
    assert read_to_agent(pb.ToAgent.FromString(octets)) == message


@pytest.mark.parametrize(
    "message",
    [
        Register("lc1", "lc1/3", ("encode-json", "encode-xml"), 10**8, False),
        Status("lc1", 7, "refused", "cannot"),
        Forward("lc1", 7, "lc1/3", 2**32 - 1, 0, 10**18, b"<notification/>"),
        Count("lc1", 7, 2**40, 3),
        Heartbeat("lc1"),
    ],
)
def test_from_an_agent(message: FromAgent) -> None:
    octets = write_from_agent(message).SerializeToString()
    assert read_from_agent(pb.FromAgent.FromString(octets)) == message


def test_what_is_not_known_is_passed_over() -> None:
    assert read_to_agent(pb.ToAgent()) is None
    assert read_from_agent(pb.FromAgent()) is None
