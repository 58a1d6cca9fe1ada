"""One lane as the supervisor sees it: a child process that is started again when it dies.

Does: start it by exec with its socket and a channel, wait until it listens, hand orders down, start
it again after a pause that grows, end it. Does not: know what lanes are for.
Rules: the first start may fail, and then everything ends with its sentence; later ones are tried
again for ever. A lane that ends without being told to has died, whatever its exit status. What the
orders say at the moment of a start holds; orders that change meanwhile follow.
"""

from __future__ import annotations

import asyncio
import contextlib
import enum
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path

from collector.errors import CollectorError, UsageError
from collector.lanes.channel import LINE_OCTETS, Orders, Report, receive, send

log = logging.getLogger("collector")

PAUSE_SECONDS = 0.5
"""Before the first restart (ours); doubled up to the longest."""
LONGEST_PAUSE_SECONDS = 30.0
GOOD_SECONDS = 60.0
"""A lane that ran for so long begins with the shortest pause again (ours)."""
STOP_SECONDS = 120.0
"""How long a lane may take to end in good order before it is killed (ours)."""


class LaneState(enum.StrEnum):
    """What a lane is doing."""

    STARTING = "starting"
    RUNNING = "running"
    WAITING = "waiting"
    """It died and is started again soon."""
    STOPPING = "stopping"
    STOPPED = "stopped"


class LaneProcess:
    """One lane."""

    def __init__(
        self,
        number: int,
        folder: Path,
        orders: Callable[[], Orders],
        opened: socket.socket | None,
        called: socket.socket | None = None,
        *,
        pause_seconds: float = PAUSE_SECONDS,
    ) -> None:
        """
        Args:
            number: of the lane, its place in the kernel's group of sockets.
            folder: its data folder.
            orders: what it is to do, the same object until something changes.
            opened: its socket, which stays ours too; None where nothing is received over UDP.
            called: likewise, the one that listens for devices that call home.
            pause_seconds: before the first restart.
        """
        self.number = number
        self.folder = folder
        self.state = LaneState.STOPPED
        self.restarts = 0
        """Times that it was started again."""
        self.why = ""
        """Why it does not run, in a few words; empty while it does."""
        self.ended_well = False
        """Whether it ended in good order when it was told to."""
        self.at_next_start: tuple[str, ...] = ()
        """Keys that changed since it started and that it does not heed."""
        self._orders = orders
        self._sockets = (opened, called)
        self._shortest = self._pause = pause_seconds
        self._child: asyncio.subprocess.Process | None = None
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._telling = asyncio.Lock()
        """One conversation over the channel at a time."""
        self._told: Orders | None = None
        self._keeping: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """Process id while there is a process."""
        return None if self._child is None else self._child.pid

    async def start(self) -> None:
        """Return when it listens.

        Raises:
            CollectorError: what it says why it cannot.
        """
        self.state = LaneState.STARTING
        await self._come_up()
        self._keeping = asyncio.create_task(self._keep())

    async def obey(self) -> None:
        """Have it take the present orders over; one that is not there gets them when it starts.

        Raises:
            CollectorError: what it says why it cannot, or that it died over it.
        """
        if self.state is LaneState.RUNNING:
            async with self._telling:
                await self._tell()

    async def stop(self) -> None:
        """End it in good order; after ``STOP_SECONDS`` in any. May be called twice."""
        keeping, self._keeping = self._keeping, None
        self.state = LaneState.STOPPING
        if keeping is not None:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)
        if self._child is not None:
            await self._end(self._child)
        self.state = LaneState.STOPPED

    # ------------------------------------------------------------------ start
    async def _come_up(self) -> None:
        """Start a process and wait for its report. Raises CollectorError."""
        async with self._telling:
            try:
                await self._spawn()
                self._told = None
                await self._tell()
            except (CollectorError, OSError) as error:
                await self._reap()
                if isinstance(error, CollectorError):
                    raise
                raise UsageError(f"lane {self.number} cannot be started: {error}") from error
        self.state, self.why = LaneState.RUNNING, ""

    async def _spawn(self) -> None:
        """Start the process. Raises OSError."""
        ours, theirs = socket.socketpair()
        files = [theirs.fileno()]
        words = [str(theirs.fileno())]
        for one in self._sockets:
            files += [] if one is None else [one.fileno()]
            words.append("-" if one is None else str(one.fileno()))
        # -P: nothing is imported from the folder that the collector happens to be started in
        command = (sys.executable, "-P", "-m", "collector.lanes.lane", *words)
        try:
            with theirs:
                self._child = await asyncio.create_subprocess_exec(
                    *command,
                    stdin=asyncio.subprocess.DEVNULL,
                    pass_fds=files,
                    process_group=0,  # Ctrl-C is for the supervisor, which passes it on in order
                    env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
                )
            streams = await asyncio.open_connection(sock=ours, limit=LINE_OCTETS)
        except BaseException:
            ours.close()
            raise
        self._reader, self._writer = streams

    async def _tell(self) -> None:
        """Hand the newest orders down, and again if they change meanwhile."""
        while (orders := self._orders()) is not self._told:
            self._told = orders
            report = await self._conversation(orders)
            if report is None:
                raise UsageError(f"lane {self.number} ended without a word")
            if report.error:
                error = UsageError(f"lane {self.number}: {report.error}")
                for note in report.notes:
                    error.add_note(note)
                raise error
            self.at_next_start = report.at_next_start

    async def _conversation(self, orders: Orders) -> Report | None:
        assert self._reader is not None
        assert self._writer is not None
        try:
            await send(self._writer, orders)
        except OSError:
            return None
        return await receive(self._reader, Report)

    # ------------------------------------------------------------------ while it runs
    async def _keep(self) -> None:
        """Start it again whenever it ends."""
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            how = await self._ended()
            if loop.time() - began >= GOOD_SECONDS:
                self._pause = self._shortest
            self.state, self.why = LaneState.WAITING, how
            log.error("Lane %d %s; it is started again in %.1f s.", self.number, how, self._pause)
            await self._start_again()
            log.warning("Lane %d runs again.", self.number)

    async def _start_again(self) -> None:
        while True:
            await asyncio.sleep(self._pause)
            self._pause = min(2 * self._pause, LONGEST_PAUSE_SECONDS)
            self.restarts += 1
            self.state = LaneState.STARTING
            try:
                await self._come_up()
            except CollectorError as error:
                self.state, self.why = LaneState.WAITING, f"could not start: {error}"
                log.error("%s; it is tried again in %.1f s.", error, self._pause)
            else:
                return

    async def _ended(self) -> str:
        """Wait for the end of the process; how it came."""
        assert self._child is not None
        code = await self._child.wait()
        await self._reap()
        return _how(code)

    # ------------------------------------------------------------------ end
    async def _end(self, child: asyncio.subprocess.Process) -> None:
        if child.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                child.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(STOP_SECONDS):
                code = await child.wait()
        except TimeoutError:
            log.error("Lane %d does not end and is killed; its journal is whole.", self.number)
            with contextlib.suppress(ProcessLookupError):
                child.kill()
            code = await child.wait()
        self.ended_well = code == 0
        if code not in (0, -signal.SIGTERM):  # the signal itself: it had hardly begun to start
            log.error("Lane %d %s.", self.number, _how(code))
        await self._reap()

    async def _reap(self) -> None:
        """Forget a process that has ended, or is of no use any more."""
        child, self._child = self._child, None
        if self._writer is not None:
            self._writer.close()
        self._reader = self._writer = None
        if child is not None and child.returncode is None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(STOP_SECONDS):
                    await child.wait()  # its channel is closed, so it stops
                return
            child.kill()
            await child.wait()


def _how(code: int) -> str:
    if code < 0:
        with contextlib.suppress(ValueError):
            return f"was ended by {signal.Signals(-code).name}"
    return f"ended with status {code}"
