"""Subscriptions that a device did not delete when it was asked to: they would push for ever.

What it does: ask again, with back-off, on the same session, since no other one can (RFC 8639
§2.4.4). What it does not: hold anything that is wanted.

Rules: an id that the device has ended or given away again is ours no more.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from collector.errors import ProtocolError
from collector.interfaces import Clock
from collector.model import SECOND, CollectorTime
from collector.subscriber.backoff import Backoff
from collector.subscriber.exchanges import refusals
from collector.subscriber.exchanges.requests import Call
from collector.wire.netconf.rpc import DeleteSubscription

log = logging.getLogger("collector.subscriber")

_MAX_LEFT = 64
"""Of one device (ours); more can only come of a device that refuses every one."""


class _Left:
    """One of them."""

    def __init__(self, name: str, backoff: Backoff) -> None:
        self.name = name
        self.backoff = backoff
        self.at = CollectorTime(0)


class Leftovers:
    """Of one device, on its present session."""

    def __init__(
        self, device: str, call: Call, clock: Clock, new_backoff: Callable[[], Backoff]
    ) -> None:
        self._device = device
        self._call = call
        self._clock = clock
        self._new_backoff = new_backoff
        self._left: dict[int, _Left] = {}
        """Subscription id -> under which name it was wanted, and when it is asked for."""

    def forget(self) -> None:
        """The session is gone, and they with it."""
        self._left.clear()

    def gone(self, subscription_id: int) -> None:
        """The device ended it, or gave its id to another."""
        self._left.pop(subscription_id, None)

    async def delete(self, name: str, subscription_id: int) -> None:
        """Have the device delete one, now or later. Raises SessionError."""
        left = self._left.get(subscription_id) or _Left(name, self._new_backoff())
        try:
            await self._call(name, DeleteSubscription(subscription_id))
        except ProtocolError as error:
            if refusals.is_gone(error):
                self.gone(subscription_id)
            else:
                self._refused(subscription_id, left, error)
        else:
            self.gone(subscription_id)
            log.info("Device %s deleted subscription %s.", self._device, name)

    def _refused(self, subscription_id: int, left: _Left, error: ProtocolError) -> None:
        again = ""
        if refusals.can_heal(error) and (
            subscription_id in self._left or len(self._left) < _MAX_LEFT
        ):
            wait = left.backoff.next()
            left.at = CollectorTime(self._clock.now() + wait)
            self._left[subscription_id] = left
            again = f" It is asked again in {wait / SECOND:.1f} s."
        else:
            self.gone(subscription_id)
        log.warning(
            "Device %s does not delete subscription %s (id %d): %s.%s",
            self._device,
            left.name,
            subscription_id,
            refusals.describe(error),
            again,
        )

    async def sweep(self) -> None:
        """Ask for those whose time has come. Raises SessionError."""
        now = self._clock.now()
        for number in [number for number, left in self._left.items() if left.at <= now]:
            if number in self._left:  # it may have ended meanwhile
                await self.delete(self._left[number].name, number)

    def next_due(self) -> CollectorTime | None:
        """When ``sweep`` has something to do; None: nothing is left."""
        return min((left.at for left in self._left.values()), default=None)
