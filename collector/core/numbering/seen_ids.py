"""The messages that a run has seen lately: enough of each to know it again when it comes twice.

Does: keep id, event time, arrival and speaker of each message in the ring of its run, and look one
up. Does not: say what a message that is known again means (``message_ids``).
Rules: docs/verdicts.md, "Ids" (an id seen before with the same event time, subscription,
originator and kind).

``Run.seen`` holds three numbers of each message, one message behind the other, and ``Run.speakers``
the speaker at the same place: 32 octets a message, and no object of its own. The ring grows, by
powers of two, rather than forget what is young. Nothing is hashed: equal is the same.
"""

from __future__ import annotations

from array import array
from typing import Final

from collector.core.memory.state import EMPTY, Run, Speaker, new_ring
from collector.model import SECOND

PATIENCE: Final = 10 * SECOND
"""So long a message is young."""
RING_LIMIT: Final = 4096
"""Messages at most that a run remembers."""
BURST: Final = PATIENCE // 64
"""Messages that came within it say nothing of how many come in longer times (ours)."""
NUMBERS: Final = len(EMPTY)
"""Of a message: arrival, id, event time. Without event time that is 0 and the id is ``~id``."""

Signature = tuple[int, int | None, int, str, str, int]
"""(message id, event time, subscription key, generator, kind, arrival)."""


def remember(run: Run, signature: Signature) -> None:
    """Keep what was seen; the ring grows rather than forget what is young."""
    message_id, arrival = signature[0], signature[5]
    while True:
        size = len(run.speakers)
        place = message_id & (size - 1)
        before, seen_id = run.seen[NUMBERS * place : NUMBERS * place + 2]
        same = seen_id in (message_id, ~message_id)
        if arrival - before >= PATIENCE or same or size >= RING_LIMIT:
            break
        _grow(run, _size_for(size, arrival - before))
    speaker: Speaker | None = signature[2:5]
    try:
        numbers = array("q", (arrival, *_id_and_time(signature)))
    except OverflowError:  # of 64 bits, which nothing on the wire is: never known again
        numbers, speaker = array("q", EMPTY), None
    run.seen[NUMBERS * place : NUMBERS * (place + 1)] = numbers
    neighbour = run.speakers[place - 1]
    run.speakers[place] = neighbour if neighbour == speaker else speaker  # mostly one for all


def seen_at(run: Run, signature: Signature) -> int | None:
    """When this very message came; None when it did not, or is remembered no longer."""
    place = signature[0] & (len(run.speakers) - 1)
    if run.speakers[place] != signature[2:5]:
        return None
    arrival, *id_and_time = run.seen[NUMBERS * place : NUMBERS * (place + 1)]
    return arrival if tuple(id_and_time) == _id_and_time(signature) else None


def _id_and_time(signature: Signature) -> tuple[int, int]:
    message_id, event_time = signature[:2]
    return (~message_id, 0) if event_time is None else (message_id, event_time)


def _size_for(size: int, lasted: int) -> int:
    """How long a ring has to be when one of this length lasted for so many ns."""
    larger = 2 * size
    if lasted >= BURST:  # at once as long as it will be needed: growing costs most of all
        while larger < RING_LIMIT and larger * lasted < size * PATIENCE:
            larger *= 2
    return larger


def _grow(run: Run, size: int) -> None:
    seen, speakers = run.seen, run.speakers
    run.seen, run.speakers = new_ring(size)
    for start, speaker in zip(range(0, len(seen), NUMBERS), speakers, strict=True):
        numbers = seen[start : start + NUMBERS]
        message_id = numbers[1] if numbers[1] >= 0 else ~numbers[1]
        place = message_id & (size - 1)
        if speaker is not None:
            run.seen[NUMBERS * place : NUMBERS * (place + 1)] = numbers
            run.speakers[place] = speaker
