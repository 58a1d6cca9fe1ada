"""The table ``[netconf]``: the master's server."""

from __future__ import annotations

from typing import Literal

from publisher_sim.scenario.table import Table


class Netconf(Table, frozen=True):
    """Where the master's NETCONF server listens and who may come in."""

    port: int = 8300
    """0 takes any free port."""
    username: str = "collector"
    password_file: str = ""
    """File with the password in its first line."""
    password_env: str = "PUBLISHER_SIM_PASSWORD"  # noqa: S105 - a variable's name
    """Environment variable with the password, used where there is no file."""
    authorized_keys: str = ""
    """File with public keys that may log in, in the OpenSSH format."""
    host_key: str = ""
    """File with the private host key; made anew for every run where empty."""
    completes: Literal["all", "configured"] = "all"
    """Which subscriptions end with subscription-completed at their stop-time. RFC 8639 §2.7.6 says
    it of all; devices that take its feature for a restriction just fall silent in dynamic ones."""
