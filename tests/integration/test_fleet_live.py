"""A small fleet on real sockets: one listener for all, and a real collector that finds it right."""

from __future__ import annotations

import asyncio
import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import asyncssh
import pytest
from msgspec import structs

from collector.comparison import Comparison, compare, read_truth
from collector.config import read_config_table
from collector.service import Service
from publisher_sim.device.run import override
from publisher_sim.fleet.collecting import collector_config, known_hosts_line
from publisher_sim.fleet.figures import Figures
from publisher_sim.fleet.members import Muster, members
from publisher_sim.fleet.running import run_fleet
from publisher_sim.fleet.service import Fleet
from publisher_sim.scenario import Scenario, check, parse_scenario
from publisher_sim.scenario.behaviour import NAMES, behaviour_of
from tests.calm import calmest, enough, equal, equal_to_the_truth
from tests.lab import Facts, fault, scenario_toml

pytestmark = pytest.mark.integration

GRACE = 1.5
"""Seconds; wide, since all devices and the collector share a thread."""


def of(text: str, receiver: str) -> Scenario:
    return override(parse_scenario(text), receiver=receiver, netconf_port=0)


async def collected(fleet: Fleet, folder: Path, service: Service) -> None:
    """Run the fleet to its end with a collector beside it."""
    known = folder / "known_hosts"
    await fleet.start()
    public = fleet.door.host_key.export_public_key().decode().strip()
    known.write_text(known_hosts_line(fleet.scenarios, fleet.door.port, public))
    text = collector_config(fleet.scenarios, fleet.door.port, str(known))
    table: dict[str, Any] = tomllib.loads(text)
    table["collector"]["data_dir"] = str(folder / "data")
    table["metrics"] = {"port": 0}
    table["udp_notif"] = {"port": 0}
    for device, one in zip(table["device"], fleet.scenarios, strict=True):
        if one.behaviour.last_flag_in_top_bit:  # the only one that has to be told
            device["quirks"] = ["last-flag-in-top-bit"]
    await service.reload(read_config_table(table, file="fleet"))
    await asyncio.wait_for(fleet.wait(), 120)


async def run(folder: Path, make: Callable[[str], list[Scenario]]) -> tuple[list[Scenario], Facts]:
    """A fleet and what a collector said of it; ``make`` gets the receiver."""
    facts = Facts()
    empty = {
        "collector": {"data_dir": str(folder / "data")},
        "udp_notif": {"port": 0},
        "metrics": {"port": 0},
        "device": [{"name": "nobody", "sources": ["127.9.9.9"]}],
    }
    service = Service(read_config_table(empty, file="fleet"), sinks=[facts])
    await service.start()
    try:
        port = service.receivers[0].local_port  # type: ignore[attr-defined]
        scenarios = make(f"127.0.0.1:{port}")
        truth = folder / "truth"
        truth.mkdir()
        fleet = Fleet(scenarios, truth=truth)
        look = Figures(fleet)
        try:
            await collected(fleet, folder, service)
            figures = look.look()
            assert figures["refused"] == 0
            assert figures["devices"] == len(scenarios)
            assert figures["files"] < 600
        finally:
            await fleet.stop()
    finally:
        await service.stop()
    return scenarios, facts


def all_sorts(receiver: str) -> list[Scenario]:
    """A device of every personality, with something that goes wrong in each."""
    faults = fault("drop", 7, 9) + fault("silent", 10, 11)
    text = scenario_toml(
        "fleet", 1, faults, cards=2, periods=13, grace=GRACE, push='encodings = ["encode-json"]'
    )
    plain = of(text, receiver)
    found = members(plain, Muster(len(NAMES), first_address="127.10.7.250"))
    for number, name in enumerate(NAMES):
        like = structs.replace(found[number], behaves_like=name)
        if behaviour_of((name,)).publisher_id is not None:
            own = structs.replace(like.master, interfaces=("eth0", "eth1"))
            like = structs.replace(like, card=(), master=own)
        check(like)
        found[number] = like
    return found


class Ran(NamedTuple):
    """What came of a fleet."""

    scenarios: list[Scenario]
    comparisons: list[Comparison]


def ran(folder: Path, make: Callable[[str], list[Scenario]]) -> Ran:
    scenarios, facts = asyncio.run(run(folder, make))
    truths = {one.name: read_truth(folder / "truth" / f"{one.name}.jsonl") for one in scenarios}
    return Ran(scenarios, [compare(truths[n], facts.verdicts[n]) for n in truths])


def each_has_its_verdicts(found: Ran) -> None:
    for one, comparison in zip(found.scenarios, found.comparisons, strict=True):
        equal(comparison, one.behaves)
        assert comparison.compared + comparison.uncertain >= 6, one.behaves
    enough(5 * len(NAMES), "all devices", found.comparisons)


@pytest.mark.realtime
def test_every_verdict_about_devices_of_all_sorts_is_the_one_it_deserves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PUBLISHER_SIM_PASSWORD", "lab")
    found = calmest(tmp_path, lambda folder: ran(folder, all_sorts), each_has_its_verdicts)
    each_has_its_verdicts(found)


def behind_one_port(receiver: str) -> list[Scenario]:
    """Devices at one address whose updates come on the sessions."""
    text = scenario_toml("fleet", 5, cards=2, periods=8, grace=GRACE)
    text += '\n[receiver]\ntransport = "netconf"\n'
    return members(of(text, receiver), Muster(3, shared_port=True))


@pytest.mark.realtime
def test_sessions_tell_devices_behind_a_shared_port_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PUBLISHER_SIM_PASSWORD", "lab")

    def each_is_told_apart(found: Ran) -> None:
        for comparison in found.comparisons:
            equal_to_the_truth(comparison, 1)

    found = calmest(tmp_path, lambda folder: ran(folder, behind_one_port), each_is_told_apart)
    each_is_told_apart(found)


def test_users_name_the_device_behind_a_shared_port(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PUBLISHER_SIM_PASSWORD", "lab")
    text = scenario_toml("fleet", 2, cards=1) + '\n[receiver]\ntransport = "netconf"\n'
    scenarios = members(of(text, "127.0.0.1:1"), Muster(3, shared_port=True))

    async def log_in(port: int, user: str) -> bool:
        try:
            async with asyncssh.connect(
                "127.0.2.2", port, username=user, password="lab", known_hosts=None, config=None
            ):
                return True
        except asyncssh.PermissionDenied:
            return False

    async def whole() -> list[bool]:
        fleet = Fleet(scenarios)
        try:
            await fleet.start()
            users = ("collector-0002", "collector-0003", "collector-0004", "collector")
            return [await log_in(fleet.door.port, user) for user in users]
        finally:
            await fleet.stop()

    assert asyncio.run(whole()) == [True, True, False, False]


def test_an_address_of_no_device_lets_nobody_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PUBLISHER_SIM_PASSWORD", "lab")
    scenarios = members(of(scenario_toml("fleet", 3), "127.0.0.1:9"), Muster(2))

    async def whole() -> None:
        fleet = Fleet(scenarios)
        try:
            await fleet.start()
            with pytest.raises(asyncssh.PermissionDenied):
                await asyncssh.connect(
                    "127.0.0.1", fleet.door.port, username="collector", password="lab",
                    known_hosts=None, config=None,
                )  # fmt: skip
        finally:
            await fleet.stop()

    asyncio.run(whole())


def test_a_run_says_ready_and_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PUBLISHER_SIM_PASSWORD", "lab")
    monkeypatch.setattr("publisher_sim.fleet.running.FIGURES_SECONDS", 0.1)
    scenarios = members(of(scenario_toml("fleet", 4), "127.0.0.1:9"), Muster(20))
    known = tmp_path / "known"
    run_fleet(scenarios, known_hosts=known, truth=tmp_path / "t", duration=0.5, figures=True)
    ready, *figures = (json.loads(line) for line in capfd.readouterr().out.splitlines())
    assert ready["ready"]
    assert (ready["devices"], ready["publishers"]) == (20, 100)
    assert ready["known_hosts"] == known.read_text().strip()
    assert {"cpu_percent", "rss_mib", "behind_ms", "sent_per_second"} <= figures[0].keys()
