"""The stage ``sessions``: what NETCONF sessions to thousands of devices cost one ``collector run``.

Does: start a collector and devices in other processes, wait until each has its subscription, then
take memory and idle CPU, then drop all connections at once and watch them come back.
Does not: send any update; what messages cost is told by the other stages.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from msgspec import Struct

from tests.bench.running import CollectorRun, empty, free_port
from tests.bench.session_devices import PASSWORD, USER

DEVICES = 2000
IDLE_SECONDS = 35.0
"""More than a round of keep-alives."""
PROCESSES = 2
PATIENCE_SECONDS = 300.0
_PASSWORD_VARIABLE = "BENCH_SESSION_PASSWORD"
_PERIOD_SECONDS = 86_400
_LOOK_SECONDS = 0.5


class Coming(Struct, frozen=True):
    """All devices getting their sessions and subscriptions, from nothing."""

    seconds: float
    """Until the last one had its subscription."""
    most_a_second: float
    """Sessions that came in a second, in the fullest five."""
    cpu: float
    """CPU seconds of the collector."""
    busiest: float
    """Its share of a core in the busiest five seconds."""


class Sessions(Struct, frozen=True):
    """Sessions of one collector."""

    devices: int
    calling: bool
    """Whether the devices call home."""
    before: int
    """Octets of the process when it listens, without a session."""
    up: Coming
    memory: int
    """Octets of the process with all sessions."""
    idle: float
    """Share of a core while nothing happens."""
    idle_seconds: float
    back: Coming
    """After all connections were dropped in the same moment."""
    memory_after: int
    peak: int

    @property
    def a_session(self) -> float:
        """Octets of a session with its device and subscription."""
        return (self.memory - self.before) / self.devices


def measure(
    devices: int, *, folder: Path | None, calling: bool = False, idle_seconds: float = IDLE_SECONDS
) -> Sessions:
    """One collector with sessions to so many devices. Raises RuntimeError."""
    kept = Path(tempfile.mkdtemp(prefix="bench-", dir=folder))
    port = free_port()
    os.environ[_PASSWORD_VARIABLE] = PASSWORD
    try:
        with _devices(devices, port if calling else None) as groups:
            (kept / "known_hosts").write_text("".join(_known_hosts(groups, devices)))
            running = CollectorRun(kept, 0, more=_config(kept, groups, port, calling))
            try:
                return _watch(running, groups, devices, calling, idle_seconds)
            finally:
                running.stop()
    finally:
        del os.environ[_PASSWORD_VARIABLE]
        empty(kept)


def _watch(
    running: CollectorRun, groups: Sequence[_Group], devices: int, calling: bool, idle: float
) -> Sessions:
    begun = time.monotonic()
    running.start()
    before = running.rss()
    if calling:
        for group in groups:
            group.ask("call")
    up = _come(running, groups, devices, begun)
    time.sleep(2)  # the last rows of the start are stored
    memory, cpu, since = running.rss(), running.cpu_seconds(), time.monotonic()
    time.sleep(idle)
    share = (running.cpu_seconds() - cpu) / (time.monotonic() - since)
    dropped = time.monotonic()
    for group in groups:
        group.ask("drop")
    back = _come(running, groups, devices, dropped)
    time.sleep(2)
    after = running.rss()
    return Sessions(devices, calling, before, up, memory, share, idle, back, after, running.peak())


def _come(running: CollectorRun, groups: Sequence[_Group], devices: int, begun: float) -> Coming:
    """Wait until each device has its subscription (again)."""
    used = [(time.monotonic(), running.cpu_seconds())]
    while True:
        time.sleep(_LOOK_SECONDS)
        looks = [group.ask("look") for group in groups]
        used.append((time.monotonic(), running.cpu_seconds()))
        if sum(look["subscribed"] for look in looks) >= devices:
            break
        if used[-1][0] - begun > PATIENCE_SECONDS:
            raise RuntimeError(f"not all devices have a subscription: {running.log()[-1000:]}")
    came = Counter(int(at - begun) for look in looks for at in look["came"])
    return Coming(
        used[-1][0] - begun,
        max(sum(came[second + one] for one in range(5)) / 5 for second in came),
        used[-1][1] - used[0][1],
        max(_shares(used), default=0.0),
    )


def _shares(used: Sequence[tuple[float, float]]) -> Iterator[float]:
    """Share of a core within each five seconds, or within all where there are fewer."""
    looks = min(round(5 / _LOOK_SECONDS), len(used) - 1)
    for first, last in zip(used, used[looks:], strict=False):
        yield (last[1] - first[1]) / (last[0] - first[0])


class _Group:
    """Devices in a process of their own."""

    def __init__(self, sessions: int, call: int | None) -> None:
        command = [sys.executable, "-m", "tests.bench.session_devices", str(sessions)]
        if call is not None:
            command += ["--call", str(call)]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.sessions = sessions
        self.ready = self._line()

    def ask(self, word: str) -> dict[str, Any]:
        """See ``session_devices``."""
        assert self._process.stdin is not None
        self._process.stdin.write(word + "\n")
        self._process.stdin.flush()
        return self._line()

    def _line(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the devices ended by themselves")
        found: dict[str, Any] = json.loads(line)
        return found

    def stop(self) -> None:
        """End the process."""
        self._process.communicate()


@contextmanager
def _devices(devices: int, call: int | None) -> Iterator[list[_Group]]:
    groups: list[_Group] = []
    try:
        for number in range(PROCESSES):
            share = devices // PROCESSES + (number < devices % PROCESSES)
            groups.append(_Group(share, call))
        yield groups
    finally:
        for group in groups:
            group.stop()


def _known_hosts(groups: Sequence[_Group], devices: int) -> Iterator[str]:
    """Their keys, among as many lines as so many devices have."""
    for group in groups:
        yield group.ready["known_hosts"]
    for number in range(devices):
        yield f"[10.{number >> 8}.{number & 255}.1]:830 {groups[0].ready['host_keys'][0]}\n"


def _config(folder: Path, groups: Sequence[_Group], port: int, calling: bool) -> str:
    text = ""
    if calling:
        text += f"[call_home]\nenabled = true\nport = {port}\n"
    text += (
        '[[subscription]]\nname = "all"\nxpath = "/ietf-interfaces:interfaces"\n'
        f"period_seconds = {_PERIOD_SECONDS}\n"
    )
    number = 0
    for group in groups:
        for one in range(group.sessions):
            source = f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"
            text += (
                f'[[device]]\nname = "r{number}"\nsources = ["{source}"]\n[device.netconf]\n'
                f'username = "{USER}"\npassword_env = "{_PASSWORD_VARIABLE}"\n'
            )
            if calling:
                text += f'call_home = true\nhost_keys = ["{group.ready["host_keys"][one]}"]\n'
            else:
                text += (
                    f'host = "127.0.0.1"\nport = {group.ready["port"]}\n'
                    f'known_hosts = "{folder / "known_hosts"}"\n'
                )
            number += 1
    return text
