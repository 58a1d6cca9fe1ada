"""Append-only segment files of received records: the only durable state of the collector."""

from collector.journal.columns import SCHEMA, from_arrow, to_arrow
from collector.journal.disk import Disk
from collector.journal.lock import FolderLock
from collector.journal.reader import JournalFrame, JournalReader
from collector.journal.retention import JournalRetention, RetentionLimits
from collector.journal.segments import Recovery, Segment
from collector.journal.writer import Journal, JournalAppend, JournalSettings

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
