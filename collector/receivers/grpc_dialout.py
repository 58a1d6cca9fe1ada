"""The gRPC dial-out receiver: streams of telemetry that devices open, Cisco's and Huawei's.

Does: serve the methods, take telemetry out of their messages, hand over what came together as one
batch, stop reading while too much is on its way. Does not: decode telemetry, or put chunks together
(``wire.dialout``); run TLS (``dialout.front``).

Rules:
* These streams have no acknowledgement but that we read on. So only so much is read ahead of what
  the journal has committed (``read_ahead``); then nobody is read from, the library's flow control
  stops the devices, and nothing grows here. A stream ends with OK when all of it is committed.
* Who sends what is no telemetry is cut off (INVALID_ARGUMENT); a piece that does not fit is counted
  and forgotten.

Spec: no standard; services and messages are the vendors' (``wire/dialout/*.proto``). The gRPC
library's bytes stay bytes (no deserializer).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final
from urllib.parse import unquote

import grpc
import grpc.aio

from collector.config import GrpcDialoutSettings, TlsServerSettings
from collector.errors import ConfigError, WireError
from collector.interfaces import Clock, Intake
from collector.model import Transport
from collector.receivers.dialout.front import GrpcFront
from collector.receivers.dialout.read_ahead import ReadAhead, Who
from collector.receivers.each_second import EachSecond
from collector.receivers.refusals import Refusals
from collector.receivers.sockets.tcp import open_listener
from collector.receivers.tls.server import ServerTls
from collector.wire.dialout.streams import (
    DATA_PUBLISH,
    DATA_PUBLISH_OLD,
    MDT_DIALOUT,
    CiscoStream,
    HuaweiStream,
)

DEFAULT_PORT: Final = 10057
"""Ours; devices are told which."""
_STREAMS_OF_ONE: Final = 1000
"""Streams of one connection (ours); a device has one for each of its subscriptions."""
_ARGUMENTS: Final = 65_536
"""Octets of a message of the stream beside its data (ours)."""

Stream = CiscoStream | HuaweiStream
_log = logging.getLogger(__name__)


class GrpcDialoutReceiver:
    """Receives gRPC dial-out on one address (``interfaces.Receiver``). Used on one event loop."""

    name = "grpc-dialout"
    title = "gRPC"
    settings = GrpcDialoutSettings
    reads_ahead = True
    """What the intake did not take is kept (``read_ahead``)."""

    def __init__(
        self,
        intake: Intake,
        clock: Clock,
        *,
        address: str = "127.0.0.1",
        port: int = DEFAULT_PORT,
        plaintext: bool = False,
        insecure: bool = False,
        max_message_bytes: int = 4 << 20,
        max_streams: int = 10_000,
        **tls: Any,
    ) -> None:
        """The keywords are the keys of ``[grpc_dialout]`` (``config.GrpcDialoutSettings``), ``tls``
        those of them about certificates; 0 as ``port`` is any free one, see ``local_port``."""
        del insecure  # what it allows was checked with the configuration
        self._ahead = ReadAhead(intake, clock, self.name, Transport.GRPC_DIALOUT)
        self._address, self._port = address, port
        self._limit = max_message_bytes
        self._most = max_streams
        self.refusals = Refusals(self.name)
        """Connections and streams that were refused."""
        self.troubles = Refusals(self.name)
        """Messages that could not be used, and what devices say is wrong."""
        self.tls: ServerTls | None = None
        if not plaintext:
            files = TlsServerSettings(**tls)
            self.tls = ServerTls(
                files, section="grpc_dialout", alpn=("h2",), refusals=self.refusals
            )
        self._front: GrpcFront | None = None
        self._server: Any = None
        self._housekeeping = EachSecond(self._keep_house)
        self.streams = 0
        """Open ones."""
        self.local_port = 0
        """The port that we listen on, once started."""

    @property
    def behind(self) -> bool:
        """See ``interfaces.Receiver``: what the intake did not take is older than now."""
        return self._ahead.is_full

    @property
    def listening(self) -> bool:
        """Whether devices can connect."""
        return self._server is not None

    def stats(self) -> dict[str, int]:
        """All counters under fixed words; ``refused/R`` and ``rejected/R`` by reason."""
        return {
            "messages": self._ahead.messages,
            "connections": self.streams if self._front is None else self._front.connections,
            "certificate-expiry": 0 if self.tls is None else self.tls.expiry,
            **{f"refused/{reason}": count for reason, count in self.refusals.counts.items()},
            **{f"rejected/{reason}": count for reason, count in self.troubles.counts.items()},
        }

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
        self._ahead.open(asyncio.get_running_loop())
        listener = open_listener(self._address, self._port, section="grpc_dialout")
        self.local_port = listener.getsockname()[1]
        server = grpc.aio.server(
            options=(
                ("grpc.max_receive_message_length", self._limit + _ARGUMENTS),
                ("grpc.so_reuseport", 0),
                ("grpc.max_concurrent_streams", _STREAMS_OF_ONE),
            )
        )
        server.add_generic_rpc_handlers((_Methods(self._serve),))
        if self.tls is None:
            listener.close()  # it said whether the address can be used; the library has its own
            self._listen(server, _target(self._address, self.local_port))
        else:
            self._front = GrpcFront(self.tls, most=self._most)
            self._listen(server, self._front.target)
        await server.start()
        if self._front is not None:
            await self._front.start(listener)
        self._server = server
        self._housekeeping.start()

    def _listen(self, server: Any, target: str) -> None:
        try:
            bound = server.add_insecure_port(target)
        except RuntimeError as error:
            bound = 0
            _log.debug("grpc-dialout: %s", error)
        if not bound:
            raise ConfigError(
                f"cannot listen on {self._address} port {self.local_port}",
                key="grpc_dialout.port",
                allowed="a free port of ours",
            )

    def drain(self) -> int:
        """Hand over what was read; returns the records taken."""
        return self._ahead.hand_over()

    def reload_certificates(self) -> None:
        """Read certificate, key and authorities again, changed or not."""
        if self.tls is not None:
            self.tls.reload()

    async def stop(self) -> None:
        """Hand over the rest, and end all streams."""
        if self._server is None:
            return
        server, self._server = self._server, None
        if self._front is not None:
            await self._front.refuse_new()
        self._housekeeping.stop()
        self._ahead.hand_over()
        await server.stop(0)
        await self._ahead.close()
        if self._front is not None:
            await self._front.stop()
            self._front = None

    def _keep_house(self) -> None:
        """Once a second: are there new certificates?"""
        if self.tls is not None:
            self.tls.look()

    # ------------------------------------------------------------------ streams
    async def _serve(self, make: Callable[[int], Stream], _: Any, context: Any) -> None:
        """One stream, until the device ends it; ``make`` says what it is read with."""
        stream = make(self._limit)
        who = self._who(context)
        if self.streams >= self._most:
            self.refusals.add("too-many-streams", f"refused {who[0]}: there are too many streams")
            await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "too many streams")
        self.streams += 1
        ahead, read, receive, end = self._ahead, context.read, stream.receive, grpc.aio.EOF
        try:
            while (octets := await read()) is not end:  # runs once a message
                try:
                    payload, media_type, error = receive(octets)
                except WireError as refused:
                    await self._cannot_be_used(refused, who[0], context)
                    continue
                if error:
                    self.troubles.add("device-error", f"{who[0]} says: {error!r}")
                if payload:
                    ahead.add(payload, media_type, who)
                if ahead.is_far:
                    await ahead.room()
            await ahead.all_committed()
        finally:
            self.streams -= 1

    async def _cannot_be_used(self, error: WireError, peer: str, context: Any) -> None:
        """Count it; what is no such message at all ends the stream."""
        self.troubles.add(error.reason, f"{peer} sent what cannot be used: {error}")
        if error.reason == "bad-gpb":
            text = "this is no message of this method"
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, text)

    def _who(self, context: Any) -> Who:
        """Address, port and session of the device behind a stream."""
        name = unquote(context.peer())
        if self._front is not None:
            guest = self._front.guest(name)
            return ("", 0, "") if guest is None else (guest.peer, guest.port, guest.session)
        address, _, port = name.partition(":")[2].rpartition(":")
        address = address.strip("[]").removeprefix("::ffff:").partition("%")[0]
        return address, int(port) if port.isdecimal() else 0, ""


_STREAMS: Final[Mapping[str, Callable[[int], Stream]]] = {
    MDT_DIALOUT: CiscoStream,
    DATA_PUBLISH: HuaweiStream,
    DATA_PUBLISH_OLD: HuaweiStream,
}
"""method -> what its streams are read with."""


class _Methods(grpc.GenericRpcHandler):  # type: ignore[misc]  # grpc has no types
    """The methods that are served, octets in and out."""

    def __init__(self, serve: Callable[..., Any]) -> None:
        self._serve = serve

    def service(self, handler_call_details: Any) -> Any:
        """gRPC: who takes care of a call; None: nobody."""
        make = _STREAMS.get(handler_call_details.method)
        if make is None:
            return None
        return grpc.stream_stream_rpc_method_handler(partial(self._serve, make))


def _target(address: str, port: int) -> str:
    """An address as the library takes it."""
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
