"""Journal records that are no data -> what the engine is told.

Does: requests and replies of the control plane, sessions, starts and stops, drops, half-built and
refused messages. Does not: touch data records (``flow``), keep verdict knowledge.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from collector.core.subscriptions.cross_check import Looked
from collector.errors import PeerError
from collector.model import (
    FLAG_IDS,
    SECOND,
    ClockNote,
    CollectorDown,
    CollectorStopped,
    CollectorTime,
    Dropped,
    DropsNote,
    Ended,
    EngineInput,
    Established,
    Event,
    Paused,
    PauseNote,
    ReceivedBatch,
    RecordKind,
    Rejected,
    RejectedNote,
    RpcNote,
    SessionNote,
    StoodStill,
    Tick,
    Unreassembled,
    UnreassembledNote,
)
from collector.pipeline.looks import looked
from collector.wire.netconf import rpc as netconf_rpc
from collector.wire.netconf.looks import CROSS_CHECK

_MAX_LOOK = 32_768
"""Elements of a cross-check's answer (ours): a thousand subscriptions of eight cards. They are read
while everybody else waits, a tenth of a second."""
_RPC = msgspec.json.Decoder(RpcNote)
_SESSION = msgspec.json.Decoder(SessionNote)
_CLOCK = msgspec.json.Decoder(ClockNote)
_PAUSE = msgspec.json.Decoder(PauseNote)
_DROPS = msgspec.json.Decoder(DropsNote)
_UNREASSEMBLED = msgspec.json.Decoder(UnreassembledNote)
_REJECTED = msgspec.json.Decoder(RejectedNote)


def engine_inputs(
    batch: ReceivedBatch, row: int, offset: int, device: str | None
) -> Iterator[EngineInput | Event | Looked]:
    """What one record tells the engine, and events that concern people only.

    ``device``: the device behind the record's peer address, None when unknown.
    """
    kind = batch.kind[row]
    now = CollectorTime(batch.received_at[row])
    payload = batch.payload[row]
    if kind == RecordKind.TICK:
        yield Tick(now, offset)
    elif kind == RecordKind.REPLY:
        yield from _reply(_RPC.decode(payload), now, offset)
    elif kind == RecordKind.SESSION_DOWN:
        note = _SESSION.decode(payload)
        yield Ended(now, note.device, None, "session-lost", offset)
        yield Event(now, note.device, "session", "session_down", _sentence(note))
    elif kind == RecordKind.SESSION_UP:
        note = _SESSION.decode(payload)
        text = f"The NETCONF session to {note.device} is up."
        yield Event(now, note.device, "session", "session_up", text)
    elif kind == RecordKind.DROPS:
        yield from _drops(_DROPS.decode(payload), now, offset)
    elif kind == RecordKind.CLOCK:
        yield from _clock(_CLOCK.decode(payload), now, offset)
    elif kind == RecordKind.PAUSE:
        yield from _pause(_PAUSE.decode(payload), now, offset)
    elif kind == RecordKind.COLLECTOR_STOP:
        yield CollectorStopped(now, offset)
    elif kind == RecordKind.UNREASSEMBLED and device is not None:
        half = _UNREASSEMBLED.decode(payload)
        yield Unreassembled(
            now,
            device,
            batch.peer[row],
            batch.port[row],
            batch.publisher_id[row],
            batch.message_id[row],
            half.first_arrival,
            offset,
        )
    elif kind == RecordKind.REJECTED and device is not None and batch.flags[row] & FLAG_IDS:
        yield Rejected(
            now,
            device,
            batch.peer[row],
            batch.port[row],
            batch.publisher_id[row],
            batch.message_id[row],
            _REJECTED.decode(payload).reason,
            offset,
        )


def _sentence(note: SessionNote) -> str:
    return f"The NETCONF session to {note.device} is down: {note.reason or 'closed'}."


def _drops(note: DropsNote, now: CollectorTime, offset: int) -> Iterator[EngineInput | Event]:
    yield Dropped(now, note.since, note.count, offset)
    text = f"{note.count} messages were dropped on our side ({note.where})."
    yield Event(now, "", note.where, "dropped_here", text)


def _pause(note: PauseNote, now: CollectorTime, offset: int) -> Iterator[EngineInput | Event]:
    away = note.until - note.since
    if note.refused:
        yield Paused(now, note.since, note.until, offset, note.stamped)
        text = f"Nothing was taken for {away / SECOND:.1f} s: {note.reason}."
        yield Event(now, "", "intake", "intake_paused", text)
        return
    yield StoodStill(now, note.since, note.until, offset, note.stamped)
    if away >= SECOND:
        text = f"The collector stood still for {away / SECOND:.1f} s: {note.reason}."
        yield Event(now, "", "intake", "stood_still", text)


def _clock(note: ClockNote, now: CollectorTime, offset: int) -> Iterator[EngineInput | Event]:
    """Time that the clock jumped over is time in which nobody could listen."""
    if note.moved > 0:
        yield CollectorDown(now, note.since, offset, clock_moved=True)
    text = f"The machine's clock was moved by {note.moved / SECOND:+.1f} s against the collector's."
    yield Event(now, "", "clock", "clock_moved", text)


def _look(note: RpcNote, now: CollectorTime, offset: int) -> Iterator[Looked]:
    """A device need not answer: whoever asked counts it."""
    try:
        reply = netconf_rpc.decode_reply((note.reply or "").encode(), most=_MAX_LOOK)
    except PeerError:
        return
    if reply.subscriptions:
        yield looked(reply.subscriptions, note.device, now, offset)


def _reply(
    note: RpcNote, now: CollectorTime, offset: int
) -> Iterator[EngineInput | Event | Looked]:
    """Only what was carried out changes anything; a refusal is an event."""
    if note.operation in netconf_rpc.READS:
        if note.subscription == CROSS_CHECK:
            yield from _look(note, now, offset)
        return
    try:
        reply = netconf_rpc.decode_reply((note.reply or "").encode(), most=netconf_rpc.MAX_OUTCOME)
        if reply.error is not None:
            raise reply.error
        operation = netconf_rpc.decode_rpc(note.request.encode()).operation
    except PeerError as error:
        text = f"{note.device} refused {note.operation} for {note.subscription}: {error}"
        yield Event(now, note.device, note.subscription, "request_refused", text)
        return
    if isinstance(operation, netconf_rpc.EstablishSubscription):
        if reply.subscription_id is None:
            text = f"{note.device} answered {note.operation} without a subscription id."
            yield Event(now, note.device, note.subscription, "request_refused", text)
            return
        yield Established(
            now,
            note.device,
            note.subscription,
            reply.subscription_id,
            operation.terms,
            reply.generators,
            offset,
            generator_leaf=reply.generator_leaf,
        )
    elif isinstance(operation, netconf_rpc.ModifySubscription):
        yield Established(
            now,
            note.device,
            note.subscription,
            operation.id,
            operation.terms,
            reply.generators,
            offset,
            modified=True,
            generator_leaf=reply.generator_leaf,
        )
    elif isinstance(operation, netconf_rpc.DeleteSubscription | netconf_rpc.KillSubscription):
        yield Ended(now, note.device, operation.id, "deleted", offset)
