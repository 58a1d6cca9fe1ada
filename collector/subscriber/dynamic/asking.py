"""One request for a subscription: its terms now, and other ones where the device hints at them.

What it does: fill in what depends on the moment, send, follow hints where the operator allows it.
What it does not: conclude anything from a refusal (``subscriptions``).
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from msgspec.structs import replace

from collector.errors import ProtocolError
from collector.interfaces import Clock
from collector.model import SubscriptionTerms
from collector.subscriber.asked import replay_to_ask, stop_time_to_ask, terms_to_ask
from collector.subscriber.dynamic.held import Held
from collector.subscriber.exchanges import refusals
from collector.subscriber.exchanges.requests import Call
from collector.subscriber.wanted import WantedSubscription
from collector.wire.netconf.rpc import Operation, RpcReply
from collector.wire.values.timestamps import format_date_and_time

log = logging.getLogger("collector.subscriber")

_MAX_HINTS = 3
"""Hints that are followed for one request (ours)."""


class Asking:
    """Of one device."""

    def __init__(self, device: str, call: Call, clock: Clock, devices: Callable[[], int]) -> None:
        self._device = device
        self._call = call
        self._clock = clock
        self._devices = devices

    def terms(self, held: Held, parent: int | None) -> SubscriptionTerms:
        """What to ask for now; ``parent``: id of the one it depends on by name."""
        wanted, now = held.wanted, self._clock.now()
        if held.first_asked is None:
            held.first_asked = now
        terms = terms_to_ask(wanted.terms, wanted.device, now, self._devices())
        return replace(
            terms,
            stop_time=stop_time_to_ask(wanted, now, held.first_asked),
            replay_start_time=replay_to_ask(wanted, now, held.seen_until),
            dependency=terms.dependency if parent is None else parent,
        )

    async def ask(
        self,
        held: Held,
        make: Callable[[SubscriptionTerms], Operation],
        terms: SubscriptionTerms,
    ) -> tuple[RpcReply, SubscriptionTerms]:
        """One request, and others with what the device hints where the operator allows it.

        Returns:
            The reply, and the terms that it agrees to.

        Raises:
            ProtocolError: refused.
            SessionError: the session ended.
        """
        hints = _MAX_HINTS if held.wanted.accept_hints else 0
        while True:
            try:
                return await self._call(held.wanted.name, make(terms)), terms
            except ProtocolError as error:
                hinted = refusals.with_hints(terms, held.wanted.terms, error) if hints else None
                if hinted is None:
                    raise
                hints -= 1
                log.info(
                    "Device %s refused subscription %s: %s. Its hint is followed.",
                    self._device,
                    held.wanted.name,
                    refusals.describe(error, terms),
                )
                terms = self._anchored(held.wanted, hinted)

    def _anchored(self, wanted: WantedSubscription, terms: SubscriptionTerms) -> SubscriptionTerms:
        """With an anchor that suits another period."""
        bare = replace(terms, anchor_time=wanted.terms.anchor_time)
        return terms_to_ask(bare, wanted.device, self._clock.now(), self._devices())


def note(wanted: WantedSubscription, terms: SubscriptionTerms, reply: RpcReply) -> str:
    """What of agreed terms is not as wanted, for people."""
    found = []
    period, agreed = wanted.terms.period, terms.period
    if period is not None and agreed is not None and agreed != period:
        hinted, asked = refusals.seconds(agreed), refusals.seconds(period)
        found.append(f"every {hinted} instead of {asked}, as the device hinted")
    if wanted.terms.on_change is not None and terms.on_change is not None:
        least, agreed = wanted.terms.on_change.dampening_period, terms.on_change.dampening_period
        if agreed != least:
            hinted, asked = refusals.seconds(agreed), refusals.seconds(least)
            found.append(f"dampened to {hinted} instead of {asked}, as the device hinted")
    if wanted.dependency and terms.dependency is None:
        found.append(f"without its dependency {wanted.dependency}, which is not there")
    if reply.replay_start_time_revision is not None:
        revised = format_date_and_time(reply.replay_start_time_revision, 0)
        found.append(f"what the device had kept begins at {revised}")
    return "; ".join(found)
