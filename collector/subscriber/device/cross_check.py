"""Looks into ``/subscriptions`` of devices, at a slow pace: when, and the asking.

What it does: ask each device whose session is up now and then, one after the other, spread over
the interval by the device's name, and count what came of it. What it does not: compare (whoever
reads the journal does: request and reply are in it), or end a session.

Rules: only what is compared is asked for; a device that refuses the filter is asked for the whole
tree, and one that refuses that too is left alone as long as its session lasts. Nobody waits for a
look, and few are under way at the same time.
"""

from __future__ import annotations

import asyncio
import logging
import zlib
from collections.abc import Awaitable, Callable, Iterable

from collector.errors import ProtocolError, SessionError
from collector.interfaces import Clock
from collector.metrics import Counters
from collector.subscriber.exchanges.requests import Call
from collector.wire.netconf.looks import CROSS_CHECK, LOOK, LOOK_AT_ALL
from collector.wire.netconf.rpc import SubscriptionState

log = logging.getLogger("collector.subscriber")

AT_ONCE = 8
"""Looks that are under way at the same time (ours)."""
STEP_SECONDS = 1.0
"""How often somebody looks who is due (ours)."""


class Looker:
    """Asks one device."""

    def __init__(self, device: str, call: Call, counters: Counters) -> None:
        self._device = device
        self._call = call
        self._counters = counters
        self._ways = [LOOK, LOOK_AT_ALL]
        """What is still worth asking on this session, the best first."""

    def session_is_new(self) -> None:
        """Another session: the device may answer otherwise."""
        self._ways = [LOOK, LOOK_AT_ALL]

    async def look(self) -> tuple[SubscriptionState, ...] | None:
        """Ask once; whatever happens is counted. None: nothing was learned."""
        while self._ways:
            way = self._ways[0]
            try:
                reply = await self._call(CROSS_CHECK, way)
            except ProtocolError:
                self._counters.cross_checks.add(("refused",))
                if way in self._ways:  # the session may be another one by now
                    self._ways.remove(way)
            except SessionError as error:
                self._counters.cross_checks.add((error.reason,))
                return None
            else:
                self._counters.cross_checks.add(("ok" if reply.subscriptions else "nothing",))
                return reply.subscriptions
        return None


class CrossChecking:
    """When which device is asked; one task."""

    def __init__(
        self,
        up: Callable[[], Iterable[str]],
        look: Callable[[str], Awaitable[None]],
        clock: Clock,
        interval: Callable[[], int],
    ) -> None:
        """Args:
        up: devices whose session is up.
        look: asks one of them.
        clock: the collector's.
        interval: ns between two looks at a device as now configured; 0: none.
        """
        self._up = up
        self._look = look
        self._clock = clock
        self._interval = interval
        self._interval_before = 0
        self._due: dict[str, int] = {}
        """device -> when it is asked next, as long as its session is up."""
        self._looks: set[asyncio.Task[None]] = set()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin; call in a running loop."""
        self._task = asyncio.create_task(self._run(), name="cross-check")

    async def stop(self) -> None:
        """Give up what is under way. May be called twice, or without ``start``."""
        tasks = [task for task in (self._task, *self._looks) if task is not None]
        self._task = None
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            self.begin_due()
            await asyncio.sleep(STEP_SECONDS)

    def begin_due(self) -> None:
        """Ask those whose time has come, as far as there is room."""
        interval, now = self._interval(), self._clock.now()
        if interval != self._interval_before:
            self._due, self._interval_before = {}, interval
        if not interval:
            return
        before = self._due
        self._due = {
            name: before[name] if name in before else now + _spread(name, interval)
            for name in self._up()
        }
        ready = sorted((due, name) for name, due in self._due.items() if due <= now)
        for due, name in ready[: AT_ONCE - len(self._looks)]:
            self._due[name] = max(due + interval, now)
            self._begin(name)

    def _begin(self, name: str) -> None:
        task = asyncio.create_task(self._look_at(name), name=f"look at {name}")
        self._looks.add(task)
        task.add_done_callback(self._looks.discard)

    async def _look_at(self, name: str) -> None:
        try:
            await self._look(name)
        except Exception:  # a fault of ours at one device is none of the others
            log.exception("A fault in a look into /subscriptions of %s.", name)


def _spread(device: str, interval: int) -> int:
    """ns within the interval, the same ones for a name."""
    return zlib.crc32(device.encode()) * interval // 2**32
