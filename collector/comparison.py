"""Verdicts against the truth of a simulated device: where they differ, and how much was compared.

Does: read a truth file, pair its periods with verdict rows, and list every difference. Does not:
run anything, or share code with whoever wrote the truth; only the file's format is known.

Rules (the design's, section 5): rows pair by (device, subscription id, nominal time within half a
period). The first row is compared on its outcome and the set of missing generators, the last row
on everything but revision, deadline, times and amendment numbers. Of a NOT_JUDGED row only outcome
and reason mean something. Rows that the truth calls uncertain are counted, not compared; more than
5 % of them after the fifth period is a failure of its own, since then too little is proven.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from collector.errors import UsageError
from collector.model import Verdict

TRUTH_FORMAT = "publisher-sim-truth"
TRUTH_VERSION = 1
FIRST_PERIODS = 5
UNCERTAIN_SHARE = 0.05

RowKey = tuple[str, int, int, int]
"""(device, subscription id, revision, period index): the rows of one period."""


class TruthHeader(Struct, frozen=True):
    """First line of a truth file; members that are not needed here are left out."""

    device: str
    format: str
    version: int
    grace: int | None = None
    seed: int = 0
    rows: int | None = None
    """Lines of periods; behind them may come others, which are not compared here."""


class TruthFirst(Struct, frozen=True):
    """What the first verdict deserves to say."""

    outcome: str
    missing: tuple[str, ...]


class TruthBlame(Struct, frozen=True):
    """A generator and why."""

    generator: str
    cause: str


class TruthLast(Struct, frozen=True):
    """What the last verdict deserves to say."""

    outcome: str
    reason: str | None
    required: tuple[str, ...]
    received: tuple[str, ...]
    missing: tuple[TruthBlame, ...]
    degraded: tuple[TruthBlame, ...]
    unexpected: tuple[str, ...]
    late_generators: tuple[str, ...]


class TruthRow(Struct, frozen=True):
    """One period of the truth."""

    device: str
    subscription_id: int
    number: int
    """Periods since the terms came into force."""
    nominal_time: int
    period: int
    first: TruthFirst
    last: TruthLast
    uncertain: bool
    why: str


class Difference(Struct, frozen=True):
    """One thing on which a verdict and the truth do not agree."""

    device: str
    subscription_id: int
    nominal_time: int
    row: str
    """``first`` or ``last``."""
    column: str
    truth: str
    verdict: str

    def sentence(self) -> str:
        """For people."""
        return (
            f"{self.device}, subscription {self.subscription_id}, period at {self.nominal_time}:"
            f" {self.row} row, {self.column}: the truth is {self.truth},"
            f" the collector said {self.verdict}"
        )


class Comparison(Struct, frozen=True):
    """The result."""

    compared: int
    """Periods that were compared."""
    uncertain: int
    """Periods after the fifth that the truth itself is not sure of."""
    skipped: int
    """The first periods of a subscription, not compared."""
    outcomes: dict[str, int]
    """Outcome -> compared periods whose truth it is."""
    differences: tuple[Difference, ...]
    doubts: dict[str, int] = {}
    """The truth's word for why it is not sure -> uncertain periods."""

    @property
    def agrees(self) -> bool:
        """True when nothing differs and enough was compared."""
        return not self.differences and self.compared > 0 and not self.too_uncertain

    @property
    def too_uncertain(self) -> bool:
        """More than 5 % of the periods after the fifth could not be compared."""
        total = self.compared + self.uncertain
        return total > 0 and self.uncertain > UNCERTAIN_SHARE * total


def read_truth(path: Path) -> list[TruthRow]:
    """The rows of a truth file. Raises UsageError when it is none."""
    try:
        first, *rest = path.read_bytes().splitlines()
        header = msgspec.json.decode(first, type=TruthHeader)
        if (header.format, header.version) != (TRUTH_FORMAT, TRUTH_VERSION):
            raise UsageError(f"{path} is not a truth file of version {TRUTH_VERSION}")
        decoder = msgspec.json.Decoder(TruthRow)
        return [decoder.decode(line) for line in rest[: header.rows]]
    except (OSError, ValueError, msgspec.DecodeError) as error:
        raise UsageError(f"the truth file {path} cannot be read: {error}") from error


def compare(truth: Iterable[TruthRow], verdicts: Iterable[Verdict]) -> Comparison:
    """Compare all rows; ``verdicts`` in any order, amendments included."""
    said = _Said(verdicts)
    compared = uncertain = skipped = 0
    outcomes: dict[str, int] = defaultdict(int)
    doubts: dict[str, int] = defaultdict(int)
    differences: list[Difference] = []
    for row in truth:
        if row.number < FIRST_PERIODS:
            skipped += 1
        elif row.uncertain:
            uncertain += 1
            doubts[row.why] += 1
        else:
            compared += 1
            outcomes[row.last.outcome] += 1
            differences.extend(_differences(row, said.rows_of(row)))
    return Comparison(
        compared, uncertain, skipped, dict(outcomes), tuple(differences), dict(doubts)
    )


class _Said:
    """Verdict rows by period, found by time."""

    def __init__(self, verdicts: Iterable[Verdict]) -> None:
        periods: dict[RowKey, list[Verdict]] = defaultdict(list)
        for verdict in verdicts:
            key = (
                verdict.device,
                verdict.subscription_id,
                verdict.revision,
                verdict.period_index,
            )
            periods[key].append(verdict)
        self._by_series: dict[tuple[str, int], list[tuple[int, list[Verdict]]]] = defaultdict(list)
        for (device, subscription_id, _, _), rows in periods.items():
            rows.sort(key=lambda verdict: verdict.amendment)
            self._by_series[device, subscription_id].append((rows[0].nominal_time, rows))
        for series in self._by_series.values():
            series.sort(key=lambda entry: entry[0])

    def rows_of(self, row: TruthRow) -> Sequence[Verdict]:
        """All rows said about the period, first to last; empty when nothing was said."""
        series = self._by_series.get((row.device, row.subscription_id), [])
        low = row.nominal_time - row.period // 2
        position = bisect_left(series, low, key=lambda entry: entry[0])
        near = [
            (abs(nominal - row.nominal_time), rows)
            for nominal, rows in series[position : position + 4]
            if nominal < low + row.period
        ]
        if near:
            return min(near, key=lambda entry: entry[0])[1]
        return list(self._ranges(series, row))

    @staticmethod
    def _ranges(series: list[tuple[int, list[Verdict]]], row: TruthRow) -> Iterable[Verdict]:
        """A long silence is said as one range of periods."""
        for nominal, rows in series:
            last = nominal + (rows[0].period_to - rows[0].period_index) * row.period
            if rows[0].period_to > rows[0].period_index and (
                nominal - row.period // 2 <= row.nominal_time <= last + row.period // 2
            ):
                yield from rows
                return


def _differences(row: TruthRow, rows: Sequence[Verdict]) -> list[Difference]:
    if not rows:
        return [_difference(row, "first", "row", row.first.outcome, "nothing")]
    pairs = [
        ("first", column, truth, verdict)
        for column, truth, verdict in _first_columns(row.first, rows[0])
    ] + [
        ("last", column, truth, verdict)
        for column, truth, verdict in _last_columns(row.last, rows[-1])
    ]
    return [_difference(row, *pair) for pair in pairs if pair[2] != pair[3]]


def _first_columns(truth: TruthFirst, verdict: Verdict) -> list[tuple[str, Any, Any]]:
    columns: list[tuple[str, Any, Any]] = [("outcome", truth.outcome, verdict.outcome.value)]
    if truth.outcome != "NOT_JUDGED":
        columns.append(
            ("missing", sorted(truth.missing), sorted(m.generator for m in verdict.missing))
        )
    return columns


def _last_columns(truth: TruthLast, verdict: Verdict) -> list[tuple[str, Any, Any]]:
    reason = None if verdict.reason is None else verdict.reason.value
    columns: list[tuple[str, Any, Any]] = [
        ("outcome", truth.outcome, verdict.outcome.value),
        ("reason", truth.reason, reason),
    ]
    if truth.outcome == "NOT_JUDGED":
        return columns
    columns.extend(
        (name, sorted(getattr(truth, name)), sorted(getattr(verdict, name)))
        for name in ("required", "received", "unexpected", "late_generators")
    )
    for name in ("missing", "degraded"):
        expected = sorted((b.generator, b.cause) for b in getattr(truth, name))
        actual = sorted((b.generator, b.cause.value) for b in getattr(verdict, name))
        columns.append((name, expected, actual))
    return columns


def _difference(row: TruthRow, which: str, column: str, truth: Any, verdict: Any) -> Difference:
    return Difference(
        row.device, row.subscription_id, row.nominal_time, which, column, str(truth), str(verdict)
    )
