"""What the running collector knows of its configured subscriptions: what devices announce of them,
and what they show when ``/subscriptions`` is looked at.

Does: keep ``ConfiguredStates`` up to date, and log what is news, once. Does not: ask, or put back
what was lost (``putting_back``).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from collector.config import Config
from collector.core.settings import ANY_DEVICE
from collector.interfaces import Said
from collector.pipeline.settings import engine_settings
from collector.subscriber.configured.states import GONE, ConfiguredPhase, ConfiguredStates
from collector.wire.netconf.rpc import SubscriptionState

log = logging.getLogger("collector.subscriber")

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

    def __init__(self, config: Callable[[], Config]) -> None:
        """``config``: as it is now."""
        self.states = ConfiguredStates()
        self._config = config
        self._read: Config | None = None
        """What ``_ids`` are of."""
        self._ids: Ids = {}

    @property
    def ids(self) -> Ids:
        """What is wanted now."""
        config = self._config()
        if config is not self._read:
            self._read, self._ids = config, configured_ids(config)
            self.states.keep({(device, name) for device, of in self._ids.items() for name in of})
        return self._ids

    # ------------------------------------------------------------------ Sink
    def start(self) -> None:
        """Nothing to open."""

    def write(self, said: Said) -> None:
        """Look for beginnings, suspensions and ends."""
        for row in said.subscriptions:
            if row.id in self.ids.get(row.device, {}).get(row.name, ()) and self.states.told(
                row.device, row.name, row.state, row.reason, row.time
            ):
                self._log(row.device, row.name)

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
                self._log(device, name)

    def _log(self, device: str, name: str) -> None:
        one = self.states.of(device, name)
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
