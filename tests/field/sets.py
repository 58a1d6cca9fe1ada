"""Sets of real messages: the captures' steady parts, repeated, and cards cloned from them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from collector.core.settings import EngineSettings, KnownSubscription
from collector.model import SECOND, EngineInput, SubscriptionTerms
from collector.wire.captures.pcap import read_pcap
from publisher_sim.distort.messages import Message
from publisher_sim.distort.reading import Reader
from publisher_sim.distort.steady import clone_cards, repeat, steady_part

CAPTURES = Path(
    os.environ.get(
        "YANG_PUSH_CAPTURES", Path(__file__).resolve().parents[2].parent / "shared" / "captures"
    )
)
PERIODS = 30
"""At least."""


class Case(Struct):
    """Messages of one device before any fault, and what its operator says."""

    name: str
    messages: list[Message]
    periods: dict[int, int]
    """subscription id -> ns."""
    settings: EngineSettings
    first: tuple[EngineInput, ...] = ()
    same: dict[int, int] = {}
    """subscription id of the messages -> of the rows."""
    unlisted: frozenset[str] = frozenset()
    """Originators that send though the declared list does not name them: nobody judges them."""

    @property
    def slowest(self) -> int:
        """ns of the longest period."""
        return max(self.periods.values())


class Source(Struct, frozen=True):
    """One capture: how it is called here, what the operator knows of it."""

    file: str
    periods: dict[int, float]
    same: dict[int, int] = {}
    unlisted: frozenset[str] = frozenset()


SOURCES = {
    "ipf": Source("ipf-zbl1243-r-daisy-21-yangpush-20241102-1030.pcap", {1: 60}),
    "n7": Source("n7-sa1_yang-push.pcap", {0: 30}),
    "6wind-json": Source(
        "6wind-vsr-yang-push-20250304-0811-receiver-json.pcap", {2: 30}, {2: 12345678}
    ),
    "6wind-cbor": Source(
        "6wind-vsr-yang-push-20250305-1133-receiver-cbor.pcap", {1: 30}, {1: 12345678}
    ),
    "olt": Source("huawei-MA5800T-X17-yang-push-20250306-1330-receiver.pcap", {1: 5, 2: 5}),
    "ne8000": Source(
        "huawei-NE8000-yang-push-20250315-1025-receiver.pcap",
        {1: 60},
        unlisted=frozenset({"16974853"}),
    ),
}


def capture_cases() -> Iterator[Case]:
    """Every capture repeated, and cards cloned from it, together and spread."""
    for name, source in SOURCES.items():
        with (CAPTURES / source.file).open("rb") as file:
            messages = Reader().read(read_pcap(file))
        periods = {number: round(length * SECOND) for number, length in source.periods.items()}
        steady = steady_part(messages, periods)
        repeated = repeat(steady, -(-PERIODS // steady.periods), periods)
        yield Case(
            name,
            repeated,
            periods,
            _settings(periods, source.same),
            same=source.same,
            unlisted=source.unlisted,
        )
        for together in (True, False):
            steady.before = []
            plain = repeat(steady, -(-PERIODS // steady.periods), periods)
            cards = clone_cards(plain, periods, 8, together=together, alone=True)
            word = "together" if together else "spread"
            yield Case(f"{name} 8 cards {word}", cards, periods, _settings(periods, {}))


def _settings(periods: dict[int, int], same: dict[int, int]) -> EngineSettings:
    """Terms that the operator gives for what the capture does not hold."""
    return EngineSettings(
        known={
            ("*", number): KnownSubscription(terms=SubscriptionTerms(period=length))
            for number, length in periods.items()
            if number not in same
        }
    )
