"""One device: a session kept up, and on it every subscription that is wanted.

What it does: connect, again with back-off after a loss, and carry requests and what arrives into
the journal. What it does not: decide on requests (``dynamic``), judge data, know other
devices (``manager``), speak SSH (``sessions``).

Rules: one task; a wrong host key or password is not tried again before something else is wanted;
every change of state is logged once, in a sentence without secrets.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

from msgspec.structs import replace

from collector.errors import ConfigError, IntakeFullError, SessionError, UsageError
from collector.interfaces import Clock, Intake
from collector.metrics import Counters
from collector.model import SECOND, CollectorTime, RecordKind
from collector.subscriber.abilities.knowledge import Knowledge
from collector.subscriber.backoff import Backoff, BackoffSettings
from collector.subscriber.device.cross_check import Looker
from collector.subscriber.device.standing import Standing
from collector.subscriber.dynamic.announcements import announcements_in
from collector.subscriber.dynamic.resyncing import Resynced
from collector.subscriber.dynamic.subscriptions import Subscriptions
from collector.subscriber.exchanges.records import Recorder
from collector.subscriber.exchanges.requests import Requests
from collector.subscriber.sessions.pace import Pace
from collector.subscriber.sessions.session import Arrived, Deliver, NetconfSession
from collector.subscriber.states import DevicePhase, DeviceState
from collector.subscriber.wanted import DeviceAccess, WantedSubscription
from collector.wire.netconf.rpc import (
    EstablishSubscription,
    ModifySubscription,
    Operation,
    RpcReply,
    SubscriptionState,
)

log = logging.getLogger("collector.subscriber")

MakeSession = Callable[[Deliver], NetconfSession]
"""A new session with the device, not yet open."""


class DeviceRunner:
    """Everything that one device is wanted for; ``run()`` is its only task."""

    def __init__(
        self,
        access: DeviceAccess,
        intake: Intake,
        clock: Clock,
        make_session: MakeSession,
        *,
        random: Callable[[], float],
        backoff: BackoffSettings,
        connecting: AbstractAsyncContextManager[Any],
        devices: Callable[[], int],
        counters: Counters,
    ) -> None:
        self.access = access
        self._clock = clock
        self._make_session = make_session
        self._backoff = Backoff(backoff, random)
        self._connecting = connecting
        self._recorder = Recorder(access.name, intake, clock)
        self._pace = Pace(intake)
        self._wanted: Mapping[str, WantedSubscription] = {}
        self._requests = Requests(access.name, self._recorder, counters)
        self._knowledge = Knowledge(access.name, self._call)
        self._looker = Looker(access.name, self._ask, counters)
        self._subscriptions = Subscriptions(
            access.name, self._call, clock, random=random, backoff=backoff, devices=devices
        )
        self._counters = counters
        self._session: NetconfSession | None = None
        self._recording = False
        """True while SESSION_UP is the last word about ``_session`` in the journal."""
        self._opening: asyncio.Future[None] | None = None
        self._news = asyncio.Event()
        """Something else is wanted since the last look."""
        self._wake = asyncio.Event()
        """Whatever ``_serve`` has to look at, news included."""
        self._stopping = False
        self._borrowers = 0
        """Commands that need the session, or wait for one."""
        self._standing = Standing(access, clock)

    # ------------------------------------------------------------------ from outside
    def want(self, wanted: Mapping[str, WantedSubscription]) -> None:
        """From now on this, by name; a device that refused us is tried again."""
        self._wanted = dict(wanted)
        self._news.set()
        self._wake.set()

    def stop_soon(self) -> None:
        """Delete the subscriptions, close the session, end ``run()``."""
        self._stopping = True
        self._news.set()
        self._wake.set()
        if self._opening is not None:
            self._opening.cancel()

    def subscription_ended(self, subscription_id: int, reason: str) -> None:
        """The reader of the journal says that the publisher ended a subscription."""
        self._subscriptions.ended_elsewhere(subscription_id, reason)
        self._wake.set()

    def subscription_paused(self, subscription_id: int, suspended: bool, reason: str) -> None:
        """The same reader says that the publisher suspended it, or resumed it."""
        self._subscriptions.paused_elsewhere(subscription_id, suspended, reason)
        self._wake.set()

    def resync_soon(self, subscription_id: int, reason: str) -> bool:
        """Something of it was lost: see ``Subscriptions.resync_soon``."""
        wanted = self._subscriptions.resync_soon(subscription_id, reason)
        self._wake.set()
        return wanted

    async def resync(self, name: str = "") -> list[Resynced]:
        """Everything once more of that subscription, or of each that is on-change.

        Raises:
            UsageError: there is no session, or nothing of that name.
            SessionError: the session ended meanwhile.
        """
        if name and name not in self._wanted:
            raise UsageError(f"of {self.access.name} no subscription {name} is wanted")
        if not self.is_up:
            at = self._standing
            why = f"{at.phase}: {at.reason}" if at.reason else str(at.phase)
            raise UsageError(f"there is no session with {self.access.name} ({why})")
        on_change = [n for n, one in self._wanted.items() if one.terms.on_change is not None]
        if not name and not on_change:
            raise UsageError(f"of {self.access.name} no on-change subscription is wanted")
        return await self._subscriptions.resync([name] if name else on_change)

    @property
    def is_up(self) -> bool:
        """There is a session."""
        return self._standing.phase is DevicePhase.UP

    @property
    def session(self) -> NetconfSession | None:
        """The session while there is one."""
        return self._session if self.is_up else None

    @property
    def hopeless(self) -> str:
        """Why there will be no session before something else is wanted; empty: there may."""
        at = self._standing
        return at.reason if at.phase is DevicePhase.REFUSED else ""

    def borrowed(self, by: int) -> None:
        """So many commands more, or less, have something to ask in the session."""
        self._borrowers += by
        if by > 0:  # whoever gives back must not cut short the wait after a failure
            self._news.set()
        self._wake.set()

    async def look(self) -> tuple[SubscriptionState, ...] | None:
        """The device's view of the subscriptions; None: there is no session, or no answer."""
        return await self._looker.look()

    def state(self) -> DeviceState:
        """For a status view."""
        return self._standing.state(
            self._session, self._knowledge.noted(self._subscriptions.states())
        )

    # ------------------------------------------------------------------ sessions
    async def run(self) -> None:
        """Until ``stop_soon``."""
        while not self._stopping:
            self._news.clear()
            if not self._is_needed:
                self._subscriptions.forget()
                self._standing.now(DevicePhase.IDLE)
                await self._news.wait()
                continue
            failure = await self._one_session()
            if failure is not None and not self._stopping:
                await _wait(self._news, self._failed(failure))
        self._standing.now(DevicePhase.STOPPED)

    @property
    def _is_needed(self) -> bool:
        """Is a session wanted at all?"""
        return bool(self._wanted) or self.access.looked_at or self._borrowers > 0

    async def _one_session(self) -> SessionError | ConfigError | None:
        """A session from its beginning to its end; returns why it failed, None: not needed."""
        try:
            session = await self._open()
        except (SessionError, ConfigError) as error:
            self._session = None
            return error
        opened = self._clock.now()
        failure: SessionError | None = None
        try:
            await self._recorder.session(RecordKind.SESSION_UP, session)
            self._recording = True
            self._looker.session_is_new()
            self._standing.now(DevicePhase.UP, session=session)
            await self._serve(session)
        except SessionError as error:
            failure = error
        except Exception as error:  # a fault of ours must not end the device
            log.exception("A fault in the session with device %s.", self.access.name)
            failure = SessionError(f"internal fault: {type(error).__name__}", reason="internal")
        finally:
            await session.close()
            self._pace.stop()
            self._count_dropped(session)
        await self._down(session, failure)
        self._backoff.lived(self._clock.now() - opened)
        return failure

    async def _open(self) -> NetconfSession:
        called = self.access.settings.calls_home
        self._standing.now(DevicePhase.AWAITED if called else DevicePhase.CONNECTING)
        async with self._connecting:
            self._session = session = self._make_session(self._deliver)
            self._opening = opening = asyncio.ensure_future(session.open())
            try:
                await asyncio.wait([opening])
            finally:
                self._opening = None
                if not opening.done():
                    opening.cancel()
                    await asyncio.wait([opening])
        if opening.cancelled():  # by ``stop_soon``
            raise SessionError("stopped while connecting", reason="closed")
        opening.result()
        session.closed.add_done_callback(lambda _: self._wake.set())
        return session

    async def _down(self, session: NetconfSession, failure: SessionError | None) -> None:
        self._recording = False
        self._subscriptions.lost()
        self._requests.forget()
        reason = "closed" if failure is None else failure.reason
        await self._recorder.session(RecordKind.SESSION_DOWN, session, reason)
        self._session = None

    def _count_dropped(self, session: NetconfSession) -> None:
        if session.stray:
            self._counters.requests_refused.add((self.access.name, "stray-reply"), session.stray)
        if session.dropped:
            self._counters.queue_dropped.add(("sessions",), session.dropped)
            log.warning(
                "%d messages of device %s are lost: its session ended while nothing was taken.",
                session.dropped,
                self.access.name,
            )

    def _failed(self, error: SessionError | ConfigError) -> int | None:
        """ns to wait before the next try; None: until something else is wanted."""
        reason = error.reason if isinstance(error, SessionError) else "config"
        self._counters.session_failures.add((self.access.name, reason))
        self._standing.last_failure = str(error)
        if isinstance(error, SessionError) and error.retryable:
            wait = self._backoff.next()
            self._standing.now(DevicePhase.WAITING, str(error), wait=wait)
            return wait
        self._standing.now(DevicePhase.REFUSED, str(error))
        return None

    async def _serve(self, session: NetconfSession) -> None:
        """While the session lives and is needed. Raises SessionError at its end."""
        while True:
            self._wake.clear()
            self._news.clear()  # heeded here; else a lost session would be opened without a wait
            if self._stopping:
                await self._subscriptions.delete_all()
                return
            await self._knowledge.look(
                session.capabilities, [one.terms for one in self._wanted.values()]
            )
            await self._subscriptions.reconcile(self._wanted)
            if session.closed.done():
                raise session.closed.result()
            if not self._is_needed and not len(self._subscriptions):
                return
            await _wait(self._wake, self._subscriptions.until_due())

    # ------------------------------------------------------------------ messages
    async def _call(self, subscription: str, operation: Operation) -> RpcReply:
        session = self._session
        assert session is not None, "subscriptions are only touched while a session is up"
        if isinstance(operation, EstablishSubscription):
            self._knowledge.warn(subscription, operation.terms)
        if isinstance(operation, EstablishSubscription | ModifySubscription):
            operation = replace(operation, terms=self._knowledge.resolved(operation.terms))
        return await self._requests.call(session, subscription, operation)

    async def _ask(self, subject: str, operation: Operation) -> RpcReply:
        """A request that nothing depends on."""
        session = self._session
        if session is None or not self._recording:
            raise SessionError("there is no session", reason="closed")
        return await self._requests.call(session, subject, operation)

    def _deliver(self, now: CollectorTime, messages: Sequence[Arrived]) -> None:
        """What the session hands over. Raises IntakeFullError."""
        session = self._session
        if session is None or not self._recording:
            raise IntakeFullError("the start of the session is not yet in the journal")
        self._pace.check()
        offset = self._recorder.arrived(session, now, messages, self._requests.waiting)
        self._pace.took(offset, sum(len(message.payload) for message in messages))
        for message in messages:
            if message.root != "rpc-reply":
                for told in announcements_in(message.payload):
                    self._subscriptions.told(told)
                    self._wake.set()


async def _wait(event: asyncio.Event, limit: int | None) -> None:
    """Until the event or ``limit`` ns are over."""
    try:
        async with asyncio.timeout(None if limit is None else limit / SECOND):
            await event.wait()
    except TimeoutError:
        pass
