"""Scenarios for tests of the simulated device: small ones by hand, random ones by seed."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from msgspec import structs

from collector.errors import ConfigError
from publisher_sim.scenario import (
    REASONS,
    Card,
    Fault,
    Master,
    Periods,
    Push,
    Receiver,
    Scenario,
    check,
)

KINDS = (
    "drop", "duplicate", "reorder", "delay", "corrupt", "clock_skew", "silent",
    "kill", "pull", "move", "suspend",
)  # fmt: skip


def small(*faults: Fault, cards: int = 2, updates: int = 1, **more: Any) -> Scenario:
    """A master without data and a few cards, a period of 1 s, grace 0.5 s."""
    more.setdefault("periods", 30)
    scenario = Scenario(
        name="core7",
        grace_seconds=0.5,
        card=tuple(
            Card(
                f"lc{n}", 100 + n, interfaces=(f"eth{n}/0", f"eth{n}/1"), hardware=(f"fpc{n}",),
                phase=n / 50, arc=0.1,
            )
            for n in range(1, cards + 1)
        ),
        push=more.pop("push", Push(updates_per_period=updates)),
        fault=faults,
        **more,
    )  # fmt: skip
    check(scenario)
    return scenario


def random_scenario(seed: int, transport: Any = "udp-notif", header: Any = "envelope") -> Scenario:
    """A valid device with faults that do not touch each other: quiet periods lie between them."""
    draw = random.Random(seed)
    period = draw.choice([0.5, 1, 2, 10, 60])
    scenario = Scenario(
        name="core7",
        seed=seed,
        periods=draw.randint(60, 90),
        grace_seconds=draw.choice([None, None, round(period * draw.uniform(0.1, 0.5), 3)]),
        period=Periods(seconds=period),
        receiver=Receiver(transport=transport),
        push=Push(
            header=header,
            updates_per_period=draw.randint(1, 3),
            max_segment_size=draw.choice([1400, 65_507, 500]),
        ),
        master=Master(
            interfaces=("mgmt0",) if draw.random() < 0.7 else (),
            loss_detection_seconds=draw.choice([1.0, 0.0, 2.0]),
        ),
        card=tuple(
            Card(
                f"lc{n}", 100 + n,
                interfaces=tuple(f"eth{n}/{port}" for port in range(draw.randint(1, 5))),
                phase=round(draw.uniform(0, 0.3), 3), arc=round(draw.uniform(0, 0.15), 3),
            )
            for n in range(draw.randint(1, 4))
        ),
    )  # fmt: skip
    return with_faults(scenario, draw)


def with_faults(
    scenario: Scenario,
    draw: random.Random,
    *,
    kinds: Sequence[str] = KINDS,
    first: int = 8,
    quiet: tuple[int, int] = (8, 12),
) -> Scenario:
    """The scenario with faults all along that do not touch each other.

    Args:
        scenario: with its periods and cards.
        draw: what all is drawn from.
        kinds: of faults.
        first: period of the first one.
        quiet: fewest and most periods between the end of one and the next.
    """
    at = first
    while at + 10 < scenario.periods - 6:
        fault = _fault(scenario, draw, kinds, at)
        wider = structs.replace(scenario, fault=(*scenario.fault, fault))
        try:
            check(wider)
        except ConfigError:
            at += 1
            continue
        scenario = wider
        at = (fault.until or at + 1) + draw.randint(*quiet)
    return scenario


def _fault(scenario: Scenario, draw: random.Random, kinds: Sequence[str], at: int) -> Fault:
    kind: Any = draw.choice(kinds)
    card = draw.choice(scenario.card).name
    others = [one.name for one in scenario.publishers if one.name != card]
    grace = scenario.effective_grace / 1e9
    more: dict[str, Any] = {}
    length: int | None = draw.randint(1, 3)
    match kind:
        case "drop" | "corrupt":
            more["probability"] = draw.choice([1.0, 0.5])
            more["datagrams"] = kind == "drop" and draw.random() < 0.3
        case "duplicate" | "reorder":
            more["seconds"] = draw.choice([0, grace * 0.3])
        case "delay":
            length, more["seconds"] = 1, draw.choice([grace * 0.4, grace * 2.3])
        case "clock_skew":
            more["seconds"] = draw.choice([0.2, -0.2, 2, -1, 0.9]) * scenario.period.seconds
        case "suspend":
            card, more["reason"] = "", draw.choice(REASONS["suspend"])
        case "terminate" | "cut":
            card, length = "", None
        case "kill" | "pull":
            length = draw.randint(5, 9)
            if draw.random() < 0.4:
                more["moves_to"] = draw.choice(others)
        case "move":
            more["moves_to"] = draw.choice(others)
    return Fault(kind, at, None if length is None else at + length, card, **more)
