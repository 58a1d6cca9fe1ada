"""What is kept of a device by subscription and originator, with a limit.

Does: say the key, and put an entry last, so that the one used longest ago makes room. Does not:
know what is kept.
"""

from __future__ import annotations

from typing import TypeVar

Entry = TypeVar("Entry")


def key_of(subscription_id: int, generator: str) -> str:
    """The key of an originator of a subscription; a text, since snapshots are maps of texts."""
    return f"{subscription_id} {generator}"


def put_last(table: dict[str, Entry], key: str, entry: Entry, limit: int) -> Entry | None:
    """Put an entry as the one used last; returns the one that made room for it."""
    table.pop(key, None)
    oldest = table.pop(next(iter(table))) if len(table) >= limit else None
    table[key] = entry
    return oldest
