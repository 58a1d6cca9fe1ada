"""Looks into ``/subscriptions`` of devices while the collector runs, as configured just then."""

from __future__ import annotations

from collector.model import SECOND
from collector.service.parts import Parts
from collector.subscriber.device.cross_check import CrossChecking


def looks_of(service: Parts) -> CrossChecking:
    """Not started yet."""

    async def look(device: str) -> None:
        entries = await service.manager.look(device)
        if entries is not None:
            service.configured.looked(device, entries, service.clock.now())
            service.putting_back.consider(device)

    return CrossChecking(
        service.manager.sessions_up,
        look,
        service.clock,
        lambda: round(service.config.cross_check.interval_seconds * SECOND),
    )
