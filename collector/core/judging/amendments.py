"""Rows of verdicts: the first one of a period, what may still change it, and until when.

Does: say rows. Does not: decide what a period deserves (``judge``) or when it closes (``closing``).
Rules: docs/verdicts.md, "First verdict and amendments". An outcome changes within
max(2 periods, 20 s) of the deadline; then a row with ``final``; a cause may sharpen for 64 periods.
"""

from __future__ import annotations

from collector.core.context import Context
from collector.core.expectation.deadlines import amendable, deadline_of, nominal
from collector.core.judging.judge import WEIGHT, Judged, judge
from collector.core.memory.state import Subscription
from collector.core.memory.state_parts import Period
from collector.model import (
    Cause,
    CollectorTime,
    GeneratorCause,
    NotJudgedReason,
    Outcome,
    Verdict,
)


def say(
    context: Context,
    subscription: Subscription,
    period: Period,
    judged: Judged,
    judged_at: int,
    *,
    final: bool = False,
    to: int | None = None,
) -> None:
    """Say the next row of a period (of a range of periods up to ``to``)."""
    received, missing, degraded = _as_before(subscription, period, judged)
    row = Verdict(
        subscription.device,
        subscription.name,
        subscription.id,
        subscription.revision,
        period.index,
        period.index if to is None else to,
        nominal(subscription, period.index),
        period.amendments,
        final,
        judged.outcome,
        judged.reason,
        judged.required,
        received,
        missing,
        degraded,
        judged.unexpected,
        judged.late,
        judged.provenance,
        subscription.period_source,
        CollectorTime(period.deadline)
        if period.closed
        else deadline_of(subscription, period.index),
        CollectorTime(judged_at),
    )
    period.amendments += 1
    period.row = row
    context.facts.append(row)


def _as_before(
    subscription: Subscription, period: Period, judged: Judged
) -> tuple[tuple[str, ...], tuple[GeneratorCause, ...], tuple[GeneratorCause, ...]]:
    """Who delivered, is missing and degraded: the very objects of the row before where they are
    equal, since in a long outage rows that say the same are most of what is kept."""
    found = judged.received, judged.missing, judged.degraded
    if not judged.missing and not judged.degraded:
        return found
    before = subscription.periods.get(period.index - 1)
    row = period.row or (None if before is None else before.row)
    if row is None:
        return found
    said = row.received, row.missing, row.degraded
    received, missing, degraded = found
    return (
        said[0] if said[0] == received else received,
        said[1] if said[1] == missing else missing,
        said[2] if said[2] == degraded else degraded,
    )


def as_judged(row: Verdict) -> Judged:
    """What a row said."""
    return Judged(
        row.outcome, row.reason, row.required, row.received, row.missing, row.degraded,
        row.unexpected, row.late_generators, row.provenance,
    )  # fmt: skip


def judge_again(context: Context, subscription: Subscription, index: int, now: int) -> None:
    """Something changed that the verdict on a period may depend on."""
    period = subscription.periods.get(index)
    if period is None or period.row is None:
        return
    if not period.closed:
        period.touched = True  # looked at again at the deadline: order inside the grace is nothing
        return
    row = period.row
    judged = judge(subscription, period, _forced(row))
    if row.final or now > period.deadline + amendable(subscription.period):
        _sharpen(context, subscription, period, judged, now)
    elif judged != as_judged(row):
        say(context, subscription, period, judged, now)
        expect_final(context, subscription, period)


def _forced(row: Verdict) -> NotJudgedReason | None:
    return NotJudgedReason.ENDED if row.reason is NotJudgedReason.ENDED else None


def expect_final(context: Context, subscription: Subscription, period: Period) -> None:
    """A row that is not COMPLETE gets a final one when its outcome can no longer change."""
    row = period.row
    if row is None or row.outcome is Outcome.COMPLETE or period.final_due is not None:
        return
    due = period.deadline + amendable(subscription.period)
    context.deadlines.final_at(subscription, period.index, due)


def finalise(context: Context, subscription: Subscription, period: Period, now: int) -> None:
    """The outcome can no longer change: say so, unless it is COMPLETE."""
    period.final_due = None
    row = period.row
    if row is not None and row.outcome is not Outcome.COMPLETE and not row.final:
        say(context, subscription, period, as_judged(row), now, final=True)


def _sharpen(
    context: Context, subscription: Subscription, period: Period, judged: Judged, now: int
) -> None:
    """Late knowledge: only a heavier cause counts, outcome and set stay."""
    row = period.row
    assert row is not None
    if row.outcome is not Outcome.INCOMPLETE or judged.outcome is not row.outcome:
        return
    now_known = {one.generator: one.cause for one in judged.missing}
    if set(now_known) != {one.generator for one in row.missing}:
        return
    missing = tuple(
        GeneratorCause(one.generator, max(one.cause, now_known[one.generator], key=_weight))
        for one in row.missing
    )
    if missing != row.missing:
        sharper = as_judged(row)._replace(missing=missing)
        say(context, subscription, period, sharper, now, final=row.final)


def _weight(cause: Cause) -> int:
    return WEIGHT[cause]
