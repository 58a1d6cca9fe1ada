"""``straight.place_all`` by the compiled core: the same rules, on the same objects.

Does: call it, and draw the conclusions that it hands back. Does not: know how a message is placed;
``straight`` says it in Python, and a law of the tests holds both against ``updates.take``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from collector.core import closing, fold, straight
from collector.core.context import Context
from collector.core.state import Counter, Device, Originator, Run, Subscription
from collector.core.state_parts import Period, Slot
from collector.core.update_columns import Row, UpdateColumns
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
    until: Callable[[CollectorTime], None],
) -> bool:
    """See ``straight.place_all``; ``rows`` is not needed: as many are placed as are behind us."""
    assert native is not None
    columns = batch.columns()
    where = (placed.generators, placed.revisions, placed.period_indexes)
    mapped = bool(context.settings.generators)
    while True:
        why, one, index, arrival = native.place(
            _LAYOUT, devices, context.deadlines.heap, mapped, columns, where, fold.open_period,
            straight.PUSH_UPDATE_KIND,
        )  # fmt: skip
        if why == DUE:
            until(arrival)
        elif why <= UNCOMMON:
            return bool(why)
        else:
            closing.complete_at_once(context, one, index, arrival)
            if why == LOOK_EARLIER:
                closing.complete_earlier(context, one, index, arrival)
