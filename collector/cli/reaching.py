"""The device that a command talks to by itself: one of the configuration, or a host.

Does: the options that say how to reach a host, and the settings that they or the configuration
stand for. Does not: connect.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from collector.cli.one_shot import netconf_table
from collector.cli.options import DEFAULT_CONFIG
from collector.errors import UsageError

if TYPE_CHECKING:
    from collector.config import Config, DeviceSettings

USER_VARIABLE = "COLLECTOR_USER"
_OPTIONS = {
    "port": "port",
    "username": "user",
    "password_file": "password-file",
    "key_file": "key-file",
    "known_hosts": "known-hosts",
    "session": "session",
}
"""Parameter -> its option, of those that ``reach_options`` adds."""


def reach_options(function: Any) -> Any:
    """``-c FILE``, and how to reach a host that no configuration knows."""
    for option in reversed(
        (
            click.option(
                "-c", "--config", "config_file", type=click.Path(dir_okay=False), metavar="FILE",
                help=f"Configuration that knows the device.  [default: {DEFAULT_CONFIG}, if it is"
                " there]",
            ),
            click.option(
                "--port", type=click.IntRange(1, 65535),
                help="TCP port of NETCONF over SSH.  [default: 830]",
            ),
            click.option(
                "--user", "username", help=f"User name; else the variable {USER_VARIABLE}."
            ),
            click.option(
                "--password-file", type=click.Path(dir_okay=False), help="File with the password."
            ),
            click.option("--key-file", type=click.Path(dir_okay=False), help="Private key."),
            click.option(
                "--known-hosts", type=click.Path(dir_okay=False), help="Trusted host keys."
            ),
            click.option(
                "--session", type=click.Choice(["asyncssh", "ncclient"]),
                help="Which client holds the session.",
            ),
        )
    ):  # fmt: skip
        function = option(function)
    return function


def reach(
    target: str, config_file: str | None, options: Mapping[str, Any]
) -> tuple[Config | None, DeviceSettings]:
    """The configuration, where there is one, and the device of that name, else the host.

    Args:
        target: name of a device of the configuration, or a host.
        config_file: of ``-c``; None: the default one, if it is there.
        options: what ``reach_options`` got, without ``config_file``; None where not given.

    Raises:
        UsageError: nobody knows how to reach it.
        ConfigError: the configuration cannot be used.
    """
    from collector.config import load_config

    config = None
    if config_file is not None or Path(DEFAULT_CONFIG).exists():
        config = load_config(config_file or DEFAULT_CONFIG)
    given = {name: value for name, value in options.items() if value is not None}
    known = None
    if config is not None:
        known = next((one for one in config.devices if one.name == target), None)
    if known is None:
        where = f" in {config_file or DEFAULT_CONFIG}" if config is not None else ""
        return config, _host(target, given, where)
    if given:
        raise UsageError(
            f"how to reach {target} is in the configuration, so leave out"
            f" {', '.join('--' + _OPTIONS[name] for name in given)}"
        )
    if known.netconf is None:
        raise UsageError(f"{target} has no [device.netconf] in the configuration")
    return config, known


def _host(target: str, given: Mapping[str, Any], where: str) -> DeviceSettings:
    """A device that only the command line knows. Raises UsageError, ConfigError."""
    from collector.config import read_config_table

    username = given.get("username") or os.environ.get(USER_VARIABLE)
    if not username:
        raise UsageError(
            f"there is no device {target}{where}; to reach a host of that name, say --user"
        )
    netconf = netconf_table(target, {**given, "username": username})
    table = {"device": [{"name": target, "netconf": netconf}]}
    return read_config_table(table, file="command line").devices[0]
