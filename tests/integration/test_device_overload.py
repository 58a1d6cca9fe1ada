"""The packaged scenario ``overload``: refused, suspended and resumed, and every verdict right."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from collector.comparison import Comparison, compare, read_truth
from collector.config import Config, read_config_table
from collector.model import SubscriptionRow
from publisher_sim.cli.scenario_argument import packaged
from publisher_sim.device.run import override
from publisher_sim.scenario import parse_scenario
from tests.beside import collecting, live, port_of, ready, simulated
from tests.calm import calmest, equal_to_the_truth, proven
from tests.lab import Facts, session_of

pytestmark = [pytest.mark.integration, pytest.mark.realtime]

PERIOD = 0.25
WEIGHTS = {"core": 200, "edge": 20, "rest": 5, "spare": 1}


def scenario(receiver: str) -> Any:
    """As packaged, four times as fast and with its deeds closer together."""
    text = packaged()["overload"]
    for before, after in (
        ("periods = 60", "periods = 25"),
        ("records_per_second = 12.0", f"records_per_second = {12 / PERIOD}"),
        ("kilobytes_per_second = 64.0", f"kilobytes_per_second = {64 / PERIOD}"),
        ("at_period = 20", "at_period = 7"),
        ("until_period = 30", "until_period = 11"),
        ("at_period = 36", "at_period = 15"),
        ("until_period = 44", "until_period = 19"),
        ("grace_seconds = 0.5", "grace_seconds = 0.15"),
    ):
        assert before in text
        text = text.replace(before, after)
    text += f'[period]\nseconds = {PERIOD}\n[netconf]\npassword_env = "LAB_PASSWORD"\n'
    return override(parse_scenario(text), receiver=receiver, netconf_port=0)


def config(folder: Path, ready: dict[str, Any] | None) -> Config:
    table: dict[str, Any] = {
        "collector": {"data_dir": str(folder / "data")},
        "udp_notif": {"port": 0},
        "metrics": {"port": 0},
    }
    if ready is not None:
        netconf = session_of(folder, ready)
        table["device"] = [
            {"name": "overload", "sources": [ready["netconf_host"]], "netconf": netconf}
        ]
        common = {
            "xpath": "/ietf-interfaces:interfaces | /ietf-hardware:hardware",
            "period_seconds": PERIOD,
            "grace_seconds": 0.15,
        }
        table["subscription"] = [
            {"name": name, "weighting": weighting, **common} for name, weighting in WEIGHTS.items()
        ]
    return read_config_table(table, file="lab")


def suspensions(rows: list[SubscriptionRow]) -> set[tuple[str, str]]:
    return {(row.name, row.reason) for row in rows if row.state == "suspended"}


class Ran(NamedTuple):
    """What came of a run."""

    suspended: set[tuple[str, str]]
    """(name, reason)"""
    comparison: Comparison


def ran(folder: Path) -> Ran:
    truth = folder / "truth.jsonl"
    said: list[Facts] = []

    async def main() -> None:
        async with collecting(config(folder, None)) as (service, facts):
            said.append(facts)
            described = scenario(f"127.0.0.1:{port_of(service)}")
            async with simulated(described, truth) as device:
                await service.reload(config(folder, ready(device)))
                await asyncio.wait_for(device.wait(), 60)
            await asyncio.sleep(1)

    live(main())
    (facts,) = said
    compared = compare(read_truth(truth), facts.verdicts["overload"])
    return Ran(suspensions(facts.subscriptions), compared)


def check(found: Ran) -> None:
    names = {name for name, reason in found.suspended if reason == "insufficient-resources"}
    assert names == {"rest", "spare"}
    names = {name for name, reason in found.suspended if reason == "update-too-big"}
    assert names == set(WEIGHTS)
    equal_to_the_truth(found.comparison, 40)
    for outcome in ("COMPLETE", "NOT_JUDGED"):
        shown = found.comparison.outcomes
        proven(shown.get(outcome, 0) >= 10, f"{outcome} among {shown}", [found.comparison])


@pytest.mark.clause("8639-2.3-b", "8641-3.11.1-c", "8641-A.2")
def test_who_weighs_least_waits_and_the_verdicts_say_so(tmp_path: Path) -> None:
    check(calmest(tmp_path, ran, check))
