"""A simulated device whose run ends in the middle of a gRPC stream ends without a word."""

from __future__ import annotations

import asyncio

import pytest

from publisher_sim.publishers.grpc_dialout import _Road
from publisher_sim.scenario import Receiver


def test_a_run_that_ends_says_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    said: list[str] = []

    async def run() -> None:
        asyncio.get_running_loop().set_exception_handler(
            lambda loop, context: said.append(str(context["message"]))
        )
        connected = asyncio.Event()
        peers = []

        async def accept(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            peers.append(writer)
            connected.set()

        async with await asyncio.start_server(accept, "127.0.0.1") as server:
            to = server.sockets[0].getsockname()[:2]
            receiver = Receiver(transport="grpc-cisco", address=to[0], port=to[1])
            road = _Road("127.0.0.1", to, receiver, None, 0)
            async with asyncio.timeout(20):
                await connected.wait()
            road.close()
        for writer in peers:
            writer.close()

    asyncio.run(run())
    assert said == []
    assert "Traceback" not in capfd.readouterr().err
