"""The gRPC stream between the master and its agents, on a Unix socket.

Does: carry messages both ways, notice the end of a stream at once. Does not: know what is in them
(``agent_messages``), or what they mean. Rules: one stream an agent, its first message is
``Register``; what comes before it, or cannot be read, ends the stream. Queues are bounded; an agent
that does not read loses its stream. grpcio and fork do not go together, so agents are started by
exec (``device.crew``).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import grpc
import grpc.aio

from collector.errors import SessionError
from publisher_sim.cards.channel import FromAgent, Register, ToAgent
from publisher_sim.publishers import agent_channel_pb2 as pb
from publisher_sim.publishers.agent_messages import (
    read_from_agent,
    read_to_agent,
    write_from_agent,
    write_to_agent,
)

METHOD = "/publisher_sim.AgentChannel/Attach"
MAX_WAITING = 256
"""Messages that may wait for one agent; ours."""

OnMessage = Callable[[FromAgent], None]
OnLost = Callable[[str, str], None]
"""(card, run): its stream ended."""


# --------------------------------------------------------------------------- master's side
class ChannelServer:
    """Where agents attach; calls back from the event loop."""

    def __init__(self, on_message: OnMessage, on_lost: OnLost) -> None:
        self.target = ""
        """Where agents attach, once started."""
        self._on_message = on_message
        self._on_lost = on_lost
        self._server: grpc.aio.Server | None = None
        self._waiting: dict[str, asyncio.Queue[ToAgent | None]] = {}
        """card -> what its stream has to send; None ends it."""

    async def start(self, target: str) -> None:
        """Return when agents can attach at ``target`` (``unix:PATH``, at most 107 octets of it).

        Raises:
            SessionError: it cannot be bound.
        """
        server = grpc.aio.server()
        handler = grpc.stream_stream_rpc_method_handler(
            self._attach,
            request_deserializer=pb.FromAgent.FromString,
            response_serializer=pb.ToAgent.SerializeToString,
        )
        service, _, method = METHOD.strip("/").partition("/")
        handlers = grpc.method_handlers_generic_handler(service, {method: handler})
        server.add_generic_rpc_handlers((handlers,))
        try:
            server.add_insecure_port(target)
        except RuntimeError as error:
            raise SessionError(f"agents cannot attach at {target}", reason="bind") from error
        await server.start()
        self._server, self.target = server, target

    def tell(self, card: str, message: ToAgent) -> bool:
        """Queue a message; False when the agent is not there or does not read."""
        waiting = self._waiting.get(card)
        if waiting is None:
            return False
        if waiting.qsize() >= MAX_WAITING:
            waiting.put_nowait(None)
            return False
        waiting.put_nowait(message)
        return True

    async def stop(self) -> None:
        """End all streams. May be called twice, or without ``start``."""
        server, self._server = self._server, None
        for waiting in self._waiting.values():
            waiting.put_nowait(None)
        if server is not None:
            await server.stop(grace=0.5)

    async def _attach(
        self, requests: AsyncIterator[pb.FromAgent], context: grpc.aio.ServicerContext
    ) -> AsyncIterator[pb.ToAgent]:
        """One agent's stream."""
        del context
        first = await anext(aiter(requests), None)
        register = read_from_agent(first) if first is not None else None
        if not isinstance(register, Register):
            return
        waiting: asyncio.Queue[ToAgent | None] = asyncio.Queue()
        self._waiting[register.card] = waiting
        reading = asyncio.create_task(self._read(requests, waiting))
        try:
            self._on_message(register)
            while (message := await waiting.get()) is not None:
                yield write_to_agent(message)
        finally:
            reading.cancel()
            if self._waiting.get(register.card) is waiting:
                del self._waiting[register.card]
            self._on_lost(register.card, register.run)

    async def _read(
        self, requests: AsyncIterator[pb.FromAgent], waiting: asyncio.Queue[ToAgent | None]
    ) -> None:
        try:
            async for request in requests:
                message = read_from_agent(request)
                if message is not None:
                    self._on_message(message)
        except grpc.RpcError:
            pass  # the agent is gone, which is all there is to know
        finally:
            waiting.put_nowait(None)


# --------------------------------------------------------------------------- agent's side
class ChannelClient:
    """One agent's end of its stream."""

    def __init__(self, target: str) -> None:
        self._target = target
        self._sending: asyncio.Queue[FromAgent | None] = asyncio.Queue()

    def say(self, message: FromAgent) -> None:
        """Queue a message to the master."""
        if self._sending.qsize() < MAX_WAITING:
            self._sending.put_nowait(message)

    def close(self) -> None:
        """End the stream after what was said."""
        self._sending.put_nowait(None)

    async def messages(self) -> AsyncIterator[ToAgent]:
        """What the master says, until either side ends the stream."""
        async with grpc.aio.insecure_channel(self._target) as channel:
            attach = channel.stream_stream(
                METHOD,
                request_serializer=pb.FromAgent.SerializeToString,
                response_deserializer=pb.ToAgent.FromString,
            )
            try:
                async for reply in attach(self._requests()):
                    message = read_to_agent(reply)
                    if message is not None:
                        yield message
            except grpc.RpcError:
                return  # the master is gone: the caller stops as well

    async def _requests(self) -> AsyncIterator[pb.FromAgent]:
        while (message := await self._sending.get()) is not None:
            yield write_from_agent(message)
