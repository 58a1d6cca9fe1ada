"""``straight.place_all`` by the compiled core: the same rules, on the same objects.

Does: call it, and draw the conclusions that it hands back. Does not: know how a message is placed;
``straight`` says it in Python, and a law of the tests holds both against ``updates.take``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from collector.core.context import Context
from collector.core.memory.state import Counter, Device, Originator, Run, Subscription
from collector.core.memory.state_parts import Period, Slot
from collector.core.periods import closing, fold
from collector.core.placing import straight
from collector.core.placing.update_columns import Row, UpdateColumns
from collector.fast import native
from collector.model import CollectorTime, Placements

DONE, UNCOMMON, DUE, LOOK_HERE, LOOK_EARLIER = range(5)
"""Why the compiled loop stopped: ``fold.c`` has the same numbers."""

_LAYOUT: Final = native and native.bind(
    Originator, Period, Subscription, Run, Counter, Device, Slot
)


def place_all(
    context: Context,
    devices: dict[str, Device],
    batch: UpdateColumns,
    rows: Iterator[Row],
    placed: Placements,
    row: int,
    until: Callable[[CollectorTime], None],
) -> int:
    """See ``straight.place_all``; ``rows`` is not needed."""
    assert native is not None
    columns = _columns(batch)
    names = placed.generators
    where = (names.place, names.codes, placed.revisions, placed.period_indexes)
    mapped = bool(context.settings.generators)
    while True:
        why, row, one, index, arrival = native.place(
            _LAYOUT, devices, context.deadlines.heap, mapped, columns, where, row,
            fold.open_period, straight.PUSH_UPDATE_KIND,
        )  # fmt: skip
        if why == DUE:
            until(arrival)
        elif why <= UNCOMMON:
            return row
        else:
            closing.complete_at_once(context, one, index, arrival)
            if why == LOOK_EARLIER:
                closing.complete_earlier(context, one, index, arrival)


def _columns(batch: UpdateColumns) -> tuple[Any, ...]:
    """What ``place`` reads, in its order."""
    return (
        batch.arrival,
        batch.device.words, batch.device.codes,
        batch.source.words, batch.source.codes,
        batch.publisher_id,
        batch.message_id,
        batch.subscription_id,
        batch.generator.words, batch.generator.codes,
        batch.kind.words, batch.kind.codes,
        batch.event_time,
        batch.observation_time,
        batch.incomplete_update,
        batch.offset,
    )  # fmt: skip
