"""All rules, found in the modules that hold them."""

from __future__ import annotations

from types import ModuleType
from typing import Any, Final

from collector.conformance import (
    header_rules,
    id_rules,
    naming_rules,
    originator_rules,
    state_rules,
    time_rules,
    update_rules,
    wrapper_rules,
)
from collector.conformance.rules import Rule

MODULES: Final[dict[str, ModuleType]] = {
    "datagrams": header_rules,
    "ids": id_rules,
    "wrapper": wrapper_rules,
    "names and values": naming_rules,
    "state changes": state_rules,
    "updates": update_rules,
    "times": time_rules,
    "originators": originator_rules,
}
"""Topic -> where its rules are."""

RULES: Final[tuple[tuple[str, Rule[Any]], ...]] = tuple(
    (topic, value)
    for topic, module in MODULES.items()
    for value in vars(module).values()
    if isinstance(value, Rule)
)
"""(topic, rule), in the order in which they are written."""
