"""Records and datagrams -> what a person may want to look at, one value for each thing that came.

Does: name device, source and destination of every message, decode its envelope, say what was
refused or stayed half built. Does not: read files, judge, or choose.

Rules: the records are those that the engine sees. They keep no destination, so that of a capture's
message is taken from its datagrams, found by source and ids; of ``DESTINATIONS`` messages at most.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec

from collector.core.inventory import Inventory
from collector.errors import WireError
from collector.model import (
    FLAG_IDS,
    FLAG_PRIVATE,
    CollectorTime,
    Notification,
    Observed,
    ObservedDatagram,
    ObservedHalfBuilt,
    ObservedMessage,
    ObservedRefusal,
    Origin,
    ReceivedBatch,
    RecordKind,
    RejectedNote,
    SidTable,
    UnreassembledNote,
)
from collector.pipeline.batch_columns import media_type_of
from collector.pipeline.schemas import sids_of
from collector.wire.captures.packets import UdpPacket
from collector.wire.notifications.notification import decode

DESTINATIONS: Final = 65_536
"""Messages whose destination is remembered (ours)."""
_HALF_BUILT: Final = int(RecordKind.UNREASSEMBLED)
_REJECTED: Final = int(RecordKind.REJECTED)
_DATA: Final = int(RecordKind.DATA)
_Key = tuple[str, int, bytes]
"""Source, source port, and the octets of both ids."""


class Observer:
    """Tells what came, in the order in which it was put together."""

    def __init__(
        self,
        tell: Callable[[Observed], None],
        *,
        inventory: Inventory | None = None,
        datagrams: bool = False,
    ) -> None:
        """
        Args:
            tell: called with everything that came.
            inventory: devices of datagrams; those of records are given with them.
            datagrams: whether single datagrams are wanted, too.
        """
        self._tell = tell
        self._inventory = inventory or Inventory({}, each_source=True)
        self._datagrams = datagrams
        self._destinations: OrderedDict[_Key, tuple[str, int, int]] = OrderedDict()

    # ------------------------------------------------------------------ what comes
    def datagram(self, arrival: int, packet: UdpPacket) -> None:
        """A datagram of a capture; its message comes later (``CaptureFiles.watch``)."""
        key = packet.source, packet.source_port, packet.payload[4:12]
        self._destinations[key] = packet.destination, packet.destination_port, packet.dscp
        self._destinations.move_to_end(key)
        if len(self._destinations) > DESTINATIONS:
            self._destinations.popitem(last=False)
        if self._datagrams:
            origin = Origin(
                self._inventory.device(packet.source) or "",
                packet.source,
                packet.source_port,
                packet.destination,
                packet.destination_port,
                packet.dscp,
            )
            time = CollectorTime(arrival)
            self._tell(ObservedDatagram(time, origin, packet.payload, packet.fragments))

    def records(
        self, batch: ReceivedBatch, devices: Sequence[str], sids: Mapping[str, SidTable]
    ) -> None:
        """Records in their order (``replay.Look``)."""
        for row, kind in enumerate(batch.kind):
            if kind == _DATA:
                self._tell(self._message(batch, row, devices[row], sids_of(sids, devices[row])))
            elif kind == _REJECTED:
                self._tell(self._refusal(batch, row, devices[row]))
            elif kind == _HALF_BUILT:
                self._tell(self._half_built(batch, row, devices[row]))

    # ------------------------------------------------------------------ records
    def _message(
        self, batch: ReceivedBatch, row: int, device: str, sids: SidTable
    ) -> ObservedMessage:
        has_ids, private = batch.flags[row] & FLAG_IDS, bool(batch.flags[row] & FLAG_PRIVATE)
        media_type, payload = batch.media_type[row], batch.payload[row]
        said, refused = _decoded(payload, media_type_of(batch, row), sids)
        return ObservedMessage(
            CollectorTime(batch.received_at[row]),
            self._origin(batch, row, device),
            batch.transport[row],
            batch.version[row],
            private,
            media_type,
            batch.publisher_id[row] if has_ids else None,
            batch.message_id[row] if has_ids else None,
            batch.segments[row],
            batch.options[row],
            payload,
            said,
            refused,
            sids,
        )

    def _refusal(self, batch: ReceivedBatch, row: int, device: str) -> ObservedRefusal:
        has_ids = batch.flags[row] & FLAG_IDS
        return ObservedRefusal(
            CollectorTime(batch.received_at[row]),
            self._origin(batch, row, device),
            batch.publisher_id[row] if has_ids else None,
            batch.message_id[row] if has_ids else None,
            msgspec.json.decode(batch.payload[row], type=RejectedNote),
        )

    def _half_built(self, batch: ReceivedBatch, row: int, device: str) -> ObservedHalfBuilt:
        return ObservedHalfBuilt(
            CollectorTime(batch.received_at[row]),
            self._origin(batch, row, device),
            batch.publisher_id[row],
            batch.message_id[row],
            msgspec.json.decode(batch.payload[row], type=UnreassembledNote),
        )

    def _origin(self, batch: ReceivedBatch, row: int, device: str) -> Origin:
        source, port = batch.peer[row], batch.port[row]
        ids = batch.publisher_id[row].to_bytes(4) + batch.message_id[row].to_bytes(4)
        destination = self._destinations.get((source, port, ids))
        if destination is None:
            return Origin(device, source, port)
        return Origin(device, source, port, *destination)


def _decoded(
    payload: bytes, media_type: int, sids: SidTable
) -> tuple[Notification | None, WireError | None]:
    try:
        return decode(payload, media_type, sids), None
    except WireError as error:
        return None, error
