"""Records: what receivers hand up and the journal keeps, as columns of equal length.

Does not: say what the payload of our own kinds of record holds (``notes``). The numbers of the
enumerations are stored in journals, so none is ever renumbered.
Spec: draft-ietf-netconf-udp-notif-26 §3.2, §8.1.1.
"""

from __future__ import annotations

import enum
from array import array
from collections.abc import Mapping

from collector.model.columns import Coded, Octets


class MediaType(enum.IntEnum):
    """What a payload is: below 256 ``MT`` of draft-ietf-netconf-udp-notif-26 §8.1.1 with S=0, from
    256 on the messages of gRPC dial-out, which have no such number; others stay plain ints."""

    YANG_DATA_JSON = 1
    YANG_DATA_XML = 2
    YANG_DATA_CBOR = 3
    CISCO_GPB = 256
    """``Telemetry`` with self-describing (key/value) rows."""
    CISCO_JSON = 257
    HUAWEI_GPB = 258
    """``Telemetry`` with rows of a compact message."""
    HUAWEI_JSON = 259


class Transport(enum.IntEnum):
    """How a record reached us; stored as a number in the journal, so never renumber."""

    NONE = 0
    UDP_NOTIF = 1
    NETCONF = 2
    HTTPS_NOTIF = 3
    GRPC_DIALOUT = 4


FIRST_FURTHER_TRANSPORT = 128
"""From here to 255: receivers of other packages; which one has which, a CONFIG record says."""


def transport_names(further: Mapping[int, str]) -> dict[int, str]:
    """Number -> name as people know it, as in ``udp-notif``; ``further``: those of other
    packages."""
    ours = {int(one): one.name.lower().replace("_", "-") for one in Transport if one}
    return ours | dict(further)


class RecordKind(enum.IntEnum):
    """What one journal record is; stored, so never renumber."""

    DATA = 0
    """A whole notification message; payload as received."""
    UNREASSEMBLED = 1
    """Segments of a message that is still half built; payload: ``UnreassembledNote``."""
    REJECTED = 2
    """A datagram refused before its payload was looked at; payload: ``RejectedNote``."""
    REQUEST = 3
    """An RPC that we sent; payload: ``RpcNote``."""
    REPLY = 4
    """The answer to an RPC; payload: ``RpcNote``."""
    SESSION_UP = 5
    """payload: ``SessionNote``."""
    SESSION_DOWN = 6
    """payload: ``SessionNote``."""
    COLLECTOR_START = 7
    COLLECTOR_STOP = 8
    CONFIG = 9
    """payload: the engine's settings as JSON, secrets removed."""
    DROPS = 10
    """Our own kernel or queue dropped; payload: ``DropsNote``."""
    TICK = 11
    """Nothing arrived, but we were listening; also what lets timers run again on replay."""
    CLOCK = 12
    """The machine's clock was moved, and ours with it if forward; payload: ``ClockNote``."""
    PAUSE = 13
    """There was no room for a while; what waited follows late; payload: ``PauseNote``."""


FLAG_PRIVATE = 1
"""``flags``: the S bit, the media type is of the private space."""
PRIVATE_SPACE = 0x10
"""Added to a media type of the private space where encodings are looked up (udp-notif-26 §3.2)."""
FLAG_IDS = 2
"""``flags``: publisher_id and message_id were in the transport header."""

CERTIFICATE_SESSION = "certificate:"
"""``session`` of records that came over TLS or DTLS begins with it, then the name in the verified
certificate of who sent them; no management session is called like this."""


class ReceivedBatch:
    """One batch of records, as columns of equal length; what receivers hand up and journals keep.

    A column has one entry a record and, but for text, one machine type: it is the memory that the
    journal writes. Whoever builds a batch fills every column; nobody changes it after it was handed
    over.
    """

    # the order is that of the journal's columns
    __slots__ = (  # noqa: RUF023
        "received_at", "kind", "transport", "session", "peer", "port", "version", "flags",
        "media_type", "publisher_id", "message_id", "segments", "options", "payload",
    )  # fmt: skip

    def __init__(self) -> None:
        self.received_at: array[int] = array("q")
        """CollectorTime, ns; never decreases within a journal."""
        self.kind: array[int] = array("B")
        """``RecordKind``."""
        self.transport: array[int] = array("B")
        """``Transport``."""
        self.session: Coded[str] = Coded()
        """Management session the record belongs to, or ``CERTIFICATE_SESSION`` and a name; else
        empty."""
        self.peer: Coded[str] = Coded()
        """Source address as text, IPv4-mapped IPv6 written as IPv4; empty for our own records."""
        self.port: array[int] = array("H")
        """Source port, 0 when there is none."""
        self.version: array[int] = array("B")
        """Header version of the transport."""
        self.flags: array[int] = array("B")
        """Bits ``FLAG_*``."""
        self.media_type: array[int] = array("H")
        """``MediaType``, or the number as received."""
        self.publisher_id: array[int] = array("I")
        """uint32 of the transport header; 0 without ``FLAG_IDS``."""
        self.message_id: array[int] = array("I")
        """uint32 of the transport header; 0 without ``FLAG_IDS``."""
        self.segments: array[int] = array("H")
        """Datagrams that the message came in; 1 when it was whole."""
        self.options: Octets = Octets()
        """Options of the header as received, segmentation left out; mostly empty."""
        self.payload: Octets = Octets()

    def __len__(self) -> int:
        return len(self.received_at)

    def append(
        self,
        received_at: int,
        kind: int,
        payload: bytes,
        *,
        transport: int = Transport.NONE,
        session: str = "",
        peer: str = "",
        port: int = 0,
        version: int = 0,
        flags: int = 0,
        media_type: int = 0,
        publisher_id: int = 0,
        message_id: int = 0,
        segments: int = 1,
        options: bytes = b"",
    ) -> None:
        """Add one record (the slow way, for single records; receivers fill whole columns).

        Raises:
            OverflowError: a number that its column cannot hold; the batch is of no use any more.
        """
        self.received_at.append(received_at)
        self.kind.append(kind)
        self.transport.append(transport)
        self.session.append(session)
        self.peer.append(peer)
        self.port.append(port)
        self.version.append(version)
        self.flags.append(flags)
        self.media_type.append(media_type)
        self.publisher_id.append(publisher_id)
        self.message_id.append(message_id)
        self.segments.append(segments)
        self.options.append(options)
        self.payload.append(payload)
