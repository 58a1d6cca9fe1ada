"""What losses and lost sessions cost the engine: ``python -m tests.bench.many_subscriptions``.

One card that sends many subscriptions behind one header id in a tenth of a second, with messages
lost here and there; then devices that establish their subscription again, each time under another
id. Prints CPU us a message.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterable

from msgspec.structs import replace

from collector.core.engine import Engine
from collector.core.placing.update_columns import UpdateColumns
from collector.core.settings import EngineSettings, Limits
from collector.model import (
    SECOND,
    CollectorTime,
    DeviceTime,
    Ended,
    Established,
    NotificationKind,
    SubscriptionTerms,
    Update,
)
from tests.bench import engine as common

DEVICE = "device0"
WARM = 6
"""Periods until usual counts are known."""


def _established(arrival: int, device: str, name: str, number: int, cards: int) -> Established:
    terms = SubscriptionTerms(
        datastore="operational", period=common.PERIOD, anchor_time=DeviceTime(0),
        encoding="encode-json",
    )  # fmt: skip
    names = tuple(str(card) for card in range(1, cards + 1))
    return Established(CollectorTime(arrival), device, name, number, terms, names, 0)


def _burst(period: int, subscriptions: int, first_id: int) -> Iterable[Update]:
    for place in range(subscriptions):
        at = (
            common.START
            + period * common.PERIOD
            + SECOND * (place + subscriptions) // (10 * subscriptions)
        )
        yield Update(
            CollectorTime(at), DEVICE, "10.0.0.1", 10003, 1, first_id + place, place + 1, "1",
            NotificationKind.PUSH_UPDATE, DeviceTime(at), None, False, first_id + place,
        )  # fmt: skip


def _take(engine: Engine, sent: list[Update]) -> float:
    """CPU us a message."""
    batches = [UpdateColumns.of(sent[at : at + 200]) for at in range(0, len(sent), 200)]
    begun = time.process_time()
    for batch in batches:
        engine.receive_batch(batch)
    return (time.process_time() - begun) / len(sent) * 1e6


def losses(subscriptions: int, share: float, periods: int = 10) -> float:
    """CPU us a message while a share of them is lost."""
    limits = Limits(subscriptions_per_device=subscriptions, keys_per_counter=subscriptions)
    engine = Engine(EngineSettings(limits=limits))
    for number in range(1, subscriptions + 1):
        told = _established(common.START - SECOND, DEVICE, f"s{number}", number, 1)
        engine.receive(told, told.arrival)
    draw = random.Random(5)
    first, sent = [], []
    for period in range(WARM + periods):
        for one in _burst(period, subscriptions, 1 + period * subscriptions):
            if period < WARM:
                first.append(one)
            elif draw.random() >= share:
                sent.append(one)
    _take(engine, first)
    return _take(engine, sent)


def renewals(times: int, devices: int = 200) -> list[float]:
    """CPU us a message in each life of the subscriptions; the first one is that before any end."""
    engine, found = Engine(EngineSettings()), []
    names = [f"device{number}" for number in range(devices)]
    for life in range(times + 1):
        begin = common.START + 8 * life * common.PERIOD
        for name in names:
            told = _established(begin - SECOND, name, "interfaces", life + 1, common.CARDS)
            engine.receive(told, told.arrival)
        sent = [
            replace(one, subscription_id=life + 1, offset=0)
            for one in common.updates(devices, 8 * life, 8)
        ]
        _take(engine, sent[: len(sent) // 2])
        found.append(_take(engine, sent[len(sent) // 2 :]))
        for name in names:
            over = CollectorTime(begin + 8 * common.PERIOD - 2 * SECOND)
            engine.receive(Ended(over, name, life + 1, "deleted", 0), over)
    return found


def main() -> None:
    """Measure and print."""
    for share in (0.01, 0.05):
        for subscriptions in (50, 100, 200, 300):
            spent = losses(subscriptions, share)
            print(f"{subscriptions} subscriptions, {share:.0%} lost: {spent:.0f} us/message")
    for life, spent in enumerate(renewals(3)):
        print(f"established {life + 1} times: {spent:.2f} us/message")


if __name__ == "__main__":
    main()
