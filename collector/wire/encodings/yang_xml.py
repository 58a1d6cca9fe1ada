"""XML encoding of YANG data: notification messages of RFC 5277 and in the envelope.

Does: the envelope without the inside of ``datastore-contents`` and ``datastore-changes``, and whole
messages as plain values. Does not: know a schema; leaves read from XML are text, a list with one
entry looks like the entry, an empty element like an empty text.

Rules: those of ``wire.values.xml`` (UTF-8, no document type, bounded depth).
"""

from __future__ import annotations

from typing import Any

from collector.model import MediaType, Notification
from collector.wire.encodings.members import CONTENTS_LEAVES, read_message, write_message
from collector.wire.values import names, plain_xml, xml


class XmlEncoding:
    """``application/yang-data+xml``."""

    name = "yang-data-xml"
    identity = "encode-xml"
    media_type = int(MediaType.YANG_DATA_XML)
    content_type = "application/yang-data+xml"

    def decode(self, payload: bytes) -> Notification:
        """The envelope. Raises WireError: ``bad-xml``, ``too-deep``, and as ``read_message``."""
        return read_message(plain_xml.message_from_xml(xml.parse(payload, CONTENTS_LEAVES)))

    def decode_contents(self, payload: bytes) -> Any:
        """The whole message as plain values. Raises WireError: ``bad-xml``, ``too-deep``."""
        return plain_xml.message_from_xml(xml.parse(payload))

    def encode(
        self, notification: Notification, contents: Any = None, *, mode: str = names.MODE_MSO
    ) -> bytes:
        """One message; see ``members.write_message``. Raises UsageError."""
        return plain_xml.message_to_xml(write_message(notification, contents, mode=mode))
