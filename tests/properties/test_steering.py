"""Steering programs over any inventory: every configured address in its lane, any other in one."""

from __future__ import annotations

import ipaddress

from hypothesis import given, settings
from hypothesis import strategies as st

from collector.receivers.sockets.steering import MAX_INSTRUCTIONS, lane_of, steering_program
from tests.bpf import packet, run

# close together, so that ranges are long and strangers lie between
FOUR = st.integers(0x0A000000, 0x0A000000 + 400).map(ipaddress.IPv4Address)
ANY_FOUR = st.integers(0, 2**32 - 1).map(ipaddress.IPv4Address)
SIX = st.integers(0, 400).map(lambda n: ipaddress.IPv6Address((0x20010DB8 << 96) + (n << 60) + n))
ANY_SIX = st.integers(2**100, 2**128 - 1).map(ipaddress.IPv6Address)
ADDRESSES = st.one_of(FOUR, FOUR, ANY_FOUR, SIX, ANY_SIX).map(str)
DEVICES = st.lists(st.lists(ADDRESSES, min_size=1, max_size=6), max_size=60)


@settings(max_examples=150, deadline=None)
@given(DEVICES, st.integers(1, 64), st.lists(ADDRESSES, max_size=20))
def test_every_configured_address_reaches_the_lane_of_its_device(
    devices: list[list[str]], lanes: int, others: list[str]
) -> None:
    table: dict[str, int] = {}
    for sources in devices:
        own = [source for source in sources if source not in table]
        if own:
            table |= dict.fromkeys(own, lane_of(own[0], lanes))
    program = steering_program(table, lanes)
    assert len(program) <= MAX_INSTRUCTIONS
    for source, lane in table.items():
        assert run(program, packet(source))[0] == lane
    for source in others:
        lane, steps = run(program, packet(source))
        assert 0 <= lane < lanes
        assert steps < 200


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(ADDRESSES, st.integers(0, 63), max_size=80))
def test_any_table_at_all_is_obeyed(table: dict[str, int]) -> None:
    program = steering_program(table, 64)
    for source, lane in table.items():
        assert run(program, packet(source))[0] == lane
