"""What a device says about its subscriptions of its own accord (RFC 8639 §2.7).

What it does: suspended, resumed, terminated, completed and replay-completed change what is held,
also when they come before the reply that brings the id, or over another transport than the session.
What it does not: ask anything (``subscriptions``).

Rules: an id that is not ours is left alone; every change of state is logged once.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterator, Mapping

from msgspec import Struct

from collector.errors import WireError
from collector.interfaces import Clock
from collector.model import SECOND, NotificationKind
from collector.subscriber.dynamic.held import Held
from collector.subscriber.saying import Saying
from collector.subscriber.sessions.session import plain
from collector.subscriber.states import SubscriptionPhase
from collector.wire.encodings.yang_xml import XmlEncoding

log = logging.getLogger("collector.subscriber")

_MAX_EARLY = 64
_MAX_HEARD = 256
_ENDS = (NotificationKind.SUBSCRIPTION_TERMINATED, NotificationKind.SUBSCRIPTION_COMPLETED)
KINDS = frozenset(
    (
        *_ENDS,
        NotificationKind.SUBSCRIPTION_SUSPENDED,
        NotificationKind.SUBSCRIPTION_RESUMED,
        NotificationKind.REPLAY_COMPLETED,
    )
)
"""Those that change something here."""


_CHANGES = tuple(f"{kind}".encode() for kind in sorted(KINDS))
_UPDATE = b"push-update"
_HEAD = 512
"""Octets of a message in which ``_UPDATE`` tells that it is one (ours)."""
_MAX_STATE_CHANGE = 64 * 1024
"""Octets of a message that is looked into for a change of state (ours)."""


class Announcement(Struct, frozen=True):
    """One notification about one subscription."""

    subscription_id: int
    kind: NotificationKind
    reason: str = ""
    """Identity without its module, where there is one."""


def announcements_in(payload: bytes) -> Iterator[Announcement]:
    """What a message on the session says of subscriptions; what cannot be read says nothing, and
    the pipeline refuses and counts it."""
    if not _may_change(payload):
        return
    try:
        found = XmlEncoding().decode(payload)
    except WireError:
        return
    for one in (found, *found.bundled):
        if one.kind in KINDS and one.subscription_id is not None:
            change = one.state_change
            reason = (change.reason if change else None) or one.kind.value
            yield Announcement(one.subscription_id, one.kind, reason)


def _may_change(payload: bytes) -> bool:
    """A cheap look: most messages are updates and change no state."""
    return (
        payload.find(_UPDATE, 0, _HEAD) < 0
        and len(payload) <= _MAX_STATE_CHANGE
        and any(word in payload for word in _CHANGES)
    )


class Announcements:
    """Between what is heard of one device and what is held of it."""

    def __init__(
        self,
        device: str,
        held: Mapping[str, Held],
        clock: Clock,
        gone: Callable[[int], None] = lambda subscription_id: None,
    ) -> None:
        """``gone`` is told of the end of an id that is not held."""
        self._gone = gone
        self._device = device
        self._held = held
        self._clock = clock
        self._early: list[Announcement] = []
        """Heard while a reply is on its way to us; at most ``_MAX_EARLY``."""
        self._asking = False
        self._heard: deque[int] = deque(maxlen=_MAX_HEARD)
        """Ends that were heard on the session and that the journal's reader will tell of again."""
        self._saying = Saying()

    def asking(self) -> None:
        """A reply is waited for that may bring an id; what is heard of unknown ids is kept."""
        self._asking = True

    def answered(self, held: Held | None) -> None:
        """The reply came: what was said of that id meanwhile counts now, the rest is forgotten."""
        self._asking = False
        early, self._early = self._early, []
        for told in early:
            if held is not None and told.subscription_id == held.id:
                self.told(told)

    # ------------------------------------------------------------------ on the session
    def told(self, told: Announcement) -> None:
        """The device said it on the session that carries the subscription."""
        held = self._find(told.subscription_id)
        if held is None:
            if told.kind in _ENDS:
                self._gone(told.subscription_id)
            if self._asking and len(self._early) < _MAX_EARLY:
                self._early.append(told)
            return
        if told.kind in _ENDS:
            self._heard.append(told.subscription_id)
            self._end(held, told)
        elif told.kind is NotificationKind.REPLAY_COMPLETED:
            self._replayed(held)
        else:
            held.told_here = True
            self._pause(held, told.kind is NotificationKind.SUBSCRIPTION_SUSPENDED, told.reason)

    # ------------------------------------------------------------------ on another transport
    def ended_elsewhere(self, subscription_id: int, reason: str) -> None:
        """Whoever reads the journal says that a subscription ended, on whatever transport.

        That reader is behind us and says again what was heard here already; meanwhile the device
        may have given the same id to the successor, which must not suffer for it.
        """
        try:
            self._heard.remove(subscription_id)
            return
        except ValueError:
            held = self._find(subscription_id)
        if held is not None:
            completed = reason == NotificationKind.SUBSCRIPTION_COMPLETED
            kind = _ENDS[completed]
            self._end(held, Announcement(subscription_id, kind, reason))

    def paused_elsewhere(self, subscription_id: int, suspended: bool, reason: str) -> None:
        """The same of a suspension, or of its end."""
        held = self._find(subscription_id)
        if held is not None and not held.told_here:
            self._pause(held, suspended, reason)

    # ------------------------------------------------------------------ inside
    def _find(self, subscription_id: int) -> Held | None:
        return next((h for h in self._held.values() if h.live and h.id == subscription_id), None)

    def _end(self, held: Held, told: Announcement) -> None:
        """One that is just being deleted may be said to be terminated before the OK."""
        if held.leaving:
            return
        now = self._clock.now()
        if told.kind is NotificationKind.SUBSCRIPTION_COMPLETED:
            held.ended(now)
        else:
            reason = f"terminated by the device: {plain(told.reason)}"
            held.again(now, reason, SubscriptionPhase.TERMINATED)
        if self._may_say(now):
            log_end(self._device, held, now)

    def _replayed(self, held: Held) -> None:
        held.replaying = False
        log.info("Device %s sent subscription %s all it had kept.", self._device, held.wanted.name)
        stop = None if held.asked is None else held.asked.stop_time
        if stop is not None and stop <= held.began:
            held.ended(self._clock.now())
            log_end(self._device, held, self._clock.now())

    def _pause(self, held: Held, suspended: bool, reason: str) -> None:
        now, name = self._clock.now(), held.wanted.name
        if suspended and held.phase is SubscriptionPhase.ACTIVE:
            held.suspended(now, f"suspended by the device: {plain(reason)}")
            if self._may_say(now):
                log.warning(
                    "Device %s suspended subscription %s: %s.", self._device, name, plain(reason)
                )
        elif not suspended and held.phase is SubscriptionPhase.SUSPENDED:
            held.resumed(now)
            if self._may_say(now):
                log.info("Device %s resumed subscription %s.", self._device, name)

    def _may_say(self, now: int) -> bool:
        """A device that changes its mind all the time must not fill the log."""
        may = self._saying.may(now)
        if self._saying.falls_silent:
            log.warning("Device %s suspends and resumes all the time.", self._device)
        return may


def log_end(device: str, held: Held, now: int) -> None:
    """Say once that a subscription is not there (any more), and when it is asked for again."""
    name = held.wanted.name
    if held.phase is SubscriptionPhase.COMPLETED:
        log.info("Subscription %s of device %s is complete: %s.", name, device, held.reason)
        return
    wait = 0 if held.retry_at is None else held.retry_at - now
    log.warning(
        "Subscription %s of device %s: %s. It is asked for again in %.1f s.",
        name,
        device,
        held.reason,
        wait / SECOND,
    )
