"""The table ``[[user]]``: who else may come in, beside the one of ``[netconf]``."""

from __future__ import annotations

from typing import Literal

from publisher_sim.scenario.table import Table

AccessLevel = Literal["full", "limited"]
"""``limited``: reads, subscribes and ends what is its own; sees neither the subscriptions of others
nor any list of generators, and neither kills nor configures (``publisher_sim.users.access``)."""
DataModule = Literal["ietf-interfaces", "ietf-hardware"]


class User(Table, frozen=True):
    """One more user."""

    name: str
    access: AccessLevel = "limited"
    password_file: str = ""
    """File with the password in its first line."""
    password_env: str = ""
    """Environment variable with the password, used where there is no file."""
    reads: tuple[DataModule, ...] = ("ietf-interfaces", "ietf-hardware")
    """Modules whose data it may read; that of others is neither shown nor pushed to it."""
    authorized_keys: str = ""
    """File with public keys that may log in, in the OpenSSH format."""
