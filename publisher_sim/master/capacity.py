"""Capacity: what subscriptions cost the device, and which of them it cannot afford.

Does not: suspend (``life_cycle`` does), or know of sessions that read too slowly. Rules: it is
better to decline than to accept what cannot be met (RFC 8641 §3.11.2), so what would pass a limit
is refused, and what runs already is never suspended for what is asked now. When a limit is passed
all the same, subscriptions keep their place in the order of their weighting, then of their age, and
one that depends on another behind it; the last ones are suspended until all fit. Octets are
estimates, as the hints say.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec import Struct

from collector.model import SECOND
from collector.wire.netconf.errors import refusal
from publisher_sim.scenario import Scenario
from publisher_sim.subscriptions.global_subscription import BY_LOAD, GlobalSubscription

OCTETS_PER_NODE = 900
"""Of a list entry with its counters; an estimate."""
OCTETS_PER_RECORD = 300
"""Around the nodes of a record; an estimate."""
KILOBYTE = 1024
DEFAULT_WEIGHTING = 15
"""Where none is asked for: what a stream of RFC 7540 §5.3.5 has, counted from 0."""


class Load(Struct, frozen=True):
    """What a subscription costs, or several together."""

    records: float = 0.0
    """A second."""
    octets: float = 0.0
    """A second."""

    def plus(self, other: Load) -> Load:
        """Both together."""
        return Load(self.records + other.records, self.octets + other.octets)


class Size(Struct, frozen=True):
    """The largest update of one publisher."""

    nodes: int
    octets: int


def weight(one: GlobalSubscription) -> int:
    """Its part of what there is, 1 to 256 (RFC 8639 §2.3)."""
    weighting = one.terms.weighting
    return 1 + (DEFAULT_WEIGHTING if weighting is None else weighting)


class Capacity:
    """The limits of one device."""

    def __init__(self, scenario: Scenario) -> None:
        self._limits = scenario.limits
        self._updates = scenario.push.updates_per_period
        self.share = 1.0
        """Which part of what it can do in a second is left."""

    # ------------------------------------------------------------------ what it costs
    def load(self, one: GlobalSubscription) -> Load:
        """What it costs while it is active."""
        if one.terms.stream is not None:
            return Load(one.records_per_second, one.records_per_second * OCTETS_PER_RECORD)
        change = one.terms.on_change
        span = max(change.dampening_period, SECOND) if change is not None else one.terms.period
        ticks = SECOND / (span or SECOND)
        records = self._updates * len(one.shares) * ticks
        nodes = sum(len(part) for part in one.shares.values()) * ticks
        return Load(records, records * OCTETS_PER_RECORD + nodes * OCTETS_PER_NODE)

    def size(self, one: GlobalSubscription) -> Size:
        """Its largest update; that with which it starts when it is on-change."""
        parts = 1 if one.terms.on_change is not None else self._updates
        nodes = max((-(-len(part) // parts) for part in one.shares.values()), default=0)
        return Size(nodes, OCTETS_PER_RECORD + nodes * OCTETS_PER_NODE)

    # ------------------------------------------------------------------ asked for
    def admit(self, one: GlobalSubscription, others: Iterable[GlobalSubscription]) -> None:
        """May it be served beside these? Raises ProtocolError with hints (RFC 8641 §4.4.1)."""
        others = list(others)
        most = self._limits.subscriptions
        if len(others) >= most:
            raise refusal("insufficient-resources", f"there are {most} subscriptions already")
        if not self._limits.of_size:
            return
        self.check_size(one)
        load = self.load(one)
        for other in others:
            if not other.suspended:
                load = load.plus(self.load(other))
        if self._passed(load):
            raise refusal("insufficient-resources", "that would be more than this device can do")

    def check_size(self, one: GlobalSubscription) -> None:
        """Is its largest update too big? Raises ProtocolError with hints."""
        reason = self._too_big(one)
        if not reason:
            return
        size, (nodes, kilobytes) = self.size(one), self._size_limits(one)
        hints = {"object-count-estimate": str(size.nodes)}
        if nodes:
            hints["object-count-limit"] = str(int(nodes))
        hints["kilobytes-estimate"] = str(-(-size.octets // KILOBYTE))
        if kilobytes:
            hints["kilobytes-limit"] = str(int(kilobytes))
        raise refusal(reason, f"an update of {size.nodes} nodes is too big", hints=hints)

    # ------------------------------------------------------------------ while it runs
    def unaffordable(self, subscriptions: Iterable[GlobalSubscription]) -> dict[int, str]:
        """id -> why it cannot be served now."""
        found: dict[int, str] = {}
        load = Load()
        for one in _by_right(subscriptions):
            reason = self._too_big(one)
            if not reason:
                with_it = load.plus(self.load(one))
                reason = self._passed(with_it)
                load = load if reason else with_it
            if reason:
                found[one.subscription_id] = reason
        return found

    def _passed(self, load: Load) -> str:
        """The reason of a suspension (RFC 8639 §2.7.4); empty while it fits."""
        records = self._limits.records_per_second * self.share
        if self._limits.records_per_second and load.records > records:
            return "insufficient-resources"
        octets = self._limits.kilobytes_per_second * KILOBYTE * self.share
        if self._limits.kilobytes_per_second and load.octets > octets:
            return "unsupportable-volume"
        return ""

    def _size_limits(self, one: GlobalSubscription) -> tuple[float, float]:
        """(nodes, kilobytes) of one update; 0: no limit."""
        limits = self._limits
        if _starts_whole(one):
            return limits.nodes_per_sync, limits.kilobytes_per_sync
        return limits.nodes_per_update, limits.kilobytes_per_update

    def _too_big(self, one: GlobalSubscription) -> str:
        nodes, kilobytes = self._size_limits(one)
        size = self.size(one)
        big = nodes and size.nodes > nodes
        large = kilobytes and size.octets > kilobytes * KILOBYTE
        if not (big or large):
            return ""
        return "sync-too-big" if _starts_whole(one) else "update-too-big"


def _starts_whole(one: GlobalSubscription) -> bool:
    change = one.terms.on_change
    return change is not None and change.sync_on_start


def _by_right(subscriptions: Iterable[GlobalSubscription]) -> Iterator[GlobalSubscription]:
    """Whom the device serves first; what is suspended for other reasons costs nothing."""
    wanted = {one.subscription_id: one for one in subscriptions if not set(one.causes) - {BY_LOAD}}
    waiting = sorted(wanted.values(), key=lambda one: (-weight(one), one.subscription_id))
    while waiting:
        here = {one.subscription_id for one in waiting}
        ready = [one for one in waiting if one.terms.dependency not in here]
        first = ready[0] if ready else waiting[0]
        waiting.remove(first)
        yield first
