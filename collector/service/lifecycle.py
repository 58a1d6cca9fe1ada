"""Start order and stop order of the collector.

Start: lock and journal, store, what the journal knows (snapshot and re-read), outputs, control
socket and metrics, receivers, and last the subscriptions, since data comes as soon as one is
established. Stop is the other way round: delete the subscriptions, take what still waits, close the
books (NOT_JUDGED(ended)), bring everything to disk. Both may be called twice, and ``stop`` also
after a start that failed or was cancelled half-way: it ends what was begun, and one part that
cannot be ended keeps no other from its end.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

from collector.alerts import AlertSink
from collector.config import Config
from collector.control import ControlServer
from collector.errors import ConfigError, IntakeFullError, UsageError
from collector.interfaces import Receiver, Sink
from collector.journal import Disk, Journal, Segment
from collector.metrics import Counters
from collector.model import RecordKind
from collector.pipeline import Pipeline
from collector.pipeline.leaves import LeafMaker
from collector.pipeline.schemas import load_schemas
from collector.pipeline.settings import encode_config, strict_sources, wire_quirks
from collector.plugins import broken_encodings
from collector.service.addresses import with_addresses
from collector.service.at_restart import at_restart
from collector.service.clock import CollectorClock
from collector.service.commands import commands
from collector.service.configured_watch import ConfiguredWatch
from collector.service.gauges import refresh
from collector.service.housekeeping import Housekeeping
from collector.service.intake import LiveIntake
from collector.service.limits import journal_settings, store_limits
from collector.service.looking import looks_of
from collector.service.management import allow_open_files, manager_of
from collector.service.putting_back import PuttingBack
from collector.service.recovering import recover
from collector.service.sources import keep_times, receivers_of, sinks_of, transports_of
from collector.service.ticker import Ticker
from collector.service.waiting import Waiting
from collector.service.watch import SubscriptionWatch
from collector.sinks.live import LiveSink
from collector.sinks.prometheus import MetricsServer, PrometheusSink, make_registry
from collector.store.manifest import load_manifest, store_folder
from collector.store.writer import StoreWriter
from collector.subscriber.wanted import wanted_from

log = logging.getLogger(__name__)


class Service:
    """One collector on one data folder."""

    def __init__(
        self,
        config: Config,
        *,
        sinks: Sequence[Sink] = (),
        wall: Callable[[], int] = time.time_ns,
        disk: Disk | None = None,
        opened: socket.socket | None = None,
        called: socket.socket | None = None,
    ) -> None:
        """
        Args:
            config: what is wanted.
            sinks: further outputs, in addition to store, live view, metrics and alerts.
            wall: the machine's clock, ns since 1970.
            disk: file calls of the journal.
            opened: the socket of UDP-notif, where somebody else has opened it.
            called: likewise, the one that listens for devices that call home.
        """
        self.config = config
        self._started_with = config
        self.counters = Counters()
        self.live = LiveSink()
        self.leaves = LeafMaker(config)
        self.control: ControlServer | None = None
        self.metrics: MetricsServer | None = None
        self._further_sinks = list(sinks)
        self._sinks: list[Sink] = []
        self._wall = wall
        self._disk = disk
        self._opened = opened
        self._called = called
        self.receivers: list[Receiver] = []
        self.reloads = 0
        self.reload_from: Callable[[], Config] | None = None
        """Reads the configuration again; None where there is no file."""
        self.running = False
        """From the end of ``start`` to the beginning of ``stop``."""
        self._taking_over = asyncio.Lock()
        """Configurations are taken over in the order in which they came."""
        self._endings = AsyncExitStack()
        """How to end what was begun, the newest first."""
        self._given_up = threading.Event()
        """Tells the thread that reads the journal again that nobody waits for it."""

    @property
    def folder(self) -> Path:
        """The data folder."""
        return Path(self._started_with.collector.data_dir)

    # ------------------------------------------------------------------ start
    async def start(self) -> None:
        """Return when everything listens.

        Raises:
            ConfigError: an address, a folder or a file cannot be used.
            SinkError: the journal or the store on disk cannot be read.
        """
        await self._load_schemas(self.config)
        for why in broken_encodings():
            log.warning("Messages of one encoding cannot be read: %s", why)
        self._open_folder()
        allow_open_files(self.config)
        self.config = self._started_with = await with_addresses(self.config)
        self.pipeline = Pipeline()
        last_arrival = await self._recover()
        self.leaves.tell(
            (one.device, one.subscription_id, one.subscription_name)
            for one in self.pipeline.engine.states()
        )
        self.journal.on_sealed.append(self._sealed)
        self.clock = CollectorClock(not_before=last_arrival, wall=self._wall)
        self._start_outputs()
        self._start_intake(last_arrival)
        await self._start_metrics()
        await self._start_sources()
        self.running = True
        await self._start_control()

    async def _load_schemas(self, config: Config) -> None:
        """In a thread, since the modules of a vendor take seconds. Raises ConfigError."""
        self.schemas = await asyncio.to_thread(load_schemas, config, log.warning)
        self.leaves.configure(config, self.schemas)

    def _open_folder(self) -> None:
        """Lock, journal and store."""
        config, stored = self.config, store_folder(self.folder)
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(
                f"the data folder {self.folder} cannot be made: {error.strerror or error}",
                key="collector.data_dir",
                allowed="a folder that this user may write to",
            ) from error
        self.journal = Journal.open(
            self.folder,
            journal_settings(config),
            minimum_offset=load_manifest(stored).stored_offset,
            disk=self._disk,
            on_failure=lambda path, error: log.error("%s could not be synced: %s", path, error),
        )
        self._at_the_end(self.journal.close)
        self._at_the_end(self._stop_faces)
        for note in self.journal.recovery.notes:
            log.warning("Journal: %s", note)
        self.store = StoreWriter(
            self.folder,
            limits=store_limits(config),
            tables=self.leaves.tables,
            on_error=lambda error: log.error("%s; it is tried again.", error),
        )
        self._at_the_end(self._close_store)

    async def _recover(self) -> int:
        """In a thread, so that a signal is heard meanwhile; arrival of the last record, ns."""
        parts = (self.folder, self.journal, self.pipeline, self.store)
        reading = asyncio.ensure_future(
            asyncio.to_thread(recover, *parts, given_up=self._given_up.is_set)
        )
        try:
            return await asyncio.shield(reading)
        except asyncio.CancelledError:
            self._given_up.set()
            await asyncio.wait([reading])
            raise

    def _start_outputs(self) -> None:
        alerts = AlertSink(self.config.alerts, self.counters)
        watch = SubscriptionWatch(
            lambda *ended: self.manager.subscription_ended(*ended),
            lambda *paused: self.manager.subscription_paused(*paused),
            lambda *lost: self.manager.resync_soon(*lost),
        )
        heard = self.pipeline.engine.states
        self.configured = ConfiguredWatch(lambda: self.config, alerts.note, heard)
        self.putting_back = PuttingBack(self)
        self._sinks = [
            self.live,
            PrometheusSink(self.counters),
            alerts,
            watch,
            self.configured,
            *self._further_sinks,
            *sinks_of(self.config),
        ]
        for sink in self._sinks:
            sink.start()
            self._at_the_end(partial(_end_sink, sink))

    def _start_intake(self, last_arrival: int) -> None:
        self.intake = LiveIntake(
            journal=self.journal,
            pipeline=self.pipeline,
            store=self.store,
            sinks=self._sinks,
            clock=self.clock,
            counters=self.counters,
        )
        self.intake.last_arrival = last_arrival
        self.manager = manager_of(
            self.config, self.intake, self.clock, self.counters, opened=self._called
        )
        self.housekeeping = Housekeeping(self)
        self._at_the_end(self.housekeeping.stop)
        self.intake.note(RecordKind.COLLECTOR_START)
        self._at_the_end(self._note_stop)
        self.intake.note(RecordKind.CONFIG, self._config_record(self.config))

    def _config_record(self, config: Config) -> bytes:
        """Transports keep their numbers until the next start."""
        return encode_config(config, self.schemas.sids, transports_of(self._started_with))

    async def _start_control(self) -> None:
        """Whoever asks finds everything there."""
        self.control = ControlServer(self.folder, commands(self))
        await self.control.start()

    async def _start_metrics(self) -> None:
        settings = self.config.metrics
        if settings.enabled:
            registry = make_registry(self.counters, lambda: refresh(self))
            self.metrics = MetricsServer(
                registry, address=settings.address, port=settings.port, health=self.health
            )
            await self.metrics.start()

    async def _start_sources(self) -> None:
        self.receivers += receivers_of(self.config, self.intake, self.clock, opened=self._opened)
        self.ticker = Ticker(self.intake, self.clock, self.receivers, self.housekeeping.each_second)
        waiting = Waiting(self.receivers, self.clock)
        self.intake.behind, self.intake.drain = waiting, waiting.drain
        self.intake.stamped = keep_times(self.receivers)
        for receiver in self.receivers:
            await receiver.start()
            self._at_the_end(receiver.stop)
        self.ticker.start()
        self._at_the_end(self.ticker.stop)
        if self.manager.calls is not None:
            await self.manager.calls.start()
            self._at_the_end(self.manager.calls.stop)
        self._at_the_end(self._stop_subscriptions)
        await self.manager.apply(*wanted_from(self.config))
        self._at_the_end(self.putting_back.stop)
        looks = looks_of(self)
        looks.start()
        self._at_the_end(looks.stop)

    def _sealed(self, segment: Segment) -> None:
        """The journal closed a file: its rows become Parquet in the background."""
        self.store.seal(segment.first_offset, self.journal.next_offset)

    # ------------------------------------------------------------------ while running
    def health(self) -> tuple[bool, str]:
        """For ``/healthz``: whether everything goes on, and if not, what does not."""
        if not self.running:
            return False, "it is starting or stopping"
        if self.intake.full_since is not None:
            return False, f"nothing is taken: {self.intake.full_why}"
        if self.store.failing:
            return False, f"the store cannot be written ({', '.join(sorted(self.store.failing))})"
        for receiver in self.receivers:
            if not getattr(receiver, "listening", True):
                return False, f"the receiver {receiver.name} does not listen"
        if not self.ticker.alive:
            return False, "the timer stands still: no verdict is said at its deadline"
        return True, "ok"

    async def reload_now(self) -> None:
        """Read the configuration file again. Raises ConfigError, UsageError."""
        read = self.reload_from
        if read is None:
            raise UsageError("this collector has no configuration file to read again")
        await self._reload(lambda: asyncio.to_thread(read))  # a file of many devices takes a while

    async def reload(self, config: Config) -> None:
        """Take another configuration over: devices and subscriptions, grace, expectations.

        Addresses, folders and limits of what already runs stay until the next start
        (``at_restart`` says which).
        """

        async def given() -> Config:
            return config

        await self._reload(given)

    async def _reload(self, read: Callable[[], Awaitable[Config]]) -> None:
        """It is read when its turn has come, so that an older one never overtakes it."""
        if not self.running:
            raise UsageError("the collector is still starting, or already stopping")
        async with self._taking_over:
            await self._take_over(await with_addresses(await read(), self.config))
        self.reloads += 1
        log.info("The configuration was read again.")
        if self.at_restart:
            log.warning("Only the next start heeds what changed in %s.", ", ".join(self.at_restart))

    @property
    def at_restart(self) -> list[str]:
        """Keys of the configuration in force that have no effect before the next start."""
        return at_restart(self._started_with, self.config)

    async def find_addresses(self) -> None:
        """Look up once more the names that had no address. Raises IntakeFullError, UsageError."""
        async with self._taking_over:
            config = await with_addresses(self.config)
            if config is not self.config:
                await self._take_over(config)

    async def _take_over(self, config: Config) -> None:
        if not self.running:
            raise UsageError("the collector is stopping")
        wanted = wanted_from(config)
        await self._load_schemas(config)
        self.intake.note(RecordKind.CONFIG, self._config_record(config))
        self.config = config
        allow_open_files(config)
        for receiver in self.receivers:
            getattr(receiver, "reload_certificates", lambda: None)()
            if hasattr(receiver, "use_quirks"):
                receiver.use_quirks(wire_quirks(config), strict_sources(config))
        await self.manager.apply(*wanted)

    # ------------------------------------------------------------------ stop
    async def stop(self) -> None:
        """Flush and close; the journal says that we stopped listening."""
        self.running = False
        endings, self._endings = self._endings, AsyncExitStack()
        await endings.aclose()

    def _at_the_end(self, end: Callable[[], Awaitable[None] | None]) -> None:
        """Register how to end what was just begun; a failure is said and ends nothing else."""

        async def ending() -> None:
            try:
                waiting = end()
                if waiting is not None:
                    await waiting
            except Exception:
                log.exception("A part of the collector could not be ended in good order.")

        self._endings.push_async_callback(ending)

    async def _stop_subscriptions(self) -> None:
        """Without room no request can be journalled, so none is sent. The disk may be found full,
        or have room again, only while we stop: it is looked at all the time."""
        await self.manager.stop(hopeless=lambda: self.intake.full_since is not None)

    def _note_stop(self) -> None:
        try:
            self.intake.note(RecordKind.COLLECTOR_STOP)
        except IntakeFullError as error:
            log.error("The stop is not in the journal: %s", error)

    async def _stop_faces(self) -> None:
        """After the last facts, so that followers get them; while the lock is held, so that the
        socket that goes is ours."""
        if self.control is not None:
            await self.control.stop()
        if self.metrics is not None:
            await self.metrics.stop()

    async def _close_store(self) -> None:
        """The last segment is sealed first, so that its rows are stored too."""
        self.journal.seal()
        await asyncio.to_thread(self.store.close)


def _end_sink(sink: Sink) -> None:
    sink.flush()
    sink.stop()
