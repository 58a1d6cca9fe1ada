"""Start order and stop order of the collector.

Start: lock and journal, store, what the journal knows (snapshot and re-read), outputs, control
socket and metrics, receivers, and last the subscriptions, since data comes as soon as one is
established. Stop is the other way round: delete the subscriptions, take what still waits, close the
books (NOT_JUDGED(ended)), bring everything to disk. Both may be called twice.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from pathlib import Path

from collector.alerts import AlertSink
from collector.config import Config
from collector.control import ControlServer
from collector.core.segments import ReassemblyLimits
from collector.errors import IntakeFullError, UsageError
from collector.interfaces import Receiver, Sink
from collector.journal import Journal, JournalSettings, Segment
from collector.metrics import Counters
from collector.model import SECOND, RecordKind
from collector.pipeline import Pipeline
from collector.pipeline.settings import encode_config
from collector.plugins import receiver_class
from collector.service.clock import CollectorClock
from collector.service.commands import commands
from collector.service.gauges import refresh
from collector.service.housekeeping import Housekeeping
from collector.service.intake import LiveIntake
from collector.service.recovering import recover
from collector.service.ticker import Ticker
from collector.service.watch import SubscriptionWatch
from collector.sinks.live import LiveSink
from collector.sinks.prometheus import MetricsServer, PrometheusSink, make_registry
from collector.store.compaction import StoreLimits
from collector.store.manifest import load_manifest, store_folder
from collector.store.tables import TABLES
from collector.store.writer import StoreWriter
from collector.subscriber.manager import SubscriptionManager
from collector.subscriber.wanted import wanted_from

log = logging.getLogger(__name__)


class Service:
    """One collector on one data folder."""

    def __init__(self, config: Config, *, sinks: Sequence[Sink] = ()) -> None:
        """``sinks``: further outputs, in addition to store, live view, metrics and alerts."""
        self.config = config
        self.counters = Counters()
        self.live = LiveSink()
        self._further_sinks = list(sinks)
        self._sinks: list[Sink] = []
        self.receivers: list[Receiver] = []
        self.reloads = 0
        self.reload_from: Callable[[], Config] | None = None
        """Reads the configuration again; None where there is no file."""
        self._started = False

    @property
    def folder(self) -> Path:
        """The data folder."""
        return Path(self.config.collector.data_dir)

    # ------------------------------------------------------------------ start
    async def start(self) -> None:
        """Return when everything listens.

        Raises:
            ConfigError: an address, a folder or a file cannot be used.
            SinkError: the journal or the store on disk cannot be read.
        """
        config = self.config
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.journal = Journal.open(
            self.folder,
            _journal_settings(config),
            minimum_offset=load_manifest(store_folder(self.folder)).stored_offset,
            on_failure=lambda path, error: log.error("%s could not be synced: %s", path, error),
        )
        self._started = True
        self.store = StoreWriter(
            self.folder,
            limits=_store_limits(config),
            on_error=lambda error: log.error("%s; it is tried again.", error),
        )
        for note in self.journal.recovery.notes:
            log.warning("Journal: %s", note)
        self.pipeline = Pipeline()
        last_arrival = recover(self.folder, self.journal, self.pipeline, self.store)
        self.journal.on_sealed.append(self._sealed)
        self.clock = CollectorClock(not_before=last_arrival)
        await self._start_intake(last_arrival)
        await self._start_faces()
        await self._start_sources()

    async def _start_intake(self, last_arrival: int) -> None:
        self.manager: SubscriptionManager
        alerts = AlertSink(self.config.alerts, self.counters)
        self._watch = SubscriptionWatch(lambda *ended: self.manager.subscription_ended(*ended))
        self._sinks = [
            self.live,
            PrometheusSink(self.counters),
            alerts,
            self._watch,
            *self._further_sinks,
        ]
        for sink in self._sinks:
            sink.start()
        self.intake = LiveIntake(
            journal=self.journal,
            pipeline=self.pipeline,
            store=self.store,
            sinks=self._sinks,
            clock=self.clock,
            counters=self.counters,
        )
        self.intake.last_arrival = last_arrival
        self.housekeeping = Housekeeping(self)
        self.intake.note(RecordKind.COLLECTOR_START)
        self._note_config()

    def _note_config(self) -> None:
        self.intake.note(RecordKind.CONFIG, encode_config(self.config))

    async def _start_faces(self) -> None:
        """What people and other programs talk to."""
        self.control = ControlServer(self.folder, commands(self))
        await self.control.start()
        self.metrics: MetricsServer | None = None
        settings = self.config.metrics
        if settings.enabled:
            registry = make_registry(self.counters, lambda: refresh(self))
            self.metrics = MetricsServer(
                registry, address=settings.address, port=settings.port, health=self.health
            )
            await self.metrics.start()

    async def _start_sources(self) -> None:
        if self.config.udp_notif.enabled:
            self.receivers.append(self._udp_receiver())
        for receiver in self.receivers:
            await receiver.start()
        self.ticker = Ticker(self.intake, self.clock, self.receivers, self.housekeeping.each_second)
        self.ticker.start()
        self.manager = SubscriptionManager(self.intake, self.clock)
        await self.manager.apply(*wanted_from(self.config))

    def _udp_receiver(self) -> Receiver:
        settings, limits = self.config.udp_notif, self.config.reassembly
        window = round(limits.window_seconds * SECOND)
        strict = {s for device in self.config.devices if device.strict for s in device.sources}
        made: Receiver = receiver_class("udp-notif")(  # type: ignore[call-arg]  # its own options
            self.intake,
            self.clock,
            address=settings.address,
            port=settings.port,
            receive_buffer=settings.receive_buffer_bytes,
            strict_sources=frozenset(strict),
            limits=ReassemblyLimits(
                window=window,
                notice=min(window, SECOND // 2),
                max_segments=limits.max_segments,
                max_message_octets=limits.max_message_bytes,
                max_per_peer=limits.max_half_built_per_peer,
                max_half_built=limits.max_half_built,
            ),
        )
        return made

    def _sealed(self, segment: Segment) -> None:
        """The journal closed a file: its rows become Parquet in the background."""
        self.store.seal(segment.first_offset, self.journal.next_offset)

    # ------------------------------------------------------------------ while running
    def health(self) -> tuple[bool, str]:
        """For ``/healthz``."""
        if self.intake.full_since is not None:
            return False, "the disk is full: nothing is taken"
        return True, "ok"

    async def reload_now(self) -> None:
        """Read the configuration file again. Raises ConfigError, UsageError."""
        if self.reload_from is None:
            raise UsageError("this collector has no configuration file to read again")
        await self.reload(self.reload_from())

    async def reload(self, config: Config) -> None:
        """Take another configuration over: devices and subscriptions, grace, expectations.

        Addresses, folders and limits of what already runs stay until the next start.
        """
        self.config = config
        self.reloads += 1
        self._note_config()
        await self.manager.apply(*wanted_from(config))
        log.info("The configuration was read again.")

    # ------------------------------------------------------------------ stop
    async def stop(self) -> None:
        """Flush and close; the journal says that we stopped listening."""
        if not self._started:
            return
        self._started = False
        if hasattr(self, "manager"):
            await self.manager.stop()
        for receiver in self.receivers:
            await receiver.stop()
        if hasattr(self, "ticker"):
            self.ticker.stop()
        if hasattr(self, "intake"):
            try:
                self.intake.note(RecordKind.COLLECTOR_STOP)
            except IntakeFullError as error:
                log.error("The stop is not in the journal: %s", error)
        if hasattr(self, "housekeeping"):
            await self.housekeeping.stop()
        self.journal.close()
        await asyncio.to_thread(self.store.close)
        for sink in self._sinks:
            sink.flush()
            sink.stop()
        if hasattr(self, "control"):
            await self.control.stop()
            if self.metrics is not None:
                await self.metrics.stop()


def _journal_settings(config: Config) -> JournalSettings:
    settings = config.journal
    return JournalSettings(
        segment_seconds=settings.segment_seconds,
        segment_octets=settings.segment_bytes,
        commit_interval_seconds=settings.commit_interval_ms / 1000,
        commit_octets=settings.commit_bytes,
        free_space_reserve=settings.min_free_bytes,
    )


def _store_limits(config: Config) -> StoreLimits:
    settings = config.store
    age = settings.retention_seconds * SECOND
    return StoreLimits(
        max_octets=settings.retention_bytes or None,
        max_age=dict.fromkeys(TABLES, age) if age else {},
    )
