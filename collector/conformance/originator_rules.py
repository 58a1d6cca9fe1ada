"""Rules on originators together: who may send, who has to, and that their parts do not overlap."""

from __future__ import annotations

from typing import Final

from collector.conformance.rules import DN, MSO, Level, broken_if, rule
from collector.conformance.subjects import (
    UPDATES,
    EventSubject,
    MessageSubject,
    PeriodSubject,
    SubscriptionSubject,
)
from collector.model import SECOND

_PERIODS: Final = 8
"""Periods that a list must have been in force before silence counts (ours): real cards began up to
six periods after subscription-started."""
_NAMED: Final = 5


@rule(
    MessageSubject, Level.MUST, f"{MSO} §6, §7, {DN} §6, §7",
    "Who sends updates is on the list; a change of it is said by subscription-modified.",
    needs="updates of a subscription whose list was seen",
)  # fmt: skip
def sender_is_on_list(it: MessageSubject) -> str | None:
    """By the id in the payload, else in the header."""
    listed = it.series.generators
    if it.kind not in UPDATES or listed is None or it.said is None:
        return None
    header = it.message.publisher_id
    sender = it.generator if it.generator is not None else None if header is None else str(header)
    if sender is None:
        return None
    text = f"{sender} sends in subscription {it.said.subscription_id}, listed: {_some(listed)}"
    return broken_if(sender not in listed, text)


@rule(
    SubscriptionSubject, Level.MUST, f"RFC 8641 §3.9, {MSO} §6, {DN} §6",
    "Everybody on the list sends.",
    needs="a periodic subscription whose list was in force for 8 periods (ours)",
)  # fmt: skip
def everybody_on_list_sends(it: SubscriptionSubject) -> str | None:
    """An empty push-update where nothing is selected."""
    if not it.period or it.generators is None or it.span < _PERIODS * it.period:
        return None
    never = [name for name in it.generators if not it.heard.get(name)]
    text = (
        f"{_some(never)} never sent in subscription {it.subscription_id}"
        f" in {it.span / SECOND:.0f} s"
    )
    return broken_if(never, text)


@rule(
    PeriodSubject, Level.MUST, "RFC 8641 §3.9, §4.2",
    "Everybody who is expected sends in every period, an empty push-update if there is nothing.",
    needs="judged periods of a subscription whose originators are known",
)  # fmt: skip
def update_in_every_period(it: PeriodSubject) -> str | None:
    """What was lost on the way, as its Message IDs tell, does not count."""
    if not it.provenance:
        return None
    silent = _some(it.silent)
    return broken_if(it.silent, f"{silent} sent nothing in subscription {it.subscription_id}")


@rule(
    EventSubject, Level.MUST, f"{MSO} §5, {DN} §5",
    "The parts of two originators do not overlap.",
    needs="judged periods with two originators",
)  # fmt: skip
def parts_do_not_overlap(it: EventSubject) -> str | None:
    """A node in the updates of two originators in one period; keys are guessed without schema."""
    return it.text if it.kind == "overlap" else None


@rule(
    EventSubject, Level.MUST, f"{MSO} §5",
    "All parts together cover the subscription: nothing goes while the list stays.",
    needs="judged periods with two originators",
)  # fmt: skip
def parts_cover_all(it: EventSubject) -> str | None:
    """A list entry that was there and is in nobody's update any more may also be gone itself."""
    return it.text if it.kind == "node_gone" else None


@rule(
    EventSubject, Level.MUST, "RFC 8641 §4.3.2, RFC 8639 §2.7.1",
    "Updates carry the id that the subscription was started with.",
    needs="subscription-started",
)  # fmt: skip
def data_has_started_id(it: EventSubject) -> str | None:
    """Seen on a router: another id."""
    return it.text if it.kind == "id_differs" else None


@rule(
    EventSubject, Level.MUST, f"{MSO} §6, distributed-notif-06 to -18",
    "The reply to establish-subscription carries the list of originators.",
    needs="a dynamic subscription, in a journal",
)  # fmt: skip
def reply_has_list(it: EventSubject) -> str | None:
    """-19 dropped dynamic subscriptions."""
    return it.text if it.kind == "reply" else None


def _some(names: tuple[str, ...] | list[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
