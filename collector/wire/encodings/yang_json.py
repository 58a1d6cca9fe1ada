"""JSON encoding of YANG data (RFC 7951): notification messages and their contents.

Does: the contract of an encoding: usual updates by the typed way (``json_updates``), all else
through plain values (``json_text``, ``members``). Does not: look into contents unless asked to.

Rules: those of ``json_text``; in an envelope a member that comes twice is refused in the objects
that are read (wrapper, header, payload), in contents everywhere.
"""

from __future__ import annotations

from typing import Any

import msgspec

from collector.errors import UsageError
from collector.model import MediaType, Notification
from collector.wire.encodings.json_text import check_depth, is_utf8, parse_plain
from collector.wire.encodings.json_updates import read_typed
from collector.wire.encodings.members import read_message, write_message
from collector.wire.values import names, plain_xml


class JsonEncoding:
    """``application/yang-data+json``."""

    name = "yang-data-json"
    identity = "encode-json"
    media_type = int(MediaType.YANG_DATA_JSON)
    content_type = "application/yang-data+json"

    def decode(self, payload: bytes) -> Notification:
        """The envelope. Raises WireError: ``bad-json``, ``too-deep``, and as ``read_message``."""
        check_depth(payload)
        if payload.isascii() or is_utf8(payload):  # else the plain way says what is wrong
            notification = read_typed(payload)
            if notification is not None:
                return notification
        return read_message(parse_plain(payload))

    def decode_contents(self, payload: bytes) -> Any:
        """The whole message as plain values. Raises WireError as ``parse_plain``."""
        return parse_plain(payload, strict=True)

    def encode(
        self, notification: Notification, contents: Any = None, *, mode: str = names.MODE_MSO
    ) -> bytes:
        """One message; see ``members.write_message``. Raises UsageError."""
        message = write_message(notification, contents, mode=mode)
        if notification.state_change is not None:
            message = plain_xml.for_json(message)
        try:
            return msgspec.json.encode(message)
        except (TypeError, ValueError, OverflowError) as error:
            raise UsageError(f"the contents cannot be written as JSON: {error}") from error
