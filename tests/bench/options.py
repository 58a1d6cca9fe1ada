"""What one call of the benchmark is asked to do."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from tests.bench.load import CENTISECOND, Load, Plan
from tests.bench.stages import STAGES
from tests.bench.transports import MODULES

WHOLE = ("end-to-end", "ingest", "latency", "lone", "netconf", *MODULES, "start", "memory")
"""What is measured of whole processes."""
PARTS = (*STAGES, *WHOLE)
ON_REQUEST = ("sessions",)
"""Measured only when asked for by name: they take minutes."""
RATES = (20_000, 40_000, 60_000, 80_000)
QUICK_RATE = 2_000
DEVICES = 1000


class Options(Struct, frozen=True):
    """As on the command line; see there."""

    as_json: bool = False
    quick: bool = False
    stages: tuple[str, ...] = ()
    searching: bool = False
    budget: float = 240.0
    plot: Path | None = None
    axes: tuple[str, ...] = ()
    comparing: bool = False
    rates: tuple[int, ...] = ()
    seconds: float = 5.0
    devices: int | None = None
    cards: int = 8
    updates: int | None = None
    octets: int = 900
    encoding: str = "json"
    mtu: int = 1400
    loss: float = 0.0
    period: float = 1.0
    lanes: int = 1
    folder: Path | None = None

    def settled(self) -> Options:
        """With what follows from other options."""
        if not self.quick:
            return self
        return replace(self, devices=self.devices or 20, seconds=1.0, period=0.25)

    def parts(self) -> tuple[str, ...]:
        """What is measured, in the order of ``PARTS``."""
        if self.stages:
            return tuple(name for name in (*PARTS, *ON_REQUEST) if name in self.stages)
        if self.searching:
            return ("end-to-end",)
        if self.plot or self.comparing:
            return ()
        return PARTS

    def given_rates(self) -> tuple[int, ...]:
        """Rates to run."""
        return self.rates or ((QUICK_RATE,) if self.quick else RATES)

    def load(self) -> Load:
        """What is sent, at no certain rate."""
        return Load(
            devices=self.devices or DEVICES, cards=self.cards, updates=self.updates or 1,
            octets=self.octets, encoding=self.encoding, mtu=self.mtu, loss=self.loss,
            period=round(self.period * 100) * CENTISECOND,
        )  # fmt: skip

    def load_at(self, rate: int) -> Load:
        """What is sent at a rate: more updates, or more devices where updates are given, or a
        shorter period where both are."""
        load = self.load()
        if self.updates is None:
            return load.at_rate(rate)
        if self.devices is None:
            return load.with_devices_for(rate)
        period = max(10, round(load.devices * load.burst / rate * 100)) * CENTISECOND
        return replace(load, period=period)

    def plan(self, load: Load) -> Plan:
        """How long it is sent; quickly, it only shows that everything works."""
        if not self.quick:
            return Plan.of_seconds(load, self.seconds)
        return Plan(load, periods=2, ramp=1, learning=2, closing=2 if load.loss else 0)
