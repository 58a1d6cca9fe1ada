"""The gate in front of new connections: so many at once, so many in a second, in order."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest

from collector.subscriber.sessions.gate import Gate
from tests.netconf_device import run


def test_who_comes_together_goes_in_one_after_the_other() -> None:
    async def main() -> None:
        gate = Gate(100, 100.0)
        loop = asyncio.get_running_loop()
        entered: list[tuple[int, float]] = []

        async def one(number: int) -> None:
            async with gate:
                entered.append((number, loop.time()))

        await asyncio.gather(*map(one, range(20)))
        assert [number for number, _ in entered] == list(range(20))
        assert entered[-1][1] - entered[0][1] > 0.18
        assert all(later[1] >= earlier[1] for earlier, later in pairwise(entered))

    run(main())


def test_so_many_at_once_and_a_place_is_given_back() -> None:
    async def main() -> None:
        gate = Gate(2, 1000.0)
        inside = most = 0

        async def one() -> None:
            nonlocal inside, most
            async with gate:
                inside += 1
                most = max(most, inside)
                await asyncio.sleep(0.01)
                inside -= 1

        await asyncio.gather(*(one() for _ in range(6)))
        assert most == 2

    run(main())


def test_who_gives_up_in_the_queue_keeps_no_place() -> None:
    async def main() -> None:
        gate = Gate(1, 10.0)
        async with gate:
            pass

        async def enter() -> None:
            async with gate:
                pass

        waiting = asyncio.ensure_future(enter())
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        async with asyncio.timeout(5):
            await enter()

    run(main())
