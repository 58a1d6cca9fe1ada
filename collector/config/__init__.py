"""The configuration: a TOML file -> a frozen, checked ``Config``.

Does: ``load_config`` for those who want to run, ``check_config`` for those who want every fault,
``redacted`` for the journal, ``template`` for ``collector init``, ``read_secret`` for sessions.
Does not: hold a secret or look at the network. Every key is in ``settings``.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import msgspec

from collector.config.checks import address, checked, is_loopback
from collector.config.host_keys import PinnedKeys, pinned_keys
from collector.config.reading import Faults, read_struct
from collector.config.secrets import read_secret, secret_from
from collector.config.sessions import CallHomeSettings, NetconfSettings, SessionsSettings
from collector.config.settings import (
    AlertSettings,
    CollectorSettings,
    Config,
    CrossCheckSettings,
    DeviceSettings,
    JournalSettings,
    MetricsSettings,
    SchemaSettings,
    StoreSettings,
    VerdictSettings,
)
from collector.config.subscriptions import (
    KnownSubscriptionSettings,
    ReceiverInstanceSettings,
    SubscriptionSettings,
)
from collector.config.transports import (
    DtlsSettings,
    GrpcDialoutSettings,
    HttpsNotifSettings,
    ReassemblySettings,
    ReceiverSettings,
    TlsServerSettings,
    UdpNotifSettings,
)
from collector.errors import ConfigError
from collector.model import CERTIFICATE_SESSION

__all__ = [
    "AlertSettings",
    "CallHomeSettings",
    "CollectorSettings",
    "Config",
    "CrossCheckSettings",
    "DeviceSettings",
    "DtlsSettings",
    "GrpcDialoutSettings",
    "HttpsNotifSettings",
    "JournalSettings",
    "KnownSubscriptionSettings",
    "MetricsSettings",
    "NetconfSettings",
    "PinnedKeys",
    "ReassemblySettings",
    "ReceiverInstanceSettings",
    "ReceiverSettings",
    "SchemaSettings",
    "SessionsSettings",
    "StoreSettings",
    "SubscriptionSettings",
    "TlsServerSettings",
    "UdpNotifSettings",
    "VerdictSettings",
    "address",
    "check_config",
    "device_of_source",
    "is_loopback",
    "load_config",
    "parse_config",
    "pinned_keys",
    "read_config_table",
    "read_secret",
    "redacted",
    "secret_from",
]

_LARGEST_FILE = 16 * 2**20
"""Bytes; ours: room for ten thousand devices."""
FAULTS_SHOWN = 20
"""One mistake in the section of every device is no reason to fill the screen."""


def load_config(path: str | Path) -> Config:
    """The configuration in the file ``path``.

    Raises:
        ConfigError: the first fault; ``FAULTS_SHOWN`` - 1 others are its notes (``__notes__``).
    """
    config, faults = check_config(path)
    return _config_or_raise(config, faults)


def parse_config(text: str, *, file: str = "", folder: str | Path = ".") -> Config:
    """The configuration in ``text``; relative paths count from ``folder``. Raises ConfigError."""
    config, faults = _read(text, file, Path(folder))
    return _config_or_raise(config, faults)


def read_config_table(table: dict[str, Any], *, file: str = "", folder: str | Path = ".") -> Config:
    """The configuration in plain values, as TOML would give them. Raises ConfigError."""
    config, faults = _read_table(table, file, Path(folder))
    return _config_or_raise(config, faults)


def check_config(path: str | Path) -> tuple[Config | None, list[ConfigError]]:
    """The configuration, or None and every fault in it."""
    file = Path(path)
    try:
        with file.open("rb") as opened:
            content = opened.read(_LARGEST_FILE + 1)
        if len(content) > _LARGEST_FILE:
            return None, [ConfigError("larger than 16 MiB", file=str(file))]
        text = content.decode()
    except OSError as error:
        reason = error.strerror or "cannot be read"
        hint = "; collector init writes one" if isinstance(error, FileNotFoundError) else ""
        return None, [ConfigError(f"{reason}{hint}", file=str(file))]
    except UnicodeDecodeError as error:
        return None, [ConfigError(f"not UTF-8 text at octet {error.start}", file=str(file))]
    return _read(text, str(file), file.resolve().parent)


def _read(text: str, file: str, folder: Path) -> tuple[Config | None, list[ConfigError]]:
    try:
        table = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        return None, [ConfigError(f"not TOML: {error}", file=file)]
    return _read_table(table, file, folder)


def _read_table(
    table: dict[str, Any], file: str, folder: Path
) -> tuple[Config | None, list[ConfigError]]:
    faults = Faults(file)
    config = read_struct(Config, table, faults)
    if config is not None:
        config = checked(config, faults, folder.absolute())
    return (None, faults.found) if faults.found else (config, [])


def _config_or_raise(config: Config | None, faults: list[ConfigError]) -> Config:
    if config is None:
        first, *others = faults
        for other in others[: FAULTS_SHOWN - 1]:
            first.add_note(str(other))
        if len(faults) > FAULTS_SHOWN:
            first.add_note(f"and {len(faults) - FAULTS_SHOWN:,} more: collector check-config")
        raise first
    return config


def redacted(config: Config) -> dict[str, Any]:
    """The configuration as plain values for the journal's CONFIG record.

    Passwords are not in it to begin with; a webhook's URL and a command's arguments may hold
    tokens, so only the host and the program's name are left, and nothing of TLS parameters and of
    the sections of plug-ins.
    """
    plain: dict[str, Any] = msgspec.to_builtins(config)
    alerts = plain["alerts"]
    if config.alerts.webhook is not None:
        scheme, rest = config.alerts.webhook.split("://", 1)
        host = rest.split("/", 1)[0].rsplit("@", 1)[-1]
        alerts["webhook"] = f"{scheme}://{host}/..."
    if config.alerts.command:
        alerts["command"] = [config.alerts.command[0], "..."]
    for instance in plain["receiver_instance"]:
        if instance["tls_parameters"] is not None:
            instance["tls_parameters"] = "..."
    for kind in ("receiver", "sink"):  # nobody but the plug-in knows what its keys are
        plain[kind] = {name: {} for name in plain[kind]}
    return plain


def device_of_source(config: Config) -> dict[str, str]:
    """source address -> device name, in the spelling that receivers use; and for the names in
    certificates ``CERTIFICATE_SESSION`` + name in lower case -> device name."""
    found = {source: device.name for device in config.devices for source in device.sources}
    for device in config.devices:
        for name in device.certificates:
            found[CERTIFICATE_SESSION + name.lower()] = device.name
    return found
