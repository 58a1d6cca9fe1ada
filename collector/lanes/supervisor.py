"""The process above the lanes: it holds the sockets, starts and restarts lanes, answers for all.

Start: lock of the data folder, addresses of names, plan, sockets, lanes (side by side), control
socket and metrics. Stop is the other way round, but the lanes end before the control socket, so
that followers see the last verdicts. No message passes through here.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

from msgspec.structs import asdict, replace

from collector.config import Config
from collector.control import ControlServer
from collector.errors import CollectorError, SinkError, UsageError
from collector.journal.lock import FolderLock
from collector.lanes.answers import Answers
from collector.lanes.channel import Orders
from collector.lanes.closing import close_earlier
from collector.lanes.folders import moved, notes_at_start, save_assignment, sentence_of_moved
from collector.lanes.numbers import Numbers
from collector.lanes.plan import Plan, callers_elsewhere, plan_of
from collector.lanes.process import PAUSE_SECONDS, LaneProcess
from collector.receivers.sockets.lane_sockets import open_lane_listeners, open_lane_sockets, steer
from collector.service.addresses import with_addresses, without_addresses
from collector.sinks.prometheus import MetricsServer

log = logging.getLogger("collector")

LOOK_UP_AGAIN_SECONDS = 60.0
"""Between two tries to find the addresses of devices that have none yet, as in a lane."""


class Supervisor:
    """All lanes of one data folder."""

    def __init__(
        self,
        config: Config,
        *,
        reload_from: Callable[[], Config] | None = None,
        pause_seconds: float = PAUSE_SECONDS,
    ) -> None:
        """
        Args:
            config: what is wanted.
            reload_from: reads the configuration again; None where there is no file.
            pause_seconds: before the first restart of a lane.
        """
        self.config = config
        """As the operator wrote it."""
        self.lanes: list[LaneProcess] = []
        self.reloads = 0
        self.metrics: MetricsServer | None = None
        self.running = False
        """From the end of ``start`` to the beginning of ``stop``."""
        self._reload_from = reload_from
        self._pause_seconds = pause_seconds
        self._unheeded: list[str] = []
        """Keys that the supervisor alone heeds, and only at its start."""
        self._resolved = config
        """The same with the addresses of names."""
        self._plan: Plan | None = None
        self._orders: list[Orders] = []
        self._lock: FolderLock | None = None
        self._sockets: list[socket.socket] = []
        """Of UDP-notif, one a lane."""
        self._listeners: list[socket.socket] = []
        """That devices call, one a lane."""
        self._control: ControlServer | None = None
        self._taking_over = asyncio.Lock()
        """Configurations are taken over in the order in which they came."""
        self._noted = False
        """Whether it is written down which device is in which lane now."""
        self._looking_up: asyncio.Task[None] | None = None
        self.answers = Answers(self)
        self.numbers = Numbers(self.lanes)

    @property
    def folder(self) -> Path:
        """The data folder of all."""
        return Path(self.config.collector.data_dir)

    @property
    def port(self) -> int:
        """The port of UDP-notif; 0 where it is not received."""
        return int(self._sockets[0].getsockname()[1]) if self._sockets else 0

    @property
    def call_home_port(self) -> int:
        """The port that devices call; 0 where none may."""
        return int(self._listeners[0].getsockname()[1]) if self._listeners else 0

    def devices_of(self, lane: int) -> int:
        """How many devices are in a lane."""
        return 0 if self._plan is None else len(self._plan.configs[lane].devices)

    def lane_of(self, device: str) -> LaneProcess | None:
        """The lane that has the device of that name."""
        number = None if self._plan is None else self._plan.devices.get(device)
        return None if number is None else self.lanes[number]

    # ------------------------------------------------------------------ start
    async def start(self) -> None:
        """Return when all lanes listen.

        Raises:
            CollectorError: why one of them, or all together, cannot.
        """
        count = self.config.collector.lanes
        if count > (cores := len(os.sched_getaffinity(0))):
            log.warning(
                "%d lanes share %d cores: more lanes than cores bring nothing.", count, cores
            )
        await close_earlier(self.config)
        self._lock = FolderLock.acquire(self.folder)
        self._resolved = await with_addresses(self.config)
        plan = plan_of(self.config, count, self._resolved)
        for note in notes_at_start(self.folder, count, plan.devices):
            log.warning("%s", note)
        self._follow_plan(plan)
        self._open_sockets(plan)
        await self._start_lanes(count)
        save_assignment(self.folder, count, plan.devices)
        self._noted = True
        await self._start_faces()
        self._looking_up = asyncio.create_task(self._look_up_now_and_then())
        self.running = True

    def _follow_plan(self, plan: Plan) -> None:
        self._plan = plan
        self._orders = [
            Orders(lane, plan.lanes, config, callers_elsewhere(plan, lane))
            for lane, config in enumerate(plan.configs)
        ]

    def _open_sockets(self, plan: Plan) -> None:
        settings = self.config.udp_notif
        if settings.enabled:
            self._sockets = open_lane_sockets(
                settings.address,
                settings.port,
                lanes=plan.lanes,
                program=plan.program,
                receive_buffer=settings.receive_buffer_bytes,
            )
        calls = self.config.call_home
        if calls.enabled:
            self._listeners = open_lane_listeners(
                calls.address,
                calls.port,
                lanes=plan.lanes,
                program=plan.program,
                section="call_home",
            )

    async def _start_lanes(self, count: int) -> None:
        """All side by side; the first that cannot start is the reason why nothing does."""
        for lane in range(count):
            self.lanes.append(
                LaneProcess(
                    lane,
                    Path(self._orders[lane].config.collector.data_dir),
                    lambda lane=lane: self._orders[lane],  # type: ignore[misc]  # bound early
                    self._sockets[lane] if self._sockets else None,
                    self._listeners[lane] if self._listeners else None,
                    pause_seconds=self._pause_seconds,
                )
            )
        starts = [asyncio.ensure_future(lane.start()) for lane in self.lanes]
        try:
            await asyncio.gather(*starts)
        finally:
            for start in starts:
                start.cancel()
            await asyncio.gather(*starts, return_exceptions=True)

    async def _start_faces(self) -> None:
        self._control = ControlServer(self.folder, self.answers.commands())
        await self._control.start()
        settings = self.config.metrics
        if settings.enabled:
            self.metrics = MetricsServer(
                self.numbers.registry(),
                address=settings.address,
                port=settings.port,
                health=self.numbers.health,
                prepare=self.numbers.fetch,
            )
            await self.metrics.start()

    # ------------------------------------------------------------------ while running
    async def reload_now(self) -> None:
        """Read the configuration file again; all lanes take it over, and it is steered by.

        The number of lanes, addresses, folders and limits stay until the next start.

        Raises:
            ConfigError: it cannot be used, or its addresses cannot be steered; everything goes on
                as it was.
            UsageError: starting or stopping, no file, or a lane that did not take it over.
        """
        if self._reload_from is None:
            raise UsageError("this collector has no configuration file to read again")
        if not self.running:
            raise UsageError("the collector is still starting, or already stopping")
        async with self._taking_over:
            config = await asyncio.to_thread(self._reload_from)  # many devices take a while
            unheeded = [*_changed(self.config, config)]
            config = replace(config, collector=self.config.collector, metrics=self.config.metrics)
            await self._take_over(config, await with_addresses(config, self._resolved))
            self._unheeded = unheeded
        self.reloads += 1
        log.info("The configuration was read again.")
        if self.at_next_start:
            log.warning(
                "Only the next start heeds what changed in %s.", ", ".join(self.at_next_start)
            )

    @property
    def at_next_start(self) -> list[str]:
        """Keys of the configuration read last that have no effect before the next start."""
        of_lanes = (key for lane in self.lanes for key in lane.at_next_start)
        return [*dict.fromkeys([*self._unheeded, *of_lanes])]

    async def _take_over(self, config: Config, resolved: Config) -> None:
        """Steer and order anew. Raises CollectorError: the first that failed, after all was tried;
        a lane that did not take its orders over gets them again with the next."""
        before, plan = self._plan, plan_of(config, len(self.lanes), resolved)
        assert before is not None
        self.config, self._resolved = config, resolved
        failed: list[CollectorError] = []
        if others := moved(before.devices, plan.devices):
            log.warning("%s", sentence_of_moved(others))
            self._follow_plan(_without_arrivals(plan, before))
            failed += await self._obey()
        for group in (self._sockets, self._listeners):
            if group:
                steer(group[0], plan.program)
        self._follow_plan(plan)
        failed += await self._obey()
        save_assignment(self.folder, len(self.lanes), plan.devices)
        for error in failed:
            raise error

    async def _obey(self) -> list[CollectorError]:
        """All lanes take the orders over; what went wrong."""
        done = await asyncio.gather(*(_failure(lane.obey()) for lane in self.lanes))
        return [error for error in done if error is not None]

    async def _look_up_now_and_then(self) -> None:
        while True:
            await asyncio.sleep(LOOK_UP_AGAIN_SECONDS)
            if not without_addresses(self._resolved):
                continue
            async with self._taking_over:
                resolved = await with_addresses(self.config, self._resolved)
                if resolved == self._resolved:
                    continue
                try:
                    await self._take_over(self.config, resolved)
                except CollectorError as error:
                    log.warning("The addresses that were found are not used yet: %s", error)

    # ------------------------------------------------------------------ stop
    async def stop(self) -> None:
        """End the lanes in good order, then everything else. May be called twice."""
        self.running = False
        if self._looking_up is not None:
            self._looking_up.cancel()
            await asyncio.gather(self._looking_up, return_exceptions=True)
        await asyncio.gather(*(lane.stop() for lane in self.lanes))
        await self.answers.followers_gone()
        if self._control is not None:
            await self._control.stop()
        if self.metrics is not None:
            await self.metrics.stop()
        self._note_good_end()
        for one in (*self._sockets, *self._listeners):
            with contextlib.suppress(OSError):
                one.close()
        if self._lock is not None:
            self._lock.release()

    def _note_good_end(self) -> None:
        noted, self._noted = self._noted, False
        if noted and self._plan is not None and all(lane.ended_well for lane in self.lanes):
            with contextlib.suppress(SinkError):
                save_assignment(self.folder, len(self.lanes), self._plan.devices, ended=True)


async def _failure(work: Coroutine[Any, Any, None]) -> CollectorError | None:
    try:
        await work
    except CollectorError as error:
        return error
    return None


def _changed(before: Config, after: Config) -> Iterator[str]:
    """Dotted keys of the sections that lanes are not told of as they are."""
    for section in ("collector", "metrics"):
        was, now = asdict(getattr(before, section)), asdict(getattr(after, section))
        yield from (f"{section}.{key}" for key in was if was[key] != now[key])


def _without_arrivals(plan: Plan, before: Plan) -> Plan:
    """Where a device leaves one lane for another, it leaves the first before it is in the second:
    two sessions to it would be one too many."""
    configs = tuple(
        replace(
            config,
            devices=tuple(d for d in config.devices if before.devices.get(d.name, lane) == lane),
        )
        for lane, config in enumerate(plan.configs)
    )
    return replace(plan, configs=configs)
