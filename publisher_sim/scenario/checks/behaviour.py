"""Checks of how the device differs from the drafts."""

from __future__ import annotations

from publisher_sim.scenario.behaviour import NAMES
from publisher_sim.scenario.checks.checker import Checks

KEY = "behaves_like"


def check_behaviour(checks: Checks) -> None:
    """Names, and whether the rest of the scenario can be like that. The first check: others read
    what follows from it."""
    scenario = checks.scenario
    for name in scenario.behaves:
        checks.require(name in NAMES, KEY, f"{name!r} is no device", ", ".join(NAMES))
    behaviour = scenario.behaviour
    checks.require(
        behaviour.publisher_id is None or not scenario.card, KEY,
        f"{', '.join(scenario.behaves)} sends everything as one publisher",
        "a scenario without cards, or other names",
    )  # fmt: skip
    checks.require(
        not behaviour.needs_json or scenario.encodings == ("encode-json",), KEY,
        f"{', '.join(scenario.behaves)} has wrappers that exist in JSON alone",
        'push.encodings = ["encode-json"], or other names',
    )  # fmt: skip
    checks.require(
        not (behaviour.straggles and scenario.fault) or scenario.grace_seconds is not None, KEY,
        "stragglers need a grace that is known", "grace_seconds, or no faults",
    )  # fmt: skip
    over_udp = scenario.traits.segments
    checks.require(
        over_udp or not (behaviour.last_flag_in_top_bit or behaviour.port_per_subscription), KEY,
        f"{', '.join(scenario.behaves)} sends datagrams", "receiver.transport udp-notif",
    )  # fmt: skip
