"""The steering program in the kernel: which lane's socket a datagram really reaches."""

from __future__ import annotations

import errno
import random
import select
import shutil
import socket
import subprocess
import sys
import threading
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any, cast

import pytest

from collector.errors import ConfigError
from collector.receivers.sockets.lane_sockets import open_lane_listeners, open_lane_sockets, steer
from collector.receivers.sockets.steering import lane_of, steering_program

pytestmark = pytest.mark.integration

SOURCES = [f"127.0.{third}.{last}" for third in (2, 3) for last in range(1, 41)]


@contextmanager
def group(
    address: str, lanes: int, table: Mapping[str, int] | None = None
) -> Iterator[list[socket.socket]]:
    sockets = open_lane_sockets(
        address, 0, lanes=lanes, program=steering_program(table or {}, lanes)
    )
    with ExitStack() as stack:
        for one in sockets:
            stack.enter_context(one)
        yield sockets


def send(source: str, port: int, *, times: int = 1, target: str = "127.0.0.1") -> None:
    """Each time from another port."""
    family = socket.AF_INET6 if ":" in source else socket.AF_INET
    for _ in range(times):
        with socket.socket(family, socket.SOCK_DGRAM) as sender:
            sender.bind((source, 0))
            sender.sendto(source.encode(), (target, port))


def arrived(sockets: list[socket.socket], count: int) -> dict[str, set[int]]:
    """source address -> lanes that its datagrams reached, once ``count`` have come."""
    found: dict[str, set[int]] = defaultdict(set)
    while count:
        ready, _, _ = select.select(sockets, [], [], 10)
        assert ready, f"{count} datagrams are missing"
        for one in ready:
            octets = one.recv(100)
            found[octets.decode()].add(sockets.index(one))
            count -= 1
    return dict(found)


@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0", "::"])
@pytest.mark.parametrize("lanes", [2, 3])
def test_a_source_reaches_one_lane_from_whatever_port(address: str, lanes: int) -> None:
    with group(address, lanes) as sockets:
        port = sockets[0].getsockname()[1]
        for source in SOURCES:
            send(source, port, times=5)
        found = arrived(sockets, 5 * len(SOURCES))
    assert found == {source: {lane_of(source, lanes)} for source in SOURCES}
    share = Counter(next(iter(reached)) for reached in found.values())
    assert min(share[lane] for lane in range(lanes)) > len(SOURCES) / lanes / 2


@pytest.mark.parametrize("address", ["127.0.0.1", "::"])
def test_a_caller_reaches_the_lane_of_its_address(address: str) -> None:
    """TCP: by the program that steers datagrams."""
    lanes, table = 3, {SOURCES[0]: 1, SOURCES[1]: 2, SOURCES[2]: 0}
    program = steering_program(table, lanes)
    listeners = open_lane_listeners(address, 0, lanes=lanes, program=program, section="call_home")
    with ExitStack() as stack:
        for one in listeners:
            stack.enter_context(one)
        port = listeners[0].getsockname()[1]
        for source in SOURCES[:12]:
            for _ in range(3):
                with socket.socket() as caller:
                    caller.bind((source, 0))
                    caller.connect(("127.0.0.1", port))
                    ready, _, _ = select.select(listeners, [], [], 10)
                    (listening,) = ready
                    accepted, _ = listening.accept()
                    accepted.close()
                    lane = table.get(source, lane_of(source, lanes))
                    assert listeners.index(listening) == lane
        with pytest.raises(ConfigError, match="cannot listen on") as caught:
            open_lane_listeners(address, port, lanes=2, program=program, section="call_home")
        assert caught.value.key == "call_home.address"


@pytest.mark.parametrize("address", ["127.0.0.1", "::"])
def test_the_addresses_of_a_device_stay_together(address: str) -> None:
    chance = random.Random(1)
    mixed = chance.sample(SOURCES, len(SOURCES))
    devices = [mixed[at : at + 4] for at in range(0, len(mixed), 4)]
    table = {one: lane_of(sources[0], 4) for sources in devices for one in sources}
    assert table != {one: lane_of(one, 4) for one in mixed}
    with group(address, 4, table) as sockets:
        for source in mixed:
            send(source, sockets[0].getsockname()[1], times=3)
        found = arrived(sockets, 3 * len(mixed))
    assert found == {source: {lane} for source, lane in table.items()}


def test_ipv6_and_ipv4_on_one_socket() -> None:
    table = {"::1": 1 - lane_of("::1", 2), "127.0.2.1": 1 - lane_of("127.0.2.1", 2)}
    with group("::", 2, table) as sockets:
        port = sockets[0].getsockname()[1]
        send("::1", port, times=3, target="::1")
        send("127.0.2.1", port, times=3)
        send("127.0.2.2", port, times=3)
        found = arrived(sockets, 9)
    assert found == {"::1": {table["::1"]}, "127.0.2.1": {table["127.0.2.1"]}} | {
        "127.0.2.2": {lane_of("127.0.2.2", 2)}
    }


def test_many_ipv6_sources() -> None:
    """In a network namespace of its own, where further addresses may be given to loopback."""
    if shutil.which("unshare") is None or shutil.which("ip") is None:
        pytest.skip("unshare or ip is not installed")
    if subprocess.run(["unshare", "-rn", "true"], capture_output=True, check=False).returncode:
        pytest.skip("this machine gives no network namespace to a user")
    child = subprocess.run(
        ["unshare", "-rn", sys.executable, "-m", "tests.integration.steering_ipv6_child"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert child.returncode == 0, child.stderr
    assert child.stdout.strip() == "40 sources, each in its lane"


def test_another_program_takes_over_at_once() -> None:
    with group("127.0.0.1", 2) as sockets:
        port = sockets[0].getsockname()[1]
        for lane in (0, 1, 0):
            steer(sockets[0], steering_program(dict.fromkeys(SOURCES, lane), 2))
            for source in SOURCES:
                send(source, port)
            assert arrived(sockets, len(SOURCES)) == {source: {lane} for source in SOURCES}


def test_a_lane_keeps_its_number_while_nobody_reads() -> None:
    """The copy that a lane holds goes with it; the socket and what waits in it stay."""
    with group("127.0.0.1", 3) as sockets:
        port = sockets[0].getsockname()[1]
        copy = sockets[0].dup()
        send(SOURCES[0], port)
        copy.close()
        for source in SOURCES:
            send(source, port, times=2)
        found = arrived(sockets, 2 * len(SOURCES) + 1)
    assert found == {source: {lane_of(source, 3)} for source in SOURCES}


def test_nobody_joins_a_group_unseen() -> None:
    with group("127.0.0.1", 2) as sockets:
        port = sockets[0].getsockname()[1]
        with pytest.raises(ConfigError, match="in use"):
            open_lane_sockets("127.0.0.1", port, lanes=2, program=steering_program({}, 2))


def test_while_the_group_comes_to_be_nothing_goes_astray() -> None:
    table = dict.fromkeys(SOURCES, 3)
    program = steering_program(table, 4)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    ended = threading.Event()

    def keep_sending() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.bind((SOURCES[0], 0))
            while not ended.is_set():
                sender.sendto(b"x", ("127.0.0.1", port))

    sending = threading.Thread(target=keep_sending)
    sending.start()
    try:
        for _ in range(30):
            sockets = open_lane_sockets("127.0.0.1", port, lanes=4, program=program)
            ready, _, _ = select.select(sockets[3:], [], [], 10)
            waiting, _, _ = select.select(sockets, [], [], 0)
            for one in sockets:
                one.close()
            assert ready
            assert waiting == ready
    finally:
        ended.set()
        sending.join()


class NoSteering:
    """A socket of a system that does not know the option, or not this program."""

    def __init__(self, number: int) -> None:
        self.number = number

    def setsockopt(self, *_: Any) -> None:
        raise OSError(self.number, "said the kernel")


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOPROTOOPT, "SO_ATTACH_REUSEPORT_CBPF is missing"),
        (errno.EINVAL, "refuses to steer"),
    ],
)
def test_a_system_that_cannot_steer_is_named(number: int, words: str) -> None:
    with pytest.raises(ConfigError, match=words) as got:
        steer(cast("socket.socket", NoSteering(number)), steering_program({}, 2))
    assert got.value.key == "collector.lanes"
