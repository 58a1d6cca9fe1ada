"""Packets of a capture -> messages, and what the capture says about periods.

Does: put segments together, read envelopes. Datagrams that are no UDP-notif message are left
out and counted by reason, and so are messages that are half there.
"""

from __future__ import annotations

from collections import Counter as Count
from collections.abc import Iterable

from collector.errors import WireError
from collector.model import Notification, NotificationKind
from collector.wire.captures.packets import UdpPacket
from collector.wire.notifications import notification
from collector.wire.udp_notif.datagrams import Header, decode_header
from publisher_sim.distort.messages import SECOND, Captured, Message

UPDATES = (NotificationKind.PUSH_UPDATE, NotificationKind.PUSH_CHANGE_UPDATE)
WINDOW = 10 * SECOND
"""ns within which the segments of a message come."""
MAX_HALF = 4096
"""Messages of which some segments were seen."""

Key = tuple[str, int, int, int]
Part = tuple[UdpPacket, Header]


class Reader:
    """Reads one capture; ``left_out`` and ``periods`` are filled while it does."""

    def __init__(self) -> None:
        self.left_out: Count[str] = Count()
        """reason -> datagrams or messages that are not in the result."""
        self.periods: dict[int, int] = {}
        """subscription id -> ns, as its subscription-started or -modified says."""
        self._half: dict[Key, dict[int, Part]] = {}

    def read(self, packets: Iterable[UdpPacket]) -> list[Message]:
        """All whole messages in order of arrival."""
        found = []
        for packet in sorted(packets, key=lambda one: one.time_ns):
            try:
                header = decode_header(packet.payload)
                parts = self._whole(packet, header)
                if parts is not None:
                    found.append(self._message(parts))
            except WireError as error:
                self.left_out[error.reason] += 1
        self.left_out["half-built"] += len(self._half)
        self.left_out += Count()  # without zeros
        found.sort(key=lambda one: one.at)
        for place, one in enumerate(found):
            one.number = place
        return found

    def _whole(self, packet: UdpPacket, header: Header) -> list[Part] | None:
        """The datagrams of the message that this one completes, in order."""
        if header.segment is None:
            return [(packet, header)]
        key = (packet.source, packet.source_port, header.publisher_id, header.message_id)
        had = self._half.setdefault(key, {})
        if had and packet.time_ns - next(iter(had.values()))[0].time_ns > WINDOW:
            self.left_out["half-built"] += 1
            had.clear()
        had[header.segment.number] = packet, header
        numbers = sorted(had)
        last = had[numbers[-1]][1].segment
        if last is not None and last.last and len(had) == last.number + 1:
            del self._half[key]
            return [had[number] for number in numbers]
        if len(self._half) > MAX_HALF:
            del self._half[next(iter(self._half))]
            self.left_out["half-built"] += 1
        return None

    def _message(self, parts: list[Part]) -> Message:
        first, header = parts[0]
        at = max(packet.time_ns for packet, _ in parts)
        payload = b"".join(packet.payload[one.header_length :] for packet, one in parts)
        heard = notification.decode(payload, header.media_type)
        self._note_period(heard)
        captured = Captured(
            payload,
            header.media_type,
            first.destination,
            first.destination_port,
            header.private_space,
            header.options,
            max(len(packet.payload) for packet, _ in parts),
            tuple(packet.time_ns - at for packet, _ in parts),
            header.publisher_id,
            header.message_id,
            heard.subscription_id,
            heard.generator,
            heard.event_time,
            heard.observation_time,
        )
        return Message(
            at=at,
            source=first.source,
            port=first.source_port,
            publisher_id=header.publisher_id,
            message_id=header.message_id,
            subscription_id=heard.subscription_id,
            generator=heard.generator or str(header.publisher_id),
            event_time=heard.event_time,
            observation_time=heard.observation_time,
            update=heard.kind in UPDATES,
            on_change=heard.kind is NotificationKind.PUSH_CHANGE_UPDATE,
            datagrams=len(parts),
            captured=captured,
        )

    def _note_period(self, heard: Notification) -> None:
        said = heard.state_change
        if said is None or said.terms is None or heard.subscription_id is None:
            return
        if said.terms.period is not None:
            self.periods[heard.subscription_id] = said.terms.period
