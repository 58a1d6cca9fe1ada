"""A subscriber and a receiver of a few lines, for tests of the simulated device alone."""

from __future__ import annotations

import asyncio
import socket
import time
from types import TracebackType

import asyncssh

from collector.model import SECOND, DeviceTime, MediaType, Notification, SubscriptionTerms
from collector.wire.netconf.framing import Deframer, encode_delimited
from collector.wire.netconf.hello import BASE_1_0, encode_hello, root_of
from collector.wire.netconf.rpc import Operation, RpcReply, decode_reply, encode_rpc
from collector.wire.notifications import notification


class Receiver:
    """A UDP socket that keeps what comes, with the sender's address."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.setblocking(False)

    @property
    def where(self) -> str:
        host, port = self._socket.getsockname()
        return f"{host}:{port}"

    def take(self) -> list[tuple[str, bytes]]:
        """Everything that waits."""
        found = []
        while True:
            try:
                octets, (host, _) = self._socket.recvfrom(65_535)
            except BlockingIOError:
                return found
            found.append((host, octets))

    def close(self) -> None:
        self._socket.close()


class Subscriber:
    """One NETCONF 1.0 session."""

    def __init__(self, host: str, port: int, password: str) -> None:
        self._where = (host, port, password)
        self._deframer = Deframer(1 << 20)
        self._number = 0
        self._replies: asyncio.Queue[bytes] = asyncio.Queue()
        self.notifications: list[tuple[int, Notification]] = []
        """(when it came, ns, it)."""

    async def __aenter__(self) -> Subscriber:
        host, port, password = self._where
        self._connection = await asyncssh.connect(
            host, port, username="collector", password=password, known_hosts=None, config=None
        )
        self._writer, self._reader, _ = await self._connection.open_session(
            subsystem="netconf", encoding=None
        )
        self._writer.write(encode_delimited(encode_hello((BASE_1_0,))))
        self._reading = asyncio.create_task(self._read())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._connection.close()
        await self._connection.wait_closed()
        await self._reading

    async def _read(self) -> None:
        while octets := await self._reader.read(65_536):
            self._deframer.receive(octets)
            while (message := self._deframer.next_message()) is not None:
                name = root_of(message).name
                if name == "rpc-reply":
                    self._replies.put_nowait(message)
                elif name == "notification":
                    found = notification.decode(message, MediaType.YANG_DATA_XML)
                    self.notifications.append((time.time_ns(), found))

    async def ask(self, operation: Operation) -> RpcReply:
        self._number += 1
        self._writer.write(encode_delimited(encode_rpc(str(self._number), operation)))
        return decode_reply(await asyncio.wait_for(self._replies.get(), 20))

    async def notified(self, count: int, patience: float = 40.0) -> list[Notification]:
        """Wait until that many notifications came."""
        deadline = time.monotonic() + patience
        while len(self.notifications) < count and time.monotonic() < deadline:
            await asyncio.sleep(0.02)
        return [one for _, one in self.notifications]


def terms(period: int) -> SubscriptionTerms:
    """Everything, each period, anchored at the next whole second but one."""
    anchor = (time.time_ns() // SECOND + 2) * SECOND
    return SubscriptionTerms(
        datastore="operational",
        period=period,
        anchor_time=DeviceTime(anchor),
        encoding="encode-json",
    )
