"""Push-updates that came before anything named their subscription.

Does: remember for a while which originators sent their whole state under an id that is not known
yet, and give them out when the subscription begins. Does not: hold contents, or know what an
on-change subscription is.

Rules: a publisher sends as soon as it has accepted, and by UDP its first messages overtake the
reply that carries the id; some send them first by design. No reply takes longer than ``WAITS``, so
what is older was of another subscription. The table is bounded, its oldest entry makes room.
"""

from __future__ import annotations

from collections.abc import Iterator

from collector.core.on_change.tables import key_of, put_last
from collector.model import SECOND

WAITS = 30 * SECOND
"""As long as a request waits for its reply by default (ours)."""
PER_DEVICE = 256
"""Originators that are remembered (ours)."""

Early = dict[str, tuple[int, str, int]]
"""Of one device: key -> subscription id, originator, arrival of its last push-update."""


def note(early: Early, subscription_id: int, generator: str, time: int) -> None:
    """A push-update of an unknown subscription came."""
    entry = subscription_id, generator, time
    put_last(early, key_of(subscription_id, generator), entry, PER_DEVICE)


def take(early: Early, subscription_id: int, now: int) -> Iterator[tuple[str, int]]:
    """Originators and arrivals of what came for a subscription that is known from now on."""
    for key in [key for key, entry in early.items() if entry[0] == subscription_id]:
        _, generator, time = early.pop(key)
        if now - time <= WAITS:
            yield generator, time
