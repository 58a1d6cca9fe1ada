"""The UDP-notif receiver: datagrams as they come (draft-ietf-netconf-udp-notif-26)."""

from __future__ import annotations

from typing import Any, Final

from collector.config import UdpNotifSettings
from collector.interfaces import Clock, Intake
from collector.receivers.datagrams.receiver import BATCH, DatagramReceiver

__all__ = ["BATCH", "DEFAULT_PORT", "UdpNotifReceiver"]

DEFAULT_PORT: Final = 10003
"""Ours; the draft assigns none, captures of real publishers use it."""


class UdpNotifReceiver(DatagramReceiver):
    """Receives UDP-notif on one address (``interfaces.Receiver``). Used on one event loop."""

    name = "udp-notif"
    title = "UDP-notif"
    settings = UdpNotifSettings
    wants = DatagramReceiver.wants | {"opened"}

    def __init__(
        self,
        intake: Intake,
        clock: Clock,
        *,
        address: str = "127.0.0.1",
        port: int = DEFAULT_PORT,
        **options: Any,
    ) -> None:
        """``options``: those of ``DatagramReceiver``."""
        super().__init__(intake, clock, address=address, port=port, **options)
