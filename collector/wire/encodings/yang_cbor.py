"""CBOR encoding of YANG data (RFC 9254): notification messages with names, SIDs or both as keys.

Does: whole messages to plain values and back. Does not: know a schema. So an enumeration, a bits or
an identityref that is no union member comes out as the number or octets that it is in CBOR; only
those of the envelope become words.

Rules: those of ``cbor_items`` (bounds) and ``cbor_names`` (keys). SID tables come in as values.
"""

from __future__ import annotations

from typing import Any

import cbor2

from collector.errors import UsageError, WireError
from collector.model import NO_SIDS, MediaType, Notification, SidTable
from collector.wire.encodings.cbor_items import MAX_DEPTH, bad_cbor, check
from collector.wire.encodings.cbor_names import UNKNOWN, Names, with_sids, with_tags
from collector.wire.encodings.members import CONTENTS_LEAVES, read_message, write_message
from collector.wire.values import names, plain_xml

__all__ = ["MAX_DEPTH", "CborEncoding", "parse_items", "parse_plain"]


def parse_items(payload: bytes) -> Any:
    """One CBOR item as the library reads it, once it is checked.

    Raises:
        WireError: ``bad-cbor``, ``too-deep``, ``too-many-items``, ``duplicate-member``.
    """
    check(payload)
    try:
        return cbor2.loads(payload)
    except (cbor2.CBORDecodeError, ValueError, ArithmeticError, TypeError) as error:
        raise bad_cbor(f"no CBOR: {error}") from None


def parse_plain(payload: bytes, sids: SidTable = NO_SIDS) -> Any:
    """One CBOR item as plain values with names; see ``cbor_names``.

    Raises:
        WireError: as ``parse_items``.
    """
    return Names(sids).message(parse_items(payload))


class CborEncoding:
    """``application/yang-data+cbor``, with or without ``id=name`` or ``id=sid``."""

    name = "yang-data-cbor"
    identity = "encode-cbor"
    media_type = int(MediaType.YANG_DATA_CBOR)
    content_type = "application/yang-data+cbor"

    def decode(self, payload: bytes, sids: SidTable = NO_SIDS) -> Notification:
        """The envelope. Raises WireError as ``parse_items`` and ``read_message``; ``unknown-sid``
        where a SID that no table knows hides what the message is."""
        given = Names(sids, leave=CONTENTS_LEAVES)
        message = given.message(parse_items(payload))
        try:
            said = read_message(message)
        except WireError as error:
            if given.unknown and error.reason == "no-notification":
                raise _unknown_sid(given.unknown) from None
            raise
        sid = said.name.removeprefix(UNKNOWN)
        if given.unknown and said.name == f"{UNKNOWN}{sid}" and sid.isdecimal():
            raise _unknown_sid(int(sid))
        return said

    def decode_contents(self, payload: bytes, sids: SidTable = NO_SIDS) -> Any:
        """The whole message as plain values. Raises WireError as ``parse_items``."""
        return parse_plain(payload, sids)

    def encode(
        self,
        notification: Notification,
        contents: Any = None,
        *,
        mode: str = names.MODE_MSO,
        sids: SidTable = NO_SIDS,
    ) -> bytes:
        """One message; see ``members.write_message``. Raises UsageError.

        Contents are written as given: 64-bit numbers are numbers here (RFC 9254 §6.1), not texts,
        a ``Decimal`` is a decimal64, an enumeration its number. What has a SID in ``sids`` is
        written with it.
        """
        message = write_message(notification, contents, mode=mode)
        if notification.state_change is not None:
            message = plain_xml.for_json(message)
        try:
            return cbor2.dumps(with_sids(with_tags(message), sids))
        except (cbor2.CBOREncodeError, TypeError, ValueError) as error:
            raise UsageError(f"the contents cannot be written as CBOR: {error}") from error


def _unknown_sid(sid: int) -> WireError:
    return WireError(
        "unknown-sid",
        f"no .sid file says what SID {sid} is",
        field=str(sid),
        clause="RFC 9254 §3.2",
    )
