"""Lanes without processes: the plan, the folders, answers and numbers put together."""

from __future__ import annotations

import asyncio
import json
import random
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from prometheus_client import generate_latest

from collector.cli import status_of
from collector.config import Config, read_config_table
from collector.control import ControlServer
from collector.errors import ConfigError, UsageError
from collector.lanes import folders
from collector.lanes.answers import Answers
from collector.lanes.channel import Orders, Report, report_of
from collector.lanes.merging import merged_devices, merged_status
from collector.lanes.plan import callers_elsewhere, lane_of_device, plan_of
from collector.lanes.supervisor import Supervisor
from collector.metrics import (
    METRICS,
    Counters,
    Counts,
    Distribution,
    LaneCounters,
    counters_from_plain,
    counters_to_plain,
)
from collector.receivers.sockets.steering import lane_of
from collector.sinks.prometheus import make_lanes_registry
from tests.bpf import packet, run


def config_of(devices: dict[str, list[str]], **sections: Any) -> Config:
    """A name without sources is known by the name of its host."""
    table: dict[str, Any] = {"device": [], **sections}
    for name, sources in devices.items():
        netconf = {"host": f"{name}.example.net", "username": "u", "password_env": "PASSWORD"}
        table["device"].append({"name": name, "sources": sources, "netconf": netconf})
    return read_config_table(table)


TWO = {"a": ["192.0.2.1", "198.51.100.1"], "b": ["192.0.2.2"], "c": ["192.0.2.3", "203.0.113.3"]}


# --------------------------------------------------------------------------- plan
def test_a_device_is_where_its_first_address_says_with_all_of_them() -> None:
    plan = plan_of(config_of(TWO), 2)
    for name, sources in TWO.items():
        assert plan.devices[name] == lane_of(sources[0], 2)
        for source in sources:
            assert run(plan.program, packet(source))[0] == plan.devices[name]
    assert set(plan.devices.values()) == {0, 1}


def test_each_lane_gets_its_devices_its_folder_and_its_share_of_the_disk() -> None:
    config = config_of(
        TWO,
        collector={"data_dir": "/data", "lanes": 3},
        journal={"retention_bytes": 1000},
        store={"retention_bytes": 0},
    )
    plan = plan_of(config, 3)
    assert [one.collector.data_dir for one in plan.configs] == [f"/data/lane-{n}" for n in range(3)]
    assert [one.journal.retention_bytes for one in plan.configs] == [334] * 3
    assert [one.store.retention_bytes for one in plan.configs] == [0] * 3
    assert not any(one.metrics.enabled for one in plan.configs)
    placed = {d.name: lane for lane, one in enumerate(plan.configs) for d in one.devices}
    assert placed == dict(plan.devices)


def test_a_device_known_by_name_stays_when_its_address_is_found() -> None:
    config = config_of({"far": [], **TWO})
    before = plan_of(config, 4)
    found = msgspec.structs.replace(
        config,
        devices=tuple(
            msgspec.structs.replace(d, sources=("192.0.2.77",)) if d.name == "far" else d
            for d in config.devices
        ),
    )
    after = plan_of(config, 4, found)
    assert after.devices == before.devices
    assert run(after.program, packet("192.0.2.77"))[0] == before.devices["far"]
    assert lane_of_device(config.devices[0], 4) == before.devices["far"]
    in_lane = after.configs[before.devices["far"]].devices
    assert [d.sources for d in in_lane if d.name == "far"] == [("192.0.2.77",)]


def test_devices_that_come_and_go_move_nobody() -> None:
    more = plan_of(config_of(TWO | {f"n{n}": [f"10.0.0.{n}"] for n in range(50)}), 4)
    few = plan_of(config_of(TWO), 4)
    assert {name: more.devices[name] for name in TWO} == dict(few.devices)


def test_a_lane_knows_whom_a_call_that_went_astray_was_meant_for() -> None:
    keys = {name: f"SHA256:{letter * 43}" for name, letter in zip(TWO, "AQg", strict=True)}
    netconf = {"call_home": True, "username": "u", "password_env": "PASSWORD"}
    table = {
        "collector": {"lanes": 2},
        "call_home": {"enabled": True},
        "device": [
            {"name": name, "sources": TWO[name], "netconf": netconf | {"host_keys": [key]}}
            for name, key in keys.items()
        ],
    }
    plan = plan_of(read_config_table(table), 2)
    for lane in range(2):
        there = {key: name for name, key in keys.items() if plan.devices[name] != lane}
        assert callers_elsewhere(plan, lane) == there
    assert callers_elsewhere(plan_of(config_of(TWO), 2), 0) == {}


def test_the_lane_of_a_device_is_found_by_whoever_looks_for_it(tmp_path: Path) -> None:
    assert folders.folder_of(tmp_path, "a") == tmp_path
    folders.save_assignment(tmp_path, 1, {"a": 0})
    assert folders.folder_of(tmp_path, "a") == tmp_path
    folders.save_assignment(tmp_path, 2, {"a": 1})
    assert folders.folder_of(tmp_path, "a") == tmp_path / "lane-1"
    assert folders.folder_of(tmp_path, "new") == tmp_path


def test_a_configuration_that_cannot_be_steered_is_refused_before_anything_starts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rng = random.Random(1)
    text = "[collector]\nlanes = 2\n"
    for number in range(2000):
        sources = [".".join(str(rng.randrange(1, 224)) for _ in range(4)) for _ in range(6)]
        text += f'[[device]]\nname = "d{number}"\nsources = {json.dumps(sources)}\n'
    (tmp_path / "collector.toml").write_text(text)
    for command in ("check-config", "run"):
        arguments = [command, "-c", str(tmp_path / "collector.toml")]
        assert status_of([a for a in arguments if command == "run" or a != "-c"]) == 2
        said = capsys.readouterr().err
        assert "collector.lanes: " in said
        assert "more than the 4096 that the kernel takes (allowed: fewer lanes; fewer" in said
    assert not (tmp_path / "yang-push-data" / "lane-0").exists()


def test_orders_and_reports_survive_the_way_between_processes() -> None:
    config = config_of(TWO, alerts={"webhook": "https://alerts.example.net/hook"})
    orders = Orders(1, 2, plan_of(config, 2).configs[1])
    assert msgspec.json.decode(msgspec.json.encode(orders), type=Orders) == orders
    error = ConfigError("no", key="a.b")
    error.add_note("and more")
    report = report_of(error)
    assert msgspec.json.decode(msgspec.json.encode(report), type=Report) == report
    assert report == Report("a.b: no", ("and more",))


# --------------------------------------------------------------------------- folders
def test_folders_of_lanes_are_found_in_order(tmp_path: Path) -> None:
    assert folders.folders_with_data(tmp_path) == [tmp_path]
    for name in ("lane-10", "lane-2", "lane-x", "lane-0", "lane-²"):
        (tmp_path / name / "journal").mkdir(parents=True)
    names = [path.name for path in folders.folders_with_data(tmp_path)]
    assert names == ["lane-0", "lane-2", "lane-10"]
    (tmp_path / "store").mkdir()
    assert folders.folders_with_data(tmp_path)[0] == tmp_path
    assert [path.name for path in folders.left_behind(tmp_path, 3)] == [tmp_path.name, "lane-10"]
    assert folders.lane_number(tmp_path / "lane-10") == 10
    assert folders.lane_number(tmp_path) is None


def test_only_a_change_is_worth_a_word(tmp_path: Path) -> None:
    devices = {"a": 0, "b": 1}
    assert list(folders.notes_at_start(tmp_path, 2, devices)) == []
    folders.save_assignment(tmp_path, 2, devices)
    assert list(folders.notes_at_start(tmp_path, 2, devices)) == []
    (note,) = folders.notes_at_start(tmp_path, 2, {"a": 1, "b": 1, "new": 0})
    assert "learned anew" in note
    assert "1 device (a)" in note
    count, moved = folders.notes_at_start(tmp_path, 3, {"a": 0, "b": 2})
    assert "was 2 and is 3 now" in count
    assert "1 device (b)" in moved
    _, moved = folders.notes_at_start(tmp_path, 1, {"a": 0, "b": 0, "new": 0})
    assert "2 devices (a, b)" in moved


def test_from_one_lane_to_several_everybody_moves(tmp_path: Path) -> None:
    (tmp_path / "journal").mkdir()
    count, moved, left = folders.notes_at_start(tmp_path, 2, {f"d{n}": n % 2 for n in range(9)})
    assert "was 1 and is 2" in count
    assert "9 devices (d0, d1, d2, d3, d4, ...)" in moved
    assert "nobody writes or shortens it" in left


def test_what_has_to_be_closed(tmp_path: Path) -> None:
    (tmp_path / "journal").mkdir()
    assert folders.unfinished(tmp_path, 1) == []
    assert folders.unfinished(tmp_path, 2) == [tmp_path]
    for lane in (0, 1, 2):
        (tmp_path / f"lane-{lane}" / "journal").mkdir(parents=True)
    folders.save_assignment(tmp_path, 3, {})
    assert folders.unfinished(tmp_path, 3) == []
    assert [path.name for path in folders.unfinished(tmp_path, 2)] == ["lane-2"]
    folders.save_assignment(tmp_path, 3, {}, ended=True)
    assert folders.unfinished(tmp_path, 2) == []


@pytest.mark.parametrize("octets", [b"", b"[]", b'{"lanes": "two"}', b"\xff"])
def test_a_damaged_note_is_no_note(tmp_path: Path, octets: bytes) -> None:
    (tmp_path / folders.ASSIGNMENT).write_bytes(octets)
    assert folders.load_assignment(tmp_path) is None


# --------------------------------------------------------------------------- answers
STATUS = {
    "data_dir": "/data/lane-0",
    "healthy": True,
    "health": "ok",
    "listening": [{"receiver": "udp-notif", "port": 7}],
    "datagrams_received": 5,
    "journal_next_offset": 10,
    "periods": {"COMPLETE": 2},
    "config_reloads": 1,
    "something_new": None,
}


def test_status_adds_up_what_can_be_added() -> None:
    second = STATUS | {"periods": {"COMPLETE": 1, "UNKNOWN": 4}, "datagrams_received": 7}
    known = {lane: {"lane": lane} for lane in (0, 1)}
    merged = merged_status({0: STATUS, 1: second}, known)
    assert merged["datagrams_received"] == 12
    assert merged["periods"] == {"COMPLETE": 3, "UNKNOWN": 4}
    assert [row["lane"] for row in merged["listening"]] == [0, 1]
    assert [row["journal_next_offset"] for row in merged["lanes"]] == [10, 10]
    assert not {"journal_next_offset", "data_dir", "health", "config_reloads"} & set(merged)
    assert merged["something_new"] is None
    assert STATUS["periods"] == {"COMPLETE": 2}


def test_a_lane_that_does_not_answer_is_named() -> None:
    known = {0: {"lane": 0}, 1: {"lane": 1}}
    merged = merged_status({0: "it does not answer", 1: "was ended by SIGKILL"}, known)
    assert [row["health"] for row in merged["lanes"]] == [
        "it does not answer",
        "was ended by SIGKILL",
    ]
    answers = {0: {"devices": [{"device": "a"}], "unknown_senders": []}, 1: "it is starting"}
    devices = merged_devices(answers)
    assert devices["devices"] == [{"device": "a", "lane": 0}]
    assert devices["lanes_not_answering"] == ["lane 1: it is starting"]
    assert "lanes_not_answering" not in merged_devices({0: answers[0]})


def test_of_the_unknown_senders_those_who_sent_most() -> None:
    answers = {
        lane: {"unknown_senders": [{"address": f"{lane}.{n}", "messages": n} for n in range(40)]}
        for lane in (0, 1)
    }
    shown = merged_devices(answers)["unknown_senders"]
    assert len(shown) == 50
    assert shown[0] == {"address": "0.39", "messages": 39, "lane": 0}
    most = sorted([*range(40), *range(40)], reverse=True)
    assert [row["messages"] for row in shown] == most[:50]


# --------------------------------------------------------------------------- numbers
def filled() -> Counters:
    """Every metric holds something."""
    counters = Counters()
    for number, metric in enumerate(METRICS, start=1):
        value = getattr(counters, metric.attribute)
        if isinstance(value, Counts):
            value.add(tuple(f"{label}-{number}" for label in metric.labels), number)
        elif isinstance(value, Distribution):
            value.observe(0.3, number)
        else:
            setattr(counters, metric.attribute, number)
    return counters


def page(counters: dict[int, Counters]) -> list[str]:
    registry = make_lanes_registry(lambda: counters, LaneCounters)
    lines = generate_latest(registry).decode().splitlines()
    return [line for line in lines if not line.startswith("#")]


def test_every_metric_survives_the_way_and_says_its_lane() -> None:
    sent = msgspec.msgpack.encode(counters_to_plain(filled()))
    got = counters_from_plain(msgspec.msgpack.decode(sent))
    assert page({3: got}) == page({3: filled()})
    assert all('lane="3"' in line for line in page({3: got}))
    names = {line.partition("{")[0] for line in page({3: got})}
    for metric in METRICS:
        assert any(name.startswith(metric.name) for name in names), metric.name


def test_numbers_that_another_version_sent_do_no_harm() -> None:
    plain = counters_to_plain(filled()) | {"bytes_received": "many", "from_the_future": 7}
    del plain["datagrams_received"]
    got = counters_from_plain(plain)
    assert got.datagrams_received == got.bytes_received == 0
    assert got.periods.total() > 0


# --------------------------------------------------------------------------- resync
def test_a_resync_goes_to_the_lane_that_has_the_device(tmp_path: Path) -> None:
    heard: list[dict[str, Any]] = []

    def resync(arguments: Any) -> dict[str, Any]:
        heard.append(dict(arguments))
        return {"device": arguments["device"], "subscriptions": []}

    lanes: Any = SimpleNamespace(
        lane_of=lambda name: SimpleNamespace(folder=tmp_path) if name == "core7" else None
    )
    command = Answers(lanes).commands()["resync"]

    async def step() -> None:
        server = ControlServer(tmp_path, {"resync": resync})
        await server.start()
        try:
            answer: Any = command({"device": "core7", "name": "state"})
            assert await answer == {"device": "core7", "subscriptions": []}
            nobody: Any = command({"device": "core8"})
            with pytest.raises(UsageError, match="there is no device core8"):
                await nobody
        finally:
            await server.stop()

    asyncio.run(step())
    assert heard == [{"device": "core7", "name": "state"}]


def test_which_lane_has_a_device() -> None:
    config = config_of(TWO)
    supervisor = Supervisor(config)
    assert supervisor.lane_of("a") is None, "nothing is planned yet"
    supervisor._plan = plan_of(config, 2)
    supervisor.lanes = ["first", "second"]  # type: ignore[list-item]
    assert supervisor.lane_of("nobody") is None
    for name, lane in supervisor._plan.devices.items():
        assert supervisor.lane_of(name) == supervisor.lanes[lane]
