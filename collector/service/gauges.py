"""Numbers that live elsewhere, brought into the counters when somebody looks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.metrics import Counts

if TYPE_CHECKING:
    from collector.service.lifecycle import Service


def refresh(service: Service) -> None:
    """Bring everything up to date; cheap enough for every scrape."""
    counters = service.counters
    counts = service.pipeline.counts
    for reason, number in counts.rejected.items():
        counters.messages_rejected.set((reason,), number)
    counters.unknown_sources = len(counts.unknown_sources)
    counters.unknown_source_messages = counts.unknown_source_messages
    counters.journal_bytes = sum(segment.octets for segment in service.journal.segments())
    _receivers(service)
    counters.sessions_up.clear()
    for state in service.manager.states():
        counters.sessions_up.set((state.name,), int(state.phase.value == "up"))


def _receivers(service: Service) -> None:
    counters = service.counters
    for receiver in service.receivers:
        stats = getattr(receiver, "stats", None)
        if stats is None:
            continue
        numbers = stats()
        for word, number in numbers.items():
            _count(counters.datagrams_rejected, counters.segments_discarded, word, number)
        counters.datagrams_received = numbers.get("datagrams", 0)
        counters.bytes_received = numbers.get("octets", 0)
        counters.messages_received.set((receiver.name,), numbers.get("messages", 0))
        counters.options_unknown = numbers.get("unknown-options", 0)
        counters.queue_dropped.set(("kernel",), numbers.get("kernel-drops", 0))


def _count(rejected: Counts, discarded: Counts, word: str, number: int) -> None:
    if word.startswith("rejected/"):
        rejected.set((word.removeprefix("rejected/"),), number)
    elif word.startswith("discarded/"):
        discarded.set((word.removeprefix("discarded/"),), number)
