"""What master and agents say to each other, as messages of the gRPC stream between them.

Does: ``cards.channel``'s values to those of ``agent_channel.proto`` and back. Does not: carry them
(``agent_channel`` does). Rule: a message of a kind that is not known is none.
"""

from __future__ import annotations

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
