"""Rows of the ``updates`` table, gathered while a batch is read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from collector.core.placing.update_columns import UpdateColumns
from collector.model import Placements, transport_names
from collector.store.said import update_rows

OURS = transport_names({})


class UpdateRows:
    """What decoding and the engine add to the columns of the journal."""

    __slots__ = ("_parts",)

    def __init__(self) -> None:
        self._parts: list[tuple[UpdateColumns, Placements]] = []

    def add(self, updates: UpdateColumns, placed: Placements) -> None:
        """Add a run of updates and where the engine put them; both are not changed afterwards."""
        self._parts.append((updates, placed))

    def rows(self, records: Any, first_offset: int, transports: Mapping[int, str] = OURS) -> Any:
        """The rows as an Arrow batch, None without any.

        ``records``: the journal's columns; None where nobody keeps the rows. ``transports``: their
        names.
        """
        if not self._parts or records is None:
            return None
        updates, placed = self._parts[0] if len(self._parts) == 1 else _joined(self._parts)
        taken = np.frombuffer(updates.offset, np.int64) - first_offset
        every = len(taken) == records.num_rows and not np.any(np.diff(taken) == 0)
        return update_rows(
            records,
            first_offset,
            rows=None if every else taken,
            device=updates.device,
            generator=placed.generators,
            subscription_id=updates.subscription_id,
            revision=placed.revisions,
            period_index=placed.period_indexes,
            kind=updates.kind,
            event_time=updates.event_time,
            observation_time=updates.observation_time,
            transports=transports,
        )


def _joined(parts: Iterable[tuple[UpdateColumns, Placements]]) -> tuple[UpdateColumns, Placements]:
    updates, placed = UpdateColumns(), Placements.of(0)
    for some, where in parts:
        updates.extend(some)
        placed.extend(where)
    return updates, placed
