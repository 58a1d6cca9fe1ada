"""Configured subscriptions that a device has lost, configured once more where the operator wants it
(``configured_restore``).

Does: after a look that found a loss, what ``collector configure`` does, in a session of its own, of
a device that calls home in the one that there is. Does not: find losses (``configured_watch``).

Rules: only what is not there is made; where anything else would have to be changed, or is in the
way, nothing is written and a sentence says so. After a failure it waits, longer each time; what
goes away again and again is somebody's wish, and left to them.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from pathlib import Path
from typing import Protocol

from collector.config import Config
from collector.errors import CollectorError
from collector.model import SECOND
from collector.service.clock import CollectorClock
from collector.service.configured_ids import load_ids, save_ids
from collector.service.configured_watch import ConfiguredWatch
from collector.service.configuring import Configuring, DeviceLook
from collector.service.ways import Ways
from collector.subscriber.configured.writing import How

log = logging.getLogger("collector.subscriber")

MOST = 3
"""Times within ``DAY`` that a device gets something back (ours)."""
DAY = 86_400 * SECOND
FIRST_WAIT = 300 * SECOND
LONGEST_WAIT = 3600 * SECOND
"""After a failure (ours)."""


class Running(Protocol):
    """What is used of a service; met by ``lifecycle.Service``."""

    config: Config
    configured: ConfiguredWatch
    clock: CollectorClock

    @property
    def folder(self) -> Path:
        """The data folder, where our own control socket is."""


class _Tries:
    """Of one device."""

    def __init__(self) -> None:
        self.written: deque[int] = deque(maxlen=MOST)
        """When something was put back, ns."""
        self.next = 0
        """Not before, ns."""
        self.wait = FIRST_WAIT


class PuttingBack:
    """Of all devices."""

    def __init__(self, service: Running) -> None:
        """``service``: runs."""
        self._service = service
        self._tries: dict[str, _Tries] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self.notes: dict[tuple[str, str], str] = {}
        """(device, subscription) -> what came of it, a clause."""

    def consider(self, device: str) -> None:
        """Begin where something is to be put back; after each look."""
        lost = frozenset(self._service.configured.states.lost(device))
        for key in [key for key in self.notes if key[0] == device and key[1] not in lost]:
            del self.notes[key]
        restore = {one.name for one in self._service.config.subscriptions if one.configured_restore}
        names, now = lost & restore, self._service.clock.now()
        tries = self._tries.setdefault(device, _Tries())
        if not names or device in self._tasks or now < tries.next:
            return
        if len(tries.written) == MOST and now - tries.written[0] < DAY:
            self._note(device, names, f"it was put back {MOST} times within a day, so no more")
            return
        task = asyncio.create_task(self._try(device, names, tries), name=f"put back {device}")
        self._tasks[device] = task
        task.add_done_callback(lambda _: self._tasks.pop(device, None))

    async def stop(self) -> None:
        """Give up what is under way; a device takes back what was not confirmed."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _note(self, device: str, names: frozenset[str], text: str) -> None:
        for name in names:
            if self.notes.get((device, name)) != text:
                log.warning(
                    "Configured subscription %s of device %s is not put back: %s.",
                    name, device, text,
                )  # fmt: skip
            self.notes[device, name] = text

    async def _try(self, device: str, names: frozenset[str], tries: _Tries) -> None:
        try:
            why = await self._put_back(device, names)
        except CollectorError as error:
            why = str(error)
        except Exception:  # a fault of ours at one device is none of the others
            log.exception("A fault while device %s was configured.", device)
            why = "a fault of the collector's own, see the log"
        now = self._service.clock.now()
        if why:
            tries.next, tries.wait = now + tries.wait, min(2 * tries.wait, LONGEST_WAIT)
            self._note(device, names, why)
            return
        tries.written.append(now)
        tries.wait = FIRST_WAIT
        for name in sorted(names):
            self.notes.pop((device, name), None)
            self._service.configured.states.put_back(device, name, now)
            log.warning("Configured subscription %s of device %s was put back.", name, device)

    async def _put_back(self, device: str, names: frozenset[str]) -> str:
        """Why it was not, a clause; empty: it was. Raises CollectorError."""
        ways = Ways(data_folder=lambda name: self._service.folder, say=log.info)
        configuring = Configuring(self._service.config, How(only=names), ways)
        (found,) = await configuring.look([device])
        why = _hindrance(found)
        if why:
            return why
        (done,) = await configuring.write([found])
        if done.error:
            return done.error
        if done.not_saved:
            log.warning("Device %s does not start with it: %s.", device, done.not_saved)
        self._forget_ids(device, names)
        return ""

    def _forget_ids(self, device: str, names: frozenset[str]) -> None:
        """What had been taken over under another id is made under that of the configuration."""
        ids = load_ids(self._service.folder)
        left = {name: n for name, n in ids.get(device, {}).items() if name not in names}
        save_ids(self._service.folder, ids | {device: left})


def _hindrance(found: DeviceLook) -> str:
    """Why nothing may be written there unasked."""
    if found.look is None:
        return found.error
    plan = found.look.plan
    if plan.conflicts:
        return plan.conflicts[0]
    if not plan.edits:
        return "it is in the configuration of the device all the same"
    if any(edit.before is not None for edit in plan.edits):
        return "more would have to be changed there, see `collector configure --dry-run`"
    return ""
