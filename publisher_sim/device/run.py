"""From a scenario to a running device: overrides, signals, the line that says "ready".

Does not: know options or sockets. Standard output gets one JSON line, people's words go to standard
error.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

from msgspec import structs

from collector.errors import ConfigError, SinkError, UsageError
from publisher_sim.device.service import DeviceService
from publisher_sim.files import check_writable
from publisher_sim.scenario import Scenario, check


def override(
    scenario: Scenario,
    *,
    receiver: str | None = None,
    netconf_port: int | None = None,
    call_home: str | None = None,
    address: str | None = None,
    seed: int | None = None,
    periods: int | None = None,
    period: float | None = None,
) -> Scenario:
    """The scenario with some values replaced; None leaves a value. Raises ConfigError."""
    if receiver is not None:
        host, port = _host_and_port(receiver)
        changed = structs.replace(scenario.receiver, address=host, port=port)
        scenario = structs.replace(scenario, receiver=changed)
    if netconf_port is not None:
        netconf = structs.replace(scenario.netconf, port=netconf_port)
        scenario = structs.replace(scenario, netconf=netconf)
    if call_home is not None:
        netconf = structs.replace(scenario.netconf, call_home=call_home)
        scenario = structs.replace(scenario, netconf=netconf)
    if address is not None:
        scenario = structs.replace(scenario, address=address)
    if seed is not None:
        scenario = structs.replace(scenario, seed=seed)
    if periods is not None:
        scenario = structs.replace(scenario, periods=periods)
    if period is not None:
        seconds = structs.replace(scenario.period, seconds=period)
        scenario = structs.replace(scenario, period=seconds)
    check(scenario)
    return scenario


def _host_and_port(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isascii() or not port.isdecimal():
        raise ConfigError(
            f"{text!r} is no receiver", key="--receiver", allowed="HOST:PORT, [IPV6]:PORT"
        )
    return host.strip("[]"), int(port)


def run_device(
    scenario: Scenario,
    *,
    truth: Path | None = None,
    duration: float | None = None,
    in_process: bool = False,
    quiet: bool = True,
) -> None:
    """Run a device until it is over.

    Raises:
        ConfigError: a value of the scenario cannot be used.
        SessionError: a card did not come up.
        UsageError: the truth cannot be written, found out before anything ran.
        SinkError: the run is over, but its truth is not there or not what it should be.
    """
    if truth is not None:
        require_writable(truth)

    def progress(text: str) -> None:
        if not quiet:
            print(f"publisher-sim: {text}", file=sys.stderr, flush=True)

    async def whole() -> list[str]:
        device: DeviceService

        def stop() -> None:
            device.request_stop()

        for number in (signal.SIGTERM, signal.SIGINT):
            # before the device, which takes a while to make; called only once we wait below
            asyncio.get_running_loop().add_signal_handler(number, stop)
        device = DeviceService(scenario, truth=truth, in_process=in_process, progress=progress)
        try:
            await device.start()
            if not device.stopping:
                print(json.dumps(ready_line(device, scenario)), flush=True)
                await device.wait(duration)
        finally:
            await device.stop()
        return device.troubles

    require_well(asyncio.run(whole()))


def require_writable(path: Path) -> None:
    """Before a run of hours whose truth nobody gets. Raises UsageError."""
    try:
        check_writable(path)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from None


def require_well(troubles: list[str]) -> None:
    """At the end of a run. Raises SinkError: one sentence of all troubles."""
    if troubles:
        more = f" (and {len(troubles) - 1} more)" if len(troubles) > 1 else ""
        raise SinkError(f"{troubles[0]}{more}", retryable=False)


def ready_line(device: DeviceService, scenario: Scenario) -> dict[str, object]:
    """What whoever started us needs to know."""
    return {
        "ready": True,
        "device": scenario.name,
        "netconf_host": device.server.host,
        "netconf_port": device.server.port,
        "username": scenario.netconf.username,
        "host_key": device.server.public_key,
        "known_hosts": device.server.known_hosts_line().strip(),
        "receiver": f"{scenario.receiver.address}:{scenario.receiver.port}",
        "pid": os.getpid(),
    }
