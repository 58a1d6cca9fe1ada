"""The comparison of verdicts with the truth finds every kind of difference, and only those."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from collector.comparison import (
    TruthBlame,
    TruthFirst,
    TruthLast,
    TruthRow,
    compare,
    read_truth,
)
from collector.errors import UsageError
from collector.model import (
    SECOND,
    Cause,
    CollectorTime,
    DeviceTime,
    GeneratorCause,
    NotJudgedReason,
    Outcome,
    Provenance,
    Verdict,
)

PERIOD = SECOND
START = 1_800_000_000 * SECOND


def truth(number: int, **more: Any) -> TruthRow:
    """A period that deserves COMPLETE of two cards, unless ``more`` says otherwise."""
    first = more.pop("first", TruthFirst("COMPLETE", ()))
    last = {
        "outcome": "COMPLETE",
        "reason": None,
        "required": ("1", "2"),
        "received": ("1", "2"),
        "missing": (),
        "degraded": (),
        "unexpected": (),
        "late_generators": (),
    } | more.pop("last", {})
    values = {"uncertain": False, "why": ""} | more
    nominal = START + number * PERIOD
    return TruthRow("core7", 22, number, nominal, PERIOD, first, TruthLast(**last), **values)


def verdict(number: int, amendment: int = 0, **more: Any) -> Verdict:
    """What the collector says of the same period; its arc lies 0.2 s behind the tick."""
    values: dict[str, Any] = {
        "device": "core7",
        "subscription_name": "interfaces",
        "subscription_id": 22,
        "revision": 5,
        "period_index": 1_800_000_000 + number,
        "period_to": 1_800_000_000 + number,
        "nominal_time": DeviceTime(START + number * PERIOD + SECOND // 5),
        "amendment": amendment,
        "final": False,
        "outcome": Outcome.COMPLETE,
        "reason": None,
        "required": ("2", "1"),
        "received": ("1", "2"),
        "missing": (),
        "degraded": (),
        "unexpected": (),
        "late_generators": (),
        "provenance": Provenance.DECLARED,
        "period_source": "declared",
        "deadline": CollectorTime(START),
        "judged_at": CollectorTime(START),
    }
    return Verdict(**(values | more))


def test_equal_rows_agree_whatever_the_order_of_sets() -> None:
    found = compare([truth(n) for n in range(10)], [verdict(n) for n in range(10)])
    assert found.agrees
    assert (found.compared, found.skipped, found.uncertain) == (5, 5, 0)
    assert found.outcomes == {"COMPLETE": 5}


def test_nothing_compared_is_no_agreement() -> None:
    assert not compare([truth(n) for n in range(5)], [verdict(n) for n in range(5)]).agrees


def test_a_period_without_a_row_is_a_difference() -> None:
    found = compare([truth(7), truth(8)], [verdict(7)])
    assert [d.verdict for d in found.differences] == ["nothing"]
    assert "period at" in found.differences[0].sentence()


def test_a_row_half_a_period_away_is_another_period() -> None:
    away = verdict(7, nominal_time=DeviceTime(START + 7 * PERIOD + PERIOD // 2))
    assert not compare([truth(7)], [away]).agrees


@pytest.mark.parametrize(
    ("row", "changes", "column"),
    [
        ("first", {"outcome": Outcome.DEGRADED}, "outcome"),
        ("first", {"missing": (GeneratorCause("2", Cause.SILENT),)}, "missing"),
        ("last", {"outcome": Outcome.UNKNOWN}, "outcome"),
        ("last", {"received": ("1",)}, "received"),
        ("last", {"required": ("1", "2", "3")}, "required"),
        ("last", {"unexpected": ("9",)}, "unexpected"),
        ("last", {"late_generators": ("1",)}, "late_generators"),
        ("last", {"degraded": (GeneratorCause("1", Cause.LOSS),)}, "degraded"),
        ("last", {"missing": (GeneratorCause("2", Cause.LOST),)}, "missing"),
    ],
)
def test_each_column_is_compared(row: str, changes: dict[str, Any], column: str) -> None:
    first = changes if row == "first" else {}
    last = changes if row == "last" else {}
    rows = [verdict(7, **first), verdict(7, amendment=1, **last)]
    found = compare([truth(7)], rows)
    assert [(d.row, d.column) for d in found.differences] == [(row, column)]


def test_the_first_row_is_compared_without_its_causes() -> None:
    missing = (GeneratorCause("2", Cause.SILENT),)
    first = verdict(7, outcome=Outcome.INCOMPLETE, missing=missing, received=("1",))
    later = (GeneratorCause("2", Cause.LOST),)
    last = verdict(7, amendment=1, outcome=Outcome.INCOMPLETE, missing=later, received=("1",))
    deserved = truth(
        7,
        first=TruthFirst("INCOMPLETE", ("2",)),
        last={
            "outcome": "INCOMPLETE",
            "received": ("1",),
            "missing": (TruthBlame("2", "lost"),),
        },
    )
    assert compare([deserved], [last, first]).agrees


def test_only_outcome_and_reason_of_a_not_judged_row_count() -> None:
    row = verdict(
        7, outcome=Outcome.NOT_JUDGED, reason=NotJudgedReason.SUSPENDED, received=(), required=()
    )
    deserved = truth(
        7,
        first=TruthFirst("NOT_JUDGED", ()),
        last={"outcome": "NOT_JUDGED", "reason": "suspended"},
    )
    assert compare([deserved], [row]).agrees
    ended = {"outcome": "NOT_JUDGED", "reason": "ended"}
    other = truth(7, first=TruthFirst("NOT_JUDGED", ()), last=ended)
    assert [d.column for d in compare([other], [row]).differences] == ["reason"]


def test_a_range_of_silence_stands_for_each_of_its_periods() -> None:
    missing = tuple(GeneratorCause(one, Cause.SILENT) for one in ("1", "2"))
    silence = verdict(
        10, period_to=1_800_000_019, outcome=Outcome.INCOMPLETE, missing=missing, received=()
    )
    deserved = truth(
        15,
        first=TruthFirst("INCOMPLETE", ("1", "2")),
        last={
            "outcome": "INCOMPLETE",
            "received": (),
            "missing": (TruthBlame("1", "silent"), TruthBlame("2", "silent")),
        },
    )
    assert compare([deserved], [silence]).agrees
    assert not compare([truth(21)], [silence]).agrees


def test_too_many_uncertain_rows_are_a_failure_of_their_own() -> None:
    rows = [truth(n, uncertain=n < 8, why="slow") for n in range(5, 30)]
    found = compare(rows, [verdict(n) for n in range(5, 30)])
    assert not found.differences
    assert found.too_uncertain
    assert not found.agrees


@pytest.mark.parametrize(
    "content",
    [b"", b"{}\n", b'{"device":"a","format":"other","version":1}\n', b"not json\n"],
)
def test_other_files_are_refused_in_a_sentence(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "truth.jsonl"
    path.write_bytes(content)
    with pytest.raises(UsageError, match="truth file"):
        read_truth(path)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        read_truth(tmp_path / "none")


def test_a_truth_file_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "truth.jsonl"
    head = {"device": "core7", "format": "publisher-sim-truth", "version": 1, "seed": 3}
    lines = [msgspec.json.encode(head), msgspec.json.encode(truth(7))]
    path.write_bytes(b"\n".join(lines) + b"\n")
    assert read_truth(path) == [truth(7)]
