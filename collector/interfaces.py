"""The contracts of what can be plugged in: receivers, encodings, sinks, and what they are given.

A plug-in, of this package or of any other, is one file that meets one of these contracts and one
entry-point line in its ``pyproject.toml`` (group ``yang_push_collector.receivers``, ``.encodings``
or ``.sinks``); the contract tests (``tests/contracts``) find it by themselves. Receivers and sinks
are also ``Configured``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Protocol, runtime_checkable

from msgspec import Struct

from collector.errors import WireError
from collector.model import (
    CollectorTime,
    Event,
    Notification,
    ReceivedBatch,
    SubscriptionRow,
    Verdict,
)


class Configured(Protocol):
    """What the class of a plug-in says of itself, a receiver or a sink.

    It is made with the keys of its section as keywords, a receiver with intake and clock before
    them: ``cls(intake, clock, **keys)``, ``cls(**keys)``. The section of a plug-in of another
    package is ``[receiver.NAME]`` or ``[sink.NAME]``.
    """

    settings: ClassVar[type[Struct]]
    """The keys of its section, each with type, default and limits; ``enabled`` is ours. Faults are
    said by key; a ``__post_init__`` that raises ValueError says what keys mean together. Paths in
    keys that end in ``file`` or ``folder`` count from the folder of the configuration. A secret is
    named by a key ``X_file`` or ``X_env`` and read with ``config.secret_from`` when it is needed:
    it is no part of the configuration."""
    title: ClassVar[str]
    """What people call it; without it, its name."""
    wants: ClassVar[frozenset[str]]
    """Keywords that a receiver is given besides (``service.sources.FURTHER``); without it, none."""


@runtime_checkable
class Clock(Protocol):
    """The collector's clock, handed in so that tests can pretend."""

    def now(self) -> CollectorTime:
        """ns since 1970; never goes back."""
        ...


@runtime_checkable
class Intake(Protocol):
    """Where receivers hand batches to; the journal and the pipeline stand behind it."""

    def take(self, batch: ReceivedBatch) -> int:
        """Take a batch over; returns the journal offset behind its last record.

        Raises:
            IntakeFullError: nothing was taken; the receiver stops reading and tries again later.
        """
        ...

    async def committed(self, offset: int) -> None:
        """Return once all records before ``offset`` are durable: only then acknowledge."""
        ...


class Telling(Protocol):
    """An ``Intake`` that also tells what it could not read of the batch that it took last."""

    unreadable: Mapping[int, WireError]
    """Row of the batch -> why its payload is no notification; empty for an intake that does not
    look. A transport with answers passes it on to its peer."""


@runtime_checkable
class Receiver(Protocol):
    """Takes notification messages from one transport and hands them to an ``Intake``."""

    name: str
    """Entry-point name, as in ``udp-notif``."""
    behind: bool
    """The last ``drain`` could not hand over all that had come: time must not be told yet."""
    reads_ahead: bool = False
    """What keeps it behind was read, with the time of its arrival: it is drained before others hand
    over what came later. False, also where a receiver does not say: it waits in the kernel."""

    async def start(self) -> None:
        """Return when listening. Raises ConfigError when the address cannot be used."""
        ...

    def drain(self) -> int:
        """Hand over what waits now, without blocking; returns the number of records taken.

        Called before a timer runs, so that the timer never overtakes waiting messages.
        """
        ...

    async def stop(self) -> None:
        """Hand over the rest and close. May be called twice, or without ``start``."""
        ...


@runtime_checkable
class Encoding(Protocol):
    """One serialisation of YANG data (floor 1: bytes <-> values, no state)."""

    name: str
    """As in ``yang-data-json``."""
    identity: str
    """``encode-json`` ...: the identity of RFC 8639 or of the transport draft."""
    media_type: int
    """Number in the UDP-notif header, 16 more in its private space (flag S); from 512 on what no
    header of UDP-notif can say. 256 to 511 are ours."""
    content_type: str
    """HTTP media type."""

    def decode(self, payload: bytes) -> Notification:
        """The envelope, contents left alone. Raises WireError."""
        ...

    def decode_contents(self, payload: bytes) -> Any:
        """The whole message as plain values (dict, list, str, int, ...). Raises WireError."""
        ...

    def encode(self, notification: Notification, contents: Any = None) -> bytes:
        """Wrap ``contents`` (plain values, RFC 7951 names) the way ``notification.root`` says."""
        ...


class UpdateColumns(Protocol):
    """Rows of the ``updates`` table said in one go, column by column (see store.tables)."""

    def __len__(self) -> int: ...


class Said(Protocol):
    """What the pipeline said about one batch of journal records."""

    @property
    def first_offset(self) -> int:
        """Journal offset of the batch's first record."""
        ...

    @property
    def next_offset(self) -> int:
        """Journal offset behind its last record."""
        ...

    @property
    def verdicts(self) -> Sequence[Verdict]:
        """In the order in which they were said, as the next two."""
        ...

    @property
    def events(self) -> Sequence[Event]:
        """What happened beside the verdicts."""
        ...

    @property
    def subscriptions(self) -> Sequence[SubscriptionRow]:
        """What changed of subscriptions."""
        ...


@runtime_checkable
class Sink(Protocol):
    """An output for what the pipeline says."""

    name: str

    def start(self) -> None:
        """Return when rows can be taken. Raises SinkError."""
        ...

    def write(self, said: Said) -> None:
        """Take rows. Raises SinkError; must not block on a slow peer without a bound."""
        ...

    def flush(self) -> None:
        """Return when what was taken is out of our hands. Raises SinkError."""
        ...

    def stop(self) -> None:
        """Flush and close. May be called twice, or without ``start``."""
        ...
