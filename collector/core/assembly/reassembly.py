"""Segments -> whole messages: the receiver side of draft-ietf-netconf-udp-notif-26 §4.1 and §5.2.

Does: put the segments of a message together in whatever order they come, drop duplicates, give up
after a window or at a cap, and say once that a message is still half built. Does not: read headers
(``wire.udp_notif``), read a clock, or know what a message says.

Rules:
* Key: source address, source port, publisher id, message id. The draft's key is the two ids alone;
  real publishers use one pair of ids from several ports at once.
* The window runs from the first segment, 10 s by default, never above 20 s (§5.2 MUST NOT).
* A segment that was seen before is dropped (§4.1 MUST). One that contradicts what is there (same
  number with other octets, a second last segment, another media type) starts a new generation of
  its key; the old one is given up.
* The options of the message are those of segment 0 (§4.1).
* A segment equal to one of a message finished within ``remember`` is set aside: it becomes part of
  a new message when a segment of that key follows that is not equal, else it was a duplicate.
* ``HalfBuilt`` is said once for each message that is not whole ``notice`` after its first segment,
  or that is given up earlier. Building goes on; a message finished later is delivered as usual.
* At a cap of one message the key is refused for the rest of its window. At a cap of the tables the
  oldest makes room: whole messages are built within milliseconds, so the oldest is the least
  likely to be finished. All tables are bounded by ``ReassemblyLimits``; a message forgotten under
  such pressure may be said half built a second time.

``now`` is CollectorTime and never goes back.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from itertools import islice
from typing import Final

from collector.core.assembly.finished import Finished, FinishedMessages
from collector.core.assembly.half_built import OVERHEAD, Aside, Building
from collector.core.assembly.segments import (
    LONGEST_WINDOW,
    Assembled,
    Fact,
    HalfBuilt,
    Key,
    ReassemblyLimits,
    Runs,
    SegmentReceived,
)
from collector.model import CollectorTime

REASONS: Final = (
    "expired",
    "too-many-segments",
    "too-large",
    "too-many-half-built",
    "too-many-octets",
    "conflict",
    "duplicate",
    "stopped",
)
"""Why a segment was discarded; the keys of ``Reassembly.discarded``."""


class Reassembly:
    """All half-built messages of one receiver."""

    def __init__(self, limits: ReassemblyLimits | None = None) -> None:
        self._limits = limits or ReassemblyLimits()
        message = self._limits.max_message_octets + self._limits.max_segments * OVERHEAD
        self._max_octets = max(self._limits.max_octets, 2 * message)
        remember = min(self._limits.remember, LONGEST_WINDOW - self._limits.window)
        self._finished = FinishedMessages(self._limits, remember)
        # OrderedDict: the oldest of a plain dict costs a walk over all that was deleted before it
        self._building: OrderedDict[Key, Building] = OrderedDict()
        """Oldest window first."""
        self._unnoticed: OrderedDict[Key, Building] = OrderedDict()
        """The part of ``_building`` that nothing was said about yet, in the same order."""
        self._peers: dict[str, dict[Key, None]] = {}
        """Source address -> its keys in ``_building``, oldest first; no empty ones."""
        self._aside: OrderedDict[Key, Aside] = OrderedDict()
        """Of keys in ``_finished`` only; the oldest first, and no empty ones."""
        self._octets = 0
        self.discarded: dict[str, int] = dict.fromkeys(REASONS, 0)
        """Reason -> segments discarded so far."""

    def __len__(self) -> int:
        """Messages half built or refused."""
        return len(self._building)

    @property
    def octets(self) -> int:
        """Octets held, ``OVERHEAD`` for each segment included."""
        return self._octets

    # ----------------------------------------------------------------- the three verbs
    def receive(self, segment: SegmentReceived, now: int) -> list[Fact]:
        """Take a segment; returns the finished message, and what was given up for it."""
        facts: list[Fact] = []
        self._drop_aside(self._finished.forget(now))
        key = (segment.source, segment.port, segment.publisher_id, segment.message_id)
        building = self._building.get(key)
        if building is not None and now >= building.opened + self._limits.window:
            self._give_up(building, "expired", facts)
            building = None
        finished = self._finished.messages.get(key)
        known = finished is not None and finished[0].knows(finished[1], segment)
        if building is None:
            if finished is not None and known:
                self._set_aside(key, *finished, segment, now)
                return facts
        elif building.refused:
            self.discarded[building.refused] += 1
            return facts
        elif not building.accepts(segment):
            if known or building.parts.get(segment.number) == segment:
                self.discarded["duplicate"] += 1  # of this message or of the one before it
                return facts
            self._give_up(building, "conflict", facts)
            building = None
        if building is None:
            building = self._open(key, segment, now, facts)
        self._add(building, segment, now, facts)
        return facts

    def receive_runs(self, runs: Runs, start: int, end: int) -> int:
        """Take messages that came whole, from place ``start`` up to ``end``, at least one.

        Does what ``receive`` does for one segment after the other, at a fraction of the cost.

        Returns:
            The place of the first one that was not taken, or ``end``. If that is ``start`` its key
            is known or a limit is near: nothing was changed for it, and ``receive`` has to be
            asked for its segments. Another one may be tried again.
        """
        self._drop_aside(self._finished.forget(runs.arrivals[runs.starts[start]]))
        end = self._first_to_be_asked_for(runs, start, end)
        if end > start:
            self._drop_aside(self._finished.add_runs(runs, start, end))
        return end

    def next_deadline(self) -> CollectorTime | None:
        """When ``handle_timer`` has something to say, or None."""
        deadlines = [
            *(one.opened + self._limits.notice for one in islice(self._unnoticed.values(), 1)),
            *(one.opened + self._limits.window for one in islice(self._building.values(), 1)),
        ]
        return CollectorTime(min(deadlines)) if deadlines else None

    def handle_timer(self, now: int) -> list[Fact]:
        """Say what is half built, and give up what is past its window."""
        facts: list[Fact] = []
        self._drop_aside(self._finished.forget(now))
        while self._unnoticed:
            building = next(iter(self._unnoticed.values()))
            if now < building.opened + self._limits.notice:
                break
            self._notice(building, facts)
        while self._building:
            building = next(iter(self._building.values()))
            if now < building.opened + self._limits.window:
                break
            self._give_up(building, "expired", facts)
        return facts

    def stop(self) -> list[Fact]:
        """Give up everything; returns the notices not yet said."""
        facts: list[Fact] = []
        for building in list(self._building.values()):
            self._give_up(building, "stopped", facts)
        self._drop_aside(list(self._aside))
        self._finished.clear()
        return facts

    # ----------------------------------------------------------------- building
    def _open(self, key: Key, segment: SegmentReceived, now: int, facts: list[Fact]) -> Building:
        """Start a generation, with what was set aside for it if ``segment`` goes with that."""
        limits = self._limits
        peer = self._peers.get(key[0])
        if peer is not None and len(peer) >= limits.max_per_peer:
            self._give_up(self._building[next(iter(peer))], "too-many-half-built", facts)
        elif len(self._building) >= limits.max_half_built:
            self._give_up(next(iter(self._building.values())), "too-many-half-built", facts)
        building = Building(key, segment.form, now)
        aside = self._aside.pop(key, None)
        if aside is not None:
            for part in aside.parts.values():
                building.form = part.form
                building.put(part)
            if not building.accepts(segment):
                building = Building(key, segment.form, now)
                self._settle(aside)
            else:
                building.first_arrival = aside.arrival
        self._building[key] = self._unnoticed[key] = building
        if peer:  # not before: what was given up may have been the peer's last one
            peer[key] = None
        else:
            self._peers[key[0]] = {key: None}
        return building

    def _add(
        self, building: Building, segment: SegmentReceived, now: int, facts: list[Fact]
    ) -> None:
        """Put a segment that fits into its message, and deliver the message when it is whole."""
        limits = self._limits
        if segment.number >= limits.max_segments:
            self._refuse(building, "too-many-segments", facts)
        elif building.octets + len(segment.payload) > limits.max_message_octets:
            self._refuse(building, "too-large", facts)
        else:
            building.put(segment)
            self._octets += len(segment.payload) + OVERHEAD
            if building.total == len(building.parts):
                facts.append(self._finish(building, now))
            elif self._octets > self._max_octets:
                self._make_room(building, facts)

    def _finish(self, building: Building, now: int) -> Assembled:
        """Take a whole message out of the tables and remember its segments."""
        self._remove(building)
        parts = [building.parts[number] for number in range(len(building.parts))]
        self._drop_aside(self._finished.add(building.key, parts, now))
        return Assembled(
            *building.key,
            form=building.form,
            segments=len(parts),
            options=parts[0].options,
            payload=b"".join([part.payload for part in parts]),
            first_arrival=CollectorTime(building.first_arrival),
        )

    def _refuse(self, building: Building, reason: str, facts: list[Fact]) -> None:
        """Refuse the key of ``building``, and the segment at hand, until its window ends."""
        if building.key in self._unnoticed:
            self._notice(building, facts)
        self.discarded[reason] += len(building.parts) + 1
        self._octets -= building.weight
        building.refused = reason
        building.octets = 0
        building.parts.clear()

    def _give_up(self, building: Building, reason: str, facts: list[Fact]) -> None:
        if building.key in self._unnoticed:
            self._notice(building, facts)
        self.discarded[reason] += len(building.parts)
        self._remove(building)

    def _notice(self, building: Building, facts: list[Fact]) -> None:
        del self._unnoticed[building.key]
        facts.append(
            HalfBuilt(
                *building.key,
                first_arrival=CollectorTime(building.first_arrival),
                segments_had=len(building.parts),
                segments_total=building.total,
                version=building.form >> 5,
            )
        )

    def _remove(self, building: Building) -> None:
        del self._building[building.key]
        self._unnoticed.pop(building.key, None)
        peer = self._peers[building.key[0]]
        del peer[building.key]
        if not peer:
            del self._peers[building.key[0]]
        self._octets -= building.weight

    def _make_room(self, but: Building, facts: list[Fact]) -> None:
        """Let go of octets, what was set aside first; ``but`` alone always fits."""
        while self._octets > self._max_octets and self._aside:
            self._settle(self._aside.popitem(last=False)[1])
        while self._octets > self._max_octets:
            oldest = next(one for one in self._building.values() if one is not but)
            self._give_up(oldest, "too-many-octets", facts)

    # ----------------------------------------------------------------- finished messages
    def _set_aside(
        self, key: Key, finished: Finished, place: int, segment: SegmentReceived, now: int
    ) -> None:
        aside = self._aside.get(key)
        if aside is None:
            aside = self._aside[key] = Aside(now)
        elif segment.number in aside.parts:
            self.discarded["duplicate"] += 1
            return
        aside.parts[segment.number] = segment
        self._octets += len(segment.payload) + OVERHEAD
        if len(aside.parts) == finished.segments(place):  # the whole message came again
            self._settle(self._aside.pop(key))
        elif self._octets > self._max_octets:
            self._settle(self._aside.popitem(last=False)[1])

    def _settle(self, aside: Aside) -> None:
        """What was set aside were duplicates after all."""
        self.discarded["duplicate"] += len(aside.parts)
        self._octets -= aside.weight

    def _drop_aside(self, forgotten: Iterable[Key]) -> None:
        """Settle what was set aside for messages that are forgotten."""
        for key in forgotten:
            aside = self._aside.pop(key, None)
            if aside is not None:
                self._settle(aside)

    # ----------------------------------------------------------------- whole messages
    def _first_to_be_asked_for(self, runs: Runs, start: int, end: int) -> int:
        """The first place of a message that is known or near a limit, or ``end``."""
        limits, building = self._limits, self._building
        weight = limits.max_message_octets + limits.max_segments * OVERHEAD
        if self._octets + weight > self._max_octets or len(building) >= limits.max_half_built:
            return start
        starts, ends, offsets = runs.starts, runs.ends, runs.payload.offsets
        finished, seen = self._finished.messages, set[Key]()
        for place in range(start, end):
            key, row, behind = runs.keys[place], starts[place], ends[place]
            if (
                key in finished
                or key in seen
                or behind - row > limits.max_segments
                or offsets[behind] - offsets[row] > limits.max_message_octets
                or (building and self._is_building_near(key))
            ):
                return place
            seen.add(key)
        return end

    def _is_building_near(self, key: Key) -> bool:
        """Is a message of that key being built, or nearly too many of its source?"""
        near = len(self._peers.get(key[0], ())) >= self._limits.max_per_peer
        return near or key in self._building
