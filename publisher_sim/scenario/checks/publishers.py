"""Checks of the master and the cards."""

from __future__ import annotations

from collector.wire.values import names
from publisher_sim.scenario.cards import LATEST_OFFSET, MASTER
from publisher_sim.scenario.checks.checker import Checks

_EACH = "each one once, the master included"


def check_publishers(checks: Checks) -> None:
    """The master and the cards."""
    scenario = checks.scenario
    checks.within(scenario.master.loss_detection_seconds, 0, 3, "master.loss_detection_seconds")
    for what in ("name", "publisher_id", "generator"):
        values = [getattr(one, what) for one in scenario.publishers]
        key = what.replace("generator", "generator_id")
        checks.once(values, "card", key, _EACH)
    for kind in ("all_interfaces", "hardware"):
        owned = [node for one in scenario.publishers for node in getattr(one, kind)]
        checks.once(owned, "card", kind.removeprefix("all_"), _EACH)
    for number, card in enumerate(scenario.publishers):
        key = MASTER if card.name == MASTER else f"card[{number - 1}]"
        checks.named(card.name, f"{key}.name")
        for kind in ("interfaces", "transient", "hardware"):
            for name in getattr(card, kind):
                checks.named(name, f"{key}.{kind}")
        checks.within(card.publisher_id, 0, 2**32 - 1, f"{key}.publisher_id")
        checks.require(
            card.phase >= 0 and card.arc >= 0 and card.phase + card.arc <= LATEST_OFFSET,
            f"{key}.phase", f"with arc {card.arc} ends too late",
            f"phase and arc from 0, together up to {LATEST_OFFSET} of the period",
        )  # fmt: skip
        checks.require(
            not card.generator_id or _can_say_text(checks), f"{key}.generator_id",
            "is text, which neither the header of UDP-notif nor distributed-notif can carry",
            f"control_mode {names.MODE_MSO} over netconf or https-notif, or empty",
        )  # fmt: skip


def _can_say_text(checks: Checks) -> bool:
    """May a Message Generator ID be text?"""
    scenario = checks.scenario
    said_inside = scenario.traits.notifications and scenario.traits.numbers != "message-id"
    return scenario.control_mode == names.MODE_MSO and said_inside
