"""The table ``[netconf]``: the master's server."""

from __future__ import annotations

from typing import Literal

from publisher_sim.scenario.table import Table
from publisher_sim.scenario.users import AccessLevel

CALL_HOME_PORT = 4334
"""``netconf-ch-ssh``, RFC 8071 §6."""


class Netconf(Table, frozen=True):
    """Where the master's NETCONF server listens and who may come in."""

    port: int = 8300
    """0 takes any free port."""
    username: str = "collector"
    access: AccessLevel = "full"
    """What this user may do; others are in ``[[user]]``."""
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
    listen: bool = True
    """Whether it can be connected to; not needed where it calls home."""
    call_home: str = ""
    """HOST or HOST:PORT of a collector that it calls (RFC 8071); port 4334 where none is given."""
    call_home_period_seconds: float = 0.0
    """It calls once in so many seconds and leaves when nobody uses the connection; 0 calls at once
    and stays connected."""
    call_home_idle_seconds: float = 30.0
    """With a period: seconds without a message after which it leaves, unless a subscription hangs
    on the session."""
    call_home_retry_seconds: float = 1.0
    """Seconds until it calls again after it was not answered, doubling up to a minute; also after a
    connection that lasted has ended."""

    @property
    def collector(self) -> tuple[str, int]:
        """Host and port of ``call_home``. Raises ValueError: it is neither of its forms."""
        host, colon, port = self.call_home.rpartition(":")
        if not colon or (":" in host and not host.startswith("[")):
            host, port = self.call_home, str(CALL_HOME_PORT)
        host = host.removeprefix("[").removesuffix("]")
        if not host or not port.isascii() or not port.isdecimal() or not 0 < int(port) <= 65_535:
            raise ValueError(self.call_home)
        return host, int(port)
