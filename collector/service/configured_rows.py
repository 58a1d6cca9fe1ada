"""Configured subscriptions in ``collector devices``: what devices should push without being asked.

Does: a row for each, out of what devices say of it and what comes. Does not: ask devices.

Rules: what is heard counts: after a device's word that it ended, only that which comes well after
it, for line cards of their own are overtaken; without any word what comes is all there is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from collector.config import Config, SubscriptionSettings
from collector.core.views import OriginatorState
from collector.model import SECOND
from collector.service.configured_watch import Ids
from collector.subscriber.configured.states import (
    GONE,
    STRAGGLES,
    TWICE,
    ConfiguredPhase,
    ConfiguredState,
    ConfiguredStates,
)
from collector.wire.values.timestamps import format_date_and_time

SILENT_PERIODS = 3
"""Without anything it is silent (ours); which period lacked what, verdicts say."""
SHORTEST = 10 * SECOND
"""No silence is shorter than that (ours)."""
_QUESTIONED = frozenset(
    (ConfiguredPhase.UNKNOWN, ConfiguredPhase.ACTIVE, ConfiguredPhase.CONNECTING)
)
"""Of these what comes, or does not, says more."""

Heard = dict[tuple[str, str], dict[str, tuple[int, int]]]
"""(device, subscription) -> generator -> id there, last arrival."""


def configured_rows(
    config: Config,
    ids: Ids,
    states: ConfiguredStates,
    heard: Iterable[OriginatorState],
    notes: Mapping[tuple[str, str], str],
    now: int,
) -> list[dict[str, Any]]:
    """A row for each configured subscription on each of its devices.

    Args:
        config: in force.
        ids: what is wanted where, of that configuration.
        states: what devices say.
        heard: every generator that is followed.
        notes: (device, subscription) -> what was tried about a loss.
        now: ns of the collector's clock.
    """
    arrivals: Heard = {}
    for one in heard:
        if one.subscription_name and one.last_arrival is not None:
            of = arrivals.setdefault((one.device, one.subscription_name), {})
            of[one.generator] = one.subscription_id, one.last_arrival
    by_name = {one.name: one for one in config.subscriptions}
    return [
        {"device": device, "subscription": name}
        | _row(by_name[name], numbers, states.of(device, name), arrivals.get((device, name), {}),
               notes.get((device, name)) or _advice(by_name[name], device), now)
        for name, device, numbers in _wanted(config, ids)
    ]  # fmt: skip


def _wanted(config: Config, ids: Ids) -> Iterator[tuple[str, str, tuple[int, ...]]]:
    for one in config.subscriptions:
        for device in config.devices:
            numbers = ids.get(device.name, {}).get(one.name)
            if numbers:
                yield one.name, device.name, numbers


def _advice(wanted: SubscriptionSettings, device: str) -> str:
    """What brings it back."""
    if wanted.configured_restore:
        return f"it is put back once {TWICE} looks have missed it"
    return f"`collector configure {device}` puts it back"


def _row(
    wanted: SubscriptionSettings,
    numbers: tuple[int, ...],
    state: ConfiguredState,
    heard: Mapping[str, tuple[int, int]],
    of_loss: str,
    now: int,
) -> dict[str, Any]:
    last = max((arrival for _, arrival in heard.values()), default=None)
    word, since, why = _stands(state, wanted.period, last, now)
    return {
        "id": next((number for number, _ in heard.values()), numbers[0]),
        "state": word,
        "since": format_date_and_time(since, 0) if since else None,
        "generators": len(heard),
        "why": f"{why}; {of_loss}" if word in GONE else why,
    }


def _stands(
    state: ConfiguredState, period: int | None, last: int | None, now: int
) -> tuple[str, int, str]:
    """State in a word, since when (ns; 0: nobody knows) and why."""
    if state.phase not in _QUESTIONED:
        straggles = state.since + STRAGGLES + 2 * (period or 0)
        if last is None or last <= straggles or state.phase is ConfiguredPhase.SUSPENDED:
            return state.phase, state.since, state.reason
        return ConfiguredPhase.ACTIVE, 0, ""
    if last is None:
        why = state.reason or ("nothing of it came yet" if state.phase != "unknown" else "")
        if state.phase is ConfiguredPhase.UNKNOWN and not why:
            why = "nothing of it came yet, and the device was not asked"
        return state.phase, state.since, why
    if period is not None and now - last > max(SILENT_PERIODS * period, SHORTEST):
        return "silent", last, state.reason or "nothing came since then"
    since = state.since if state.phase is ConfiguredPhase.ACTIVE else 0
    return ConfiguredPhase.ACTIVE, since, ""
