"""Credentials: how the users of a device log in, read where the scenario says they are.

Does not: check them (the server does), keep them anywhere else.
"""

from __future__ import annotations

import os
from pathlib import Path

from collector.errors import ConfigError
from publisher_sim.scenario import Netconf, Scenario, User


def passwords(scenario: Scenario) -> dict[str, str]:
    """Who may log in with a password -> the password.

    Raises:
        ConfigError: a password cannot be had, or nobody could log in at all.
    """
    netconf = scenario.netconf
    found = {}
    own = _password(netconf, "netconf")
    if own is not None:
        found[netconf.username] = own
    elif not (netconf.authorized_keys or scenario.configured is not None):
        # who pushes unasked needs nobody to come
        raise ConfigError(
            "nobody could log in",
            key="netconf",
            allowed=f"a password in {netconf.password_env} or password_file, or authorized_keys",
        )
    for number, user in enumerate(scenario.user):
        password = _password(user, f"user[{number}]")
        if password is not None:
            found[user.name] = password
        elif not user.authorized_keys:
            raise ConfigError(
                f"{user.name} could not log in",
                key=f"user[{number}]",
                allowed=f"a password in the environment variable {user.password_env}",
            )
    return found


def authorized_keys(scenario: Scenario) -> dict[str, str]:
    """Who may log in with a key -> lines in the form of OpenSSH. Raises ConfigError."""
    tables = [(scenario.netconf.username, scenario.netconf.authorized_keys, "netconf")]
    for number, user in enumerate(scenario.user):
        tables.append((user.name, user.authorized_keys, f"user[{number}]"))
    return {name: _read(path, f"{key}.authorized_keys") for name, path, key in tables if path}


def _password(table: Netconf | User, key: str) -> str | None:
    if table.password_file:
        text = _read(table.password_file, f"{key}.password_file")
        return text.split("\n", 1)[0].rstrip("\r")
    return os.environ.get(table.password_env) or None


def _read(path: str, key: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise ConfigError(f"{path} cannot be read: {reason}", key=key) from error
