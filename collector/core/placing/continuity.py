"""Message IDs that are missing where an on-change subscription may have had them.

Does: find the on-change subscriptions behind a counter whose ids have a gap, were filled again or
began anew. Does not: follow ids (``message_ids``), or decide what follows (``sync_state``).

Rules: looked at for messages whose id is not the next one only. Where one run covers several
subscriptions, each on-change one of them may have lost something: nothing else would ever show it.
"""

from __future__ import annotations

from collections.abc import Iterator

from collector.core.context import Context, Seen
from collector.core.memory.state import ALL_KEYS, Device, Run, Subscription
from collector.core.numbering import gaps
from collector.core.numbering.message_ids import Finding
from collector.core.on_change.sync_state import Filled, Missed
from collector.model import Rejected, StateChanged, Unreassembled, Update

Recorded = Update | StateChanged | Unreassembled | Rejected
TELLING = frozenset((Finding.GAP, Finding.FILLS, Finding.RESTART))


def note(
    context: Context,
    device: Device,
    seen: list[Seen],
    generator: str,
    record: Update | StateChanged,
) -> None:
    """A message came whose id is not the next one."""
    for run, found, hole in seen:
        if not run.in_force or found not in TELLING:
            continue
        for one in _on_change(device, run):
            if found is Finding.RESTART:
                why = f"Message IDs began anew at {record.message_id}"
                context.missed.append(_missed(one, record, generator, -1, why))
            elif hole is not None and found is Finding.GAP:
                why = f"{_messages(hole.size)} from id {hole.first_id} on did not come"
                context.missed.append(_missed(one, record, generator, hole.first_id, why))
            elif hole is not None and not gaps.open_ids(hole):
                context.missed.append(
                    Filled(
                        record.arrival,
                        record.offset,
                        device.name,
                        one.id,
                        one.revision,
                        generator,
                        hole.first_id,
                    )
                )


def note_unread(context: Context, device: Device, record: Unreassembled | Rejected) -> None:
    """A message came that is half built or cannot be read."""
    if record.publisher_id is None or record.message_id is None:
        return
    counter = device.counters.get((record.source, record.publisher_id))
    if counter is None:
        return
    table = context.settings.generators.get(device.name, {})
    generator = str(record.publisher_id)
    generator = table.get(generator) or table.get(record.source) or generator
    word = "came in part" if isinstance(record, Unreassembled) else "could not be read"
    for one in _on_change(device, counter.all):
        why = f"message {record.message_id} {word}"
        context.missed.append(_missed(one, record, generator, record.message_id, why))


def _missed(one: Subscription, record: Recorded, generator: str, hole: int, why: str) -> Missed:
    return Missed(
        record.arrival, record.offset, one.device, one.id, one.revision, generator, hole, why
    )


def _on_change(device: Device, run: Run) -> Iterator[Subscription]:
    counter = run.counter
    keys = [run.key] if run.key != ALL_KEYS else [counter.only_key, *counter.each]
    for key in dict.fromkeys(keys):
        if key is not None:
            one = device.subscriptions.get(device.aliases.get(key, key))
            if one is not None and one.live and one.terms.on_change is not None:
                yield one


def _messages(count: int) -> str:
    return "a message" if count == 1 else f"{count} messages"
