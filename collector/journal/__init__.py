"""Append-only segment files of received records: the only durable state of the collector.

The names are loaded when they are first used: who only wants the lock needs no Arrow for it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collector.journal.columns import SCHEMA, from_arrow, to_arrow
    from collector.journal.disk import Disk
    from collector.journal.lock import FolderLock
    from collector.journal.reader import JournalFrame, JournalReader
    from collector.journal.retention import JournalRetention, RetentionLimits
    from collector.journal.segments import Recovery, Segment
    from collector.journal.writer import Journal, JournalAppend, JournalSettings

_HOMES = {
    "columns": ("SCHEMA", "from_arrow", "to_arrow"),
    "disk": ("Disk",),
    "lock": ("FolderLock",),
    "reader": ("JournalFrame", "JournalReader"),
    "retention": ("JournalRetention", "RetentionLimits"),
    "segments": ("Recovery", "Segment"),
    "writer": ("Journal", "JournalAppend", "JournalSettings"),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "SCHEMA",
    "Disk",
    "FolderLock",
    "Journal",
    "JournalAppend",
    "JournalFrame",
    "JournalReader",
    "JournalRetention",
    "JournalSettings",
    "Recovery",
    "RetentionLimits",
    "Segment",
    "from_arrow",
    "to_arrow",
]


def __getattr__(name: str) -> Any:
    module = _HOME.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{module}"), name)
