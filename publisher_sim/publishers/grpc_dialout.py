"""gRPC dial-out publisher: one stream of Cisco's or Huawei's method to each receiver and DSCP.

Does: keep a stream open from the device's own address, wrap each unit into a message of it, hold
back while the receiver does not read, come again when the stream breaks; TLS where the scenario
names an authority. Does not: encode telemetry (``units``).

Rules: nothing is acknowledged over these streams. A unit leaves the queue once the library has
taken it into the stream; what a broken stream had in its buffers is gone, as from a real device.
The library cannot bind an address, so it dials a local socket, and from there octets go on over a
connection that is bound (TLS stays between the library and the receiver).
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections import deque
from pathlib import Path
from typing import Any, Final

import grpc
import grpc.aio

from collector.errors import ConfigError
from collector.model import MediaType
from collector.wire.dialout.streams import DATA_PUBLISH, MDT_DIALOUT, encode_cisco, encode_huawei
from publisher_sim.publishers.marking import connect_marked
from publisher_sim.publishers.roads import RoadSender
from publisher_sim.scenario import Receiver

MOST_QUEUED: Final = 10_000
"""Units that wait for one receiver (ours)."""
LONGEST_PAUSE_SECONDS: Final = 2.0
"""Between two tries (ours)."""
_PIECE: Final = 1 << 16
_METHODS: Final = {"grpc-cisco": MDT_DIALOUT, "grpc-huawei": DATA_PUBLISH}


class GrpcDialoutPublisher(RoadSender):
    """The way out of one publisher over gRPC (``senders.Sender``)."""

    def __init__(self, address: str, receiver: Receiver) -> None:
        """
        Args:
            address: of the device, to connect from.
            receiver: transport and TLS; without a CA it is plaintext.

        Raises:
            ConfigError: a certificate cannot be read.
        """
        super().__init__(address, receiver)
        self._credentials = _credentials(receiver)

    def _open(self, to: tuple[str, int], dscp: int) -> _Road:
        return _Road(self._address, to, self._receiver, self._credentials, dscp)


class _Road:
    """The way to one receiver."""

    def __init__(
        self, local: str, to: tuple[str, int], receiver: Receiver, credentials: Any, dscp: int
    ) -> None:
        self._local, self._to, self._receiver = local, to, receiver
        self._dscp = dscp
        self._credentials = credentials
        self._queue: deque[tuple[bytes, int]] = deque()
        """Octets and media types that wait."""
        self.refused = 0
        self._news = asyncio.Event()
        self._numbers = 0
        self._task = asyncio.get_running_loop().create_task(self._keep_on())

    def put(self, octets: bytes, media_type: int, dscp: int) -> None:
        assert dscp == self._dscp, "each has a road of its own"
        if len(self._queue) >= MOST_QUEUED:
            self._queue.popleft()
            self.refused += 1
        self._queue.append((octets, media_type))
        self._news.set()

    @property
    def waiting(self) -> int:
        return len(self._queue)

    def close(self) -> None:
        self._task.cancel()
        self.refused += len(self._queue)
        self._queue.clear()

    async def _keep_on(self) -> None:
        """One stream after the other."""
        folder = Path(tempfile.mkdtemp(prefix="publisher-"))
        relay = await asyncio.start_unix_server(self._relay, str(folder / "way"))
        pause = 0.05
        try:
            while True:
                before = self._numbers
                try:
                    async with self._channel(f"unix:{folder / 'way'}") as channel:
                        await self._one_stream(channel)
                except grpc.RpcError:
                    pass  # what it says is the receiver's to log
                pause = 0.05 if self._numbers > before else min(2 * pause, LONGEST_PAUSE_SECONDS)
                await asyncio.sleep(pause)
        finally:
            relay.close()
            shutil.rmtree(folder, ignore_errors=True)

    def _channel(self, target: str) -> Any:
        options: list[tuple[str, Any]] = [
            ("grpc.enable_retries", 0),
            ("grpc.use_local_subchannel_pool", 1),
        ]
        if self._credentials is None:
            return grpc.aio.insecure_channel(target, options)
        name = self._receiver.tls.server_name or self._to[0]
        options.append(("grpc.ssl_target_name_override", name))
        return grpc.aio.secure_channel(target, self._credentials, options)

    async def _one_stream(self, channel: Any) -> None:
        """Until it breaks."""
        call = channel.stream_stream(_METHODS[self._receiver.transport])()
        ended = asyncio.ensure_future(call.code())
        try:
            while not ended.done():
                if not self._queue:
                    self._news.clear()
                    news = asyncio.ensure_future(self._news.wait())
                    await asyncio.wait([news, ended], return_when=asyncio.FIRST_COMPLETED)
                    news.cancel()
                    continue
                octets, media_type = self._queue[0]
                for message in self._messages(octets, media_type):
                    await call.write(message)
                if self._queue and self._queue[0][0] is octets:
                    self._queue.popleft()
        finally:
            ended.cancel()
            call.cancel()

    def _messages(self, octets: bytes, media_type: int) -> list[bytes]:
        self._numbers += 1
        if media_type in (MediaType.HUAWEI_GPB, MediaType.HUAWEI_JSON):
            return [encode_huawei(octets, self._numbers, media_type)]
        return encode_cisco(octets, self._numbers)

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """The library's connection, on from the device's address."""
        try:
            connected = await connect_marked(self._local, self._to, self._dscp)
            there, back = await asyncio.open_connection(sock=connected)
        except OSError:
            writer.close()
            return
        try:
            await asyncio.gather(_pump(reader, back), _pump(there, writer))
        except (OSError, asyncio.CancelledError):
            pass  # at the end of the run, too: asyncio would report a cancelled handler
        finally:
            back.close()
            writer.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while octets := await reader.read(_PIECE):
        writer.write(octets)
        await writer.drain()
    writer.close()


def _credentials(receiver: Receiver) -> Any:
    """How to verify the receiver and what to show it; None without a CA. Raises ConfigError."""
    tls = receiver.tls
    if not tls.ca:
        return None
    authority = _content(tls.ca, "ca")
    if not tls.certificate:
        return grpc.ssl_channel_credentials(authority)
    key, chain = _content(tls.key, "key"), _content(tls.certificate, "certificate")
    return grpc.ssl_channel_credentials(authority, key, chain)


def _content(path: str, key: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        sentence = f"{path} cannot be read: {error.strerror}"
        raise ConfigError(sentence, key=f"receiver.tls.{key}") from None
