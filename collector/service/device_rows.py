"""``collector devices``: a row for each subscription, generator and configured subscription.

Does: put together what the sessions, the engine and the pipeline know. Does not: change anything,
or say how it is drawn.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from collector.core.views import Declaration, OriginatorState
from collector.model import SECOND
from collector.service.configured_rows import configured_rows
from collector.service.parts import Parts
from collector.service.silence import Silence
from collector.subscriber.states import DeviceState, SubscriptionState
from collector.wire.values.timestamps import format_date_and_time

WELL_AFTER = 600 * SECOND
"""A session that lives so long makes what was before it forgotten (ours)."""
UNKNOWN_SHOWN = 50
"""Unknown senders in one answer (ours)."""


def devices(service: Parts) -> Mapping[str, Any]:
    """Every device with its session, subscriptions and generators, and unknown senders."""
    now = service.clock.now()
    unknown = sorted(
        service.pipeline.counts.unknown_sources.items(), key=lambda item: item[1], reverse=True
    )
    lists = _Lists(service.pipeline.engine.declarations())
    silence = Silence(service, now)
    heard = service.pipeline.hearing.originators(service.pipeline.engine)
    settings = {one.name: one.netconf for one in service.config.devices}
    calling = {name for name, one in settings.items() if one is not None and one.call_home}
    return {
        "devices": [
            *(
                row
                for state in service.manager.states()
                for row in _subscriptions(state, lists, silence, now, state.name in calling)
            ),
            *_without_session(service, lists),
        ],
        "configured": configured_rows(
            service.config,
            service.configured.ids,
            service.configured.states,
            heard,
            service.putting_back.notes,
            now,
        ),
        "generators": [_generator(one) for one in heard],
        "on_change": _on_change(service),
        "unknown_senders": [
            {"address": address, "messages": number} for address, number in unknown[:UNKNOWN_SHOWN]
        ],
        "unknown_callers": _unknown_callers(service),
    }


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


def _subscriptions(
    state: DeviceState, lists: _Lists, silence: Silence, now: int, calls: bool = False
) -> list[dict[str, Any]]:
    """A row for each subscription; one for the session alone where there is none.

    ``calls``: it is the device that tries again.
    """
    session: dict[str, Any] = {
        "device": state.name,
        "session": state.phase.value,
        "reason": _reason(state, calls) or _before(state, now),
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
        | {"why": _why(subscription, silence.of(state.name, subscription.id))}
        for subscription in state.subscriptions
    ]
    nothing = {"subscription": None, "state": None, "id": None, "declared": None}
    return rows or [session | nothing | {"not_declared": [], "why": ""}]


def _reason(state: DeviceState, calls: bool) -> str:
    """What there is to explain, and when a session is tried again."""
    if state.next_try is None or calls:
        return state.reason
    return f"{state.reason}; tried again at {format_date_and_time(state.next_try, 0)}"


def _before(state: DeviceState, now: int) -> str:
    """While not all is well again, and for a while after: why the session before ended."""
    well = state.phase == "up" and all(one.phase == "active" for one in state.subscriptions)
    if not state.last_failure or (well and now - state.since >= WELL_AFTER):
        return ""
    return f"before: {state.last_failure}"


def _why(one: SubscriptionState, silent: str) -> str:
    """What there is to say of it, and when it is asked for again or ends."""
    said = [words for words in (one.reason, silent) if words]
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
        "lag_seconds": None if heard is None or one.arc_end is None else round(one.lag / SECOND, 3),
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
