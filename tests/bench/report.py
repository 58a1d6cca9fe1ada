"""What was measured, and as plain values for programs. Measures nothing; people read ``lines``."""

from __future__ import annotations

from typing import Any

import msgspec

from collector import fast
from tests.bench.bare import Bare
from tests.bench.end_to_end import EndToEnd
from tests.bench.equality import Equality
from tests.bench.latency import Lone, UnderLoad
from tests.bench.limits import Ingest
from tests.bench.many_sessions import Sessions
from tests.bench.netconf_handover import HandOver
from tests.bench.scaling import Point
from tests.bench.search import Found
from tests.bench.stages import StageCost
from tests.bench.startup import Memory, Start
from tests.bench.transports import TransportCost


class Report(msgspec.Struct):
    """Everything of one run; what was not asked for is empty."""

    machine: str
    path: str = fast.PATH
    """Which way the hot functions went: compiled or pure Python."""
    reference_microseconds: float = 0.0
    """What ``json.loads`` takes for one payload, here and now: tells a slow moment from a slow
    program."""
    stages: list[StageCost] = []
    runs: list[EndToEnd] = []
    found: Found[EndToEnd] | None = None
    bare: Bare | None = None
    """At the best rate."""
    flat_out: Bare | None = None
    """The same loop with all that the sender can send; what was dropped does not count."""
    ingest: Ingest | None = None
    latency: list[UnderLoad] = []
    lone: Lone | None = None
    sessions: list[HandOver] = []
    """NETCONF, one for each kind of stream."""
    transports: list[TransportCost] = []
    """Transports with a library of their own, one for each encoding."""
    start: Start | None = None
    memory: list[Memory] = []
    many_sessions: list[Sessions] = []
    """NETCONF sessions to many devices: those that we connect to, and those that call home."""
    scaling: list[Point] = []
    pictures: list[str] = []
    equality: list[Equality] = []

    @property
    def best(self) -> EndToEnd | None:
        """The highest rate that was sustained without loss."""
        good = [one for one in self.runs if one.sustained]
        return max(good, key=lambda one: one.rate) if good else None

    @property
    def lossless_rate(self) -> int:
        """Its messages a second; 0 without one."""
        return self.best.rate if self.best is not None else 0

    @property
    def times_the_bare_loop(self) -> float | None:
        """CPU of a message at the best rate against that of emptying the socket of it."""
        if self.best is None or self.bare is None or not self.bare.cpu_seconds:
            return None
        return self.best.microseconds / self.bare.microseconds_of_message


def plain(value: Any) -> Any:
    """A report, or a part of it, with what follows from it (its properties), for ``--json``."""
    if isinstance(value, msgspec.Struct):
        kind = type(value)
        names = [*value.__struct_fields__]
        names += [name for name, one in vars(kind).items() if isinstance(one, property)]
        return {name: plain(getattr(value, name)) for name in names}
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    return msgspec.to_builtins(value)
