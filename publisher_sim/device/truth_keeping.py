"""Truth keeping: when the truth of a running device is written to its file, and how much it holds.

Does not: know what is in it (``device_truth``). Rules: the file is rewritten while the device runs,
so that a look at it helps early, as long as that is quick; what is noted is never forgotten, so
there is a limit to it. A file that cannot be written is tried again, and the last try counts.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path

from publisher_sim.device.device_truth import DeviceTruth
from publisher_sim.scenario import Scenario
from publisher_sim.truth import file as truth_file
from publisher_sim.truth.accounts import TruthFact

REWRITE_SECONDS = 5.0
"""How often the file is rewritten while running, at most; ours."""
MOST_SECONDS = 0.05
"""Once rewriting took so long it waits for the end: the master has ticks to keep."""
MAX_FACTS = 4_000_000
"""Facts that a truth is made of; the device stops rather than forget. About 1 GB; ours."""


class TruthKeeper:
    """Of one device; without a path it keeps nothing."""

    def __init__(
        self,
        scenario: Scenario,
        path: Path | None,
        *,
        progress: Callable[[str], None],
        on_full: Callable[[], None],
    ) -> None:
        """Nothing is known yet.

        Args:
            scenario: of the device.
            path: of the file; None: none is wanted.
            progress: gets a sentence when something goes wrong, and when it is well again.
            on_full: called once, with the last fact that can be kept.
        """
        self._path = path
        self._progress = progress
        self._on_full = on_full
        self._truth = DeviceTruth(scenario)
        self._facts = 0
        self._written_at = time.monotonic()
        self._cost = 0.0
        self._full = ""
        self._unwritten = ""

    @property
    def troubles(self) -> list[str]:
        """Why the file is not what it should be, in sentences."""
        return [sentence for sentence in (self._full, self._unwritten) if sentence]

    def note(self, fact: TruthFact) -> None:
        """Take one fact."""
        if self._path is None:
            return
        self._facts += 1
        if self._facts == MAX_FACTS:
            self._full = f"{self._path} holds {MAX_FACTS} facts, all it can: the run was cut short"
            self._progress(self._full)
            self._on_full()
        if self._facts <= MAX_FACTS:
            self._truth.note(fact)

    @property
    def due(self) -> bool:
        """Whether it is time to rewrite the file, and does not take long."""
        if self._path is None or self._cost >= MOST_SECONDS:
            return False
        return time.monotonic() - self._written_at >= REWRITE_SECONDS

    def write(self, until: int, facts: Iterable[TruthFact]) -> None:
        """Replace the file by what is known, with these facts, at an instant (ns since 1970)."""
        if self._path is None:
            return
        began = time.monotonic()
        for fact in facts:
            self.note(fact)
        truth = self._truth
        lines = truth.header(until), truth.rows(until), truth.records(until)
        before, self._unwritten = self._unwritten, ""
        try:
            truth_file.write(self._path, *lines)
        except OSError as error:
            self._unwritten = f"{self._path} cannot be written: {error.strerror}"
        if self._unwritten != before:
            self._progress(self._unwritten or f"{self._path} is written again")
        self._written_at = time.monotonic()
        self._cost = self._written_at - began
