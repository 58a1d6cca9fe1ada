"""The simulated device on real sockets: processes, kill -9, signals, what is left behind."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import tempfile
import time
from pathlib import Path

import pytest

from collector.errors import ConfigError
from collector.model import SECOND
from collector.wire.netconf.rpc import DeleteSubscription, EstablishSubscription, Get
from collector.wire.udp_notif.datagrams import decode_header
from publisher_sim.cards.channel import EndComponent, FromAgent, Heartbeat, Register
from publisher_sim.device.run import override
from publisher_sim.device.service import DeviceService
from publisher_sim.publishers.agent_channel import ChannelClient, ChannelServer
from publisher_sim.publishers.udp_notif import UdpNotifPublisher
from publisher_sim.scenario import parse_scenario
from publisher_sim.truth import file as truth_file
from tests.integration.sim_subscriber import Receiver, Subscriber, terms

pytestmark = pytest.mark.integration

HEAD = """
name = "core7"
address = "127.0.1.77"
periods = {periods}
grace_seconds = 0.2
[netconf]
port = 0
[period]
seconds = 0.4
[master]
hardware = ["chassis"]
loss_detection_seconds = 0.4
"""
CARDS = "".join(
    f'[[card]]\nname = "lc{n}"\npublisher_id = {100 + n}\ninterfaces = ["eth{n}/0"]\n'
    for n in (1, 2)
)
KILL = '[[fault]]\nkind = "kill"\ncard = "lc1"\nat_period = 6\nuntil_period = 12\n'


class Device:
    """``publisher-sim run`` as a process."""

    def __init__(self, folder: Path, receiver: Receiver, text: str, *more: str) -> None:
        self.truth = folder / "truth.jsonl"
        self._scenario = folder / "device.toml"
        self._scenario.write_text(text)
        self._arguments = ("--receiver", receiver.where, "--truth", str(self.truth), *more)
        self._folder = folder
        self.ready: dict[str, object] = {}

    async def start(self) -> None:
        environment = dict(os.environ, PUBLISHER_SIM_PASSWORD="s3cret", TMPDIR=str(self._folder))
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "publisher_sim", "run", str(self._scenario), *self._arguments,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, env=environment,
        )  # fmt: skip
        assert self.process.stdout is not None
        line = await asyncio.wait_for(self.process.stdout.readline(), 60)
        self.ready = json.loads(line)

    def subscriber(self) -> Subscriber:
        port = self.ready["netconf_port"]
        assert isinstance(port, int)
        return Subscriber("127.0.1.77", port, "s3cret")

    def children(self) -> list[int]:
        pid = self.process.pid
        return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    async def end(self) -> tuple[int, str]:
        """Exit status and standard error; ends it when it does not end itself."""
        try:
            _, error = await asyncio.wait_for(self.process.communicate(), 60)
        except TimeoutError:
            self.process.kill()
            raise
        assert self.process.returncode is not None
        return self.process.returncode, error.decode()


def gone(pids: list[int]) -> bool:
    return not any(Path(f"/proc/{pid}").exists() for pid in pids)


def test_a_whole_run_with_a_killed_card(tmp_path: Path) -> None:
    """Establish, pushes from the device's address, kill -9, the new list, truth."""
    receiver = Receiver()
    # found out three ticks later, so that some are missed although a machine stalls meanwhile
    head = HEAD.format(periods=22).replace(
        "loss_detection_seconds = 0.4", "loss_detection_seconds = 1.2"
    )

    async def scene() -> None:
        kill = KILL.replace("until_period = 12", "until_period = 14")
        device = Device(tmp_path, receiver, head + CARDS + kill)
        await device.start()
        children = device.children()
        assert len(children) == 2
        async with device.subscriber() as subscriber:
            reply = await subscriber.ask(EstablishSubscription(terms(400_000_000)))
            assert reply.generators == ("1", "101", "102")
            said = await subscriber.notified(3)
        assert [str(one.kind) for one in said] == [
            "subscription-modified", "subscription-modified", "subscription-terminated",
        ]  # fmt: skip
        lists = [one.state_change.generators for one in said[:2] if one.state_change is not None]
        assert lists == [("1", "102"), ("1", "101", "102")]
        status, error = await device.end()
        assert (status, error) == (0, "")
        assert gone(children)
        _look_at_truth(device.truth, said[0].event_time or 0)

    try:
        asyncio.run(scene())
        _look_at_datagrams(receiver.take())
    finally:
        receiver.close()
    assert not list(tmp_path.glob("publisher-sim-*"))


def _look_at_datagrams(datagrams: list[tuple[str, bytes]]) -> None:
    assert {host for host, _ in datagrams} == {"127.0.1.77"}
    ids: dict[int, list[int]] = {}
    for _, octets in datagrams:
        header = decode_header(octets)
        ids.setdefault(header.publisher_id, []).append(header.message_id)
    assert set(ids) == {1, 101, 102}
    first = ids[102][0]
    assert ids[102] == [(first + n) % 2**32 for n in range(len(ids[102]))]
    steps = [(b - a) % 2**32 for a, b in zip(ids[101], ids[101][1:], strict=False)]
    assert [step for step in steps if step != 1]  # its second life began elsewhere


def _look_at_truth(path: Path, declared: int) -> None:
    header, rows = truth_file.read(path)
    assert header.device == "core7"
    assert [row.number for row in rows] == list(range(len(rows)))
    assert len(rows) >= 20
    killed = [row for row in rows if row.last.missing]
    assert killed
    assert {blame.generator for row in killed for blame in row.last.missing} == {"101"}
    # kill -9 was a quarter period before the first tick that misses it
    assert 0 < declared - (killed[0].nominal_time - 100_000_000) < 30 * SECOND


def test_sigterm_ends_it_in_good_order(tmp_path: Path) -> None:
    receiver = Receiver()

    async def scene() -> None:
        device = Device(tmp_path, receiver, HEAD.format(periods=0) + CARDS, "--verbose")
        await device.start()
        children = device.children()
        async with device.subscriber() as subscriber:
            reply = await subscriber.ask(EstablishSubscription(terms(400_000_000)))
            assert reply.subscription_id is not None
            (state,) = (await subscriber.ask(Get())).subscriptions or ()
            assert state.generators == ("1", "101", "102")
            device.process.send_signal(signal.SIGTERM)
            (said,) = await subscriber.notified(1)
            assert str(said.kind) == "subscription-terminated"
        status, error = await device.end()
        assert status == 0
        assert "lc1 registered" in error
        assert "Traceback" not in error
        assert gone(children)
        assert device.truth.exists()

    try:
        asyncio.run(scene())
    finally:
        receiver.close()


def test_agents_do_not_outlive_a_killed_master(tmp_path: Path) -> None:
    receiver = Receiver()

    async def scene() -> None:
        device = Device(tmp_path, receiver, HEAD.format(periods=0) + CARDS)
        await device.start()
        children = device.children()
        device.process.kill()
        await device.process.communicate()
        deadline = time.monotonic() + 30
        while not gone(children) and time.monotonic() < deadline:
            await asyncio.sleep(0.05)
        assert gone(children)

    try:
        asyncio.run(scene())
    finally:
        receiver.close()


def test_in_one_process_and_nothing_more_after_delete(tmp_path: Path) -> None:
    receiver = Receiver()

    async def scene() -> None:
        text = HEAD.format(periods=0) + CARDS
        device = Device(tmp_path, receiver, text, "--in-process", "--duration", "4")
        await device.start()
        assert device.children() == []
        async with device.subscriber() as subscriber:
            reply = await subscriber.ask(EstablishSubscription(terms(100_000_000)))
            assert reply.subscription_id is not None
            while len(receiver.take()) == 0:
                await asyncio.sleep(0.02)
            assert (await subscriber.ask(DeleteSubscription(reply.subscription_id))).ok
            receiver.take()
            await asyncio.sleep(0.3)
            assert receiver.take() == []
        status, error = await device.end()
        assert (status, error) == (0, "")

    try:
        asyncio.run(scene())
    finally:
        receiver.close()


def test_the_service_itself_with_a_card_that_goes_and_comes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PUBLISHER_SIM_PASSWORD", "s3cret")
    receiver = Receiver()
    heard: list[str] = []
    path = tmp_path / "truth.jsonl"

    async def scene() -> None:
        text = HEAD.format(periods=14) + CARDS + KILL.replace("12", "9")
        scenario = override(parse_scenario(text), receiver=receiver.where)
        device = DeviceService(scenario, truth=path, in_process=True, progress=heard.append)
        await device.start()
        async with Subscriber("127.0.1.77", device.server.port, "s3cret") as subscriber:
            await subscriber.ask(EstablishSubscription(terms(400_000_000)))
            await device.wait(60)
            await device.stop()
        assert len(subscriber.notifications) == 3
        await device.stop()

    try:
        asyncio.run(scene())
        assert len(receiver.take()) > 30
    finally:
        receiver.close()
    _, rows = truth_file.read(path)
    assert len(rows) >= 14
    assert {"lc1 is taken away", "lc1 is gone"} <= set(heard)


def test_a_service_that_cannot_start_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    password = tmp_path / "password"
    path = tmp_path / "truth.jsonl"
    text = HEAD.format(periods=0) + CARDS
    netconf = f'[netconf]\npassword_file = "{password}"'

    async def scene(changed: str) -> None:
        device = DeviceService(parse_scenario(changed), truth=path, in_process=True)
        try:
            await device.start()
        finally:
            await device.stop()

    monkeypatch.delenv("PUBLISHER_SIM_PASSWORD", raising=False)
    with pytest.raises(ConfigError, match="password cannot be read"):
        asyncio.run(scene(text.replace("[netconf]", netconf)))
    password.write_text("s3cret\n")
    with pytest.raises(ConfigError, match=r"192\.0\.2\.1 cannot be bound"):
        asyncio.run(scene(text.replace("[netconf]", netconf).replace("127.0.1.77", "192.0.2.1")))
    assert not path.exists()


def test_the_channel_tells_of_the_loss_of_an_agent() -> None:
    said: list[FromAgent] = []
    lost: list[tuple[str, str]] = []
    register = Register("lc1", "lc1/0", ("encode-json",), 0, True)

    async def scene(folder: str) -> None:
        server = ChannelServer(said.append, lambda card, run: lost.append((card, run)))
        await server.start(f"unix:{folder}/channel")
        client = ChannelClient(server.target)
        client.say(register)
        telling = asyncio.create_task(tell(server))
        async for message in client.messages():
            assert message == EndComponent(7)
            client.say(Heartbeat("lc1"))
            client.close()
        await telling
        assert not server.tell("lc1", EndComponent(7))
        await server.stop()
        await server.stop()

    async def tell(server: ChannelServer) -> None:
        while not server.tell("lc1", EndComponent(7)):
            await asyncio.sleep(0.01)

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(scene(folder))
    assert said == [register, Heartbeat("lc1")]
    assert lost == [("lc1", "lc1/0")]


def test_an_address_that_is_not_ours() -> None:
    with pytest.raises(ConfigError, match=r"192\.0\.2\.1 cannot be bound"):
        UdpNotifPublisher("192.0.2.1")
    publisher = UdpNotifPublisher("127.0.1.78")
    publisher.send("127.0.0.1", 0, b"x")
    assert publisher.refused == 1
    publisher.close()
    publisher.close()
