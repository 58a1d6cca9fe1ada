"""Checks of the tables ``[[user]]``."""

from __future__ import annotations

from publisher_sim.scenario.checks.checker import Checks


def check_users(checks: Checks) -> None:
    """Each name once, and a way to log in."""
    users = checks.scenario.user
    names = [checks.scenario.netconf.username, *(one.name for one in users)]
    checks.once(names, "user", "name")
    for number, one in enumerate(users):
        key = f"user[{number}]"
        checks.named(one.name, f"{key}.name")
        checks.require(
            bool(one.password_file or one.password_env or one.authorized_keys), key,
            f"{one.name} could not log in", "password_file, password_env or authorized_keys",
        )  # fmt: skip
