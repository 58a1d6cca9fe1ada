"""The HTTPS-notif receiver: notifications that publishers post, acknowledged when they are safe.

Does: listen, bound connections and memory, hand over what came in one turn of the event loop as one
batch, answer 204 once the journal has committed it, say what we can do, look after time-outs and
certificates. Does not: parse HTTP (``https.connection``), or decide how TLS is done (``tls``).

Rules:
* 204 means that the record survives a power failure. A notification that cannot be decoded is
  journalled as well, since a period may be short of it, and answered 400 with the reason.
* While the intake is full the answer is 503 with Retry-After; nothing is kept here.
* What a peer makes grow is bounded: connections, those of one address, octets of unfinished
  requests, requests in a pipeline, time.

Spec: draft-ietf-netconf-https-notif-15 §3 and what is known of -16; RFC 9110; RFC 9112.
"""

from __future__ import annotations

import asyncio
import logging
from array import array
from collections.abc import Mapping, Sequence
from typing import Any, Final

from collector.config import HttpsNotifSettings, TlsServerSettings
from collector.errors import IntakeFullError, WireError
from collector.interfaces import Clock, Intake
from collector.listening import accept_no_more
from collector.model import Coded, Octets, ReceivedBatch, RecordKind, Transport
from collector.receivers.each_second import EachSecond
from collector.receivers.https.answers import Answers
from collector.receivers.https.connection import Answer, Connection
from collector.receivers.https.guests import LINGER_SECONDS, Guests
from collector.receivers.https.requests import Paths, Refusal
from collector.receivers.refusals import Refusals
from collector.receivers.sockets.tcp import open_listener
from collector.receivers.tls.server import ServerTls
from collector.wire import https_notif as wire

DEFAULT_PORT: Final = 10443
"""Ours; the draft assigns none."""
_STOP_SECONDS: Final = 5.0
"""How long a stop waits for commits and for peers to hear their answers (ours)."""
_BUFFER: Final = 64 << 10

_log = logging.getLogger(__name__)


class _Waiting:
    """Whole notifications of one turn of the loop."""

    __slots__ = ("answers", "media_types", "payloads")

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self.media_types = array("H")
        self.payloads: list[bytes] = []

    def batch(self, now: int) -> ReceivedBatch:
        """As records that arrived now."""
        count, batch = len(self.answers), ReceivedBatch()
        connections = [answer.connection for answer in self.answers]
        batch.received_at = array("q", [now]) * count
        batch.kind = array("B", [RecordKind.DATA]) * count
        batch.transport = array("B", [Transport.HTTPS_NOTIF]) * count
        batch.session = Coded.of([connection.session for connection in connections])
        batch.peer = Coded.of([connection.peer for connection in connections])
        batch.port = array("H", [connection.port for connection in connections])
        batch.version = array("B", bytes(count))
        batch.flags = array("B", bytes(count))
        batch.media_type = self.media_types
        batch.publisher_id = array("I", bytes(4 * count))
        batch.message_id = array("I", bytes(4 * count))
        batch.segments = array("H", [1]) * count
        batch.options = Octets.empty(count)
        batch.payload = Octets.of(self.payloads)
        return batch


class HttpsNotifReceiver:
    """Receives HTTPS-notif on one address (``interfaces.Receiver``). Used on one event loop."""

    name = "https-notif"
    title = "HTTPS"
    settings = HttpsNotifSettings
    behind = False
    """What waits in sockets was acknowledged to nobody, so time may be told (``Receiver``)."""
    reads_ahead = False

    def __init__(
        self,
        intake: Intake,
        clock: Clock,
        *,
        address: str = "127.0.0.1",
        port: int = DEFAULT_PORT,
        path: str = "/yang-push",
        plain_http: bool = False,
        max_message_bytes: int = 1 << 20,
        max_connections: int = 10_000,
        idle_timeout_seconds: float = 600.0,
        request_timeout_seconds: float = 30.0,
        **tls: Any,
    ) -> None:
        """The keywords are the keys of ``[https_notif]`` (``config.HttpsNotifSettings``), ``tls``
        those of them about certificates; 0 as ``port`` is any free one, see ``local_port``."""
        self._intake, self._clock = intake, clock
        self._address, self._port = address, port
        path = path.rstrip("/")
        self.paths = Paths(
            relay=(path + wire.RELAY_NOTIFICATION).encode(),
            capabilities=(path + wire.CAPABILITIES).encode(),
            max_message=max_message_bytes,
        )
        self.refusals = Refusals(self.name)
        """Connections that were refused or given up."""
        self._guests = Guests(
            self.refusals,
            most=max_connections,
            idle_seconds=idle_timeout_seconds,
            request_seconds=request_timeout_seconds,
            max_message=max_message_bytes,
        )
        self._answers = Answers(clock.now)
        self.tls: ServerTls | None = None
        if not plain_http:
            files = TlsServerSettings(**tls)
            self.tls = ServerTls(
                files, section="https_notif", alpn=("http/1.1",), refusals=self.refusals
            )
        self.buffer = bytearray(_BUFFER)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._server: asyncio.Server | None = None
        self._housekeeping = EachSecond(self._keep_house)
        self._waiting = _Waiting()
        self._committing: set[asyncio.Task[None]] = set()
        self._full = False
        """The last batch was not taken."""
        self._faults = 0
        self.messages = 0
        """Handed over."""
        self.local_port = 0
        """The port that we listen on, once started."""

    def stats(self) -> dict[str, int]:
        """All counters under fixed words; ``answered/S`` by status, ``refused/R`` by reason."""
        return {
            "messages": self.messages,
            "connections": len(self._guests.connections),
            "certificate-expiry": 0 if self.tls is None else self.tls.expiry,
            **{f"answered/{status}": count for status, count in self._answers.counts.items()},
            **{f"refused/{reason}": count for reason, count in self.refusals.counts.items()},
        }

    @property
    def listening(self) -> bool:
        """Whether the socket is open."""
        return self._server is not None

    # ------------------------------------------------------------------ life
    async def start(self) -> None:
        """Return when listening.

        Raises:
            ConfigError: the address or a certificate cannot be used.
        """
        if self._server is not None:
            return
        if self.tls is not None:
            self.tls.load()
        loop = self._loop = asyncio.get_running_loop()
        listener = open_listener(self._address, self._port, section="https_notif")
        self.local_port = listener.getsockname()[1]
        self._server = await loop.create_server(lambda: Connection(self, loop), sock=listener)
        self._housekeeping.start()

    def drain(self) -> int:
        """Hand over what was received as a whole; returns the records taken."""
        return self._hand_over()

    def reload_certificates(self) -> None:
        """Read certificate, key and authorities again, changed or not."""
        if self.tls is not None:
            self.tls.reload()

    async def stop(self) -> None:
        """Hand over the rest, answer what gets safe in time, and close."""
        if self._server is None:
            return
        server, self._server = self._server, None
        await accept_no_more(server.sockets)
        server.close()
        self._housekeeping.stop()
        self._hand_over()
        if self._committing:
            await asyncio.wait(self._committing, timeout=_STOP_SECONDS)
        open_yet = self._guests.connections
        for connection in list(open_yet):
            connection.close()
        try:
            async with asyncio.timeout(LINGER_SECONDS):
                while open_yet:
                    await asyncio.sleep(0.01)
        except TimeoutError:
            pass
        for connection in list(open_yet):
            connection.abort()
        for task in self._committing:
            task.cancel()
        await asyncio.sleep(0)  # aborted transports say so in the next turn

    # ------------------------------------------------------------------ what connections ask
    def opened(self, connection: Connection) -> bool:
        """See ``Owner``, as the others."""
        return self._guests.opened(connection)

    def closed(self, connection: Connection) -> None:
        self._guests.closed(connection)

    def hold(self, octets: int) -> bool:
        return self._guests.hold(octets)

    def refuse(self, reason: str, peer: str, sentence: str) -> None:
        self._guests.refuse(reason, peer, sentence)

    def answer(self, refusal: Refusal, *, closes: bool) -> bytes:
        return self._answers.refusal(refusal, closes=closes)

    def capabilities(self, accept: str | None, *, closes: bool, head: bool) -> bytes:
        return self._answers.capabilities(accept, closes=closes, head=head)

    # ------------------------------------------------------------------ handing over
    def take(self, answer: Answer, media_type: int, payload: bytes) -> None:
        """See ``Owner``."""
        waiting = self._waiting
        if not waiting.answers and self._loop is not None:
            self._loop.call_soon(self._hand_over)  # after all that can be read now
        waiting.answers.append(answer)
        waiting.media_types.append(media_type)
        waiting.payloads.append(payload)

    def _hand_over(self) -> int:
        """Give what waits to the intake; returns the records taken."""
        waiting = self._waiting
        if not waiting.answers or self._loop is None:
            return 0
        self._waiting = _Waiting()
        batch = waiting.batch(self._clock.now())
        try:
            offset = self._intake.take(batch)
        except IntakeFullError as error:
            self._is_full(error, waiting.answers)
            return 0
        except Exception:  # noqa: BLE001 - said by _failed
            self._failed(waiting.answers)
            return 0
        if self._full:
            self._full = False
            _log.warning("https-notif: notifications are taken again")
        self.messages += len(batch)
        refused: Mapping[int, WireError] = getattr(self._intake, "unreadable", {})
        task = self._loop.create_task(self._acknowledge(waiting.answers, refused, offset))
        self._committing.add(task)
        task.add_done_callback(self._committing.discard)
        return len(batch)

    def _is_full(self, error: IntakeFullError, answers: Sequence[Answer]) -> None:
        if not self._full:
            self._full = True
            _log.warning("https-notif: publishers are told to come back later (503): %s", error)
        for answer in answers:
            answer.octets = self._answers.full(closes=answer.closes)
        _flush(answers)

    def _failed(self, answers: Sequence[Answer]) -> None:
        """A fault of ours; the publishers keep what they have, and send it again."""
        self._faults += 1
        if self._faults & (self._faults - 1) == 0:  # 1, 2, 4, 8, ...: no flood
            _log.exception("https-notif: a batch could not be taken (%d times)", self._faults)
        for answer in answers:
            answer.octets = self._answers.failed(closes=answer.closes)
        _flush(answers)

    async def _acknowledge(
        self, answers: Sequence[Answer], refused: Mapping[int, WireError], offset: int
    ) -> None:
        """Answer when the records are safe."""
        try:
            await self._intake.committed(offset)
        except IntakeFullError as error:
            self._is_full(error, answers)
            return
        except Exception:  # noqa: BLE001 - said by _failed
            self._failed(answers)
            return
        taken, taken_last = self._answers.taken(), self._answers.taken(closes=True)
        for answer in answers:
            answer.octets = taken_last if answer.closes else taken
        for row, why in refused.items():
            answers[row].octets = self._answers.unreadable(why, closes=answers[row].closes)
        self._answers.count(204, len(answers) - len(refused))
        _flush(answers)

    def _keep_house(self) -> None:
        """Once a second: who takes too long, and are there new certificates?"""
        if self.tls is not None:
            self.tls.look()
        self._guests.look(asyncio.get_running_loop().time())


def _flush(answers: Sequence[Answer]) -> None:
    """Send what is known now: a connection sends all of its answers at its first one here."""
    for answer in answers:
        answer.connection.flush()
