"""Source addresses of devices that the configuration gives by name only.

Does: look up ``netconf.host`` of every device without source addresses, all at once and not for
long. Does not: touch devices whose addresses are configured, or try again (``housekeeping`` does).
Rules: what was found goes into the configuration that the journal keeps, so that a replay knows the
same addresses without asking anybody; an address belongs to one device.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable, Iterable, Mapping

from msgspec.structs import replace

from collector.config import Config, DeviceSettings, address, device_of_source

log = logging.getLogger(__name__)

LOOK_UP_SECONDS = 5.0
"""How long all names together may take (ours); they are looked up side by side."""
MAX_AT_ONCE = 16
"""Look-ups that run at a time (ours): each holds a thread."""

LookUp = Callable[[str], Awaitable[list[str]]]
"""Host name -> addresses. Raises OSError."""


async def look_up(host: str) -> list[str]:
    """The addresses of a name, as the system resolves it. Raises OSError, UnicodeError."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, None, type=socket.SOCK_DGRAM)
    return [str(entry[4][0]) for entry in found]


def without_addresses(config: Config) -> list[DeviceSettings]:
    """Devices whose name has no address yet: what they send cannot be told to be theirs."""
    return [
        device
        for device in config.devices
        if device.netconf and device.netconf.host and not device.sources
    ]


async def with_addresses(
    config: Config, before: Config | None = None, look_up: LookUp = look_up
) -> Config:
    """``config`` with the addresses of its devices' names; itself where nothing was found.

    Args:
        config: checked; a device without sources has a ``[device.netconf]``.
        before: what was in force; a name that cannot be looked up now keeps its addresses there.
        look_up: asks the system.
    """
    hosts = {d.name: d.netconf.host for d in without_addresses(config) if d.netconf is not None}
    if not hosts:
        return config
    answers = await _ask(hosts, look_up)
    devices_before = before.devices if before else ()
    kept = {(d.name, d.netconf.host): d.sources for d in devices_before if d.netconf}
    owners = device_of_source(config)
    found: dict[str, tuple[str, ...]] = {}
    for name, host in hosts.items():
        texts = answers[name] or kept.get((name, host), ())
        sources = _free(name, host, texts, owners)
        if sources:
            found[name] = sources
    if not found:
        return config
    return replace(
        config,
        devices=tuple(replace(d, sources=found.get(d.name, d.sources)) for d in config.devices),
    )


async def _ask(hosts: Mapping[str, str], look_up: LookUp) -> dict[str, list[str]]:
    """device -> what its name stands for; nothing where nobody answers in time."""
    limit = asyncio.Semaphore(MAX_AT_ONCE)

    async def one(host: str) -> list[str]:
        async with limit:
            return await look_up(host)

    tasks = {name: asyncio.ensure_future(one(host)) for name, host in hosts.items()}
    try:
        await asyncio.wait(tasks.values(), timeout=LOOK_UP_SECONDS)
        return {name: _outcome(hosts[name], task) for name, task in tasks.items()}
    finally:
        for task in tasks.values():
            task.cancel()


def _outcome(host: str, task: asyncio.Future[list[str]]) -> list[str]:
    """What was found; a failure is said and finds nothing."""
    if not task.done() or task.cancelled():
        why = f"no answer within {LOOK_UP_SECONDS:g} s"
    elif (error := task.exception()) is not None:
        why = getattr(error, "strerror", None) or str(error)
    else:
        return task.result()
    log.warning("The name %s has no address yet: %s.", host, why)
    return []


def _free(name: str, host: str, texts: Iterable[str], taken: dict[str, str]) -> tuple[str, ...]:
    """The addresses that no other device has, in the receivers' spelling; they are taken now."""
    mine: list[str] = []
    for text in dict.fromkeys(address(text) or text for text in texts):
        owner = taken.setdefault(text, name)
        if owner == name:
            mine.append(text)
        else:
            log.warning("%s (%s) belongs to device %s, not to %s.", text, host, owner, name)
    return tuple(mine)
