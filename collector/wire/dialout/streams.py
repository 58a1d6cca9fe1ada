"""gRPC dial-out: what travels in its streams, in both directions of the codec.

Does: name the methods, take the telemetry out of the messages of a stream and say in which encoding
it is, put pieces together (NX-OS sends a long message in chunks), and write such messages. Does
not: know gRPC, or read the telemetry (``encodings.gpb``).

Rules:
* Cisco's ``data`` is GPB or JSON and nothing says which; JSON begins with ``{``, which GPB cannot
  (it would begin with a group).
* With ``totalSize`` the data is a piece: pieces of a stream follow one another until that many
  octets are there. Who promises more than the limit, or sends more than promised, is refused.
* What a message says in ``errors`` is for people; it may come without data.

Spec: no standard; services and messages are the vendors' (``cisco.proto``, ``huawei.proto``).
"""

from __future__ import annotations

from typing import Final, NamedTuple

from google.protobuf.message import DecodeError

from collector.errors import UsageError, WireError
from collector.model import MediaType
from collector.wire.dialout import cisco_pb2 as cisco
from collector.wire.dialout import huawei_pb2 as huawei

MDT_DIALOUT: Final = "/mdt_dialout.gRPCMdtDialout/MdtDialout"
"""Cisco."""
DATA_PUBLISH: Final = "/huawei_dialout.gRPCDataservice/dataPublish"
"""Huawei."""
DATA_PUBLISH_OLD: Final = "/gRPCDataservice/dataPublish"
"""Huawei, from stubs without a package."""
_SHOWN: Final = 200
"""Characters of a peer's error that are shown (ours)."""
_CLAUSE: Final = "dialout.proto"
_BRACE: Final = 0x7B
_REQ_ID, _DATA = 1 << 3, 2 << 3 | 2
"""Tags of the first two fields of both messages."""
_LONGEST_VARINT: Final = 10
_LONGEST_SHIFT: Final = 35
_GPB: Final = int(MediaType.CISCO_GPB)
_JSON: Final = int(MediaType.CISCO_JSON)


class Arrived(NamedTuple):
    """What one message of a stream came to."""

    payload: bytes
    """A whole telemetry message; empty while it is not whole, or when there was none."""
    media_type: int
    error: str
    """What the device says is wrong, shortened; mostly empty."""


_UNFINISHED: Final = Arrived(b"", 0, "")


class CiscoStream:
    """One stream of ``MdtDialoutArgs``. Keeps the pieces of one message at most."""

    def __init__(self, limit: int) -> None:
        """``limit``: octets of one telemetry message at most."""
        self._limit = limit
        self._pieces = bytearray()
        self._total = 0

    @property
    def held(self) -> int:
        """Octets of pieces that wait for the rest."""
        return len(self._pieces)

    def receive(self, octets: bytes) -> Arrived:
        """Take one message of the stream.

        Raises:
            WireError: ``bad-gpb``; ``bad-chunk``: a piece that does not fit those before;
                ``too-long``. The pieces so far are forgotten.
        """
        data = None if self._pieces else _usual_data(octets)
        if data and len(data) <= self._limit:
            return Arrived(data, _JSON if data[0] == _BRACE else _GPB, "")
        try:
            args = cisco.MdtDialoutArgs.FromString(octets)
        except DecodeError:
            self._forget()
            raise _refused("bad-gpb", "this is no MdtDialoutArgs") from None
        data, total, error = args.data, args.totalSize, args.errors
        if total > self._limit or len(data) > self._limit:
            self._forget()
            raise _too_long(max(total, len(data)), self._limit)
        if self._pieces or 0 < total != len(data):
            data = self._join(data, total)
        if not data:
            return Arrived(b"", 0, error[:_SHOWN]) if error else _UNFINISHED
        return Arrived(data, _JSON if data[0] == _BRACE else _GPB, error and error[:_SHOWN])

    def _join(self, data: bytes, total: int) -> bytes:
        """Add a piece; the whole message, or nothing yet. Raises WireError."""
        before = self._total
        if self._pieces and total != before:
            self._forget()
            raise _refused("bad-chunk", f"a piece of {total} octets, not {before}", "totalSize")
        self._total = total
        self._pieces += data
        have = len(self._pieces)
        if have < total:
            return b""
        whole = bytes(self._pieces)
        self._forget()
        if have > total:
            raise _refused("bad-chunk", f"{have} octets came of {total}", "totalSize")
        return whole

    def _forget(self) -> None:
        self._pieces, self._total = bytearray(), 0


def _usual_data(octets: bytes) -> bytes | None:
    """The data of a message that is ReqId and data, as nearly all are; None: look properly.

    Twice as fast as the library, which makes an object for it.
    """
    try:
        at = 1
        while octets[at] > 0x7F:
            at += 1
        if octets[0] != _REQ_ID or octets[at + 1] != _DATA or at > _LONGEST_VARINT:
            return None
        at += 2
        length = octets[at] & 0x7F
        shift = 0
        while octets[at] > 0x7F:
            at, shift = at + 1, shift + 7
            length |= (octets[at] & 0x7F) << shift
    except IndexError:
        return None
    at += 1
    return octets[at:] if shift < _LONGEST_SHIFT and at + length == len(octets) else None


class HuaweiStream:
    """One stream of ``serviceArgs``."""

    held = 0
    """Nothing is kept."""

    def __init__(self, limit: int) -> None:
        self._limit = limit

    def receive(self, octets: bytes) -> Arrived:
        """Take one message of the stream. Raises WireError: ``bad-gpb``, ``too-long``."""
        try:
            args = huawei.serviceArgs.FromString(octets)
        except DecodeError:
            raise _refused("bad-gpb", "this is no serviceArgs") from None
        data, kind = args.data, MediaType.HUAWEI_GPB
        if not data and (text := args.data_json):
            data, kind = text.encode(), MediaType.HUAWEI_JSON
        if len(data) > self._limit:
            raise _too_long(len(data), self._limit)
        return Arrived(data, int(kind) if data else 0, args.errors[:_SHOWN])


def _refused(reason: str, message: str, field: str = "data") -> WireError:
    return WireError(reason, message, field=field, clause=_CLAUSE)


def _too_long(octets: int, limit: int) -> WireError:
    return _refused("too-long", f"a message of {octets} octets; {limit} are taken")


# --------------------------------------------------------------------------- encode
def encode_cisco(payload: bytes, req_id: int, piece: int = 0) -> list[bytes]:
    """The messages of a stream that carry one telemetry message.

    Args:
        payload: GPB or JSON.
        req_id: number of the request.
        piece: octets of a chunk at most, as NX-OS does it; 0: never cut.
    """
    if not piece or len(payload) <= piece:
        return [cisco.MdtDialoutArgs(ReqId=req_id, data=payload).SerializeToString()]
    return [
        cisco.MdtDialoutArgs(
            ReqId=req_id, data=payload[at : at + piece], totalSize=len(payload)
        ).SerializeToString()
        for at in range(0, len(payload), piece)
    ]


def encode_huawei(payload: bytes, req_id: int, media_type: int) -> bytes:
    """One message of a stream. Raises UsageError: JSON that is not UTF-8."""
    if media_type != MediaType.HUAWEI_JSON:
        return huawei.serviceArgs(ReqId=req_id, data=payload).SerializeToString()
    try:
        return huawei.serviceArgs(ReqId=req_id, data_json=payload.decode()).SerializeToString()
    except UnicodeDecodeError as error:
        raise UsageError("JSON is written in UTF-8") from error
