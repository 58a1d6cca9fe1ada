"""The plan of a soak: every device with its personality and its faults, from one seed.

Does not: run anything, or say what a fault is like (``sim_scenarios``). Rules: faults of a device
lie apart, so that the truth can tell them from each other.
"""

from __future__ import annotations

import random

from msgspec import structs

from publisher_sim.scenario import (
    Card,
    Limits,
    Master,
    Netconf,
    Periods,
    Push,
    Receiver,
    Scenario,
)
from tests.sim_scenarios import with_faults

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
    return with_faults(scenario, draw, kinds=KINDS, first=draw.randint(*QUIET), quiet=QUIET)


def grace(period: float) -> float:
    """What the collector waits, seconds: long, for the machine may be busy."""
    return max(0.5, period * 0.45)
