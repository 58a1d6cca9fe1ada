"""We stood still: no deadline passes before what came meanwhile over streams is read, and what
then lacks lacks.
"""

from __future__ import annotations

import pytest

from collector.core.engine import Engine
from collector.core.expectation.deadlines import STALLS
from collector.core.settings import EngineSettings
from collector.model import SECOND, Cause, CollectorTime, Outcome, StoodStill
from tests.helpers import established, letters, ns, numbered, run, tick, update
from tests.unit.test_core_pauses import CARDS, by_datagrams, streamed


def stood_still(since: float, until: float) -> StoodStill:
    """As the journal has it: behind the last record of before."""
    return StoodStill(*(CollectorTime(ns(at)) for at in (since, since, until)), 0)


@pytest.mark.parametrize("per_period", [1, 3])
@pytest.mark.parametrize("stall", [(99.0, 106.0), (91.0, 138.0)])
def test_streams_that_were_read_late_are_complete_at_once(
    stall: tuple[float, float], per_period: int
) -> None:
    sent = streamed(range(1, 20), per_period=per_period, unread=stall)
    wire = run([established(-5, CARDS), stood_still(*stall), *sent], until=199)
    assert letters(wire.firsts()) == "C" * 19
    assert letters(wire.lasts()) == "C" * 19
    assert not any(row.late_generators for row in wire.lasts())
    assert not {"clock_step", "restart", "clock_offset"} & set(wire.kinds())


def test_without_that_word_they_were_blamed() -> None:
    sent = streamed(range(1, 20), unread=(99.0, 106.0))
    wire = run([established(-5, CARDS), *sent], until=199)
    assert letters(wire.firsts()).count("I") == 1


def test_who_was_silent_meanwhile_is_said_so_once_all_is_read() -> None:
    stall = (99.0, 109.0)
    sent = streamed(range(1, 20), unread=stall)
    sent = [one for one in sent if (one.generator, one.event_time) != (CARDS[1], ns(100.21))]
    wire = run([established(-5, CARDS), stood_still(*stall), *sent], until=199)
    row = wire.row(10)
    assert (row.outcome, row.missing[0].generator) == (Outcome.INCOMPLETE, CARDS[1])
    assert row.missing[0].cause is Cause.SILENT
    assert letters(wire.lasts()).count("I") == 1


def test_time_for_reading_is_bounded_and_stalls_do_not_add_up() -> None:
    """One stall after the other: the deadline of 105.26 s is put off by the first of them only."""
    stalls = [stood_still(105 + 0.3 * number, 105.3 + 0.3 * number) for number in range(40)]
    sent = [one for one in streamed(range(1, 20)) if one.arrival < ns(99)]
    ticks = [tick(105.31 + 0.3 * number) for number in range(40)]
    wire = run([established(-5, CARDS), *sent, *stalls, *ticks])
    row = wire.row(10)
    assert row.outcome is Outcome.INCOMPLETE
    assert row.deadline == ns(105.3) + SECOND // 4


def test_datagrams_have_the_times_at_which_they_came() -> None:
    sent = by_datagrams(range(1, 20), "1")
    late = update(118.0, "1", 11, time=110.2)
    sent = [late if one.message_id == 11 else one for one in sent]
    wire = run([established(-5, ("1",)), stood_still(99.0, 147.0), *sent], until=199)
    assert letters(wire.firsts()) == "C" * 10 + "I" + "C" * 8
    assert wire.row(11).late_generators == ("1",), "it was late, and that is not us"


def test_one_stream_among_datagrams_is_waited_for() -> None:
    sent = by_datagrams(range(1, 20), "1")
    sent += streamed(range(1, 20), cards=CARDS[:1], unread=(99.0, 147.0))
    wire = run([established(-5, ("1", CARDS[0])), stood_still(99.0, 147.0), *sent], until=199)
    assert letters(wire.firsts()) == "C" * 19


def test_a_few_stalls_are_remembered_and_a_snapshot_in_between_changes_nothing() -> None:
    stall = (91.0, 138.0)
    earlier = [stood_still(20 + number, 20.5 + number) for number in range(STALLS + 4)]
    sent = streamed(range(1, 20), unread=stall)
    records = numbered([established(-5, CARDS), *earlier, stood_still(*stall), *sent, tick(199)])
    plain, engine = Engine(EngineSettings()), Engine(EngineSettings())
    for record in records:
        assert engine.receive(record, record.arrival) == plain.receive(record, record.arrival)
        parts = {name: engine.snapshot_device(name) for name in engine.devices()}
        engine = Engine.restore(EngineSettings(), parts)
    (device,) = plain._devices.values()
    assert len(device.windows.stalls) == STALLS


@pytest.mark.parametrize("stamped", [True, False])
def test_datagrams_of_several_sockets_have_no_times_of_their_own(stamped: bool) -> None:
    """One is read after the other: what waits in the second looks as late as we are."""
    stall = StoodStill(*(CollectorTime(ns(at)) for at in (99.0, 99.0, 106.0)), 0, stamped)
    sent = by_datagrams(range(1, 20), "1")
    late = [update(106.1, "1", 10, time=100.2) if one.message_id == 10 else one for one in sent]
    wire = run([established(-5, ("1",)), stall, *late], until=199)
    assert letters(wire.firsts()) == "C" * 9 + ("I" if stamped else "C") + "C" * 9
    assert not {"clock_step", "restart", "clock_offset"} & set(wire.kinds())
