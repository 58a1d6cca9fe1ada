"""What the supervisor's control socket answers: the same commands as one lane, over all of them.

Does: ask the lanes side by side and merge. Does not: wait for a lane longer than a few seconds; one
that does not answer is named. Rows that are not stored yet are not asked for here: whoever queries
gets them from each lane's own socket, since they belong to the store in the lane's folder.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from collector import asking
from collector.control import Command
from collector.errors import UsageError
from collector.lanes.merging import merged_devices, merged_status
from collector.lanes.process import LaneProcess, LaneState

QUEUE_ROWS = 1024
"""Rows that wait for a follower here (ours); a lane keeps further ones."""
AGAIN_SECONDS = 0.5
"""Between two tries to follow a lane that is not there (ours)."""
RESYNC_SECONDS = 25.0
"""How long a device may take over resync-subscription (ours)."""
LAST_ROWS_SECONDS = 2.0
"""How long followers have for the last rows at the end (ours)."""

Row = Mapping[str, Any]


class Lanes(Protocol):
    """Met by ``supervisor.Supervisor``."""

    lanes: list[LaneProcess]
    reloads: int
    running: bool

    @property
    def folder(self) -> Path:
        """The data folder of all."""

    @property
    def at_next_start(self) -> list[str]:
        """Changed keys that only the next start heeds."""

    def lane_of(self, device: str) -> LaneProcess | None:
        """Who has a device; None: nobody."""

    async def reload_now(self) -> None:
        """Read the configuration again and use it."""

    def devices_of(self, lane: int) -> int:
        """How many devices are in a lane."""


class Answers:
    """The commands over all lanes."""

    def __init__(self, lanes: Lanes) -> None:
        self._of = lanes
        self._followers: set[asyncio.Event] = set()
        """Set when the follower has everything."""

    def commands(self) -> dict[str, Command]:
        """name -> function, for ``ControlServer``."""
        return {
            "status": lambda arguments: self.status(),
            "devices": lambda arguments: self.devices(),
            "follow": lambda arguments: self.follow(),
            "reload": lambda arguments: self.reload(),
            "resync": self.resync,
        }

    async def status(self) -> Row:
        """All processes together, and each lane in a row."""
        answers = await self._ask("status")
        known = {lane.number: self._row(lane) for lane in self._of.lanes}
        merged = merged_status(answers, known)
        ill = [f"lane {r['lane']}: {r['health']}" for r in merged["lanes"] if r["health"] != "ok"]
        return {
            "data_dir": str(self._of.folder),
            "healthy": not ill,
            "health": "; ".join(ill) or "ok",
            **merged,
            "config_reloads": self._of.reloads,
        }

    def _row(self, lane: LaneProcess) -> dict[str, Any]:
        return {
            "lane": lane.number,
            "state": lane.state.value,
            "process": lane.pid,
            "restarts": lane.restarts,
            "devices": self._of.devices_of(lane.number),
        }

    async def devices(self) -> Row:
        """Every device, wherever it is, and unknown senders."""
        return merged_devices(await self._ask("devices"))

    async def reload(self) -> Row:
        """Read the configuration file again."""
        await self._of.reload_now()
        devices = sum(self._of.devices_of(lane.number) for lane in self._of.lanes)
        return {"reloaded": True, "devices": devices, "at_next_start": self._of.at_next_start}

    async def resync(self, arguments: Row) -> Row:
        """Everything of on-change subscriptions once more, from the lane that has the device."""
        device = str(arguments.get("device", ""))
        lane = self._of.lane_of(device)
        if lane is None:
            raise UsageError(f"there is no device {device} with a [device.netconf]")
        return (await asking.ask(lane.folder, "resync", arguments, seconds=RESYNC_SECONDS))[0]

    async def _ask(self, command: str) -> dict[int, Row | str]:
        """Lane -> its answer, or why there is none."""
        lanes = self._of.lanes
        answers = await asyncio.gather(*(_answer(lane, command) for lane in lanes))
        return {lane.number: answer for lane, answer in zip(lanes, answers, strict=True)}

    # ------------------------------------------------------------------ the stream of facts
    async def follow(self) -> AsyncIterator[Row]:
        """Facts of all lanes as they are said; that a lane went or came back is told in between."""
        rows: asyncio.Queue[Row | None] = asyncio.Queue(QUEUE_ROWS)
        done = asyncio.Event()
        self._followers.add(done)
        pumps = [asyncio.create_task(self._pump(lane, rows.put)) for lane in self._of.lanes]
        ending = asyncio.create_task(_end_with(pumps, rows.put))
        try:
            while (row := await rows.get()) is not None:
                yield row
        finally:
            for task in (*pumps, ending):
                task.cancel()
            await asyncio.gather(*pumps, ending, return_exceptions=True)
            done.set()
            self._followers.discard(done)

    async def _pump(self, lane: LaneProcess, put: Callable[[Row], Any]) -> None:
        """All rows of one lane until the collector stops, over its restarts."""
        away = False
        while True:
            try:
                async for row in asking.follow(lane.folder):
                    if away:
                        await put(_note(f"lane {lane.number} is back"))
                        away = False
                    await put(row)
            except UsageError:
                pass
            if not self._of.running:
                return
            if not away:
                await put(_note(f"lane {lane.number} does not answer; its rows are missing here"))
                away = True
            await asyncio.sleep(AGAIN_SECONDS)

    async def followers_gone(self) -> None:
        """Return when every follower has had the last rows, or has had time enough."""
        waiting = [asyncio.ensure_future(done.wait()) for done in self._followers]
        if waiting:
            _, late = await asyncio.wait(waiting, timeout=LAST_ROWS_SECONDS)
            for one in late:
                one.cancel()


async def _end_with(pumps: list[asyncio.Task[None]], put: Callable[[None], Any]) -> None:
    await asyncio.gather(*pumps, return_exceptions=True)
    await put(None)


async def _answer(lane: LaneProcess, command: str) -> Row | str:
    if lane.state is not LaneState.RUNNING:
        return lane.why or f"it is {lane.state.value}"
    try:
        return (await asking.ask(lane.folder, command))[0]
    except UsageError as error:
        return f"it does not answer ({error})"


def _note(text: str) -> Row:
    """A row of the stream that is no fact."""
    return {"row": "note", "text": text}
