"""What gRPC dial-out read while the intake was full keeps the time at which it came."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from collector.errors import IntakeFullError
from collector.model import CollectorTime, ReceivedBatch, Transport
from collector.receivers.dialout.read_ahead import ReadAhead


class Clock:
    def __init__(self) -> None:
        self.time = 1000

    def now(self) -> CollectorTime:
        return CollectorTime(self.time)


class FullFor:
    """Refuses a few times; looks at whether something older waits when it takes, as the real intake
    does, which else gives what others hand over the time of the last record."""

    def __init__(self, times: int) -> None:
        self.times = times
        self.behind: Callable[[], bool] = lambda: False
        self.taken: list[tuple[list[int], bool]] = []

    def take(self, batch: ReceivedBatch) -> int:
        if self.times:
            self.times -= 1
            raise IntakeFullError("full")
        self.taken.append((list(batch.received_at), self.behind()))
        return len(self.taken)

    async def committed(self, offset: int) -> None:
        del offset


def test_what_waited_for_room_is_not_behind_itself() -> None:
    async def run() -> None:
        intake, clock = FullFor(2), Clock()
        ahead = ReadAhead(intake, clock, "test", Transport.GRPC_DIALOUT)
        intake.behind = lambda: ahead.is_full
        ahead.open(asyncio.get_running_loop())
        ahead.add(b"{}", 1, ("192.0.2.1", 1, ""))
        assert ahead.hand_over() == 0
        kept = [ahead.is_full]
        clock.time = 2000
        ahead.add(b"{}", 1, ("192.0.2.1", 1, ""))
        assert ahead.hand_over() == 0
        kept.append(ahead.is_full)
        assert ahead.is_far
        assert ahead.hand_over() == 2
        kept.append(ahead.is_full)
        assert kept == [True, True, False]
        assert intake.taken == [([1000], False), ([2000], False)]
        await ahead.close()

    asyncio.run(run())
