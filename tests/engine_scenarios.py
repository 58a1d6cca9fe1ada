"""Random traffic of random devices, with faults, for the laws of the engine."""

from __future__ import annotations

from random import Random
from typing import Any

import msgspec

from collector.core.settings import EngineSettings, KnownSubscription, NamedSubscription
from collector.model import (
    SECOND,
    CollectorDown,
    CollectorStopped,
    CollectorTime,
    Dropped,
    Ended,
    NotificationKind,
    Paused,
    Rejected,
    StateChanged,
    StoodStill,
    SubscriptionTerms,
    Unreassembled,
)
from tests.helpers import DEVICE, SOURCE, changed, established, ns, numbered, tick, update

PERIOD = 10
RENEWED = 10
"""By so much the id of a subscription is larger when it was established again."""
Kind = NotificationKind


class Traffic:
    """One device's inputs, made by a seed."""

    def __init__(self, seed: int, *, device: str = DEVICE, faults: bool = True) -> None:
        self.random = Random(seed)
        self.device = device
        self.faults = faults
        self.cards = [str(card) for card in range(1, self.random.randint(2, 4))]
        self.periods = self.random.randint(4, 14)
        self.shared_header = self.random.random() < 0.4
        self.subscriptions = self.random.choice([[1], [1], [1, 2]])
        self.ids: dict[Any, int] = {}
        self.per_subscription = self.random.random() < 0.5
        self.records: list[Any] = []
        self.counted = Random(f"counted {seed}").choice([*["header"] * 4, "message", "nothing"])
        """Where the ids are: in a transport's header, in the messages, nowhere."""
        self.shared_header &= self.counted == "header"
        renewed = Random(f"renewed {seed}")
        self.renewed_at = renewed.randint(1, self.periods) if renewed.random() < 0.3 else None
        """The period from which on subscriptions go on under other ids."""

    def chance(self, share: float) -> bool:
        return self.faults and self.random.random() < share

    def next_id(self, card: str, subscription: int) -> int:
        key = (
            0 if self.shared_header else card,
            subscription if self.per_subscription else 0,
        )
        if self.chance(0.01):
            self.ids[key] = self.random.getrandbits(32)
        number = self.ids.setdefault(key, self.random.choice([0, 5, 0xFFFFFFFA, 1000]))
        self.ids[key] = (number + 1) & 0xFFFFFFFF
        return number

    def make(self) -> list[Any]:
        """All inputs in order of arrival."""
        random = self.random
        per_period = {card: random.choice([1, 1, 2, 3]) for card in self.cards}
        phase = {card: random.choice([0, 0, 2.5, -1.0]) for card in self.cards}
        plain: list[tuple[float, str, int, int]] = []
        for number in self.subscriptions:
            self._begin(number)
            for index in range(self.periods):
                for card in self.cards:
                    if self.chance(0.04):
                        continue
                    for part in range(per_period[card]):
                        at = index * PERIOD + 1 + phase[card] + 0.1 * part + random.random() / 20
                        plain.append((at, card, number, index))
        for at, card, number, index in sorted(plain):
            renewed = self.renewed_at is not None and index >= self.renewed_at
            self._send(at, card, number + RENEWED if renewed else number)
        if self.renewed_at is not None:
            self._renew(self.renewed_at * PERIOD - 2.0)
        if self.faults:
            self._disturb()
        if self.counted != "header":
            whole = [one for one in self.records if not isinstance(one, Unreassembled)]
            self.records = [self._without_header(one) for one in whole]
        return numbered(self.records)

    def _without_header(self, record: Any) -> Any:
        """The same over a transport that has no ids of its own."""
        if not hasattr(record, "publisher_id"):
            return record
        message_id = record.message_id if self.counted == "message" else None
        if self.counted == "message" and isinstance(record, StateChanged) and self.ids:
            message_id = self.random.choice(list(self.ids.values()))
        return msgspec.structs.replace(record, publisher_id=None, message_id=message_id)

    def _begin(self, number: int) -> None:
        random = self.random
        if random.random() < 0.8:
            listed = tuple(self.cards) if random.random() < 0.7 else None
            self.records.append(
                established(
                    random.choice([-25.0, -2.0, 0.5]), listed, period=PERIOD, subscription=number,
                    name=f"sub{number}", device=self.device,
                )
            )  # fmt: skip

    def _renew(self, at: float) -> None:
        """The session was lost; everything is asked for once more."""
        for number in self.subscriptions:
            self.records.append(Ended(CollectorTime(ns(at)), self.device, number, "session", 0))
            self.records.append(
                established(
                    at + 1, tuple(self.cards), period=PERIOD, subscription=number + RENEWED,
                    name=f"sub{number}", device=self.device,
                )
            )  # fmt: skip

    def _send(self, at: float, card: str, number: int) -> None:
        message_id = self.next_id(card, number)
        header = 7 if self.shared_header else int(card)
        fate = self.random.random() if self.faults else 1.0
        where = (CollectorTime(ns(at)), self.device, SOURCE, 5000, header, message_id)
        if fate < 0.04:
            return
        if fate < 0.06:
            self.records.append(Rejected(*where, "bad-json", 0))
            return
        time = at - 0.05
        if fate < 0.08:
            self.records.append(
                Unreassembled(CollectorTime(ns(at + 0.5)), *where[1:], CollectorTime(ns(at)), 0)
            )
            if self.random.random() < 0.5:
                return
            at += 0.7
        elif fate < 0.11:
            at += self.random.choice([0.3, 3.0, 9.0, 24.0])
        elif fate < 0.12:
            time += self.random.choice([-10.0, 10.0, -3600.0, 1e8])
        one = update(
            at, card, message_id, time=None if fate > 0.995 else time, subscription=number,
            header=header, device=self.device, incomplete=0.12 < fate < 0.13,
        )  # fmt: skip
        self.records.append(one)
        if 0.13 < fate < 0.17:
            late = self.random.choice([0.02, 0.5, 12.0])
            again = update(
                at + late, card, message_id, time=time, subscription=number, header=header,
                device=self.device,
            )  # fmt: skip
            self.records.append(again)

    def _disturb(self) -> None:
        random, end = self.random, self.periods * PERIOD
        for number in self.subscriptions:
            for _ in range(random.randint(0, 3)):
                at = random.uniform(5, end)
                few = tuple(random.sample(self.cards, random.randint(1, len(self.cards))))
                kind = random.choice(
                    [Kind.SUBSCRIPTION_MODIFIED] * 4
                    + [Kind.SUBSCRIPTION_SUSPENDED, Kind.SUBSCRIPTION_RESUMED]
                    + [Kind.SUBSCRIPTION_STARTED, Kind.SUBSCRIPTION_TERMINATED]
                )
                self.records.append(
                    changed(at, kind, generators=few, subscription=number, device=self.device)
                )
            if random.random() < 0.1:
                at = random.uniform(5, end)
                self.records.append(
                    Ended(CollectorTime(ns(at)), self.device, random.choice([number, None]),
                          "deleted", 0)
                )  # fmt: skip

    def world(self) -> list[Any]:
        """What concerns every device: our own drops, absence, stops, ticks."""
        random, end = self.random, self.periods * PERIOD
        found: list[Any] = [tick(random.uniform(0, end)) for _ in range(random.randint(0, 4))]
        if self.chance(0.3):
            at = random.uniform(5, end)
            found.append(Dropped(CollectorTime(ns(at)), CollectorTime(ns(at - 2)), 3, 0))
        if self.chance(0.2):
            at = random.uniform(5, end)
            since = at - random.choice([1, 8, 45])
            found.append(CollectorDown(CollectorTime(ns(at)), CollectorTime(ns(since)), 0))
        full = Random(f"full {self.random.random()}")
        if full.random() < 0.3:
            at = full.uniform(5, end)
            times = CollectorTime(ns(at)), CollectorTime(ns(at + full.choice([0.5, 7, 60])))
            found.append(Paused(times[0], *times, 0))
        if full.random() < 0.3:
            at = full.uniform(5, end)
            times = CollectorTime(ns(at)), CollectorTime(ns(at + full.choice([0.3, 4, 25])))
            found.append(StoodStill(times[0], *times, 0))
        if self.chance(0.1):
            found.append(CollectorStopped(CollectorTime(ns(random.uniform(5, end))), 0))
        return found


def settings(seed: int) -> EngineSettings:
    """Settings that some of the random subscriptions need."""
    random = Random(seed)
    known = KnownSubscription(terms=SubscriptionTerms(period=PERIOD * SECOND))
    return EngineSettings(
        grace=random.choice([None, SECOND]),
        known={("*", 1): known} if random.random() < 0.5 else {},
        named={
            (DEVICE, "sub2"): NamedSubscription(expect=("1", "2"), grace=2 * SECOND),
        },
    )


def heard(records: list[Any]) -> list[Any]:
    """Without what arrives while we do not listen: it would not be there."""
    downs = [one for one in records if isinstance(one, CollectorDown)]
    return [
        one for one in records
        if isinstance(one, CollectorDown)
        or not any(down.since < one.arrival <= down.arrival for down in downs)
    ]  # fmt: skip


def traffic(seed: int, *, faults: bool = True) -> list[Any]:
    """Inputs of one device and of the world, in order of arrival, numbered."""
    made = Traffic(seed, faults=faults)
    return numbered(heard([*made.make(), *made.world()]))
