"""What a message costs over the transports that have a library of their own: beside that library.

Does: hold what was measured, and find who measures a transport. Does not: measure. Rules: each
message comes in three ways, in turn, over the same connections: to a server on the bare library
that answers and keeps nothing; to our receiver, whose batches nobody keeps; to our receiver with
the journal behind it, answers after the commit. What counts is the CPU time of the receiving
process, all threads; connecting is not in it.
"""

from __future__ import annotations

import importlib
import statistics
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from collector.journal import Journal
from collector.model import ReceivedBatch
from tests.bench.netconf_handover import Way

TIMES: Final = 3
"""Each way; the median counts."""

MODULES: Final[Mapping[str, str]] = {
    "https": "tests.bench.https",
    "grpc": "tests.bench.grpc_dialout",
}
"""Name of a part of the benchmark -> module with ``measure(folder, quick)``."""


class TransportCost(Struct, frozen=True):
    """One transport with one encoding."""

    transport: str
    encoding: str
    octets: int
    """Of a payload."""
    connections: int
    bare: Way
    """The library, answering."""
    handed: Way
    """Our receiver; its batches are counted and thrown away."""
    journal: Way
    """Our receiver, into the journal."""

    @property
    def share(self) -> float:
        """Of what the bare library takes a core, the part that is handed over."""
        return self.bare.microseconds / self.handed.microseconds

    @property
    def share_into_journal(self) -> float:
        """The part that comes into the journal, with all that the disk costs."""
        return self.bare.microseconds / self.journal.microseconds


def measure(part: str, *, folder: Path | None, quick: bool) -> Iterator[TransportCost]:
    """Everything that a part measures; its library is imported only now."""
    made: Callable[..., Iterator[TransportCost]] = importlib.import_module(MODULES[part]).measure
    yield from made(folder=folder, quick=quick)


def median(name: str, messages: int, pairs: list[tuple[float, float]]) -> Way:
    """Of (CPU seconds, seconds) of a few runs with so many messages each."""
    cpu, wall = zip(*pairs, strict=True)
    return Way(name, messages, statistics.median(cpu), statistics.median(wall))


class OnlyCounts:
    """An intake that keeps nothing; everything is safe at once."""

    def __init__(self) -> None:
        self.messages = 0

    def take(self, batch: ReceivedBatch) -> int:
        """See ``interfaces.Intake``."""
        self.messages += len(batch)
        return self.messages

    async def committed(self, offset: int) -> None:
        """See ``interfaces.Intake``."""


class IntoJournal:
    """An intake that journals and looks at nothing."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self.messages = 0

    def take(self, batch: ReceivedBatch) -> int:
        """See ``interfaces.Intake``."""
        self.messages += len(batch)
        return self._journal.append(batch).next_offset

    async def committed(self, offset: int) -> None:
        """See ``interfaces.Intake``."""
        await self._journal.wait_committed(offset)


Intake = Any
"""``OnlyCounts`` or ``IntoJournal``."""
