"""Sink of ``collector subscribe``: updates and verdicts, as lines of text or of JSON.

The JSON lines are those of ``sinks.rows``, and ``update`` with the columns of the store's table.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from typing import Any, TextIO

from collector.conformance.anatomy import parts_of
from collector.errors import WireError
from collector.interfaces import Said
from collector.model import SECOND, EditRow, Fact, NotificationKind
from collector.sinks.rows import encode_row, fact_to_row
from collector.views.answers import json_lines
from collector.views.decoded_rows import for_json
from collector.views.text import (
    card,
    clean,
    clock,
    day_and_clock,
    event_line,
    subscription_line,
    verdict_line,
)
from collector.wire.notifications.notification import decode_contents
from collector.wire.values.names import local_name

PAYLOAD_SHOWN = 160
"""Characters of contents, of a target and of a value that are shown (ours)."""

OLD = 5 * SECOND
"""Between an event and its arrival, from when on both times are shown (ours)."""
OTHER = NotificationKind.OTHER.value
"""A notification that is none of YANG-Push: records of event streams."""


class PrintingSink:
    """Meets ``interfaces.Sink``."""

    name = "printing"

    def __init__(self, out: TextIO | None = None, *, as_json: bool = False) -> None:
        self._out = out or sys.stdout
        self._as_json = as_json
        self.unread = False
        """Whoever read us has gone (``head``, ``less``): nothing more is printed."""

    def start(self) -> None:
        """Nothing to open."""

    def write(self, said: Said) -> None:
        """One line for each row."""
        text = "".join(_json_rows(said) if self._as_json else _text_rows(said))
        if not text or self.unread:
            return
        try:
            self._out.write(text)
            self._out.flush()
        except BrokenPipeError:
            self.unread = True

    def flush(self) -> None:
        """Nothing waits."""

    def stop(self) -> None:
        """Standard output stays open."""


def _json_rows(said: Said) -> Iterator[str]:
    first: list[Fact] = [*said.subscriptions, *said.events]
    for fact in first:
        yield encode_row(fact_to_row(fact)).decode()
    updates = getattr(said, "updates", None)
    if updates is not None:
        yield from json_lines(updates, {"row": "update"})
    for verdict in said.verdicts:
        yield encode_row(fact_to_row(verdict)).decode()


def _text_rows(said: Said) -> Iterator[str]:
    lines = [subscription_line(row) for row in said.subscriptions]
    lines += [event_line(event) for event in said.events]
    lines += _update_lines(getattr(said, "updates", None), getattr(said, "edits", ()))
    lines += [verdict_line(verdict) for verdict in said.verdicts]
    return (line + "\n" for line in lines)


def _update_lines(updates: Any, edits: Iterable[EditRow]) -> Iterator[str]:
    """``updates``: an Arrow batch of the table's rows, or None."""
    if updates is None:
        return
    of_message: dict[int, list[EditRow]] = {}
    for edit in edits:
        of_message.setdefault(edit.journal_offset, []).append(edit)
    # datetime has microseconds only, so the times are read as numbers
    arrivals, happened = (
        updates.column(name).cast("int64").to_pylist() for name in ("received_at", "event_time")
    )
    names = ("kind", "generator", "payload", "media_type", "journal_offset")
    columns = [updates.column(name).to_pylist() for name in names]
    for arrival, event_time, kind, generator, payload, media_type, offset in zip(
        arrivals, happened, *columns, strict=True
    ):
        when, who = clock(arrival, digits=3), card(generator)
        if offset in of_message:
            yield f"{when}  {kind} from {who}, patch {clean(of_message[offset][0].patch_id)}"
            yield from map(_edit_line, of_message[offset])
        else:
            name, about = _contents(payload, media_type)
            if kind == OTHER:
                who += _of(arrival, event_time)
            yield f"{when}  {name if kind == OTHER and name else kind} from {who}: {about}"


def _of(arrival: int, event_time: int | None) -> str:
    """When it happened, where that was not just now: replayed events come all at once."""
    if event_time is None or abs(arrival - event_time) < OLD:
        return ""
    return f", of {day_and_clock(event_time)}"


def _edit_line(edit: EditRow) -> str:
    value = "" if edit.value is None else f" {clean(edit.value, PAYLOAD_SHOWN)}"
    return f"    {edit.operation} {clean(edit.target, PAYLOAD_SHOWN)}{value}"


def _contents(payload: bytes, media_type: int) -> tuple[str, str]:
    """Name of the notification and what it is about, whatever the encoding; of what cannot be read,
    how it begins."""
    try:
        parts = parts_of(decode_contents(payload, media_type))
    except WireError:
        parts = None
    if parts is None:
        return "", clean(payload[: 2 * PAYLOAD_SHOWN].decode(errors="replace"), PAYLOAD_SHOWN)
    about = parts.body if parts.contents is None else parts.contents
    text = json.dumps(for_json(about), separators=(",", ":"))
    return clean(local_name(parts.name)), clean(text, PAYLOAD_SHOWN)
