"""Notification messages: one door to all encodings.

    decode(payload, media_type, sids) -> Notification
    decode_contents(payload, media_type, sids) -> plain values of the whole message
    encode(notification, contents, media_type, mode=..., sids=...) -> bytes

Does: choose the encoding by media type (``MT`` of draft-ietf-netconf-udp-notif-26 §8.1.1; other
transports map their content type to it). Does not: know transports.

Rules: reading is tolerant of every wrapper, spelling and order that devices send (``members``);
hostile octets end as ``WireError`` with a reason word: ``bad-json``, ``bad-xml``, ``bad-cbor``,
``unknown-sid``, ``too-deep``, ``too-many-items``, ``duplicate-member``, ``bad-value``,
``bad-timestamp``, ``bad-centiseconds``, ``no-notification``, ``unknown-media-type``, of dial-out
also ``bad-gpb`` and ``no-telemetry``; ``encoding-failed`` where one of another package does
anything but its contract, which is nobody else's trouble. Writing is strict; what cannot be
written is a ``UsageError``. SID tables come in as values; only CBOR has use for one. The encodings
of gRPC dial-out are imported with the first message of theirs: they bring the library for GPB with
them; so are those of other packages (``plugins``), asked for what none of ours reads.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import msgspec

from collector.errors import WireError
from collector.model import NO_SIDS, MediaType, Notification, SidTable
from collector.plugins import further_encodings
from collector.wire.encodings.yang_cbor import CborEncoding
from collector.wire.encodings.yang_json import JsonEncoding
from collector.wire.encodings.yang_xml import XmlEncoding
from collector.wire.values import names

if TYPE_CHECKING:
    from collector.interfaces import Encoding
    from collector.wire.encodings.dialout_json import CiscoJsonEncoding, HuaweiJsonEncoding
    from collector.wire.encodings.gpb import CiscoGpbEncoding, HuaweiGpbEncoding

    AnyEncoding = (
        JsonEncoding | XmlEncoding | CborEncoding
        | CiscoGpbEncoding | CiscoJsonEncoding | HuaweiGpbEncoding | HuaweiJsonEncoding
    )  # fmt: skip

REASONS: Final = (
    "bad-json",
    "bad-xml",
    "bad-cbor",
    "unknown-sid",
    "too-deep",
    "too-many-items",
    "duplicate-member",
    "bad-value",
    "bad-timestamp",
    "bad-centiseconds",
    "no-notification",
    "bad-gpb",
    "no-telemetry",
    "unknown-media-type",
    "encoding-failed",
)
"""Every reason word of ``decode``."""

_OURS: Final = frozenset(map(int, MediaType))
_CBOR: Final = CborEncoding()
_JSON: Final = msgspec.json.Decoder()
_ENCODINGS: Final[dict[int, JsonEncoding | XmlEncoding | CborEncoding]] = {
    encoding.media_type: encoding for encoding in (JsonEncoding(), XmlEncoding(), _CBOR)
}


@cache
def _dialout() -> dict[int, AnyEncoding]:
    """Those of gRPC dial-out."""
    from collector.wire.encodings.dialout_json import CiscoJsonEncoding, HuaweiJsonEncoding
    from collector.wire.encodings.gpb import CiscoGpbEncoding, HuaweiGpbEncoding

    made: tuple[AnyEncoding, ...] = (
        CiscoGpbEncoding(), CiscoJsonEncoding(), HuaweiGpbEncoding(), HuaweiJsonEncoding()
    )  # fmt: skip
    return {encoding.media_type: encoding for encoding in made}


def encoding_of(media_type: int) -> AnyEncoding | Encoding:
    """The encoding of a media type.

    Raises:
        WireError: ``unknown-media-type``.
    """
    encoding: AnyEncoding | Encoding | None = _ENCODINGS.get(media_type)
    if encoding is None and media_type >= MediaType.CISCO_GPB:
        encoding = _dialout().get(media_type)
    if encoding is None:
        encoding = further_encodings().get(media_type)
    if encoding is None:
        raise WireError(
            "unknown-media-type",
            f"media type {media_type} is not known",
            field="MT",
            clause="draft-ietf-netconf-udp-notif-26 §8.1.1",
        )
    return encoding


def decode(payload: bytes, media_type: int, sids: SidTable = NO_SIDS) -> Notification:
    """The envelope of one notification message, contents left undecoded. Raises WireError."""
    if media_type == MediaType.YANG_DATA_CBOR:
        return _CBOR.decode(payload, sids)
    ours = _ENCODINGS.get(media_type)
    if ours is not None:
        return ours.decode(payload)
    encoding = encoding_of(media_type)
    with _kept_to_itself(encoding):
        said: object = encoding.decode(payload)
        if not isinstance(said, Notification):
            raise TypeError("decode gave no Notification")
    return said


def decode_contents(payload: bytes, media_type: int, sids: SidTable = NO_SIDS) -> Any:
    """The whole message as plain values with RFC 7951 names. Raises WireError."""
    if media_type == MediaType.YANG_DATA_CBOR:
        return _CBOR.decode_contents(payload, sids)
    encoding = encoding_of(media_type)
    with _kept_to_itself(encoding):
        return encoding.decode_contents(payload)


@contextlib.contextmanager
def _kept_to_itself(encoding: AnyEncoding | Encoding) -> Iterator[None]:
    """A fault of an encoding of another package costs its message, not the others of the batch;
    one of ours is a fault. Raises WireError."""
    try:
        yield
    except WireError:
        raise
    except Exception as error:
        if encoding.media_type in _OURS:
            raise
        text = f"the encoding {encoding.name} failed: {type(error).__name__}: {error}"
        raise WireError("encoding-failed", text[:200]) from error


def skim_contents(payload: bytes, media_type: int, sids: SidTable = NO_SIDS) -> Any:
    """As ``decode_contents``, of JSON several times as fast: of a member that comes twice the last
    one counts. Raises WireError."""
    if media_type == MediaType.YANG_DATA_JSON:
        with contextlib.suppress(msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
            return _JSON.decode(payload)
    return decode_contents(payload, media_type, sids)


def encode(
    notification: Notification,
    contents: Any = None,
    media_type: int = MediaType.YANG_DATA_JSON,
    *,
    mode: str = names.MODE_MSO,
    sids: SidTable = NO_SIDS,
) -> bytes:
    """One notification message in the wrapper that ``notification.root`` names.

    Args:
        notification: what to say; ``name`` is used for kind OTHER only.
        contents: value of ``datastore-contents`` (push-update) or ``datastore-changes``
            (push-change-update), members of a notification of another module, else None.
        media_type: encoding to write.
        mode: control mode (``names.CONTROL_MODES``): how the list of originators is spelled.
        sids: what CBOR writes as SIDs instead of names.

    Raises:
        UsageError: a value that cannot be written, an unknown mode.
        WireError: ``unknown-media-type``.
    """
    if sids and media_type == MediaType.YANG_DATA_CBOR:
        return _CBOR.encode(notification, contents, mode=mode, sids=sids)
    encoding: Any = encoding_of(media_type)
    how = {"mode": mode} if media_type in _OURS else {}  # the contract knows no mode
    written: bytes = encoding.encode(notification, contents, **how)
    return written
