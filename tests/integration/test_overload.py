"""More than the collector can take: it sheds at the socket, goes on judging what it has, never
blames a device for what it shed itself, and is well again by itself once the rate falls.

One device of several floods through a small socket buffer, many messages in one system call, faster
than they are read; the messages of the others fall into the middle of that.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from collector.model import SECOND, Cause, NotJudgedReason, Outcome, Verdict
from tests.bench import traffic
from tests.bench.load import Load
from tests.bench.traffic import Traffic
from tests.bench.trains import Trains
from tests.lanes_lab import Collector, collector

pytestmark = pytest.mark.integration

QUIET = 5
"""Devices that send one message a card and period, come what may."""
NOISY = QUIET
"""Number of the device that floods; at other times it sends as much as its peers a few times."""
CARDS = 4
NORMAL, FLOOD, AFTER = 6, 3, 9
"""Periods of one second."""
HURT_BEHIND = 4 * SECOND
"""So long after the flood everything is well again; on an idle machine at once."""
ROUNDS_BEFORE, ROUNDS_BEHIND = 60, 20
"""Rounds of the noisy device around the messages of one quiet one, 32 datagrams each: 70 fit into
the buffer, and what the collector reads meanwhile is a fraction of it."""
DEVICES = "".join(
    f'[[device]]\nname = "{traffic.device_name(n)}"\nsources = ["{traffic.address(n)}"]\n'
    for n in range(QUIET + 1)
)
GRACE_SECONDS = 2.5
"""Drops are recorded once a second: known before the first verdict on what was missing."""
OUR_FAULT = {Cause.LOST_HERE}
SOME_LOSS = {Cause.LOSS, Cause.POSSIBLE_LOSS}


class Senders:
    """All devices, and how many datagrams they sent."""

    def __init__(self, port: int) -> None:
        everybody = Load(devices=QUIET + 1, cards=CARDS)
        self._traffic = Traffic(everybody), Traffic(Load(devices=QUIET + 1, cards=CARDS, updates=8))
        self._trains = [Trains(port, one, gso=False) for one in self._traffic]  # see check_drops
        self._rounds = [0] * (QUIET + 1)
        self.sent = 0

    def announce(self) -> None:
        """``subscription-started`` of every device."""
        self._trains[0].announce(0, QUIET + 1)
        self.sent += QUIET + 1

    def send(self, device: int) -> None:
        """What a device sends in one period at other times."""
        noisy = device == NOISY
        self._rounds[device] += 1
        self._traffic[noisy].stamp(1, self._rounds[device], time.time_ns())
        self._trains[noisy].send(device, device + 1)
        self.sent += self._traffic[noisy].load.burst

    def close(self) -> None:
        for one in self._trains:
            one.close()


@contextmanager
def senders(port: int) -> Iterator[Senders]:
    made = Senders(port)
    try:
        yield made
    finally:
        made.close()


async def send_periods(sender: Senders, begun: float, first: int, end: int, *, flood: bool) -> None:
    """Every device at its place in every period; with ``flood`` amid that of the noisy one."""
    for place in range(first * (QUIET + 1), end * (QUIET + 1)):
        period, device = divmod(place, QUIET + 1)
        at = begun + period + 0.6 * device / (QUIET + 1)
        await asyncio.sleep(max(0.0, at - time.monotonic()))
        for _ in range(ROUNDS_BEFORE if flood else 0):
            sender.send(NOISY)
        sender.send(device)
        for _ in range(ROUNDS_BEHIND if flood else 0):
            sender.send(NOISY)


def last_rows(rows: list[Verdict]) -> dict[tuple[str, int], Verdict]:
    """(device, period) -> its newest row."""
    found: dict[tuple[str, int], Verdict] = {}
    for row in sorted(rows, key=lambda row: row.amendment):
        for index in range(row.period_index, row.period_to + 1):
            found[row.device, index] = row
    return found


def recovered(running: Collector, since: int, until: int) -> bool:
    """Is every period from one nominal time to another one COMPLETE in its last row?"""
    rows = last_rows(running.verdicts())
    wanted = (until - since) // SECOND
    for number in range(QUIET + 1):
        said = [
            row.outcome for row in rows.values()
            if row.device == traffic.device_name(number) and since <= row.nominal_time < until
        ]  # fmt: skip
        if len(said) < wanted or set(said) != {Outcome.COMPLETE}:
            return False
    return True


def test_a_flooded_collector_sheds_blames_nobody_and_is_well_again_by_itself(
    tmp_path: Path,
) -> None:
    async def step() -> None:
        async with collector(tmp_path) as running:
            more = f"[verdicts]\ngrace_seconds = {GRACE_SECONDS}\n{DEVICES}"
            running.configure(lanes=1, more=more, udp="receive_buffer_bytes = 65536")
            await running.start()
            with senders(running.port) as sender:
                sender.announce()
                begun, flooded = time.monotonic(), time.time_ns() + NORMAL * SECOND
                await send_periods(sender, begun, 0, NORMAL, flood=False)
                assert running.ask("status")["dropped_here"] == 0
                await send_periods(sender, begun, NORMAL, NORMAL + FLOOD, flood=True)
                total = NORMAL + FLOOD + AFTER
                await send_periods(sender, begun, NORMAL + FLOOD, total, flood=False)
            over = flooded + FLOOD * SECOND
            well, last = over + HURT_BEHIND, over + (AFTER - 2) * SECOND
            await running.until(lambda: recovered(running, well, last))
            check_drops(running, sender.sent)
            check_verdicts(running.verdicts(), flooded, over)
            await running.stop()

    asyncio.run(asyncio.wait_for(step(), 200))


def check_drops(running: Collector, sent: int) -> None:
    """Every datagram was taken, or counted and recorded as dropped here (the kernel may count a
    train as one: none are sent)."""
    status = running.ask("status")
    dropped = status["dropped_here"]
    assert dropped > sent // 10
    assert status["datagrams_received"] + dropped == sent
    texts = running.rows("SELECT text FROM events WHERE kind = 'dropped_here'")
    assert sum(int(row["text"].split()[0]) for row in texts) == dropped


def check_verdicts(rows: list[Verdict], flooded: int, over: int) -> None:
    """Only the time of the flood is hurt, and what is missing there is said to be lost here."""
    for row in rows:
        assert {one.cause for one in row.missing} <= OUR_FAULT, row
        assert {one.cause for one in row.degraded} <= SOME_LOSS, row
        if not flooded - SECOND <= row.nominal_time < over + HURT_BEHIND:
            assert row.outcome is Outcome.COMPLETE or row.reason is NotJudgedReason.STARTING, row
    hurt = [row for row in rows if row.missing]
    assert {row.outcome for row in hurt} == {Outcome.INCOMPLETE}
    assert traffic.device_name(NOISY) not in {row.device for row in hurt}
    assert len({row.device for row in hurt}) > 1
