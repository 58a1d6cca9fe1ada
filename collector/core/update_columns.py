"""Content notifications as columns: how they travel from the decoder through the engine to rows.

Does: hold the columns, give a row, a part, or all rows in order. Does not: look at them.
Rules: every column has one entry for each message; offsets ascend.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, cast

from collector.model import CollectorTime, DeviceTime, NotificationKind, Update

COLUMNS = Update.__struct_fields__
"""The columns: the fields of ``model.Update``, in their order."""
Row = tuple[
    CollectorTime, str, str, int, int | None, int | None, int | None, str | None,
    NotificationKind, DeviceTime | None, DeviceTime | None, bool, int,
]  # fmt: skip
"""One message: the fields of ``model.Update``."""


class UpdateColumns:
    """The columns of some content notifications, in the order of their arrival."""

    __slots__ = COLUMNS

    def __init__(self) -> None:
        self.arrival: list[CollectorTime] = []
        self.device: list[str] = []
        self.source: list[str] = []
        self.port: list[int] = []
        self.publisher_id: list[int | None] = []
        self.message_id: list[int | None] = []
        self.subscription_id: list[int | None] = []
        self.generator: list[str | None] = []
        self.kind: list[NotificationKind] = []
        self.event_time: list[DeviceTime | None] = []
        self.observation_time: list[DeviceTime | None] = []
        self.incomplete_update: list[bool] = []
        self.offset: list[int] = []

    @classmethod
    def of(cls, updates: Iterable[Update]) -> UpdateColumns:
        """Columns of messages that are there one by one."""
        made = cls()
        for update in updates:
            for name in COLUMNS:
                getattr(made, name).append(getattr(update, name))
        return made

    def __len__(self) -> int:
        return len(self.offset)

    def columns(self) -> tuple[list[Any], ...]:
        """The columns themselves, in the order of ``COLUMNS``."""
        return tuple(getattr(self, name) for name in COLUMNS)

    def rows(self) -> Iterator[Row]:
        """Every message as a tuple."""
        return cast("Iterator[Row]", zip(*self.columns(), strict=True))

    def update(self, row: int) -> Update:
        """One message."""
        return Update(*(getattr(self, name)[row] for name in COLUMNS))

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
