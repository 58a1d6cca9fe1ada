"""Configured subscriptions as their devices have them: state, reason, since when.

Does: put together what a device announces (RFC 8639 §2.7) and what it shows in ``/subscriptions``
(§2.8). Does not: ask, know what arrives, change anything on a device. Pure, times are handed in.

Rules: the newest word counts; what a device does not show it does not have, or does not show to our
user: which of the two, only its configuration says, so that is what the sentence says. A loss is
established when ``TWICE`` looks running found it, for a device may be about to say more.
"""

from __future__ import annotations

import enum
from collections.abc import Collection, Iterable, Mapping

from msgspec import Struct
from msgspec.structs import replace

from collector.model import SECOND, NotificationKind
from collector.wire.netconf.rpc import SubscriptionState

TWICE = 2
"""Looks running that have to miss it (ours)."""
STRAGGLES = 10 * SECOND
"""How long after its end something of it may still come (ours)."""


class ConfiguredPhase(enum.StrEnum):
    """Where a configured subscription stands; words of RFC 8639 §2.5.1 where it has one."""

    UNKNOWN = "unknown"
    """Nobody said anything, and nothing was looked at."""
    ACTIVE = "active"
    CONNECTING = "connecting"
    """The device cannot reach its receiver; also when it has given up (disconnected)."""
    SUSPENDED = "suspended"
    INVALID = "invalid"
    """The device has it and cannot do it."""
    CONCLUDED = "concluded"
    """Its stop-time has passed."""
    TERMINATED = "terminated"
    """The device said that it ended it (RFC 8639 §2.7.3)."""
    ABSENT = "absent"
    """The device does not show it: removed, or not in what it started with."""


GONE = frozenset((ConfiguredPhase.TERMINATED, ConfiguredPhase.ABSENT))
_ABSENT = "the device does not show it in /subscriptions"
_NOTHING = "/subscriptions of the device is empty, or hidden from our user"
_NO_REASON = "it does not say why"
_STOPPED = "its stop-time has passed"
_OURS = frozenset(
    (
        "collector-down", "stopped", "not-configured", "replaced", "forgotten", "session-lost",
        "deleted",
    )
)  # fmt: skip
"""Reasons of ends that are no word of the device."""
_CONCLUDED = frozenset(("stop-time", NotificationKind.SUBSCRIPTION_COMPLETED))
"""Reasons of ends that nobody has to mend."""
_IDLE = {"suspended": ConfiguredPhase.SUSPENDED, "connecting": ConfiguredPhase.CONNECTING,
         "disconnected": ConfiguredPhase.CONNECTING}  # fmt: skip


class ConfiguredState(Struct, frozen=True):
    """One configured subscription on one device."""

    phase: ConfiguredPhase = ConfiguredPhase.UNKNOWN
    since: int = 0
    """When ``phase`` began or was first seen, ns of the collector's clock; 0: never."""
    reason: str = ""
    """A clause; empty where there is nothing to explain."""
    missed: int = 0
    """Looks running that did not find it."""
    told: str = ""
    """Of one that is gone: how the device said so, a clause; empty: it did not."""


class ConfiguredStates:
    """Of all devices."""

    def __init__(self) -> None:
        self._of: dict[tuple[str, str], ConfiguredState] = {}
        """(device, name of the subscription); only of those that are wanted."""

    def of(self, device: str, name: str) -> ConfiguredState:
        """How it stands."""
        return self._of.get((device, name), ConfiguredState())

    def keep(self, wanted: Collection[tuple[str, str]]) -> None:
        """Forget all others."""
        self._of = {key: one for key, one in self._of.items() if key in wanted}

    def told(self, device: str, name: str, state: str, reason: str, now: int) -> bool:
        """The device announced it; ``state`` as in the rows. Returns whether that is news,
        which that it is active is only after something else."""
        if state == "ended" and reason in _OURS:
            return False
        if state == "active":
            # after an end it may be what a line card still had to send: the word is kept for a look
            before = self.of(device, name)
            word = before.told if now - before.since <= STRAGGLES else ""
            return self._enter(device, name, ConfiguredPhase.ACTIVE, "", now, told=word)
        if state == "suspended":
            return self._enter(device, name, ConfiguredPhase.SUSPENDED, reason, now)
        if reason in _CONCLUDED:
            return self._enter(device, name, ConfiguredPhase.CONCLUDED, _STOPPED, now)
        before, told = self.of(device, name), f"the device ended it: {reason or _NO_REASON}"
        if before.phase is ConfiguredPhase.ABSENT:  # a look was faster
            self._of[device, name] = replace(before, reason=f"{told}; {before.reason}", told=told)
            return False
        return self._enter(device, name, ConfiguredPhase.TERMINATED, told, now, told=told)

    def looked(
        self,
        device: str,
        wanted: Mapping[str, Collection[int]],
        entries: Iterable[SubscriptionState],
        now: int,
    ) -> list[str]:
        """What a device shows; names of those whose state is news.

        Args:
            device: its name.
            wanted: name of each that it should have -> ids that it may have there.
            entries: of ``/subscriptions``.
            now: ns.
        """
        shown = {entry.id: entry for entry in entries}
        return [
            name
            for name, ids in wanted.items()
            if self._look(device, name, next((shown[i] for i in ids if i in shown), None),
                          now, anything=bool(shown))
        ]  # fmt: skip

    def _look(
        self, device: str, name: str, entry: SubscriptionState | None, now: int, *, anything: bool
    ) -> bool:
        before = self.of(device, name)
        if entry is not None:
            phase, why = _shown(entry)
            if before.phase is ConfiguredPhase.TERMINATED and phase is ConfiguredPhase.ACTIVE:
                return False  # for others perhaps: to us it would have said subscription-started
            if phase is before.phase:
                why = before.reason or why  # the device itself may have said more
            return self._enter(device, name, phase, why, now)
        why = "; ".join(one for one in (before.told, _ABSENT if anything else _NOTHING) if one)
        return self._enter(
            device, name, ConfiguredPhase.ABSENT, why, now, before.missed + 1, before.told
        )

    def put_back(self, device: str, name: str, now: int) -> None:
        """It was configured once more; whether it is there the next look says."""
        why = "configured once more, since the device had lost it"
        self._enter(device, name, ConfiguredPhase.UNKNOWN, why, now)

    def lost(self, device: str) -> list[str]:
        """What the device has lost beyond doubt."""
        return [
            name
            for (where, name), one in self._of.items()
            if where == device and one.missed >= TWICE
        ]

    def _enter(
        self,
        device: str,
        name: str,
        phase: ConfiguredPhase,
        reason: str,
        now: int,
        missed: int = 0,
        told: str = "",
    ) -> bool:
        before = self.of(device, name)
        is_other = phase is not before.phase
        # a loss began when the device said so, not when somebody looked
        lasts = not is_other or (before.phase in GONE and phase in GONE)
        since = before.since if lasts and before.since else now
        self._of[device, name] = ConfiguredState(phase, since, reason, missed, told)
        begins = (before.phase, phase) == (ConfiguredPhase.UNKNOWN, ConfiguredPhase.ACTIVE)
        return is_other and not begins


def _shown(entry: SubscriptionState) -> tuple[ConfiguredPhase, str]:
    """What an entry of ``/subscriptions`` says."""
    if entry.configured_state == "invalid":
        return ConfiguredPhase.INVALID, "the device has it and says that it cannot be done"
    if entry.configured_state == "concluded":
        return ConfiguredPhase.CONCLUDED, _STOPPED
    states = [one.state for one in entry.receivers]
    idle = [state for state in states if state in _IDLE]
    if not idle or len(idle) < len(states):
        return ConfiguredPhase.ACTIVE, ""
    phase = _IDLE[idle[0] or ""]
    if phase is ConfiguredPhase.SUSPENDED:
        return phase, ""
    return phase, "the device does not reach its receiver"
