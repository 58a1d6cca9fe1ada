"""``receivers.each_second``: called again and again, also after a fault, until stopped."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from collector.receivers import each_second
from collector.receivers.each_second import EachSecond


def test_a_call_that_fails_does_not_end_it_and_stop_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(each_second, "_SECONDS", 0.001)
    calls: list[int] = []
    faults: list[Any] = []

    async def main() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, said: faults.append(said))
        enough = asyncio.Event()

        def call() -> None:
            calls.append(1)
            if len(calls) == 3:
                timer.stop()
                enough.set()
            raise ZeroDivisionError

        timer = EachSecond(call)
        timer.stop()
        timer.start()
        async with asyncio.timeout(20):
            await enough.wait()
        await asyncio.sleep(0.01)
        timer.stop()

    asyncio.run(main())
    assert (len(calls), len(faults)) == (3, 3)
