"""What a management session writes into the journal.

What it does: builds ``ReceivedBatch`` columns for sessions, requests, replies and notifications,
and hands them over, waiting while the intake is full. What it does not: decide anything.

Rules: ``session`` is ``<device>/<NETCONF session-id>``; a notification has no ids of a transport
header (no FLAG_IDS) and is XML; a request is in the journal before it is on the wire.
"""

from __future__ import annotations

import asyncio
from array import array
from collections.abc import Mapping, Sequence
from itertools import accumulate

import msgspec
from msgspec.structs import replace

from collector.errors import IntakeFullError
from collector.interfaces import Clock, Intake
from collector.model import (
    Coded,
    CollectorTime,
    MediaType,
    Octets,
    ReceivedBatch,
    RecordKind,
    RpcNote,
    SessionNote,
    Transport,
)
from collector.subscriber.sessions.session import Arrived, NetconfSession

_RETRY_SECONDS = 0.1
"""How long to wait before a record of ours is offered again to a full intake."""


def session_name(device: str, session: NetconfSession) -> str:
    """Text of the ``session`` column."""
    return f"{device}/{session.session_id}"


class Recorder:
    """Writes the records of one device."""

    def __init__(self, device: str, intake: Intake, clock: Clock) -> None:
        self._device = device
        self._intake = intake
        self._clock = clock

    # ------------------------------------------------------------------ ours
    async def session(self, kind: RecordKind, session: NetconfSession, reason: str = "") -> None:
        """SESSION_UP or SESSION_DOWN; returns when it is taken."""
        await self._write(kind, msgspec.json.encode(SessionNote(self._device, reason)), session)

    async def request(self, session: NetconfSession, note: RpcNote) -> None:
        """REQUEST; returns when it is taken, and may then be sent."""
        await self._write(RecordKind.REQUEST, msgspec.json.encode(note), session)

    async def _write(self, kind: RecordKind, payload: bytes, session: NetconfSession) -> None:
        name = session_name(self._device, session)
        while True:
            try:
                self._intake.take(_columns(session, name, self._clock.now(), [kind], [payload]))
            except IntakeFullError:
                await asyncio.sleep(_RETRY_SECONDS)
            else:
                return

    # ------------------------------------------------------------------ the device's
    def arrived(
        self,
        session: NetconfSession,
        now: CollectorTime,
        messages: Sequence[Arrived],
        requests: Mapping[str, RpcNote],
    ) -> int:
        """Everything of one read: replies as REPLY with their request, all else as DATA.

        A reply to no request of ours (close-session, one given up) says nothing and is left out.

        Returns:
            The journal's offset behind them; 0 when nothing was left.

        Raises:
            IntakeFullError: nothing was taken.
        """
        name = session_name(self._device, session)
        if not any(message.root == "rpc-reply" for message in messages):
            payloads = [message.payload for message in messages]
            kinds: list[int] = [RecordKind.DATA] * len(payloads)
            return self._intake.take(_columns(session, name, now, kinds, payloads))
        kinds, payloads = [], []
        for message in messages:
            if message.root != "rpc-reply":
                kinds.append(RecordKind.DATA)
                payloads.append(message.payload)
                continue
            note = requests.get(message.message_id or "")
            if note is not None:
                kinds.append(RecordKind.REPLY)
                text = message.payload.decode(errors="replace")
                payloads.append(msgspec.json.encode(replace(note, reply=text)))
        return self._intake.take(_columns(session, name, now, kinds, payloads)) if kinds else 0


def _columns(
    session: NetconfSession,
    name: str,
    now: CollectorTime,
    kinds: list[int],
    payloads: list[bytes],
) -> ReceivedBatch:
    count = len(payloads)
    batch = ReceivedBatch()
    batch.received_at = array("q", [now]) * count
    batch.kind = array("B", kinds)
    batch.transport = array("B", [Transport.NETCONF]) * count
    batch.session = Coded.repeated(name, count)
    batch.peer = Coded.repeated(session.peer, count)
    batch.port = array("H", [session.port]) * count
    batch.version, batch.flags = array("B", bytes(count)), array("B", bytes(count))
    batch.media_type = array("H", [MediaType.YANG_DATA_XML]) * count
    batch.publisher_id, batch.message_id = array("I", [0]) * count, array("I", [0]) * count
    batch.segments = array("H", [1]) * count
    batch.options = Octets.empty(count)
    ends = accumulate(map(len, payloads), initial=0)
    batch.payload = Octets(b"".join(payloads), array("i", ends))
    return batch
