"""What coverage keeps of a subscription's periods, and what it is told: plain data within bounds.

Does not: decide anything (``coverage``). Everything here can be written to a snapshot and read
again.
"""

from __future__ import annotations

from msgspec import Struct

from collector.model import CollectorTime


class CoverageLimits(Struct, frozen=True):
    """Bounds, ours; what is beyond is counted and not judged."""

    nodes_per_generator: int = 20_000
    """In one period."""
    nodes_per_device: int = 200_000
    """Of all periods that are open or compared with."""
    open_periods: int = 32
    """Of one subscription."""
    subscriptions_per_device: int = 256


class Contents(Struct, frozen=True, gc=False):
    """What one update of a sampled period holds."""

    time: CollectorTime
    """Arrival."""
    device: str
    revision: int
    period_index: int
    generator: str
    nodes: frozenset[str]
    entries: frozenset[str]
    """The list entries that the nodes lie in."""
    whole: bool = True
    """False where not all of it could be read."""


class Reset(Struct, frozen=True, gc=False):
    """Another sample from now on: what is open holds a part of its updates only."""

    time: CollectorTime
    offset: int
    """Journal offset; a device restored from behind it knows already."""


class Sample(Struct):
    """One period."""

    nodes: dict[str, set[str]] = {}
    """generator -> nodes."""
    entries: dict[str, str] = {}
    """list entry -> generator."""
    whole: bool = True
    due: int | None = None
    """When to look at it; None before its first row."""
    outcome: str = ""
    reason: str = ""
    required: tuple[str, ...] = ()

    def held(self) -> int:
        """Nodes and entries kept."""
        return len(self.entries) + sum(map(len, self.nodes.values()))


class Before(Struct, frozen=True):
    """The last complete period."""

    index: int
    required: tuple[str, ...]
    entries: dict[str, str]


class Series(Struct):
    """One revision of a subscription."""

    id: int
    name: str
    revision: int
    period: int
    settled: int
    """Periods whose first update arrives before are left out."""
    done: int = -1
    """Last period index that is no longer looked at."""
    open: dict[int, Sample] = {}
    before: Before | None = None
    former: dict[str, str] = {}
    """list entry -> generator, as in the last complete period before the subscription changed."""
    moved: dict[str, int] = {}
    """``from to`` -> how often entries moved so."""
    overlapping: set[tuple[str, str]] = set()
    """Pairs of which it was said."""
    losing: set[str] = set()
    """Generators of which it was said that nodes are gone."""

    def held(self) -> int:
        """Nodes and entries kept, of the periods compared with too."""
        kept = len(self.former) + (0 if self.before is None else len(self.before.entries))
        return kept + sum(sample.held() for sample in self.open.values())


class Device(Struct):
    """One device; shares nothing with another."""

    series: dict[int, Series] = {}
    """By revision."""
    held: int = 0
    """Nodes and entries of all of them, not less than there are."""
    known_to: int = 0
    """Journal offset up to which inputs are known already (after a restart)."""

    def count_held(self) -> None:
        """Something was let go."""
        self.held = sum(series.held() for series in self.series.values())
