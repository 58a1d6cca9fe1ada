"""Rules on times: clocks, the order of updates, the instants that period and anchor-time say.

The tolerances are ours: two seconds for clocks, a tenth of a period for instants.
"""

from __future__ import annotations

from typing import Final

from collector.conformance.rules import ENVELOPE, MSO, Level, broken_if, rule
from collector.conformance.subjects import UPDATES, MessageSubject
from collector.model import SECOND, NotificationKind

CLOCK: Final = 2 * SECOND
_BEHIND: Final = 1 << 31


@rule(
    MessageSubject, Level.SHOULD, f"{MSO} §6",
    "The event time agrees within 2 s (ours) with the clock of who received it.",
    needs="messages with an event time",
)  # fmt: skip
def clocks_agree(it: MessageSubject) -> str | None:
    """All publishers have to be synchronised."""
    if it.said is None or it.said.event_time is None:
        return None
    lag = it.message.arrival - it.said.event_time
    how = "before" if lag < 0 else "after"
    return broken_if(abs(lag) > CLOCK, f"arrived {abs(lag) / SECOND:.3f} s {how} its event time")


@rule(
    MessageSubject, Level.OURS, f"{ENVELOPE} §3.3.1",
    "Data is observed before the message about it is made.",
    needs="updates with both times",
)  # fmt: skip
def observed_before_event_time(it: MessageSubject) -> str | None:
    """By the publisher's own clock."""
    said = it.said
    if said is None or said.observation_time is None or said.event_time is None:
        return None
    late = said.observation_time - said.event_time
    return broken_if(late > 0, f"observed {late / SECOND:.6f} s after the event time")


@rule(
    MessageSubject, Level.MUST, "RFC 8641 §3.11.1",
    "Updates of one subscription are sent in the order in which they were made.",
    needs="two updates of one originator whose Message IDs tell the order",
)  # fmt: skip
def updates_in_order(it: MessageSubject) -> str | None:
    """By event time; Message IDs tell the order of sending."""
    before, said = it.previous_of_originator, it.said
    step = it.step(before)
    if before is None or said is None or not step or step >= _BEHIND:
        return None
    if before.event_time is None or said.event_time is None:
        return None
    early = before.event_time - said.event_time
    text = f"made {early / SECOND:.3f} s before the one that was sent before it"
    return broken_if(early > 0, text)


@rule(
    MessageSubject, Level.MUST, "RFC 8641 §4.2",
    "Updates are made at multiples of the period from anchor-time, within a tenth of it (ours).",
    needs="push-updates of a subscription whose terms have anchor-time",
)  # fmt: skip
def anchor_time_kept(it: MessageSubject) -> str | None:
    """By the time of observation, else the event time."""
    terms, time = it.series.terms, it.record_time
    if it.kind is not NotificationKind.PUSH_UPDATE or terms is None or time is None:
        return None
    if not terms.period or terms.anchor_time is None:
        return None
    off = (time - terms.anchor_time + terms.period // 2) % terms.period - terms.period // 2
    text = f"{off / SECOND:+.3f} s off, the period is {terms.period / SECOND:g} s"
    return broken_if(abs(off) > max(terms.period // 10, SECOND // 5), text)


@rule(
    MessageSubject, Level.OURS, "RFC 8641 §3.7, §4.2",
    "An originator sends one push-update a period.",
    needs="push-updates of a subscription whose period was seen",
)  # fmt: skip
def one_update_per_period(it: MessageSubject) -> str | None:
    """A snapshot in parts is legal for none and sent by many; half a period tells them apart."""
    terms, before, time = it.series.terms, it.previous_of_originator, it.record_time
    if it.kind is not NotificationKind.PUSH_UPDATE or terms is None or not terms.period:
        return None
    if before is None or before.record_time is None or time is None:
        return None
    if before.kind is not NotificationKind.PUSH_UPDATE:
        return None
    apart = abs(time - before.record_time)
    text = f"two within {apart / SECOND:.3f} s, the period is {terms.period / SECOND:g} s"
    return broken_if(apart < terms.period // 2, text)


@rule(
    MessageSubject, Level.OURS, f"{ENVELOPE} §3.3.1, RFC 8641 §4.2",
    "Updates come within a period of the observation.",
    needs="updates with an observation time, of a subscription whose period was seen",
)  # fmt: skip
def updates_are_fresh(it: MessageSubject) -> str | None:
    """Both times are the publisher's."""
    said, terms = it.said, it.series.terms
    if said is None or it.kind not in UPDATES or terms is None or not terms.period:
        return None
    if said.observation_time is None or said.event_time is None:
        return None
    old = said.event_time - said.observation_time
    text = f"observed {old / SECOND:.3f} s before, the period is {terms.period / SECOND:g} s"
    return broken_if(old > terms.period, text)
