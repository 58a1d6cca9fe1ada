"""The truth of one device: kept as its scenario has it, told as it stands in a truth file.

Does not: write the file (``truth.file`` does), or say when.
"""

from __future__ import annotations

from publisher_sim.scenario import Scenario
from publisher_sim.truth import Truth
from publisher_sim.truth import file as truth_file
from publisher_sim.truth.accounts import TruthFact
from publisher_sim.truth.file import Header, RecordLine, TruthLine


class DeviceTruth:
    """What one device deserves to be told; times in ns since 1970."""

    def __init__(self, scenario: Scenario) -> None:
        """Nothing has happened yet."""
        self._scenario = scenario
        self._truth = Truth(
            scenario.grace,
            counted=scenario.continuity != "none",
            anchor_off=scenario.behaviour.anchor_off,
            clock_shift=scenario.behaviour.clock_shift,
        )

    def note(self, fact: TruthFact) -> None:
        """Something happened."""
        self._truth.note(fact)

    def header(self, until: int) -> Header:
        """First line of the file."""
        scenario = self._scenario
        return Header(scenario.name, scenario.seed, scenario.grace, until, scenario.name)

    def rows(self, until: int) -> list[TruthLine]:
        """Of every period."""
        return truth_file.lines(self._scenario.name, self._truth.rows(until))

    def records(self, until: int) -> list[RecordLine]:
        """Of every update record of on-change subscriptions."""
        return truth_file.record_lines(self._scenario.name, self._truth.records(until))
