"""dscp, weighting and dependency of subscriptions to a simulated device (RFC 8639 §2.3)."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable, Sequence

import pytest
from msgspec import structs

from collector.model import SubscriptionTerms as Terms
from collector.wire.netconf.rpc import DeleteSubscription, EstablishSubscription, Get
from publisher_sim.master import ports
from publisher_sim.master.forwarding import EventPiece, Qos, shared
from publisher_sim.publishers.grpc_dialout import GrpcDialoutPublisher
from publisher_sim.publishers.https_notif import HttpsNotifPublisher
from publisher_sim.publishers.senders import Sender
from publisher_sim.publishers.udp_notif import UdpNotifPublisher
from publisher_sim.scenario import Limits, Receiver, Stream
from publisher_sim.truth import accounts
from tests.unit.test_sim_forwarding import OVER_NETCONF, XML, device, piece
from tests.unit.test_sim_master import NOW, TERMS, Driver, error_of

EF, CS2 = 46, 16


# --------------------------------------------------------------------------- what waits
@pytest.mark.clause("8639-2.3-b")
def test_octets_in_proportion_to_weights() -> None:
    held = [piece(n, number, b"x" * 100) for n in range(60) for number in (1, 2)]
    order = shared(held, {1: Qos(3), 2: Qos(1)})
    first = [one.subscription_id for one in order[:40]]
    assert (first.count(1), first.count(2)) == (30, 10)
    assert sorted(map(repr, order)) == sorted(map(repr, held))
    for number in (1, 2):  # RFC 8641 §3.11.1
        own = [one for one in order if one.subscription_id == number]
        assert own == [one for one in held if one.subscription_id == number]


@pytest.mark.clause("8639-2.3-b")
def test_a_heavy_message_counts_for_what_it_is() -> None:
    held = [piece(0, 1, b"x" * 1000), *(piece(n, 2, b"x" * 100) for n in range(10))]
    order = [one.subscription_id for one in shared(held, {1: Qos(1), 2: Qos(1)})]
    assert order == [2] * 9 + [1, 2] or order == [2] * 10 + [1]


@pytest.mark.clause("8639-2.3-c")
def test_a_parent_leaves_before_what_depends_on_it() -> None:
    held = [EventPiece(number, b"x") for _ in range(3) for number in (1, 2, 3)]
    qos = {1: Qos(256, dependency=2), 2: Qos(1, dependency=9), 3: Qos(1)}
    order = [one.subscription_id for one in shared(held, qos)]
    assert order.index(1) > max(place for place, number in enumerate(order) if number == 2)


@pytest.mark.clause("8639-2.3-b", "8639-2.3-c")
def test_a_session_that_reads_again_gets_the_weighty_first() -> None:
    driver, usual = device()
    heavy = driver.establish(structs.replace(XML, weighting=63))
    light = driver.establish(structs.replace(XML, weighting=0, dependency=usual))
    driver.master.session_busy("1", True, NOW)
    for message in range(8):
        for number in (light, usual, heavy):
            driver.master.agent_said(piece(message, number), NOW)
    left = driver.master.session_busy("1", False, NOW)
    sent = [one.fact for one in left if isinstance(one, ports.Note)]
    ids = [one.message_id for one in sent if isinstance(one, accounts.OnWire)]
    assert len(ids) == 24
    assert ids[:5] == [0, 1, 2, 0, 3]  # four of the heavy one for each of the usual one
    assert ids[-8:] == list(range(8))  # the light one waits for its parent


@pytest.mark.clause("8639-2.3-d")
def test_a_dependency_of_nobody_is_silently_removed() -> None:
    driver = Driver()
    parent = driver.establish()
    for session, dependency, kept in (("1", parent, parent), ("2", parent, None), ("1", 7, None)):
        terms = structs.replace(TERMS, dependency=dependency)
        number = driver.establish(terms, session)
        entries = {one.id: one for one in driver.ask(Get()).subscriptions or ()}
        assert entries[number].terms.dependency == kept
        assert entries[number].terms.weighting is None


# --------------------------------------------------------------------------- dscp
@pytest.mark.clause("8639-2.3-a")
def test_publishers_and_session_are_told_the_code_point() -> None:
    driver = Driver()
    first = driver.establish(structs.replace(TERMS, dscp=EF))
    assert {one.dscp for one in driver.told().values()} == {EF}
    marks = [one for one in driver.actions if isinstance(one, ports.MarkSession)]
    assert marks == [ports.MarkSession("1", EF)]
    driver.establish(structs.replace(TERMS, dscp=EF))
    assert not [one for one in driver.actions if isinstance(one, ports.MarkSession)]
    driver.establish()  # state changes of several go over it: none is marked
    assert ports.MarkSession("1", 0) in driver.actions
    driver.ask(DeleteSubscription(first))
    (state, last) = driver.ask(Get()).subscriptions or ()
    assert state.terms.dscp == EF
    assert driver.ask(DeleteSubscription(last.id)).ok
    assert ports.MarkSession("1", EF) in driver.actions  # those who are left agree
    driver.actions = driver.master.session_closed("1", driver.now)
    assert not [one for one in driver.actions if isinstance(one, ports.MarkSession)]


def test_code_points_that_cannot_be_set() -> None:
    driver = Driver(limits=Limits(dscp=(CS2,)))
    refused = driver.ask(EstablishSubscription(structs.replace(TERMS, dscp=EF)))
    assert error_of(refused) == ("invalid-value", "dscp-unavailable")
    assert driver.ask(EstablishSubscription(structs.replace(TERMS, dscp=CS2))).ok
    assert driver.ask(EstablishSubscription(structs.replace(TERMS, dscp=0))).ok


def test_a_session_that_carries_records_has_one_code_point() -> None:
    """Different ones would need different connections (RFC 8639 §2.3)."""
    driver = Driver(receiver=OVER_NETCONF, stream=(Stream("alarms"),))
    assert driver.ask(EstablishSubscription(structs.replace(XML, dscp=EF))).ok
    for other in (XML, Terms(stream="alarms"), structs.replace(XML, dscp=CS2)):
        refused = driver.ask(EstablishSubscription(other))
        assert error_of(refused) == ("invalid-value", "dscp-unavailable")
    assert driver.ask(EstablishSubscription(structs.replace(XML, dscp=CS2)), "2").ok


@pytest.mark.clause("8639-2.3-a")
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_datagrams_leave_marked(host: str) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as receiver:
        receiver.bind((host, 0))
        receiver.settimeout(10)
        if family == socket.AF_INET6:
            receiver.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVTCLASS, 1)
        else:
            receiver.setsockopt(socket.IPPROTO_IP, socket.IP_RECVTOS, 1)
        publisher = UdpNotifPublisher(host)
        try:
            found = []
            for dscp in (0, EF, CS2, CS2, 0):
                publisher.send(host, receiver.getsockname()[1], b"x", 1, dscp)
                _, [(_, _, octets)], *_ = receiver.recvmsg(10, 64)
                found.append(struct.unpack("i", octets)[0] if len(octets) == 4 else octets[0])
        finally:
            publisher.close()
    assert found == [dscp << 2 for dscp in (0, EF, CS2, CS2, 0)]


IP_PKTOPTIONS = 9
"""Linux: ancillary data of the handshake of a TCP connection (ip(7) has it of datagrams only)."""


async def marks_of_connections(
    make: Callable[[str, Receiver], Sender], receiver: Receiver, dscps: Sequence[int]
) -> list[int]:
    """What is in the type of service of each connection that comes, sorted."""
    loop = asyncio.get_running_loop()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setsockopt(socket.IPPROTO_IP, socket.IP_RECVTOS, 1)
        listening.setblocking(False)
        port = listening.getsockname()[1]
        publisher = make("127.0.0.2", receiver)
        connected: list[socket.socket] = []
        try:
            for dscp in dscps:
                publisher.send("127.0.0.1", port, b"x", 1, dscp)
            while len(connected) < len(set(dscps)):
                connection, peer = await asyncio.wait_for(loop.sock_accept(listening), 20)
                assert peer[0] == "127.0.0.2"
                connected.append(connection)
            return sorted(
                # struct cmsghdr, then an int or an octet
                one.getsockopt(socket.IPPROTO_IP, IP_PKTOPTIONS, 256)[16]
                for one in connected
            )
        finally:
            publisher.close()
            for one in connected:
                one.close()
            await asyncio.sleep(0)


@pytest.mark.clause("8639-2.3-a")
@pytest.mark.parametrize(
    ("make", "transport"),
    [(HttpsNotifPublisher, "https-notif"), (GrpcDialoutPublisher, "grpc-huawei")],
)
def test_connections_are_marked_from_the_first_packet_on(
    make: Callable[[str, Receiver], Sender], transport: str
) -> None:
    """All traffic of one shares that of its subscriptions (RFC 8639 section 2.3)."""
    receiver = Receiver(transport=transport)  # type: ignore[arg-type]  # one of its literals
    sent = (0, EF, CS2, CS2, 0)
    found = asyncio.run(marks_of_connections(make, receiver, sent))
    assert found == sorted(dscp << 2 for dscp in set(sent))
