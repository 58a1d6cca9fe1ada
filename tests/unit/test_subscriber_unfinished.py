"""Messages without an end: how long one may take, and what all sessions may hold together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from collector.model import SECOND
from collector.subscriber.sessions.unfinished import Budget, Watch
from tests.netconf_device import run
from tests.waiting import until


class Session:
    def __init__(self, budget: Budget | None = None, limit: int = SECOND // 50) -> None:
        self.paused = False
        self.ended: list[tuple[str, str]] = []
        self.watch = Watch(
            limit,
            budget,
            paused=lambda: self.paused,
            give_up=lambda reason, text: self.ended.append((reason, text)),
        )


def test_a_message_that_never_ends() -> None:
    async def main() -> None:
        session = Session()
        for octets in range(10, 15):
            session.watch.look(octets, ended=False)
        await until(lambda: bool(session.ended))
        ((reason, text),) = session.ended
        assert reason == "timeout"
        assert text == "a message of 14 octets so far, without an end for 0.02 s"

    run(main())


class PretendLoop:
    """One timer, and a clock that goes when it is told to."""

    def __init__(self) -> None:
        self.now = 0.0
        self.due: tuple[float, Callable[[], None]] | None = None

    def time(self) -> float:
        return self.now

    def call_later(self, delay: float, call: Callable[[], None]) -> object:
        self.due = (self.now + delay, call)
        return self

    def cancel(self) -> None:
        self.due = None

    def go(self, seconds: float) -> None:
        """In which whatever is due is called."""
        end = self.now + seconds
        while self.due is not None and self.due[0] <= end:
            (self.now, call), self.due = self.due, None
            call()
        self.now = end


def test_one_after_the_other_takes_no_time_from_the_next() -> None:
    async def main() -> None:
        session, loop = Session(limit=SECOND), PretendLoop()
        session.watch._loop = loop  # type: ignore[assignment]  # as much of it as is used
        for _ in range(5):
            session.watch.look(5, ended=True)
            loop.go(0.7)
        assert session.ended == []
        session.watch.look(0, ended=True)
        loop.go(1.5)
        assert session.ended == []
        assert session.watch._timer is None
        session.watch.stop()

    run(main())


def test_who_does_not_read_cannot_complain() -> None:
    async def main() -> None:
        session = Session()
        session.paused = True
        session.watch.look(5, ended=False)
        await asyncio.sleep(0.1)
        assert session.ended == []
        session.paused = False
        await until(lambda: bool(session.ended))

    run(main())


def test_the_longest_of_all_goes_when_they_are_too_long_together() -> None:
    async def main() -> None:
        budget = Budget(100)
        sessions = [Session(budget, limit=SECOND) for _ in range(3)]
        first, second, third = (session.watch for session in sessions)
        first.look(30, ended=False)
        second.look(50, ended=False)
        first.look(20, ended=False)
        third.look(30, ended=False)
        assert budget.total == 100
        third.look(31, ended=False)
        assert budget.total == 51
        assert [len(session.ended) for session in sessions] == [0, 1, 0]
        assert sessions[1].ended[0][0] == "message-too-large"
        first.stop()
        first.stop()
        third.look(0, ended=True)
        assert budget.total == 0
        third.stop()

    run(main())


def test_without_a_budget() -> None:
    async def main() -> None:
        one = Session().watch
        one.look(10**9, ended=False)
        one.stop()

    run(main())
