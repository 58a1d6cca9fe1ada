"""Metrics and health of all lanes on one page.

Rules: every series carries the label ``lane`` and is that lane's own. They are not added up here: a
lane that starts again begins at 0, and a sum that falls by its part would look to Prometheus like a
restart of all, with everything counted once more. ``sum without (lane)`` adds up rightly. A lane
that does not answer has no series; ``yang_push_lane_up`` says which.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec
from msgspec import Struct
from prometheus_client import CollectorRegistry

from collector import asking
from collector.errors import UsageError
from collector.lanes.process import LaneProcess, LaneState
from collector.metrics import Counters, LaneCounters, counters_from_plain
from collector.sinks.prometheus import make_lanes_registry


class LaneNumbers(Struct, frozen=True):
    """What a lane says of itself: the answer to its command ``numbers``."""

    healthy: bool
    health: str
    counters: dict[str, object]


class Numbers:
    """What ``/metrics`` and ``/healthz`` show, fetched whenever somebody looks."""

    def __init__(self, lanes: Sequence[LaneProcess]) -> None:
        self._lanes = lanes
        self._fetched: dict[int, LaneNumbers | str] = {}
        """Lane -> its numbers, or why there are none."""
        self._fetching = asyncio.Lock()

    def registry(self) -> CollectorRegistry:
        """The series of all lanes, as they were fetched last."""
        return make_lanes_registry(self._counters, self._own)

    async def fetch(self) -> None:
        """Ask all lanes, side by side."""
        async with self._fetching:
            answers = await asyncio.gather(*(_numbers(lane) for lane in self._lanes))
            self._fetched = {
                lane.number: answer for lane, answer in zip(self._lanes, answers, strict=True)
            }

    def health(self) -> tuple[bool, str]:
        """Whether all goes on in every lane, and if not, what does not in which."""
        ill = []
        for lane, said in self._fetched.items():
            if isinstance(said, str):
                ill.append(f"lane {lane}: {said}")
            elif not said.healthy:
                ill.append(f"lane {lane}: {said.health}")
        return not ill, "; ".join(ill) or "ok"

    def _counters(self) -> dict[int, Counters]:
        return {
            lane: counters_from_plain(said.counters)
            for lane, said in self._fetched.items()
            if isinstance(said, LaneNumbers)
        }

    def _own(self) -> LaneCounters:
        own = LaneCounters()
        for lane in self._lanes:
            answered = isinstance(self._fetched.get(lane.number), LaneNumbers)
            own.lane_up.set((str(lane.number),), int(answered))
            own.lane_restarts.set((str(lane.number),), lane.restarts)
        return own


async def _numbers(lane: LaneProcess) -> LaneNumbers | str:
    if lane.state is not LaneState.RUNNING:
        return lane.why or f"it is {lane.state.value}"
    try:
        _, octets = await asking.ask(lane.folder, "numbers")
        return msgspec.msgpack.decode(octets, type=LaneNumbers)
    except (UsageError, msgspec.DecodeError) as error:
        return f"it does not answer ({error})"
