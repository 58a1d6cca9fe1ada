"""From one revision of a subscription to the next: who goes on from whom, and with what.

Does: find the predecessor, hand over what was learned, and let go of what no successor needs.
Does not: begin (``registry``) or end anything (``endings``).
Rules: docs/verdicts.md, "Terms": with the same terms arcs, lag and usual counts are taken
over, never a learned list. A series is known by its name: dynamic ids are dealt out anew.
"""

from __future__ import annotations

from collector.core.context import Context
from collector.core.memory.state import Device, Originator, Subscription
from collector.core.periods import fold, usual
from collector.core.subscriptions.endings import forget_speakers, limit_of, when
from collector.model import SubscriptionTerms

WITH_DETAILS = 8
"""Revisions of a device from which others went on that are still known in detail (ours)."""


def predecessor(device: Device, name: str, occupant: Subscription | None) -> Subscription | None:
    """The revision that a new one goes on from: the last one of its name.

    A device that rebooted deals its ids out anew, so that the id may be of another subscription;
    that of a configured one stays its own when the operator finds another name for it.

    Args:
        occupant: the one that had the id so far, which is over.
    """
    known = [*device.subscriptions.values()] if name else []
    if (displaced := device.displaced.pop(name, None)) is not None:
        known.append(displaced)
    found = [one for one in known if one.name == name and not one.live]
    if found:
        return max(found, key=lambda one: one.revision)
    stays = occupant is not None and (occupant.name == name or occupant.origin == "configured")
    return occupant if stays else None


def take_over(
    device: Device, before: Subscription, after: Subscription, declared: tuple[str, ...] | None
) -> None:
    """With the same terms: arcs, lag and usual counts, never a learned list.

    Args:
        declared: the list that the new one begins with; where it is another one nodes may have
            moved meanwhile.
    """
    if before.period != after.period or not same_terms(before.terms, after.terms, after.period):
        forget_speakers(device, before)
        return
    after.offset, after.varies, after.moved = before.offset, before.varies, before.moved
    for name, old in before.originators.items():
        new = Originator(name, after)
        new.heard = True
        new.times_from, new.times_to = old.times_from, old.times_to
        new.arrivals_from, new.arrivals_to = old.arrivals_from, old.arrivals_to
        new.shift, new.lag, new.counter = old.shift, old.lag, old.counter
        new.usual, new.recount = old.usual, old.doubt is not None
        new.recent, old.recent = old.recent, []  # the most of what a revision that is over keeps
        new.settled, new.varies, new.doubt = old.settled, old.varies, old.doubt
        new.last_time, new.last_arrival = old.last_time, old.last_arrival
        new.last_index = old.last_index
        fold.set_bases(new)
        after.originators[name] = new
    forget_speakers(device, before)
    for new in after.originators.values():
        if new.counter is not None:
            new.counter.add(new)
    listed = before.lists[-1].allowed if before.lists and not before.operator_list else None
    if declared and listed and listed != frozenset(declared):
        usual.doubt(after, when(after, after.since, None))


def same_terms(one: SubscriptionTerms, other: SubscriptionTerms, period: int) -> bool:
    """Do two terms put records on the same ticks with the same contents?"""
    return (
        one.period == other.period
        and _phase(one, period) == _phase(other, period)
        and one.selection_filter == other.selection_filter
        and one.encoding == other.encoding
        and one.datastore == other.datastore
        and one.stream == other.stream
        and one.on_change == other.on_change
    )


def _phase(terms: SubscriptionTerms, period: int) -> int | None:
    if terms.anchor_time is None or not period:
        return terms.anchor_time
    return terms.anchor_time % period


def forget_details(device: Device) -> None:
    """Of the revisions from which others went on only the newest few keep their originators.

    All that the others are still for is that their id is known: of a device whose sessions break
    again and again each would keep some kilobytes.
    """
    newest: dict[str, int] = {}
    for one in device.subscriptions.values():
        newest[one.name] = max(one.revision, newest.get(one.name, -1))
    over = [
        one for one in device.subscriptions.values()
        if not one.live and one.originators and one.revision < newest[one.name]
    ]  # fmt: skip
    over.sort(key=lambda one: one.revision)
    for one in over[:-WITH_DETAILS]:
        one.originators = {}


def displace(context: Context, device: Device, occupant: Subscription) -> None:
    """Another name has its id now: it stays known by its name, unless a newer one of that does."""
    forget_speakers(device, occupant)
    newest = all(
        one.revision <= occupant.revision
        for one in device.subscriptions.values()
        if one.name == occupant.name
    )
    if newest and occupant.name:
        device.displaced[occupant.name] = occupant
        if len(device.displaced) > limit_of(context):
            del device.displaced[next(iter(device.displaced))]
            device.count_refused("subscriptions")
