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
from collections.abc import Sequence
from itertools import islice
from typing import Final

from collector.core.half_built import OVERHEAD, Building, Finished, fingerprint
from collector.core.segments import (
    LONGEST_WINDOW,
    Assembled,
    Fact,
    HalfBuilt,
    Key,
    ReassemblyLimits,
    SegmentReceived,
)
from collector.model import CollectorTime

REASONS: Final = (
    "expired",
    "too-many-segments",
    "too-large",
    "too-many-half-built",
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
        self._remember = min(self._limits.remember, LONGEST_WINDOW - self._limits.window)
        # OrderedDict: the oldest of a plain dict costs a walk over all that was deleted before it
        self._building: OrderedDict[Key, Building] = OrderedDict()
        """Oldest window first."""
        self._unnoticed: OrderedDict[Key, Building] = OrderedDict()
        """The part of ``_building`` that nothing was said about yet, in the same order."""
        self._peers: dict[str, dict[Key, None]] = {}
        """Source address -> its keys in ``_building``, oldest first; no empty ones."""
        self._finished: OrderedDict[Key, Finished] = OrderedDict()
        """Oldest first."""
        self._aside: OrderedDict[Key, Finished] = OrderedDict()
        """The part of ``_finished`` that has segments set aside."""
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
        self._forget(now)
        key = (segment.source, segment.port, segment.publisher_id, segment.message_id)
        building = self._building.get(key)
        if building is not None and now >= building.opened + self._limits.window:
            self._give_up(building, "expired", facts)
            building = None
        finished = self._finished.get(key)
        known = finished is not None and finished.knows(segment)
        if building is None:
            if finished is not None and known:
                self._set_aside(key, finished, segment, now)
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

    def receive_whole(
        self, key: Key, form: int, parts: Sequence[bytes], first_arrival: int, now: int
    ) -> Assembled | None:
        """Take all segments of a message at once: in order, one behind the other, no options.

        Does what ``receive`` does for one after the other, at a fraction of the cost.

        Args:
            parts: the payloads of segments 0 to the last one, at least two.
            first_arrival: of segment 0.
            now: arrival of the last one.

        Returns:
            The message. None when the key is known, or a limit is near: nothing was changed, and
            ``receive`` has to be asked.
        """
        self._forget(first_arrival)
        limits, octets = self._limits, sum(map(len, parts))
        if (
            key in self._building
            or key in self._finished
            or len(parts) > limits.max_segments
            or octets > limits.max_message_octets
            or self._octets + octets + len(parts) * OVERHEAD > self._max_octets
            or len(self._building) >= limits.max_half_built
            or len(self._peers.get(key[0], ())) >= limits.max_per_peer
        ):
            return None
        if self._remember:
            last = len(parts) - 1
            prints = {
                number: fingerprint(form, number == last, b"", part)
                for number, part in enumerate(parts)
            }
            self._forget(now)
            self._finished[key] = Finished(prints, now + self._remember)
            if len(self._finished) > limits.max_half_built:
                self._forget_oldest()
        return Assembled(
            *key,
            form=form,
            segments=len(parts),
            options=b"",
            payload=b"".join(parts),
            first_arrival=CollectorTime(first_arrival),
        )

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
        self._forget(now)
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
        for finished in self._finished.values():
            self._settle(finished)
        self._finished.clear()
        self._aside.clear()
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
        finished = self._aside.pop(key, None)
        if finished is not None:
            for part in finished.aside.values():
                building.form = part.form
                building.put(part)
            if not building.accepts(segment):
                building = Building(key, segment.form, now)
                self._settle(finished)
            else:
                building.first_arrival = finished.aside_arrival
                finished.aside = {}
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
        if self._remember:
            self._finished.pop(building.key, None)
            self._finished[building.key] = Finished(
                {
                    part.number: fingerprint(part.form, part.last, part.options, part.payload)
                    for part in parts
                },
                now + self._remember,
            )
            if len(self._finished) > self._limits.max_half_built:
                self._forget_oldest()
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
            self._give_up(oldest, "too-many-half-built", facts)

    # ----------------------------------------------------------------- finished messages
    def _set_aside(self, key: Key, finished: Finished, segment: SegmentReceived, now: int) -> None:
        if segment.number in finished.aside:
            self.discarded["duplicate"] += 1
            return
        if not finished.aside:
            finished.aside_arrival = now
            self._aside[key] = finished
        finished.aside[segment.number] = segment
        self._octets += len(segment.payload) + OVERHEAD
        if len(finished.aside) == len(finished.prints):  # the whole message came again
            self._settle(self._aside.pop(key))
        elif self._octets > self._max_octets:
            self._settle(self._aside.popitem(last=False)[1])

    def _settle(self, finished: Finished) -> None:
        """What was set aside were duplicates after all."""
        self.discarded["duplicate"] += len(finished.aside)
        self._octets -= sum(len(part.payload) + OVERHEAD for part in finished.aside.values())
        finished.aside = {}

    def _forget(self, now: int) -> None:
        """Forget finished messages in time; says nothing, so it needs no deadline."""
        while self._finished and now >= next(iter(self._finished.values())).expires:
            self._forget_oldest()

    def _forget_oldest(self) -> None:
        key, finished = self._finished.popitem(last=False)
        self._aside.pop(key, None)
        self._settle(finished)
