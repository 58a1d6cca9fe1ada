"""Numbers that live elsewhere, brought into the counters when somebody looks."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping

from collector.metrics import Counters
from collector.pipeline.quirks import quirks_needed
from collector.receivers.datagrams.counters import ReceiveCounters
from collector.service.management import CALL_HOME
from collector.service.parts import Parts


def refresh(service: Parts) -> None:
    """Bring everything up to date; cheap enough for every scrape."""
    counters = service.counters
    _contents(service)
    _engine(service)
    counters.event_loop_tasks = _tasks()
    counters.journal_bytes = sum(segment.octets for segment in service.journal.segments())
    counters.queue_dropped.set(("followers",), service.live.followers_dropped)
    _receivers(service)
    _quirks(service)
    _sessions(service)


def _contents(service: Parts) -> None:
    """What was read of messages, and could not be read."""
    counters, counts = service.counters, service.pipeline.counts
    for reason, number in counts.rejected.items():
        counters.messages_rejected.set((reason,), number)
    for reason, number in service.pipeline.contents_left_out.items():
        counters.contents_left_out.set((reason,), number)
    for reason, number in tuple(service.leaves.left_out.items()):  # the store's thread counts
        counters.leaves_left_out.set((reason,), number)
    patches = service.pipeline.patches
    for event, number in patches.ids.counts.items():
        counters.patches.set((event,), number)
    for reason, number in patches.unread.items():
        counters.patches_unread.set((reason,), number)
    counters.generators_out_of_sync.clear()
    for device, one in patches.ids.syncs():
        counters.generators_out_of_sync.add((device,), int(one.word == "lost"))
    counters.unknown_sources = len(counts.unknown_sources)
    counters.unknown_source_messages = counts.unknown_source_messages


def _engine(service: Parts) -> None:
    """What the judging counts, and who is on which list."""
    counters, engine = service.counters, service.pipeline.engine
    for device, limits in engine.fell_off().items():
        for limit, number in limits.items():
            counters.limits_reached.set((device, limit), number)
    counters.duplicates = engine.duplicates()
    counters.generators_not_declared.clear()
    counters.generators_unannounced.clear()
    for said in engine.declarations():
        series = (said.device, said.subscription_name or str(said.subscription_id))
        for gauge, names in (
            (counters.generators_not_declared, said.not_declared),
            (counters.generators_unannounced, said.unannounced),
        ):
            gauge.set(series, len(names))


def _sessions(service: Parts) -> None:
    counters = service.counters
    counters.sessions_up.clear()
    counters.subscriptions.clear()
    for state in service.manager.states():
        counters.sessions_up.set((state.name,), int(state.phase.value == "up"))
        for phase, number in Counter(one.phase for one in state.subscriptions).items():
            counters.subscriptions.set((state.name, phase.value), number)


def _tasks() -> int:
    """Of the loop that asks; none where it is asked from outside."""
    try:
        return len(asyncio.all_tasks())
    except RuntimeError:
        return 0


def _receivers(service: Parts) -> None:
    """Sums over all receivers that count."""
    counters = service.counters
    found = {r.name: r.stats() for r in service.receivers if hasattr(r, "stats")}
    if service.manager.calls is not None:
        _connections(counters, CALL_HOME, service.manager.calls.stats())
    for name, numbers in found.items():
        counters.messages_received.set((name,), numbers.get("messages", 0))
        _connections(counters, name, numbers)
    total: dict[str, int] = {}
    for numbers in found.values():
        for word, number in numbers.items():
            total[word] = total.get(word, 0) + number
    counters.datagrams_received = total.get("datagrams", 0)
    counters.bytes_received = total.get("octets", 0)
    counters.queue_dropped.set(("kernel",), total.get("kernel-drops", 0))
    counters.media_types_unknown = total.get("unknown-media-types", 0)
    for kind in ("rejected", "half-built"):
        counters.records_left_out.set((kind,), total.get(f"{kind}-unrecorded", 0))
    for word, number in total.items():
        family, _, reason = word.partition("/")
        if family == "rejected" and reason:
            counters.datagrams_rejected.set((reason,), number)
        elif family == "discarded" and reason:
            counters.segments_discarded.set((reason,), number)
    _options(service)


def _connections(counters: Counters, name: str, numbers: Mapping[str, int]) -> None:
    """What receivers with connections count: ``connections``, ``refused/REASON``,
    ``answered/STATUS``, ``certificate-expiry``."""
    if "connections" in numbers:
        counters.connections.set((name,), numbers["connections"])
    if numbers.get("certificate-expiry"):
        counters.certificate_expiry_seconds.set((name,), numbers["certificate-expiry"])
    for word, number in numbers.items():
        family, _, which = word.partition("/")
        if family == "refused" and which:
            counters.connections_refused.set((name, which), number)
        elif family == "answered" and which:
            counters.answers.set((name, which), number)


def _quirks(service: Parts) -> None:
    counted = [
        counters.quirks
        for receiver in service.receivers
        if isinstance(counters := getattr(receiver, "counters", None), ReceiveCounters)
    ]
    engine = service.pipeline.engine
    for key, number in quirks_needed(service.config, counted, engine.per_subscription()).items():
        service.counters.quirks_needed.set(key, number)


def _options(service: Parts) -> None:
    types: dict[int, int] = {}
    for receiver in service.receivers:
        counted = getattr(receiver, "counters", None)
        for option, number in getattr(counted, "unknown_options", {}).items():
            types[option] = types.get(option, 0) + number
    for option, number in types.items():
        service.counters.options_unknown.set((str(option),), number)
