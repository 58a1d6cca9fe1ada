"""Whose a record is: by the management session, by the certificate, by the address.

Does: the device of each record of a batch. Does not: read the configuration
(``settings.inventory_of``), or count those whom nobody knows.

Rules: what comes on a management session belongs to the device of that session and to no address;
a certificate goes before an address.
"""

from __future__ import annotations

from typing import Final

from collector.core.inventory import Inventory
from collector.model import Coded, ReceivedBatch, Transport

_NETCONF: Final = int(Transport.NETCONF)


class Senders:
    """Who sends from where, as now configured, and the sessions that are up."""

    def __init__(self, inventory: Inventory) -> None:
        self.inventory = inventory
        self.sessions: dict[str, str] = {}
        """Session id -> device, of the sessions that are up."""
        self._went: dict[str, str] = {}
        """The same, of those that ended in the batch received last."""

    # ------------------------------------------------------------------ sessions
    def begin(self) -> None:
        """Another batch begins."""
        self._went.clear()

    def up(self, session: str, device: str) -> None:
        """A management session began."""
        self.sessions[session] = device

    def down(self, session: str) -> None:
        """It ended; what the same batch brought before still belongs to its device."""
        ended = self.sessions.pop(session, None)
        if ended is not None:
            self._went[session] = ended

    # ------------------------------------------------------------------ whose
    def of_record(self, batch: ReceivedBatch, row: int) -> str | None:
        """The device of one record, None where it is unknown."""
        if batch.transport[row] == _NETCONF:
            return self.sessions.get(batch.session[row])
        return self.inventory.device(batch.peer[row], batch.session[row])

    def of_messages(self, batch: ReceivedBatch, start: int, end: int) -> Coded[str]:
        """The device of each message from ``start`` to ``end``; empty for an unknown source."""
        peers, sessions = batch.peer[start:end], batch.session[start:end]
        by_peer = [self.inventory.device(peer) or "" for peer in peers.words]
        by_session = [self._of_session(session) or "" for session in sessions.words]
        if not any(by_session):
            transports = bytes(batch.transport[start:end])
            if _NETCONF not in transports:
                return Coded(by_peer, peers.codes)
        elif all(by_session):
            return Coded(by_session, sessions.codes)
        return Coded.of(
            by_session[session] or ("" if transport == _NETCONF else by_peer[peer])
            for transport, session, peer in zip(
                batch.transport[start:end], sessions.codes, peers.codes, strict=True
            )
        )

    def of_batch(self, batch: ReceivedBatch) -> Coded[str]:
        """The device of each record of the batch received last; empty where it is unknown."""
        found = self.of_messages(batch, 0, len(batch))
        if not self._went:
            return found
        sessions = zip(found, batch.session, strict=True)
        return Coded.of(device or self._went.get(session, "") for device, session in sessions)

    def _of_session(self, session: str) -> str | None:
        """The device of a management session, or of a certificate."""
        found = self.sessions.get(session)
        return self.inventory.certified(session) if found is None else found
