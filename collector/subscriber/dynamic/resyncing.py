"""resync-subscription: everything once more, after something of an on-change one was lost.

What it does: ask for it, by itself at bounded pace or because a person said so (RFC 8641 §4.4.4).
What it does not: find out that something was lost (whoever reads the journal does).

Rules: several losses before the request are one request; the waits between requests grow while they
follow each other closely; with a device that has no such operation the subscription is established
anew, which begins with everything; any other that cannot is not asked by itself again.
"""

from __future__ import annotations

import logging

from msgspec import Struct

from collector.errors import ProtocolError
from collector.interfaces import Clock
from collector.model import SECOND, CollectorTime
from collector.subscriber.abilities.modules import NOT_SUPPORTED
from collector.subscriber.dynamic.held import Held
from collector.subscriber.exchanges import refusals
from collector.subscriber.exchanges.requests import Call
from collector.subscriber.sessions.session import plain
from collector.wire.netconf.rpc import ResyncSubscription

log = logging.getLogger("collector.subscriber")


class Resynced(Struct, frozen=True):
    """What became of one that a person asked for."""

    subscription: str
    id: int | None
    resynced: bool
    why: str
    """One sentence where it was not; empty otherwise."""


class Resyncing:
    """Of one device."""

    def __init__(self, device: str, call: Call, clock: Clock) -> None:
        self._device = device
        self._call = call
        self._clock = clock

    def soon(self, held: Held, reason: str) -> bool:
        """Something was lost: ask when the pace allows it. False: it is no use."""
        resync = held.resync
        if not held.live or held.wanted.terms.on_change is None or resync.refused:
            return False
        if resync.at is None:
            resync.at, resync.reason = self._next(held), plain(reason)
        return True

    def _next(self, held: Held) -> CollectorTime:
        """At once after a quiet time, later the more often."""
        resync, now = held.resync, self._clock.now()
        if resync.last is None:
            return now
        resync.backoff.lived(now - resync.last)
        return CollectorTime(max(now, resync.last + resync.backoff.next()))

    async def if_due(self, held: Held) -> bool:
        """Ask, if its time has come. True: it has to be established anew instead.

        Raises:
            SessionError: the session ended.
        """
        resync = held.resync
        if not held.live or resync.at is None or resync.at > self._clock.now():
            return False
        reason, resync.at = resync.reason, None
        try:
            await self._ask(held)
        except ProtocolError as error:
            return self._refused(held, error)
        else:
            log.info(
                "Device %s sends subscription %s as a whole once more: %s.",
                self._device,
                held.wanted.name,
                reason,
            )
        return False

    def _refused(self, held: Held, error: ProtocolError) -> bool:
        said, anew = refusals.describe(error), _begins_anew(held, error)
        if anew:
            more = "It is established anew."
        elif refusals.can_heal(error):
            held.resync.at = self._next(held)
            more = f"It is asked again in {(held.resync.at - self._clock.now()) / SECOND:.1f} s."
        else:
            held.resync.refused = said
            more = "It is not asked again by itself."
        log.warning(
            "Device %s does not resynchronize subscription %s: %s. %s",
            self._device,
            held.wanted.name,
            said,
            more,
        )
        return anew

    async def now(self, held: Held) -> Resynced:
        """Because a person said so, also when an earlier one was refused. Raises SessionError."""
        name, why = held.wanted.name, ""
        if held.wanted.terms.on_change is None:
            why = "it is not on-change, and only such are resynchronized (RFC 8641 §4.4.4)"
        elif not held.live:
            why = f"it is {held.phase}" + (f": {held.reason}" if held.reason else "")
        if why:
            return Resynced(name, held.id, False, why)
        number = held.id
        held.resync.at = None
        try:
            await self._ask(held)
        except ProtocolError as error:
            return Resynced(name, number, False, f"the device refused: {refusals.describe(error)}")
        return Resynced(name, number, True, "")

    async def _ask(self, held: Held) -> None:
        assert held.id is not None, "asked of live ones only"
        held.resync.last = self._clock.now()
        await self._call(held.wanted.name, ResyncSubscription(held.id))


def _begins_anew(held: Held, error: ProtocolError) -> bool:
    """Does it help to establish it anew? Only where the device has agreed to begin with everything;
    one to which that is too much now would refuse it, and nothing would be left."""
    trigger = held.wanted.terms.on_change
    if trigger is None or not trigger.sync_on_start:
        return False
    if error.identity:
        return error.identity == "no-such-subscription-resync"
    return error.tag in NOT_SUPPORTED
