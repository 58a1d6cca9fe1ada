"""The gRPC stream between the master and its agents: ``channel``'s messages on a Unix socket.

Does: carry them both ways, notice the end of a stream at once. Does not: interpret them. Rules:
one stream an agent, its first message is ``Register``; what comes before it, or cannot be read,
ends the stream. Queues are bounded; an agent that does not read loses its stream. grpcio and fork
do not go together, so agents are started by exec (``service``).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import grpc
import grpc.aio

from collector.errors import SessionError
from collector.model import OnChange, SelectionFilter
from publisher_sim.cards.channel import (
    ComponentSubscription,
    Count,
    Destination,
    EndComponent,
    Forward,
    FromAgent,
    Heartbeat,
    Register,
    ResyncComponent,
    Status,
    ToAgent,
)
from publisher_sim.data.entries import Node
from publisher_sim.publishers import agent_channel_pb2 as pb

METHOD = "/publisher_sim.AgentChannel/Attach"
MAX_WAITING = 256
"""Messages that may wait for one agent; ours."""

OnMessage = Callable[[FromAgent], None]
OnLost = Callable[[str, str], None]
"""(card, run): its stream ended."""


# --------------------------------------------------------------------------- values <-> messages
def read_to_agent(message: pb.ToAgent) -> ToAgent | None:
    """The value of a message from the master; None when it holds nothing that is known."""
    which = message.WhichOneof("message")
    if which == "end_component":
        end = message.end_component
        return EndComponent(end.subscription_id, end.suspended)
    if which == "resync_component":
        return ResyncComponent(message.resync_component.subscription_id)
    if which != "component_subscription":
        return None
    found = message.component_subscription
    return ComponentSubscription(
        subscription_id=found.subscription_id,
        period=found.period,
        anchor=found.anchor,
        encoding=found.encoding,
        nodes=tuple(Node(node.module, node.key) for node in found.nodes),
        selection=_read_filter(found.filter) if found.HasField("filter") else None,
        receiver_transport=found.receiver_transport,
        receiver_address=found.receiver_address,
        receiver_port=found.receiver_port,
        timeline_start=found.timeline_start,
        timeline_period=found.timeline_period,
        destinations=tuple(
            Destination(one.transport, one.address, one.port, one.path, one.max_segment_size)
            for one in found.destinations
        ),
        dscp=found.dscp,
        on_change=_read_on_change(found.on_change) if found.HasField("on_change") else None,
        resumed=found.resumed,
    )


def _read_on_change(found: pb.OnChange) -> OnChange:
    return OnChange(found.dampening_period, found.sync_on_start, tuple(found.excluded_change))


def _write_on_change(wanted: OnChange | None) -> pb.OnChange | None:
    if wanted is None:
        return None
    return pb.OnChange(
        dampening_period=wanted.dampening_period,
        sync_on_start=wanted.sync_on_start,
        excluded_change=wanted.excluded_change,
    )


def _read_filter(found: pb.Filter) -> SelectionFilter:
    return SelectionFilter(found.kind, found.text, dict(found.namespaces))


def _write_filter(wanted: SelectionFilter | None) -> pb.Filter | None:
    if wanted is None:
        return None
    return pb.Filter(kind=wanted.kind, text=wanted.text, namespaces=wanted.namespaces)


def write_to_agent(message: ToAgent) -> pb.ToAgent:
    """A value as a message to an agent."""
    if isinstance(message, EndComponent):
        end = pb.EndComponent(subscription_id=message.subscription_id, suspended=message.suspended)
        return pb.ToAgent(end_component=end)
    if isinstance(message, ResyncComponent):
        resync = pb.ResyncComponent(subscription_id=message.subscription_id)
        return pb.ToAgent(resync_component=resync)
    return pb.ToAgent(
        component_subscription=pb.ComponentSubscription(
            subscription_id=message.subscription_id,
            period=message.period,
            anchor=message.anchor,
            encoding=message.encoding,
            nodes=[pb.Node(module=node.module, key=node.key) for node in message.nodes],
            filter=_write_filter(message.selection),
            receiver_transport=message.receiver_transport,
            receiver_address=message.receiver_address,
            receiver_port=message.receiver_port,
            timeline_start=message.timeline_start,
            timeline_period=message.timeline_period,
            destinations=[
                pb.Destination(
                    transport=one.transport,
                    address=one.address,
                    port=one.port,
                    path=one.path,
                    max_segment_size=one.max_segment_size,
                )
                for one in message.destinations
            ],
            dscp=message.dscp,
            on_change=_write_on_change(message.on_change),
            resumed=message.resumed,
        )
    )


def read_from_agent(message: pb.FromAgent) -> FromAgent | None:
    """The value of a message from an agent; None when it holds nothing that is known."""
    which = message.WhichOneof("message")
    if which == "register":
        one = message.register
        return Register(
            one.card, one.run, tuple(one.encodings), one.minimum_period, one.external_connectivity
        )
    if which == "status":
        state = message.status
        return Status(state.card, state.subscription_id, state.state, state.detail)
    if which == "forward":
        piece = message.forward
        return Forward(
            piece.card, piece.subscription_id, piece.run, piece.message_id, piece.number,
            piece.due, piece.octets,
        )  # fmt: skip
    if which == "count":
        count = message.count
        return Count(count.card, count.subscription_id, count.sent, count.excluded)
    return Heartbeat(message.heartbeat.card) if which == "heartbeat" else None


def write_from_agent(message: FromAgent) -> pb.FromAgent:
    """A value as a message to the master."""
    match message:
        case Register():
            register = pb.Register(
                card=message.card,
                run=message.run,
                encodings=message.encodings,
                minimum_period=message.minimum_period,
                external_connectivity=message.external_connectivity,
            )
            return pb.FromAgent(register=register)
        case Status():
            status = pb.Status(
                card=message.card,
                subscription_id=message.subscription_id,
                state=message.state,
                detail=message.detail,
            )
            return pb.FromAgent(status=status)
        case Forward():
            forward = pb.Forward(
                card=message.card,
                subscription_id=message.subscription_id,
                run=message.run,
                message_id=message.message_id,
                number=message.number,
                due=message.due,
                octets=message.octets,
            )
            return pb.FromAgent(forward=forward)
        case Count():
            count = pb.Count(
                card=message.card,
                subscription_id=message.subscription_id,
                sent=message.sent,
                excluded=message.excluded,
            )
            return pb.FromAgent(count=count)
        case Heartbeat():
            return pb.FromAgent(heartbeat=pb.Heartbeat(card=message.card))


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
