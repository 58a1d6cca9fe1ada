"""Verdicts for tests, one period a second, told in few words."""

from __future__ import annotations

from typing import Any

from collector.model import (
    SECOND,
    Cause,
    CollectorTime,
    DeviceTime,
    Event,
    GeneratorCause,
    Outcome,
    Provenance,
    SubscriptionRow,
    Verdict,
)

NOON = 1_767_268_800 * SECOND
"""2026-01-01T12:00:00Z."""
CARDS = ("1", "2", "3", "4")


def verdict(
    period: int,
    *,
    missing: dict[str, str] | None = None,
    degraded: dict[str, str] | None = None,
    **other: Any,
) -> Verdict:
    """The verdict on the period ``period`` seconds after noon; COMPLETE unless told otherwise."""
    gone = _pairs(missing)
    weak = _pairs(degraded)
    outcome = Outcome.INCOMPLETE if gone else Outcome.DEGRADED if weak else Outcome.COMPLETE
    required = other.get("required", CARDS)
    values: dict[str, Any] = {
        "device": "core7",
        "subscription_name": "counters",
        "subscription_id": 7,
        "revision": 1,
        "period_index": period,
        "period_to": period,
        "nominal_time": DeviceTime(NOON + period * SECOND),
        "amendment": 0,
        "final": False,
        "outcome": outcome,
        "reason": None,
        "required": required,
        "received": tuple(g for g in required if g not in (missing or {})),
        "missing": gone,
        "degraded": weak,
        "unexpected": (),
        "late_generators": (),
        "provenance": Provenance.DECLARED,
        "period_source": "declared",
        "deadline": CollectorTime(NOON + period * SECOND + SECOND // 2),
        "judged_at": CollectorTime(NOON + period * SECOND + SECOND // 4),
    }
    return Verdict(**(values | other))


def _pairs(causes: dict[str, str] | None) -> tuple[GeneratorCause, ...]:
    return tuple(GeneratorCause(name, Cause(word)) for name, word in (causes or {}).items())


def event(second: int = 0, **other: Any) -> Event:
    """An event ``second`` seconds after noon."""
    values: dict[str, Any] = {
        "time": CollectorTime(NOON + second * SECOND),
        "device": "core7",
        "subject": "3",
        "kind": "clock_step",
        "text": "The clock of 3 stepped.",
    }
    return Event(**(values | other))


def subscription(second: int = 0, **other: Any) -> SubscriptionRow:
    """A row of the subscriptions table."""
    values: dict[str, Any] = {
        "time": CollectorTime(NOON + second * SECOND),
        "device": "core7",
        "name": "counters",
        "id": 7,
        "revision": 1,
        "origin": "dynamic",
        "mode": "mso",
        "period_cs": 100,
        "anchor": None,
        "filter": "/ietf-interfaces:interfaces",
        "encoding": "encode-json",
        "generators": CARDS,
        "provenance": Provenance.DECLARED,
        "state": "active",
        "reason": "",
        "from_time": CollectorTime(NOON + second * SECOND),
        "to_time": None,
    }
    return SubscriptionRow(**(values | other))


class Batch:
    """What the pipeline says about one batch."""

    def __init__(self, *facts: Verdict | Event | SubscriptionRow) -> None:
        self.first_offset = 0
        self.next_offset = 1
        self.verdicts = [fact for fact in facts if isinstance(fact, Verdict)]
        self.events = [fact for fact in facts if isinstance(fact, Event)]
        self.subscriptions = [fact for fact in facts if isinstance(fact, SubscriptionRow)]
