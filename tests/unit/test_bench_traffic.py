"""The benchmark's traffic: every message says what it should, and the truth is what is sent."""

from __future__ import annotations

import socket
import time
from collections import Counter

import numpy as np
import pytest

from collector.model import SECOND, DeviceTime, MediaType, NotificationKind
from collector.receivers.sockets.recvmmsg import recvmmsg_usable
from collector.wire.notifications.notification import decode, decode_contents
from collector.wire.udp_notif.datagrams import decode_header
from tests.bench import many_subscriptions, traffic, truth
from tests.bench.load import Load, Plan
from tests.bench.netconf_device import push_update
from tests.bench.payloads import ENCODINGS, OBSERVED_BEFORE, SUBSCRIPTION
from tests.bench.sender import Sender
from tests.bench.traffic import Traffic
from tests.bench.trains import Trains

linux_only = pytest.mark.skipif(not recvmmsg_usable(), reason="needs Linux with glibc")
NOW = 1_900_000_000 * SECOND + 654_321_000


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("octets", [1700, 1701, 4003])
def test_every_message_is_of_its_size_and_says_what_it_should(encoding: str, octets: int) -> None:
    load = Load(devices=3, cards=200, octets=octets, encoding=encoding, mtu=60_000)
    sent = Traffic(load)
    for rows in (sent.stamp(3, 6, NOW - 1), sent.stamp(3, 7, NOW)):
        payloads = rows[..., sent.payload_octets]
    for device in range(3):
        for card, name in enumerate(traffic.cards(load)):
            header = decode_header(rows[device, card, 0].tobytes())
            payload = payloads[device, card, 0].tobytes()
            said = decode(payload, header.media_type)
            assert len(payload) == octets
            assert (header.publisher_id, header.message_id) == (int(name), 7)
            assert said.generator == name
            assert said.subscription_id == SUBSCRIPTION
            assert said.event_time == NOW
            assert said.observation_time == DeviceTime(NOW - OBSERVED_BEFORE)
            assert said.sequence_number == 1_000_000_007
            assert decode_contents(payload, header.media_type)


def test_counters_differ_from_card_to_card_and_move_from_period_to_period() -> None:
    sent = Traffic(Load(devices=2, encoding="json"))
    first = sent.stamp(2, 1, NOW).copy()
    second = sent.stamp(2, 2, NOW)
    assert len({row.tobytes() for row in first[:, 3, 0]}) == 2
    assert ((first != second).sum(axis=3) > 15).all()


def test_several_updates_of_a_card_follow_each_other_in_its_run_of_ids() -> None:
    sent = Traffic(Load(devices=1, updates=3))
    seen: dict[int, list[int]] = {}
    for index in (1, 2):
        for message in sent.stamp(1, index, time.time_ns()).reshape(-1, sent.row):
            header = decode_header(message.tobytes())
            seen.setdefault(header.publisher_id, []).append(header.message_id)
    assert seen == {int(card): [3, 4, 5, 6, 7, 8] for card in traffic.cards(Load())}


def test_a_payload_that_is_too_small_for_the_message_is_refused() -> None:
    with pytest.raises(ValueError, match="needs"):
        Traffic(Load(octets=500))


@pytest.mark.parametrize("octets", [900, 9_000])
def test_a_notification_for_netconf_is_an_update_of_its_card(octets: int) -> None:
    message = push_update(11, octets, SECOND)
    assert len(message) == octets
    found = decode(message, MediaType.YANG_DATA_XML)
    assert (found.kind, found.subscription_id) == (NotificationKind.PUSH_UPDATE, SUBSCRIPTION)
    assert (found.generator, found.event_time) == ("4", SECOND)
    assert message != push_update(12, octets, SECOND)
    with pytest.raises(ValueError, match="needs"):
        push_update(11, 400, SECOND)


def test_the_start_of_a_subscription_is_in_the_same_encoding() -> None:
    for name, encoding in ENCODINGS.items():
        datagram = traffic.started(Load(encoding=name))
        header = decode_header(datagram)
        said = decode(datagram[header.header_length :], header.media_type)
        assert header.media_type == encoding.media_type
        assert said.state_change is not None
        assert said.state_change.generators == traffic.cards(Load())


# --------------------------------------------------------------------------- on the wire
def card_of(datagram: bytes) -> int:
    """Which card sent it, from 1."""
    return decode_header(datagram).publisher_id - traffic.FIRST_CARD + 1


def received(load: Load, *, gso: bool, kept: np.ndarray | None = None) -> list[tuple[str, bytes]]:
    """What two devices send in one period: (source address, datagram)."""
    sent = Traffic(load)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(0.3)
        trains = Trains(receiver.getsockname()[1], sent, gso=gso)
        sent.stamp(2, 3, NOW)
        trains.send(5, 7, kept)
        trains.close()
        seen: list[tuple[str, bytes]] = []
        while True:
            try:
                datagram, source = receiver.recvfrom(66_000)
            except TimeoutError:
                return seen
            seen.append((source[0], datagram))


@linux_only
@pytest.mark.parametrize("gso", [False, True])
def test_consecutive_messages_of_a_card_go_as_one_train(gso: bool) -> None:
    load = Load(devices=7, cards=2, updates=3)
    seen = [(one, card_of(datagram), datagram[11]) for one, datagram in received(load, gso=gso)]
    addresses = [traffic.address(5), traffic.address(6)]
    assert seen == [
        (one, card, number) for one in addresses for card in (1, 2) for number in (9, 10, 11)
    ]


@linux_only
@pytest.mark.parametrize("gso", [False, True])
@pytest.mark.parametrize("octets", [3000, 4152])  # 4,152 and headers fill three datagrams
def test_long_messages_go_in_segments(gso: bool, octets: int) -> None:
    load = Load(devices=7, cards=2, updates=2, octets=octets)
    datagrams = received(load, gso=gso)
    assert all(len(datagram) <= 1400 for _, datagram in datagrams)
    whole: dict[tuple[str, bytes], bytes] = {}
    for source, datagram in datagrams:
        key = source, datagram[4:12]
        whole[key] = whole.get(key, b"") + datagram[decode_header(datagram).header_length :]
    assert len(whole) == 2 * 2 * 2
    assert {len(one) for one in whole.values()} == {octets}
    assert all(decode(one, 1).event_time == NOW for one in whole.values())


@linux_only
@pytest.mark.parametrize("gso", [False, True])
def test_what_is_to_be_lost_is_not_sent(gso: bool) -> None:
    load = Load(devices=7, cards=3, updates=2, octets=3000)
    kept = np.ones((2, 3, 2, 3), bool)
    kept[0, 1] = False  # nothing of card 2 of the first device
    kept[1, 2, 0, 1] = False
    seen = Counter((one, card_of(datagram)) for one, datagram in received(load, gso=gso, kept=kept))
    here, there = traffic.address(5), traffic.address(6)
    assert seen == {(here, 1): 6, (here, 3): 6, (there, 1): 6, (there, 2): 6, (there, 3): 5}


@linux_only
def test_the_devices_begin_one_part_after_the_other_each_announced() -> None:
    plan = Plan(Load(devices=4, period=SECOND // 10), periods=1, ramp=2, learning=0)
    warm = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(5)
        sender = Sender(receiver.getsockname()[1], plan)
        sender.run(lambda: warm.append(True))
        sender.close()
        seen: dict[str, list[tuple[int, int]]] = {}
        for _ in range(truth.whole_messages(plan, 1) + 4):
            datagram, source = receiver.recvfrom(2000)
            header = decode_header(datagram)
            seen.setdefault(source[0], []).append((header.publisher_id, header.message_id))
    assert warm == [True]
    assert sender.late_seconds >= 0
    for device in range(4):
        assert plan.begins(device) == (0 if device < 2 else 1)
        numbers = [
            (card, index) for index in range(truth.first_index(plan, device), 4)
            for card in range(traffic.FIRST_CARD, traffic.FIRST_CARD + 8)
        ]  # fmt: skip
        assert seen[traffic.address(device)] == [(traffic.MASTER, 1), *numbers]


# --------------------------------------------------------------------------- what is true
def test_the_truth_is_drawn_the_same_by_everybody() -> None:
    plan = Plan(Load(devices=50, updates=2, loss=0.1), periods=3, ramp=2, learning=1, closing=1)
    assert truth.kept(plan, 1, 2) is None
    assert truth.kept(plan, 1, 6) is None
    drawn = [truth.kept(plan, 1, index) for index in (3, 4, 5)]
    again = [truth.kept(plan, 1, index) for index in (3, 4, 5)]
    for one, other in zip(drawn, again, strict=True):
        assert one is not None
        assert (one == other).all()
        assert 0.07 < 1 - one.mean() < 0.13
    lost = sum(int((~one).sum()) for one in drawn if one is not None)
    sent = sum(plan.begun(index) for index in range(plan.total)) * plan.load.burst
    assert truth.whole_messages(plan, 1) == sent - lost


def test_verdicts_follow_from_what_is_lost() -> None:
    plan = Plan(Load(devices=200, cards=3, updates=2, loss=0.3), periods=1, ramp=0, learning=0)
    kept = truth.kept(plan, 2, 0)
    assert kept is not None
    found = {device: one for device, _, one in truth.expected(plan, 2)}
    for device in range(200):
        missing, degraded = [], []
        for card, name in enumerate(traffic.cards(plan.load)):
            messages = [[bool(one) for one in kept[device, card, n]] for n in range(2)]
            whole = messages.count([True, True])
            if whole == 0:
                half = any(any(one) for one in messages)
                missing.append((name, "unreassembled" if half else "lost"))
            elif whole == 1:
                degraded.append((name, "loss"))
        said = found.get(device, truth.COMPLETE)
        assert said.missing == tuple(missing)
        assert said.degraded == tuple(degraded)
        outcome = "INCOMPLETE" if missing else "DEGRADED" if degraded else "COMPLETE"
        assert said.outcome == outcome
        assert said.text.startswith(outcome)


def test_a_rate_is_made_of_more_updates_and_of_the_period() -> None:
    load = Load(devices=1000, cards=8).at_rate(110_000)
    assert (load.devices, load.updates, load.period) == (1000, 14, 1_020_000_000)
    assert load.rate == pytest.approx(110_000, rel=0.01)
    assert Load(devices=10_000).at_rate(20_000).period == 4 * SECOND
    assert Load(updates=4).with_devices_for(60_000).devices == 1_875
    assert Plan.of_seconds(load, 5).periods == 5
    assert Plan.of_seconds(load, 5).closing == 0


def test_losses_and_renewals_can_be_measured() -> None:
    assert many_subscriptions.losses(5, 0.2, periods=3) > 0
    assert len(many_subscriptions.renewals(1, devices=2)) == 2
