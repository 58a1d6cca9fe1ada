"""Journal records for the tests of the pipeline: what devices and we ourselves would have written.

Times are seconds after ``START``. A ``Story`` collects records; ``tell`` gives them to a pipeline,
in batches of any size.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from collector.config import read_config_table
from collector.journal import to_arrow
from collector.model import (
    FLAG_IDS,
    SECOND,
    DeviceTime,
    Event,
    Notification,
    NotificationKind,
    ReceivedBatch,
    RecordKind,
    RpcNote,
    SessionNote,
    StateChange,
    SubscriptionTerms,
    Transport,
    Verdict,
)
from collector.pipeline import Pipeline
from collector.pipeline.settings import encode_config
from collector.store.said import Said
from collector.wire.notifications.notification import encode
from collector.wire.values import names
from tests.columns import part_of

START = 1_800_000_000
SOURCE = "192.0.2.7"
STRANGER = "192.0.2.99"
DEVICE = "core7"
PERIOD = 10
CARDS = ("1", "2")


def ns(seconds: float) -> int:
    """As ns since 1970."""
    return START * SECOND + round(seconds * SECOND)


def update(time: float, subscription: int = 1) -> bytes:
    """A push-update in JSON."""
    told = Notification(
        NotificationKind.PUSH_UPDATE,
        "ietf-yang-push:push-update",
        names.ROOT_ENVELOPE,
        subscription,
        event_time=DeviceTime(ns(time)),
    )
    return encode(told, {"a:b": {"c": 1}})


def state_change(kind: NotificationKind, time: float, generators: tuple[str, ...]) -> bytes:
    """subscription-started or -modified with the list of cards."""
    terms = SubscriptionTerms(
        datastore="operational",
        period=PERIOD * SECOND,
        anchor_time=DeviceTime(ns(0)),
        encoding="encode-json",
    )
    told = Notification(
        kind,
        f"ietf-subscribed-notifications:{kind.value}",
        names.ROOT_ENVELOPE,
        1,
        event_time=DeviceTime(ns(time)),
        state_change=StateChange(terms, generators),
    )
    return encode(told, mode=names.MODE_DN_19)


class Story:
    """Records in the order of their arrival."""

    def __init__(self) -> None:
        self.batch = ReceivedBatch()
        self._ids: dict[int, int] = {}

    def note(self, at: float, kind: RecordKind, note: Any = None, **columns: Any) -> None:
        """A record of our own."""
        payload = b"" if note is None else note if isinstance(note, bytes) else _json(note)
        self.batch.append(ns(at), kind, payload, **columns)

    def data(
        self, at: float, payload: bytes, header: int = 1, *, peer: str = SOURCE, media_type: int = 1
    ) -> None:
        """A UDP-notif message with the next id of its header."""
        self._ids[header] = self._ids.get(header, 0) + 1
        self.batch.append(
            ns(at), RecordKind.DATA, payload, transport=Transport.UDP_NOTIF, peer=peer, port=4000,
            version=1, flags=FLAG_IDS, media_type=media_type, publisher_id=header,
            message_id=self._ids[header],
        )  # fmt: skip

    def over_netconf(self, at: float, payload: bytes, session: str) -> None:
        """A notification on a management session."""
        self.batch.append(
            ns(at), RecordKind.DATA, payload, transport=Transport.NETCONF, session=session,
            peer="198.51.100.1", media_type=2,
        )  # fmt: skip

    def started(self, at: float = 1, generators: tuple[str, ...] = CARDS) -> None:
        """The master announces the subscription."""
        kind = NotificationKind.SUBSCRIPTION_STARTED
        self.data(at, state_change(kind, at, generators), header=0)

    def periods(self, first: int, end: int, cards: Iterable[str] = CARDS) -> None:
        """Every card delivers in periods ``first`` to ``end``, and time goes on to the next."""
        for index in range(first, end):
            for card in cards:
                self.data(index * PERIOD + 0.2, update(index * PERIOD), header=int(card))
            self.note(index * PERIOD + 9, RecordKind.TICK)

    def configured(self, at: float = 0) -> None:
        """The start of a collector that knows the device."""
        config = read_config_table(
            {
                "alerts": {"log": False},
                "device": [{"name": DEVICE, "sources": [SOURCE]}],
            }
        )
        self.note(at, RecordKind.COLLECTOR_START)
        self.note(at, RecordKind.CONFIG, encode_config(config))

    def tell(
        self, pipeline: Pipeline, rows: int = 1 << 30, start: int = 0, end: int = 1 << 30
    ) -> list[Said]:
        """Give the records from offset ``start`` to ``end`` to a pipeline, ``rows`` a batch."""
        said = []
        for part in self.batches(rows, start, end):
            said.append(pipeline.receive(start, part, to_arrow(part)))
            start += len(part)
        return said

    def batches(
        self, rows: int = 1 << 30, start: int = 0, end: int = 1 << 30
    ) -> Iterator[ReceivedBatch]:
        """The records, ``rows`` a batch."""
        for first in range(start, min(end, len(self.batch)), rows):
            yield part_of(self.batch, first, min(first + rows, end))


def _json(note: Any) -> bytes:
    return msgspec.json.encode(note)


def rpc(operation: str, request: str, reply: str | None) -> RpcNote:
    """A request and its reply, bodies only."""
    base = "urn:ietf:params:xml:ns:netconf:base:1.0"
    return RpcNote(
        DEVICE,
        "interfaces",
        operation,
        f'<rpc xmlns="{base}" message-id="1">{request}</rpc>',
        None if reply is None else f'<rpc-reply xmlns="{base}" message-id="1">{reply}</rpc-reply>',
    )


def session(reason: str = "") -> SessionNote:
    """The session to the device."""
    return SessionNote(DEVICE, reason)


def updates(said: Iterable[Said]) -> list[dict[str, Any]]:
    """Rows of the table."""
    return [row for one in said if one.updates is not None for row in one.updates.to_pylist()]


def verdicts(said: Iterable[Said]) -> list[Verdict]:
    """All rows, in order."""
    return [row for one in said for row in one.verdicts]


def events(said: Iterable[Said], kind: str) -> list[Event]:
    """Events of one kind."""
    return [row for one in said for row in one.events if row.kind == kind]
