"""What the control socket answers: status, devices, rows not stored yet, the stream of facts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any

import msgspec

from collector.control import Arguments, Command
from collector.core.views import Declaration, OriginatorState
from collector.metrics import counters_to_plain
from collector.model import SECOND
from collector.pipeline.quirks import in_words
from collector.service.configured_rows import configured_rows
from collector.service.gauges import refresh
from collector.service.management import CALL_HOME
from collector.service.parts import Parts
from collector.sinks.rows import fact_to_row
from collector.store.open_rows import encode_open_rows
from collector.subscriber.lending import ASK, BORROW, Lending
from collector.subscriber.states import DeviceState, SubscriptionState
from collector.wire.timestamps import format_date_and_time

WELL_AFTER = 600 * SECOND
"""A session that lives so long makes what was before it forgotten (ours)."""
UNKNOWN_SHOWN = 50
"""Unknown senders in one answer (ours)."""


def commands(service: Parts) -> dict[str, Command]:
    """name -> function, for ``ControlServer``."""
    lending = Lending(lambda device: service.manager.runner_of(device))
    return {
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


def status(service: Parts) -> Mapping[str, Any]:
    """The process as a whole."""
    refresh(service)
    counters, journal = service.counters, service.journal
    return {
        "data_dir": str(service.folder),
        "healthy": service.health()[0],
        "health": service.health()[1],
        "listening": [
            {
                "receiver": receiver.name,
                "port": getattr(receiver, "local_port", None),
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


def devices(service: Parts) -> Mapping[str, Any]:
    """Every device with its session, subscriptions and generators, and unknown senders."""
    now = service.clock.now()
    unknown = sorted(
        service.pipeline.counts.unknown_sources.items(), key=lambda item: item[1], reverse=True
    )
    lists = _Lists(service.pipeline.engine.declarations())
    return {
        "devices": [
            *(
                row
                for state in service.manager.states()
                for row in _subscriptions(state, lists, now)
            ),
            *_without_session(service, lists),
        ],
        "configured": configured_rows(service.config, service.pipeline.engine.states()),
        "generators": [_generator(one) for one in service.pipeline.engine.states()],
        "on_change": _on_change(service),
        "unknown_senders": [
            {"address": address, "messages": number} for address, number in unknown[:UNKNOWN_SHOWN]
        ],
        "unknown_callers": _unknown_callers(service),
    }


def _call_home(service: Parts) -> list[dict[str, Any]]:
    calls = service.manager.calls
    if calls is None:
        return []
    return [{"receiver": CALL_HOME, "port": calls.local_port, "receive_buffer": None}]


def _unknown_callers(service: Parts) -> list[dict[str, Any]]:
    """Who called home with a host key that no device has, the most frequent first."""
    calls = service.manager.calls
    return [] if calls is None else [msgspec.to_builtins(one) for one in calls.unknown()]


class _Lists:
    """The columns on what devices declare."""

    def __init__(self, declarations: Iterable[Declaration]) -> None:
        self._of: dict[str, list[Declaration]] = {}
        for one in declarations:
            self._of.setdefault(one.device, []).append(one)

    def columns(self, device: str, subscription: str | None = None) -> dict[str, Any]:
        """Of one subscription; None: of all of the device."""
        found = [
            one for one in self._of.get(device, ())
            if subscription is None or one.subscription_name == subscription
        ]  # fmt: skip
        said = [one.declared for one in found if one.declared is not None]
        return {
            "declared": sum(said) if said else None,
            "not_declared": [name for one in found for name in one.not_declared],
        }


def _subscriptions(state: DeviceState, lists: _Lists, now: int) -> list[dict[str, Any]]:
    """A row for each subscription; one for the session alone where there is none."""
    session: dict[str, Any] = {
        "device": state.name,
        "session": state.phase.value,
        "reason": state.reason or _before(state, now),
        "since": format_date_and_time(state.since, 0),
    }
    rows = [
        session
        | {
            "subscription": subscription.name,
            "state": subscription.phase.value,
            "id": subscription.id,
        }
        | lists.columns(state.name, subscription.name)
        | {"why": _why(subscription)}
        for subscription in state.subscriptions
    ]
    nothing = {"subscription": None, "state": None, "id": None, "declared": None}
    return rows or [session | nothing | {"not_declared": [], "why": ""}]


def _before(state: DeviceState, now: int) -> str:
    """While not all is well again, and for a while after: why the session before ended."""
    well = state.phase == "up" and all(one.phase == "active" for one in state.subscriptions)
    if not state.last_failure or (well and now - state.since >= WELL_AFTER):
        return ""
    return f"before: {state.last_failure}"


def _why(one: SubscriptionState) -> str:
    """What there is to say of it, and when it is asked for again or ends."""
    said = [one.reason] if one.reason else []
    if one.retry_at is not None:
        said.append(f"asked again at {format_date_and_time(one.retry_at, 0)}")
    if one.stop_time is not None:
        said.append(f"ends at {format_date_and_time(one.stop_time, 0)}")
    return "; ".join(said)


def _without_session(service: Parts, lists: _Lists) -> list[dict[str, Any]]:
    """A row for each configured device that only sends: nobody asks it for a session."""
    asked = {state.name for state in service.manager.states()}
    heard = set(service.pipeline.engine.devices())
    return [
        {
            "device": one.name,
            "session": None,
            "reason": "listened to only" if one.name in heard else "nothing was heard of it yet",
            "since": None,
            "subscription": None,
            "state": None,
            "id": None,
        }
        | lists.columns(one.name)
        | {"why": ""}
        for one in service.config.devices
        if one.name not in asked
    ]


def _generator(one: OriginatorState) -> dict[str, Any]:
    heard = one.last_arrival
    return {
        "device": one.device,
        "subscription": one.subscription_name or one.subscription_id,
        "generator": one.generator,
        "required": one.required,
        "missing": one.missing,
        "declared": one.declared,
        "expected": one.expected,
        "last_arrival": None if heard is None else format_date_and_time(heard, 3),
        "lag_seconds": None if heard is None else round(one.lag / SECOND, 3),
        "usual_count": one.usual_count,
        "counter": one.counter,
        "scope": one.scope,
    }


def _on_change(service: Parts) -> list[dict[str, Any]]:
    """Whether everything of each generator of an on-change subscription came."""
    engine, patches = service.pipeline.engine, service.pipeline.patches
    names = {(name, one.id): one.name for name in engine.devices() for one in engine.running(name)}
    return [
        {
            "device": device,
            "subscription": names.get((device, one.subscription_id)) or one.subscription_id,
            "generator": one.generator,
            "sync": one.word,
            "whole_at": None if one.whole_at is None else format_date_and_time(one.whole_at, 3),
            "losses": one.losses,
            "why": one.why if one.word == "lost" else "",
        }
        for device, one in patches.ids.syncs()
        if one.generator or one.lost_at is not None  # nobody's loss that was healed is no row
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
