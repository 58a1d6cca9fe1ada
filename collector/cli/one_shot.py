"""The configuration that ``collector subscribe`` stands for.

Does: put the options into the tables of a configuration file, so that they go through the same
checks. Does not: connect.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from collector.cli.wanting import subscription_table
from collector.errors import UsageError

PASSWORD_VARIABLE = "COLLECTOR_PASSWORD"  # noqa: S105 - the name of a variable
EVERY_ADDRESS = "0.0.0.0"  # noqa: S104 - where devices call, as with --listen


def one_shot_config(*, host: str, listen: str, settings: Mapping[str, Any]) -> Any:
    """A ``Config`` of one device and one subscription. Raises ConfigError, UsageError."""
    from collector.config import read_config_table

    address, port = _split(listen)
    netconf = netconf_table(host, settings)
    table: dict[str, Any] = {
        "udp_notif": {"address": address, "port": port},
        "metrics": {"enabled": False},
        "device": [{"name": host, "netconf": netconf, "sources": list(settings["sources"])}],
        "subscription": [subscription_table(settings)],
    }
    if settings.get("call_home"):
        table["call_home"] = call_home_table(settings["call_home"])
    return read_config_table(table, file="command line")


def netconf_table(host: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The section ``[device.netconf]`` of a host that is named on the command line.

    Raises:
        UsageError: there is no way to log in.
    """
    netconf = _given(
        settings, "port", "username", "password_file", "key_file", "known_hosts", "session"
    )
    if settings.get("call_home"):
        netconf |= {"call_home": True, "host_keys": _keys(settings)}
    elif settings.get("host_keys"):
        raise UsageError("--host-key goes with --call-home; else --known-hosts says whom to trust")
    else:
        netconf["host"] = host
    if not (netconf.get("password_file") or netconf.get("key_file")):
        netconf["password_env"] = PASSWORD_VARIABLE
        if not os.environ.get(PASSWORD_VARIABLE):
            raise UsageError(
                "no way to log in is given: --password-file, --key-file, or the environment"
                f" variable {PASSWORD_VARIABLE}"
            )
    return netconf


def call_home_table(text: str) -> dict[str, Any]:
    """The section ``[call_home]`` of ``--call-home``. Raises UsageError."""
    address, _, port = text.rpartition(":")
    if not port.isdecimal():
        raise UsageError(f'--call-home "{text}" is not [ADDRESS:]PORT, as 4334 or 192.0.2.1:4334')
    return {"enabled": True, "address": address.strip("[]") or EVERY_ADDRESS, "port": int(port)}


def _keys(settings: Mapping[str, Any]) -> list[str]:
    """Whose call is the host's. Raises UsageError."""
    if not settings.get("host_keys"):
        raise UsageError(
            "--call-home needs --host-key: only its key says who calls (RFC 8071 §3.1)"
        )
    for option in ("port", "known_hosts"):
        if settings.get(option):
            raise UsageError(f"--{option.replace('_', '-')} is of no use: the host calls")
    return list(settings["host_keys"])


def _given(settings: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    return {key: settings[key] for key in keys if settings.get(key) is not None}


def _split(listen: str) -> tuple[str, int]:
    address, _, port = listen.rpartition(":")
    if not port.isdecimal() or not address:
        raise UsageError(f'--listen "{listen}" is not ADDRESS:PORT, as 0.0.0.0:10003 or [::]:10003')
    return address.strip("[]"), int(port)
