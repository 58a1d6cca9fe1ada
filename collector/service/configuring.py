"""``collector configure``: look at devices, and write to them what was shown.

Does: a session for each device, some at a time; a device that fails fails alone; the ids of what
was taken over are kept for the running collector. Does not: ask whether that is meant (``cli``).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path
from typing import Any

from msgspec import Struct

from collector.config import Config, DeviceSettings
from collector.errors import CollectorError, ProtocolError, UsageError
from collector.service.configured_ids import load_ids, save_ids
from collector.service.ways import Ways
from collector.subscriber import refusals
from collector.subscriber.config_words import differences, what
from collector.subscriber.configuring import Configurer, Look, configured_on
from collector.subscriber.session import NetconfSession, settings_from
from collector.wire.subscription_config import Edit

AT_ONCE = 8
"""Sessions at the same time (ours)."""
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

    @property
    def changes(self) -> int:
        """Entries that are, or were, to be changed."""
        return 0 if self.look is None else len(self.look.plan.edits)

    @property
    def is_good(self) -> bool:
        """Nothing failed and nothing of somebody else is in the way."""
        return self.look is not None and not self.error and not self.look.plan.conflicts


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


def look_at(
    config: Config,
    devices: Iterable[str],
    *,
    remove: bool = False,
    prune: bool = False,
    ways: Ways | None = None,
) -> tuple[DeviceLook, ...]:
    """What would be done on each device. Nothing is changed, nothing is raised for one of them.

    Args:
        config: what is wanted.
        devices: their names.
        remove: nothing is wanted there any more.
        prune: nor what is ours and not in the configuration.
        ways: how sessions are had; None: by connecting.

    Raises:
        ConfigError: nobody can listen where devices call home.
    """

    async def work(device: str, session: NetconfSession) -> DeviceLook:
        wanted = configured_on(config, device)
        configurer = Configurer(session, wanted, remove=remove, prune=prune)
        return DeviceLook(device, await configurer.look())

    return _each(config, tuple(devices), work, ways)


def write_to(
    config: Config,
    shown: Iterable[DeviceLook],
    *,
    remove: bool = False,
    prune: bool = False,
    ways: Ways | None = None,
) -> tuple[DeviceLook, ...]:
    """Do what was shown, on each device; ``look`` is then what was done.

    Raises:
        SinkError: the ids of what was taken over could not be kept.
        ConfigError: nobody can listen where devices call home.
    """
    by_name = {one.device: one.look for one in shown if one.look is not None}

    async def work(device: str, session: NetconfSession) -> DeviceLook:
        look, wanted = by_name[device], configured_on(config, device)
        left = await Configurer(session, wanted, remove=remove, prune=prune).carry_out(look)
        error = ""
        if left.plan.edits:
            entries = ", ".join(what(edit) for edit in left.plan.edits)
            error = f"it took the changes, but {entries} is still not as wanted"
        return DeviceLook(device, look, error, written=bool(look.plan.edits))

    return _each(config, tuple(by_name), work, ways)


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


# --------------------------------------------------------------------------- sessions
def _each(
    config: Config, devices: Sequence[str], work: Work, ways: Ways | None
) -> tuple[DeviceLook, ...]:
    if not devices:
        return ()
    access = {one.name: one.netconf for one in config.devices if one.netconf is not None}
    settings = {name: settings_from(access[name], name) for name in devices}

    async def whole() -> list[DeviceLook]:
        some = asyncio.Semaphore(AT_ONCE)
        async with (ways or Ways()).sessions(settings) as make:

            async def alone(device: str) -> DeviceLook:
                # who is to call holds up nobody, however long that takes
                calls = settings[device].calls_home
                before, after = (_OPEN, some) if calls else (some, _OPEN)
                try:
                    opening = _opened(make(device, access[device].session))
                    async with before, opening as session, after:
                        return await work(device, session)
                except ProtocolError as error:
                    return DeviceLook(device, error=refusals.describe(error))
                except CollectorError as error:
                    return DeviceLook(device, error=str(error))

            return await asyncio.gather(*(alone(device) for device in devices))

    return tuple(asyncio.run(whole()))


@asynccontextmanager
async def _opened(session: NetconfSession) -> AsyncIterator[NetconfSession]:
    try:
        await session.open()
        yield session
    finally:
        await session.close()


# --------------------------------------------------------------------------- in words
def to_plain(one: DeviceLook) -> Mapping[str, Any]:
    """For ``--json``."""
    plan = None if one.look is None else one.look.plan
    return {
        "device": one.device,
        "datastore": None if one.look is None else one.look.datastore,
        "changes": [] if plan is None else [_edit_to_plain(edit) for edit in plan.edits],
        "subscriptions": {} if plan is None else plan.ids,
        "conflicts": [] if plan is None else list(plan.conflicts),
        "notes": [] if plan is None else list(plan.notes),
        "doubts": [] if one.look is None else list(one.look.doubts),
        "written": one.written,
        "error": one.error or None,
    }


def _edit_to_plain(edit: Edit) -> Mapping[str, Any]:
    action = "create" if edit.before is None else "remove" if edit.after is None else "change"
    leaves = {one.leaf: [one.before, one.after] for one in differences(edit)}
    return {"action": action, "entry": what(edit), "leaves": leaves}


def to_lines(one: DeviceLook) -> list[str]:
    """For people: a sentence for the device, then its changes leaf by leaf."""
    if one.look is None:
        return [f"{one.device}: {one.error}"]
    plan = one.look.plan
    lines = [f"{one.device}: {_summary(one)}"]
    for edit in plan.edits:
        sign = "+" if edit.before is None else "-" if edit.after is None else "~"
        lines.append(f"  {sign} {what(edit)}")
        if edit.after is not None:
            made = edit.before is None
            lines += [f"      {_leaf(*pair, made=made)}" for pair in _pairs(edit)]
    lines += [f"  ! {sentence}" for sentence in plan.conflicts]
    lines += [f"  {sentence}" for sentence in plan.notes]
    if not one.written:
        lines += [f"  ? {sentence}" for sentence in one.look.doubts]
    if one.written and one.look.startup:
        lines.append("  it starts with another datastore: save this there, or a reboot ends it")
    if one.error:
        lines.append(f"  ! {one.error}")
    return lines


def _summary(one: DeviceLook) -> str:
    assert one.look is not None
    if not one.changes:
        return "in the way" if one.look.plan.conflicts else "as wanted"
    number = f"{one.changes} change{'s' if one.changes > 1 else ''}"
    return f"{number} {'written' if one.written else 'to write'} in {one.look.datastore}"


def _pairs(edit: Edit) -> Iterable[tuple[str, str | None, str | None]]:
    return ((one.leaf, one.before, one.after) for one in differences(edit))


def _leaf(leaf: str, before: str | None, after: str | None, *, made: bool) -> str:
    """``made``: the whole entry is new, so that it goes without saying what was there."""
    said = ["nothing" if one is None else one for one in (before, after)]
    return f"{leaf:<20} {said[1] if made else ' -> '.join(said)}"
