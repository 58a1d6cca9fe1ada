"""`collector configure` on a simulated device, and what then comes over UDP and HTTPS."""

from __future__ import annotations

import asyncio
import json
import time
import tomllib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from collector.cli import cli
from collector.comparison import Comparison, compare, read_truth
from collector.config import Config, load_config, read_config_table
from collector.model import Outcome, Provenance, Verdict
from collector.service import Service
from collector.service.clock import CollectorClock
from collector.service.configured_ids import with_ids
from collector.service.device_rows import devices
from collector.subscriber.configured.talk import Talk
from collector.subscriber.manager import session_factory
from collector.subscriber.sessions.session import settings_from
from collector.wire.netconf.rpc import RUNNING, EditConfig
from collector.wire.subscriptions.config import Edit, read_configuration, write_edits
from publisher_sim.device.service import DeviceService
from publisher_sim.scenario import parse_scenario
from tests.beside import live
from tests.calm import calmest, enough
from tests.lab import Facts
from tests.waiting import until

pytestmark = pytest.mark.integration

ADDRESS = "127.0.4.9"
SCENARIO = f"""
name = "core7"
address = "{ADDRESS}"
control_mode = "distributed-notif-19"
periods = 0
grace_seconds = 0.25
[period]
seconds = 0.5
[configuration]
[push]
updates_per_period = 2
[netconf]
port = 0
password_env = "LAB_PASSWORD"
[master]
interfaces = ["mgmt0"]
[[card]]
name = "linecard1"
publisher_id = 101
interfaces = ["eth1", "eth2"]
[[card]]
name = "linecard2"
publisher_id = 102
interfaces = ["eth3"]
hardware = ["fan1"]
[[fault]]
kind = "silent"
card = "linecard2"
at_period = 6
until_period = 8
[[fault]]
kind = "drop"
card = "linecard1"
at_period = 9
"""
REBOOTING = (
    SCENARIO[: SCENARIO.index("[[fault]]")].replace(
        "[configuration]", "[configuration]\nstartup = true"
    )
    + '[[fault]]\nkind = "restart"\nat_period = 7\n'
)


class Lab:
    """A collector, a device that can be configured, and the configuration that both share."""

    def __init__(self, folder: Path, scenario: str) -> None:
        self.folder = folder
        self.facts = Facts()
        self.scenario = parse_scenario(scenario)
        self.device = DeviceService(self.scenario, in_process=True, truth=folder / "truth.jsonl")
        self.service: Service
        self.ports: dict[str, int] = {}
        self.restore = ""

    def toml(self, period: float = 0.5, more: str = "", number: int = 100) -> str:
        netconf = self.device.server
        return f"""
[collector]
data_dir = "data"
[udp_notif]
port = {self.ports.get("udp-notif", 0)}
[https_notif]
enabled = true
plain_http = true
address = "127.0.0.1"
port = {self.ports.get("https-notif", 0)}
[metrics]
enabled = false
[cross_check]
interval_seconds = 1
[verdicts]
grace_seconds = 0.25
[[device]]
name = "core7"
sources = ["{ADDRESS}"]
[device.netconf]
host = "{netconf.host}"
port = {netconf.port or 830}
username = "collector"
password_env = "LAB_PASSWORD"
known_hosts = "known_hosts"
[[receiver_instance]]
name = "udp"
address = "127.0.0.1"
port = {self.ports.get("udp-notif", 1)}
max_segment_size = 600
[[receiver_instance]]
name = "web"
transport = "https"
address = "127.0.0.1"
port = {self.ports.get("https-notif", 1)}
[[subscription]]
name = "interfaces"
xpath = "/ietf-interfaces:interfaces"
period_seconds = {period}
configured_id = {number}
receivers = ["udp"]
{self.restore}
[[subscription]]
name = "hardware"
xpath = "/ietf-hardware:hardware"
period_seconds = 0.5
encoding = "encode-xml"
configured_id = 101
receivers = ["web"]
{more}
"""

    def write(self, **changes: Any) -> Path:
        path = self.folder / "c.toml"
        path.write_text(self.toml(**changes))
        return path

    async def configure(self, *options: str, **changes: Any) -> tuple[int, str]:
        """Run the command; its exit status and what it printed."""
        path = self.write(**changes)

        def run() -> tuple[int, str]:
            result = CliRunner().invoke(
                cli, ["configure", *options, "-c", str(path)], standalone_mode=False
            )
            if result.exception is not None:
                return 2, f"{type(result.exception).__name__}: {result.exception}"
            return int(result.return_value or 0), result.output

        return await asyncio.to_thread(run)

    def config(self) -> Config:
        return with_ids(load_config(self.folder / "c.toml"))

    async def reload(self) -> None:
        await self.service.reload(self.config())

    def verdicts(self, name: str) -> list[Verdict]:
        return [one for one in self.facts.verdicts["core7"] if one.subscription_name == name]

    def comparison(self) -> Comparison:
        return compare(read_truth(self.folder / "truth.jsonl"), self.facts.verdicts["core7"])


@asynccontextmanager
async def lab(folder: Path, scenario: str = SCENARIO) -> AsyncIterator[Lab]:
    one = Lab(folder, scenario)
    one.write()
    await one.device.start()
    (folder / "known_hosts").write_text(one.device.server.known_hosts_line())
    one.service = Service(read_config_table(_table(one), file="lab"), sinks=[one.facts])
    try:
        await one.service.start()
        for receiver in one.service.receivers:
            one.ports[receiver.name] = receiver.local_port  # type: ignore[attr-defined]
        one.write()
        await one.reload()
        yield one
    finally:
        await one.device.stop()
        await one.service.stop()


def _table(one: Lab) -> dict[str, Any]:
    """The same before the ports are known; a lab has no file for its start."""
    table = tomllib.loads(one.toml())
    table["collector"]["data_dir"] = str(one.folder / "data")
    table["device"][0]["netconf"]["known_hosts"] = str(one.folder / "known_hosts")
    return table


def complete(found: Lab, name: str, number: int = 3) -> bool:
    good = [
        one
        for one in found.verdicts(name)
        if (one.outcome, one.provenance) == (Outcome.COMPLETE, Provenance.DECLARED)
    ]
    return len(good) >= number


@pytest.mark.clause("8639-2.5-a", "8639-2.5.2")
def test_configured_reconfigured_and_removed(tmp_path: Path) -> None:
    found = calmest(tmp_path, _reconfigured, _compared)
    _compared(found)


def _compared(found: Comparison) -> None:
    enough(20, "core7", [found])


def _reconfigured(place: Path) -> Comparison:
    """What the collector said beside the truth, without what is under way at a change."""
    found: list[Comparison] = []

    async def main(folder: Path) -> None:
        async with lab(folder) as one:
            status, said = await one.configure("--dry-run")
            assert (status, "+ subscription 100" in said) == (1, True), said
            assert one.device._master.configured.states() == ()

            status, said = await one.configure("--yes", "--json")
            assert status == 0, said
            result = json.loads(said)
            assert result["datastore"] == "candidate"
            assert [change["entry"] for change in result["changes"]] == [
                "receiver-instance udp", "receiver-instance web", "subscription 100",
                "subscription 101",
            ]  # fmt: skip
            assert (await one.configure("--dry-run"))[0] == 0  # the same again is nothing
            await until(lambda: complete(one, "interfaces") and complete(one, "hardware"))
            for cause in (
                ("interfaces", "102", "silent"), ("hardware", "102", "silent"),
                ("interfaces", "101", "lost"),
            ):  # fmt: skip
                await until(lambda cause=cause: cause in _missing(one))
            await asyncio.sleep(1.5)

            moments = [time.time_ns()]
            status, said = await one.configure("--yes", period=1.0)
            assert (status, "period               0.5 s -> 1 s" in said) == (0, True), said
            await one.reload()
            await until(lambda: _has_period(one, "interfaces", 1_000_000_000))
            await asyncio.sleep(2.5)

            moments.append(time.time_ns())
            status, said = await one.configure("--remove", "--yes", period=1.0)
            assert status == 0, said
            assert one.device._master.configured.states() == ()
            assert (await one.configure("--remove", "--dry-run", period=1.0))[0] == 0
            await until(lambda: _ended(one) >= {"interfaces", "hardware"})
        found.append(one.comparison())
        differing = [each for each in found[0].differences if not _near(each.nominal_time, moments)]
        assert differing == [], "\n".join(each.sentence() for each in differing)

    live(main(place))
    return found[0]


def _near(nominal: int, moments: list[int]) -> bool:
    """What the master says overtakes what its cards said on connections of their own."""
    return any(-1_500_000_000 < nominal - moment < 1_500_000_000 for moment in moments)


def _missing(one: Lab) -> set[tuple[str, str, str]]:
    return {
        (verdict.subscription_name, each.generator, each.cause.value)
        for verdict in one.facts.verdicts["core7"]
        for each in verdict.missing
    }


def _has_period(one: Lab, name: str, period: int) -> bool:
    return any(
        row.period_cs == period // 10_000_000 for row in one.facts.subscriptions if row.name == name
    )


def _ended(one: Lab) -> set[str]:
    return {row.name for row in one.facts.subscriptions if row.state == "ended"}


def test_what_is_found_under_another_id_is_taken_over(tmp_path: Path) -> None:
    """The running collector knows it by its name; what is of others stays as it is."""

    async def main(folder: Path) -> None:
        async with lab(folder) as one:
            assert (await one.configure("--yes"))[0] == 0
            text = one.toml(number=177)
            assert "configured_id = 177" in text
            status, said = await one.configure("--yes", number=177)
            assert (status, "as wanted" in said) == (0, True), said
            await one.reload()
            known = {(row.id, row.name) for row in one.config().known_subscriptions}
            assert known == {(100, "interfaces")}
            await until(lambda: complete(one, "interfaces", 1))
            ids = {one.subscription_id for one in one.verdicts("interfaces")}
            assert ids == {100}
            looks = one.service.counters.cross_checks
            await until(lambda: looks["ok",] >= 2)  # in a session kept for that alone
            kinds = {event.kind for event in one.facts.events}
            assert kinds <= {"session_up", "clock_skew"}  # that is of a machine that stalls

    live(main(tmp_path))


def test_nobody_is_asked_where_nobody_can_answer(tmp_path: Path) -> None:
    async def main(folder: Path) -> None:
        async with lab(folder) as one:
            status, said = await one.configure()
            assert (status, "say --yes" in said) == (2, True), said
            status, said = await one.configure("core9", "--yes")
            assert (status, "no device core9" in said) == (2, True), said
            (folder / "known_hosts").write_text("")
            status, said = await one.configure("--yes")
            assert (status, "core7: the host key" in said) == (1, True), said

    live(main(tmp_path))


def test_what_a_device_loses_is_said_and_put_back(tmp_path: Path) -> None:
    """Another manager removes both; of one of them the file says that it is to be put back."""

    async def main(folder: Path) -> None:
        async with lab(folder) as one:
            one.restore = "configured_restore = true"
            status, said = await one.configure("--yes")
            assert status == 0, said
            assert "seen and confirmed" in said
            await one.reload()
            await until(lambda: _states(one) == {"interfaces": "active", "hardware": "active"})
            await _remove(one, 100, 101)
            await until(lambda: "no-such-subscription" in _why(one, "hardware"))
            assert _states(one)["hardware"] in ("terminated", "absent")
            await until(lambda: 100 in [s.id for s in one.device._master.configured.states()])
            await until(lambda: _states(one)["interfaces"] == "active")
            await until(lambda: _states(one)["hardware"] == "absent")
            assert [state.id for state in one.device._master.configured.states()] == [100]

    live(main(tmp_path))


def test_what_a_reboot_loses_is_put_back_and_saved(tmp_path: Path) -> None:
    """The device starts with another datastore, in which nobody had saved it."""

    async def main(folder: Path) -> None:
        async with lab(folder, REBOOTING) as one:
            one.restore = "configured_restore = true"
            status, said = await one.configure("--yes", "--no-startup")
            assert (status, "save this there, or a reboot ends it" in said) == (0, True), said
            await one.reload()
            deeds = one.device._master._timeline._waiting
            await until(lambda: not deeds, "the reboot")
            await until(lambda: _states(one)["hardware"] == "absent", lambda: _rows(one))
            await until(lambda: _states(one)["interfaces"] == "active", lambda: _rows(one))
            await until(lambda: _in_startup(one) == [100], lambda: _rows(one))
            await until(lambda: "does not show it" in _why(one, "hardware"), lambda: _rows(one))

    live(main(tmp_path))


def _in_startup(one: Lab) -> list[int]:
    configuring = one.device._master.configuring
    assert configuring is not None
    found = read_configuration(configuring.tree("startup").children)
    return [entry.id for entry in found.subscriptions]


def _rows(one: Lab) -> list[dict[str, Any]]:
    found = devices(one.service)["configured"]
    return [dict(row) for row in found]


def _why(one: Lab, name: str) -> str:
    return next(str(row["why"]) for row in _rows(one) if row["subscription"] == name)


def _states(one: Lab) -> dict[str, str]:
    return {row["subscription"]: row["state"] for row in _rows(one)}


async def _remove(one: Lab, *ids: int) -> None:
    """Another manager does it, in a session of its own."""
    netconf = one.config().devices[0].netconf
    assert netconf is not None
    settings = settings_from(netconf, "core7")
    make = session_factory(netconf.session)
    session = make(settings, lambda now, messages: None, CollectorClock())
    await session.open()
    try:
        talk = Talk(session)
        found = (await talk.read(RUNNING)).subscriptions
        edits = [Edit(entry, None) for entry in found if entry.id in ids]
        await talk.ask(EditConfig(RUNNING, write_edits(edits)))
    finally:
        await session.close()
