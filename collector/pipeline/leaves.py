"""From stored updates to leaves: octets -> plain values -> leaves -> rows of the table ``leaves``.

Does: join ``wire`` (contents, which key a list seems to have) with ``schema`` (types, known keys)
by device. Does not: load modules (``schemas``), store rows.

Rules: only ``push-update`` has leaves here; a change has edits, which are no state. Contents that
cannot be read give no leaf and are counted: their envelope was good enough for the verdicts.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import groupby
from typing import Any, Final

import pyarrow as pa

from collector.config import Config
from collector.errors import UsageError, WireError
from collector.model import MediaType, NotificationKind
from collector.pipeline.schemas import DeviceSchemas
from collector.schema.flatten import Leaf, Leaves, flatten
from collector.store.leaf_rows import leaf_rows
from collector.store.query import QuerySession
from collector.store.said import Said, tables_of
from collector.store.tables import LEAVES
from collector.wire.notifications.nodes import contents_of, guess_key, lists_marked
from collector.wire.notifications.notification import decode_contents

log = logging.getLogger(__name__)

NOTHING_KNOWN: Final = DeviceSchemas()
COLUMNS: Final = tuple(
    name for name in LEAVES.names if name not in Leaf.__struct_fields__ and name != "number"
)
"""Of ``updates``: what a leaf has from its update."""
NEEDED: Final = (*COLUMNS, "kind", "media_type", "payload")
"""Columns of ``updates`` that ``rows_of`` reads."""
MOST_UPDATES: Final = 200_000
MOST_LEAVES: Final = 2_000_000
"""Found on demand at the most (ours): about 20 s, and 1 GB."""
_XML: Final = int(MediaType.YANG_DATA_XML)
_GUESS: Final = {marked: partial(guess_key, lists_marked=marked) for marked in (True, False)}
_Key = tuple[str, int | None]
"""Device and subscription id."""


def leaves_of(
    payload: bytes,
    media_type: int,
    device: str = "",
    known: DeviceSchemas = NOTHING_KNOWN,
    *,
    place: int = 0,
) -> Leaves:
    """The leaves of a push-update; none of a message without ``datastore-contents``, which are then
    not the whole.

    Args:
        payload: the whole message.
        media_type: as the journal has it.
        device: whose modules and SIDs count.
        known: modules and SIDs by device.
        place: which notification, where the message bundles several.

    Raises:
        WireError: the contents cannot be read.
    """
    sids = known.sids_of(device)
    contents = contents_of(decode_contents(payload, media_type, sids), place)
    if contents is None:  # no push-update, or hidden behind a SID that nobody knows
        return Leaves((), whole=False)
    marked = lists_marked(media_type)
    return flatten(
        contents,
        known.schema_of(device),
        guess_key=_GUESS[marked],
        sids=sids,
        typed=media_type != _XML,
        lists_marked=marked,
    )


class LeafMaker:
    """Rows of ``leaves`` for the updates that a configuration wants them of."""

    def __init__(
        self, config: Config, known: DeviceSchemas = NOTHING_KNOWN, *, every: bool = False
    ) -> None:
        """``every``: of all updates, whatever the configuration says."""
        self._always = every
        self._series: dict[_Key, str] = {}
        """Name of the series, of those that were ever told."""
        self.left_out: dict[str, int] = {}
        """Reason word -> updates of which leaves are missing: why their contents could not be
        read, or ``not-whole``."""
        self.configure(config, known)

    def configure(self, config: Config, known: DeviceSchemas) -> None:
        """What is wanted from now on, and what is known of it."""
        wanted = _wanted_series(config)
        self._known, self._wanted = known, wanted
        self._every = self._always or config.store.leaves

    @property
    def asked(self) -> bool:
        """Does anything want leaves?"""
        return self._every or bool(self._wanted)

    def tell(self, series: Iterable[tuple[str, int | None, str]]) -> None:
        """Device, subscription id and name of series that are known from before."""
        for device, number, name in series:
            self._series[device, number] = name

    def tables(self, said: Sequence[Said]) -> dict[str, pa.Table]:
        """``tables_of`` with the leaves; called by the store, in its own thread."""
        tables = tables_of(said)
        if self.asked:
            for one in said:
                self.tell((row.device, row.id, row.name) for row in one.subscriptions)
                self.tell(
                    (row.device, row.subscription_id, row.subscription_name) for row in one.verdicts
                )
            tables["leaves"] = self.rows_of(tables["updates"])
        return tables

    def rows_of(self, updates: pa.Table, most: int | None = None) -> pa.Table:
        """The leaves of rows of ``updates``; those of ``most`` leaves at the most."""
        columns = {name: updates.column(name).to_pylist() for name in ("device", *_LIGHT)}
        parts: list[tuple[int, Leaf]] = []
        payloads = updates.column("payload")
        for row, place in self._chosen(columns):
            media_type = columns["media_type"][row]
            found = self._leaves(payloads[row].as_py(), media_type, columns["device"][row], place)
            parts.extend((row, leaf) for leaf in found)
            if most is not None and len(parts) > most:
                break
        return leaf_rows(updates, parts)

    def _chosen(self, columns: Mapping[str, Sequence[Any]]) -> Iterator[tuple[int, int]]:
        """Row of every wanted update, and its place in its bundle."""
        offsets = columns["journal_offset"]
        for _, rows in groupby(range(len(offsets)), key=offsets.__getitem__):
            for place, row in enumerate(rows):
                key = (columns["device"][row], columns["subscription_id"][row])
                if columns["kind"][row] == NotificationKind.PUSH_UPDATE and self._wants(key):
                    yield row, place

    def _wants(self, key: _Key) -> bool:
        if self._every:
            return True
        devices = self._wanted.get(self._series.get(key, ""))
        return devices is not None and (not devices or key[0] in devices)

    def _leaves(self, payload: bytes, media_type: int, device: str, place: int) -> Sequence[Leaf]:
        try:
            found = leaves_of(payload, media_type, device, self._known, place=place)
        except WireError as error:
            self._count(error.reason)
            return ()
        except Exception:  # a fault of ours must not keep the segment from being stored
            self._count("internal-error")
            log.exception("The leaves of an update of %s could not be found.", device)
            return ()
        if not found.whole:
            self._count("not-whole")
        return found.leaves

    def _count(self, reason: str) -> None:
        self.left_out[reason] = self.left_out.get(reason, 0) + 1


def leaves_on_demand(
    session: QuerySession, maker: LeafMaker, since: int | None = None, until: int | None = None
) -> None:
    """Let ``leaves`` of a session be computed from the payloads that ``updates`` has.

    Args:
        session: asked, and changed.
        maker: with ``every``.
        since: as for ``QuerySession.run``, like ``until``.

    Raises:
        UsageError: so many that it would take too long; another range of times helps.
    """
    counted = session.run("SELECT count(*) FROM exact.updates", since=since, until=until)
    number = counted.column(0)[0].as_py()
    if number > MOST_UPDATES:
        raise _too_many(f"{number} updates")
    names = ", ".join(f'"{name}"' for name in NEEDED)
    sql = f"SELECT {names} FROM exact.updates"  # noqa: S608
    updates = session.run(sql, since=since, until=until)
    rows = maker.rows_of(updates, MOST_LEAVES)
    if rows.num_rows > MOST_LEAVES:
        raise _too_many(f"more than {MOST_LEAVES} leaves")
    session.replace("leaves", rows)


def _too_many(what: str) -> UsageError:
    return UsageError(f"there are {what} to look into: narrow it with --since and --until")


_LIGHT: Final = ("subscription_id", "kind", "media_type", "journal_offset")


def _wanted_series(config: Config) -> dict[str, Collection[str]]:
    """Name of a series -> devices of which leaves are wanted, empty for all."""
    found: dict[str, Collection[str]] = {}
    for one in config.subscriptions:
        if one.leaves:
            found[one.name] = () if "*" in one.devices else frozenset(one.devices)
    return found
