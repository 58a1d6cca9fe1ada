"""One notification message of a capture, and what a distortion did to it.

Does not: know octets; ``captured`` is what ``reading`` found and ``writing`` needs.
Times are ns since 1970.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from msgspec import Struct
from msgspec.structs import replace

SECOND = 1_000_000_000
MASK = 0xFFFF_FFFF
"""Message ids count modulo 2^32."""


Stream = tuple[str, int | None, str]
Counter = tuple[str, int, int | None]
"""Source, header id, and the subscription where each counts for itself (else -1)."""


class Captured(Struct, frozen=True):
    """A message as it stood in the capture."""

    payload: bytes
    media_type: int
    destination: str
    destination_port: int
    private_space: bool = False
    options: bytes = b""
    longest: int = 65_507
    """Octets of its longest datagram: what it is cut up to again."""
    offsets: tuple[int, ...] = (0,)
    """ns of each datagram, relative to the one that made it whole."""
    publisher_id: int = 0
    message_id: int = 0
    subscription_id: int | None = None
    generator: str | None = None
    """As read in the payload, None where it holds none."""
    event_time: int | None = None
    observation_time: int | None = None


class Message(Struct):
    """One message; the distortions change it, or mark what became of it."""

    at: int
    """Arrival at the receiver of the datagram that makes it whole."""
    source: str
    port: int
    publisher_id: int
    message_id: int
    subscription_id: int | None
    generator: str
    """Originator: the id in the payload, else the header's as text."""
    event_time: int | None
    observation_time: int | None
    update: bool = True
    """False for subscription state changes and whatever is no update."""
    on_change: bool = False
    datagrams: int = 1
    period: int | None = None
    """Number of the originator's period, by look-ahead; None where nothing is periodic."""
    captured: Captured | None = None
    members: tuple[str, ...] | None = None
    """Originators that a list in it is to name instead; None: as captured."""

    never: bool = False
    """The publisher did not send it."""
    lost: frozenset[int] = frozenset()
    """Datagrams that did not arrive."""
    late: int = 0
    """ns that a fault held it up."""
    copy_of: int | None = None
    """``number`` of the message that this is a duplicate of."""
    number: int = -1
    """Its place among all messages before the faults, in order of arrival."""
    rank: int = -1
    """Its place in the order of sending, where that is known to differ."""

    @property
    def time(self) -> int:
        """Record time: observation, else event, else arrival."""
        if self.observation_time is not None:
            return self.observation_time
        return self.at if self.event_time is None else self.event_time

    @property
    def arrives(self) -> bool:
        """Sent, and whole when it gets here."""
        return not self.never and not self.lost

    @property
    def stream(self) -> Stream:
        """Whose it is: (source, subscription, originator)."""
        return self.source, self.subscription_id, self.generator


def copied(messages: Iterable[Message]) -> list[Message]:
    """The same messages, to be changed without changing the originals."""
    return [replace(one) for one in messages]


def streams(messages: Iterable[Message]) -> dict[Stream, dict[int, list[Message]]]:
    """stream -> period -> its messages, in the order given; nothing without a period."""
    found: dict[Stream, dict[int, list[Message]]] = defaultdict(lambda: defaultdict(list))
    for one in messages:
        if one.period is not None:
            found[one.stream][one.period].append(one)
    return {stream: dict(sorted(found[stream].items())) for stream in found}


def sending_order(messages: Iterable[Message]) -> list[Message]:
    """As the publisher sent them, as far as known; else as they arrived."""
    return sorted(messages, key=lambda one: one.number if one.rank < 0 else one.rank)


def counters(messages: Iterable[Message]) -> dict[int, bool]:
    """header id -> True when each subscription behind it has a run of ids of its own.

    By look-ahead over everything: the way of counting with fewer breaks is the device's.
    """
    breaks: dict[tuple[int, bool], int] = defaultdict(int)
    last: dict[tuple[bool, Counter], int] = {}
    ids = set()
    for one in sending_order(messages):
        ids.add(one.publisher_id)
        for own in (False, True):
            key = own, _key(one, own)
            before = last.get(key)
            if before is not None and (before + 1) & MASK != one.message_id:
                breaks[one.publisher_id, own] += 1
            last[key] = one.message_id
    return {number: breaks[number, True] < breaks[number, False] for number in ids}


def counter_of(message: Message, own: dict[int, bool]) -> Counter:
    """The run of ids that a message belongs to."""
    return _key(message, own.get(message.publisher_id, False))


def _key(message: Message, own: bool) -> Counter:
    return message.source, message.publisher_id, message.subscription_id if own else -1
