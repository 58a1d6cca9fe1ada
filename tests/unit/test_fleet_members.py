"""Fleets: the scenario of each device, the collector's configuration, common timers."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from click.testing import CliRunner
from msgspec import structs

from collector.config import load_config
from collector.errors import ConfigError
from publisher_sim.cli import cli
from publisher_sim.fleet.collecting import collector_config, known_hosts_line
from publisher_sim.fleet.members import Muster, members
from publisher_sim.publishers.timers import Timers, now
from publisher_sim.scenario import Card, Fault, Receiver, Scenario
from tests.sim_scenarios import small


def test_devices_differ_in_name_address_and_seed() -> None:
    first, second, third = members(small(seed=5), Muster(3, first_address="127.0.3.255"))
    assert [one.name for one in (first, second, third)] == [
        "core7-0001",
        "core7-0002",
        "core7-0003",
    ]
    assert [first.address, second.address] == ["127.0.3.255", "127.0.4.0"]
    assert [one.seed for one in (first, second, third)] == [5, 6, 7]
    assert first.card == third.card


def test_more_cards_are_like_the_last_and_share_nothing() -> None:
    (one,) = members(small(), Muster(1, cards=4))
    assert [card.name for card in one.card] == ["lc1", "lc2", "extra3", "extra4"]
    assert [card.publisher_id for card in one.card] == [101, 102, 103, 104]
    assert one.card[3].interfaces == ("extra4/0", "extra4/1")
    assert one.card[3].hardware == ("extra4",)
    assert one.card[3].phase == one.card[1].phase


def test_fewer_cards_are_the_first_ones() -> None:
    (one,) = members(small(cards=3), Muster(1, cards=1))
    assert [card.name for card in one.card] == ["lc1"]


@pytest.mark.parametrize(
    ("muster", "key"),
    [
        (Muster(0), "--devices"),
        (Muster(1, cards=-1), "--cards"),
        (Muster(1, first_address="somewhere"), "--first-address"),
        (Muster(1, first_address="192.0.2.1"), "--first-address"),
        (Muster(2, first_address="127.255.255.254"), "--first-address"),
        (Muster(300, first_address="255.255.255.254"), "--first-address"),
        (Muster(2, shared_port=True), "--shared-port"),
    ],
)
def test_what_cannot_be_is_refused(muster: Muster, key: str) -> None:
    with pytest.raises(ConfigError) as raised:
        members(small(), muster)
    assert raised.value.key == key


def test_a_fault_of_a_card_that_is_left_out_is_refused() -> None:
    with pytest.raises(ConfigError):
        members(small(Fault("pull", 10, card="lc2")), Muster(1, cards=1))


def test_behind_a_shared_port_the_user_name_says_which() -> None:
    scenario = structs.replace(small(), receiver=Receiver(transport="netconf"))
    first, second = members(scenario, Muster(2, shared_port=True))
    assert (first.address, second.address) == ("127.0.1.1", "127.0.1.1")
    assert second.netconf.username == "collector-0002"


def test_the_collector_can_read_its_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PUBLISHER_SIM_PASSWORD", "x")
    known = tmp_path / "known"
    known.write_text("")
    path = tmp_path / "collector.toml"
    fleet = members(small(), Muster(70))
    path.write_text(collector_config(fleet, 8300, str(known)))
    config = load_config(path)
    assert len(config.devices) == 70
    assert config.devices[69].sources == ("127.10.0.70",)
    assert config.devices[69].netconf is not None
    assert (config.devices[69].netconf.host, config.devices[69].netconf.port) == (
        "127.10.0.70",
        8300,
    )
    assert config.subscriptions[0].encoding == "encode-json"


def test_sessions_carry_the_updates_behind_a_shared_port(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PUBLISHER_SIM_PASSWORD", "x")
    scenario = structs.replace(small(), receiver=Receiver(transport="netconf"))
    path = tmp_path / "collector.toml"
    fleet = members(scenario, Muster(2, shared_port=True))
    path.write_text(collector_config(fleet, 8300, str(tmp_path / "known")))
    text = path.read_text()
    assert 'sources = ["127.254.0.2"]' in text
    assert 'transport = "netconf"' in text
    assert 'username = "collector-0002"' in text


def test_one_line_of_known_hosts_stands_for_all() -> None:
    many = members(small(), Muster(300))
    assert known_hosts_line(many, 8300, "KEY") == "[127.10.*]:8300 KEY\n"
    assert known_hosts_line(many[:5], 8300, "KEY") == "[127.10.0.*]:8300 KEY\n"
    assert known_hosts_line(many[:1], 8300, "KEY") == "[127.10.0.1]:8300 KEY\n"


def test_the_command_prints_a_configuration_and_starts_nothing() -> None:
    arguments = ["fleet", "quiet", "--devices", "2", "--print-config"]
    printed = CliRunner().invoke(cli, arguments)
    assert printed.exit_code == 0
    assert printed.output.count("[[device]]") == 2


def test_a_configuration_needs_a_port() -> None:
    arguments = ["fleet", "quiet", "--print-config", "--netconf-port", "0"]
    printed = CliRunner().invoke(cli, arguments)
    assert printed.exit_code == 2
    assert "--netconf-port" in printed.output


def test_the_period_may_be_another() -> None:
    arguments = ["fleet", "quiet", "--devices", "1", "--print-config", "--period", "10"]
    assert "period_seconds = 10\n" in CliRunner().invoke(cli, arguments).output


def test_addresses_and_a_shared_port_exclude_each_other() -> None:
    arguments = ["fleet", "quiet", "--shared-port", "--first-address", "127.0.9.1"]
    printed = CliRunner().invoke(cli, arguments)
    assert printed.exit_code == 2
    assert "exclude" in printed.output


def test_alarms_ring_in_their_order_and_only_as_last_set() -> None:
    rung: list[str] = []

    async def whole() -> None:
        timers = Timers()
        done = asyncio.Event()
        clock, ahead = timers.clock(), timers.clock(3600 * 10**9)
        start = now()
        late = clock.alarm(lambda: rung.append("late"))
        late.set(start + 40_000_000)
        moved = clock.alarm(lambda: rung.append("moved"))
        moved.set(start + 3_600_000_000_000)
        moved.set(start + 20_000_000)
        never = clock.alarm(lambda: rung.append("never"))
        never.set(start + 10_000_000)
        never.set(None)
        shifted = ahead.alarm(lambda: rung.append("shifted"))
        shifted.set(start + 3600 * 10**9 + 30_000_000)
        past = clock.alarm(lambda: rung.append("past"))
        past.set(start - 1)
        end = clock.alarm(done.set)
        end.set(start + 50_000_000)
        assert rung == []
        await asyncio.wait_for(done.wait(), 30)
        assert timers.woken == 5
        assert timers.take_latest() > 0

    asyncio.run(whole())
    assert rung == ["past", "moved", "shifted", "late"]


def test_an_alarm_that_is_set_again_and_again_fills_no_heap() -> None:
    async def whole() -> int:
        timers = Timers()
        alarm = timers.clock().alarm(lambda: None)
        for number in range(10_000):
            alarm.set(now() + 3600 * 10**9 + number)
        size = len(timers._heap)
        alarm.set(None)
        return size

    assert asyncio.run(whole()) < 3000


def test_one_that_fails_does_not_keep_the_others_waiting() -> None:
    rung: list[str] = []

    def fail() -> None:
        raise ValueError("on purpose")

    async def whole() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: rung.append("told"))
        timers = Timers()
        done = asyncio.Event()
        timers.clock().alarm(fail).set(now())
        timers.clock().alarm(done.set).set(now() + 1)
        await asyncio.wait_for(done.wait(), 30)

    asyncio.run(whole())
    assert rung == ["told"]


def test_a_scenario_without_cards_gets_some() -> None:
    scenario = Scenario(card=(), periods=0)
    (one,) = members(scenario, Muster(1, cards=2))
    assert [card.interfaces for card in one.card] == [("extra1/0",), ("extra2/0",)]
    assert isinstance(one.card[0], Card)
