"""The steering program, run on packets by a machine of our own: who goes where, and how it ends."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from collector.errors import ConfigError
from collector.receivers.sockets.steering import (
    MAX_INSTRUCTIONS,
    address_key,
    lane_of,
    steering_program,
)
from tests.bpf import packet, run


def lane(program: list[tuple[int, int, int, int]], source: str) -> int:
    return run(program, packet(source))[0]


def plan(devices: list[list[str]], lanes: int) -> dict[str, int]:
    """Every address in the lane of the first one of its device."""
    return {one: lane_of(sources[0], lanes) for sources in devices for one in sources}


def spread(rng: random.Random, devices: int, cards: int) -> list[list[str]]:
    """Devices whose addresses lie anywhere."""
    found = rng.sample(range(0x0B000000, 0xDF000000), devices * cards)
    texts = [".".join(map(str, one.to_bytes(4))) for one in found]
    return [texts[at : at + cards] for at in range(0, len(texts), cards)]


@pytest.mark.parametrize("lanes", [1, 2, 3, 7, 64])
def test_without_a_table_the_hash_decides_in_the_kernel_as_here(lanes: int) -> None:
    program = steering_program({}, lanes)
    rng = random.Random(lanes)
    for _ in range(200):
        four = ".".join(str(rng.randrange(256)) for _ in range(4))
        six = ":".join(f"{rng.randrange(0x10000):x}" for _ in range(8))
        assert lane(program, four) == lane_of(four, lanes)
        assert lane(program, six) == lane_of(six, lanes)


def test_the_hash_stays_what_it_was() -> None:
    # a device whose lane changes is learned anew, so a new version must not move it; MurmurHash3's
    # finaliser of 1 is 0x514E28B7, of 2 0x30F4C306 (published test values)
    for lanes in (2, 3, 5, 64):
        assert lane_of("0.0.0.1", lanes) == 0x514E28B7 % lanes
        assert lane_of("0.0.0.2", lanes) == 0x30F4C306 % lanes
    assert [lane_of(f"192.0.2.{last}", 4) for last in range(8)] == [1, 2, 2, 1, 3, 2, 0, 3]
    assert [lane_of(f"2001:db8::{last}", 4) for last in range(8)] == [1, 2, 0, 3, 1, 2, 0, 2]


@pytest.mark.parametrize("lanes", [2, 4, 8])
@pytest.mark.parametrize("form", ["127.0.2.{}", "10.{}.0.1", "10.0.{}.254", "2001:db8:{:x}::1"])
def test_addresses_of_one_plan_spread_over_the_lanes(lanes: int, form: str) -> None:
    found = Counter(lane_of(form.format(number), lanes) for number in range(256))
    assert set(found) == set(range(lanes))
    assert min(found.values()) > 256 / lanes / 2
    assert max(found.values()) < 256 / lanes * 1.6


@pytest.mark.parametrize("lanes", [2, 3, 8])
def test_all_addresses_of_a_device_go_to_its_lane(lanes: int) -> None:
    devices = spread(random.Random(3), 200, 5)
    table = plan(devices, lanes)
    program = steering_program(table, lanes)
    assert {one: lane(program, one) for one in table} == table


def test_ipv6_devices_and_mixed_ones_too() -> None:
    devices = [
        [f"2001:db8:{number:x}::{card:x}" for card in range(1, 5)] + [f"10.9.{number}.1"]
        for number in range(100)
    ]
    table = plan(devices, 4)
    program = steering_program(table, 4)
    assert {one: lane(program, one) for one in table} == table
    assert lane(program, "2001:db8:ffff::1") == lane_of("2001:db8:ffff::1", 4)


def test_neighbours_share_a_comparison_but_never_across_a_stranger() -> None:
    ours = [f"10.0.0.{last}" for last in range(1, 60) if last != 30]
    table = plan([ours], 2)
    stranger = "10.0.0.30"
    together = steering_program(table, 2)
    table[stranger] = 1 - table[ours[0]]
    apart = steering_program(table, 2)
    assert {one: lane(apart, one) for one in table} == table
    assert len(together) < len(steering_program({}, 2)) + 6
    assert len(apart) > len(together)


def test_others_are_left_to_the_hash_where_no_range_takes_them_in() -> None:
    table = plan(spread(random.Random(5), 100, 4), 4)
    program = steering_program(table, 4)
    for last in range(256):
        assert lane(program, f"127.1.2.{last}") == lane_of(f"127.1.2.{last}", 4)


def test_the_search_takes_few_steps_however_large_the_table() -> None:
    table = plan(spread(random.Random(6), 800, 6), 2)
    program = steering_program(table, 2)
    assert 2000 < len(program) <= MAX_INSTRUCTIONS
    assert {one: lane(program, one) for one in table} == table
    assert max(run(program, packet(one))[1] for one in table) < 70


def test_a_table_that_does_not_fit_is_refused_with_figures() -> None:
    table = plan(spread(random.Random(7), 2000, 6), 2)
    with pytest.raises(ConfigError, match=r"\d+ addresses and ranges .* more than the 4096") as got:
        steering_program(table, 2)
    assert got.value.key == "collector.lanes"


def test_mapped_addresses_and_zones_are_what_stands_in_the_packet() -> None:
    assert address_key("::ffff:192.0.2.7") == address_key("192.0.2.7") == (0xC0000207,)
    assert address_key("fe80::1%eth0") == address_key("fe80::1%7") == (0xFE800000, 0, 0, 1)
    with pytest.raises(ValueError, match="nonsense"):
        address_key("nonsense")


def test_one_address_cannot_be_in_two_lanes() -> None:
    with pytest.raises(ConfigError, match="fe80::1 belongs to devices of two lanes"):
        steering_program({"fe80::1%eth0": 0, "fe80::1%eth1": 1}, 2)
