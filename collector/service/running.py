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

from msgspec import Struct
from msgspec.structs import replace

from collector import fast
from collector.config import Config
from collector.config.subscriptions import moment
from collector.errors import ConfigError, PeerError, UsageError
from collector.service.addresses import without_addresses
from collector.service.lifecycle import Service
from collector.service.memory import settle
from collector.service.signals import carry, set_up_logging, started, stop_signals
from collector.service.silence import Silence
from collector.service.sources import where
from collector.service.ways import WAIT_SECONDS, Strangers, say_on_stderr, waiting_for

if TYPE_CHECKING:
    from collector.service.printing import PrintingSink

log = logging.getLogger("collector")

LOOK_SECONDS = 0.2
"""Between two looks at how a subscription stands (ours)."""


def run(config: Config, *, reload_from: Callable[[], Config] | None = None) -> int:
    """Run until SIGTERM or SIGINT; SIGHUP reads the configuration again. Returns 0."""
    set_up_logging(config)
    log.info("The hot functions are %s.", fast.PATH)
    asyncio.run(_run(config, reload_from))
    return 0


async def _run(config: Config, reload_from: Callable[[], Config] | None) -> None:
    service = Service(config)
    service.reload_from = reload_from

    def at_work() -> None:
        settle()
        log.info("Listening on %s; data in %s.", listening(service), service.folder)

    await carry(service, reloads=reload_from is not None, at_work=at_work)


def listening(service: Service) -> str:
    """Where the receivers listen, for people."""
    found = [where(service.config, one) for one in service.receivers]
    if service.manager.calls is not None:
        found.append(f"{service.manager.calls.where} (call home)")
    return ", ".join(found) or "nothing"


# --------------------------------------------------------------------------- one shot
def subscribe_once(
    config: Config,
    *,
    duration_seconds: float | None,
    json_output: bool,
    wait_seconds: float | None = None,
) -> int:
    """Subscribe, print updates and verdicts until the time is over or a signal comes.

    Nothing is kept. Returns 0.

    Args:
        config: one device, one subscription.
        duration_seconds: how long; of a device that calls home, from its call on.
        json_output: for programs.
        wait_seconds: how long a device that calls home may take to call; None: the default.

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
        config = replace(config, collector=data_dir)
        times = _Times(duration_seconds, wait_seconds or WAIT_SECONDS)
        return asyncio.run(_once(config, sink, times))


def _refuse_what_is_over(config: Config) -> None:
    """Events that were kept can be asked for behind their time, nothing else can.

    Raises:
        UsageError: a stop-time has passed.
    """
    for one in config.subscriptions:
        replays = one.replay_start_time is not None or one.replay_seconds is not None
        if one.stop_time is not None and not replays and moment(one.stop_time) <= time.time_ns():
            raise UsageError(f"--stop-time {one.stop_time} has passed, so nothing would come")


class _Times(Struct, frozen=True):
    """Seconds."""

    duration: float | None
    """Of the subscription; None: until a signal comes."""
    wait: float
    """For a call."""


async def _once(config: Config, sink: PrintingSink, times: _Times) -> int:
    service = Service(config, sinks=[sink])
    stopping = stop_signals()
    try:
        if not await _started(service, stopping):
            return 0
        for device in without_addresses(service.config):
            raise UsageError(
                f"{device.name} has no address that is known here;"
                " --source ADDRESS says where its line cards send from"
            )
        say_on_stderr(f"Listening on {listening(service)}.")
        if not await _called(service, stopping, times.wait):
            return 0
        problem = await _wait(service, stopping, times.duration, sink)
        for sentence in Silence(service, service.clock.now()).at_the_end():
            say_on_stderr(f"collector: {sentence}")
    finally:
        await service.stop()
    if problem:
        raise PeerError(problem)
    return 0


async def _started(service: Service, stopping: asyncio.Event) -> bool:
    try:
        return await started(service.start(), stopping)
    except ConfigError as error:
        if error.key == "call_home.address":
            error.add_note(
                "a collector that runs has the port: put the subscription into its configuration,"
                " then say `collector reload`"
            )
        raise


async def _called(service: Service, stopping: asyncio.Event, wait_seconds: float) -> bool:
    """Wait for a device that calls home; False: told to stop meanwhile. Raises PeerError."""
    calls = service.manager.calls
    if calls is None:
        return True
    (device,) = service.config.devices
    if not device.sources:
        say_on_stderr(
            f"Without --source only what comes in the session is known to be from {device.name}."
        )
    say_on_stderr(waiting_for([device.name], calls.where, wait_seconds))
    end = asyncio.get_running_loop().time() + wait_seconds
    strangers = Strangers(say_on_stderr)
    while service.manager.states()[0].phase == "awaited":
        strangers.look(calls.unknown())
        if asyncio.get_running_loop().time() >= end:
            raise PeerError(f"{device.name} did not call within {wait_seconds:g} s")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LOOK_SECONDS):
                await stopping.wait()
        if stopping.is_set():
            return False
    return True


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
    said, remarks = "", frozenset[str]()
    while not stopping.is_set() and (end is None or loop.time() < end):
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LOOK_SECONDS):
                await stopping.wait()
        problem, can_heal = _problem(service)
        if sink.unread or _is_complete(service):
            return ""
        if problem and not can_heal:
            return problem
        if problem and problem != said:
            say_on_stderr(f"collector: {problem}; it is tried again")
        said, before, remarks = problem, remarks, _remarks(service)
        for remark in sorted(remarks - before):
            say_on_stderr(f"collector: {remark}")
    return said


def _is_complete(service: Service) -> bool:
    """Whether the subscription has reached its stop-time, and nothing more will come."""
    held = [one.phase for device in service.manager.states() for one in device.subscriptions]
    return bool(held) and all(phase == "completed" for phase in held)


def _remarks(service: Service) -> frozenset[str]:
    """What there is to say of subscriptions that are there, not quite as they should be."""
    return frozenset(
        f"{device.name}: {one.reason}"
        for device in service.manager.states()
        for one in device.subscriptions
        if one.phase == "active" and one.reason
    )


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
