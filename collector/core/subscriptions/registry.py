"""The registry of a device's subscriptions: RFC 8639 states, terms and revisions.

Does: begin, change and suspend revisions; hand learned values from one to the next.
Does not: end them (``endings``), judge periods, or hold messages of unknown ids (``held``).
Rules: docs/verdicts.md, "Terms", "Who is expected"; RFC 8639 §2.4.1, §2.5.1 (states), §2.7.
A start opens a new revision, and so do other terms; the same terms change the list only.
"""

from __future__ import annotations

from msgspec.structs import replace

from collector.core.context import Context
from collector.core.expectation import expected
from collector.core.expectation.deadlines import default_grace, refresh
from collector.core.memory.state import Device, Subscription
from collector.core.numbering.message_ids import HALF, MODULUS_MASK
from collector.core.originators import life
from collector.core.periods import closing, usual
from collector.core.settings import KnownSubscription, NamedSubscription
from collector.core.subscriptions.control_modes import mode_of
from collector.core.subscriptions.endings import end, finish, has_room, make_room, when
from collector.core.subscriptions.handing_over import (
    displace,
    forget_details,
    predecessor,
    same_terms,
    take_over,
)
from collector.model import (
    Established,
    Notification,
    NotificationKind,
    NotJudgedReason,
    Provenance,
    StateChanged,
    SubscriptionTerms,
)

PORTS = 256
"""Ports with a start and no data yet that are remembered per device (ours)."""


# --------------------------------------------------------------------------- begin
def begin(
    context: Context,
    device: Device,
    subscription_id: int,
    name: str,
    terms: SubscriptionTerms,
    *,
    revision: int,
    arrival: int,
    origin: str,
    period_source: str = "declared",
    reply: bool = True,
    start_reason: str = "starting",
    declared: tuple[str, ...] | None = None,
) -> Subscription:
    """Open a revision; the one before it hands over (``handing_over``).

    Args:
        declared: the list that the device names with the start.
    """
    occupant = device.subscriptions.get(subscription_id)
    if occupant is not None and occupant.live:
        ended = NotJudgedReason(start_reason if start_reason == "terms_changed" else "ended")
        end(context, occupant, arrival, "replaced", ended)
    before = predecessor(device, name, occupant)
    said = context.settings.for_name(device.name, name)
    period = terms.period or 0
    if not period and is_periodic(terms) and said.period:
        period, period_source = said.period, "configured"
    one = Subscription(device.name, device.windows, name, subscription_id, revision, terms, period)
    one.period_source, one.origin, one.since = period_source, origin, arrival
    one.start_reason = start_reason
    one.reply = arrival if reply else None
    one.grace = _grace(context, said, period)
    if terms.anchor_time is not None and period:
        one.anchored, one.offset = True, terms.anchor_time % period
    if occupant is not None and occupant is not before:
        displace(context, device, occupant)
    device.subscriptions[subscription_id] = one
    if before is not None:
        take_over(device, before, one, declared)
        life.go_on(context, before, one)
    forget_details(device)
    make_room(context, device)
    refresh(one)
    return one


def period_learned(context: Context, one: Subscription, period: int, arrival: int) -> None:
    """Nobody named a period; the data shows it."""
    one.period, one.period_source = period, "learned"
    one.grace = _grace(context, context.settings.for_name(one.device, one.name), period)
    if one.terms.anchor_time is not None:
        one.anchored, one.offset = True, one.terms.anchor_time % period
    refresh(one)
    context.event(
        arrival, one.device, one.name, "period_source",
        f"period_source = learned: nobody named a period, the data shows {period / 1e9:g} s.",
    )  # fmt: skip
    context.say_subscription(one, arrival)


def _grace(context: Context, said: NamedSubscription, period: int) -> int:
    if said.grace is not None:
        return said.grace
    configured = context.settings.grace
    return default_grace(period) if configured is None else configured


def is_periodic(terms: SubscriptionTerms) -> bool:
    """Do records fall on ticks, as far as is known? Changes and events come when they happen."""
    return terms.on_change is None and terms.stream is None


# --------------------------------------------------------------------------- lists
def count_anew(subscription: Subscription) -> None:
    """What open periods still lack is counted anew: lists, or usual counts, are others now."""
    refresh(subscription)
    for period in subscription.periods.values():
        period.short = -1


def put_list(
    context: Context,
    subscription: Subscription,
    members: tuple[str, ...],
    provenance: Provenance,
    since: int | None,
    arrival: int,
) -> None:
    """A list comes into force; said periods around it are judged again."""
    limit = context.settings.limits.lists
    expected.add_list(subscription, since, arrival, members, provenance, limit)
    context.share(subscription.lists[-1])
    count_anew(subscription)
    for index in subscription.periods:
        context.mark(subscription, index)


def _bounded(
    context: Context, device: Device, declared: tuple[str, ...] | None
) -> tuple[str, ...] | None:
    """A list as long as originators are followed; what a device names beyond is not required."""
    limit = context.settings.limits.originators_per_subscription
    if declared is None or len(declared) <= limit:
        return declared
    device.count_refused("generators")
    return declared[:limit]


def first_list(
    context: Context,
    subscription: Subscription,
    declared: tuple[str, ...] | None,
    expect: tuple[str, ...] | None,
    arrival: int,
    leaf: str | None = None,
) -> None:
    """The list that a revision begins with: the operator's, the declared one, or none yet.

    Args:
        leaf: the leaf-list that the device declares it in.
    """
    subscription.mode = mode_of(subscription.origin, leaf)
    life.expects(context, subscription, expect, arrival)
    if declared:
        life.declares(context, subscription, declared, arrival)
    if expect:
        subscription.operator_list = True
        put_list(context, subscription, expect, Provenance.CONFIGURED, None, arrival)
    elif declared:
        put_list(context, subscription, declared, Provenance.DECLARED, None, arrival)


def declare(
    context: Context, subscription: Subscription, declared: tuple[str, ...] | None, arrival: int,
    event_time: int | None, leaf: str | None,
) -> None:  # fmt: skip
    """A new list by subscription-modified; without one the old list stays."""
    if not declared:
        return
    subscription.mode = mode_of(subscription.origin, leaf)
    life.declares(context, subscription, declared, arrival)
    if subscription.operator_list:
        return
    since = when(subscription, arrival, event_time)
    put_list(context, subscription, declared, Provenance.DECLARED, since, arrival)


def _names_others(subscription: Subscription, declared: tuple[str, ...] | None) -> bool:
    """Does the device declare others than before, so that nodes may have moved?"""
    before = subscription.life.declared if subscription.life is not None else None
    if not declared or not before:
        return False
    return set(declared) != set(before)


def configured(context: Context, subscription: Subscription, now: int) -> None:
    """The operator's settings changed while the subscription runs."""
    said = context.settings.for_name(subscription.device, subscription.name)
    known = context.settings.for_id(subscription.device, subscription.id)
    closing.wake(context, subscription, now)
    subscription.grace = _grace(context, said, subscription.period)
    expect = (known.expect if known is not None else None) or said.expect
    newest = subscription.lists[-1].members if subscription.lists else None
    life.expects(context, subscription, expect, now)
    if expect and not (subscription.operator_list and newest == expect):
        subscription.operator_list = True
        since = when(subscription, now, None)
        put_list(context, subscription, expect, Provenance.CONFIGURED, since, now)
        context.say_subscription(subscription, now)
    elif not expect:
        subscription.operator_list = False
    closing.schedule(context, subscription, now)


# --------------------------------------------------------------------------- inputs
def established(context: Context, device: Device, told: Established) -> Subscription:
    """A reply to establish-subscription or modify-subscription."""
    one = device.subscriptions.get(told.subscription_id)
    declared = _bounded(context, device, told.generators)
    same = one is not None and one.live and same_terms(one.terms, told.terms, one.period)
    if told.modified and one is not None and same:
        closing.wake(context, one, told.arrival)
        _resume(one, told.arrival, None)  # RFC 8639 §2.4.3
        one.terms = replace(one.terms, stop_time=told.terms.stop_time)
        if _names_others(one, declared):
            usual.doubt(one, when(one, told.arrival, None))
        declare(context, one, declared, told.arrival, None, told.generator_leaf)
        count_anew(one)
        closing.schedule(context, one, told.arrival)
    else:
        one = begin(
            context, device, told.subscription_id, told.name, told.terms,
            revision=told.offset, arrival=told.arrival, origin="dynamic",
            start_reason="terms_changed" if told.modified else "starting",
            declared=declared,
        )  # fmt: skip
        said = context.settings.for_name(device.name, told.name)
        expect = told.expect or said.expect
        first_list(context, one, declared, expect, told.arrival, told.generator_leaf)
        closing.schedule(context, one, told.arrival)
    context.say_subscription(one, told.arrival)
    return one


def state_changed(context: Context, device: Device, told: StateChanged) -> Subscription | None:
    """A subscription state change notification; returns the revision that it is about."""
    heard = told.notification
    if heard.subscription_id is None:
        return None
    one = device.subscriptions.get(heard.subscription_id)
    if one is not None and _was_overtaken(one, told):
        context.event(
            told.arrival, device.name, one.name, "overtaken_state_change",
            f"{heard.kind} was overtaken by a newer start and is for the revision before.",
        )  # fmt: skip
        return one
    if heard.kind is NotificationKind.SUBSCRIPTION_STARTED:
        return _started(context, device, told, one, "starting")
    if heard.kind is NotificationKind.SUBSCRIPTION_MODIFIED:
        return _modified(context, device, told, one)
    if one is None or not one.live or heard.kind is NotificationKind.REPLAY_COMPLETED:
        return one
    closing.wake(context, one, told.arrival)
    _change_state(context, one, heard, told.arrival)
    closing.schedule(context, one, told.arrival)
    context.say_subscription(one, told.arrival)
    return one


def _was_overtaken(one: Subscription, told: StateChanged) -> bool:
    """Does its id lie behind that of the state change that set the terms?"""
    if one.set_by is None or told.message_id is None or told.publisher_id is None:
        return False
    source, publisher_id, message_id = one.set_by
    if (source, publisher_id) != (told.source, told.publisher_id):
        return False
    return (told.message_id - message_id) & MODULUS_MASK >= HALF


def _started(
    context: Context,
    device: Device,
    told: StateChanged,
    before: Subscription | None,
    start_reason: str,
) -> Subscription | None:
    """The new revision; None where the table is full of others."""
    heard = told.notification
    assert heard.subscription_id is not None
    if before is None and not has_room(context, device, told.arrival):
        return None
    change = heard.state_change
    known = context.settings.for_id(device.name, heard.subscription_id) or KnownSubscription()
    terms = change.terms if change is not None else None
    source = "declared"
    if terms is None or (terms.period is None and is_periodic(terms)):
        fallback = known.terms or (before.terms if before is not None else None)
        if fallback is not None:
            terms, source = fallback, "configured" if known.terms else "declared"
    name = known.name or (before.name if before is not None else str(heard.subscription_id))
    declared = _bounded(context, device, change.generators if change is not None else None)
    one = begin(
        context, device, heard.subscription_id, name, terms or SubscriptionTerms(),
        revision=told.offset, arrival=told.arrival,
        origin=before.origin if before is not None else "configured",
        period_source=source, start_reason=start_reason, declared=declared,
    )  # fmt: skip
    if told.publisher_id is not None and told.message_id is not None:
        one.set_by = (told.source, told.publisher_id, told.message_id)
    said = context.settings.for_name(device.name, name)
    leaf = change.generator_leaf if change is not None else None
    first_list(context, one, declared, known.expect or said.expect, told.arrival, leaf)
    closing.schedule(context, one, told.arrival)
    context.say_subscription(one, told.arrival)
    device.aliases = {key: to for key, to in device.aliases.items() if to != one.id}
    if told.port and heard.kind is NotificationKind.SUBSCRIPTION_STARTED:
        started = device.ports.setdefault((told.source, told.port), [])
        if one.id not in started:
            started.append(one.id)
            del started[:-2]  # two are as good as many: the port tells nothing
        if len(device.ports) > PORTS:
            del device.ports[next(iter(device.ports))]
    return one


def _modified(
    context: Context, device: Device, told: StateChanged, one: Subscription | None
) -> Subscription | None:
    heard = told.notification
    change = heard.state_change
    terms = change.terms if change is not None else None
    if one is None or not one.live:
        return _started(context, device, told, one, "starting")
    told_period = terms is not None and (terms.period or not is_periodic(terms))
    if terms is not None and told_period and not same_terms(one.terms, terms, one.period):
        return _started(context, device, told, one, "terms_changed")
    closing.wake(context, one, told.arrival)
    declared = _bounded(context, device, change.generators if change is not None else None)
    if one.state == "active" and declared:
        life.declares_again(context, one, declared, told.arrival)
    _resume(one, told.arrival, heard.event_time)
    usual.doubt(one, when(one, told.arrival, heard.event_time))
    leaf = change.generator_leaf if change is not None else None
    declare(context, one, declared, told.arrival, heard.event_time, leaf)
    count_anew(one)
    closing.schedule(context, one, told.arrival)
    context.say_subscription(one, told.arrival)
    return one


def _change_state(context: Context, one: Subscription, heard: Notification, arrival: int) -> None:
    kind = heard.kind
    reason = heard.state_change.reason if heard.state_change is not None else None
    if kind is NotificationKind.SUBSCRIPTION_SUSPENDED:
        if one.state == "active":
            one.state, one.reason = "suspended", reason or ""
            one.suspensions.append([when(one, arrival, heard.event_time), None])
            del one.suspensions[:-64]
    elif kind is NotificationKind.SUBSCRIPTION_RESUMED:
        _resume(one, arrival, heard.event_time)
    else:  # terminated or completed
        finish(context, one, arrival, heard.event_time, reason or str(kind), NotJudgedReason.ENDED)


def _resume(one: Subscription, arrival: int, event_time: int | None) -> None:
    if one.state == "suspended":
        one.state, one.reason = "active", ""
        one.suspensions[-1][1] = when(one, arrival, event_time)
