"""A lab on one machine: one collector, many simulated devices, each its own process.

Every device has a loopback address, a scenario and a truth file; the collector runs in the test's
event loop. What is compared is what the store, the sinks and the files really hold.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
import time
import tomllib
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from collector.comparison import Comparison, compare, read_truth
from collector.config import Config, read_config_table
from collector.interfaces import Said
from collector.model import Event, SubscriptionRow, Verdict
from collector.service import Service
from tests.starving import WATCH

PASSWORD = "lab"
READY_SECONDS = 90.0
AT_ONCE = 3
"""Devices that start at the same time; it is work for a core, each."""


def scenario_toml(
    name: str,
    number: int,
    faults: str = "",
    *,
    cards: int = 4,
    periods: int = 30,
    updates: int = 3,
    head: str = "",
    card: str = "",
    push: str = "",
    grace: float = 0.5,
) -> str:
    """A device on 127.0.2.``number``; ``head``, ``card`` and ``push``: further lines there."""
    text = f"""\
name = "{name}"
address = "127.0.2.{number}"
seed = {number}
periods = {periods}
grace_seconds = {grace}
{head}

[push]
updates_per_period = {updates}
{push}

[master]
publisher_id = 1
interfaces = ["mgmt0"]
"""
    for index in range(1, cards + 1):
        text += f"""
[[card]]
name = "linecard{index}"
publisher_id = {100 + index}
interfaces = ["eth{index}/0", "eth{index}/1", "eth{index}/2"]
phase = {0.02 + 0.05 * index:.2f}
arc = 0.1
{card}
"""
    return text + faults


def fault(kind: str, at_period: int, until_period: int | None = None, **more: Any) -> str:
    """One entry of the timeline."""
    lines = [f'kind = "{kind}"', f"at_period = {at_period}"]
    if until_period is not None:
        lines.append(f"until_period = {until_period}")
    lines += [f"{key} = {json.dumps(value)}" for key, value in more.items()]
    return "\n[[fault]]\n" + "\n".join(lines) + "\n"


def environment() -> dict[str, str]:
    """That of simulated devices."""
    path = os.pathsep.join(sys.path)
    return os.environ | {"PYTHONPATH": path, "PUBLISHER_SIM_PASSWORD": PASSWORD}


class Facts:
    """Sink: keeps every verdict, event and row of a subscription."""

    name = "facts"

    def __init__(self) -> None:
        self.verdicts: dict[str, list[Verdict]] = defaultdict(list)
        self.events: list[Event] = []
        self.subscriptions: list[SubscriptionRow] = []

    def start(self) -> None: ...

    def write(self, said: Said) -> None:
        for verdict in said.verdicts:
            self.verdicts[verdict.device].append(verdict)
        self.events.extend(said.events)
        self.subscriptions.extend(said.subscriptions)

    def flush(self) -> None: ...

    def stop(self) -> None: ...


class Device:
    """One simulated device."""

    def __init__(self, name: str, place: Path, address: str = "") -> None:
        self.name = name
        self.place = place
        self.address = address
        self.ready: dict[str, Any] = {}
        self.child: asyncio.subprocess.Process | None = None

    async def start(self, receiver: str, *, in_process: bool) -> None:
        """Start the process and wait until it can be subscribed to."""
        extra = ["--in-process"] if in_process else []
        with (self.place / "log").open("wb") as log:
            self.child = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "publisher_sim", "run", "scenario.toml", *extra),
                *("--netconf-port", "0", "--receiver", receiver, "--truth", "truth.jsonl"),
                "--verbose",
                cwd=self.place,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                env=environment(),
            )
        assert self.child.stdout is not None
        line = await asyncio.wait_for(self.child.stdout.readline(), READY_SECONDS)
        assert line, (self.place / "log").read_text()
        self.ready = json.loads(line)

    async def stop(self) -> None:
        """End the process."""
        if self.child is not None and self.child.returncode is None:
            self.child.send_signal(signal.SIGTERM)
            try:
                await asyncio.wait_for(self.child.wait(), 20)
            except TimeoutError:
                self.child.kill()
                await self.child.wait()

    def truth(self) -> Path:
        return self.place / "truth.jsonl"

    def log(self) -> str:
        return (self.place / "log").read_text()


async def start_together(devices: Mapping[str, Device], receivers: Mapping[str, str]) -> None:
    """Start devices, by name, in one process; each pushes to its receiver."""
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.device_farm"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env=environment(),
    )
    assert child.stdin is not None
    assert child.stdout is not None
    for device in devices.values():
        device.child = child
    jobs = [(str(device.place), receivers[name]) for name, device in devices.items()]
    child.stdin.write(json.dumps(jobs).encode() + b"\n")
    for device in devices.values():
        line = await asyncio.wait_for(child.stdout.readline(), READY_SECONDS)
        assert line, device.log()
        device.ready = json.loads(line)


class Collecting(NamedTuple):
    """How the collector of a lab differs from one with UDP-notif and one subscription."""

    sections: Mapping[str, Any] = {}
    """Further sections of its configuration, as those of receivers."""
    receivers: Mapping[str, str] = {}
    """device -> the receiver that it pushes to, where it is not ``udp-notif``."""
    subscriptions: Mapping[str, Mapping[str, Any] | None] = {}
    """device -> what its own subscription says otherwise; None: nobody subscribes to it, it is
    known to the collector by its address from the start on, and pushes when it likes."""
    devices: Mapping[str, Mapping[str, Any]] = {}
    """device -> further keys of its section."""
    netconf: Mapping[str, Mapping[str, Any]] = {}
    """device -> further keys of its NETCONF section."""


USUAL = Collecting()


def config_of(
    folder: Path,
    devices: list[Device],
    *,
    coverage_sample: float = 0.02,
    collecting: Collecting = USUAL,
    **subscription: Any,
) -> Config:
    """A configuration with these devices and one subscription on each of them; of those that
    nobody subscribes to their own address is used, whether they run already or not."""
    unasked = [d for d in devices if collecting.subscriptions.get(d.name, {}) is None]
    devices = [device for device in devices if device not in unasked]
    known_hosts = folder / "known_hosts"
    known_hosts.write_text("".join(d.ready["known_hosts"] + "\n" for d in devices))
    table: dict[str, Any] = {
        "collector": {"data_dir": str(folder / "data")},
        "udp_notif": {"port": 0},
        "metrics": {"port": 0},
        "verdicts": {"coverage_sample": coverage_sample},
        "device": [
            {
                "name": device.name,
                "sources": [device.ready["netconf_host"]],
                "netconf": {
                    "host": device.ready["netconf_host"],
                    "port": device.ready["netconf_port"],
                    "username": device.ready["username"],
                    "password_env": "LAB_PASSWORD",
                    "known_hosts": str(known_hosts),
                }
                | dict(collecting.netconf.get(device.name, {})),
            }
            | dict(collecting.devices.get(device.name, {}))
            for device in devices
        ]
        + [
            {"name": device.name, "sources": [device.address]}
            | dict(collecting.devices.get(device.name, {}))
            for device in unasked
        ],
    } | dict(collecting.sections)
    common = {
        "name": "lab",
        "xpath": "/ietf-interfaces:interfaces",
        "period_seconds": 1,
        "grace_seconds": 0.5,
    } | subscription
    own = {
        name: {"name": f"lab-{name}", "devices": [name]} | dict(more)
        for name, more in collecting.subscriptions.items()
        if more is not None
    }
    others = [device.name for device in devices if device.name not in collecting.subscriptions]
    if devices:
        table["subscription"] = [common | more for more in own.values()]
        if others:
            table["subscription"].append(common | ({"devices": others} if own else {}))
    return read_config_table(table, file="lab")


def session_of(folder: Path, ready: Mapping[str, Any]) -> dict[str, Any]:
    """``[device.netconf]`` for one device that says of itself that it is ready."""
    known_hosts = folder / "known_hosts"
    known_hosts.write_text(str(ready["known_hosts"]) + "\n")
    return {
        "host": ready["netconf_host"],
        "port": ready["netconf_port"],
        "username": ready["username"],
        "password_env": "LAB_PASSWORD",
        "known_hosts": str(known_hosts),
    }


@contextlib.contextmanager
def password_in_environment() -> Iterator[None]:
    """The collector reads the password from here."""
    os.environ["LAB_PASSWORD"] = PASSWORD
    try:
        yield
    finally:
        del os.environ["LAB_PASSWORD"]


class Lab:
    """The collector with its devices, while it runs and after."""

    def __init__(self, service: Service, facts: Facts, devices: dict[str, Device]) -> None:
        self.service = service
        self.facts = facts
        self.devices = devices

    async def finished(self) -> None:
        """Return when every device has come to the end of its scenario."""
        children = [d.child for d in self.devices.values() if d.child is not None]
        await asyncio.gather(*(child.wait() for child in children))

    def comparison(self, name: str) -> Comparison:
        """One device's verdicts against its truth."""
        return compare(read_truth(self.devices[name].truth()), self.facts.verdicts[name])


async def start(
    devices: list[Device], receivers: Mapping[str, str], processes: frozenset[str], together: int
) -> None:
    """Start devices in the processes that ``lab`` says."""
    turns = asyncio.Semaphore(AT_ONCE)

    async def alone(device: Device) -> None:
        async with turns:
            await device.start(receivers[device.name], in_process=device.name not in processes)

    shared = [device for device in devices if together and device.name not in processes]
    groups = [shared[number::together] for number in range(together)]
    starts = [start_together({d.name: d for d in group}, receivers) for group in groups if group]
    await asyncio.gather(*starts, *(alone(device) for device in devices if device not in shared))


@contextlib.asynccontextmanager
async def lab(
    folder: Path,
    scenarios: Mapping[str, str],
    *,
    processes: frozenset[str] = frozenset(),
    together: int = 0,
    wall: Callable[[], int] = time.time_ns,
    collecting: Collecting = USUAL,
    **subscription: Any,
) -> AsyncIterator[Lab]:
    """Everything started and subscribed; stopped at the end.

    ``processes``: devices whose cards are processes of their own, not tasks.
    ``together``: so many processes for all devices but those; 0: one each.
    ``wall``: the machine's clock as the collector sees it.
    ``collecting``: other receivers, other subscriptions.
    ``subscription``: further settings of the subscription, and ``coverage_sample``.
    """
    WATCH.start()
    facts = Facts()
    devices: dict[str, Device] = {}
    for name, text in scenarios.items():
        place = folder / name
        place.mkdir()
        (place / "scenario.toml").write_text(text)
        devices[name] = Device(name, place, tomllib.loads(text)["address"])
    unasked = [d for d in devices.values() if collecting.subscriptions.get(d.name, {}) is None]
    service = Service(config_of(folder, unasked, collecting=collecting), sinks=[facts], wall=wall)
    with password_in_environment():
        try:
            await service.start()
            ports = {one.name: one.local_port for one in service.receivers}  # type: ignore[attr-defined]
            receivers = {
                name: f"127.0.0.1:{ports[collecting.receivers.get(name, 'udp-notif')]}"
                for name in devices
            }
            everybody = list(devices.values())
            asked = [device for device in everybody if device not in unasked]
            await start(asked, receivers, processes, together)
            await start(unasked, receivers, processes, min(together, 1))  # they push at once
            subscription["collecting"] = collecting
            await service.reload(config_of(folder, everybody, **subscription))
            yield Lab(service, facts, devices)
        finally:
            for device in devices.values():
                await device.stop()
            await service.stop()
