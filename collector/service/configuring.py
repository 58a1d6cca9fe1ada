"""``collector configure``: look at devices, and write to them what was shown.

Does: a session for each device, some at a time; a device that fails fails alone; the ids of what
was taken over are kept for the running collector. Does not: ask whether that is meant (``cli``).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path

from msgspec import Struct

from collector.config import Config, DeviceSettings
from collector.errors import CollectorError, ConfigError, ProtocolError, UsageError
from collector.service.configured_ids import load_ids, save_ids
from collector.service.ways import Ways
from collector.subscriber.configured.configuring import Configurer, Done, Look
from collector.subscriber.configured.talk import GivenUpError
from collector.subscriber.configured.wanted import configured_on
from collector.subscriber.configured.words import what
from collector.subscriber.configured.writing import CONFIRM_SECONDS, PLAIN, How, Unconfirmed
from collector.subscriber.exchanges import refusals
from collector.subscriber.sessions.session import NetconfSession, settings_from

AT_ONCE = 8
"""Sessions at the same time (ours)."""
AGAIN_SECONDS = 20.0
"""How long a collector, or a lane of it, may take to start again; well below ``CONFIRM_SECONDS``
(ours)."""
_STEP_SECONDS = 0.5
_OPEN = nullcontext()

Work = Callable[[str, NetconfSession], Awaitable["DeviceLook"]]
"""(device, session that is open) -> what came of it."""


class DeviceLook(Struct, frozen=True):
    """One device, as it is or as it was left."""

    device: str
    look: Look | None = None
    """None: see ``error``."""
    error: str = ""
    """Why it could not be done, in a sentence."""
    written: bool = False
    done: Done | None = None
    """What became of it; None: nothing was carried out."""

    @property
    def changes(self) -> int:
        """Entries that are, or were, to be changed."""
        return 0 if self.look is None else len(self.look.plan.edits)

    @property
    def is_to_do(self) -> bool:
        """Is there, or was there, anything to carry out?"""
        return self.look is not None and (self.changes > 0 or self.look.saves)

    @property
    def is_good(self) -> bool:
        """Nothing failed and nothing of somebody else is in the way."""
        return self.look is not None and not (
            self.error or self.look.plan.conflicts or self.not_saved
        )

    @property
    def not_saved(self) -> str:
        """Why the device does not start with it, a clause; empty: it does, or nobody asked."""
        if self.done is not None:
            return self.done.not_saved
        unsaved = self.look is not None and self.look.saving.unsaved
        return self.look.saving.hindered if self.look is not None and unsaved else ""


def devices_to_configure(
    config: Config, names: Sequence[str], *, prune: bool = False
) -> tuple[str, ...]:
    """The devices of that name, without names all that configured subscriptions are wanted on.

    ``prune``: all, since what is not wanted any more may be on any.

    Raises:
        UsageError: one is not there, cannot be reached, or nothing is wanted there.
    """
    known = {device.name: device for device in config.devices}
    for name in names:
        if name not in known:
            raise UsageError(f"there is no device {name} in the configuration")
        _check_reachable(known[name])
    wanted = tuple(
        name
        for name, device in known.items()
        if device.netconf is not None
        and (name in names if names else prune or configured_on(config, name).subscriptions)
    )
    if not wanted:
        raise UsageError(
            "no subscription has a configured_id, so there is nothing to configure; see"
            " [[subscription]] and [[receiver_instance]] in `collector init`"
        )
    return wanted


def _check_reachable(device: DeviceSettings) -> None:
    if device.netconf is None:
        raise UsageError(f"{device.name} has no [device.netconf] in the configuration")


class Configuring(Struct, frozen=True):
    """What is to be done on devices, and how."""

    config: Config
    """What is wanted."""
    how: How = PLAIN
    ways: Ways = Ways()
    """How sessions are had."""

    async def look(self, devices: Iterable[str]) -> tuple[DeviceLook, ...]:
        """What would be done on each device. Nothing is changed, nothing is raised for one of them.

        Raises:
            ConfigError: nobody can listen where devices call home.
        """

        async def work(device: str, session: NetconfSession) -> DeviceLook:
            return DeviceLook(device, await self._configurer(device, session).look())

        return await self._each(tuple(devices), work)

    async def write(self, shown: Iterable[DeviceLook]) -> tuple[DeviceLook, ...]:
        """Do what was shown, on each device; ``look`` is then what was done.

        A session that ends while its device waits to be confirmed is followed by another one.

        Raises:
            ConfigError: nobody can listen where devices call home, and nothing was written.
        """
        looks = {one.device: one.look for one in shown if one.look is not None}
        begun: dict[str, Configurer] = {}

        async def work(device: str, session: NetconfSession) -> DeviceLook:
            begun[device] = self._configurer(device, session)
            return _became(device, looks[device], await begun[device].carry_out(looks[device]))

        try:
            first = await self._each(tuple(looks), work)
        except asyncio.CancelledError:
            self._say_what_is_left(begun)
            raise
        waiting = {
            name: one.unconfirmed for name, one in begun.items() if one.unconfirmed is not None
        }
        second = await self._finish(waiting, looks, begun)
        return tuple(
            _after_loss(
                one, second.get(one.device), waits=begun[one.device].unconfirmed is not None
            )
            if one.device in waiting
            else one
            for one in first
        )

    async def _finish(
        self,
        waiting: Mapping[str, Unconfirmed],
        looks: Mapping[str, Look],
        begun: dict[str, Configurer],
    ) -> dict[str, DeviceLook]:
        """In another session, of the devices where another one can."""

        async def work(device: str, session: NetconfSession) -> DeviceLook:
            begun[device] = self._configurer(device, session)
            return _became(device, looks[device], await begun[device].finish(waiting[device]))

        again = [name for name, one in waiting.items() if one.token is not None]
        return {one.device: one for one in await self._soon(again, work)}

    def _say_what_is_left(self, begun: Mapping[str, Configurer]) -> None:
        """Whoever breaks off is to know that it will be as it was."""
        for name, one in begun.items():
            if one.unconfirmed is not None:
                self.ways.say(
                    f"{name} was not told to keep the changes, so it takes them back within"
                    f" {CONFIRM_SECONDS} s."
                )

    def _configurer(self, device: str, session: NetconfSession) -> Configurer:
        wanted = configured_on(self.config, device, self.how.only)
        return Configurer(session, wanted, self.how)

    # ------------------------------------------------------------------ sessions
    async def _each(self, devices: Sequence[str], work: Work) -> tuple[DeviceLook, ...]:
        if not devices:
            return ()
        access = {one.name: one.netconf for one in self.config.devices if one.netconf is not None}
        settings = {name: settings_from(access[name], name) for name in devices}

        some = asyncio.Semaphore(AT_ONCE)
        async with self.ways.sessions(settings) as make:

            async def alone(device: str) -> DeviceLook:
                # who is to call holds up nobody, however long that takes
                calls = settings[device].calls_home
                before, after = (_OPEN, some) if calls else (some, _OPEN)
                try:
                    opening = _opened(make(device, access[device].session))
                    async with before, opening as session, after:
                        return await work(device, session)
                except GivenUpError as error:
                    return DeviceLook(device, error=str(error))
                except ProtocolError as error:
                    return DeviceLook(device, error=refusals.describe(error))
                except CollectorError as error:
                    return DeviceLook(device, error=str(error))

            return tuple(await asyncio.gather(*(alone(device) for device in devices)))

    async def _soon(self, devices: Sequence[str], work: Work) -> tuple[DeviceLook, ...]:
        """``_each`` once the collector is there again that was killed and has the port; raises
        nothing, since what became of the other devices is to be said, too."""
        loop = asyncio.get_running_loop()
        end = loop.time() + AGAIN_SECONDS
        while True:
            try:
                return await self._each(devices, work)
            except ConfigError as error:  # before any session was opened
                if loop.time() >= end:
                    return tuple(DeviceLook(name, error=str(error)) for name in devices)
            await asyncio.sleep(_STEP_SECONDS)


@asynccontextmanager
async def _opened(session: NetconfSession) -> AsyncIterator[NetconfSession]:
    try:
        await session.open()
        yield session
    finally:
        await session.close()


def _became(device: str, look: Look, done: Done) -> DeviceLook:
    error = ""
    if done.left.plan.edits:
        entries = ", ".join(what(edit) for edit in done.left.plan.edits)
        error = f"it took the changes, but {entries} is still not as wanted"
    return DeviceLook(device, look, error, written=bool(look.plan.edits), done=done)


def _after_loss(first: DeviceLook, second: DeviceLook | None, *, waits: bool) -> DeviceLook:
    """What to say when a session ended while its device waited to be confirmed; ``waits``: it still
    does."""
    if second is None:  # without a token the end of the session takes it back
        return DeviceLook(first.device, error=f"{first.error}; the device takes the changes back")
    if second.done is not None:
        return second
    back = f"; unless it is confirmed, the device takes it back within {CONFIRM_SECONDS} s"
    text = f"{first.error}, and then {second.error}{back if waits else ''}"
    return DeviceLook(first.device, error=text)


def keep_ids(config: Config, done: Iterable[DeviceLook], *, remove: bool) -> bool:
    """Remember under which ids subscriptions are; whether that is news. Raises SinkError."""
    folder = Path(config.collector.data_dir)
    ids = load_ids(folder)
    configured = {one.name: one.configured_id for one in config.subscriptions}
    for one in done:
        if one.look is None or one.error:
            continue
        known = {} if remove else one.look.plan.ids
        ids[one.device] = {
            name: number for name, number in known.items() if number != configured.get(name)
        }
    return save_ids(folder, ids)
