"""The subscriptions of one device on its present session: from what is wanted to what is.

What it does: establish, modify, prolong, delete, one request after the other, and what follows from
the answers. What it does not: open sessions (``device``), send octets (it is given ``call``), hear
notifications (``announcements``).

Rules: what cannot heal is not asked again before it is wanted differently or the session is
another; the rest is asked again with back-off; every change of state is logged once.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping

from collector.errors import ProtocolError, SessionError
from collector.interfaces import Clock
from collector.model import SECOND, SubscriptionTerms
from collector.subscriber.asked import contradiction
from collector.subscriber.backoff import Backoff, BackoffSettings
from collector.subscriber.dynamic.announcements import Announcement, Announcements, log_end
from collector.subscriber.dynamic.asking import Asking, note
from collector.subscriber.dynamic.changing import Changing
from collector.subscriber.dynamic.held import Held
from collector.subscriber.dynamic.leftovers import Leftovers
from collector.subscriber.dynamic.resyncing import Resynced, Resyncing
from collector.subscriber.exchanges import refusals
from collector.subscriber.exchanges.requests import Call
from collector.subscriber.states import SubscriptionState
from collector.subscriber.wanted import WantedSubscription, in_order
from collector.wire.netconf.rpc import (
    EstablishSubscription,
)

log = logging.getLogger("collector.subscriber")

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
        self._held: dict[str, Held] = {}
        self._leftovers = Leftovers(device, call, clock, self._new_backoff)
        self._announcements = Announcements(device, self._held, clock, self._leftovers.gone)
        self._asking = Asking(device, call, clock, devices)
        self._changing = Changing(device, clock, self._asking, self._parent, self._delete)
        self._resyncing = Resyncing(device, call, clock)

    def __len__(self) -> int:
        return len(self._held)

    def states(self) -> tuple[SubscriptionState, ...]:
        """For a status view."""
        return tuple(held.state() for held in self._held.values())

    # ------------------------------------------------------------------ what happens to them
    def lost(self) -> None:
        """The session is gone, and every dynamic subscription with it (RFC 8639 §2.4.1)."""
        now = self._clock.now()
        self._leftovers.forget()
        for held in self._held.values():
            held.lost(now)

    def forget(self) -> None:
        """Nothing is wanted any more, and there is no session."""
        self._held.clear()

    def told(self, told: Announcement) -> None:
        """See ``Announcements.told``."""
        self._announcements.told(told)

    def ended_elsewhere(self, subscription_id: int, reason: str) -> None:
        """See ``Announcements.ended_elsewhere``."""
        self._announcements.ended_elsewhere(subscription_id, reason)

    def paused_elsewhere(self, subscription_id: int, suspended: bool, reason: str) -> None:
        """See ``Announcements.paused_elsewhere``."""
        self._announcements.paused_elsewhere(subscription_id, suspended, reason)

    def resync_soon(self, subscription_id: int, reason: str) -> bool:
        """Something of an on-change subscription was lost; False: it is no use to ask for it."""
        for held in self._held.values():
            if held.live and held.id == subscription_id:
                return self._resyncing.soon(held, reason)
        return False

    async def resync(self, names: Iterable[str]) -> list[Resynced]:
        """Because a person said so; names that are not held are left out. Raises SessionError."""
        found = [self._held[name] for name in names if name in self._held]
        return [await self._resyncing.now(held) for held in found]

    # ------------------------------------------------------------------ to what is wanted
    async def reconcile(self, wanted_by_name: Mapping[str, WantedSubscription]) -> None:
        """Bring what is held to what is wanted. Raises SessionError."""
        for name in [name for name in self._held if name not in wanted_by_name]:
            await self._delete(self._held[name])
            del self._held[name]
        for wanted in in_order(wanted_by_name):
            held = self._held.get(wanted.name)
            if held is None:
                held = self._held[wanted.name] = Held(wanted, self._new_backoff, self._clock.now())
            elif held.wanted != wanted:
                await self._changing.change(held, wanted)
            await self._keep(held)
        await self._leftovers.sweep()

    def _new_backoff(self) -> Backoff:
        return Backoff(self._backoff_settings, self._random)

    async def _keep(self, held: Held) -> None:
        """What its time has come for."""
        now = self._clock.now()
        if held.is_past_stop(now):
            held.ended(now)
            log_end(self._device, held, now)
        await self._changing.if_due(held)
        if self._has_another_parent(held):
            log.info(
                "Subscription %s of device %s is established anew: its dependency %s has another "
                "id.",
                held.wanted.name,
                self._device,
                held.wanted.dependency,
            )
            await self._delete(held)
            held.anew(self._clock.now())
        if held.is_due(self._clock.now()):
            await self._establish(held)
        if await self._resyncing.if_due(held):
            await self._delete(held)
            held.anew(self._clock.now())
            await self._establish(held)

    def _has_another_parent(self, held: Held) -> bool:
        """A dependency cannot be modified (RFC 8639 §2.4.3), and ids change."""
        parent = self._parent(held.wanted)
        return held.live and held.asked is not None and parent not in (None, held.asked.dependency)

    def _parent(self, wanted: WantedSubscription) -> int | None:
        """Id of the one it depends on by name, while that is there."""
        first = self._held.get(wanted.dependency)
        return first.id if first is not None and first.live else None

    def until_due(self) -> int | None:
        """ns until something is to be done by itself; None: nothing is."""
        moments = [at for held in self._held.values() for at in held.next_due()]
        left = self._leftovers.next_due()
        due = min(moments if left is None else [*moments, left], default=None)
        return None if due is None else max(0, due - self._clock.now())

    # ------------------------------------------------------------------ establish
    async def _establish(self, held: Held) -> None:
        terms = self._asking.terms(held, self._parent(held.wanted))
        now = self._clock.now()
        if terms.stop_time is not None and terms.stop_time <= now and not terms.replay_start_time:
            held.over(now, terms.stop_time)
            log_end(self._device, held, now)
            return
        replay = terms.replay_start_time
        if replay is not None and replay >= now:
            held.later(now, replay + 1, "replay-start-time does not lie in the past yet")
            return
        problem = contradiction(terms)
        if problem:
            self._cannot(held, problem)
            return
        self._announcements.asking()
        established = None
        try:
            reply, terms = await self._asking.ask(held, EstablishSubscription, terms)
            assert reply.subscription_id is not None, "the caller refuses such a reply"
            now, remark = self._clock.now(), note(held.wanted, terms, reply)
            self._bereave(reply.subscription_id, held)
            held.established(now, reply.subscription_id, terms, remark)
            established = held
            self._leftovers.gone(reply.subscription_id)
            self._log_established(held, reply.subscription_id)
        except ProtocolError as error:
            self._refused(held, error, terms)
        finally:
            self._announcements.answered(established)

    def _bereave(self, subscription_id: int, heir: Held) -> None:
        """An id is one subscription's (RFC 8639 §2.4.2): whoever had it is gone without a word, and
        to delete that one would end the other."""
        for held in self._held.values():
            if held is not heir and held.live and held.id == subscription_id:
                now, name = self._clock.now(), heir.wanted.name
                held.again(now, f"the device gave its id {subscription_id} to {name}")
                log_end(self._device, held, now)

    def _log_established(self, held: Held, subscription_id: int) -> None:
        log.info(
            "Device %s established subscription %s with id %d%s.",
            self._device,
            held.wanted.name,
            subscription_id,
            f" ({held.note})" if held.note else "",
        )

    # ------------------------------------------------------------------ delete
    async def _delete(self, held: Held) -> None:
        if held.id is not None:
            held.leaving = True
            await self._leftovers.delete(held.wanted.name, held.id)

    async def delete_all(self) -> None:
        """Politely, before the session is closed; children before their parents."""
        wanted = {name: held.wanted for name, held in self._held.items()}
        try:
            async with asyncio.timeout(_DELETE_SECONDS):
                for one in reversed(list(in_order(wanted))):
                    await self._delete(self._held[one.name])
        except (TimeoutError, SessionError):
            pass  # the session ends now, and every subscription with it

    # ------------------------------------------------------------------ refusals
    def _refused(self, held: Held, error: ProtocolError, terms: SubscriptionTerms) -> None:
        said = refusals.describe(error, terms)
        if not refusals.can_heal(error):
            self._cannot(held, said)
            return
        now = self._clock.now()
        wait = held.again(now, f"refused: {said}")
        log.warning(
            "Device %s refused subscription %s: %s. It is asked for again in %.1f s.",
            self._device,
            held.wanted.name,
            said,
            wait / SECOND,
        )

    def _cannot(self, held: Held, said: str) -> None:
        held.refused(self._clock.now(), said)
        log.error(
            "Device %s refused subscription %s: %s. It is not asked again before its session or "
            "the configuration changes.",
            self._device,
            held.wanted.name,
            said,
        )
