"""What the control socket answers: status, devices, rows not stored yet, the stream of facts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Mapping
from typing import Any

import msgspec

from collector.control import Answer, Arguments, Command
from collector.errors import UsageError
from collector.metrics import counters_to_plain
from collector.pipeline.quirks import in_words
from collector.service.device_rows import devices
from collector.service.gauges import refresh
from collector.service.management import CALL_HOME
from collector.service.parts import Parts
from collector.sinks.rows import fact_to_row
from collector.store.open_rows import encode_open_rows
from collector.subscriber.exchanges.lending import ASK, BORROW, Lending


def commands(service: Parts) -> dict[str, Command]:
    """name -> function, for ``ControlServer``; a service that stops has no answers any more."""
    lending = Lending(lambda device: service.manager.runner_of(device))

    def while_running(command: Command) -> Command:
        def run(arguments: Arguments) -> Answer | Awaitable[Answer]:
            if not service.running:
                raise UsageError("the collector is stopping")
            return command(arguments)

        return run

    found: dict[str, Command] = {
        BORROW: lending.borrow,
        ASK: lending.ask,
        "status": lambda arguments: status(service),
        "devices": lambda arguments: devices(service),
        "follow": lambda arguments: follow(service),
        "open_rows": lambda arguments: open_rows(service),
        "numbers": lambda arguments: numbers(service),
        "reload": lambda arguments: reload(service),
        "resync": lambda arguments: resync(service, arguments),
    }
    return {name: while_running(command) for name, command in found.items()}


def status(service: Parts) -> Mapping[str, Any]:
    """The process as a whole."""
    refresh(service)
    counters, journal = service.counters, service.journal
    messages = dict(counters.messages_received.items())
    return {
        "data_dir": str(service.folder),
        "healthy": service.health()[0],
        "health": service.health()[1],
        "listening": [
            {
                "receiver": receiver.name,
                "port": getattr(receiver, "local_port", None),
                "messages": messages.get((receiver.name,), 0),
                "receive_buffer": getattr(receiver, "granted_receive_buffer", None),
            }
            for receiver in service.receivers
        ]
        + _call_home(service),
        "datagrams_received": counters.datagrams_received,
        "datagrams_rejected": counters.datagrams_rejected.total(),
        "messages_rejected": counters.messages_rejected.total(),
        "connections": {name: number for (name,), number in counters.connections.items()},
        "connections_refused": counters.connections_refused.total(),
        "dropped_here": counters.queue_dropped.total(),
        "unknown_source_messages": counters.unknown_source_messages,
        "quirks_needed": in_words(counters.quirks_needed.items()),
        "journal_next_offset": journal.next_offset,
        "journal_committed_offset": journal.committed_offset,
        "stored_offset": service.store.stored_offset,
        "periods": {
            outcome: sum(n for (_, o), n in counters.periods.items() if o == outcome)
            for outcome in sorted({o for (_, o), _ in counters.periods.items()})
        },
        "config_reloads": service.reloads,
    }


def _call_home(service: Parts) -> list[dict[str, Any]]:
    calls = service.manager.calls
    if calls is None:
        return []
    return [
        {
            "receiver": CALL_HOME,
            "port": calls.local_port,
            "messages": None,
            "receive_buffer": None,
        }
    ]


def open_rows(service: Parts) -> bytes:
    """The rows that are not in a Parquet file yet (``store.open_rows``)."""
    return encode_open_rows(service.store.open_rows())


def numbers(service: Parts) -> bytes:
    """Health and all counters, for the supervisor of several lanes (``lanes.numbers``)."""
    refresh(service)
    healthy, sentence = service.health()
    plain = counters_to_plain(service.counters)
    return msgspec.msgpack.encode({"healthy": healthy, "health": sentence, "counters": plain})


async def follow(service: Parts) -> AsyncIterator[Mapping[str, Any]]:
    """Facts as they are said; what a slow client lost is told in the stream."""
    awake = asyncio.Event()
    follower = service.live.follow(wake=awake.set)
    try:
        while True:
            await awake.wait()
            awake.clear()
            facts, lost = follower.take()
            if lost:
                yield {"row": "lost", "facts": lost}
            for fact in facts:
                yield fact_to_row(fact)
    finally:
        service.live.unfollow(follower)


async def reload(service: Parts) -> Mapping[str, Any]:
    """Read the configuration file again."""
    await service.reload_now()
    return {
        "reloaded": True,
        "devices": len(service.config.devices),
        "at_next_start": service.at_restart,
    }


async def resync(service: Parts, arguments: Arguments) -> Mapping[str, Any]:
    """Everything of on-change subscriptions once more. Raises UsageError, SessionError."""
    device, name = str(arguments.get("device", "")), str(arguments.get("name", ""))
    done = await service.manager.resync(device, name)
    return {"device": device, "subscriptions": [msgspec.to_builtins(one) for one in done]}
