"""Limits of the journal and the store, as the configuration has them.

Does not: apply them.
"""

from __future__ import annotations

from collector.config import Config
from collector.journal import JournalSettings
from collector.model import SECOND
from collector.store.compaction import StoreLimits
from collector.store.tables import TABLES


def journal_settings(config: Config) -> JournalSettings:
    """How it is written, and the room that is left free."""
    settings = config.journal
    return JournalSettings(
        segment_seconds=settings.segment_seconds,
        segment_octets=settings.segment_bytes,
        commit_interval_seconds=settings.commit_interval_ms / 1000,
        commit_octets=settings.commit_bytes,
        free_space_reserve=settings.min_free_bytes,
    )


def store_limits(config: Config) -> StoreLimits:
    """How much is kept, and how long."""
    settings = config.store
    age = settings.retention_seconds * SECOND
    return StoreLimits(
        max_octets=settings.retention_bytes or None,
        max_age=dict.fromkeys(TABLES, age) if age else {},
        merges=settings.compact,
    )
