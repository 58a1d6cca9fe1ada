"""What rules look at: frozen values of one thing that came and what was known before it.

Does not: gather them (``books``), or judge.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

from msgspec import Struct

from collector.conformance.anatomy import Parts
from collector.model import (
    MediaType,
    Notification,
    NotificationKind,
    ObservedDatagram,
    ObservedMessage,
    SubscriptionTerms,
    Transport,
)

UPDATES = (NotificationKind.PUSH_UPDATE, NotificationKind.PUSH_CHANGE_UPDATE)
WITH_TERMS = (NotificationKind.SUBSCRIPTION_STARTED, NotificationKind.SUBSCRIPTION_MODIFIED)
ENDS = (NotificationKind.SUBSCRIPTION_TERMINATED, NotificationKind.SUBSCRIPTION_COMPLETED)


class DatagramSubject(Struct, frozen=True):
    """One UDP datagram, its header not believed."""

    datagram: ObservedDatagram
    max_segment_size: int | None = None
    """What the publisher is configured with; None where nobody said it."""

    @property
    def octets(self) -> bytes:
        """UDP payload."""
        return self.datagram.octets

    @property
    def first(self) -> int | None:
        """First octet of a version-1 header; None of a shorter or another one."""
        octets = self.datagram.octets
        return octets[0] if len(octets) >= 12 and octets[0] >> 5 == 1 else None

    @property
    def options(self) -> list[tuple[int, bytes]] | None:
        """Type and data of the options; None where there is no sound header around them."""
        octets = self.datagram.octets
        if self.first is None or not 12 <= octets[1] <= len(octets):
            return None
        found, at, end = [], 12, octets[1]
        while at < end:
            length = octets[at + 1] if at + 1 < end else 0
            if not 2 <= length <= end - at:
                return None
            found.append((octets[at], octets[at + 2 : at + length]))
            at += length
        return found


class Earlier(Struct, frozen=True):
    """A message that came before, as far as later ones are compared with it."""

    message_id: int | None
    sequence_number: int | None
    subscription_id: int | None
    kind: NotificationKind
    event_time: int | None
    record_time: int | None
    """Observation time, else event time."""
    patch_id: str | None
    arrival: int
    stamp: int
    """Tells the octets of messages apart."""


class Series(Struct, frozen=True):
    """What was known of a subscription before a message."""

    state: str = ""
    """``active``, ``suspended``, ``ended``; empty while no state change was seen."""
    terms: SubscriptionTerms | None = None
    generators: tuple[str, ...] | None = None
    """The list in force."""
    ended_with: int | None = None
    """Message ID of the notification that ended or suspended it."""
    data: Earlier | None = None
    """Its last update, of any originator."""


class MessageSubject:
    """One notification message, and what was known before it."""

    def __init__(
        self,
        message: ObservedMessage,
        plain: Any,
        parts: Parts | None,
        *,
        series: Series,
        first_of_counter: bool,
        first_generator: str | None,
        previous: Earlier | None,
        previous_of_subscription: Earlier | None,
        previous_of_originator: Earlier | None,
        repeated: Earlier | None,
        parent: int | None,
        other_media_type: int | None,
    ) -> None:
        self.message = message
        self.plain = plain
        """The whole message as plain values; None when it cannot be read."""
        self.parts = parts
        self.series = series
        self.first_of_counter = first_of_counter
        """Nothing was seen of its header id before."""
        self.first_generator = first_generator
        """The originator of the first update of its header id; None before that."""
        self.previous = previous
        """The message before it of its header id, likewise of the next two; None: the first."""
        self.previous_of_subscription = previous_of_subscription
        self.previous_of_originator = previous_of_originator
        """Of its subscription and originator; only updates."""
        self.repeated = repeated
        """The message that had the same Message ID and header id lately."""
        self.parent = parent
        """Header id of the first state change of the device, this one included."""
        self.other_media_type = other_media_type
        """Another encoding that went to the same receiver; None without."""

    @property
    def said(self) -> Notification | None:
        """The envelope; None of a message that was refused."""
        return self.message.said

    @property
    def kind(self) -> NotificationKind | None:
        """None of a message that was refused."""
        return None if self.message.said is None else self.message.said.kind

    @property
    def is_udp(self) -> bool:
        """Whether it came over UDP-notif."""
        return self.message.transport == Transport.UDP_NOTIF

    @property
    def in_json(self) -> bool:
        """Whether it is JSON and was read."""
        return self.message.media_type == MediaType.YANG_DATA_JSON and self.parts is not None

    @property
    def named(self) -> Parts | None:
        """The parts, where members have the names of RFC 7951: in JSON and CBOR."""
        kinds = (MediaType.YANG_DATA_JSON, MediaType.YANG_DATA_CBOR)
        return self.parts if self.message.media_type in kinds else None

    @property
    def terms(self) -> SubscriptionTerms | None:
        """What a subscription-started or -modified says itself."""
        said = self.message.said
        return None if said is None or said.state_change is None else said.state_change.terms

    @property
    def what(self) -> str:
        """The kind of notification, for examples."""
        return "" if self.message.said is None else self.message.said.kind.value

    @property
    def generator(self) -> str | None:
        """Originator id in the payload."""
        return None if self.message.said is None else self.message.said.generator

    @property
    def record_time(self) -> int | None:
        """Observation time, else event time."""
        said = self.message.said
        if said is None:
            return None
        return said.event_time if said.observation_time is None else said.observation_time

    @cached_property
    def patch(self) -> dict[str, Any] | None:
        """The ``yang-patch`` of a push-change-update."""
        contents = None if self.parts is None else self.parts.leaf("datastore-changes")
        found = contents.get("yang-patch") if isinstance(contents, dict) else None
        if found is None and isinstance(contents, dict):
            found = contents.get("ietf-yang-patch:yang-patch")
        return found if isinstance(found, dict) else None

    def step(self, before: Earlier | None) -> int | None:
        """Message IDs from an earlier message to this one, modulo 2^32; None where unknown."""
        if before is None or before.message_id is None or self.message.message_id is None:
            return None
        return (self.message.message_id - before.message_id) % 2**32


class CounterSubject(Struct, frozen=True):
    """All that was seen of one header id."""

    source: str
    publisher_id: int
    subscriptions: int
    fine_steps: int
    """Steps of +1 from message to message of the header id, and odd ones."""
    odd_steps: int
    fine_in_subscriptions: int
    """The same, from message to message of each subscription."""
    odd_in_subscriptions: int


class SubscriptionSubject(Struct, frozen=True):
    """All that was seen of one subscription under one list of originators."""

    subscription_id: int
    period: int | None
    """ns."""
    generators: tuple[str, ...] | None
    heard: dict[str, int]
    """Originator -> updates."""
    span: int
    """ns that the list was in force while updates came."""


class PeriodSubject(Struct, frozen=True):
    """One judged period, by its last row."""

    subscription_id: int
    nominal_time: int
    provenance: str
    """Where the list of originators came from; empty without one."""
    received: tuple[str, ...]
    silent: tuple[str, ...]
    """Originators that sent nothing: no id of theirs is missing."""


class EventSubject(Struct, frozen=True):
    """Something that could be noticed, and was or was not."""

    kind: str
    """``overlap``, ``node_gone`` and ``id_differs`` of the engine, ``reply``, ``refused``."""
    text: str
    """What was noticed; empty when nothing was."""
