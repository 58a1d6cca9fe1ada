"""``native.read_envelopes`` for tests: makes its columns, calls it, gives rows back."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Any

from collector.model import NOTHING
from tests.columns import between

JSON, XML = 1, 2
"""What the numbers of ``encoding`` mean."""
KINDS = ("push", "change")
"""What the codes of ``kind`` mean."""
_UNTOUCHED = 0x55
"""What every entry is before."""
Row = tuple[int | None, str | None, str, int | None, int | None, bool]
"""Subscription id, generator, kind, event time, observation time, is it incomplete."""
OUTPUTS = (
    "subscription_id", "generator", "kind", "event_time", "observation_time", "incomplete",
    "sequence_number",
)  # fmt: skip
"""Columns that it fills."""


class EnvelopeColumns:
    """The arguments of one call; each may be replaced by something wrong."""

    def __init__(self, payloads: Sequence[bytes], encoding: Sequence[int] = ()) -> None:
        rows, octets = len(payloads), between(payloads)
        self.data: Any = octets.data
        self.offsets: Any = octets.offsets
        self.encoding: Any = array("B", encoding or [JSON] * rows)
        self.subscription_id: Any = array("q", [_UNTOUCHED]) * rows
        self.generator: Any = array("I", [_UNTOUCHED]) * rows
        self.generators: Any = [None]
        self.kind: Any = array("I", [_UNTOUCHED]) * rows
        self.event_time: Any = array("q", [_UNTOUCHED]) * rows
        self.observation_time: Any = array("q", [_UNTOUCHED]) * rows
        self.incomplete: Any = array("B", [_UNTOUCHED]) * rows
        self.sequence_number: Any = array("q", [_UNTOUCHED]) * rows

    def arguments(self) -> tuple[Any, ...]:
        """In the order of the function."""
        return (
            self.data, self.offsets, self.encoding, self.subscription_id, self.generator,
            self.generators, self.kind, self.event_time, self.observation_time, self.incomplete,
            self.sequence_number,
        )  # fmt: skip

    def read(self, native: Any) -> list[int]:
        """Call it; returns the rows that it left."""
        unusual: list[int] = native.read_envelopes(*self.arguments())
        return unusual

    def is_untouched(self, row: int) -> bool:
        """Are the entries of this row what they were?"""
        return all(getattr(self, name)[row] == _UNTOUCHED for name in OUTPUTS)

    def row(self, row: int) -> Row:
        """What it said of a message."""
        assert self.incomplete[row] in (0, 1)
        said = (self.subscription_id[row], self.event_time[row], self.observation_time[row])
        key, event, observed = (None if number == NOTHING else number for number in said)
        name = self.generators[self.generator[row]]
        return key, name, KINDS[self.kind[row]], event, observed, bool(self.incomplete[row])


def envelope_rows(
    native: Any, payloads: Sequence[bytes], encoding: Sequence[int] = ()
) -> list[Row | None]:
    """What it says of each message, None where Python has to look."""
    columns = EnvelopeColumns(payloads, encoding)
    unusual = columns.read(native)
    assert unusual == sorted(set(unusual))
    assert all(map(columns.is_untouched, unusual)), "Python's rows are left as they were"
    left = set(unusual)
    return [None if row in left else columns.row(row) for row in range(len(payloads))]
