"""Verdicts against truth, originator by originator and period by period.

The truth counts an originator's periods from its first burst, the product from 1970: the two are
joined by where the product put that originator's messages, each period by the most usual distance
among itself and its neighbours, so that one message in a wrong period is an error of the product
and a slip of the grid is not.

Columns: *false missing* (called missing, something of it came whole), *false loss* (called
degraded, all of it came), *nobody sent* (called missing in a period that the originator does not
have), *missing not seen*, *loss not seen*, *false first* (called missing at first and cleared
later, though nothing had held it up for longer than the grace).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set

from msgspec import Struct, field

from collector.model import Outcome, Verdict
from publisher_sim.distort.messages import Message
from publisher_sim.distort.truth import PeriodTruth
from tests.field.play import Played

NEIGHBOURS = 4
COLUMNS = (
    "false missing",
    "false loss",
    "nobody sent",
    "missing not seen",
    "loss not seen",
    "false first",
)


class Wrong(Struct, frozen=True):
    """One originator-period that the product got wrong."""

    column: str
    subscription_id: int
    generator: str
    period: int | None
    index: int


class Score(Struct):
    """The columns of the table; adds up."""

    counts: Counter[str] = field(default_factory=Counter)
    judged: int = 0
    not_judged: int = 0
    missing: int = 0
    """Truly missing, among those judged."""
    loss: int = 0
    wrong: list[Wrong] = field(default_factory=list)

    def add(self, other: Score) -> None:
        """Another case."""
        self.counts += other.counts
        self.judged += other.judged
        self.not_judged += other.not_judged
        self.missing += other.missing
        self.loss += other.loss


Rows = dict[tuple[int, int], list[Verdict]]
"""(subscription, index) -> rows in the order said."""


def score(
    played: Played,
    messages: Sequence[Message],
    truth: Iterable[PeriodTruth],
    *,
    periods: Mapping[int, int],
    same: Mapping[int, int] | None = None,
    unlisted: Set[str] = frozenset(),
) -> Score:
    """Compare one case.

    Args:
        played: what the product said.
        messages: that arrived.
        truth: of the case.
        periods: subscription id of the messages -> ns.
        same: subscription id of the messages -> of the rows, where they differ.
        unlisted: originators that a declared list leaves out: what is said of them is nothing.
    """
    result = Score()
    rows = _rows(played.verdicts)
    alias = same or {}
    by_stream: dict[tuple[int, str], list[PeriodTruth]] = defaultdict(list)
    for row in truth:
        if row.generator in unlisted:
            result.not_judged += 1
            continue
        by_stream[row.subscription_id, row.generator].append(row)
    distances = _distances(played, messages)
    for (subscription, generator), found in by_stream.items():
        number = alias.get(subscription, subscription)
        mine = {index: said for (key, index), said in rows.items() if key == number}
        grace = min(max(periods[subscription] // 2, 200_000_000), 5_000_000_000)
        _stream(result, mine, found, distances.get((subscription, generator), {}), grace)
    return result


def _rows(verdicts: Iterable[Verdict]) -> Rows:
    found: Rows = defaultdict(list)
    for row in verdicts:
        for index in range(row.period_index, row.period_to + 1):
            found[row.subscription_id, index].append(row)
    return found


def _distances(
    played: Played, messages: Sequence[Message]
) -> dict[tuple[int, str], dict[int, int]]:
    """stream -> period -> index - period where most of its messages were put."""
    seen: dict[tuple[int, str], dict[int, Counter[int]]] = defaultdict(dict)
    for one in messages:
        if one.period is None or one.number not in played.placed or one.subscription_id is None:
            continue
        index = played.placed[one.number][1]
        of_stream = seen[one.subscription_id, one.generator]
        of_stream.setdefault(one.period, Counter())[index - one.period] += 1
    return {
        stream: {number: found.most_common(1)[0][0] for number, found in each.items()}
        for stream, each in seen.items()
    }


def _index(number: int, distances: Mapping[int, int]) -> int | None:
    """The product's index of a period: the usual distance around it."""
    for width in (NEIGHBOURS, 10 * NEIGHBOURS, 1000):
        near = Counter(
            distances[other]
            for other in range(number - width, number + width + 1)
            if other in distances
        )
        if near:
            ranked = near.most_common(2)
            if len(ranked) == 2 and ranked[0][1] == ranked[1][1]:
                return number + distances.get(number, ranked[0][0])
            return number + ranked[0][0]
    return None


def _stream(
    result: Score,
    rows: Mapping[int, list[Verdict]],
    truth: Sequence[PeriodTruth],
    distances: Mapping[int, int],
    grace: int,
) -> None:
    """One originator of one subscription."""
    indexes = {row.period: _index(row.period, distances) for row in truth}
    used = Counter(indexes.values())
    by_index = {indexes[row.period]: row for row in truth if used[indexes[row.period]] == 1}
    known = sorted(index for index in indexes.values() if index is not None)
    heard = 0
    for index in sorted(rows):
        if not known or not known[0] <= index <= known[-1]:
            continue
        true = by_index.get(index)
        said = rows[index]
        generator = truth[0].generator
        if true is None:
            if used[index] == 0 and _missing(said[-1], generator):
                _wrong(result, "nobody sent", truth[0], None, index)
            continue
        _compare(result, said, true, index, heard, grace)
        heard += true.delivered > 0


def _missing(row: Verdict, generator: str) -> bool:
    return any(one.generator == generator for one in row.missing)


def _degraded(row: Verdict, generator: str) -> bool:
    return any(one.generator == generator for one in row.degraded)


def _compare(
    result: Score, said: list[Verdict], true: PeriodTruth, index: int, heard: int, grace: int
) -> None:
    last, name = said[-1], true.generator
    missing = _missing(last, name)
    open_row = last.outcome in (Outcome.UNKNOWN, Outcome.NOT_JUDGED)
    # another one's missing record makes a row INCOMPLETE in which this one is not judged
    if open_row or (name not in last.required and (heard < 3 or true.verdict == "absent")):
        result.not_judged += 1
        return
    result.judged += 1
    result.missing += true.verdict in ("missing", "absent")
    result.loss += true.verdict == "loss"
    degraded = _degraded(last, name)
    if true.verdict in ("missing", "absent"):
        if not missing and not (true.verdict == "absent" and not degraded):
            _wrong(result, "missing not seen", true, true.period, index)
    elif missing:
        _wrong(result, "false missing", true, true.period, index)
    elif true.verdict == "loss" and not degraded:
        _wrong(result, "loss not seen", true, true.period, index)
    elif true.verdict == "complete" and degraded:
        _wrong(result, "false loss", true, true.period, index)
    if (
        true.delivered
        and not missing
        and true.late <= grace
        and any(_missing(row, name) for row in said[:-1])
    ):
        _wrong(result, "false first", true, true.period, index)


def _wrong(result: Score, column: str, true: PeriodTruth, period: int | None, index: int) -> None:
    result.counts[column] += 1
    result.wrong.append(Wrong(column, true.subscription_id, true.generator, period, index))
