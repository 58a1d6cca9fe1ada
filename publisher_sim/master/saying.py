"""Saying: what the master says of a subscription, as state change notification and when asked.

Does not: decide when (``life_cycle`` does), or send. Spec: RFC 8639 §2.7 (state changes), §2.8.2
(operational state); RFC 8640 §6 (on the session, in the form of RFC 5277).
"""

from __future__ import annotations

from collector.model import DeviceTime, MediaType, Notification, NotificationKind, StateChange
from collector.wire.netconf.rpc import ReceiverState, SubscriptionState
from collector.wire.notifications import notification
from collector.wire.values import names
from publisher_sim.master.ports import SendNotification
from publisher_sim.sources.events import EventRecord
from publisher_sim.subscriptions.global_subscription import GlobalSubscription


def on_session(
    one: GlobalSubscription,
    kind: NotificationKind,
    change: StateChange | None,
    mode: str,
    now: int,
) -> SendNotification:
    """One state change on the session that established the subscription.

    Args:
        one: whose it is.
        kind: of the state change.
        change: what it carries beyond the id.
        mode: control mode, says how the list is spelled.
        now: when it happened, ns since 1970.
    """
    octets = state_change(one.subscription_id, kind, change, mode, now)
    return SendNotification(one.session_id, octets)


def state_change(
    number: int, kind: NotificationKind, change: StateChange | None, mode: str, now: int
) -> bytes:
    """One state change of a subscription, which may be gone already."""
    said = Notification(
        kind=kind,
        name=f"ietf-subscribed-notifications:{kind.value}",
        root=names.ROOT_NOTIFICATION,
        subscription_id=number,
        event_time=DeviceTime(now),
        state_change=change,
    )
    return notification.encode(said, None, MediaType.YANG_DATA_XML, mode=mode)


def event_octets(record: EventRecord) -> bytes:
    """One event record for a session (RFC 8640 §6); it names no subscription."""
    said = Notification(
        kind=NotificationKind.OTHER,
        name=record.name,
        root=names.ROOT_NOTIFICATION,
        event_time=DeviceTime(record.at),
    )
    return notification.encode(said, record.values, MediaType.YANG_DATA_XML)


def operational_state(one: GlobalSubscription, generators: tuple[str, ...]) -> SubscriptionState:
    """An entry of /subscriptions."""
    state = "suspended" if one.suspended else "active"
    receiver = ReceiverState("subscriber", state, one.sent, one.excluded)
    return SubscriptionState(
        id=one.subscription_id, terms=one.terms, generators=generators, receivers=(receiver,)
    )
