"""The subscriptions of one device on its present session: from what is wanted to what is.

What it does: establish, modify, delete, one request after the other, and what follows from the
answers. What it does not: open sessions (``runner``), send octets (it is given ``call``).

Rules: what cannot heal is not asked again before it is wanted differently; the rest is asked again
with back-off; every change of state is logged once.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Mapping

from collector.errors import ProtocolError, SessionError
from collector.interfaces import Clock
from collector.model import SECOND
from collector.subscriber.backoff import Backoff, BackoffSettings
from collector.subscriber.session import plain
from collector.subscriber.states import Subscription, SubscriptionPhase, SubscriptionState
from collector.subscriber.wanted import (
    WantedSubscription,
    can_heal,
    can_modify,
    terms_to_ask,
)
from collector.wire.netconf_rpc import (
    DeleteSubscription,
    EstablishSubscription,
    ModifySubscription,
    Operation,
    RpcReply,
)

log = logging.getLogger("collector.subscriber")

Call = Callable[[str, Operation], Awaitable[RpcReply]]
"""(name of the subscription, operation) -> reply. Raises ProtocolError, SessionError."""

_MAX_EARLY = 64
_MAX_HEARD = 256
_DELETE_SECONDS = 5.0
"""How long stopping waits for delete-subscription in all (ours)."""


class Subscriptions:
    """What is held of one device, by the name it is wanted under."""

    def __init__(
        self,
        device: str,
        call: Call,
        clock: Clock,
        *,
        random: Callable[[], float],
        backoff: BackoffSettings,
        devices: Callable[[], int],
    ) -> None:
        self._device = device
        self._call = call
        self._clock = clock
        self._random = random
        self._backoff_settings = backoff
        self._devices = devices
        self._held: dict[str, Subscription] = {}
        self._ended_early: dict[int, str] = {}
        """Ended while a reply is on its way to us: id -> reason; at most ``_MAX_EARLY``."""
        self._asking = False
        self._heard: deque[int] = deque(maxlen=_MAX_HEARD)
        """Ends that were heard on the session and that the journal's reader will tell of again."""

    def __len__(self) -> int:
        return len(self._held)

    def states(self) -> tuple[SubscriptionState, ...]:
        """For a status view."""
        return tuple(held.state() for held in self._held.values())

    def clear(self) -> None:
        """The session is gone, and every dynamic subscription with it (RFC 8639 §2.4.1)."""
        self._held.clear()

    def ended(self, subscription_id: int, reason: str) -> None:
        """The publisher said on this session that a subscription ended.

        One that is not ours is left alone. The notification may be read together with the reply
        that brings the id.
        """
        if self._end(subscription_id, plain(reason)):
            self._heard.append(subscription_id)
        elif self._asking and len(self._ended_early) < _MAX_EARLY:
            self._ended_early[subscription_id] = reason

    def ended_elsewhere(self, subscription_id: int, reason: str) -> None:
        """Whoever reads the journal says that a subscription ended, on whatever transport.

        That reader is behind us and says again what was heard here already; meanwhile the device
        may have given the same id to the successor, which must not suffer for it.
        """
        try:
            self._heard.remove(subscription_id)
        except ValueError:
            self._end(subscription_id, plain(reason))

    def _end(self, subscription_id: int, reason: str) -> bool:
        for held in self._held.values():
            if held.id == subscription_id and held.phase is SubscriptionPhase.ACTIVE:
                held.backoff.lived(self._clock.now() - held.since)
                self._again(held, f"ended by the device: {reason}")
                return True
        return False

    async def reconcile(self, wanted_by_name: Mapping[str, WantedSubscription]) -> None:
        """Bring what is held to what is wanted. Raises SessionError."""
        for name in [name for name in self._held if name not in wanted_by_name]:
            await self._delete(self._held[name])
            del self._held[name]
        for name, wanted in wanted_by_name.items():
            held = self._held.get(name)
            if held is None:
                held = self._held[name] = Subscription(
                    wanted, Backoff(self._backoff_settings, self._random), self._clock.now()
                )
            elif held.wanted != wanted:
                await self._change(held, wanted)
            if held.is_due(self._clock.now()):
                await self._establish(held)

    async def _establish(self, held: Subscription) -> None:
        wanted = held.wanted
        now = self._clock.now()
        terms = terms_to_ask(wanted.terms, wanted.device, now, self._devices())
        self._asking = True
        try:
            reply = await self._call(wanted.name, EstablishSubscription(terms))
            assert reply.subscription_id is not None, "the caller refuses such a reply"
        except ProtocolError as error:
            self._refused(held, error)
            return
        finally:
            self._asking = False
            early, self._ended_early = self._ended_early, {}
        held.become(
            SubscriptionPhase.ACTIVE, self._clock.now(), subscription_id=reply.subscription_id
        )
        log.info(
            "Device %s established subscription %s with id %d.",
            self._device,
            wanted.name,
            reply.subscription_id,
        )
        if reply.subscription_id in early:
            self.ended(reply.subscription_id, early[reply.subscription_id])

    async def _change(self, held: Subscription, wanted: WantedSubscription) -> None:
        """The configuration changed: modify where the RFC allows it, else delete and establish."""
        old, held.wanted = held.wanted, wanted
        if held.phase is not SubscriptionPhase.ACTIVE:
            held.become(SubscriptionPhase.PENDING, self._clock.now())
            return
        if old.terms == wanted.terms:
            return
        if held.id is not None and can_modify(old.terms, wanted.terms):
            now = self._clock.now()
            terms = terms_to_ask(wanted.terms, wanted.device, now, self._devices())
            try:
                await self._call(wanted.name, ModifySubscription(held.id, terms))
            except ProtocolError as error:
                log.warning(
                    "Device %s does not modify subscription %s: %s; it is established anew.",
                    self._device,
                    wanted.name,
                    describe(error),
                )
            else:
                log.info("Device %s modified subscription %s.", self._device, wanted.name)
                return
        await self._delete(held)
        held.become(SubscriptionPhase.PENDING, self._clock.now())

    async def _delete(self, held: Subscription) -> None:
        if held.id is None or held.phase is not SubscriptionPhase.ACTIVE:
            return
        try:
            await self._call(held.wanted.name, DeleteSubscription(held.id))
        except ProtocolError as error:
            log.warning(
                "Device %s does not delete subscription %s: %s.",
                self._device,
                held.wanted.name,
                describe(error),
            )
        else:
            log.info("Device %s deleted subscription %s.", self._device, held.wanted.name)

    async def delete_all(self) -> None:
        """Politely, before the session is closed."""
        try:
            async with asyncio.timeout(_DELETE_SECONDS):
                for held in self._held.values():
                    await self._delete(held)
        except (TimeoutError, SessionError):
            pass  # the session ends now, and every subscription with it

    def _refused(self, held: Subscription, error: ProtocolError) -> None:
        if can_heal(error):
            self._again(held, f"refused: {describe(error)}")
            return
        held.become(SubscriptionPhase.REFUSED, self._clock.now(), reason=describe(error))
        log.error(
            "Device %s refused subscription %s: %s. It is not asked again before its session or "
            "the configuration changes.",
            self._device,
            held.wanted.name,
            describe(error),
        )

    def _again(self, held: Subscription, reason: str) -> None:
        """To be established once more, later."""
        wait = held.backoff.next()
        now = self._clock.now()
        held.become(SubscriptionPhase.PENDING, now, reason=reason, retry_at=now + wait)
        log.warning(
            "Subscription %s of device %s was %s. It is asked for again in %.1f s.",
            held.wanted.name,
            self._device,
            reason,
            wait / SECOND,
        )

    def until_retry(self) -> int | None:
        """ns until something is to be asked again; None: nothing is."""
        due = [held.retry_at for held in self._held.values() if held.retry_at is not None]
        return max(0, min(due) - self._clock.now()) if due else None


def describe(error: ProtocolError) -> str:
    """An rpc-error for people: identity or tag, the device's words, hints."""
    word = error.identity or error.tag
    text = "" if str(error) == word else f" ({error})"
    hints = ", ".join(f"{name} {value}" for name, value in sorted(error.hints.items()))
    return plain(f"{word}{text}" + (f"; the device hints: {hints}" if hints else ""))
