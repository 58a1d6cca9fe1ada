"""The daemon and the one-shot: a ``Service`` with signals around it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from collector import fast
from collector.config import Config
from collector.config.subscriptions import moment
from collector.errors import PeerError, UsageError
from collector.service.addresses import without_addresses
from collector.service.lifecycle import Service
from collector.service.memory import settle
from collector.service.signals import reload_on_signal, set_up_logging, started, stop_signals
from collector.service.sources import where

if TYPE_CHECKING:
    from collector.service.printing import PrintingSink

log = logging.getLogger("collector")


def run(config: Config, *, reload_from: Callable[[], Config] | None = None) -> int:
    """Run until SIGTERM or SIGINT; SIGHUP reads the configuration again. Returns 0."""
    set_up_logging(config)
    log.info("The hot functions are %s.", fast.PATH)
    asyncio.run(_run(config, reload_from))
    return 0


async def _run(config: Config, reload_from: Callable[[], Config] | None) -> None:
    service = Service(config)
    service.reload_from = reload_from
    stopping = stop_signals()
    if reload_from is not None:
        reload_on_signal(service.reload_now)
    try:
        if await started(service.start(), stopping):
            settle()
            log.info("Listening on %s; data in %s.", listening(service), service.folder)
            await stopping.wait()
        log.info("Stopping.")
    finally:
        await service.stop()
    log.info("Stopped; everything that was taken is on disk.")


def listening(service: Service) -> str:
    """Where the receivers listen, for people."""
    found = [where(service.config, one) for one in service.receivers]
    if service.manager.calls is not None:
        port = service.manager.calls.local_port
        found.append(f"{service.config.call_home.address} port {port} (call home)")
    return ", ".join(found) or "nothing"


# --------------------------------------------------------------------------- one shot
def subscribe_once(config: Config, *, duration_seconds: float | None, json_output: bool) -> int:
    """Subscribe, print updates and verdicts until the time is over or a signal comes.

    Nothing is kept. Returns 0.

    Raises:
        PeerError: the subscription could not be made.
        UsageError: nobody knows the addresses of a device's name; it would have ended already.
    """
    from collector.service.printing import PrintingSink  # a daemon prints nothing: no rich

    _refuse_what_is_over(config)
    logging.basicConfig(level="ERROR", format="%(message)s", stream=sys.stderr)
    logging.getLogger("collector.subscriber").setLevel("CRITICAL")  # said by ``_wait``
    sink = PrintingSink(as_json=json_output)
    with tempfile.TemporaryDirectory(prefix="collector-") as folder:
        data_dir = replace(config.collector, data_dir=str(Path(folder)))
        return asyncio.run(_once(replace(config, collector=data_dir), sink, duration_seconds))


def _refuse_what_is_over(config: Config) -> None:
    """Events that were kept can be asked for behind their time, nothing else can.

    Raises:
        UsageError: a stop-time has passed.
    """
    for one in config.subscriptions:
        replays = one.replay_start_time is not None or one.replay_seconds is not None
        if one.stop_time is not None and not replays and moment(one.stop_time) <= time.time_ns():
            raise UsageError(f"--stop-time {one.stop_time} has passed, so nothing would come")


async def _once(config: Config, sink: PrintingSink, duration_seconds: float | None) -> int:
    service = Service(config, sinks=[sink])
    stopping = stop_signals()
    try:
        if not await started(service.start(), stopping):
            return 0
        for device in without_addresses(service.config):
            raise UsageError(
                f"{device.name} has no address that is known here;"
                " --source ADDRESS says where its line cards send from"
            )
        print(f"Listening on {listening(service)}.", file=sys.stderr, flush=True)
        problem = await _wait(service, stopping, duration_seconds, sink)
    finally:
        await service.stop()
    if problem:
        raise PeerError(problem)
    return 0


async def _wait(
    service: Service,
    stopping: asyncio.Event,
    duration_seconds: float | None,
    sink: PrintingSink,
) -> str:
    """Until a signal, the end of the time, a refusal, or nobody reads what is printed; returns why
    there was no subscription, or ""."""
    loop = asyncio.get_running_loop()
    end = None if duration_seconds is None else loop.time() + duration_seconds
    said = ""
    while not stopping.is_set() and (end is None or loop.time() < end):
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.2):
                await stopping.wait()
        problem, can_heal = _problem(service)
        if sink.unread or _is_complete(service):
            return ""
        if problem and not can_heal:
            return problem
        if problem and problem != said:
            print(f"collector: {problem}; it is tried again", file=sys.stderr, flush=True)
        said = problem
    return said


def _is_complete(service: Service) -> bool:
    """Whether the subscription has reached its stop-time, and nothing more will come."""
    held = [one.phase for device in service.manager.states() for one in device.subscriptions]
    return bool(held) and all(phase == "completed" for phase in held)


def _problem(service: Service) -> tuple[str, bool]:
    """What keeps the subscription from being there, and whether that may heal by itself."""
    for device in service.manager.states():
        if device.phase == "refused":
            return device.reason, False
        if device.phase == "waiting":
            return device.reason, True
        for one in device.subscriptions:
            if one.phase == "refused":
                return f"{device.name} refused the subscription: {one.reason}", False
            if one.phase in ("pending", "terminated") and one.reason:
                return f"{device.name}: {one.reason}", True
    return "", True
