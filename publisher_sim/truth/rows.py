"""Rows: the verdict rows every period deserves, looking ahead over all that was put on the wire.

Does: count, for one stretch of terms of one subscription. Does not: put facts in order (``books``),
collect them (``truth``).

Rules, for the period at tick ``nominal`` of a subscription:

* required = what all lists in force in [said - period/2, said + period/2) have in common, allowed =
  what any of them has. ``said`` is where the tick was announced: that is all an observer can count
  from, and a device that ignores the anchor ticks elsewhere (``anchor_off``).
* deadline = nominal + the latest offset at which a required generator means to finish + grace.
  The first row knows what left before it, the last row also what left until ``amendable``,
  max(2 periods, 20 s) later.
* a required generator without a whole good message is missing. Cause, heaviest first: ``rejected``
  (garbled), ``unreassembled`` (some of its datagrams never left), ``lost`` (made, not sent, and its
  run spoke again within 64 periods, so that the hole can be seen), ``left`` (a list without it came
  before ``amendable``), ``restarted`` (its next message was of a new run), ``silent``.
  Where messages carry no numbers (``counted`` is False) a loss and a new run do not show, and
  both are ``silent``.
* a generator with some but not all of its messages is degraded by ``loss``, one whose message
  says itself that it leaves something out by ``incomplete_update``.
* suspension, end or other terms in the window: NOT_JUDGED, unless COMPLETE anyway.
* with the end of its terms a row is said for the last time: what leaves later sharpens no cause.

Rows of which no observer can be asked are kept but marked with a word (``why``); see ``doubts``.
The file format is in ``file``. Row names are those of a verdict log.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct

from publisher_sim.truth.books import SECOND, Cell, Epoch, Message, Period, Timeline
from publisher_sim.truth.doubts import Doubts, Manners

SHARPEN_PERIODS = 64
"""For so long a missing generator's cause may still become ``lost``."""


class Row(Struct, frozen=True):
    """What one row of a verdict log deserves to say."""

    outcome: str
    reason: str | None
    required: tuple[str, ...]
    received: tuple[str, ...]
    missing: tuple[tuple[str, str], ...]
    """(generator, cause), in the order of ``required``; likewise ``degraded``."""
    degraded: tuple[tuple[str, str], ...]
    unexpected: tuple[str, ...]
    late_generators: tuple[str, ...]


class PeriodTruth(Struct, frozen=True):
    """First and last row that one period deserves."""

    subscription_id: int
    nominal: int
    """ns since 1970."""
    period: int
    """ns."""
    number: int
    """From 0 at the first period under these terms."""
    first: Row
    last: Row
    why: str
    """Empty when certain, else the word for why not."""


class Judge:
    """The rows of one stretch of terms."""

    def __init__(
        self,
        epoch: Epoch,
        grace: int,
        cells: dict[int, Cell],
        lines: dict[str, Timeline],
        killed: dict[str, list[int]],
        manners: Manners,
    ) -> None:
        """All that will ever be known is known.

        Args:
            epoch: the stretch of terms.
            grace: ns.
            cells: tick -> the messages of each generator, of the subscription.
            lines: generator -> all it sent along the same road.
            killed: generator -> when its process was killed, ns since 1970.
            manners: of the device.
        """
        self._epoch = epoch
        self._grace = grace
        self._counted = manners.counted
        self._off = round(manners.anchor_off * epoch.period)
        self._lines = lines
        self._cells = {
            nominal: cell
            for nominal, cell in cells.items()
            if epoch.start <= nominal and (epoch.end is None or nominal <= epoch.end)
        }
        self._begins: dict[str, int] = {}
        self._ends: dict[str, int] = {}
        self._held: list[int] = []
        """Ticks with a message held back by more than the grace."""
        for nominal, cell in sorted(self._cells.items()):
            self._survey(nominal, cell)
        self._doubts = Doubts(
            epoch, grace, lines, killed, self._begins, self._ends, self._held, manners
        )

    def _survey(self, nominal: int, cell: Cell) -> None:
        for generator, messages in cell.items():
            offsets = [message.made.planned - nominal for message in messages]
            self._begins[generator] = min(self._begins.get(generator, offsets[0]), *offsets)
            self._ends[generator] = max(self._ends.get(generator, offsets[0]), *offsets)
            if any((one.good_at or 0) > one.made.planned + self._grace for one in messages):
                self._held.append(nominal)

    def rows(self, until: int) -> Iterator[PeriodTruth]:
        """The rows, in order."""
        sent = [nominal for nominal, cell in self._cells.items() if _anything_heard(cell)]
        if not sent:
            return
        epoch = self._epoch
        nominal, number = min(sent), 0
        stop = until if epoch.end is None else epoch.end
        while nominal <= stop:
            period = self._period(nominal)
            if epoch.end is None and period.deadline > until:
                return
            first = self._row(period, period.deadline)
            last = self._row(period, self._last_said(period))
            why = self._doubts.word(period, number, judged=first.reason is None)
            yield PeriodTruth(
                epoch.subscription_id, nominal, epoch.period, number, first, last, why
            )
            nominal += epoch.period
            number += 1

    def _last_said(self, period: Period) -> int:
        """Until when a row may change: the end of its terms is the end of that too."""
        end = self._epoch.end
        said = period.amendable if end is None else min(period.amendable, end)
        return max(period.deadline, said)

    def _period(self, nominal: int) -> Period:
        start = nominal - self._off - self._epoch.period // 2
        end = start + self._epoch.period
        lists = self._epoch.lists_between(start, end)
        allowed = tuple(dict.fromkeys(one for names in lists for one in names))
        required = tuple(one for one in allowed if all(one in names for names in lists))
        latest = max((self._ends.get(one, 0) for one in required), default=0)
        deadline = nominal + latest + self._grace
        amendable = deadline + max(2 * self._epoch.period, 20 * SECOND)
        cell = self._cells.get(nominal, {})
        return Period(nominal, start, end, required, allowed, deadline, amendable, cell)

    def _row(self, period: Period, cut: int) -> Row:
        """The row of somebody who knows what left by ``cut``."""
        good = {
            generator: sum(1 for one in messages if one.good_at is not None and one.good_at <= cut)
            for generator, messages in period.cell.items()
        }
        received = tuple(generator for generator, count in good.items() if count)
        missing = tuple(
            (one, self._cause(period, one, cut)) for one in period.required if not good.get(one)
        )
        degraded = tuple(
            (one, cause)
            for one in period.required
            if (cause := _degraded(period.cell.get(one, ()), good.get(one, 0), cut))
        )
        late = tuple(
            generator
            for generator in received
            if any(period.deadline < (one.good_at or 0) <= cut for one in period.cell[generator])
        )
        outcome = "INCOMPLETE" if missing else "DEGRADED" if degraded else "COMPLETE"
        reason = self._not_judged(period) if outcome != "COMPLETE" else None
        return Row(
            outcome="NOT_JUDGED" if reason else outcome,
            reason=reason,
            required=period.required,
            received=received,
            missing=() if reason else missing,
            degraded=() if reason else degraded,
            unexpected=tuple(one for one in received if one not in period.allowed),
            late_generators=late,
        )

    def _not_judged(self, period: Period) -> str | None:
        epoch = self._epoch
        if epoch.end is not None and period.deadline > epoch.end:
            return epoch.end_reason
        return "suspended" if epoch.paused(period.start, period.end) else None

    def _cause(self, period: Period, generator: str, cut: int) -> str:
        """Why a generator is missing, to somebody who knows what left by ``cut``."""
        messages = period.cell.get(generator, [])
        fates = {one.fate for one in messages if one.heard_at is not None and one.heard_at <= cut}
        for cause in ("rejected", "unreassembled"):
            if cause in fates:
                return cause
        if cut <= period.deadline or generator not in self._lines:
            return "silent"
        before, _, after = self._lines[generator].around(period.nominal)
        if after is not None and self._epoch.is_over(after.heard_at or 0):
            after = None
        same_run = before is not None and after is not None and before.made.run == after.made.run
        shows = self._counted and bool(messages) and same_run
        if shows and after is not None and self._in_time(period, after):
            return "lost"
        if self._epoch.leaves(generator, period.end, period.amendable):
            return "left"
        restarted = self._counted and before is not None and after is not None and not same_run
        return "restarted" if restarted else "silent"

    def _in_time(self, period: Period, after: Message) -> bool:
        heard = after.heard_at or after.made.planned
        return heard - period.nominal <= SHARPEN_PERIODS * self._epoch.period


def _degraded(messages: Sequence[Message], good: int, cut: int) -> str:
    """The cause for a generator of which ``good`` messages came by ``cut``; empty for none."""
    if 0 < good < len(messages):
        return "loss"
    said = (one for one in messages if one.made.incomplete)
    told = any(one.good_at is not None and one.good_at <= cut for one in said)
    return "incomplete_update" if told else ""


def _anything_heard(cell: Cell) -> bool:
    return any(one.heard_at is not None for messages in cell.values() for one in messages)
