"""What the keys mean together: unique names, known devices, addresses, secrets by one reference.

Does: check a whole configuration and return it in one spelling (addresses as the receivers write
them, paths absolute). Does not: look at the network, open a file, or resolve a name.
Rules: every fault is found in one go; each names the dotted key.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from socket import AF_INET, AF_INET6, inet_ntop, inet_pton
from typing import Any, TypeVar
from urllib.parse import urlsplit

from msgspec import Struct, structs

from collector.config.configured_checks import check_configured
from collector.config.reading import Faults
from collector.config.session_checks import check_call_home, check_netconf
from collector.config.settings import (
    AlertSettings,
    Config,
    DeviceSettings,
)
from collector.config.subscription_checks import check_known, check_subscriptions, check_unique
from collector.config.transports import DtlsSettings, GrpcDialoutSettings, HttpsNotifSettings

StructT = TypeVar("StructT", bound=Struct)

_UINT32_MAX = 2**32 - 1
_PATH = re.compile(r"(/[A-Za-z0-9._~!$&'()*+,;=:@%-]+)+|/")
"""RFC 3986 §3.3, without empty segments."""
_TLS_FILES = ("certificate_file", "key_file", "client_ca_file")


def address(text: str) -> str | None:
    """An IP address in the one spelling that receivers use; None when it is none.

    IPv4-mapped IPv6 becomes IPv4, since that is how a dual-stack socket's peers are written.
    """
    if _is_in_that_spelling(text):
        return text
    try:
        parsed = ipaddress.ip_address(text.strip())
    except ValueError:
        return None
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return str(mapped or parsed)


def _is_in_that_spelling(text: str) -> bool:
    """Whether the C library would write the address like this: so nearly all are, and it takes a
    tenth of what ``ipaddress`` takes. An IPv6 address with dots is left to that: the two write it
    differently."""
    family = AF_INET6 if ":" in text else AF_INET
    try:
        return (family == AF_INET or "." not in text) and inet_ntop(
            family, inet_pton(family, text)
        ) == text
    except (OSError, ValueError):
        return False


def checked(config: Config, faults: Faults, folder: Path) -> Config:
    """``config`` with paths counted from ``folder``; what is wrong goes into ``faults``."""
    _check_receivers(config, faults)
    if config.reassembly.max_half_built_per_peer > config.reassembly.max_half_built:
        faults.add("reassembly.max_half_built_per_peer", "more than max_half_built for all peers")
    _check_alerts(config.alerts, faults)
    _check_plug_ins(config, faults)
    devices = tuple(
        _checked_device(device, faults, f"device[{number}]")
        for number, device in enumerate(config.devices, 1)
    )
    check_unique("device", [d.name for d in devices], faults)
    _check_overlap(devices, faults)
    check_call_home(config, devices, faults)
    check_subscriptions(config.subscriptions, devices, faults)
    looks = config.cross_check.interval_seconds > 0
    check_configured(config.subscriptions, config.receiver_instances, looks, faults)
    check_known(config.known_subscriptions, faults)
    return _in_folder(structs.replace(config, devices=devices), folder)


def _in_folder(config: Config, folder: Path) -> Config:
    """``config`` with all paths counted from ``folder``."""
    return structs.replace(
        config,
        collector=_absolute(config.collector, folder, "data_dir"),
        alerts=_absolute(config.alerts, folder, "file"),
        schema=_absolute(config.schema, folder, "folder", "sid_folder"),
        dtls=_absolute(config.dtls, folder, *_TLS_FILES),
        https_notif=_absolute(config.https_notif, folder, *_TLS_FILES),
        grpc_dialout=_absolute(config.grpc_dialout, folder, *_TLS_FILES),
        devices=tuple(_with_paths(device, folder) for device in config.devices),
        receivers={name: _absolute_keys(table, folder) for name, table in config.receivers.items()},
        sinks={name: _absolute_keys(table, folder) for name, table in config.sinks.items()},
    )


# --------------------------------------------------------------------------- receivers
def _check_receivers(config: Config, faults: Faults) -> None:
    """Where is listened, and what is shown there."""
    for section in (
        "udp_notif", "dtls", "https_notif", "grpc_dialout", "call_home", "metrics",
    ):  # fmt: skip
        text = getattr(config, section).address
        if address(text) is None:
            allowed = 'an address as "127.0.0.1" or "::"'
            faults.add(f"{section}.address", f'"{text}" is not an IP address', allowed)
    lanes = config.collector.lanes
    _check_tls("dtls", config.dtls, faults, lanes)
    _check_tls("https_notif", config.https_notif, faults, lanes, plain="plain_http")
    if not _PATH.fullmatch(config.https_notif.path):
        faults.add("https_notif.path", f'"{config.https_notif.path}" is not a path', '"/yang-push"')
    _check_tls("grpc_dialout", config.grpc_dialout, faults, lanes, plain="plaintext")


def _check_tls(
    section: str,
    settings: DtlsSettings | HttpsNotifSettings | GrpcDialoutSettings,
    faults: Faults,
    lanes: int,
    *,
    plain: str = "",
) -> None:
    """A receiver that is enabled has what TLS needs, or stays where nobody else can listen."""
    if not settings.enabled:
        return
    if lanes > 1:
        faults.add(f"{section}.enabled", "only UDP-notif is steered to several lanes", "lanes = 1")
    if plain and getattr(settings, plain):
        insecure = getattr(settings, "insecure", None)  # None: the section has no such key
        if not (is_loopback(settings.address) or insecure):
            allowed = "TLS" if insecure is None else "TLS, or insecure = true"
            faults.add(f"{section}.{plain}", "it would go unprotected over the network", allowed)
        return
    for key in ("certificate_file", "key_file"):
        if getattr(settings, key) is None:
            faults.add(f"{section}.{key}", "TLS needs it", "a file in PEM")
    if settings.client_certificates != "none" and settings.client_ca_file is None:
        faults.add(f"{section}.client_ca_file", "nobody could be verified without it",
                   'a file in PEM, or client_certificates = "none"')  # fmt: skip


def _check_plug_ins(config: Config, faults: Faults) -> None:
    """What is ours in the sections of plug-ins; the rest is ``sections``'."""
    for kind, tables in (("receiver", config.receivers), ("sink", config.sinks)):
        for name, table in tables.items():
            enabled = table.get("enabled", True)
            if not isinstance(enabled, bool):
                faults.add(f"{kind}.{name}.enabled", "this cannot be used", "true or false")
            elif kind == "receiver" and enabled and config.collector.lanes > 1:
                faults.add(
                    f"{kind}.{name}", "only UDP-notif is steered to several lanes", "lanes = 1"
                )


# --------------------------------------------------------------------------- devices
def _checked_device(device: DeviceSettings, faults: Faults, key: str) -> DeviceSettings:
    sources: dict[str, None] = {}
    for text in device.sources:
        one = address(text)
        if one is None:
            faults.add(f"{key}.sources", f'"{text}" is not an IP address', "addresses, no names")
        else:
            sources[one] = None
    if device.netconf is not None:
        check_netconf(device.netconf, faults, f"{key}.netconf")
        host = address(device.netconf.host)
        if host is not None and not device.sources:
            sources[host] = None
    elif not device.sources and not device.certificates:
        faults.add(
            f"{key}.sources",
            "a device needs addresses that it sends from, certificates, or [device.netconf]",
        )
    _check_quirks(device, faults, f"{key}.quirks")
    return structs.replace(
        device,
        sources=tuple(sources),
        certificates=tuple(address(name) or name.strip() for name in device.certificates),
        generators=_checked_generators(device, faults, key),
    )


def _check_quirks(device: DeviceSettings, faults: Faults, key: str) -> None:
    if {"ids-per-publisher", "ids-per-subscription"} <= set(device.quirks):
        faults.add(key, "Message IDs cannot count both ways", "one of the two, or neither")
    if device.strict and "unknown-options" in device.quirks:
        faults.add(key, "strict discards what unknown-options keeps", "one of the two")


def _checked_generators(device: DeviceSettings, faults: Faults, key: str) -> dict[str, str]:
    table: dict[str, str] = {}
    for text, name in device.generators.items():
        one = str(int(text)) if text.isascii() and text.isdecimal() else address(text)
        if one is None or (one.isdecimal() and int(one) > _UINT32_MAX):
            faults.add(
                f'{key}.generators."{text}"',
                "neither a Message Publisher ID nor an address",
                f"0 to {_UINT32_MAX}, or an IP address",
            )
        else:
            table[one] = name
    return table


def _check_overlap(devices: Iterable[DeviceSettings], faults: Faults) -> None:
    owners: dict[str, str] = {}
    for number, device in enumerate(devices, 1):
        for source in device.sources:
            owner = owners.setdefault(source, device.name)
            if owner != device.name:
                faults.add(
                    f"device[{number}].sources", f"{source} belongs to device {owner} already"
                )
        for name in device.certificates:
            owner = owners.setdefault(f"certificate {name.lower()}", device.name)
            if owner != device.name:
                faults.add(
                    f"device[{number}].certificates", f"{name} belongs to device {owner} already"
                )


# --------------------------------------------------------------------------- alerts, names, paths
def _check_alerts(alerts: AlertSettings, faults: Faults) -> None:
    if alerts.webhook is None:
        return
    try:
        url = urlsplit(alerts.webhook)
        host = url.hostname or ""
    except ValueError:
        faults.add("alerts.webhook", "not a URL", "https://.., or http:// to a loopback address")
        return
    if not host or not (url.scheme == "https" or (url.scheme == "http" and is_loopback(host))):
        faults.add(
            "alerts.webhook",
            "this URL cannot be used",  # it may carry a token, so it is not repeated
            "https://.., or http:// to a loopback address",
        )


def is_loopback(host: str) -> bool:
    """Whether ``host`` is ``localhost`` or a loopback address."""
    known = address(host)
    return host == "localhost" or (known is not None and ipaddress.ip_address(known).is_loopback)


def _with_paths(device: DeviceSettings, folder: Path) -> DeviceSettings:
    device = _absolute(device, folder, "schema_folder", "sid_folder")
    if device.netconf is None:
        return device
    files = ("password_file", "key_file", "key_passphrase_file", "known_hosts")
    netconf = _absolute(device.netconf, folder, *files)
    return structs.replace(device, netconf=netconf)


def _absolute(section: StructT, folder: Path, *keys: str) -> StructT:
    paths = {key: getattr(section, key) for key in keys}
    return structs.replace(
        section,
        **{key: _absolute_path(folder, path) for key, path in paths.items() if path is not None},
    )


def _absolute_keys(table: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Of a plug-in: the names of its keys say which are paths. ``-`` is a standard stream."""
    return {
        key: _absolute_path(folder, value)
        if key.endswith(("file", "folder")) and isinstance(value, str) and value not in ("", "-")
        else value
        for key, value in table.items()
    }


@lru_cache(maxsize=16)
def _absolute_path(folder: Path, path: str) -> str:
    """Many devices share their files."""
    return str(folder / Path(path).expanduser())
