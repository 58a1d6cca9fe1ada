"""HTTPS-notif publisher: asks what the receiver can do, then posts one notification after another.

Does: keep a connection to each receiver alive for each DSCP, from the device's own address; verify
the receiver's name and show a certificate; have several requests on their way at once, since an
answer may wait for a disk. Does not: encode, or choose another encoding than the subscription's.

Rules: the capabilities are asked for first and after any error (draft-ietf-netconf-https-notif-15
§2); what the receiver cannot take is not sent. What was answered 4xx is given up, what got no
answer or 5xx is sent again until it is the oldest of a full queue or has been tried
``MOST_TRIES`` times. All that is given up is counted in ``refused``.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from collector.errors import ConfigError, WireError
from collector.model import MediaType
from collector.wire import https_notif as wire
from publisher_sim.publishers.marking import connect_marked
from publisher_sim.publishers.roads import RoadSender
from publisher_sim.scenario import Receiver

MOST_QUEUED: Final = 10_000
"""Notifications that wait for one receiver (ours)."""
IN_PIPELINE: Final = 16
"""Requests on their way at once (ours)."""
MOST_TRIES: Final = 10
"""Of one notification (ours)."""
ANSWER_SECONDS: Final = 30.0
"""Patience for an answer, and for a connection (ours)."""
LONGEST_PAUSE_SECONDS: Final = 2.0
"""Between two tries to connect (ours)."""
_LARGEST_ANSWER: Final = 64 * 1024
_ACCEPT: Final = "application/xml, application/json;q=0.5, application/yang-data+xml;q=0.3"


class Reply(NamedTuple):
    """One response."""

    status: int
    fields: Mapping[str, str]
    """Lower-case name -> value."""
    body: bytes

    @property
    def retry_seconds(self) -> float:
        """What Retry-After asks for, at most 5 s here."""
        text = self.fields.get("retry-after", "1")
        return min(float(text), 5.0) if text.isascii() and text.isdecimal() else 1.0


class _Post:
    """One notification until somebody took it or nobody will."""

    __slots__ = ("media_type", "octets", "tries")

    def __init__(self, octets: bytes, media_type: int) -> None:
        self.octets, self.media_type, self.tries = octets, media_type, 0


class HttpsNotifPublisher(RoadSender):
    """The way out of one publisher over HTTPS (``senders.Sender``)."""

    def __init__(self, address: str, receiver: Receiver) -> None:
        """
        Args:
            address: of the device, to connect from.
            receiver: path, media types and TLS; without a CA it is plain HTTP.

        Raises:
            ConfigError: a certificate cannot be read.
        """
        super().__init__(address, receiver)
        self._context = tls_context(receiver)

    def _open(self, to: tuple[str, int], dscp: int) -> _Road:
        return _Road(
            self._address,
            to,
            self._receiver,
            self._context,
            lambda up: self.on_reach(*to, up),
            dscp,
        )


class _Road:
    """The way to one receiver."""

    def __init__(
        self,
        local: str,
        to: tuple[str, int],
        receiver: Receiver,
        context: ssl.SSLContext | None,
        told: Callable[[bool], None],
        dscp: int,
    ) -> None:
        self._local, self._to, self._receiver, self._context = local, to, receiver, context
        self._queue: deque[_Post] = deque()
        """To be sent."""
        self._sent: deque[_Post] = deque()
        """On the way, not answered."""
        self._known: frozenset[MediaType] | None = None
        """What the receiver takes; None: it has to be asked."""
        self._news = asyncio.Event()
        self.refused = 0
        self._told = told
        self._dscp = dscp
        self._failures = 0
        """Connections in a row that came to nothing; one may just have been idle for too long."""
        self._task = asyncio.get_running_loop().create_task(self._keep_on())

    @property
    def waiting(self) -> int:
        return len(self._queue) + len(self._sent)

    def put(self, octets: bytes, media_type: int, dscp: int) -> None:
        assert dscp == self._dscp, "each has a road of its own"
        if len(self._queue) >= MOST_QUEUED:
            self._queue.popleft()
            self.refused += 1
        self._queue.append(_Post(octets, media_type))
        self._news.set()

    def close(self) -> None:
        self._task.cancel()
        self.refused += self.waiting
        self._queue.clear()
        self._sent.clear()

    # ------------------------------------------------------------------ the connection
    async def _keep_on(self) -> None:
        pause = 0.1
        while True:
            await self._wait_for_news()
            try:
                await self._one_connection()
                pause = 0.1
            except (OSError, EOFError, WireError, TimeoutError, asyncio.LimitOverrunError):
                self._known = None
                self._again(self._sent)
                self._failures += 1
                if self._failures > 1:
                    self._told(False)
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE_SECONDS)

    async def _wait_for_news(self) -> None:
        while not self._queue:
            self._news.clear()
            await self._news.wait()

    async def _one_connection(self) -> None:
        """Send until the connection ends. Raises as its calls."""
        name = self._receiver.tls.server_name or self._to[0]
        async with asyncio.timeout(ANSWER_SECONDS):
            connected = await connect_marked(self._local, self._to, self._dscp)
            reader, writer = await asyncio.open_connection(
                sock=connected, limit=_LARGEST_ANSWER, ssl=self._context,
                server_hostname=name if self._context else None,
            )  # fmt: skip
        try:
            while True:
                if self._known is None:
                    await self._ask(reader, writer)
                if not await self._exchange(reader, writer):
                    return
                await self._wait_for_news()
        finally:
            writer.close()

    async def _ask(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Learn what the receiver can do; one that does not say can try everything."""
        writer.write(self._request("GET", wire.CAPABILITIES, {"Accept": _ACCEPT}))
        reply = await read_reply(reader)
        if reply.status == 200:
            content_type = reply.fields.get("content-type", "")
            uris = wire.decode_capabilities(reply.body, content_type)
            self._known = wire.encodings_of(uris)
        else:
            self._known = frozenset(MediaType)

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Post what waits, some at a time; whether the connection can go on."""
        while self._queue or self._sent:
            while self._queue and self._known is not None and len(self._sent) < IN_PIPELINE:
                self._post(writer, self._queue.popleft())
            if not self._sent:
                return True  # nothing can be sent, or after an error, it is asked again
            await writer.drain()
            reply = await read_reply(reader)
            pause = self._answered(self._sent.popleft(), reply)
            if reply.fields.get("connection", "").lower() == "close":
                self._again(self._sent)
                return False
            if pause:
                await asyncio.sleep(pause)
        return True

    def _post(self, writer: asyncio.StreamWriter, post: _Post) -> None:
        if self._known is not None and post.media_type not in self._known:
            self.refused += 1
            return
        post.tries += 1
        table = wire.YANG_DATA_CONTENT_TYPES if self._receiver.yang_data else wire.CONTENT_TYPES
        fields = {"Content-Type": table[MediaType(post.media_type)]}
        writer.write(self._request("POST", wire.RELAY_NOTIFICATION, fields, post.octets))
        self._sent.append(post)

    def _answered(self, post: _Post, reply: Reply) -> float:
        """Seconds to wait before anything else is sent."""
        if 200 <= reply.status < 300:
            self._failures = 0
            self._told(True)
            return 0.0
        self._known = None
        if reply.status >= 500:
            self._again(deque([post]))
            return reply.retry_seconds
        self.refused += 1
        return 0.0

    def _again(self, posts: deque[_Post]) -> None:
        """In front of the others, unless they were tried too often."""
        while posts:
            post = posts.pop()
            if post.tries >= MOST_TRIES:
                self.refused += 1
            else:
                self._queue.appendleft(post)

    def _request(
        self, method: str, resource: str, fields: Mapping[str, str], body: bytes = b""
    ) -> bytes:
        host, port = self._to
        shown = f"[{host}]" if ":" in host else host
        lines = [f"{method} {self._receiver.path.rstrip('/')}{resource} HTTP/1.1"]
        lines += [f"Host: {shown}:{port}", *(f"{name}: {value}" for name, value in fields.items())]
        if body:
            lines.append(f"Content-Length: {len(body)}")
        return "\r\n".join((*lines, "", "")).encode() + body


async def read_reply(reader: asyncio.StreamReader) -> Reply:
    """One response of HTTP/1.1, provisional ones left aside.

    Raises:
        EOFError, TimeoutError, asyncio.LimitOverrunError, OSError: it did not come as a whole.
        WireError: ``bad-answer``.
    """
    async with asyncio.timeout(ANSWER_SECONDS):
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            first, *lines = head[:-4].split("\r\n")
            words = first.split(" ", 2)
            if len(words) < 2 or not words[0].startswith("HTTP/1.") or not words[1].isdecimal():
                raise WireError("bad-answer", "no response of HTTP/1.1")
            status = int(words[1])
            if status >= 200:
                break
        fields = {}
        for line in lines:
            name, _, value = line.partition(":")
            fields[name.strip().lower()] = value.strip()
        length = fields.get("content-length", "0")
        if not length.isdecimal() or int(length) > _LARGEST_ANSWER:
            raise WireError("bad-answer", "a response without a length, or too long")
        body = b"" if status == 204 else await reader.readexactly(int(length))
    return Reply(status, fields, body)


def tls_context(receiver: Receiver) -> ssl.SSLContext | None:
    """How to verify the receiver and what to show it; None without a CA: plain HTTP.

    Raises:
        ConfigError: a file cannot be used.
    """
    tls = receiver.tls
    if not tls.ca:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    for key, path in (("ca", tls.ca), ("certificate", tls.certificate)):
        try:
            if key == "ca":
                context.load_verify_locations(path)
            elif path:
                context.load_cert_chain(path, tls.key, password=lambda: "")
        except (OSError, ValueError) as error:
            sentence = f"{path} cannot be used: {error}"
            raise ConfigError(sentence, key=f"receiver.tls.{key}") from None
    return context
