"""Content notifications as columns: how they travel from the decoder through the engine to rows.

Does: hold the columns, give a row, a part, or all rows in order. Does not: look at them.
Rules: every column has one entry for each message; offsets ascend. ``NOTHING`` stands for None in
columns of numbers.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any, cast

import numpy as np

from collector.model import (
    NOTHING,
    Coded,
    CollectorTime,
    DeviceTime,
    NotificationKind,
    Update,
    numbers,
)

COLUMNS = Update.__struct_fields__
"""The columns: the fields of ``model.Update``, in their order."""
OPTIONAL = frozenset(
    ("publisher_id", "message_id", "subscription_id", "event_time", "observation_time")
)
"""Columns of numbers that may be ``NOTHING``."""
Row = tuple[
    CollectorTime, str, str, int, int | None, int | None, int | None, str | None,
    NotificationKind, DeviceTime | None, DeviceTime | None, int, int,
]  # fmt: skip
"""One message: the fields of ``model.Update``, ``incomplete_update`` as 0 or 1."""


class UpdateColumns:
    """The columns of some content notifications, in the order of their arrival."""

    __slots__ = COLUMNS

    def __init__(self) -> None:
        self.arrival: array[int] = array("q")
        self.device: Coded[str] = Coded()
        self.source: Coded[str] = Coded()
        self.port: array[int] = array("H")
        self.publisher_id: array[int] = array("q")
        self.message_id: array[int] = array("q")
        self.subscription_id: array[int] = array("q")
        self.generator: Coded[str | None] = Coded()
        self.kind: Coded[NotificationKind] = Coded()
        self.event_time: array[int] = array("q")
        self.observation_time: array[int] = array("q")
        self.incomplete_update: array[int] = array("B")
        self.offset: array[int] = array("q")

    @classmethod
    def of(cls, updates: Iterable[Update]) -> UpdateColumns:
        """Columns of messages that are there one by one."""
        made, rows = cls(), list(updates)
        for name in COLUMNS:
            values = [getattr(update, name) for update in rows]
            getattr(made, name).extend(numbers(values) if name in OPTIONAL else values)
        return made

    def __len__(self) -> int:
        return len(self.offset)

    def rows(self) -> Iterator[Row]:
        """Every message as a tuple; costs nothing until the first one is taken."""
        return chain.from_iterable(self._rows())

    def _rows(self) -> Iterator[Iterator[Row]]:
        columns = (
            known(getattr(self, name)) if name in OPTIONAL else getattr(self, name)
            for name in COLUMNS
        )
        yield cast("Iterator[Row]", zip(*columns, strict=True))

    def update(self, row: int) -> Update:
        """One message."""
        numbers = [
            None if value == NOTHING else value
            for value in (
                self.publisher_id[row], self.message_id[row], self.subscription_id[row],
                self.event_time[row], self.observation_time[row],
            )
        ]  # fmt: skip
        publisher_id, message_id, subscription_id, event_time, observation_time = numbers
        return Update(
            CollectorTime(self.arrival[row]),
            self.device[row],
            self.source[row],
            self.port[row],
            publisher_id,
            message_id,
            subscription_id,
            self.generator[row],
            self.kind[row],
            cast("DeviceTime | None", event_time),
            cast("DeviceTime | None", observation_time),
            self.incomplete_update[row] == 1,
            self.offset[row],
        )

    def part(self, start: int, end: int) -> UpdateColumns:
        """Rows ``start`` to ``end``; all of them are these columns themselves."""
        if start == 0 and end == len(self):
            return self
        made = UpdateColumns()
        for name in COLUMNS:
            setattr(made, name, getattr(self, name)[start:end])
        return made

    def extend(self, others: UpdateColumns) -> None:
        """Add further messages."""
        for name in COLUMNS:
            getattr(self, name).extend(getattr(others, name))


def known(column: Any) -> list[int | None]:
    """The numbers of an array of 64 bits, None for ``NOTHING``."""
    found: list[int | None] = column.tolist()
    for row in np.flatnonzero(np.frombuffer(column, np.int64) == NOTHING).tolist():
        found[row] = None
    return found
