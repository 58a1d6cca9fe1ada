"""The control plane end to end: collector and simulated device in one process, over SSH.

One device, many subscriptions at once, so that one run shows many states.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncssh
import msgspec
import pytest

from collector.cli import status_of
from collector.config import Config, read_config_table
from collector.journal.reader import JournalReader
from collector.model import SECOND, DeviceTime, Outcome, RecordKind, RpcNote
from collector.service import Service, commands
from collector.service.gauges import refresh
from collector.subscriber.dynamic import held
from collector.wire.netconf.rpc import EstablishSubscription, decode_rpc
from tests.beside import collecting, live, ready, simulated
from tests.lab import PASSWORD, Facts, session_of
from tests.waiting import until

pytestmark = pytest.mark.integration

SCENARIO = """
name = "core7"
address = "127.0.4.9"
periods = 0
[receiver]
transport = "netconf"
[netconf]
port = 0
password_env = "LAB_PASSWORD"
completes = "configured"
[period]
minimum_seconds = 0.5
[limits]
subscriptions = 16
dscp = [0, 16]
[[card]]
name = "linecard1"
publisher_id = 101
interfaces = ["eth1/0", "eth1/1"]
[[stream]]
name = "alarms"
events_per_second = 20
[[filter]]
name = "down"
of = "stream"
xpath = "/ietf-hardware:hardware-state-oper-disabled"
[[fault]]
kind = "suspend"
at_period = 5
until_period = 8
reason = "unsupportable-volume"
[[fault]]
kind = "terminate"
at_period = 11
reason = "suspension-timeout"
"""


def subscription(name: str, **keys: Any) -> dict[str, Any]:
    if "stream" in keys:
        return {"name": name, **keys}
    usual = {"xpath": "/ietf-interfaces:interfaces", "encoding": "encode-xml"}
    return {"name": name, **usual, "period_seconds": 0.5, **keys}


def config(folder: Path, ready: dict[str, Any], *subscriptions: dict[str, Any]) -> Config:
    table: dict[str, Any] = {
        "collector": {"data_dir": str(folder / "data")},
        "udp_notif": {"enabled": False},
        "metrics": {"port": 0},
        "device": [{"name": "core7", "netconf": session_of(folder, ready)}],
        "subscription": list(subscriptions),
    }
    return read_config_table(table, file="lab")


STATE = {
    "name": "state",
    "xpath": "/ietf-interfaces:interfaces",
    "encoding": "encode-xml",
    "on_change": True,
}


class Running:
    """A collector and its device."""

    def __init__(self, service: Service, facts: Facts, ready: dict[str, Any]) -> None:
        self.service = service
        self.facts = facts
        self.ready = ready
        self.seen: set[tuple[Any, Any, str]] = set()
        """State, id and why of ``counters``, whenever somebody waited for something."""

    def row(self, name: str) -> dict[str, Any]:
        """The row of ``collector devices``."""
        rows = commands.devices(self.service)["devices"]
        return next((row for row in rows if row["subscription"] == name), {})

    async def until(self, condition: Callable[[], bool]) -> None:
        def seen() -> bool:
            row = self.row("counters")
            self.seen.add((row.get("state"), row.get("id"), row.get("why", "")))
            return condition()

        await until(seen, lambda: commands.devices(self.service)["devices"])

    async def comes_to(self, name: str, state: str) -> dict[str, Any]:
        await self.until(lambda: self.row(name).get("state") == state)
        return self.row(name)

    def asked(self, name: str) -> EstablishSubscription:
        """The first request for it, out of the journal."""
        for frame in JournalReader(self.service.folder).read():
            batch = frame.batch()
            for row, kind in enumerate(batch.kind):
                if kind == RecordKind.REQUEST:
                    note = msgspec.json.decode(batch.payload[row], type=RpcNote)
                    operation = decode_rpc(note.request.encode()).operation
                    if note.subscription == name and isinstance(operation, EstablishSubscription):
                        return operation
        raise AssertionError(f"{name} was not asked for")

    def updates(self, name: str) -> int:
        """push-updates of it in the journal."""
        number = self.row(name)["id"]
        found = 0
        for frame in JournalReader(self.service.folder).read():
            batch = frame.batch()
            for row, kind in enumerate(batch.kind):
                payload = batch.payload[row]
                if kind == RecordKind.DATA and b"<push-update" in payload:
                    found += f"<id>{number}</id>".encode() in payload
        return found

    def kinds(self, name: str) -> list[str]:
        """States of the subscription as the engine says them."""
        return [row.state for row in self.facts.subscriptions if row.name == name]


@asynccontextmanager
async def running(folder: Path, *subscriptions: dict[str, Any]) -> AsyncIterator[Running]:
    async with simulated(SCENARIO) as device:
        reach = ready(device)
        async with collecting(config(folder, reach, *subscriptions)) as (service, facts):
            yield Running(service, facts, reach)


def test_states_and_their_reasons(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything is asked for at once; each comes to the state that it has to come to."""
    # a lease is ten seconds at least: have it prolonged after one
    monkeypatch.setattr(held, "renewal_of", lambda stop, after: DeviceTime(stop - 9 * SECOND))
    soon = (datetime.now(UTC) + timedelta(seconds=3)).isoformat(timespec="seconds")

    async def main() -> None:
        async with running(
            tmp_path,
            subscription("child", dependency="counters"),
            subscription("counters", weighting=7),
            subscription("lease", stop_after_seconds=10),
            subscription("short", stop_time=soon),
            subscription("hinted", period_seconds=0.3, accept_hints=True),
            subscription("too-fast", period_seconds=0.3),
            subscription("marked", dscp=8),
            subscription("alarms", stream="alarms", filter_name="down", replay_seconds=3600),
            subscription("typo", stream="alarm"),
            subscription("versioned", module_versions={"ietf-interfaces": "2018-02-20"}),
            subscription("too-old", module_versions={"ietf-interfaces": "2014-05-08"}),
            STATE | {"name": "calm", "dampening_seconds": 0.5, "sync_on_start": False},
            STATE | {"name": "part", "excluded_changes": ["create", "delete"]},
            STATE | {"name": "config", "datastore": "running"},
        ) as lab:
            for name in ("versioned", "calm", "part"):
                await lab.comes_to(name, "active")
            old = await lab.comes_to("too-old", "refused")
            assert old["why"].startswith("revision-unsupported")
            other = await lab.comes_to("config", "refused")
            assert other["why"].startswith("datastore-not-subscribable")
            alarms = await lab.comes_to("alarms", "active")
            assert alarms["why"].startswith("what the device had kept begins at 20")
            assert (await lab.comes_to("too-fast", "refused"))["why"].startswith(
                "period-unsupported"
            )
            assert lab.row("too-fast")["why"].endswith("period-hint 50 (0.5 s)")
            assert (await lab.comes_to("marked", "refused"))["why"].startswith("dscp-unavailable")
            assert (await lab.comes_to("hinted", "active"))["why"] == (
                "every 0.5 s instead of 0.3 s, as the device hinted"
            )
            typo = await lab.comes_to("typo", "refused")
            assert typo["why"].endswith("perhaps it has no stream alarm")
            parent = (await lab.comes_to("counters", "active"))["id"]
            await lab.comes_to("child", "active")
            await lab.comes_to("lease", "active")
            before = lab.row("lease")["why"]
            assert before.startswith("ends at ")
            assert (await lab.comes_to("short", "completed"))["why"].endswith("Z has passed")
            # it just fell silent, as a device may, and nobody is blamed for that
            await lab.until(lambda: lab.kinds("short")[-1] == "ended")
            said = [row.reason for row in lab.facts.subscriptions if row.name == "short"]
            assert said[-1] == "stop-time"
            short = [v for v in lab.facts.verdicts["core7"] if v.subscription_name == "short"]
            assert {v.outcome for v in short} <= {Outcome.COMPLETE, Outcome.NOT_JUDGED}
            assert len(short) >= 3
            await lab.until(lambda: lab.row("lease")["why"] > before)
            assert lab.row("lease")["id"] is not None
            asked = lab.asked("child").terms
            assert asked.dependency == parent
            # the device suspends, resumes and ends what it has; all of it comes back
            suspended = ("suspended", parent, "suspended by the device: unsupportable-volume")
            await lab.until(lambda: suspended in lab.seen)
            await lab.until(lambda: lab.row("counters")["id"] not in (None, parent))
            ended = [why for state, _, why in lab.seen if state == "terminated"]
            assert ended[0].startswith("terminated by the device: suspension-timeout; asked again")
            await lab.until(lambda: lab.row("child")["state"] == "active")
            assert lab.kinds("counters")[:4] == ["active", "suspended", "active", "ended"]
            reasons = {row.reason for row in lab.facts.subscriptions if row.name == "counters"}
            assert {"unsupportable-volume", "suspension-timeout"} <= reasons

    live(main())


def test_killed_and_established_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async def main() -> None:
        async with running(tmp_path, subscription("counters"), STATE) as lab:
            await lab.comes_to("state", "active")
            first = (await lab.comes_to("counters", "active"))["id"]
            reach = [
                *("--user", lab.ready["username"], "--port", str(lab.ready["netconf_port"])),
                *("--password-file", str(tmp_path / "password")),
                *("--known-hosts", str(tmp_path / "known_hosts"), "--yes"),
            ]
            (tmp_path / "password").touch(mode=0o600)
            (tmp_path / "password").write_text(PASSWORD + "\n")
            host = lab.ready["netconf_host"]
            status = await asyncio.to_thread(status_of, ["kill", host, str(first), *reach])
            assert (status, capsys.readouterr().out) == (0, f"{host} ended subscription {first}\n")
            await lab.until(lambda: lab.row("counters")["id"] not in (None, first))
            ended = [row.reason for row in lab.facts.subscriptions if row.state == "ended"]
            assert ended == ["no-such-subscription"]
            assert await asyncio.to_thread(status_of, ["kill", host, "1", *reach]) == 2
            assert "does not end subscription 1: no-such-subscription" in capsys.readouterr().err
            store = ["--store", str(lab.service.folder)]
            before = lab.updates("state")
            assert await asyncio.to_thread(status_of, ["resync", "core7", *store]) == 0
            assert capsys.readouterr().out == "state: is sent as a whole\n"
            await lab.until(lambda: lab.updates("state") > before)
            await lab.service.reload(config(tmp_path, lab.ready, subscription("counters")))
            assert await asyncio.to_thread(status_of, ["resync", "core7", *store]) == 2
            assert "of core7 no on-change subscription is wanted" in capsys.readouterr().err
            status = await asyncio.to_thread(status_of, ["resync", "core7", "counters", *store])
            assert (status, capsys.readouterr().out[:29]) == (1, "counters: it is not on-change")

    live(main())


def test_another_configuration_and_another_life_of_the_device(tmp_path: Path) -> None:
    key = tmp_path / "host_key"
    asyncssh.generate_private_key("ssh-ed25519").write_private_key(str(key))
    text = SCENARIO.replace("[netconf]", f'[netconf]\nhost_key = "{key}"')

    async def main() -> None:
        async with simulated(text) as device:
            reach = ready(device)
            again = text.replace("port = 0", f"port = {reach['netconf_port']}")
            again = again.replace("subscriptions = 16", "subscriptions = 1")
            wanted = config(tmp_path, reach, subscription("counters"), subscription("b"))
            async with collecting(wanted) as (service, facts):
                lab = Running(service, facts, reach)
                first = (await lab.comes_to("counters", "active"))["id"]
                await lab.comes_to("b", "active")
                more = subscription("counters", period_seconds=1), subscription("c")
                await service.reload(config(tmp_path, reach, *more))
                await lab.comes_to("c", "active")
                assert lab.row("counters")["id"] == first, "it was modified"
                assert lab.row("b") == {}
                await device.stop()
                lost = await lab.comes_to("counters", "pending")
                assert lost["why"] == "its session ended"
                assert lost["session"] in ("connecting", "waiting")
                async with simulated(again):
                    await only_one_of_two(lab)

    live(main())


async def only_one_of_two(lab: Running) -> None:
    """The device that came back affords no second subscription."""
    assert (await lab.comes_to("counters", "active"))["id"] is not None
    await until(lambda: lab.row("c").get("why") != "its session ended", "it is asked for")
    refused = await lab.comes_to("c", "pending")
    refresh(lab.service)
    assert dict(lab.service.counters.subscriptions.items()) == {
        ("core7", "active"): 1,
        ("core7", "pending"): 1,
    }
    assert refused["why"].startswith("refused: insufficient-resources")
    assert "; asked again at 20" in refused["why"]
