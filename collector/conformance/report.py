"""What came of the rules: for each device and rule how often it was checked and broken.

Does: count, keep the first example of each break. Does not: print or judge.
"""

from __future__ import annotations

from typing import Any, Final

from msgspec import Struct

from collector.conformance.rules import Level, Rule

LONGEST: Final = 300
"""Characters of an example (ours)."""
_ORDER: Final = tuple(Level)


class Example(Struct, frozen=True):
    """The first time that a rule was broken."""

    time: int
    """ns since 1970; 0 for what shows at the end only."""
    where: str
    """Source and ids of the message, as far as there is one."""
    text: str


class Tally:
    """One rule and one device."""

    __slots__ = ("broken", "checked", "example", "rule", "topic")

    def __init__(self, topic: str, rule: Rule[Any]) -> None:
        self.topic = topic
        self.rule = rule
        self.checked = 0
        self.broken = 0
        self.example: Example | None = None

    def add(self, said: str | None, time: int, where: str) -> None:
        """What the rule said of one subject."""
        if said is None:
            return
        self.checked += 1
        if said:
            self.broken += 1
            if self.example is None:
                self.example = Example(time, where, said[:LONGEST])

    @property
    def result(self) -> str:
        """``broken``, ``kept`` or ``not checked``."""
        if not self.checked:
            return "not checked"
        return "broken" if self.broken else "kept"


class DeviceReport:
    """One device."""

    def __init__(self, device: str, catalogue: tuple[tuple[str, Rule[Any]], ...]) -> None:
        self.device = device
        self.messages = 0
        self.datagrams = 0
        """0 in a journal, which keeps messages."""
        self.dialout = 0
        """Messages of a vendor's gRPC dial-out, of which no standard speaks."""
        self.tallies = [Tally(topic, rule) for topic, rule in catalogue]

    def with_result(self, result: str) -> list[Tally]:
        """The rules that came to this, the most binding first."""
        found = [tally for tally in self.tallies if tally.result == result]
        return sorted(found, key=lambda tally: _ORDER.index(tally.rule.level))

    def fails(self, level: Level) -> bool:
        """Whether a rule of this level or of a more binding one is broken."""
        worst = _ORDER.index(level)
        return any(
            tally.broken and _ORDER.index(tally.rule.level) <= worst for tally in self.tallies
        )


class Report(Struct, frozen=True):
    """All devices, and what could not be looked at."""

    devices: tuple[DeviceReport, ...]
    left_out: int = 0
    """Messages and datagrams of devices beyond the bound, or of no device."""
