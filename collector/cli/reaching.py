"""The device that a command talks to by itself: one of the configuration, or a host.

Does: the options that say how to reach a host, and the settings that they or the configuration
stand for. Does not: connect.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from collector.cli.one_shot import call_home_table, netconf_table
from collector.cli.options import DEFAULT_CONFIG, Length
from collector.command_line import Whole
from collector.errors import UsageError

if TYPE_CHECKING:
    from collector.config import Config, DeviceSettings
    from collector.service.ways import Ways

USER_VARIABLE = "COLLECTOR_USER"
_OPTIONS = {
    "port": "port",
    "username": "user",
    "password_file": "password-file",
    "key_file": "key-file",
    "known_hosts": "known-hosts",
    "session": "session",
    "call_home": "call-home",
    "host_keys": "host-key",
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
                "--port", type=Whole(1, 65535),
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
            call_home_options,
            wait_option,
        )
    ):  # fmt: skip
        function = option(function)
    return function


def call_home_options(function: Any) -> Any:
    """For a host that calls, and cannot be connected to."""
    function = click.option(
        "--host-key", "host_keys", multiple=True, metavar="KEY",
        help="With --call-home: the host's own key, as in SHA256:.., which says that it is the one"
        " who calls; can be repeated.",
    )(function)  # fmt: skip
    return click.option(
        "--call-home", metavar="[ADDRESS:]PORT",
        help="Do not connect: the host calls us here (RFC 8071; the usual port is 4334).",
    )(function)  # fmt: skip


wait_option = click.option(
    "--wait", "wait", type=Length(), metavar="LENGTH",
    help="How long a device that calls home may take to call.  [default: 5m]",
)  # fmt: skip


def ways_of(config: Config, wait: float | None, *, runs: bool = True) -> Ways:
    """How a command gets its sessions with the devices of a configuration.

    Args:
        config: that has the devices.
        wait: seconds for a call; None: the default.
        runs: whether a collector may run with it.
    """
    from collector.lanes.folders import folder_of
    from collector.service.ways import WAIT_SECONDS, Ways

    folder = Path(config.collector.data_dir)
    return Ways(
        call_home=config.call_home,
        data_folder=lambda device: folder_of(folder, device) if runs else None,
        wait_seconds=wait or WAIT_SECONDS,
    )


class Reached(NamedTuple):
    """Whom a command talks to."""

    config: Config | None
    """The configuration, where there is one."""
    device: DeviceSettings
    """Of that name in it, else the host."""
    ways: Ways
    """How a session is had."""


def reach(target: str, config_file: str | None, options: Mapping[str, Any]) -> Reached:
    """Whom a command talks to.

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
    given = {name: value for name, value in options.items() if value not in (None, ())}
    wait = given.pop("wait", None)
    known = None
    if config is not None:
        known = next((one for one in config.devices if one.name == target), None)
    if known is None:
        where = f" in {config_file or DEFAULT_CONFIG}" if config is not None else ""
        alone, host = _host(target, given, where)
        return Reached(config, host, ways_of(alone, wait, runs=False))
    if given:
        raise UsageError(
            f"how to reach {target} is in the configuration, so leave out"
            f" {', '.join('--' + _OPTIONS[name] for name in given)}"
        )
    if known.netconf is None:
        raise UsageError(f"{target} has no [device.netconf] in the configuration")
    assert config is not None
    return Reached(config, known, ways_of(config, wait))


def _host(target: str, given: Mapping[str, Any], where: str) -> tuple[Config, DeviceSettings]:
    """A device that only the command line knows. Raises UsageError, ConfigError."""
    from collector.config import read_config_table

    username = given.get("username") or os.environ.get(USER_VARIABLE)
    if not username:
        raise UsageError(
            f"there is no device {target}{where}; to reach a host of that name, say --user"
        )
    netconf = netconf_table(target, {**given, "username": username})
    table: dict[str, Any] = {"device": [{"name": target, "netconf": netconf}]}
    if "call_home" in given:
        table["call_home"] = call_home_table(given["call_home"])
    config = read_config_table(table, file="command line")
    return config, config.devices[0]
