"""Sections of the configuration whose keys a plug-in says: ``[receiver.NAME]``, ``[sink.NAME]``.

Does: read one as the settings of its plug-in, and find every fault in all of them. Does not: build
anything.
Rules: the plug-in of a section that is enabled has to be there and whole; one that is not enabled
is not imported. Faults name the dotted key; what a plug-in does wrong while it is asked is a fault
of its section, in one sentence.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

from msgspec import Struct, field, structs

from collector import plugins
from collector.config import FAULTS_SHOWN, Config, ReceiverSettings
from collector.config.reading import Faults, describe, read_struct
from collector.errors import ConfigError

Keys = dict[str, Any]
"""Key -> value, as keywords."""


def own_sections(config: Config) -> Iterator[tuple[str, ReceiverSettings]]:
    """Receivers that have a section of their own in ``Config``, by name."""
    for entry in structs.fields(config):
        section = getattr(config, entry.name)
        if isinstance(section, ReceiverSettings):
            yield entry.name.replace("_", "-"), section


def enabled(tables: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Names of the plug-ins that are wanted; a section enables by being there."""
    return [name for name, table in tables.items() if table.get("enabled", True)]


def keys_of(kind: str, name: str, table: Mapping[str, Any], file: str = "") -> Keys:
    """The checked keys of ``[KIND.NAME]``, defaults among them.

    Args:
        kind: ``receiver`` or ``sink``.
        name: of the plug-in.
        table: as the file has it.
        file: where it is from, for messages.

    Raises:
        ConfigError: no such plug-in, or it is broken; or the first fault of the keys, with the
            others as notes.
    """
    faults = Faults(file)
    read = _read(kind, name, table, faults)
    if read is None:
        raise first_of(faults.found)
    return structs.asdict(read)


def faults_of(config: Config, file: str = "") -> list[ConfigError]:
    """Every fault in the sections of plug-ins that are enabled."""
    faults = Faults(file)
    ours = {name for name, _ in own_sections(config)}
    for kind, tables in (("receiver", config.receivers), ("sink", config.sinks)):
        for name in enabled(tables):
            if kind == "receiver" and name in ours:
                own = name.replace("-", "_")
                faults.add(f"receiver.{name}", "this receiver is ours", f"[{own}]")
            else:
                _read(kind, name, tables[name], faults)
    return faults.found


def first_of(found: list[ConfigError]) -> ConfigError:
    """The first fault with some others as notes."""
    first, *others = found
    for other in others[: FAULTS_SHOWN - 1]:
        first.add_note(str(other))
    return first


class Row(plugins.Installed, frozen=True):
    """A plug-in, for people."""

    wanted: bool = False
    """The configuration enables it."""
    keys: dict[str, str] = field(default_factory=dict)
    """Of its section: key -> what it may be."""


def overview(config: Config | None = None) -> list[Row]:
    """All plug-ins that are installed, and those that a configuration wants and are not."""
    wanted: set[tuple[str, str]] = set()
    if config is not None:
        own = {name for name, section in own_sections(config) if getattr(section, "enabled", False)}
        wanted = {("receiver", name) for name in own.union(enabled(config.receivers))}
        wanted |= {("sink", name) for name in enabled(config.sinks)}
    rows = [
        Row(
            **structs.asdict(one),
            wanted=(one.kind, one.name) in wanted,
            keys=_keys_allowed(one),
        )
        for one in plugins.installed()
    ]
    for kind, name in sorted(wanted - {(row.kind, row.name) for row in rows}):
        rows.append(Row(kind, name, "", "", "not installed", wanted=True))
    return rows


def _keys_allowed(one: plugins.Installed) -> dict[str, str]:
    """Never raises: the settings of a plug-in may say what they like."""
    if one.state != plugins.GOOD or one.kind == "encoding":
        return {}
    try:
        fields = structs.fields(plugins.load(f"{one.kind}s", one.name).settings)
        return {entry.encode_name: describe(entry.type) for entry in fields}
    except Exception:  # noqa: BLE001 - whatever a plug-in raises
        return {}


def _read(kind: str, name: str, table: Mapping[str, Any], faults: Faults) -> Struct | None:
    section = f"{kind}.{name}"
    try:
        cls = plugins.load(f"{kind}s", name)
    except ConfigError as error:
        faults.add(section, str(error))
        return None
    keys = {key: value for key, value in table.items() if key != "enabled"}
    try:
        return read_struct(cast("type[Struct]", cls.settings), keys, faults, section)
    except ValueError as error:  # of __post_init__
        faults.add(section, str(error) or "these keys do not go together")
    except ConfigError as error:
        faults.found.append(error)
    except Exception as error:  # noqa: BLE001 - whatever a plug-in raises
        faults.add(section, f"the plug-in cannot read its keys: {type(error).__name__}: {error}")
    return None
