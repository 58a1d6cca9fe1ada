"""Looks into ``/subscriptions`` of devices while the collector runs, as configured just then."""

from __future__ import annotations

from collector.model import SECOND
from collector.service.parts import Parts
from collector.subscriber.cross_check import CrossChecking


def looks_of(service: Parts) -> CrossChecking:
    """Not started yet."""
    return CrossChecking(
        service.manager.sessions_up,
        service.manager.look,
        service.clock,
        lambda: round(service.config.cross_check.interval_seconds * SECOND),
    )
