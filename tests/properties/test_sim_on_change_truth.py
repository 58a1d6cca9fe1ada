"""Patches that random devices lose, against what the collector misses of them."""

from __future__ import annotations

import random
from collections import defaultdict

from hypothesis import given, settings
from hypothesis import strategies as st

from collector.core.on_change.patch_ids import Patched, PatchIds
from collector.errors import WireError
from collector.model import CollectorTime, NotificationKind
from collector.wire.notifications.notification import decode
from collector.wire.notifications.yang_patch import read_patch
from collector.wire.udp_notif.datagrams import decode_header
from publisher_sim.device.simulate import Simulation
from publisher_sim.scenario import Card, Changes, Fault, Push, Scenario
from publisher_sim.truth.file import RecordLine


def random_device(seed: int) -> Scenario:
    """Cards that lose, spoil, double and hold back; one may be taken away for a while."""
    draw = random.Random(seed)
    cards = tuple(
        Card(f"lc{n}", 100 + n, (f"eth{n}/0", f"eth{n}/1"), (f"fan{n}",), transient=(f"tmp{n}",))
        for n in range(draw.randint(1, 3))
    )
    faults = [
        Fault("drop", at, at + draw.randint(1, 4), draw.choice(cards).name, draw.uniform(0.1, 0.9))
        for at in range(6, 30, 5)
    ]
    faults.append(Fault(draw.choice(["corrupt", "duplicate", "incomplete"]), 10, 14))
    faults.append(Fault("reorder", 16, 18, seconds=0.4))
    if draw.random() < 0.5:
        faults.append(Fault("pull", 20, 24, cards[0].name))
    if draw.random() < 0.5:
        faults.append(Fault("suspend", 26, 28))
    changes = Changes(
        status_seconds=draw.choice([1, 3]),
        sensor_seconds=2,
        entry_seconds=draw.choice([0, 2]),
        dampening_seconds=draw.choice([0, 0, 0.3]),
        simulated="on-change",
    )
    return Scenario(
        seed=seed, periods=34, card=cards, changes=changes, fault=tuple(faults),
        push=Push(max_segment_size=65_000),
    )  # fmt: skip


def missed(simulation: Simulation) -> int:
    """Patches that the collector says are missing, and that did not come late."""
    ids = PatchIds()
    heard = sorted((one for one in simulation.run() if one.kind == "datagram"), key=lambda s: s.at)
    for offset, one in enumerate(heard):
        header = decode_header(one.octets)
        payload = one.octets[header.header_length :]
        try:
            found = decode(payload, header.media_type)
            patch = read_patch(payload, header.media_type)
        except WireError:
            continue
        changes = found.kind is NotificationKind.PUSH_CHANGE_UPDATE
        assert changes == (patch is not None)
        at = CollectorTime(one.at)
        said = Patched(
            at, offset, "d", 1, 0, str(header.publisher_id),
            None if patch is None else patch.patch_id, found.event_time or 0,
        )  # fmt: skip
        ids.receive([said], at)
    return ids.counts.get("missing", 0) - ids.counts.get("late", 0)


def lost(records: list[RecordLine]) -> int | None:
    """Patches that nobody could read with a later one behind them that somebody could; None where
    a push-update is among what was lost, for then ids begin anew without a word."""
    stretches: dict[str, list[list[RecordLine]]] = defaultdict(list)
    for one in records:
        if one.patch_id is None:
            if one.fate != "good":
                return None
            stretches[one.generator].append([])
        else:
            stretches[one.generator][-1].append(one)
    found = 0
    for parts in stretches.values():
        for part in parts:
            last = max((n for n, one in enumerate(part) if one.fate == "good"), default=0)
            found += sum(one.fate != "good" for one in part[:last])
    return found


@settings(max_examples=30, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10_000))
def test_what_is_missed_is_what_was_lost(seed: int) -> None:
    simulation = Simulation(random_device(seed))
    found = missed(simulation)
    records = simulation.records()
    assert sum(one.patch_id is not None for one in records) > 5
    truly = lost(records)
    if truly is not None:
        assert found == truly
