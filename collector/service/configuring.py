"""``collector configure``: look at devices, and write to them what was shown.

Does: a session for each device, some at a time; a device that fails fails alone; the ids of what
was taken over are kept for the running collector. Does not: ask whether that is meant (``cli``).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

from collector.config import Config, DeviceSettings
from collector.errors import CollectorError, ProtocolError, UsageError
from collector.service.clock import CollectorClock
from collector.service.configured_ids import load_ids, save_ids
from collector.subscriber import refusals
from collector.subscriber.config_words import differences, what
from collector.subscriber.configuring import (
    Configurer,
    Look,
    WantedConfiguration,
    configured_on,
)
from collector.subscriber.manager import session_factory
from collector.subscriber.session import settings_from
from collector.wire.subscription_config import Edit

AT_ONCE = 8
"""Sessions at the same time (ours)."""


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
        if _can_be_reached(device)
        and (name in names if names else prune or configured_on(config, name).subscriptions)
    )
    unreachable = out_of_reach(config)
    if not wanted and unreachable:
        _check_reachable(known[unreachable[0]])
    if not wanted:
        raise UsageError(
            "no subscription has a configured_id, so there is nothing to configure; see"
            " [[subscription]] and [[receiver_instance]] in `collector init`"
        )
    return wanted


def out_of_reach(config: Config) -> tuple[str, ...]:
    """Devices on which something is wanted, and nobody can go there: they call."""
    return tuple(
        device.name
        for device in config.devices
        if device.netconf is not None
        and device.netconf.call_home
        and configured_on(config, device.name).subscriptions
    )


def _can_be_reached(device: DeviceSettings) -> bool:
    return device.netconf is not None and not device.netconf.call_home


def _check_reachable(device: DeviceSettings) -> None:
    if device.netconf is None:
        raise UsageError(f"{device.name} has no [device.netconf] in the configuration")
    if device.netconf.call_home:
        raise UsageError(f"{device.name} calls home, so nobody can go there to configure it")


def look_at(
    config: Config, devices: Iterable[str], *, remove: bool = False, prune: bool = False
) -> tuple[DeviceLook, ...]:
    """What would be done on each device. Nothing is changed, nothing is raised for one of them."""

    async def one(device: str) -> DeviceLook:
        async def work(configurer: Configurer) -> DeviceLook:
            return DeviceLook(device, await configurer.look())

        return await _in_session(config, device, work, remove=remove, prune=prune)

    return _each(devices, one)


def write_to(
    config: Config, shown: Iterable[DeviceLook], *, remove: bool = False, prune: bool = False
) -> tuple[DeviceLook, ...]:
    """Do what was shown, on each device; ``look`` is then what was done.

    Raises:
        SinkError: the ids of what was taken over could not be kept.
    """
    by_name = {one.device: one.look for one in shown if one.look is not None}

    async def one(device: str) -> DeviceLook:
        async def work(configurer: Configurer) -> DeviceLook:
            look = by_name[device]
            left = await configurer.carry_out(look)
            error = ""
            if left.plan.edits:
                entries = ", ".join(what(edit) for edit in left.plan.edits)
                error = f"it took the changes, but {entries} is still not as wanted"
            return DeviceLook(device, look, error, written=bool(look.plan.edits))

        return await _in_session(config, device, work, remove=remove, prune=prune)

    return _each(by_name, one)


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
    devices: Iterable[str], one: Callable[[str], Awaitable[DeviceLook]]
) -> tuple[DeviceLook, ...]:
    async def whole() -> list[DeviceLook]:
        some = asyncio.Semaphore(AT_ONCE)

        async def alone(device: str) -> DeviceLook:
            async with some:
                return await one(device)

        return await asyncio.gather(*(alone(device) for device in devices))

    return tuple(asyncio.run(whole()))


async def _in_session(
    config: Config,
    device: str,
    work: Callable[[Configurer], Awaitable[DeviceLook]],
    *,
    remove: bool,
    prune: bool,
) -> DeviceLook:
    (settings,) = (one for one in config.devices if one.name == device)
    assert settings.netconf is not None
    wanted: WantedConfiguration = configured_on(config, device)
    try:
        session = session_factory(settings.netconf.session)(
            settings_from(settings.netconf, device), lambda now, messages: None, CollectorClock()
        )
        try:
            await session.open()
            return await work(Configurer(session, wanted, remove=remove, prune=prune))
        finally:
            await session.close()
    except ProtocolError as error:
        return DeviceLook(device, error=refusals.describe(error))
    except CollectorError as error:
        return DeviceLook(device, error=str(error))


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
