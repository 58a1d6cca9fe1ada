"""Which old segments go, by size and by age; only below an offset that nobody needs any more.

Does not know who needs what: the caller says the safe offset, the smaller of the store's
``stored_offset`` and of what the snapshots still need. The last file always stays, its name is the
memory of the offsets. A file goes ``DELAY`` after it was chosen, so that a reader that has just
listed the folder still finds it.
"""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct

from collector.journal.segments import Segment, journal_folder, list_segments
from collector.model import SECOND

DELAY = 60 * SECOND
"""ns between choosing and deleting."""


class RetentionLimits(Struct, frozen=True):
    """How much journal is kept beyond what is needed; None for no limit."""

    max_octets: int | None = None
    max_age: int | None = None
    """ns since the last record of a segment was written."""


class JournalRetention:
    """Deletes old segments. Called now and then, from one thread; ``now`` is ns since 1970."""

    def __init__(self, data_folder: Path) -> None:
        self._folder = journal_folder(data_folder)
        self._due: dict[Path, int] = {}
        """file -> time at which it is deleted."""

    def apply(self, limits: RetentionLimits, *, safe_offset: int, now: int) -> list[Path]:
        """Choose what is over the limits and delete what is due; returns the deleted files."""
        found = list_segments(self._folder)
        total = sum(segment.octets for segment in found)
        for segment in found:
            over = limits.max_octets is not None and total > limits.max_octets
            old = limits.max_age is not None and segment.modified_at + limits.max_age < now
            if not (over or old) or not _below(segment, safe_offset):
                break
            total -= segment.octets
            self._due.setdefault(segment.path, now + DELAY)
        return self._delete_due(now)

    def _delete_due(self, now: int) -> list[Path]:
        deleted = sorted(path for path, due in self._due.items() if due <= now)
        for path in deleted:
            path.unlink(missing_ok=True)
            del self._due[path]
        return deleted


def _below(segment: Segment, offset: int) -> bool:
    return segment.next_offset is not None and segment.next_offset <= offset
