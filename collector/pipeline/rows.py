"""Rows of the ``updates`` table, gathered column by column while a batch is read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from collector.model import Placements, Update
from collector.store.tables import update_rows


class UpdateColumns:
    """What decoding and the engine add to the columns of the journal."""

    __slots__ = ("_generators", "_indexes", "_revisions", "_updates")

    def __init__(self) -> None:
        self._updates: list[Update] = []
        self._generators: list[str] = []
        self._revisions: list[int] = []
        self._indexes: list[int | None] = []

    def add(self, updates: Sequence[Update], placements: Placements) -> None:
        """Add a run of updates and where the engine put them."""
        self._updates.extend(updates)
        self._generators.extend(placements.generators)
        self._revisions.extend(placements.revisions)
        self._indexes.extend(placements.period_indexes)

    def rows(self, records: Any, first_offset: int) -> Any:
        """The rows as an Arrow batch, None without any.

        ``records``: the journal's columns; None where nobody keeps the rows.
        """
        updates = self._updates
        if not updates or records is None:
            return None
        every = len(updates) == records.num_rows
        return update_rows(
            records,
            first_offset,
            rows=None if every else [update.offset - first_offset for update in updates],
            device=[update.device for update in updates],
            generator=self._generators,
            subscription_id=[update.subscription_id for update in updates],
            revision=self._revisions,
            period_index=self._indexes,
            kind=[update.kind for update in updates],
            event_time=[update.event_time for update in updates],
            observation_time=[update.observation_time for update in updates],
        )
