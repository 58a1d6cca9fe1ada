"""Cards that send now more, now less: counts that agree by chance, bursts half forgotten."""

from __future__ import annotations

from collector.core.periods.usual import KEPT_PERIODS
from collector.model import Cause, NotificationKind, NotJudgedReason, Outcome, Update
from tests.helpers import Wire, changed, established, ns, run, update

CARDS = ("1", "2")
START = established(generators=CARDS)


def bursts(
    counts: dict[str, list[int]],
    *,
    lost: tuple[int, str, int] | None = None,
    spacing: float = 2.0,
) -> list[Update]:
    """One header id for both cards, its ids counted through; ``spacing`` within a burst, seconds.

    ``lost``: (period, card, which of its burst).
    """
    sent = []
    number = 100
    for index in range(len(counts["1"])):
        times = sorted(
            (index * 10 + 0.1 * int(card) + spacing * part, card, part)
            for card in CARDS
            for part in range(counts[card][index])
        )
        for at, card, part in times:
            number += 1
            if (index, card, part) != lost:
                sent.append(update(at, card, number, header=7, time=at - 0.05))
    return sent


def degraded(wire: Wire, index: int) -> dict[str, Cause]:
    return {one.generator: one.cause for one in wire.row(index).degraded}


def test_three_counts_that_agree_are_enough_while_no_card_varies() -> None:
    steady = {"1": [2] * 9, "2": [2] * 9}
    wire = run([START, *bursts(steady, lost=(7, "2", 1))], until=95)
    assert wire.row(7).outcome is Outcome.DEGRADED
    assert degraded(wire, 7) == {"2": Cause.LOSS}


def test_where_one_card_varies_three_agreeing_counts_of_another_are_chance() -> None:
    """Card 2 sends twice five times running, then once; a loss of card 1 is not charged to it."""
    counts = {"1": [1, 2, 1, 2, 1, 2, 1, 2, 2], "2": [1, 2, 2, 2, 2, 2, 2, 1, 2]}
    wire = run([START, *bursts(counts, lost=(7, "1", 1))], until=95)
    assert "1" in degraded(wire, 7)


def test_a_burst_that_a_suspension_cut_off_is_no_count() -> None:
    """Period 4 has one record of two; the next three say what is usual, as if it were not there."""
    counts = {"1": [2] * 4 + [1, 0] + [2] * 6, "2": [2] * 4 + [1, 0] + [2] * 6}
    stop = changed(41, NotificationKind.SUBSCRIPTION_SUSPENDED, reason="insufficient-resources")
    again = changed(52, NotificationKind.SUBSCRIPTION_RESUMED)
    wire = run([START, stop, again, *bursts(counts, lost=(10, "2", 1))], until=125)
    subscription = wire.engine._devices["core7"].subscriptions[1]
    assert not subscription.varies
    assert wire.firsts()[4].reason is NotJudgedReason.SUSPENDED
    assert degraded(wire, 10) == {"2": Cause.LOSS}
    judged = [row for row in wire.firsts() if row.outcome is Outcome.DEGRADED]
    assert [row.nominal_time for row in judged] == [ns(100)]


def test_eight_agreeing_counts_are_enough_all_the_same() -> None:
    counts = {"1": [1, 2] * 6, "2": [2] * 12}
    wire = run([START, *bursts(counts)], until=125)
    subscription = wire.engine._devices["core7"].subscriptions[1]
    assert subscription.varies
    assert subscription.originators["1"].usual is None
    assert subscription.originators["2"].usual == 2
    fewer = run([START, *bursts({card: found[:7] for card, found in counts.items()})], until=65)
    subscription = fewer.engine._devices["core7"].subscriptions[1]
    assert subscription.originators["2"].usual is None


def test_a_card_that_no_longer_varies_is_forgiven() -> None:
    settled = KEPT_PERIODS + 2
    counts = {"1": [1, 2, 1, 2] + [2] * settled, "2": [2] * (4 + settled)}
    wire = run([START, *bursts(counts)], until=10 * (5 + settled))
    subscription = wire.engine._devices["core7"].subscriptions[1]
    assert not subscription.varies
    assert [one.usual for one in subscription.originators.values()] == [2, 2]


def test_a_long_burst_is_remembered_for_some_periods() -> None:
    """The fourth message of card 1 is lost, after five periods in which it sent only one.

    Its arrival arc has moved in meanwhile; it is suspected all the same.
    """
    counts = {"1": [4, 1, 4, 1, 1, 1, 1, 1, 4, 1], "2": [4] * 10}
    wire = run([START, *bursts(counts, lost=(8, "1", 3), spacing=0.5)], until=105)
    assert wire.row(8).outcome is Outcome.DEGRADED
    assert degraded(wire, 8).get("1") in (Cause.LOSS, Cause.POSSIBLE_LOSS)
