"""What the running collector knows of its configured subscriptions: what devices announce of them,
and what they show when ``/subscriptions`` is looked at.

Does: keep ``ConfiguredStates`` up to date, log what is news, once, and say what is lost beyond
doubt and what is there again. Does not: ask, or put back what was lost (``putting_back``).

Rules: lost is what the device said that it ended, or what ``TWICE`` looks running missed and what
nothing came of since: a device may hide it from our user. There again is what it says, or shows,
that it has. What was lost already when the collector starts is said then.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence

from collector.config import Config
from collector.core.settings import ANY_DEVICE
from collector.core.views import OriginatorState
from collector.interfaces import Said
from collector.model import SECOND, CollectorTime, Event
from collector.pipeline.settings import engine_settings
from collector.subscriber.configured.states import (
    GONE,
    STRAGGLES,
    TWICE,
    ConfiguredPhase,
    ConfiguredState,
    ConfiguredStates,
)
from collector.subscriber.saying import Saying
from collector.views.text import clean, day_and_clock
from collector.wire.netconf.rpc import SubscriptionState

log = logging.getLogger("collector.subscriber")

CALM = 600 * SECOND
"""So long after a loss was said the device's word alone is not enough for another one (ours): it
may end and begin it all the time."""
_THERE = frozenset((ConfiguredPhase.ACTIVE, ConfiguredPhase.SUSPENDED, ConfiguredPhase.CONNECTING))

Ids = dict[str, dict[str, tuple[int, ...]]]
"""device -> name of a configured subscription -> ids that it may have there, likely ones first."""


def configured_ids(config: Config) -> Ids:
    """What is wanted, on each device."""
    taken: dict[tuple[str, str], list[int]] = {}
    for (where, number), told in engine_settings(config).known.items():
        taken.setdefault((where, told.name), []).append(number)
    found: Ids = {}
    for one in config.subscriptions:
        if one.configured_id is None:
            continue
        for device in config.devices:
            if "*" in one.devices or device.name in one.devices:
                others = [
                    *taken.get((device.name, one.name), ()), *taken.get((ANY_DEVICE, one.name), ()),
                ]  # fmt: skip
                ids = dict.fromkeys([n for n in others if n != one.configured_id])
                found.setdefault(device.name, {})[one.name] = (*ids, one.configured_id)
    return found


class ConfiguredWatch:
    """Meets ``interfaces.Sink``."""

    name = "configured-watch"

    def __init__(
        self,
        config: Callable[[], Config],
        say: Callable[[Event], None],
        heard: Callable[[str], Iterable[OriginatorState]],
    ) -> None:
        """Args:
        config: as it is now.
        say: is told of losses (``configured_lost``) and their ends (``configured_back``).
        heard: device -> its generators that are followed.
        """
        self.states = ConfiguredStates()
        self._config = config
        self._say = say
        self._heard = heard
        self._lost: set[tuple[str, str]] = set()
        """(device, name) of those whose loss was said, and not its end."""
        self._told: dict[tuple[str, str], int] = {}
        """When a loss was last said of it, ns."""
        self._sayings: dict[str, Saying] = {}
        self._read: Config | None = None
        """What ``_ids`` are of."""
        self._ids: Ids = {}

    @property
    def ids(self) -> Ids:
        """What is wanted now."""
        config = self._config()
        if config is not self._read:
            self._read, self._ids = config, configured_ids(config)
            wanted = {(device, name) for device, of in self._ids.items() for name in of}
            self.states.keep(wanted)
            self._lost &= wanted
            self._told = {key: at for key, at in self._told.items() if key in wanted}
            self._sayings = {name: Saying() for name in self._ids}
        return self._ids

    # ------------------------------------------------------------------ Sink
    def start(self) -> None:
        """Nothing to open."""

    def write(self, said: Said) -> None:
        """Look for beginnings, suspensions and ends."""
        for row in said.subscriptions:
            if row.id in self.ids.get(row.device, {}).get(row.name, ()):
                if self.states.told(row.device, row.name, row.state, row.reason, row.time):
                    self._log(row.device, row.name, row.time)
                self._judge(row.device, row.name, row.time)

    def flush(self) -> None:
        """Nothing waits."""

    def stop(self) -> None:
        """Nothing to close."""

    # ------------------------------------------------------------------ looks
    def looked(self, device: str, entries: Sequence[SubscriptionState], now: int) -> None:
        """A device has shown its subscriptions."""
        wanted = self.ids.get(device)
        if wanted:
            for name in self.states.looked(device, wanted, entries, now):
                self._log(device, name, now)
            for name in wanted:
                self._judge(device, name, now)

    def _judge(self, device: str, name: str, now: int) -> None:
        """Say a loss, and its end."""
        one, key = self.states.of(device, name), (device, name)
        if key not in self._lost:
            if self._is_lost(device, name, one, now):
                self._lost.add(key)
                self._told[key] = now
                what = "has lost" if one.told else "does not show"
                text = (
                    f"{device} {what} the configured subscription {name} since"
                    f" {day_and_clock(one.since)}: {clean(one.reason)}."
                )
                self._say(Event(CollectorTime(now), device, name, "configured_lost", text))
        elif one.phase in _THERE and not one.told:  # else it may be what was on its way at its end
            self._lost.discard(key)
            text = f"{device} has the configured subscription {name} again."
            self._say(Event(CollectorTime(now), device, name, "configured_back", text))

    def _is_lost(self, device: str, name: str, one: ConfiguredState, now: int) -> bool:
        if one.phase is ConfiguredPhase.TERMINATED:
            return now - self._told.get((device, name), -CALM) >= CALM
        if one.missed < TWICE or one.told:
            return one.missed >= TWICE
        periods = (s.period for s in self._config().subscriptions if s.name == name)
        period = next(periods, None) or 0
        late = one.since + STRAGGLES + 2 * period  # by then what was on its way is here
        if now <= late + period:
            return False
        of = (o for o in self._heard(device) if o.subscription_name == name)
        return not any((o.last_arrival or 0) > late for o in of)

    def _log(self, device: str, name: str, now: int) -> None:
        one, saying = self.states.of(device, name), self._sayings[device]
        if not saying.may(now):
            if saying.falls_silent:
                log.warning("Device %s ends and begins subscriptions all the time.", device)
            return
        if one.phase in GONE:
            log.warning(
                "Device %s has lost the configured subscription %s: %s.", device, name, one.reason
            )
        elif one.phase is ConfiguredPhase.ACTIVE:
            log.info("The configured subscription %s of device %s is active.", name, device)
        else:
            why = f": {one.reason}" if one.reason else ""
            log.warning(
                "The configured subscription %s of device %s is %s%s.", name, device, one.phase, why
            )
