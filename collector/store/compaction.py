"""Which small files become one large one, and which go by age and by size.

Only decides; ``merging`` writes, changing the manifest and deleting is the writer's. Why: 2,000
small files cost 530 ms a query, one large sorted one 15 ms.

Rules: neighbours of one level (``FAN_IN`` of them where no more is said, ``FEWEST`` where they are
large) become one file of the next level, so a row is rewritten at most once a level; what is large
already is left alone. How far it goes depends on the table: rows with payloads cost too much; the
others are small, and a day of them becomes one or two files. Rows are never dropped or changed
here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from collector.store.manifest import Manifest, Page, StoredFile
from collector.store.tables import TABLES

FAN_IN = 12
"""Files merged at once: 5 s segments become one minute, twelve minutes, 2.4 hours."""
FEWEST = 4
"""Files worth a merge where ``FAN_IN`` of them would be too much at once."""


class MergeLimits(Struct, frozen=True):
    """How far the files of a table are merged."""

    max_level: int
    max_octets: int
    """Of one merge, compressed."""
    max_held: int | None = None
    """Of one merge, in memory; None: its files are read piece by piece, however much they hold."""
    fan_in: int | None = None
    """Files merged at once from level 1 on; None for as many as of level 0."""


SMALL_ROWS = MergeLimits(max_level=6, max_octets=512 << 20, fan_in=4)
"""One minute, 4, 16, 68 minutes, 4.3 hours, 17 hours: at most three files of each, since who asks
for one device opens them all. A row costs 1.7 us of CPU a level. 17 hours of 10,000 devices with
two subscriptions a minute are 230 MiB."""
PAYLOADS = MergeLimits(max_level=3, max_octets=4 << 20, max_held=32 << 20)
"""With 16 MiB the segments of a busy collector were merged as well, which cost as much CPU as all
else together and made the receiver lose datagrams. What payloads hold is looked at too, since some
shrink to a hundredth: four small files of 64 MiB each took 830 MiB of memory to merge, and nearly
doubled the cost of a message. A merge takes about five times what its files hold."""
LIMITS: Mapping[str, MergeLimits] = {"updates": PAYLOADS, "leaves": PAYLOADS}
"""table -> its limits; ``SMALL_ROWS`` for those not named."""
CONTENTS = ("updates", "leaves")
"""Tables that hold what was sent, not what was concluded: large, and the first to go."""


class StoreLimits(Struct, frozen=True):
    """How much is kept; None for no limit."""

    max_octets: int | None = None
    """Of all files together; the oldest of ``CONTENTS`` go first, then the oldest of the others."""
    max_age: Mapping[str, int] = {}
    """table -> ns after which its rows may go; a table not named is kept. They go by the file,
    when its newest row is old enough."""
    merges: bool = True
    """Whether small files become large ones."""


def choose_merge(
    manifest: Manifest, *, avoid: frozenset[str] = frozenset()
) -> tuple[StoredFile, ...]:
    """Files to be merged into one, oldest first; empty when nothing is to be done.

    ``avoid``: names of files that are left alone.
    """
    for table in TABLES:
        limits = LIMITS.get(table, SMALL_ROWS)
        run: list[StoredFile] = []
        for file in manifest.files_of(table):
            small = file.level < limits.max_level and _fits([file] * FEWEST, limits)
            if not small or file.name in avoid:
                run = []
                continue
            if run and file.level != run[0].level:
                run = []
            if not _fits([*run, file], limits):
                return tuple(run)
            run.append(file)
            if len(run) == (limits.fan_in if file.level and limits.fan_in else FAN_IN):
                return tuple(run)
    return ()


def choose_expired(
    manifest: Manifest, limits: StoreLimits, now: int
) -> tuple[StoredFile | Page, ...]:
    """Files and pages that are over the limits at ``now`` (ns since 1970)."""
    listed: list[StoredFile | Page] = [*manifest.pages, *manifest.files]
    gone = [
        entry
        for entry in listed
        if entry.table in limits.max_age and entry.max_time + limits.max_age[entry.table] < now
    ]
    if limits.max_octets is None:
        return tuple(gone)
    names = {entry.name for entry in gone}
    left = [entry for entry in listed if entry.name not in names]
    left.sort(key=lambda entry: (entry.table not in CONTENTS, entry.first_offset))
    total = _octets(left)
    for entry in left:
        if total <= limits.max_octets:
            break
        gone.append(entry)
        total -= entry.octets
    return tuple(gone)


def _fits(files: Sequence[StoredFile], limits: MergeLimits) -> bool:
    """Is it not too much at once? Of files of an older version we know what they have on disk."""
    if _octets(files) > limits.max_octets:
        return False
    held = sum(file.octets if file.held_octets is None else file.held_octets for file in files)
    return limits.max_held is None or held <= limits.max_held


def _octets(entries: Sequence[StoredFile | Page]) -> int:
    return sum(entry.octets for entry in entries)
