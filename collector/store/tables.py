"""The tables of the store: their columns, in what order their files are, and what they had before.

Rules: a time is ``timestamp[ns, UTC]``; a word of a closed set is text; "unknown" is null, never a
made-up number. Columns are named like the fields of ``model.facts``, none of them by a word that
SQL reserves (``from_time``, not ``from``). A table that has no row of a segment has no file.
"""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

TIME = pa.timestamp("ns", tz="UTC")
_TEXTS = pa.list_(pa.string())
CAUSES = pa.list_(pa.struct([("generator", pa.string()), ("cause", pa.string())]))
"""Who, and why."""

UPDATES = pa.schema(
    [
        ("received_at", TIME),
        ("device", pa.string()),
        ("generator", pa.string()),
        ("publisher_id", pa.uint32()),
        ("message_id", pa.uint32()),
        ("subscription_id", pa.uint32()),
        ("revision", pa.int64()),
        ("period_index", pa.int64()),
        ("kind", pa.string()),
        ("event_time", TIME),
        ("observation_time", TIME),
        ("media_type", pa.uint16()),
        ("journal_offset", pa.int64()),
        ("payload", pa.binary()),
        ("transport", pa.string()),
    ]
)
"""One row for each content notification. ``media_type``: that of the private space plus 16, as
encodings count them."""
VERDICTS = pa.schema(
    [
        ("device", pa.string()),
        ("subscription_name", pa.string()),
        ("subscription_id", pa.uint32()),
        ("revision", pa.int64()),
        ("period_index", pa.int64()),
        ("period_to", pa.int64()),
        ("nominal_time", TIME),
        ("amendment", pa.int32()),
        ("final", pa.bool_()),
        ("outcome", pa.string()),
        ("reason", pa.string()),
        ("required", _TEXTS),
        ("received", _TEXTS),
        ("missing", CAUSES),
        ("degraded", CAUSES),
        ("unexpected", _TEXTS),
        ("late_generators", _TEXTS),
        ("provenance", pa.string()),
        ("period_source", pa.string()),
        ("deadline", TIME),
        ("judged_at", TIME),
    ]
)
"""One row for each ``model.Verdict``."""
SUBSCRIPTIONS = pa.schema(
    [
        ("time", TIME),
        ("device", pa.string()),
        ("name", pa.string()),
        ("id", pa.uint32()),
        ("revision", pa.int64()),
        ("origin", pa.string()),
        ("mode", pa.string()),
        ("period_cs", pa.int64()),
        ("anchor", TIME),
        ("filter", pa.string()),
        ("encoding", pa.string()),
        ("generators", _TEXTS),
        ("provenance", pa.string()),
        ("state", pa.string()),
        ("reason", pa.string()),
        ("from_time", TIME),
        ("to_time", TIME),
        ("datastore", pa.string()),
        ("stream", pa.string()),
        ("trigger", pa.string()),
        ("filter_kind", pa.string()),
        ("dampening_cs", pa.int64()),
        ("sync_on_start", pa.bool_()),
        ("stop_time", TIME),
        ("replay_start_time", TIME),
        ("dscp", pa.int32()),
        ("transport", pa.string()),
    ]
)
"""One row for each ``model.SubscriptionRow``."""
EVENTS = pa.schema(
    [
        ("time", TIME),
        ("device", pa.string()),
        ("subject", pa.string()),
        ("kind", pa.string()),
        ("text", pa.string()),
    ]
)
"""One row for each ``model.Event``."""
EDITS = pa.schema(
    [
        ("received_at", TIME),
        ("device", pa.string()),
        ("generator", pa.string()),
        ("subscription_id", pa.uint32()),
        ("revision", pa.int64()),
        ("journal_offset", pa.int64()),
        ("patch_id", pa.string()),
        ("position", pa.int32()),
        ("edit_id", pa.string()),
        ("operation", pa.string()),
        ("target", pa.string()),
        ("point", pa.string()),
        ("insert_where", pa.string()),
        ("value", pa.string()),
    ]
)
"""One row for each ``model.EditRow``."""

LEAVES = pa.schema(
    [
        ("received_at", TIME),
        ("device", pa.string()),
        ("generator", pa.string()),
        ("subscription_id", pa.uint32()),
        ("revision", pa.int64()),
        ("period_index", pa.int64()),
        ("event_time", TIME),
        ("observation_time", TIME),
        ("journal_offset", pa.int64()),
        ("path", pa.string()),
        ("node", pa.string()),
        ("keys", pa.list_(pa.struct([("name", pa.string()), ("value", pa.string())]))),
        ("type", pa.string()),
        ("value", pa.string()),
        ("number", pa.float64()),
        ("guessed", pa.bool_()),
    ]
)
"""One row for each leaf of an update, where somebody asked for them. ``path`` has the keys of lists
in it, ``node`` has not; ``value`` is the canonical text, exact, and ``number`` the same as a double
where it is one; ``type`` is null where the value does not fit the schema; ``guessed``: no schema
knows the leaf, so its type is that of the encoding and the keys are guesses."""

TABLES: Mapping[str, pa.Schema] = {
    "updates": UPDATES,
    "verdicts": VERDICTS,
    "subscriptions": SUBSCRIPTIONS,
    "events": EVENTS,
    "edits": EDITS,
    "leaves": LEAVES,
}
GROWN: Mapping[str, int] = {
    "subscriptions": SUBSCRIPTIONS.names.index("to_time") + 1,
    "updates": UPDATES.names.index("payload") + 1,
}
"""Table that has got columns since the first version -> how many it had then."""
TIME_COLUMN: Mapping[str, str] = {
    "updates": "received_at",
    "verdicts": "judged_at",
    "subscriptions": "time",
    "events": "time",
    "edits": "received_at",
    "leaves": "received_at",
}
"""Table -> the column whose range the manifest keeps and by which age is counted."""
PERIOD_COLUMN: Mapping[str, str] = {"verdicts": "nominal_time"}
"""Table -> the column that says which period a row is about; its range is in the manifest too."""
ORDER: Mapping[str, tuple[str, ...]] = {
    "updates": ("device", "received_at", "journal_offset"),
    "verdicts": ("device", "judged_at", "subscription_id", "period_index", "amendment"),
    "subscriptions": ("device", "time", "revision"),
    "events": ("device", "time"),
    "edits": ("device", "received_at", "journal_offset", "position"),
    "leaves": ("device", "received_at", "journal_offset", "path"),
}
"""Table -> how the rows of a sorted file are sorted."""


def with_all_columns(table: str, rows: pa.Table) -> pa.Table:
    """Rows of this or an earlier version: columns that came since are null.

    Raises:
        pyarrow.ArrowInvalid: no rows of that table.
    """
    schema = TABLES[table]
    if rows.schema.equals(schema):
        return rows
    count = len(rows.schema)
    if count < GROWN.get(table, len(schema)) or rows.schema.names != schema.names[:count]:
        raise pa.ArrowInvalid(f"table {table} has other columns")
    for field in list(schema)[count:]:
        rows = rows.append_column(field, pa.nulls(len(rows), field.type))
    return rows.cast(schema)
