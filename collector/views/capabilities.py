"""What a device says that it can: two tables, or one JSON object."""

from __future__ import annotations

from typing import Any

import msgspec
from rich.console import Console
from rich.text import Text

from collector.subscriber.abilities.facts import Fact, NodeFact
from collector.views.tables import print_table

_FROM = {"": "nobody says", "module": "text of the module", "revision": "revision of the module"}


def print_capabilities(
    console: Console, facts: tuple[Fact, ...], nodes: tuple[NodeFact, ...]
) -> None:
    """The facts, each with its source; then what differs for some nodes."""
    print_table(
        console,
        ("what", "value", "from"),
        ((_label(one.name), _value(one), _FROM.get(one.source, one.source)) for one in facts),
        whole=("what",),
    )
    if nodes:
        print_table(
            console,
            ("datastore", "nodes", "what differs there"),
            ((one.datastore, one.nodes, _differences(one)) for one in nodes),
            whole=("datastore",),
        )


def capabilities_json(
    device: str, where: str, facts: tuple[Fact, ...], nodes: tuple[NodeFact, ...]
) -> str:
    """One object: ``facts`` by name, each with ``value`` and ``from``, null where nobody says."""
    return msgspec.json.encode(
        {
            "device": device,
            "address": where,
            "facts": {
                one.name: {"value": one.value, "from": one.source or None}
                | ({"unit": one.unit} if one.unit else {})
                for one in facts
            },
            "nodes": [
                {"datastore": one.datastore, "nodes": one.nodes, **one.values} for one in nodes
            ],
        }
    ).decode()


def _label(name: str) -> str:
    return name.replace("-", " ")


def _value(fact: Fact) -> Text | str:
    if fact.value is None:
        return Text("unknown", style="dim")
    return _said(fact.value, fact.unit)


def _said(value: Any, unit: str = "") -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(_said(one, unit) for one in value)
    if isinstance(value, int | float):
        return f"{value:,g} {unit}".rstrip() if isinstance(value, float) else f"{value:,}"
    return str(value)


def _differences(one: NodeFact) -> str:
    return "; ".join(
        f"{_label(name)} {_said(value, 's' if 'period' in name else '')}"
        for name, value in one.values.items()
    )
