"""Inputs of ``core.node_sets.coverage`` for tests: a subscription, two cards, a period of 10 s."""

from __future__ import annotations

from typing import Any

from collector.core.node_sets.coverage import Coverage, CoverageInput
from collector.core.node_sets.coverage_state import Contents
from collector.model import (
    SECOND,
    CollectorTime,
    DeviceTime,
    Event,
    NotJudgedReason,
    Outcome,
    Provenance,
    SubscriptionRow,
    Verdict,
)
from collector.wire.notifications.nodes import entry_of

PERIOD = 10
CARDS = ("1", "2")


def at(seconds: float) -> CollectorTime:
    """As ns."""
    return CollectorTime(round(seconds * SECOND))


def row(seconds: float = -100, **more: Any) -> SubscriptionRow:
    """The subscription begins or changes."""
    values: dict[str, Any] = {
        "time": at(seconds),
        "device": "core7",
        "name": "interfaces",
        "id": 1,
        "revision": 0,
        "origin": "dynamic",
        "mode": "mso",
        "period_cs": PERIOD * 100,
        "anchor": None,
        "filter": "",
        "encoding": "",
        "generators": CARDS,
        "provenance": None,
        "state": "active",
        "reason": "",
        "from_time": at(seconds),
        "to_time": None,
    }
    return SubscriptionRow(**(values | more))


def sent(index: int, generator: str, *nodes: str, after: float = 0.1, **more: Any) -> Contents:
    """What a card sent in a period."""
    values: dict[str, Any] = {
        "time": at(index * PERIOD + after),
        "device": "core7",
        "revision": 0,
        "period_index": index,
        "generator": generator,
        "nodes": frozenset(nodes),
        "entries": frozenset(map(entry_of, nodes)),
    }
    return Contents(**(values | more))


def judged(
    index: int,
    outcome: Outcome = Outcome.COMPLETE,
    *,
    after: float = 5.0,
    reason: NotJudgedReason | None = None,
    required: tuple[str, ...] = CARDS,
    amendment: int = 0,
    **more: Any,
) -> Verdict:
    """A row of a period whose deadline is 5 s after its tick."""
    values: dict[str, Any] = {
        "device": "core7",
        "subscription_name": "interfaces",
        "subscription_id": 1,
        "revision": 0,
        "period_index": index,
        "period_to": index,
        "nominal_time": DeviceTime(at(index * PERIOD)),
        "amendment": amendment,
        "final": False,
        "outcome": outcome,
        "reason": reason,
        "required": required,
        "received": required,
        "missing": (),
        "degraded": (),
        "unexpected": (),
        "late_generators": (),
        "provenance": Provenance.DECLARED,
        "period_source": "declared",
        "deadline": at(index * PERIOD + 5),
        "judged_at": at(index * PERIOD + after),
    }
    return Verdict(**(values | more))


def said_of(*inputs: CoverageInput, coverage: Coverage | None = None) -> list[Event]:
    """All events of inputs, a long time later."""
    return (coverage or Coverage()).receive(inputs, at(1e6))
