"""A configured device, which nobody asked (RFC 8639 §2.5); a collector that comes in the middle."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from collector.config import Config, read_config_table
from collector.model import Outcome, Provenance, Verdict
from publisher_sim.device.run import override
from publisher_sim.device.service import DeviceService
from publisher_sim.scenario import Scenario, parse_scenario
from tests.beside import collecting, live, port_of, simulated
from tests.lab import Facts
from tests.waiting import until

pytestmark = pytest.mark.integration

ADDRESS = "127.0.4.2"
SCENARIO = f"""
name = "olt1"
address = "{ADDRESS}"
periods = 0
[period]
seconds = 0.2
[configured]
[netconf]
port = 0
password_env = "LAB_PASSWORD"
[master]
loss_detection_seconds = 0.5
[[card]]
name = "linecard1"
publisher_id = 101
interfaces = ["eth1"]
[[card]]
name = "linecard2"
publisher_id = 102
interfaces = ["eth2"]
"""


def config(folder: Path, port: int = 0) -> Config:
    table: dict[str, Any] = {
        "collector": {"data_dir": str(folder)},
        "udp_notif": {"port": port},
        "metrics": {"port": 0},
        "device": [{"name": "olt1", "sources": [ADDRESS]}],
        "known_subscription": [{"id": 100, "name": "olt", "period_seconds": 0.2}],
    }
    return read_config_table(table, file="lab")


@asynccontextmanager
async def collector(folder: Path, port: int = 0) -> AsyncIterator[tuple[Facts, int]]:
    async with collecting(config(folder, port)) as (service, facts):
        yield facts, port_of(service)


def pushing(scenario: Scenario, port: int) -> AbstractAsyncContextManager[DeviceService]:
    return simulated(override(scenario, receiver=f"127.0.0.1:{port}"))


def judged(facts: Facts, outcome: Outcome, provenance: Provenance) -> list[Verdict]:
    return [
        one
        for one in facts.verdicts["olt1"]
        if (one.outcome, one.provenance) == (outcome, provenance)
    ]


def misses(facts: Facts, generator: str) -> bool:
    """Whether a period lacks this one alone; where a machine stalls, others lack both."""
    incomplete = judged(facts, Outcome.INCOMPLETE, Provenance.LEARNED)
    return any([one.generator for one in row.missing] == [generator] for row in incomplete)


def test_a_start_that_is_heard_begins_everything(tmp_path: Path) -> None:
    """With and without a list; the second start of one id is a new revision."""

    async def main(folder: Path) -> None:
        async with collector(folder) as (facts, port):
            listed = parse_scenario(SCENARIO)
            async with pushing(listed, port):
                await until(lambda: judged(facts, Outcome.COMPLETE, Provenance.DECLARED))
            assert listed.configured is not None
            silent = structs.replace(listed.configured, announce_list=False)
            async with pushing(structs.replace(listed, configured=silent), port):
                await until(lambda: judged(facts, Outcome.COMPLETE, Provenance.LEARNED))
        first = judged(facts, Outcome.COMPLETE, Provenance.DECLARED)[0]
        second = judged(facts, Outcome.COMPLETE, Provenance.LEARNED)[0]
        assert set(first.required) == set(second.required) == {"101", "102"}
        assert (first.subscription_id, first.subscription_name) == (100, "olt")
        assert second.revision > first.revision
        origins = {(row.origin, row.mode) for row in facts.subscriptions}
        assert {origin for origin, _ in origins} == {"configured"}

    live(main(tmp_path))


def test_a_collector_comes_in_the_middle_and_comes_again(tmp_path: Path) -> None:
    """Nothing was heard of the start: it learns who delivers; a later list counts at once; after a
    restart it goes on where it was."""

    async def main(folder: Path) -> None:
        async with collector(folder / "unused") as (_, port):
            pass  # a port that is free
        async with pushing(parse_scenario(SCENARIO), port) as device:
            await asyncio.sleep(0.5)  # it pushes, and nobody listens
            async with collector(folder, port) as (facts, _):
                await until(lambda: judged(facts, Outcome.COMPLETE, Provenance.LEARNED))
                assert judged(facts, Outcome.UNKNOWN, Provenance.LEARNED) == []
                device._crew.stop_card(device._scenario.publisher("linecard2"))
                await until(lambda: misses(facts, "102"))
                await until(lambda: judged(facts, Outcome.COMPLETE, Provenance.DECLARED))
            assert judged(facts, Outcome.COMPLETE, Provenance.DECLARED)[0].required == ("101",)
            async with collector(folder, port) as (again, _):
                await until(lambda: len(judged(again, Outcome.COMPLETE, Provenance.DECLARED)) > 3)
            assert {one.required for one in again.verdicts["olt1"]} == {("101",)}

    live(main(tmp_path))
