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


def one_shot_config(*, host: str, listen: str, settings: Mapping[str, Any]) -> Any:
    """A ``Config`` of one device and one subscription. Raises ConfigError, UsageError."""
    from collector.config import read_config_table

    address, port = _split(listen)
    netconf = netconf_table(host, settings)
    table = {
        "udp_notif": {"address": address, "port": port},
        "metrics": {"enabled": False},
        "device": [{"name": host, "netconf": netconf, "sources": list(settings["sources"])}],
        "subscription": [subscription_table(settings)],
    }
    return read_config_table(table, file="command line")


def netconf_table(host: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The section ``[device.netconf]`` of a host that is named on the command line.

    Raises:
        UsageError: there is no way to log in.
    """
    netconf = {
        "host": host,
        **_given(
            settings, "port", "username", "password_file", "key_file", "known_hosts", "session"
        ),
    }
    if not (netconf.get("password_file") or netconf.get("key_file")):
        netconf["password_env"] = PASSWORD_VARIABLE
        if not os.environ.get(PASSWORD_VARIABLE):
            raise UsageError(
                "no way to log in is given: --password-file, --key-file, or the environment"
                f" variable {PASSWORD_VARIABLE}"
            )
    return netconf


def _given(settings: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    return {key: settings[key] for key in keys if settings.get(key) is not None}


def _split(listen: str) -> tuple[str, int]:
    address, _, port = listen.rpartition(":")
    if not port.isdecimal() or not address:
        raise UsageError(f'--listen "{listen}" is not ADDRESS:PORT, as 0.0.0.0:10003 or [::]:10003')
    return address.strip("[]"), int(port)
