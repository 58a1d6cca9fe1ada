"""The modules and SIDs that a configuration names, by device.

Does: load folders, each once. Does not: use what is in them (``leaves``, ``flow``).
Rules: the empty name stands for every device that has none of its own. What is wrong with a module
or a file is a note, since a folder of a vendor is never without; a folder that is not there is the
operator's mistake.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

from msgspec import Struct

from collector.config import Config
from collector.errors import ConfigError, UsageError
from collector.model import NO_SIDS, SidTable
from collector.schema.sid import load_sids
from collector.schema.tree import NO_SCHEMA, Schema

NOTES_SHOWN = 20
"""Of one folder."""
T = TypeVar("T")


class DeviceSchemas(Struct, frozen=True):
    """What is known of the data of each device."""

    schemas: Mapping[str, Schema] = {}
    sids: Mapping[str, SidTable] = {}

    def schema_of(self, device: str) -> Schema:
        """The modules of a device."""
        return self.schemas.get(device) or self.schemas.get("", NO_SCHEMA)

    def sids_of(self, device: str) -> SidTable:
        """The SIDs of a device."""
        return sids_of(self.sids, device)


def sids_of(tables: Mapping[str, SidTable], device: str) -> SidTable:
    """The SIDs of a device; ``tables``: by device."""
    found = tables.get(device)
    return tables.get("", NO_SIDS) if found is None else found


def load_schemas(config: Config, note: Callable[[str], None]) -> DeviceSchemas:
    """Everything that the configuration names; takes seconds with the modules of a vendor.

    Raises:
        ConfigError: a folder is not there, or has nothing of its kind in it.
    """
    return DeviceSchemas(_load(config, "folder", note, _schema), load_sid_tables(config, note))


def load_sid_tables(config: Config, note: Callable[[str], None]) -> dict[str, SidTable]:
    """The ``.sid`` files alone. Raises ConfigError as ``load_schemas``."""
    return _load(config, "sid_folder", note, lambda folder: load_sids([folder]))


def _schema(folder: str) -> tuple[Schema, tuple[str, ...]]:
    from collector.schema.building import load_schema  # with pyang, only where there are modules

    return load_schema([folder])


def _load(
    config: Config,
    key: str,
    note: Callable[[str], None],
    load: Callable[[str], tuple[T, tuple[str, ...]]],
) -> dict[str, T]:
    found: dict[str, T] = {}
    by_folder: dict[str, T] = {}
    for device, dotted, folder in _folders(config, key):
        if folder not in by_folder:
            try:
                by_folder[folder], wrong = load(folder)
            except UsageError as error:
                raise ConfigError(str(error), key=dotted, allowed="a folder") from error
            for sentence in wrong[:NOTES_SHOWN]:
                note(sentence)
            if len(wrong) > NOTES_SHOWN:
                note(f"{folder}: {len(wrong) - NOTES_SHOWN} more faults")
        found[device] = by_folder[folder]
    return found


def _folders(config: Config, key: str) -> Iterator[tuple[str, str, str]]:
    """Device, dotted key, folder."""
    general = getattr(config.schema, key)
    if general is not None:
        yield "", f"schema.{key}", general
    own_key = {"folder": "schema_folder"}.get(key, key)
    for number, device in enumerate(config.devices, 1):
        own = getattr(device, own_key)
        if own is not None:
            yield device.name, f"device[{number}].{own_key}", own
