"""From the subscriptions that are wanted to those that are: one ``DeviceRunner`` for each device.

What it does: starts, changes and stops runners as the configuration says, picks the implementation
of the session, says how everything stands. What it does not: judge anything; whoever wants to know
what happened reads the journal records that the runners write.
"""

from __future__ import annotations

import asyncio
import logging
import random as standard_random
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from functools import partial
from typing import TYPE_CHECKING

from msgspec.structs import replace

from collector.config import SessionsSettings
from collector.errors import ConfigError, UsageError
from collector.interfaces import Clock, Intake
from collector.metrics import Counters
from collector.model import SECOND
from collector.subscriber.backoff import BackoffSettings
from collector.subscriber.device.runner import DeviceRunner
from collector.subscriber.dynamic.resyncing import Resynced
from collector.subscriber.sessions.gate import Gate
from collector.subscriber.sessions.session import Deliver, NetconfSession, SessionSettings
from collector.subscriber.sessions.unfinished import Budget
from collector.subscriber.states import DeviceState
from collector.subscriber.wanted import DeviceAccess, WantedSubscription, by_device
from collector.wire.netconf.rpc import SubscriptionState as Entry

if TYPE_CHECKING:
    from collector.subscriber.call_home.listener import CallHome  # loads asyncssh

log = logging.getLogger("collector.subscriber")

SessionFactory = Callable[[SessionSettings, Deliver, Clock], NetconfSession]

CALLED_BACKOFF = 5 * SECOND
"""Longest wait for a device that calls: it decides when, and its calls are not taken meanwhile."""
STOP_SECONDS = 15.0
"""How long ``stop`` waits for the devices before it cuts the sessions (ours)."""
STOP_SECONDS_WHEN_HOPELESS = 2.0
"""The same once requests can no longer be sent."""
_LOOK_SECONDS = 0.25


def session_factory(
    kind: str, *, calls: CallHome | None = None, budget: Budget | None = None
) -> SessionFactory:
    """The session implementation of that name; loaded only now.

    Args:
        kind: ``asyncssh``, ``ncclient``, or ``called`` for a device that calls home.
        calls: takes the calls; needed for ``called``.
        budget: of the unfinished messages of all sessions; ncclient knows none.

    Raises:
        ConfigError: no such implementation.
    """
    if kind == "called" and calls is not None:
        from collector.subscriber.call_home.called_session import CalledSession

        return partial(CalledSession, calls=calls, budget=budget)
    if kind == "asyncssh":
        from collector.subscriber.sessions.asyncssh_session import AsyncsshSession

        return partial(AsyncsshSession, budget=budget)
    if kind == "ncclient":
        from collector.subscriber.sessions.ncclient_session import NcclientSession

        return NcclientSession
    raise ConfigError(
        f"there is no session {kind}", key="device.netconf.session", allowed="asyncssh, ncclient"
    )


class SubscriptionManager:
    """All devices that are subscribed to."""

    def __init__(
        self,
        intake: Intake,
        clock: Clock,
        *,
        random: Callable[[], float] = standard_random.random,
        backoff: BackoffSettings | None = None,
        factory: Callable[[str], SessionFactory] | None = None,
        sessions: SessionsSettings | None = None,
        calls: CallHome | None = None,
        counters: Counters | None = None,
    ) -> None:
        """Prepare; nothing is connected yet.

        Args:
            intake: takes every journal record.
            clock: the collector's.
            random: [0, 1), for the jitter of the back-off.
            backoff: waits between tries; None: the default ones.
            factory: name of a session implementation -> the implementation.
            sessions: what all sessions may take together; None: the defaults.
            calls: takes the calls of devices that call home; started and stopped elsewhere.
            counters: where failures are counted.
        """
        self._intake = intake
        self._clock = clock
        self._random = random
        self._backoff = backoff or BackoffSettings()
        sessions = sessions or SessionsSettings()
        budget = Budget(sessions.max_unfinished_bytes)
        self._factory = factory or partial(session_factory, calls=calls, budget=budget)
        self.calls = calls
        self._gate = Gate(sessions.max_connecting, sessions.connects_per_second)
        self._counters = counters or Counters()
        self._runners: dict[str, DeviceRunner] = {}
        """device -> its runner."""
        self._tasks: dict[str, asyncio.Task[None]] = {}
        """device -> the task of its runner."""

    async def apply(
        self, devices: Iterable[DeviceAccess], wanted: Iterable[WantedSubscription]
    ) -> None:
        """Make this what is wanted: at the start, and whenever the configuration changed.

        Runners of devices that are gone, or that are reached in another way now, are stopped
        first. Returns without waiting for any device to answer.

        Raises:
            ConfigError: a session implementation that does not exist; nothing was changed.
        """
        there = {device.name: device for device in devices}
        factories = {name: self._factory(device.session) for name, device in there.items()}
        gone = [n for n, runner in self._runners.items() if there.get(n) != runner.access]
        await self._stop(gone)
        if self.calls is not None:
            self.calls.expect({n: d.settings for n, d in there.items() if d.settings.calls_home})
        table = by_device(wanted)
        for name, device in there.items():
            if name not in self._runners:
                self._start(device, factories[name])
            self._runners[name].want(table.get(name, {}))

    def states(self) -> tuple[DeviceState, ...]:
        """How everything stands, by device."""
        return tuple(self._runners[name].state() for name in sorted(self._runners))

    def subscription_ended(self, device: str, subscription_id: int, reason: str) -> None:
        """The reader of the journal says that the device ended a subscription.

        It is established anew, unless its own session has said so before.
        """
        runner = self._runners.get(device)
        if runner is not None:
            runner.subscription_ended(subscription_id, reason)

    def subscription_paused(
        self, device: str, subscription_id: int, suspended: bool, reason: str
    ) -> None:
        """The same reader says that the device suspended a subscription, or resumed it."""
        runner = self._runners.get(device)
        if runner is not None:
            runner.subscription_paused(subscription_id, suspended, reason)

    def resync_soon(self, device: str, subscription_id: int, reason: str) -> bool:
        """The same reader says that something of an on-change subscription was lost.

        It is asked for as a whole once more, at a bounded pace however often this is called.

        Returns:
            False where that is no use: not ours, not on-change, or the device cannot.
        """
        runner = self._runners.get(device)
        return runner is not None and runner.resync_soon(subscription_id, reason)

    def sessions_up(self) -> list[str]:
        """Devices with a session."""
        return [name for name, runner in self._runners.items() if runner.is_up]

    async def look(self, device: str) -> tuple[Entry, ...] | None:
        """A device's view of the subscriptions, which is in the journal, too; None: no answer."""
        runner = self._runners.get(device)
        return None if runner is None else await runner.look()

    async def resync(self, device: str, name: str = "") -> list[Resynced]:
        """Everything once more, because a person said so.

        Args:
            device: its name.
            name: of the subscription; empty: each that is on-change.

        Raises:
            UsageError: there is no such device, subscription or session.
            SessionError: the session ended meanwhile.
        """
        return await self.runner_of(device).resync(name)

    def runner_of(self, device: str) -> DeviceRunner:
        """Who has the session with a device. Raises UsageError."""
        runner = self._runners.get(device)
        if runner is None:
            raise UsageError(f"there is no device {device} with a [device.netconf]")
        return runner

    async def stop(self, hopeless: Callable[[], bool] = lambda: False) -> None:
        """Delete the subscriptions and close the sessions. May be called twice, or at once.

        Args:
            hopeless: asked now and then whether requests can no longer be sent; then the sessions
                are cut ``STOP_SECONDS_WHEN_HOPELESS`` later, unless it changes its mind.
        """
        await self._stop(list(self._runners), hopeless)

    # ------------------------------------------------------------------ inside
    def _start(self, device: DeviceAccess, factory: SessionFactory) -> None:
        called = device.settings.calls_home
        limit = min(self._backoff.limit, CALLED_BACKOFF)
        runner = DeviceRunner(
            device,
            self._intake,
            self._clock,
            lambda deliver: factory(device.settings, deliver, self._clock),
            random=self._random,
            backoff=replace(self._backoff, limit=limit) if called else self._backoff,
            connecting=nullcontext() if called else self._gate,
            devices=lambda: len(self._runners),
            counters=self._counters,
        )
        self._runners[device.name] = runner
        self._tasks[device.name] = asyncio.create_task(runner.run(), name=f"device {device.name}")

    async def _stop(self, names: list[str], hopeless: Callable[[], bool] = lambda: False) -> None:
        tasks = {self._tasks.pop(name): self._runners.pop(name) for name in names}
        for runner in tasks.values():
            runner.stop_soon()
        for task in await _late(tasks, hopeless):
            task.cancel()
            log.warning(
                "Device %s did not end its session in time; it was cut.", tasks[task].access.name
            )
        await asyncio.gather(*tasks, return_exceptions=True)


async def _late(
    tasks: Iterable[asyncio.Task[None]], hopeless: Callable[[], bool]
) -> set[asyncio.Task[None]]:
    """Wait for them; those that are not done when their time is over."""
    now = asyncio.get_running_loop().time
    late, end = set(tasks), now() + STOP_SECONDS
    hoped = now()
    while late and now() < end:
        if not hopeless():
            hoped = now()
        elif now() >= hoped + STOP_SECONDS_WHEN_HOPELESS:
            break
        _, late = await asyncio.wait(late, timeout=_LOOK_SECONDS)
    return late
