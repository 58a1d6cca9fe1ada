"""Which changed keys of a configuration wait for the next start: what runs was built with them.

Does: compare. Does not: take anything over (``lifecycle``); devices, subscriptions, verdicts and
the keys in ``AT_ONCE`` are in force as soon as the file was read again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import structs

from collector.config import Config

SECTIONS = (
    "collector", "udp_notif", "dtls", "https_notif", "grpc_dialout", "sessions", "call_home",
    "reassembly", "journal", "store", "metrics", "alerts",
)  # fmt: skip
AT_ONCE = frozenset(
    (
        "journal.retention_seconds", "journal.retention_bytes", "journal.snapshot_seconds",
        "store.leaves", "sessions.max_message_bytes",
    )
)  # fmt: skip
"""Read afresh each time they are used (``housekeeping``), or given to who uses them."""


def at_restart(started_with: Config, read_again: Config) -> list[str]:
    """Dotted keys that differ and have no effect before the next start."""
    return [key for key in _differences(started_with, read_again) if key not in AT_ONCE]


def _differences(before: Config, after: Config) -> Iterator[str]:
    for section in SECTIONS:
        was, now = getattr(before, section), getattr(after, section)
        for key in structs.asdict(was):
            if getattr(was, key) != getattr(now, key):
                yield f"{section}.{key}"
    yield from _of_plug_ins("receiver", before.receivers, after.receivers)
    yield from _of_plug_ins("sink", before.sinks, after.sinks)


def _of_plug_ins(
    kind: str, before: Mapping[str, Mapping[str, Any]], after: Mapping[str, Mapping[str, Any]]
) -> Iterator[str]:
    for name in sorted({*before, *after}):
        was, now = before.get(name), after.get(name)
        if was is None or now is None:
            yield f"{kind}.{name}"
            continue
        for key in sorted({*was, *now}):
            if was.get(key) != now.get(key):
                yield f"{kind}.{name}.{key}"
