"""Data of an unknown subscription: held until its terms come, or learned from.

Does: hold at most 64 messages and one period per id; recognise a subscription that sends under
another id than it was started with; create subscriptions from the operator's terms, from the last
known terms after an end, or from a learned period.
Does not: place records (the engine does that with what is released).
Rules: docs/verdicts.md, "Who is expected" (its end), "Terms", "No terms at all".
"""

from __future__ import annotations

from collector.core.context import Context
from collector.core.memory.state import Device, Subscription
from collector.core.memory.state_parts import Unknown
from collector.core.placing import learned_period
from collector.core.settings import KnownSubscription
from collector.core.subscriptions import endings, registry
from collector.model import SECOND, SubscriptionTerms, Update

UNKNOWN_IDS = 256
"""Unknown subscription ids that are followed per device (ours)."""
SILENT_FOR = 3600 * SECOND
"""An unknown id that was silent for so long makes room for another (ours)."""


def time_of(update: Update) -> int:
    """Record time, best first: observation, event time, arrival."""
    if update.observation_time is not None:
        return update.observation_time
    return update.arrival if update.event_time is None else update.event_time


def find(context: Context, device: Device, update: Update) -> Subscription | None:
    """The running subscription that a message belongs to; None when it has to be held."""
    subscription_id = update.subscription_id
    if subscription_id is None:
        return None
    one = device.subscriptions.get(device.aliases.get(subscription_id, subscription_id))
    if one is not None and one.live:
        return one if one.period or not registry.is_periodic(one.terms) else None
    if one is not None:
        return _revived(context, device, one, update)
    return _by_port(context, device, update) or _by_operator(context, device, update)


def _by_port(context: Context, device: Device, update: Update) -> Subscription | None:
    """One subscription-started came from this port and no data yet: this is its data."""
    started = device.ports.get((update.source, update.port), [])
    if len(started) != 1 or update.subscription_id is None:
        return None
    if update.subscription_id in device.unknown:
        return None  # it was heard before the start
    one = device.subscriptions.get(started[0])
    if one is None or not one.live:
        return None
    device.aliases[update.subscription_id] = one.id
    context.event(
        update.arrival, device.name, one.name, "id_differs",
        f"Subscription {one.id} was started, its data says {update.subscription_id}.",
    )  # fmt: skip
    return one


def _by_operator(context: Context, device: Device, update: Update) -> Subscription | None:
    subscription_id = update.subscription_id
    assert subscription_id is not None
    known = context.settings.for_id(device.name, subscription_id)
    if known is None or known.terms is None:
        return None
    one = registry.begin(
        context, device, subscription_id, known.name or str(subscription_id), known.terms,
        revision=update.offset, arrival=update.arrival, origin="configured",
        period_source="configured", reply=False,
    )  # fmt: skip
    said = context.settings.for_name(device.name, one.name)
    registry.first_list(context, one, None, known.expect or said.expect, update.arrival)
    context.say_subscription(one, update.arrival)
    return one


def _revived(
    context: Context, device: Device, before: Subscription, update: Update
) -> Subscription | None:
    """Data after an end whose start was not seen: the last known terms, a new revision.

    What the publisher made before the end was only late. A dynamic subscription is never revived:
    its next one has another id (RFC 8639 §2.4.2).
    """
    if before.origin == "dynamic" or before.ended is None or not before.period:
        return None
    if time_of(update) <= before.ended + before.period // 2:
        return None
    one = registry.begin(
        context, device, before.id, before.name, before.terms,
        revision=update.offset, arrival=update.arrival, origin=before.origin,
        period_source=before.period_source, reply=False,
    )  # fmt: skip
    known = context.settings.for_id(device.name, before.id)
    said = context.settings.for_name(device.name, one.name)
    expect = (known.expect if known is not None else None) or said.expect
    registry.first_list(context, one, None, expect, update.arrival)
    context.say_subscription(one, update.arrival)
    return one


def hold(context: Context, device: Device, generator: str, update: Update) -> Subscription | None:
    """Hold a message; returns the subscription when its period was learned with it."""
    subscription_id = update.subscription_id
    if subscription_id is None:
        return None
    over = device.subscriptions.get(subscription_id)
    if over is not None and not over.live and over.origin == "dynamic":
        device.count_refused("after_end")
        return None
    unknown = device.unknown.get(subscription_id)
    if unknown is None:
        if len(device.unknown) >= UNKNOWN_IDS:
            device.count_refused("unknown_ids")
            if not _make_room(device, update.arrival):
                return None
        unknown = device.unknown[subscription_id] = Unknown()
    unknown.held.append(update)
    if len(unknown.held) > context.settings.limits.held_messages:
        unknown.held.popleft()
        device.count_refused("held_messages")
    period = learned_period.observe(unknown, generator, time_of(update))
    if period is None or (over is not None and not over.live):
        return None
    if over is None and not endings.has_room(context, device, update.arrival):
        return None
    known = context.settings.for_id(device.name, subscription_id) or KnownSubscription()
    if over is None:
        over = registry.begin(
            context, device, subscription_id, known.name or str(subscription_id),
            SubscriptionTerms(),
            revision=update.offset, arrival=update.arrival, origin="configured", reply=False,
        )  # fmt: skip
        said = context.settings.for_name(device.name, over.name)
        registry.first_list(context, over, None, known.expect or said.expect, update.arrival)
    registry.period_learned(context, over, period, update.arrival)
    return over


def _make_room(device: Device, now: int) -> bool:
    """Forget the unknown id that has been silent for longest, if for an hour."""
    key, oldest = min(device.unknown.items(), key=lambda item: item[1].held[-1].arrival)
    if now - oldest.held[-1].arrival < SILENT_FOR:
        return False
    del device.unknown[key]
    return True


def release(device: Device, subscription: Subscription, arrival: int) -> list[Update]:
    """What was held for a subscription whose terms came: at most one period old."""
    if not subscription.period and registry.is_periodic(subscription.terms):
        return []  # its period is still being learned from what is held
    unknown = device.unknown.pop(subscription.id, None)
    if unknown is None or not subscription.period:
        return []
    oldest = arrival - subscription.period
    return [update for update in unknown.held if update.arrival >= oldest]


def heard(device: Device, update: Update) -> None:
    """Data came: its port no longer stands for one subscription alone."""
    started = device.ports.get((update.source, update.port))
    if started:
        del device.ports[update.source, update.port]
