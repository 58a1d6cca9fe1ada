"""Which device is in which lane, and what each lane is told of the configuration.

Does: plan (pure). Does not: look a name up, open or start anything.
Rules: a device is where the hash of its first configured address says; one that is known by the
name of its host only, where the hash of its own name says, so that it stays there whatever the name
stands for today. Other devices that come or go move nobody. All addresses of a device are steered
to its lane, datagrams and calls alike: a device that calls home calls from one of them, and its
session is where its data is judged. What is a limit of the whole collector's disk is shared out
evenly.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from collector.config import (
    Config,
    DeviceSettings,
    JournalSettings,
    StoreSettings,
    pinned_keys,
)
from collector.lanes.folders import lane_folder
from collector.receivers.sockets.steering import Instruction, lane_of, steering_program


class Plan(Struct, frozen=True):
    """Who goes where."""

    lanes: int
    devices: Mapping[str, int]
    """Device name -> its lane."""
    program: tuple[Instruction, ...]
    """Of the kernel, see ``receivers.sockets.steering``."""
    configs: tuple[Config, ...]
    """What each lane is to do."""


def plan_of(config: Config, lanes: int, resolved: Config | None = None) -> Plan:
    """The plan for a checked configuration.

    Args:
        config: as the operator wrote it.
        lanes: how many run; not always what ``config`` says, since it may have been read again.
        resolved: the same with the addresses of names that were looked up.

    Raises:
        ConfigError: the addresses cannot all be steered; the sentence says why.
    """
    resolved = resolved or config
    devices = {device.name: lane_of_device(device, lanes) for device in config.devices}
    table = {
        source: devices[device.name] for device in resolved.devices for source in device.sources
    }
    return Plan(
        lanes=lanes,
        devices=devices,
        program=tuple(steering_program(table, lanes)),
        configs=tuple(_config_of(resolved, lane, lanes, devices) for lane in range(lanes)),
    )


def callers_elsewhere(plan: Plan, lane: int) -> dict[str, str]:
    """Host key -> device, of devices that call home and are in another lane than that one.

    Who calls is known only once keys are exchanged, and such a connection cannot be handed to
    another process; so a lane can but say whom a call was meant for.
    """
    found: dict[str, str] = {}
    for other, config in enumerate(plan.configs):
        for device in config.devices if other != lane else ():
            if device.netconf is not None and device.netconf.call_home:
                pins = pinned_keys(device.netconf.host_keys)
                found |= dict.fromkeys(pins.fingerprints if pins else (), device.name)
    return found


def lane_of_device(device: DeviceSettings, lanes: int) -> int:
    """The lane of a device, 0 to ``lanes`` - 1."""
    if device.sources:
        return lane_of(device.sources[0], lanes)
    return zlib.crc32(device.name.encode()) % lanes


def _config_of(config: Config, lane: int, lanes: int, devices: Mapping[str, int]) -> Config:
    """The configuration of one lane: its folder, its devices, its share of the disk."""
    return replace(
        config,
        collector=replace(
            config.collector, data_dir=str(lane_folder(Path(config.collector.data_dir), lane))
        ),
        journal=_journal_share(config.journal, lanes),
        store=_store_share(config.store, lanes),
        metrics=replace(config.metrics, enabled=False),  # the supervisor shows those of all lanes
        devices=tuple(device for device in config.devices if devices[device.name] == lane),
    )


def _journal_share(settings: JournalSettings, lanes: int) -> JournalSettings:
    return replace(settings, retention_bytes=_share(settings.retention_bytes, lanes))


def _store_share(settings: StoreSettings, lanes: int) -> StoreSettings:
    return replace(settings, retention_bytes=_share(settings.retention_bytes, lanes))


def _share(octets: int, lanes: int) -> int:
    """0 means no limit and stays 0."""
    return -(-octets // lanes)
