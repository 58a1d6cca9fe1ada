"""Checks of the timeline.

Rules: faults start after the fifth period and end two periods before the run does; delays are below
grace/2 or above twice the grace, so that a message is clearly in time or clearly late; late ones
touch one tick at a time, 20 periods apart, because an observer learns from each.
"""

from __future__ import annotations

from collector.model import SECOND
from publisher_sim.scenario.cards import MASTER
from publisher_sim.scenario.checks.checker import Checks
from publisher_sim.scenario.faults import MESSAGE_FAULTS, REASONS, Fault
from publisher_sim.scenario.transports import TRANSPORTS

FIRST_FAULT = 5
"""First tick that a fault may touch."""
QUIET_END = 2
"""Ticks at the end of the run that no fault touches."""
LATE_APART = 20
"""Ticks between two faults that make messages late."""


def check_faults(checks: Checks) -> None:
    """All entries, each for itself, then those that make messages late together."""
    for number, one in enumerate(checks.scenario.fault):
        _fault(checks, f"fault[{number}]", one)
    _late_faults(checks)


def _fault(checks: Checks, key: str, fault: Fault) -> None:
    """One entry of the timeline."""
    scenario = checks.scenario
    last = scenario.periods - QUIET_END if scenario.periods else None
    checks.require(
        fault.at_period >= FIRST_FAULT, f"{key}.at_period", "is too early",
        f"{FIRST_FAULT} or later: faults start after the fifth period",
    )  # fmt: skip
    until = fault.until
    checks.require(
        until is None or until > fault.at_period, f"{key}.until_period",
        "is not after at_period", f"{fault.at_period + 1} or later",
    )  # fmt: skip
    checks.require(
        last is None or max(fault.at_period + 1, until or 0) <= last, f"{key}.until_period",
        "is too late", f"up to {last}: faults end two periods before the run does",
    )  # fmt: skip
    checks.within(fault.probability, 0, 1, f"{key}.probability")
    checks.within(fault.share, 0, 1, f"{key}.share")
    reasons = REASONS.get(fault.kind, ())
    checks.require(
        not fault.reason or fault.reason in reasons, f"{key}.reason",
        f"{fault.reason!r} is no reason to {fault.kind}", ", ".join(reasons) or "none",
    )  # fmt: skip
    checks.require(
        fault.kind != "restart" or scenario.configuration is not None, f"{key}.kind",
        "nothing is configured here that could be lost", "a table [configuration]",
    )  # fmt: skip
    _fault_target(checks, key, fault)
    _fault_seconds(checks, key, fault)
    _fault_transport(checks, key, fault)


def _fault_target(checks: Checks, key: str, fault: Fault) -> None:
    names = ", ".join(sorted(checks.names))
    if fault.kind in ("kill", "pull", "move"):
        cards = checks.names - ({MASTER} if fault.kind != "move" else set())
        checks.require(
            fault.card in cards, f"{key}.card", f"{fault.card!r} cannot be hit by {fault.kind}",
            ", ".join(sorted(cards)),
        )  # fmt: skip
    elif fault.card:
        checks.require(
            fault.card in checks.names and fault.kind in MESSAGE_FAULTS, f"{key}.card",
            f"{fault.card!r} cannot be hit by {fault.kind}", names,
        )  # fmt: skip
    if fault.moves_to or fault.kind == "move":
        checks.require(
            fault.moves_to in checks.names and fault.moves_to != fault.card, f"{key}.moves_to",
            f"{fault.moves_to!r} cannot take over", names,
        )  # fmt: skip


def _fault_seconds(checks: Checks, key: str, fault: Fault) -> None:
    period, grace = checks.scenario.period_ns, checks.scenario.effective_grace
    amount = abs(round(fault.seconds * SECOND))
    if fault.kind == "delay":
        limit = max(2 * period, 20 * SECOND)
        checks.require(
            0 < amount < grace // 2 or 2 * grace < amount < limit, f"{key}.seconds",
            f"{fault.seconds} leaves it open whether a message is late",
            f"below {grace / 2 / SECOND:g} or {2 * grace / SECOND:g} to {limit / SECOND:g}",
        )  # fmt: skip
    elif fault.kind in ("reorder", "duplicate"):
        checks.require(
            amount < grace // 2, f"{key}.seconds", f"{fault.seconds} may make messages late",
            f"below {grace / 2 / SECOND:g}",
        )  # fmt: skip
    elif fault.kind == "clock_skew":
        checks.require(
            0 < amount <= 0.3 * period or amount >= 0.75 * period, f"{key}.seconds",
            f"{fault.seconds} is about half a period, which can be told neither way",
            f"up to {0.3 * period / SECOND:g} or from {0.75 * period / SECOND:g}",
        )  # fmt: skip


def _fault_transport(checks: Checks, key: str, fault: Fault) -> None:
    transport = checks.scenario.receiver.transport
    over_udp = [name for name, traits in TRANSPORTS.items() if traits.segments]
    possible = checks.scenario.traits.segments
    checks.require(
        possible or fault.kind != "corrupt", f"{key}.kind",
        f"corrupt cannot happen over {transport}, which carries messages whole and intact",
        f"any other kind, or receiver.transport {' or '.join(over_udp)}",
    )  # fmt: skip
    checks.require(
        possible or not fault.datagrams, f"{key}.datagrams",
        f"messages are not cut into datagrams over {transport}",
        f"false, or receiver.transport {' or '.join(over_udp)}",
    )  # fmt: skip


def _late_faults(checks: Checks) -> None:
    """Faults that make messages late: one tick each, far apart."""
    grace = checks.scenario.effective_grace
    before: int | None = None
    late = [
        (fault.at_period, number, fault)
        for number, fault in enumerate(checks.scenario.fault)
        if fault.kind == "delay" and fault.seconds * SECOND > grace
    ]
    for at_period, number, fault in sorted(late, key=lambda entry: entry[0]):
        checks.require(
            fault.until == at_period + 1, f"fault[{number}].until_period",
            "makes messages of several ticks late", f"{at_period + 1}",
        )  # fmt: skip
        checks.require(
            before is None or at_period - before >= LATE_APART, f"fault[{number}].at_period",
            "is too near another late delay", f"{LATE_APART} periods apart",
        )  # fmt: skip
        before = at_period
