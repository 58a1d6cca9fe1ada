"""Which device a message came from: certificate name or peer address -> device name.

Does not: look names up in the network, or know receivers.
Rules: a device is a name with its source addresses (``[[device]]``). Live, an unknown
source has no device and is not judged; when a capture is replayed each source is a device of its
own. A verified certificate says more than an address, so it is asked first. Addresses are compared
as the text that receivers hand up, names in certificates without regard to case.
"""

from __future__ import annotations

from collections.abc import Mapping

from collector.model import CERTIFICATE_SESSION


class Inventory:
    """The devices that are known by configuration."""

    def __init__(self, sources: Mapping[str, str], *, each_source: bool = False) -> None:
        """Args:
        sources: peer address -> device name, and ``CERTIFICATE_SESSION`` + name in a certificate
            (lower case) -> device name.
        each_source: an address that is not in ``sources`` is a device named like itself.
        """
        self._sources = dict(sources)
        self._each_source = each_source

    def device(self, peer: str, session: str = "") -> str | None:
        """Name of the device behind a peer address and a session, None when it is unknown."""
        found = self.certified(session)
        if found is None:
            found = self._sources.get(peer)
        return peer if found is None and self._each_source and peer else found

    def certified(self, session: str) -> str | None:
        """Name of the device whose certificate was shown in a session, None without or when it is
        unknown."""
        if not session.startswith(CERTIFICATE_SESSION):
            return None
        return self._sources.get(session.lower())

    def devices(self) -> list[str]:
        """Names of the configured devices, sorted."""
        return sorted(set(self._sources.values()))
