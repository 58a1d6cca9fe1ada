"""The truth file: JSON lines that another program compares a collector's verdict log with.

Does not: judge. Format version 1:

line 1   {"format": "publisher-sim-truth", "version": 1, "device": "core7", "seed": 7,
          "grace": ns or null (each period's default), "until": ns, "scenario": "name",
          "rows": count, "uncertain": count, "records": count}
rows     {"device": "core7", "subscription_id": 2147483649, "period_index": n, "number": k,
          "nominal_time": ns, "period": ns,
          "first": {"outcome": "INCOMPLETE", "missing": ["4"]},
          "last": {"outcome", "reason", "required": [..], "received": [..],
                   "missing": [{"generator", "cause"}], "degraded": [{"generator", "cause"}],
                   "unexpected": [..], "late_generators": [..]},
          "uncertain": false, "why": ""}

records  {"device": "core7", "subscription_id": 2147483649, "generator": "4", "time": ns,
          "patch_id": k or null, "edits": count, "incomplete": false, "fate": "good"}

Rows are in the order (subscription_id, nominal_time), one line a period. ``period_index`` is
floor(nominal_time / period): it counts from 1970; pair rows by nominal_time within period/2 all the
same. ``number`` counts from 0 at the first period under the same terms. Of a NOT_JUDGED row only
outcome and reason mean something. ``uncertain`` rows are not compared; ``why`` says in a word why
(``doubts``). Sets are written in the order of the list in force; compare them as sets.

Records are the update records of on-change subscriptions in the order (subscription_id, time):
``patch_id`` is null of a push-update, ``fate`` is ``good`` or why nobody could read it: ``lost``,
``unreassembled``, ``rejected``.

The file appears by rename, whole each time it is written.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from publisher_sim.files import write_together
from publisher_sim.truth.books import RecordMessage
from publisher_sim.truth.rows import PeriodTruth, Row

FORMAT = "publisher-sim-truth"
VERSION = 1


class Header(Struct, frozen=True):
    """First line."""

    device: str
    seed: int
    grace: int | None
    """ns; None when each period has its default."""
    until: int
    """ns since 1970: what is judged up to."""
    scenario: str
    rows: int = 0
    uncertain: int = 0
    records: int = 0
    format: str = FORMAT
    version: int = VERSION


class FirstRow(Struct, frozen=True):
    """What is compared of a first verdict."""

    outcome: str
    missing: tuple[str, ...]


class Blame(Struct, frozen=True):
    """A generator and why it is missing or degraded."""

    generator: str
    cause: str


class LastRow(Struct, frozen=True):
    """What is compared of a last verdict."""

    outcome: str
    reason: str | None
    required: tuple[str, ...]
    received: tuple[str, ...]
    missing: tuple[Blame, ...]
    degraded: tuple[Blame, ...]
    unexpected: tuple[str, ...]
    late_generators: tuple[str, ...]


class TruthLine(Struct, frozen=True):
    """One period."""

    device: str
    subscription_id: int
    period_index: int
    number: int
    nominal_time: int
    period: int
    first: FirstRow
    last: LastRow
    uncertain: bool
    why: str


class RecordLine(Struct, frozen=True):
    """One update record of an on-change subscription."""

    device: str
    subscription_id: int
    generator: str
    time: int
    """When it was assembled, ns since 1970."""
    patch_id: int | None
    edits: int
    incomplete: bool
    fate: str


def record_lines(device: str, records: Iterable[RecordMessage]) -> list[RecordLine]:
    """Update records as they stand in the file."""
    return [
        RecordLine(
            device, one.made.subscription_id, one.made.generator, one.made.planned,
            one.made.patch_id, one.made.edits, one.made.incomplete, one.fate,
        )
        for one in records
    ]  # fmt: skip


def lines(device: str, rows: Iterable[PeriodTruth]) -> list[TruthLine]:
    """The rows as they stand in the file."""
    return [_line(device, row) for row in rows]


def write(
    path: Path, header: Header, rows: Sequence[TruthLine], records: Sequence[RecordLine] = ()
) -> None:
    """Write the whole file beside ``path`` and rename it into place. Raises OSError."""
    write_together({path: encode(header, rows, records)})


def encode(
    header: Header, rows: Sequence[TruthLine], records: Sequence[RecordLine] = ()
) -> Iterable[bytes]:
    """The lines of the file, each with its end; the header's counts are set."""
    uncertain = sum(row.uncertain for row in rows)
    counts = {"rows": len(rows), "uncertain": uncertain, "records": len(records)}
    header = msgspec.structs.replace(header, **counts)
    encoder = msgspec.json.Encoder()
    return (encoder.encode(line) + b"\n" for line in (header, *rows, *records))


def read(path: Path) -> tuple[Header, list[TruthLine]]:
    """The file's content. Raises OSError, msgspec.ValidationError."""
    first, *rest = path.read_bytes().splitlines()
    header = msgspec.json.decode(first, type=Header)
    decoder = msgspec.json.Decoder(TruthLine)
    return header, [decoder.decode(line) for line in rest[: header.rows]]


def _line(device: str, row: PeriodTruth) -> TruthLine:
    return TruthLine(
        device=device,
        subscription_id=row.subscription_id,
        period_index=row.nominal // row.period,
        number=row.number,
        nominal_time=row.nominal,
        period=row.period,
        first=FirstRow(row.first.outcome, tuple(one for one, _ in row.first.missing)),
        last=_last(row.last),
        uncertain=bool(row.why),
        why=row.why,
    )


def _last(row: Row) -> LastRow:
    return LastRow(
        outcome=row.outcome,
        reason=row.reason,
        required=row.required,
        received=row.received,
        missing=tuple(Blame(*pair) for pair in row.missing),
        degraded=tuple(Blame(*pair) for pair in row.degraded),
        unexpected=row.unexpected,
        late_generators=row.late_generators,
    )
