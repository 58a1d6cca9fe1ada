"""What each originator really sent in each period, what of it arrived, and what that deserves.

Does: count marks on messages, period by period, over the whole of a distorted capture. Does not:
know arcs, deadlines or anything learned; imports nothing of the collector.

Verdicts: ``complete`` (all that was sent arrived), ``loss`` (some of it), ``missing`` (nothing:
causes ``lost``, ``restarted``, ``silent``), ``absent`` (before an originator joined: missing for
whoever was told to expect it).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set

from msgspec import Struct
from msgspec.structs import replace

from publisher_sim.distort.messages import (
    MASK,
    Counter,
    Message,
    Stream,
    counter_of,
    counters,
    sending_order,
    streams,
)
from publisher_sim.distort.plan import Plan


class PeriodTruth(Struct, frozen=True):
    """One originator in one period of one subscription."""

    source: str
    subscription_id: int
    generator: str
    period: int
    """Its number, from 0 at the originator's first burst of the undistorted capture."""
    time: int
    """Record time of its first message as it was before the faults, ns."""
    sent: int
    delivered: int
    """Messages of which one copy arrived whole."""
    lost: int
    never_sent: int
    late: int
    """ns that its first message to arrive was held up on the way."""
    first_arrival: int | None
    verdict: str
    cause: str | None
    uncertain: bool = False
    """Ids are missing in the capture itself: what was sent here is not known."""


def beside_holes(messages: Sequence[Message]) -> set[int]:
    """Numbers of the messages beside a break of ids in the capture itself."""
    own = counters(messages)
    last: dict[Counter, Message] = {}
    found = set()
    for one in sending_order(messages):
        key = counter_of(one, own)
        before = last.get(key)
        if before is not None and (before.message_id + 1) & MASK != one.message_id:
            found |= {before.number, one.number}
        last[key] = one
    return found


def truth_of(
    messages: Sequence[Message],
    times: dict[int, int],
    plan: Plan,
    holes: Set[int] = frozenset(),
) -> list[PeriodTruth]:
    """The truth of a distorted capture, in order of subscription, originator and period.

    Args:
        messages: all, also those never sent and the duplicates.
        times: number of a message -> its record time before the faults.
        plan: what was done, to name causes.
        holes: numbers of messages beside which the capture itself lacks ids.
    """
    arrived: dict[int, Message] = {}
    for one in messages:
        number = one.number if one.copy_of is None else one.copy_of
        if one.arrives and (number not in arrived or one.at < arrived[number].at):
            arrived[number] = one
    originals = [one for one in messages if one.copy_of is None]
    rows = []
    for stream, bursts in sorted(streams(originals).items(), key=lambda found: str(found[0])):
        joined = _joined(bursts.values()) if plan.join else None
        for number, burst in bursts.items():
            absent = joined is not None and burst[0].number < joined
            row = _row(stream, number, burst, arrived, times, absent, plan)
            if any(one.number in holes for one in burst):
                row = replace(row, uncertain=True)
            rows.append(row)
    return rows


def _joined(bursts: Iterable[list[Message]]) -> int | None:
    """Number of the first message that was sent."""
    return next((one.number for burst in bursts for one in burst if not one.never), None)


def _row(
    stream: Stream,
    number: int,
    burst: list[Message],
    arrived: dict[int, Message],
    times: dict[int, int],
    absent: bool,
    plan: Plan,
) -> PeriodTruth:
    sent = [one for one in burst if not one.never]
    came = [arrived[one.number] for one in sent if one.number in arrived]
    first = min(came, key=lambda one: one.at, default=None)
    verdict, cause = _deserved(len(sent), len(came), absent, plan)
    assert stream[1] is not None
    return PeriodTruth(
        stream[0],
        stream[1],
        stream[2],
        number,
        min(times[one.number] for one in burst),
        len(sent),
        len(came),
        len(sent) - len(came),
        len(burst) - len(sent),
        first.late if first is not None else 0,
        first.at if first is not None else None,
        verdict,
        cause,
    )


def _deserved(sent: int, came: int, absent: bool, plan: Plan) -> tuple[str, str | None]:
    if absent:
        return "absent", "silent"
    if came:
        return ("complete", None) if came == sent else ("loss", "loss")
    if sent:
        return "missing", "lost"
    restarted = plan.restart_missed and not plan.silent and not plan.leave
    return "missing", "restarted" if restarted else "silent"
