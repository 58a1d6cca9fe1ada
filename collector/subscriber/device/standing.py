"""Where a device stands, and that the log is told of it once.

What it does: the phase with its reason and moments, and one sentence when that is news. What it
does not: decide on the phase (``runner``).

Rules: a device that stays away is news once, not at each try; no sentence has a secret in it.
"""

from __future__ import annotations

import logging

from collector.interfaces import Clock
from collector.model import SECOND, CollectorTime
from collector.subscriber.sessions.session import NetconfSession
from collector.subscriber.states import DevicePhase, DeviceState, SubscriptionState
from collector.subscriber.wanted import DeviceAccess

log = logging.getLogger("collector.subscriber")

_TRYING = (DevicePhase.CONNECTING, DevicePhase.AWAITED)


class Standing:
    """Of one device."""

    def __init__(self, access: DeviceAccess, clock: Clock) -> None:
        self._access = access
        self._clock = clock
        self.phase = DevicePhase.IDLE
        self.reason = ""
        """A sentence, where there is something to explain."""
        self.last_failure = ""
        """Why the last try or session failed; stays while all is well again."""
        self._said = (DevicePhase.IDLE, "")
        """What the log was told last."""
        self._since = clock.now()
        self._next_try: CollectorTime | None = None

    def now(
        self,
        phase: DevicePhase,
        reason: str = "",
        *,
        wait: int | None = None,
        session: NetconfSession | None = None,
    ) -> None:
        """Enter a phase, and log it when it is news; ``wait``: ns until the next try."""
        moment = self._clock.now()
        self._next_try = None if wait is None else CollectorTime(moment + wait)
        if (phase, reason) != (self.phase, self.reason):
            self._since = moment
        self.phase, self.reason = phase, reason
        if phase in _TRYING or (phase, reason) == self._said:
            return
        self._said = (phase, reason)
        self._log(wait, session)

    def _log(self, wait: int | None, session: NetconfSession | None) -> None:
        name, reason = self._access.name, self.reason
        if self.phase is DevicePhase.UP and session is not None:
            number, where = session.session_id, session.settings.where
            log.info("NETCONF session %d with device %s (%s) is up.", number, name, where)
        elif self.phase is DevicePhase.WAITING:
            again = f"Next try in {(wait or 0) / SECOND:.1f} s."
            if self._access.settings.calls_home:
                again = "It is to call again."
            log.warning("No session with device %s: %s. %s", name, reason, again)
        elif self.phase is DevicePhase.REFUSED:
            log.error(
                "No session with device %s: %s. It is not tried again before the configuration "
                "changes.",
                name,
                reason,
            )
        elif self.phase is DevicePhase.STOPPED:
            log.info("NETCONF session with device %s is closed.", name)

    def state(
        self, session: NetconfSession | None, subscriptions: tuple[SubscriptionState, ...]
    ) -> DeviceState:
        """For a status view."""
        return DeviceState(
            name=self._access.name,
            phase=self.phase,
            reason=self.reason,
            since=self._since,
            next_try=self._next_try,
            peer=session.peer if session else "",
            session_id=session.session_id if session else 0,
            subscriptions=subscriptions,
            last_failure=self.last_failure,
        )
