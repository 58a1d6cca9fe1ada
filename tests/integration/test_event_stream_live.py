"""Event streams end to end: the simulated device sends, the collector subscribes and keeps."""

from __future__ import annotations

import socket
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncssh
import pytest
from msgspec import structs
from pyarrow import parquet

from collector.config import Config, read_config_table
from collector.model import SelectionFilter
from collector.service import Service
from collector.subscriber.states import SubscriptionPhase
from collector.wire.netconf.framing import encode_delimited
from collector.wire.netconf.hello import BASE_1_0, encode_hello
from collector.wire.notifications import notification
from publisher_sim.device.service import DeviceService
from publisher_sim.scenario import Configuration, parse_scenario
from publisher_sim.sources.events import DISABLED, EventRecord
from tests.beside import collecting, live, port_of, ready, simulated
from tests.lab import PASSWORD, Facts, session_of
from tests.waiting import until

pytestmark = pytest.mark.integration

ACTIVE = SubscriptionPhase.ACTIVE
SCENARIO = """
name = "core7"
address = "127.0.4.8"
periods = 0
[netconf]
port = 0
password_env = "LAB_PASSWORD"
[master]
hardware = ["psu1", "fan1"]
[[card]]
name = "linecard1"
publisher_id = 101
interfaces = ["eth1/0"]
[[stream]]
name = "alarms"
events_per_second = 20.0
replay_records = 1000
[[stream]]
name = "plain"
replay_records = 0
[[filter]]
name = "broken"
of = "stream"
xpath = "/ietf-hardware:hardware-state-oper-disabled"
"""


def config(folder: Path, ready: dict[str, Any], *subscriptions: dict[str, Any]) -> Config:
    table: dict[str, Any] = {
        "collector": {"data_dir": str(folder / "data")},
        "udp_notif": {"port": 0},
        "metrics": {"port": 0},
        "device": [
            {"name": "core7", "sources": ["127.0.4.8"], "netconf": session_of(folder, ready)}
        ],
        "subscription": list(subscriptions),
    }
    return read_config_table(table, file="lab")


def run(
    folder: Path,
    subscriptions: list[dict[str, Any]],
    scene: Callable[[DeviceService, Service, Facts], Awaitable[None]],
) -> None:
    async def main() -> None:
        async with simulated(SCENARIO) as device:
            wanted = config(folder, ready(device), *subscriptions)
            async with collecting(wanted) as (service, facts):
                await scene(device, service, facts)

    live(main())


def phase(service: Service, name: str) -> tuple[SubscriptionPhase, str]:
    """Phase and reason of a subscription."""
    (state,) = service.manager.states()
    found = [(one.phase, one.reason) for one in state.subscriptions if one.name == name]
    return found[0] if found else (SubscriptionPhase.PENDING, "")


def stored(folder: Path) -> Counter[tuple[int, str]]:
    """(event time, name) of every event record in the store."""
    found: Counter[tuple[int, str]] = Counter()
    for path in (folder / "data" / "store").glob("updates-*.parquet"):
        rows = parquet.read_table(path)
        for payload, media_type in zip(
            rows["payload"].to_pylist(), rows["media_type"].to_pylist(), strict=True
        ):
            said = notification.decode(payload, media_type)
            found[said.event_time or 0, said.name] += 1
    return found


@pytest.mark.clause("8639-2.1-c", "8640-6-b", "8639-7-a")
def test_records_are_kept_those_before_the_subscription_among_them(tmp_path: Path) -> None:
    """One session with a replay, a filter that has a name on the device, and sessions as events."""
    everything: list[EventRecord] = []
    counts: dict[str, tuple[int, int]] = {}

    async def scene(device: DeviceService, service: Service, facts: Facts) -> None:
        master = device._master
        alarms = master.streams.get("alarms")
        assert alarms is not None

        def sent() -> dict[str, tuple[int, int]]:
            found = {}
            for one in master.life_cycle:
                name = "broken" if one.meant else str(one.terms.stream)
                found[name] = (one.sent, one.excluded)
            return found

        await until(lambda: sent().get("alarms", (0,))[0] >= 40, "forty alarms")
        connection = await asyncssh.connect(
            "127.0.4.8", device.server.port, username="collector", password=PASSWORD,
            known_hosts=None, config=None,
        )  # fmt: skip
        async with connection:
            writer, reader, _ = await connection.open_session(subsystem="netconf", encoding=None)
            writer.write(encode_delimited(encode_hello((BASE_1_0,))))
            await until(lambda: sent()["NETCONF"][0] == 1, "the start of a session")
            del reader
        await until(lambda: sent()["NETCONF"][0] == 2, "the end of a session")
        counts.update(sent())
        everything.extend(alarms.past(0, None, time.time_ns())[: counts["alarms"][0]])
        assert {phase(service, name)[0] for name in ("alarms", "broken", "sessions")} == {ACTIVE}
        assert "begins at" in phase(service, "alarms")[1]  # earlier than the log: it says so
        await until(lambda: sent()["alarms"][0] > len(everything) + 5, "more alarms")
        assert facts.verdicts == {}  # a stream has no periods to judge

    run(
        tmp_path,
        [
            {"name": "alarms", "stream": "alarms", "replay_seconds": 60, "weighting": 9},
            {"name": "broken", "stream": "alarms", "filter_name": "broken", "dependency": "alarms"},
            {"name": "sessions", "stream": "NETCONF"},
        ],
        scene,
    )
    found = stored(tmp_path)
    names = Counter(name for _, name in found.elements())
    assert names["ietf-netconf-notifications:netconf-session-start"] == 1
    assert names["ietf-netconf-notifications:netconf-session-end"] == 1
    assert counts["alarms"] == (len(everything), 0)
    assert {(one.at, one.name) for one in everything} <= set(found)
    twice = Counter(
        name for (at, name), count in found.items() if count == 2 and at <= everything[-1].at
    )
    sent, excluded = counts["broken"]
    assert twice == {DISABLED: sent}
    assert excluded > 0


@pytest.mark.clause("8639-2.3-a")
def test_a_stream_ends_at_its_time_and_its_session_is_marked(tmp_path: Path) -> None:
    stop = datetime.now(UTC) + timedelta(seconds=3)

    async def scene(device: DeviceService, service: Service, facts: Facts) -> None:
        del facts
        await until(lambda: phase(service, "alarms")[0] is ACTIVE, "a subscription")
        (session,) = device.server._sessions.values()
        assert session._channel is not None
        octet = session._channel.get_extra_info("socket").getsockopt(
            socket.IPPROTO_IP, socket.IP_TOS
        )
        assert octet >> 2 == 16
        done = SubscriptionPhase.COMPLETED
        await until(lambda: phase(service, "alarms")[0] is done, "the end")
        assert len(device._master.life_cycle) == 0

    wanted = {"name": "alarms", "stream": "alarms", "dscp": 16, "stop_time": stop.isoformat()}
    run(tmp_path, [wanted], scene)
    assert stored(tmp_path)
    assert max(at for at, _ in stored(tmp_path)) < stop.timestamp() * 1e9


def test_what_the_device_refuses_is_said(tmp_path: Path) -> None:
    wanted: list[dict[str, Any]] = [
        {"name": "unknown", "stream": "weather"},
        {"name": "unnamed", "stream": "alarms", "filter_name": "nobody"},
        {"name": "unreadable", "stream": "alarms", "xpath": "/ietf-hardware:a[position()=last()]"},
        {"name": "forgetful", "stream": "plain", "replay_seconds": 5},
    ]

    async def scene(device: DeviceService, service: Service, facts: Facts) -> None:
        del device, facts
        said = {
            "unknown": "weather",
            "unnamed": "nobody",
            "unreadable": "filter",
            "forgetful": "replay",
        }
        for name, word in said.items():
            await until(lambda name=name: phase(service, name)[1], f"an answer to {name}")  # type: ignore[misc]
            assert word in phase(service, name)[1]

    run(tmp_path, wanted, scene)


@pytest.mark.clause("8639-2.7.2", "8639-2.7.3")
def test_a_filter_that_changes_on_the_device_and_goes(tmp_path: Path) -> None:
    async def scene(device: DeviceService, service: Service, facts: Facts) -> None:
        references = device._master.references
        await until(lambda: phase(service, "broken")[0] is ACTIVE, "a subscription")
        enabled = SelectionFilter("xpath", "/ietf-hardware:hardware-state-oper-enabled")
        device._do(references.put("stream", "broken", enabled, time.time_ns()))
        await until(
            lambda: any("oper-enabled" in row.filter for row in facts.subscriptions), "a change"
        )
        assert phase(service, "broken")[0] is ACTIVE
        device._do(references.remove("stream", "broken", time.time_ns()))
        await until(lambda: phase(service, "broken")[0] is not ACTIVE, "the end")
        assert any(row.reason == "filter-unavailable" for row in facts.subscriptions)
        await until(lambda: "no stream filter" in phase(service, "broken")[1], "a refusal")

    wanted = {"name": "broken", "stream": "alarms", "filter_name": "broken"}
    run(tmp_path, [wanted], scene)


INITIAL = """
<subscriptions xmlns="urn:ietf:params:xml:ns:yang:ietf-subscribed-notifications">
  <receiver-instances xmlns="urn:ietf:params:xml:ns:yang:ietf-subscribed-notif-receivers">
    <receiver-instance><name>R1</name>
      <udp-notif-receiver xmlns="urn:ietf:params:xml:ns:yang:ietf-udp-notif-transport">
        <remote-address>127.0.0.1</remote-address><remote-port>{port}</remote-port>
      </udp-notif-receiver></receiver-instance></receiver-instances>
  <subscription><id>200</id><stream>alarms</stream><configured-replay/>
    <transport xmlns:unt="urn:ietf:params:xml:ns:yang:ietf-udp-notif-transport"
      >unt:udp-notif</transport>
    <encoding>encode-json</encoding><stop-time>{stop}</stop-time>
    <receivers><receiver><name>R1</name>
      <receiver-instance-ref xmlns="urn:ietf:params:xml:ns:yang:ietf-subscribed-notif-receivers"
        >R1</receiver-instance-ref></receiver></receivers>
  </subscription></subscriptions>
"""


@pytest.mark.clause("8639-2.6-c")
def test_a_configured_stream_comes_where_its_receiver_listens(tmp_path: Path) -> None:
    """Replay and live records over UDP-notif, numbered without a hole, until its stop-time."""
    everything: list[EventRecord] = []
    stop = datetime.now(UTC) + timedelta(seconds=3)
    table: dict[str, Any] = {
        "collector": {"data_dir": str(tmp_path / "data")},
        "udp_notif": {"port": 0},
        "metrics": {"port": 0},
        "device": [{"name": "core7", "sources": ["127.0.4.8"]}],
    }
    said: list[Facts] = []

    async def main() -> None:
        async with collecting(read_config_table(table, file="lab")) as (service, facts):
            said.append(facts)
            initial = INITIAL.format(port=port_of(service), stop=stop.isoformat())
            configured = Configuration(initial=initial)
            scenario = structs.replace(parse_scenario(SCENARIO), configuration=configured)
            async with simulated(scenario) as device:
                await until(lambda: len(device._master.life_cycle) == 0, "the stop-time")
                alarms = device._master.streams.get("alarms")
                assert alarms is not None
                everything.extend(alarms.past(0, round(stop.timestamp() * 1e9), time.time_ns()))
                await until(lambda: any(r.to_time for r in facts.subscriptions), "its end")

    live(main())
    (facts,) = said
    (name,) = {row.name for row in facts.subscriptions}
    assert {row.id for row in facts.subscriptions} == {200}, name
    assert {row.origin for row in facts.subscriptions} == {"configured"}
    found = stored(tmp_path)
    assert len(everything) > 30
    assert found == Counter((one.at, one.name) for one in everything)
    assert not [event for event in facts.events if event.kind == "loss"]
    assert facts.verdicts == {}
