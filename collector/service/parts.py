"""What the helpers of a running service may use of it, so that they need not know its life."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from collector.config import Config
from collector.interfaces import Receiver
from collector.journal import Journal
from collector.metrics import Counters
from collector.pipeline import Pipeline
from collector.pipeline.leaves import LeafMaker
from collector.service.clock import CollectorClock
from collector.service.configured_watch import ConfiguredWatch
from collector.service.intake import LiveIntake
from collector.service.putting_back import PuttingBack
from collector.sinks.live import LiveSink
from collector.store.writer import StoreWriter
from collector.subscriber.manager import SubscriptionManager


class Parts(Protocol):
    """Met by ``lifecycle.Service``."""

    config: Config
    counters: Counters
    pipeline: Pipeline
    journal: Journal
    store: StoreWriter
    live: LiveSink
    leaves: LeafMaker
    intake: LiveIntake
    clock: CollectorClock
    manager: SubscriptionManager
    configured: ConfiguredWatch
    putting_back: PuttingBack
    receivers: list[Receiver]
    running: bool
    reloads: int

    @property
    def at_restart(self) -> list[str]:
        """Keys of the configuration in force that have no effect before the next start."""

    @property
    def folder(self) -> Path:
        """The data folder."""

    def health(self) -> tuple[bool, str]:
        """Whether everything goes on, and if not, what does not."""

    async def reload_now(self) -> None:
        """Read the configuration again and use it."""

    async def find_addresses(self) -> None:
        """Look up once more the names of devices that had no address."""
