"""The plan of a soak: every device with its personality and its faults, from one seed.

Does not: run anything. Rules: faults of a device lie apart, so that the truth can tell them from
each other. Nodes do not change hands where a verdict has to learn something from it, and so may be
wrong at first: on devices without a list, whose newcomers are learned.
"""

from __future__ import annotations

import random
from typing import Any

from msgspec import structs

from collector.errors import ConfigError
from publisher_sim.scenario import (
    REASONS,
    Card,
    Fault,
    Limits,
    Master,
    Netconf,
    Periods,
    Push,
    Receiver,
    Scenario,
    check,
)
from publisher_sim.scenario.behaviour import behaviour_of

FIRST_ADDRESS = (127, 20, 0, 1)
PASSWORD_ENV = "SOAK_PASSWORD"
KINDS = (
    "drop", "duplicate", "reorder", "delay", "corrupt", "clock_skew", "silent", "incomplete",
    "kill", "pull", "move", "suspend", "terminate", "cut",
)  # fmt: skip
PERSONALITIES: tuple[tuple[str, ...], ...] = (
    (),
    (),
    ("no-list",),
    ("ids-per-subscription", "ids-from-0"),
    ("sequence-from-0", "sequence-per-subscription"),
    ("anchor-ignored",),
    ("measured-early",),
    ("clock-ahead",),
    ("clock-behind",),
    ("reply-after-push",),
    ("terminated-before-ok", "no-hints"),
    ("reason-in-error-info",),
    ("no-modules-in-hello", "reason-nowhere"),
    ("notification-root", "update-per-node"),
    ("bare-notification",),
    ("port-per-subscription", "ids-per-subscription"),
    ("last-flag-in-top-bit",),
    ("huawei-olt",),
    ("huawei-vrp",),
    ("huawei-ne40e",),
)
QUIRK_OF_COLLECTOR = "last-flag-in-top-bit"
"""The one that has to be said in the collector's configuration."""
QUIET = (9, 14)
"""Periods between two faults of a device."""


def devices(
    seed: int, count: int, cards: int, period: float, periods: int, receiver: str
) -> list[Scenario]:
    """All devices.

    Args:
        seed: of everything.
        count: of devices.
        cards: of each.
        period: seconds.
        periods: how long a run lasts.
        receiver: ADDRESS:PORT of the collector.
    """
    address, _, port = receiver.rpartition(":")
    made = []
    for number in range(count):
        draw = random.Random(f"{seed}/{number}")
        one = _device(draw, number, cards, period, periods)
        to = Receiver(address=address, port=int(port))
        made.append(structs.replace(one, receiver=to, seed=seed * 1000 + number))
    return made


def _device(draw: random.Random, number: int, cards: int, period: float, periods: int) -> Scenario:
    low = FIRST_ADDRESS[3] + number
    like = PERSONALITIES[number % len(PERSONALITIES)]
    scenario = Scenario(
        name=f"soak-{number + 1:04}",
        address=f"127.20.{low // 256}.{low % 256}",
        behaves_like=like,
        periods=periods,
        grace_seconds=grace(period),
        netconf=Netconf(port=0, password_env=PASSWORD_ENV),
        push=Push(
            updates_per_period=draw.choice([1, 1, 2, 3]),
            encodings=("encode-json",),
            max_segment_size=draw.choice([1400, 1400, 600]),
        ),
        period=Periods(seconds=period),
        limits=Limits(),
        master=Master(
            publisher_id=1,
            interfaces=("mgmt0",) if draw.random() < 0.7 else (),
            hardware=("chassis",),
            loss_detection_seconds=draw.choice([0.0, 0.5, 1.0]),
        ),
        card=tuple(
            Card(
                f"lc{card}", 100 + card,
                interfaces=tuple(f"eth{card}/{port}" for port in range(draw.randint(1, 4))),
                hardware=(f"fpc{card}",) if draw.random() < 0.5 else (),
                phase=round(draw.uniform(0, 0.2), 3), arc=round(draw.uniform(0, 0.15), 3),
            )
            for card in range(1, cards + 1)
        ),
    )  # fmt: skip
    return _with_faults(scenario, draw)


def grace(period: float) -> float:
    """What the collector waits, seconds: long, for the machine may be busy."""
    return max(0.5, period * 0.45)


def _with_faults(scenario: Scenario, draw: random.Random) -> Scenario:
    faults: list[Fault] = []
    at = draw.randint(*QUIET)
    while at + 10 < scenario.periods - 6:
        fault = _fault(scenario, draw, at)
        wider = structs.replace(scenario, fault=(*faults, fault))
        try:
            check(wider)
        except ConfigError:
            at += 1
            continue
        faults.append(fault)
        at = (fault.until or at + 1) + draw.randint(*QUIET)
    return structs.replace(scenario, fault=tuple(faults))


def _fault(scenario: Scenario, draw: random.Random, at: int) -> Fault:
    behaviour = behaviour_of(scenario.behaves)
    moves = behaviour.lists
    kind: Any = draw.choice([one for one in KINDS if moves or one != "move"])
    card = draw.choice(scenario.card).name
    grace_seconds = scenario.effective_grace / 1e9
    more: dict[str, Any] = {}
    length: int | None = draw.randint(1, 3)
    match kind:
        case "drop" | "corrupt":
            more["probability"] = draw.choice([1.0, 0.5])
            more["datagrams"] = kind == "drop" and draw.random() < 0.3
        case "duplicate" | "reorder":
            more["seconds"] = draw.choice([0, grace_seconds * 0.3])
        case "delay":
            length, more["seconds"] = 1, draw.choice([grace_seconds * 0.4, grace_seconds * 2.3])
        case "clock_skew":
            more["seconds"] = draw.choice([0.2, -0.2, 2, -1, 0.9]) * scenario.period.seconds
        case "suspend":
            card = ""
            more["reason"] = draw.choice(REASONS["suspend"])
        case "terminate" | "cut":
            card, length = "", None
        case "kill" | "pull":
            length = draw.randint(5, 9)
            others = [one.name for one in scenario.publishers if one.name != card]
            if moves and draw.random() < 0.4:
                more["moves_to"] = draw.choice(others)
        case "move":
            others = [one.name for one in scenario.publishers if one.name != card]
            more["moves_to"] = draw.choice(others)
    return Fault(kind, at, None if length is None else at + length, card, **more)
