"""One subscription that is wanted, and what has become of it on the present session.

What it does: phases, and the moments at which something is due. What it does not: ask
(``subscriptions``), log.

Rules: what depends on the id (renewal, resync) ends with it; what the next request depends on (when
it was first asked for, until when everything was seen) outlives the session.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from collector.model import CollectorTime, SubscriptionTerms
from collector.subscriber.asked import STOP_SLACK, renewal_of
from collector.subscriber.backoff import Backoff
from collector.subscriber.states import SubscriptionPhase, SubscriptionState
from collector.subscriber.wanted import WantedSubscription
from collector.wire.values.timestamps import format_date_and_time

LIVE = (SubscriptionPhase.ACTIVE, SubscriptionPhase.SUSPENDED)
TO_ESTABLISH = (SubscriptionPhase.PENDING, SubscriptionPhase.TERMINATED)


class Held:
    """What one ``Subscriptions`` holds under one name."""

    __slots__ = (
        "asked", "backoff", "began", "change_at", "first_asked", "id", "leaving", "note", "phase",
        "reason", "renew_at", "replaying", "resync", "retry_at", "seen_until", "since",
        "told_here", "wanted",
    )  # fmt: skip

    def __init__(
        self, wanted: WantedSubscription, new_backoff: Callable[[], Backoff], now: CollectorTime
    ) -> None:
        self.wanted = wanted
        self.backoff = new_backoff()
        """Before it is established once more."""
        self.phase = SubscriptionPhase.PENDING
        self.id: int | None = None
        self.asked: SubscriptionTerms | None = None
        """The terms that the device agreed to, while it is live."""
        self.note = ""
        """What of ``asked`` is not as wanted, for people."""
        self.reason = ""
        self.since = now
        self.began = now
        """When it was established last."""
        self.retry_at: CollectorTime | None = None
        self.renew_at: CollectorTime | None = None
        self.change_at: CollectorTime | None = None
        """When modify-subscription is tried again; None: the device has what is wanted, or will not
        have it."""
        self.replaying = False
        """True until the device said ``replay-completed``."""
        self.leaving = False
        """True while it is being deleted: its end is no news."""
        self.told_here = False
        """True when the session told of a suspension: the journal's reader is behind it."""
        self.first_asked: CollectorTime | None = None
        self.seen_until: CollectorTime | None = None
        """Until when an earlier one brought everything; None: its replay was not complete."""
        self.resync = Resync(new_backoff())

    @property
    def live(self) -> bool:
        """True while the device has it."""
        return self.phase in LIVE

    # ------------------------------------------------------------------ phases
    def _enter(self, phase: SubscriptionPhase, now: CollectorTime, reason: str) -> None:
        if self.live:
            self.seen_until = None if self.replaying else now
        self.phase, self.since, self.reason = phase, now, reason
        self.id = self.asked = self.retry_at = self.renew_at = self.change_at = None
        self.note = ""
        self.replaying = self.leaving = self.told_here = False
        self.resync.forget()

    def established(
        self, now: CollectorTime, subscription_id: int, asked: SubscriptionTerms, note: str
    ) -> None:
        """The device has it from now on."""
        self._enter(SubscriptionPhase.ACTIVE, now, note)
        self.id, self.note, self.began = subscription_id, note, now
        self.replaying = asked.replay_start_time is not None
        self._agreed(asked)

    def modified(self, now: CollectorTime, asked: SubscriptionTerms, note: str) -> None:
        """Other terms hold; one that was suspended is active again (RFC 8639 §2.4.3)."""
        self.phase, self.since = SubscriptionPhase.ACTIVE, now
        self.reason = self.note = note
        self._agreed(asked)

    def _agreed(self, asked: SubscriptionTerms) -> None:
        self.asked = asked
        self.renew_at = None
        if self.wanted.for_good and asked.stop_time is not None and self.wanted.stop_after:
            self.renew_at = renewal_of(asked.stop_time, self.wanted.stop_after)

    def remark(self, note: str) -> None:
        """What of its terms is not as wanted, for people."""
        self.note = note
        if self.phase is SubscriptionPhase.ACTIVE:
            self.reason = note

    def change_later(self, now: CollectorTime) -> None:
        """What is wanted is asked for once more, with back-off."""
        self.change_at = CollectorTime(now + self.backoff.next())

    def suspended(self, now: CollectorTime, reason: str) -> None:
        """The publisher sends nothing for now."""
        self.phase, self.since, self.reason = SubscriptionPhase.SUSPENDED, now, reason

    def resumed(self, now: CollectorTime) -> None:
        """It sends again, under the same terms."""
        self.phase, self.since, self.reason = SubscriptionPhase.ACTIVE, now, self.note

    def refused(self, now: CollectorTime, reason: str) -> None:
        """Asking again cannot help."""
        self._enter(SubscriptionPhase.REFUSED, now, reason)

    def again(
        self, now: CollectorTime, reason: str, phase: SubscriptionPhase = SubscriptionPhase.PENDING
    ) -> int:
        """To be established once more, in as many ns as are returned."""
        if self.live:
            self.backoff.lived(now - self.began)
        self._enter(phase, now, reason)
        wait = self.backoff.next()
        self.retry_at = CollectorTime(now + wait)
        return wait

    def later(self, now: CollectorTime, at: int, reason: str) -> None:
        """To be established at that moment, not before."""
        self._enter(SubscriptionPhase.PENDING, now, reason)
        self.retry_at = CollectorTime(at)

    def anew(self, now: CollectorTime, reason: str = "") -> None:
        """To be established once more, at once."""
        self._enter(SubscriptionPhase.PENDING, now, reason)

    def ended(self, now: CollectorTime) -> None:
        """Its stop-time has passed, or the device says that it is complete."""
        stop = None if self.asked is None else self.asked.stop_time
        if self.wanted.for_good and stop is not None and now >= stop:
            self.anew(now, "its stop-time passed before it was prolonged")
        elif stop is None or self.wanted.for_good:
            self.again(now, "completed by the device")
        else:
            self.over(now, stop)

    def over(self, now: CollectorTime, stop_time: int) -> None:
        """There is no time left in which the device could send."""
        self._enter(SubscriptionPhase.COMPLETED, now, _passed(stop_time))

    def lost(self, now: CollectorTime) -> None:
        """The session is gone, and with it every dynamic subscription (RFC 8639 §2.4.1)."""
        if self.phase is not SubscriptionPhase.COMPLETED:
            self._enter(SubscriptionPhase.PENDING, now, "its session ended")

    def wanted_otherwise(self, now: CollectorTime, wanted: WantedSubscription) -> None:
        """Something else is wanted under this name, and the device has none now."""
        self.anew(now)
        self.wanted = wanted
        self.first_asked = self.seen_until = None

    # ------------------------------------------------------------------ what is due
    def is_due(self, now: CollectorTime) -> bool:
        """True when it should be asked for now."""
        return self.phase in TO_ESTABLISH and (self.retry_at is None or self.retry_at <= now)

    def is_past_stop(self, now: CollectorTime) -> bool:
        """True when it has ended without a word."""
        ends = self._ends_at()
        return ends is not None and ends <= now

    def _ends_at(self) -> CollectorTime | None:
        """Of a replay that lies in the past as a whole only the device knows the end."""
        stop = self.asked.stop_time if self.live and self.asked is not None else None
        if stop is None or (self.replaying and stop <= self.began):
            return None
        return CollectorTime(stop + STOP_SLACK)

    def next_due(self) -> Iterator[CollectorTime]:
        """Moments at which something is to be done about it."""
        moments = (
            (self.renew_at, self.change_at, self._ends_at(), self.resync.at)
            if self.live
            else (self.retry_at,)
        )
        return (moment for moment in moments if moment is not None)

    def state(self) -> SubscriptionState:
        """For people."""
        stop = None if self.asked is None else self.asked.stop_time
        return SubscriptionState(
            self.wanted.name, self.phase, self.id, self.reason, self.since, self.retry_at, stop
        )


class Resync:
    """Whether an on-change subscription is to be resynchronized, and when."""

    __slots__ = ("at", "backoff", "last", "reason", "refused")

    def __init__(self, backoff: Backoff) -> None:
        self.backoff = backoff
        self.at: CollectorTime | None = None
        """None: nothing is to be done."""
        self.last: CollectorTime | None = None
        """When it was last asked for."""
        self.reason = ""
        self.refused = ""
        """Why the device will not; empty while it may."""

    def forget(self) -> None:
        """Another subscription begins; how often it was asked lately is kept."""
        self.at, self.reason, self.refused = None, "", ""


def _passed(stop_time: int) -> str:
    return f"its stop-time {format_date_and_time(stop_time, 0)} has passed"
