"""Facts <-> the JSON objects that people and programs get: one object a fact, one line an object.

Does: ``fact_to_row`` and ``row_to_fact``, shared by the JSON-lines sink, alerts, the control socket
and ``--json``. Does not: write anywhere.
Rules: the key ``row`` says what it is (``verdict``, ``event``, ``subscription``); times are RFC
3339 in UTC with all digits that count; the other keys are the columns of the store, in order.
"""

from __future__ import annotations

from typing import Any

import msgspec

from collector.errors import UsageError, WireError
from collector.model import Event, Fact, SubscriptionRow, Verdict
from collector.wire.values.timestamps import format_date_and_time, parse_date_and_time

_KINDS: dict[str, tuple[type[Fact], tuple[str, ...]]] = {
    "verdict": (Verdict, ("nominal_time", "deadline", "judged_at")),
    "event": (Event, ("time",)),
    "subscription": (
        SubscriptionRow,
        ("time", "anchor", "from_time", "to_time", "stop_time", "replay_start_time"),
    ),
}
"""row kind -> (type, its columns that are times)"""
_KIND_OF = {kind: (name, times) for name, (kind, times) in _KINDS.items()}


def fact_to_row(fact: Fact) -> dict[str, Any]:
    """The JSON object of a fact."""
    kind, times = _KIND_OF[type(fact)]
    row: dict[str, Any] = {"row": kind, **msgspec.to_builtins(fact)}
    for column in times:
        if row[column] is not None:
            row[column] = format_date_and_time(row[column])
    return row


def row_to_fact(row: dict[str, Any]) -> Fact:
    """The fact of a JSON object; keys that this version does not know are left out.

    Lines of an earlier version lack some keys of a subscription.

    Raises:
        UsageError: not an object that ``fact_to_row`` wrote.
    """
    try:
        kind, times = _KINDS[row["row"]]
        plain = {key: value for key, value in row.items() if key != "row"}
        for column in times:
            if plain.get(column) is not None:
                plain[column] = parse_date_and_time(plain[column])
        fact: Fact = msgspec.convert(plain, kind)
    except (KeyError, TypeError, AttributeError, WireError, msgspec.ValidationError) as error:
        raise UsageError(f"not a row of verdicts, events or subscriptions: {error}") from None
    return fact


def encode_row(row: dict[str, Any]) -> bytes:
    """One line of JSON with its newline."""
    return msgspec.json.encode(row) + b"\n"
