"""Files that a configuration names, seen from here: those that are missing, and certificates.

Does not: print, or say that a missing file is a fault; the collector may run on another machine.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from collector.config import Config
from collector.errors import ConfigError
from collector.sections import enabled


def tls_faults(config: Config) -> list[str]:
    """A sentence for each receiver whose certificates are all here and cannot be used."""
    return [why for section in _tls_sections(config) if (why := _tls_fault(config, section))]


def _tls_sections(config: Config) -> Iterator[str]:
    """The receivers that will show a certificate."""
    if config.https_notif.enabled and not config.https_notif.plain_http:
        yield "https_notif"
    if config.grpc_dialout.enabled and not config.grpc_dialout.plaintext:
        yield "grpc_dialout"
    if config.dtls.enabled:
        yield "dtls"


def _tls_paths(config: Config, section: str) -> Iterator[tuple[str, str]]:
    settings = getattr(config, section)
    for key in ("certificate_file", "key_file", "client_ca_file"):
        path = getattr(settings, key)
        if path is not None and (key != "client_ca_file" or settings.client_certificates != "none"):
            yield key, path


def _tls_fault(config: Config, section: str) -> str:
    """Why certificates that are all here cannot be used; "" when they can, or are elsewhere."""
    from collector.receivers.refusals import Refusals
    from collector.receivers.tls.server import ServerTls

    if any(_why_unreadable(path) for _, path in _tls_paths(config, section)):
        return ""
    try:
        ServerTls(getattr(config, section), section=section, refusals=Refusals(section)).load()
    except ConfigError as error:
        return str(error)
    return ""


def _why_unreadable(path: str) -> str:
    """ "" for what can be read, and for what is no file at all, which opening could wait for."""
    try:
        if stat.S_ISREG(os.stat(path).st_mode):
            Path(path).open("rb").close()
    except OSError as error:
        return error.strerror or "no reason"
    return ""


def _named_files(config: Config) -> Iterator[tuple[str, str]]:
    """Key and path of what the start, or a log-in, will read."""
    for section in _tls_sections(config):
        for key, path in _tls_paths(config, section):
            yield f"{section}.{key}", path
    for number, device in enumerate(config.devices, 1):
        for key in ("password_file", "key_file", "key_passphrase_file", "known_hosts"):
            named: str | None = getattr(device.netconf, key, None)
            if named is not None:
                yield f"device[{number}].netconf.{key}", named
    for kind, tables in (("receiver", config.receivers), ("sink", config.sinks)):
        for name in enabled(tables):
            for key, path in tables[name].items():
                if key.endswith("_file") and isinstance(path, str):  # "file" may be made
                    yield f"{kind}.{name}.{key}", path


def missing_files(config: Config) -> Iterator[str]:
    """A sentence for each file that cannot be read; thousands of devices can share one."""
    keys: dict[str, list[str]] = {}
    for key, path in _named_files(config):
        keys.setdefault(path, []).append(key)
    for path, (first, *others) in keys.items():
        if why := _why_unreadable(path):
            more = f" and {len(others)} more" if others else ""
            yield f"{first}{more}: {path} cannot be read: {why}"
