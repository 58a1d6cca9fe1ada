"""Which id a configured subscription has on a device, where it is not that of the configuration.

Does: a small file in the data folder, written by ``collector configure`` when it took something
over under another id, read whenever a configuration is. Does not: talk to a device.

Rules: the file appears by rename; one that cannot be read is said and otherwise as good as none: a
look at the devices makes it anew.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path

import msgspec

from collector.config import Config, KnownSubscriptionSettings
from collector.errors import SinkError

log = logging.getLogger("collector")

FILE = "configured.json"
LARGEST = 16 * 1024 * 1024
"""Octets of the file that are read (ours)."""

Ids = dict[str, dict[str, int]]
"""device -> name of the subscription -> its id there."""


def load_ids(folder: Path) -> Ids:
    """What is known; empty where nothing is."""
    path = folder / FILE
    try:
        with path.open("rb") as file:
            return msgspec.json.decode(file.read(LARGEST), type=Ids)
    except FileNotFoundError:
        return {}
    except (OSError, msgspec.MsgspecError) as error:
        log.warning("%s cannot be used: %s. Run `collector configure` once more.", path, error)
        return {}


def save_ids(folder: Path, ids: Ids) -> bool:
    """Keep these; whether anything is new. Raises SinkError."""
    known = {device: named for device, named in ids.items() if named}
    if known == load_ids(folder):
        return False
    path, under_way = folder / FILE, folder / f".{FILE}.{os.getpid()}"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        under_way.write_bytes(msgspec.json.encode(known, order="sorted"))
        under_way.rename(path)
    except OSError as error:
        raise SinkError(f"{path} cannot be written: {error.strerror}", retryable=False) from error
    return True


def with_ids(config: Config) -> Config:
    """The configuration with the subscriptions that are known under other ids."""
    ids = load_ids(Path(config.collector.data_dir))
    wanted = {one.name: one for one in config.subscriptions if one.configured_id is not None}
    more = tuple(
        KnownSubscriptionSettings(
            id=number,
            devices=(device,),
            name=name,
            period_seconds=wanted[name].period_seconds,
            expect=wanted[name].expect,
        )
        for device, named in ids.items()
        for name, number in named.items()
        if name in wanted and number != wanted[name].configured_id
    )
    if not more:
        return config
    known = (*more, *config.known_subscriptions)  # what the operator says counts
    return msgspec.structs.replace(config, known_subscriptions=known)
