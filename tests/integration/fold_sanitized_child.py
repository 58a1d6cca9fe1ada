"""Random engine traffic through a sanitized build of the fold: ``MODULE SEEDS``.

Each seed runs as it is and with odd values in its columns, by the fold in Python and by the one in
C; both must say the same, or refuse with the same error. Prints how many runs there were, how
many of them were refused, and how many messages the fold in C placed.
"""

from __future__ import annotations

import sys
from pathlib import Path
from random import Random
from typing import Any
from unittest.mock import patch

sys.path.insert(0, str(Path(__file__).parents[2]))

from collector.core.engine import Engine
from collector.core.memory.state import Counter, Device, Originator, Run, Subscription
from collector.core.memory.state_parts import Period, Slot
from collector.core.placing import straight, straight_compiled
from collector.core.placing.update_columns import UpdateColumns
from collector.model import NOTHING, CollectorTime, Update
from tests import engine_scenarios, fold_arguments
from tests.helpers import ns
from tests.integration.fast_sanitized_child import load

CLASSES = (Originator, Period, Subscription, Run, Counter, Device, Slot)


def odd(random: Random, record: Update) -> Update:
    """The same message with one odd value."""
    values = {name: getattr(record, name) for name in record.__struct_fields__}
    name = random.choice(
        ["publisher_id", "message_id", "subscription_id", "event_time", "observation_time"]
    )
    values[name] = random.choice([None, 0, 1, -1, 2**32, 2**63 - 1, -(2**63) + 1, NOTHING])
    return Update(**values)


def state_of(engine: Engine) -> Any:
    """Every snapshot; a snapshot takes no number that is not plain."""
    try:
        return {name: engine.snapshot_device(name) for name in engine.devices()}
    except AssertionError:
        return None


def outcome(seed: int, records: list[Any], place_all: Any) -> Any:
    """What is said in batches and the state at the end, or the error."""
    engine, random = Engine(engine_scenarios.settings(seed)), Random(seed)
    facts: list[Any] = []
    waiting: list[Update] = []

    def flush() -> None:
        placed, said = engine.receive_batch(UpdateColumns.of(waiting))
        facts.extend([*placed.generators, *placed.revisions, *placed.period_indexes, *said])
        waiting.clear()

    with patch("collector.core.engine.place_all", place_all):
        try:
            for record in records:
                if waiting and (not isinstance(record, Update) or random.random() < 0.1):
                    flush()
                if isinstance(record, Update):
                    waiting.append(record)
                else:
                    facts.extend(engine.receive(record, record.arrival))
            flush()
            facts.extend(engine.handle_timer(CollectorTime(ns(2000))))
            return facts, state_of(engine)
        except (TypeError, ValueError, OverflowError, AttributeError) as error:
            return type(error)


class Counted:
    """The compiled core, and how many messages it placed."""

    def __init__(self, native: Any) -> None:
        self.native = native
        self.placed = 0

    def place(self, *args: Any) -> Any:
        said = self.native.place(*args)
        self.placed += said[1] - args[6]
        return said


def main(path: str, seeds: int) -> None:
    native = load(path)
    counted = Counted(native)
    module: Any = straight_compiled
    module.native, module._LAYOUT = counted, native.bind(*CLASSES)
    runs = refused = 0
    for seed in range(seeds):
        records, random = engine_scenarios.traffic(seed), Random(seed)
        strange = [
            odd(random, one) if isinstance(one, Update) and random.random() < 0.05 else one
            for one in records
        ]
        for some in (records, strange):
            expected = outcome(seed, some, straight.place_all)
            said = outcome(seed, some, straight_compiled.place_all)
            assert said == expected, f"seed {seed}: {said} is not {expected}"[:2000]
            runs += 1
            refused += isinstance(said, type)
    for wrong in fold_arguments.wrong(native.bind(*CLASSES)):
        try:
            native.place(*wrong.arguments)
        except wrong.errors:
            continue
        raise AssertionError(f"{wrong.name} was taken")
    print(runs, refused, counted.placed)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
