"""Random devices: what line cards of all kinds send, without payloads.

Everything about a device follows from its number. Cards have the header id of their own or share
one, count for each header id or for each subscription, send one or many updates a period, the same
number each time or not, in one datagram or in segments; their clocks are off, the network holds
messages up a little, and the period of a device may be a bit longer than it says.
"""

from __future__ import annotations

from random import Random

from msgspec import Struct

from collector.core.settings import EngineSettings, KnownSubscription
from collector.model import (
    SECOND,
    CollectorTime,
    DeviceTime,
    Established,
    SubscriptionTerms,
)
from publisher_sim.distort.messages import MASK, Captured, Message
from tests.field.sets import Case

START = 1_800_000_000 * SECOND
"""A multiple of 60 s."""
PERIODS = 36
MESSAGES = 96
"""A device sends no more than about so many in a period: the whole has to end in some minutes."""
SOURCE = "192.0.2.7"
NAMED = Captured(b"", 0, "", 0, generator="named")
"""Its payload names an originator; a device without payloads says no more."""
UNNAMED = Captured(b"", 0, "", 0)


class Shape(Struct):
    """What a random device is like."""

    cards: int
    shared: bool
    """All cards behind one header id."""
    per_subscription: bool
    """Ids count for each subscription."""
    subscriptions: dict[int, int]
    """id -> ns."""
    anchored: bool
    declared: bool
    updates: int
    """Most a period."""
    stable: bool
    datagrams: int
    together: bool
    spread: float
    """Share of the period that a burst takes."""
    jitter: int
    """ns."""
    drift: float
    """How much longer a period is than announced."""
    offsets: list[int]
    """ns that each card's clock is ahead."""


def shape(number: int) -> Shape:
    """The shape of device ``number``."""
    draw = Random(f"device {number}")
    period = draw.choice((5, 10, 30, 60)) * SECOND
    count = draw.randint(1, 4)
    cards = draw.choice((1, 2, 3, 4, 6, 8, 12, 16))
    clocks = draw.choice(("right", "small", "common", "own"))
    common = round(draw.uniform(-3, 3) * period)
    return Shape(
        cards=cards,
        shared=draw.random() < 0.5,
        per_subscription=draw.random() < 0.5,
        subscriptions={1 + place: period * draw.choice((1, 1, 2)) for place in range(count)},
        anchored=draw.random() < 0.5,
        declared=draw.random() < 0.5,
        updates=min(draw.choice((1, 1, 2, 3, 6, 12)), max(1, MESSAGES // (cards * count))),
        stable=draw.random() < 0.7,
        datagrams=draw.choice((1, 1, 2, 4)),
        together=draw.random() < 0.5,
        spread=draw.choice((0.001, 0.02, 0.1, 0.25)),
        jitter=draw.choice((0, 1, 20, 100)) * SECOND // 1000,
        drift=draw.choice((0.0, 0.0, 0.0005, 0.003)),
        offsets=[
            {
                "right": 0,
                "small": round(draw.uniform(-0.05, 0.05) * period),
                "common": common,
                "own": round(draw.uniform(-2, 2) * period),
            }[clocks]
            for _ in range(cards)
        ],
    )


def device_case(number: int) -> Case:
    """Device ``number`` before any fault."""
    made = shape(number)
    draw = Random(f"traffic {number}")
    messages = []
    for card in range(made.cards):
        for subscription in made.subscriptions:
            messages += _stream(made, card, subscription, draw)
    messages.sort(key=lambda one: one.at)
    _count(messages, made, draw)
    generators = tuple(str(100 + card) for card in range(made.cards))
    terms = {
        one: SubscriptionTerms(
            datastore="operational",
            period=length,
            anchor_time=DeviceTime(START) if made.anchored else None,
        )
        for one, length in made.subscriptions.items()
    }
    settings = EngineSettings(
        known={}
        if made.declared
        else {(SOURCE, one): KnownSubscription(terms=said) for one, said in terms.items()}
    )
    first = tuple(
        Established(
            CollectorTime(START - SECOND), SOURCE, f"subscription {one}", one, said, generators, 0
        )
        for one, said in terms.items()
        if made.declared
    )
    return Case(f"device {number}", messages, dict(made.subscriptions), settings, first)


def _stream(made: Shape, card: int, subscription: int, draw: Random) -> list[Message]:
    """What one card sends for one subscription."""
    period = made.subscriptions[subscription]
    length = max(made.subscriptions.values()) * PERIODS
    phase = draw.uniform(0, 0.02) if made.together else draw.random()
    usual = draw.randint(1, made.updates)
    found = []
    for number in range(length // period):
        start = START + round((phase + number * (1 + made.drift)) * period)
        count = usual if made.stable else draw.randint(1, made.updates)
        for part in range(count):
            sent = start + round(part * made.spread * period / made.updates)
            arrival = sent + SECOND // 1000 + round(draw.random() * made.jitter)
            stamp = sent + made.offsets[card]
            found.append(
                Message(
                    at=arrival,
                    source=SOURCE,
                    port=40_000 + (0 if made.shared else card),
                    publisher_id=7 if made.shared else 100 + card,
                    message_id=0,
                    subscription_id=subscription,
                    generator=str(100 + card),
                    event_time=stamp,
                    observation_time=stamp,
                    captured=NAMED if made.shared or card % 2 == 0 else UNNAMED,
                    datagrams=made.datagrams,
                    period=number,
                    number=round(sent),
                )
            )
    return found


def _count(messages: list[Message], made: Shape, draw: Random) -> None:
    """Ids in the order of sending; then numbers in the order of arrival."""
    last: dict[object, int] = {}
    for rank, one in enumerate(sorted(messages, key=lambda one: one.number)):
        one.rank = rank
        key = one.publisher_id, one.subscription_id if made.per_subscription else None
        before = last.get(key)
        one.message_id = draw.randrange(MASK) if before is None else (before + 1) & MASK
        last[key] = one.message_id
    for place, one in enumerate(messages):
        one.number = place
