"""A subscription that is there, and wanted otherwise or for longer.

What it does: modify-subscription where it can carry the change (RFC 8641 §4.4.2), else delete and
establish; another stop-time before the present one comes. What it does not: establish
(``subscriptions``).

Rules: terms that the device refuses leave what it has as it was (RFC 8639 §2.4.3), and so do we:
the former terms are better than nothing, and said to be the former ones.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from msgspec.structs import replace

from collector.errors import ProtocolError
from collector.interfaces import Clock
from collector.model import SubscriptionTerms
from collector.subscriber.asked import can_modify, stop_time_to_ask
from collector.subscriber.dynamic.asking import Asking, note
from collector.subscriber.dynamic.held import Held
from collector.subscriber.exchanges import refusals
from collector.subscriber.states import SubscriptionPhase
from collector.subscriber.wanted import WantedSubscription
from collector.wire.netconf.rpc import ModifySubscription

log = logging.getLogger("collector.subscriber")

Parent = Callable[[WantedSubscription], int | None]
"""Id of the one that it depends on by name."""
Delete = Callable[[Held], Awaitable[None]]


class Changing:
    """Of one device."""

    def __init__(
        self, device: str, clock: Clock, asking: Asking, parent: Parent, delete: Delete
    ) -> None:
        self._device = device
        self._clock = clock
        self._asking = asking
        self._parent = parent
        self._delete = delete

    async def change(self, held: Held, wanted: WantedSubscription) -> None:
        """The configuration changed. Raises SessionError."""
        same = _asks_the_same(held.wanted, wanted)
        if same and (held.live or held.phase is SubscriptionPhase.COMPLETED):
            held.wanted = wanted
        elif not held.live:
            held.wanted_otherwise(self._clock.now(), wanted)
        else:
            held.wanted = wanted
            held.first_asked = held.seen_until = None
            await self._to_wanted(held)

    async def if_due(self, held: Held) -> None:
        """What its time has come for while it lives. Raises SessionError."""
        now = self._clock.now()
        if held.live and held.change_at is not None and held.change_at <= now:
            await self._to_wanted(held)
        elif held.live and held.renew_at is not None and held.renew_at <= now:
            await self._prolong(held)

    async def _to_wanted(self, held: Held) -> None:
        held.change_at = None
        terms = self._asking.terms(held, self._parent(held.wanted))
        if held.asked is not None and can_modify(held.asked, terms):
            error = await self._modify(held, terms)
            if error is None:
                name = held.wanted.name
                log.info("Device %s modified subscription %s.", self._device, name)
                return
            if error.identity and not refusals.is_gone(error) and held.live:
                self._goes_on(held, error, terms)
                return
            self._log_refused(held, error, "It is established anew.")
        await self._delete(held)
        held.wanted_otherwise(self._clock.now(), held.wanted)

    def _goes_on(self, held: Held, error: ProtocolError, terms: SubscriptionTerms) -> None:
        """The terms were refused, and would be when it is established: keep what there is."""
        more = "It goes on under its former terms."
        if refusals.can_heal(error):
            held.change_later(self._clock.now())
            more += " That is asked again."
        held.remark(f"under its former terms: {refusals.describe(error, terms)}")
        self._log_refused(held, error, more)

    async def _prolong(self, held: Held) -> None:
        """Another stop-time, before the present one comes."""
        held.renew_at = None
        now = self._clock.now()
        assert held.asked is not None, "a live one"
        stop_time = stop_time_to_ask(held.wanted, now, held.first_asked or now)
        error = await self._modify(held, replace(held.asked, stop_time=stop_time))
        if error is None:
            return
        self._log_refused(held, error, "It is established anew when it has ended.")
        if refusals.is_gone(error) and held.live:
            held.anew(self._clock.now(), "the device had lost it")

    async def _modify(self, held: Held, terms: SubscriptionTerms) -> ProtocolError | None:
        """The refusal, with which nothing has changed (RFC 8639 §2.4.3), or None: it is done."""
        number = held.id
        assert number is not None, "a live one"
        try:
            reply, terms = await self._asking.ask(
                held, lambda t: ModifySubscription(number, t), terms
            )
        except ProtocolError as error:
            return error
        if held.id == number:  # it may have ended meanwhile
            held.modified(self._clock.now(), terms, note(held.wanted, terms, reply))
        return None

    def _log_refused(self, held: Held, error: ProtocolError, more: str) -> None:
        log.warning(
            "Device %s does not modify subscription %s: %s. %s",
            self._device,
            held.wanted.name,
            refusals.describe(error),
            more,
        )


def _asks_the_same(old: WantedSubscription, new: WantedSubscription) -> bool:
    """Do the two differ in nothing that a device is told?"""
    return old == replace(new, expect=old.expect, accept_hints=old.accept_hints)
