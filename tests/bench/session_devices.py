"""Many NETCONF devices in one process, for the stage ``sessions``.

``python -m tests.bench.session_devices SESSIONS`` serves that many on one port of loopback; with
``--call PORT`` it is so many devices, each with a host key of its own, that call home there.

Does: log in whoever comes, accept every subscription, count. Does not: push anything.
Rules: one JSON line for each line of standard input: ``look`` says how many sessions and
subscriptions there are and when each session came; ``drop`` ends all connections at once, without
a word of SSH, as a network does that goes away and comes back. The end of standard input is ours.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import time

from collector.wire.netconf.rpc import (
    EstablishOutput,
    EstablishSubscription,
    Ok,
    decode_rpc,
    encode_reply,
)
from publisher_sim.netconf.call_home import CallHome
from publisher_sim.netconf.server import NetconfServer
from publisher_sim.scenario import Netconf

USER, PASSWORD = "bench", "loopback only"
_FIRST_ID = 1000


class Devices:
    """All devices of this process."""

    def __init__(self) -> None:
        self.servers: list[NetconfServer] = []
        self._subscribed: set[tuple[NetconfServer, str]] = set()
        self._came: list[float] = []
        """Monotonic seconds at which each session said hello, since the last drop."""
        self._ids = _FIRST_ID

    def add(self, sessions: int, host: str = "127.0.0.1") -> NetconfServer:
        """One server for so many sessions."""
        server = NetconfServer(
            host,
            port=0,
            users={USER: PASSWORD},
            max_sessions=2 * sessions,
            on_open=lambda session, user: self._came.append(time.monotonic()),
            on_rpc=lambda session, message: self._asked(server, session, message),
            on_close=lambda session: self._subscribed.discard((server, session)),
        )
        self.servers.append(server)
        return server

    def look(self) -> dict[str, object]:
        """What is open now."""
        return {
            "sessions": sum(len(server.sessions) for server in self.servers),
            "subscribed": len(self._subscribed),
            "came": self._came,
        }

    def drop(self) -> dict[str, object]:
        """All at once."""
        self._came = []
        for server in self.servers:
            for connection in list(server._connections):
                connection.abort()
        return {"dropped": time.monotonic()}

    def _asked(self, server: NetconfServer, session: str, message: bytes) -> None:
        rpc = decode_rpc(message)
        answer: EstablishOutput | Ok = Ok()
        if isinstance(rpc.operation, EstablishSubscription):
            self._ids += 1
            self._subscribed.add((server, session))
            answer = EstablishOutput(self._ids, ("1", "2"))
        server.send(session, encode_reply(rpc.message_id, answer, mode="mso"))


async def _serve(sessions: int, call: int | None) -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    devices = Devices()
    if call is None:
        await devices.add(sessions).start()
    settings = Netconf(call_home=f"127.0.0.1:{call}")
    calling = [
        CallHome(
            devices.add(1, f"127.{1 + one // 65_536}.{one // 256 % 256}.{one % 256}"),
            settings,
            holds=lambda session: True,
        )
        for one in range(1, 1 + sessions if call is not None else 1)
    ]
    ready = {
        "port": devices.servers[0].port,
        "known_hosts": "" if call else devices.servers[0].known_hosts_line(),
        "host_keys": [server.public_key for server in devices.servers],
    }
    print(json.dumps(ready), flush=True)
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while word := (await reader.readline()).strip():
        if word == b"call":
            for one in calling:
                one.start()
        print(json.dumps(devices.drop() if word == b"drop" else devices.look()), flush=True)
    for one in calling:
        await one.stop()
    devices.drop()
    for server in devices.servers:
        await server.stop()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), int(sys.argv[3]) if "--call" in sys.argv else None))
