"""What is true of the traffic: which datagrams are lost, and what verdicts follow from that.

Does: draw the losses of a period from its number alone, so that the sender and whoever compares
draw the same; say what the last row on every period of every device has to be. Does not: send, or
read rows.

Rules: a message arrives when all its segments do. A card without a whole message in a period is
missing, ``unreassembled`` when half of one came, else ``lost``; one that has lost some is degraded,
``loss``. That is decidable since nothing is lost in the warm-up nor at the end (``Plan``).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from msgspec import Struct

from tests.bench.load import FIRST_PERIOD, Load, Plan
from tests.bench.traffic import cards
from tests.bench.trains import Kept


class Expected(Struct, frozen=True):
    """The last row on a period of a device."""

    outcome: str = "COMPLETE"
    missing: tuple[tuple[str, str], ...] = ()
    """(generator, cause), by generator."""
    degraded: tuple[tuple[str, str], ...] = ()

    @property
    def text(self) -> str:
        """In a few words."""
        parts = [self.outcome]
        for name in ("missing", "degraded"):
            found = getattr(self, name)
            if found:
                parts.append(f"{name} " + " ".join(f"{one}({cause})" for one, cause in found))
        return ", ".join(parts)


COMPLETE = Expected()


def kept(plan: Plan, segments: int, index: int) -> Kept | None:
    """What is sent in a period, counted from 0; None when all of it is."""
    if not plan.loses(index):
        return None
    load = plan.load
    random = np.random.default_rng((load.seed, index))
    shape = load.devices, load.cards, load.updates, segments
    return random.random(shape, np.float32) >= load.loss


def whole_messages(plan: Plan, segments: int) -> int:
    """Messages of which every segment is sent."""
    total = 0
    for index in range(plan.total):
        sent = kept(plan, segments, index)
        if sent is None:
            total += plan.begun(index) * plan.load.burst
        else:
            total += int(sent.all(axis=3).sum())
    return total


def expected(plan: Plan, segments: int) -> Iterator[tuple[int, int, Expected]]:
    """(device, period counted from 0, its last row) for all but those in which nothing is lost."""
    for index in range(plan.total):
        sent = kept(plan, segments, index)
        if sent is None:
            continue
        segments_sent = sent.sum(axis=3)
        whole = segments_sent == segments
        arrived = whole.sum(axis=2)
        half = ((segments_sent > 0) & ~whole).sum(axis=2)
        for device in np.flatnonzero((arrived < plan.load.updates).any(axis=1)):
            yield int(device), index, _said(plan.load, arrived[device], half[device])


def _said(load: Load, arrived: Any, half: Any) -> Expected:
    missing, degraded = [], []
    for card, name in enumerate(cards(load)):
        if arrived[card] == 0:
            missing.append((name, "unreassembled" if half[card] else "lost"))
        elif arrived[card] < load.updates:
            degraded.append((name, "loss"))
    outcome = "INCOMPLETE" if missing else "DEGRADED"
    return Expected(outcome, tuple(sorted(missing)), tuple(sorted(degraded)))


def first_index(plan: Plan, device: int) -> int:
    """What the sender counts the first period of a device as."""
    return plan.begins(device) + FIRST_PERIOD
