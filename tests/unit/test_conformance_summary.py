"""The summary of ``collector decode``: originators, and runs of Message IDs."""

from __future__ import annotations

from collector.conformance import id_runs, summary
from collector.conformance.id_runs import IdRun
from collector.conformance.summary import TrafficSummary
from collector.model import (
    CollectorTime,
    ObservedHalfBuilt,
    ObservedRefusal,
    RejectedNote,
    UnreassembledNote,
)
from tests.unit.conformance_maker import ORIGIN, envelope, message, update

NOW = CollectorTime(1)


def run_of(*numbers: int) -> IdRun:
    """Every id with octets of its own."""
    run = IdRun()
    for number in numbers:
        run.take(number, number)
    return run


def counts(run: IdRun) -> dict[str, int]:
    names = ("missing", "overtaken", "repeated", "restarts")
    return {name: getattr(run, name) for name in names if getattr(run, name)}


def test_holes_and_what_fills_them() -> None:
    assert counts(run_of(5, 6, 7)) == {}
    assert counts(run_of(5, 9)) == {"missing": 3}
    assert counts(run_of(5, 9, 7)) == {"missing": 2, "overtaken": 1}
    assert counts(run_of(5, 9, 7, 6, 8, 10)) == {"overtaken": 3}
    assert counts(run_of(2**32 - 2, 2**32 - 1, 0, 2)) == {"missing": 1}
    assert counts(run_of(5, 6, 6)) == {"repeated": 1}


def test_restarts() -> None:
    assert counts(run_of(500, 501, 0, 1)) == {"restarts": 1}
    assert counts(run_of(5, 9, 5000)) == {"missing": 3, "restarts": 1}
    other = IdRun()
    for stamp in (1, 2):  # the same ids, other messages
        for number in range(3):
            other.take(number, stamp)
    assert counts(other) == {"restarts": 1}
    assert other.messages == 6


def test_a_half_built_message_is_no_hole() -> None:
    run = run_of(5)
    run.take(6, None)
    run.take(7, 7)
    assert (counts(run), run.messages) == ({}, 2)
    run.take(6, 6)  # it was finished late
    run.take(6, None)
    run.take(6, 6)
    assert (counts(run), run.messages) == ({"repeated": 1}, 4)


def test_what_a_run_remembers_is_bounded() -> None:
    run = IdRun()
    for number in range(0, 3 * id_runs.JUMP, 2):
        run.take(number, number)
    run.take(1, 1)  # its hole is forgotten
    assert run.restarts == 1
    run.take(1, 1)
    assert run.repeated == 1


def test_the_scope_with_fewer_odd_steps_is_shown() -> None:
    for numbers, scopes in (((0, 1, 2, 3), ["header"]), ((0, 90, 1, 91), ["subscription"] * 2)):
        traffic = TrafficSummary()
        for place, number in enumerate(numbers):
            traffic.receive(message(envelope(update(subscription=place % 2)), number))
        assert [row.scope for row in traffic.counters()] == scopes


def test_what_was_refused_or_half_built() -> None:
    traffic = TrafficSummary()
    traffic.receive(message(envelope(update()), 1))
    traffic.receive(message(b"{", 2))
    traffic.receive(ObservedRefusal(NOW, ORIGIN, None, None, RejectedNote("too-short")))
    traffic.receive(ObservedHalfBuilt(NOW, ORIGIN, 1, 3, UnreassembledNote(NOW, 1)))
    assert traffic.refused == {"bad-json": 1, "too-short": 1}
    assert (traffic.messages, traffic.half_built) == (2, 1)
    (ids,) = traffic.counters()
    assert (ids.scope, ids.half_built, counts(ids.run)) == ("header", 1, {})


def test_tables_are_bounded(monkeypatch: object) -> None:
    traffic = TrafficSummary()
    before = summary.ORIGINATORS, summary.COUNTERS
    try:
        summary.ORIGINATORS = summary.COUNTERS = 2  # type: ignore[misc]  # for this test
        for number in range(5):
            one = message(
                envelope(update(generator=number, subscription=number)), number, publisher=number
            )
            traffic.receive(one)
            traffic.receive(message(envelope(update(subscription=number)), 10 + number))
    finally:
        summary.ORIGINATORS, summary.COUNTERS = before  # type: ignore[misc]
    assert len(traffic.originators()) == 2
    assert traffic.left_out > 0
    assert len({row.publisher_id for row in traffic.counters()}) == 2


def test_messages_of_transports_without_ids() -> None:
    traffic = TrafficSummary()
    traffic.receive(message(envelope(update(message_publisher_id=None)), None))
    (row,) = traffic.originators()
    assert (row.generator, traffic.counters()) == ("", [])
