"""Our own disk was full: whoever sends over a stream is not blamed for what we did not read, and
drops of datagrams excuse nobody who sends none.
"""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from collector.core.engine import Engine
from collector.core.settings import EngineSettings
from collector.model import (
    Cause,
    CollectorTime,
    Dropped,
    NotJudgedReason,
    Outcome,
    Paused,
    Update,
    Verdict,
)
from tests.helpers import Wire, established, letters, ns, numbered, run, tick, update

DOWN = NotJudgedReason.COLLECTOR_DOWN
CARDS = ("card 1", "card 2")


def paused(since: float, until: float) -> Paused:
    """As the journal has it: where the pause began."""
    times = CollectorTime(ns(since)), CollectorTime(ns(until))
    return Paused(CollectorTime(ns(since - 0.5)), *times, 0)


def streamed(
    periods: Iterable[int],
    *,
    cards: tuple[str, ...] = CARDS,
    per_period: int = 1,
    unread: tuple[float, float] = (0, 0),
    numbers: bool = False,
) -> list[Update]:
    """Records of 10 s over a stream; what comes while it is not ``unread`` comes at its end."""
    found = []
    for index in periods:
        for part in range(per_period):
            for place, card in enumerate(cards):
                time = 10 * index + 0.2 + 2 * part + 0.01 * place
                at = time + 0.05
                if unread[0] <= at < unread[1]:
                    at = unread[1] + 0.1 + time / 1e5
                number = index * per_period + part if numbers else None
                found.append(update(at, card, number, time=time))
    return found


def by_datagrams(periods: Iterable[int], card: str) -> list[Update]:
    return [update(10 * index + 0.2, card, index) for index in periods]


def outcomes(rows: Iterable[Verdict]) -> list[tuple[Outcome, NotJudgedReason | None]]:
    return [(row.outcome, row.reason) for row in rows]


@pytest.mark.parametrize("numbers", [False, True])
@pytest.mark.parametrize("per_period", [1, 3])
def test_what_waited_for_our_disk_blames_nobody(per_period: int, numbers: bool) -> None:
    pause = paused(91.0, 115.0)
    sent = streamed(range(1, 20), per_period=per_period, unread=(91.0, 115.0), numbers=numbers)
    wire = run([established(-5, CARDS), pause, *sent], until=199)
    firsts, lasts = wire.firsts(), wire.lasts()
    assert letters(lasts) == "C" * 19
    assert {row.outcome for row in firsts} <= {Outcome.COMPLETE, Outcome.NOT_JUDGED}
    said = [row.nominal_time - ns(0) for row in firsts if row.outcome is Outcome.NOT_JUDGED]
    assert {row.reason for row in firsts if row.reason} == {DOWN}
    assert not [row.late_generators for row in wire.verdicts if row.late_generators]
    assert said == [number * 10**10 for number in ([10] if per_period == 1 else [9, 10])]
    assert not {"clock_step", "restart", "clock_offset"} & set(wire.kinds())


def test_a_burst_of_which_a_part_was_read_is_no_step_of_the_clock() -> None:
    sent = streamed(range(1, 20), per_period=3, unread=(91.0, 99.0))
    wire = run([established(-5, CARDS), paused(91.0, 99.0), *sent], until=199)
    assert letters(wire.lasts()) == "C" * 19
    assert "clock_step" not in wire.kinds()


def test_what_never_came_is_not_judged() -> None:
    lost = [one for one in streamed(range(1, 20)) if not ns(91) <= one.arrival < ns(115)]
    wire = run([established(-5, CARDS), paused(91.0, 115.0), *lost], until=199)
    assert letters(wire.lasts()) == "CCCCCCCCC" + "nn" + "C" * 8
    assert {row.reason for row in wire.lasts()} == {None, DOWN}


def test_a_lost_record_beside_the_pause_is_blamed_as_ever() -> None:
    gone = {40, 160}
    sent = [
        one for one in streamed(range(1, 20), unread=(91.0, 115.0))
        if one.generator == CARDS[0] or round((one.event_time or 0) / 1e9 - ns(0) / 1e9) not in gone
    ]  # fmt: skip
    wire = run([established(-5, CARDS), paused(91.0, 115.0), *sent], until=199)
    assert [row.outcome for row in wire.lasts()].count(Outcome.INCOMPLETE) == 2
    assert letters(wire.lasts()) == "CCCICCCCCCCCCCCICCC"


def test_datagrams_keep_their_times_and_are_judged() -> None:
    """The kernel kept them: a card that is silent then, is."""
    sent = by_datagrams(range(1, 20), "1") + [
        one for one in by_datagrams(range(1, 20), "2") if one.message_id != 10
    ]
    for number, one in enumerate(sent[19:]):  # ids without a hole
        sent[19 + number] = update((one.arrival - ns(0)) / 1e9, "2", number)
    wire = run([established(-5, ("1", "2")), paused(91.0, 125.0), *sent], until=199)
    assert letters(wire.lasts()) == "CCCCCCCCCICCCCCCCCC"
    assert wire.row(10).missing[0].cause is Cause.SILENT


def test_of_a_mixed_subscription_only_streams_are_excused() -> None:
    mine = [one for one in streamed(range(1, 20), cards=("card 1",)) if one.arrival < ns(91)]
    agent = [one for one in by_datagrams(range(1, 20), "2") if one.message_id not in (10, 11)]
    wire = run([established(-5, ("card 1", "2")), paused(91.0, 125.0), *mine, *agent], until=200)
    row = wire.row(10)
    assert row.outcome is Outcome.INCOMPLETE
    assert [one.generator for one in row.missing] == ["2"]
    assert wire.row(12).reason is DOWN, "only the stream lacks"
    assert wire.row(15).missing[0].generator == "card 1", "the pause is long over"


def test_nobody_knows_how_a_card_would_come_that_was_never_heard() -> None:
    sent = streamed(range(1, 20), cards=CARDS[:1], unread=(91.0, 125.0))
    wire = run([established(-5, CARDS), paused(91.0, 125.0), *sent], until=200)
    assert letters(wire.lasts()) == "nn" + "IIIIII" + "nnnnn" + "IIIII"


def test_a_return_may_take_as_long_again() -> None:
    """Whoever is told to come back later does so a moment after there is room."""
    sent = streamed(range(1, 20), unread=(91.0, 107.5))
    calm = run([established(-5, CARDS), paused(91.0, 98.0), *sent], until=199)
    assert {row.outcome for row in calm.firsts()} == {Outcome.COMPLETE, Outcome.NOT_JUDGED}
    blamed = run([established(-5, CARDS), paused(80.0, 80.5), *sent], until=199)
    assert Outcome.INCOMPLETE in {row.outcome for row in blamed.firsts()}


@pytest.mark.parametrize("back_at", [1300.0, None])
def test_a_long_pause_is_a_few_rows_and_what_follows_is_judged(back_at: float | None) -> None:
    """Two hundred periods of 10 s, most of them said as ranges."""
    sent = streamed(range(1, 10))
    if back_at is not None:
        sent += streamed(range(130, 160))
    records = [established(-5, CARDS), paused(91.0, 1295.0), *sent, tick(1295.5), tick(5000)]
    wire = run(records)
    rows = wire.lasts()
    said = letters(rows)
    back = 30 if back_at is not None else 0
    assert said[:129] == "C" * 9 + "n" * 120
    assert said[129 : 129 + back] == "C" * back
    assert set(said[131 + back :]) == {"I"}, "it is silent, and that is not us"
    assert len(rows) < 300


def test_a_silence_from_before_stays_one_on_both_sides() -> None:
    sent = streamed(range(1, 10))
    wire = run([established(-5, CARDS), *sent, tick(1500), paused(1501, 1600), tick(4000)])
    said = letters(wire.lasts())
    assert said[:9] == "C" * 9
    assert said[9:149] == "I" * 140
    assert said[151:160] == "n" * 9
    assert set(said[162:]) == {"I"}


def test_a_snapshot_in_between_changes_nothing() -> None:
    sent = streamed(range(1, 20), per_period=2, unread=(91.0, 125.0))
    records = numbered([established(-5, CARDS), paused(91.0, 125.0), *sent, tick(199)])
    plain, engine = Engine(EngineSettings()), Engine(EngineSettings())
    for record in records:
        assert engine.receive(record, record.arrival) == plain.receive(record, record.arrival)
        parts = {name: engine.snapshot_device(name) for name in engine.devices()}
        engine = Engine.restore(EngineSettings(), parts)


# --------------------------------------------------------------------------- our own drops
def dropped(at: float) -> Dropped:
    return Dropped(CollectorTime(ns(at)), CollectorTime(ns(at - 4)), 5, 0)


@pytest.mark.parametrize(
    ("sent", "cards", "cause"),
    [
        (streamed([1, 2, 3, 4, 5, 7, 8]), CARDS, Cause.SILENT),
        (by_datagrams([1, 2, 3, 4, 5, 7, 8], "1"), ("1",), Cause.LOST_HERE),
    ],
)
def test_drops_of_a_socket_excuse_those_who_send_datagrams(
    sent: list[Update], cards: tuple[str, ...], cause: Cause
) -> None:
    wire = run([established(-5, cards), *sent, dropped(62)], until=69)
    row = wire.row(6)
    assert row.outcome is Outcome.INCOMPLETE
    assert {one.cause for one in row.missing} == {cause}


def test_numbers_that_a_stream_leaves_out_are_no_drops_of_a_socket() -> None:
    sent = streamed([1, 2, 3, 4, 5, 7, 8], cards=CARDS[:1], numbers=True)
    wire: Wire = run([established(-5, CARDS[:1]), *sent, dropped(62)], until=90)
    assert [one.cause for one in wire.row(6).missing] == [Cause.LOST]


@pytest.mark.parametrize("stamped", [True, False])
def test_datagrams_of_several_sockets_are_excused_like_streams(stamped: bool) -> None:
    times = [CollectorTime(ns(at)) for at in (90.5, 91.0, 115.0)]
    sent = by_datagrams(range(1, 20), "1")
    late = [
        update(115.1 + number / 1e3, "1", one.message_id, time=10.0 * number + 0.2)
        if 91 < 10 * number < 115
        else one
        for number, one in enumerate(sent, start=1)
    ]
    wire = run([established(-5, ("1",)), Paused(*times, 0, stamped), *late], until=199)
    assert (Outcome.INCOMPLETE in {row.outcome for row in wire.firsts()}) is stamped
    assert letters(wire.lasts()) == "C" * 19
    assert "clock_step" not in wire.kinds()
