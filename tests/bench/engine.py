"""What the engine costs: ``python -m tests.bench.engine [DEVICES [PERIODS]]``.

1,000 devices of 8 cards, one push-update a card and period, ids per header id, batches of 1,000;
judging and learning included. Prints messages/s, us a message, and octets an originator.
"""

from __future__ import annotations

import gc
import sys
import time
import tracemalloc

from collector.core.engine import Engine
from collector.core.placing.update_columns import UpdateColumns
from collector.core.settings import EngineSettings
from collector.model import (
    SECOND,
    CollectorTime,
    DeviceTime,
    Established,
    NotificationKind,
    SubscriptionTerms,
    Update,
)

CARDS = 8
PERIOD = 10 * SECOND
BATCH = 1000
START = 1_800_000_000 * SECOND


def establish(engine: Engine, devices: int) -> None:
    """One subscription a device, its cards declared."""
    cards = tuple(str(card) for card in range(1, CARDS + 1))
    terms = SubscriptionTerms(
        datastore="operational", period=PERIOD, anchor_time=DeviceTime(0), encoding="encode-json"
    )
    for number in range(devices):
        arrival = CollectorTime(START - SECOND)
        reply = Established(arrival, f"device{number}", "interfaces", 1, terms, cards, number)
        engine.receive(reply, arrival)


def updates(devices: int, first: int, periods: int) -> list[Update]:
    """What the devices send, in order of arrival."""
    made = []
    step = PERIOD // 2 // (devices * CARDS)
    kind = NotificationKind.PUSH_UPDATE
    for index in range(first, first + periods):
        for number in range(devices):
            for card in range(1, CARDS + 1):
                tick = START + index * PERIOD
                at = tick + (number * CARDS + card) * step
                made.append(
                    Update(
                        CollectorTime(at), f"device{number}", f"10.0.{number >> 8}.{number & 255}",
                        10003, card, index, 1, None, kind, DeviceTime(tick), None, False,
                        devices + (index * devices + number) * CARDS + card,
                    )
                )  # fmt: skip
    return made


def measure(devices: int = 1000, periods: int = 12) -> tuple[float, int]:
    """(CPU us a message, octets an originator)."""
    engine = Engine(EngineSettings())
    establish(engine, devices)
    warm = updates(devices, 0, 6)
    for start in range(0, len(warm), BATCH):
        engine.receive_batch(UpdateColumns.of(warm[start : start + BATCH]))
    sent = updates(devices, 6, periods)
    batches = [
        UpdateColumns.of(sent[start : start + BATCH]) for start in range(0, len(sent), BATCH)
    ]
    begun = time.process_time()
    for batch in batches:
        engine.receive_batch(batch)
    spent = time.process_time() - begun
    return spent / len(sent) * 1e6, memory()


def memory(devices: int = 50) -> int:
    """Octets the engine keeps for each originator after twelve periods."""
    sent = updates(devices, 0, 12)
    gc.collect()
    tracemalloc.start()
    engine = Engine(EngineSettings())
    establish(engine, devices)
    for start in range(0, len(sent), BATCH):
        engine.receive_batch(UpdateColumns.of(sent[start : start + BATCH]))
    gc.collect()
    kept = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return kept // (devices * CARDS)


def main() -> None:
    """Measure and print."""
    numbers = [int(text) for text in sys.argv[1:]]
    each, kept = measure(*numbers)
    print(f"engine: {each:.2f} us/message, {1e6 / each:,.0f} messages/s, {kept} octets/originator")


if __name__ == "__main__":
    main()
