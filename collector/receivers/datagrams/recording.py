"""Rows for what does not go by in columns: single messages, half-built ones, refused datagrams.

Does: append them to a batch and count them. Does not: decide what becomes of a datagram
(``batcher``).

Rules: a refused datagram becomes a REJECTED record while there are no more than
``rejected_per_second`` of them in the current second, a half-built message an UNREASSEMBLED one
while there are no more than ``half_built_per_second``; both are counted always. The ids of a
refused datagram are kept only when the fixed header is sound, that is when an option was at fault.
"""

from __future__ import annotations

from typing import Final

import msgspec

from collector.core.assembly.segments import Assembled, Fact, HalfBuilt
from collector.errors import WireError
from collector.model import (
    FLAG_IDS,
    FLAG_PRIVATE,
    SECOND,
    ReceivedBatch,
    RecordKind,
    RejectedNote,
    Transport,
    UnreassembledNote,
)
from collector.receivers.datagrams.counters import ReceiveCounters
from collector.receivers.datagrams.runs import KNOWN_MEDIA_TYPES
from collector.wire.udp_notif.datagrams import decode_options

_UDP: Final = int(Transport.UDP_NOTIF)
_DATA: Final = int(RecordKind.DATA)
_SOUND_HEADER: Final = frozenset({"bad-option", "bad-segmentation", "unknown-option"})
"""Reasons of refusal that leave the ids in the header believable."""
_encode_json = msgspec.json.Encoder().encode


class Recording:
    """Appends rows, within the allowances of each second."""

    def __init__(
        self, counters: ReceiveCounters, rejected_per_second: int, half_built_per_second: int
    ) -> None:
        self._counters = counters
        self._rejected_allowance = _Allowance(rejected_per_second)
        self._half_built_allowance = _Allowance(half_built_per_second)

    def facts(self, batch: ReceivedBatch, facts: list[Fact], now: int) -> None:
        """What reassembly says."""
        for fact in facts:
            if isinstance(fact, Assembled):
                self.message(batch, fact, now)
            else:
                self._half_built(batch, fact, now)

    def message(self, batch: ReceivedBatch, message: Assembled, now: int) -> None:
        """A whole message."""
        private, media_type = bool(message.form & 0x10), message.form & 0x0F
        counters = self._counters
        counters.messages += 1
        for option in decode_options(message.options):
            unknown = counters.unknown_options
            unknown[option.type] = unknown.get(option.type, 0) + 1
        counters.unknown_media_types += private or media_type not in KNOWN_MEDIA_TYPES
        batch.append(
            now,
            _DATA,
            message.payload,
            transport=_UDP,
            peer=message.source,
            port=message.port,
            version=message.form >> 5,
            flags=FLAG_IDS | (FLAG_PRIVATE if private else 0),
            media_type=media_type,
            publisher_id=message.publisher_id,
            message_id=message.message_id,
            segments=message.segments,
            options=message.options,
        )

    def _half_built(self, batch: ReceivedBatch, fact: HalfBuilt, now: int) -> None:
        self._counters.half_built += 1
        if not self._half_built_allowance.take(now):
            self._counters.half_built_unrecorded += 1
            return
        note = UnreassembledNote(fact.first_arrival, fact.segments_had, fact.segments_total)
        batch.append(
            now,
            RecordKind.UNREASSEMBLED,
            _encode_json(note),
            transport=_UDP,
            peer=fact.source,
            port=fact.port,
            version=fact.version,
            flags=FLAG_IDS,
            publisher_id=fact.publisher_id,
            message_id=fact.message_id,
            segments=fact.segments_had,
        )

    def rejected(
        self,
        batch: ReceivedBatch,
        error: WireError,
        datagram: bytes,
        arrival: int,
        peer: str,
        port: int,
    ) -> None:
        """Count a refused datagram, and record it unless there are too many."""
        rejected = self._counters.rejected
        rejected[error.reason] = rejected.get(error.reason, 0) + 1
        if not self._rejected_allowance.take(arrival):
            self._counters.rejected_unrecorded += 1
            return
        sound = error.reason in _SOUND_HEADER
        batch.append(
            arrival,
            RecordKind.REJECTED,
            _encode_json(RejectedNote(error.reason, str(error))),
            transport=_UDP,
            peer=peer,
            port=port,
            version=datagram[0] >> 5 if datagram else 0,
            flags=FLAG_IDS if sound else 0,
            publisher_id=int.from_bytes(datagram[4:8]) if sound else 0,
            message_id=int.from_bytes(datagram[8:12]) if sound else 0,
        )


class _Allowance:
    """So many in each second of arrivals."""

    def __init__(self, per_second: int) -> None:
        self._per_second = per_second
        self._second = 0
        self._taken = 0

    def take(self, now: int) -> bool:
        """Whether there is one left in the second of ``now``."""
        second = now // SECOND
        if second != self._second:
            self._second, self._taken = second, 0
        self._taken += 1
        return self._taken <= self._per_second
