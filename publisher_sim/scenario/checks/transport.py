"""Checks of what the transport can carry."""

from __future__ import annotations

from publisher_sim.scenario.checks.checker import Checks


def check_transport(checks: Checks) -> None:
    """What the transport can carry."""
    scenario = checks.scenario
    transport, push = scenario.receiver.transport, scenario.push
    for one in scenario.encodings:
        checks.require(
            one in scenario.traits.media_types, "push.encodings",
            f"{one} is not defined over {transport}", ", ".join(scenario.traits.media_types),
        )  # fmt: skip
    checks.require(
        bool(scenario.encodings), "push.encodings", "is empty",
        ", ".join(scenario.traits.media_types),
    )  # fmt: skip
    checks.require(
        scenario.encoding in scenario.encodings, "push.encoding",
        f"{scenario.encoding} is not what it can write over {transport}",
        ", ".join(scenario.encodings),
    )  # fmt: skip
    checks.require(
        push.header in scenario.traits.headers, "push.header",
        f"{push.header} is not defined over {transport}", ", ".join(scenario.traits.headers),
    )  # fmt: skip
    tls = scenario.receiver.tls
    checks.require(
        bool(tls.certificate) == bool(tls.key), "receiver.tls.key",
        "a certificate and its key belong together", "both, or none of them",
    )  # fmt: skip
