"""Many NETCONF devices in one process, for the stage ``sessions``: ``python -m
tests.bench.session_devices SESSIONS`` serves that many on one port of loopback.

Does: log in whoever comes, accept every subscription, count. Does not: push anything.
Rules: one JSON line for each line of standard input: ``look`` says how many sessions and
subscriptions there are and when each session came; ``drop`` ends all connections at once, without
a word of SSH, as a network does that goes away and comes back. The end of standard input is ours.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time

from collector.wire.netconf_rpc import (
    EstablishOutput,
    EstablishSubscription,
    Ok,
    decode_rpc,
    encode_reply,
)
from publisher_sim.publishers.netconf_server import NetconfServer

USER, PASSWORD = "bench", "loopback only"
_FIRST_ID = 1000


class Devices:
    """All devices of this process."""

    def __init__(self, sessions: int) -> None:
        self.server = NetconfServer(
            port=0,
            users={USER: PASSWORD},
            max_sessions=2 * sessions,
            on_open=self._opened,
            on_rpc=self._asked,
            on_close=self._closed,
        )
        self._subscribed: set[str] = set()
        self._came: list[float] = []
        """Monotonic seconds at which each session said hello, since the last drop."""
        self._ids = _FIRST_ID

    def look(self) -> dict[str, object]:
        """What is open now."""
        return {
            "sessions": len(self.server.sessions),
            "subscribed": len(self._subscribed),
            "came": self._came,
            "cpu": time.process_time(),
        }

    def drop(self) -> dict[str, object]:
        """All at once."""
        self._came = []
        for connection in list(self.server._connections):
            connection.abort()
        return {"dropped": time.monotonic()}

    def _opened(self, session: str, user: str) -> None:
        self._came.append(time.monotonic())

    def _asked(self, session: str, message: bytes) -> None:
        rpc = decode_rpc(message)
        if isinstance(rpc.operation, EstablishSubscription):
            self._ids += 1
            self._subscribed.add(session)
            answer: EstablishOutput | Ok = EstablishOutput(self._ids, ("1", "2"))
        else:
            answer = Ok()
        self.server.send(session, encode_reply(rpc.message_id, answer, mode="mso"))

    def _closed(self, session: str) -> None:
        self._subscribed.discard(session)


async def _serve(sessions: int) -> None:
    devices = Devices(sessions)
    await devices.server.start()
    host_key = devices.server.known_hosts_line()
    print(json.dumps({"port": devices.server.port, "known_hosts": host_key}), flush=True)
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while word := (await reader.readline()).strip():
        answer = devices.drop() if word == b"drop" else devices.look()
        print(json.dumps(answer), flush=True)
    for connection in list(devices.server._connections):
        connection.abort()
    await devices.server.stop()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
