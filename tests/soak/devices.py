"""The process of all simulated devices: ``python -m tests.soak.devices FOLDER``.

Reads FOLDER/scenarios.json, runs them as one fleet and prints what a fleet prints: the ready line,
then figures; truth files go to FOLDER/truth.
"""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec

from publisher_sim.fleet.running import run_fleet
from publisher_sim.scenario import Scenario

SCENARIOS = "scenarios.json"


def write(folder: Path, scenarios: list[Scenario]) -> None:
    """Say who is to run."""
    (folder / SCENARIOS).write_bytes(msgspec.json.encode(scenarios))


def main(folder: Path) -> None:
    """Run them to their ends."""
    scenarios = msgspec.json.decode((folder / SCENARIOS).read_bytes(), type=list[Scenario])
    run_fleet(
        scenarios,
        known_hosts=folder / "known_hosts",
        truth=folder / "truth",
        figures=True,
        quiet=False,
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
