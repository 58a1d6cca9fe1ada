"""A simulated capture, distorted and judged, by the commands that the README names."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from collector.cli import main as collector_main
from publisher_sim.cli.distort import distort
from publisher_sim.cli.simulate import simulate

pytestmark = pytest.mark.integration


def test_from_scenario_to_verdicts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    made = CliRunner().invoke(simulate, ["quiet", "--periods", "60", "--pcap", "lab.pcap"])
    assert made.exit_code == 0, made.output
    known = "2147483649=1"
    spoilt = CliRunner().invoke(
        distort, ["lab.pcap", "bad.pcap", "--period", known, "--silent", "102:4", "--seed", "3"]
    )
    assert spoilt.exit_code == 0, spoilt.output
    with pytest.raises(SystemExit) as ended:
        collector_main(["replay", "bad.pcap", "--period", known, "--json", "--fail-on", "degraded"])
    assert ended.value.code == 1
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    last = {row["period_index"]: row for row in rows}
    missing = [row["missing"] for row in last.values() if row["outcome"] == "INCOMPLETE"]
    assert missing == [[{"generator": "102", "cause": "silent"}]] * 4
    assert sum(row["outcome"] == "COMPLETE" for row in last.values()) >= 50
