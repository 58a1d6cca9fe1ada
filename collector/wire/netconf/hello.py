"""The outside of NETCONF messages: which kind one is, and the hello (RFC 6241 §3, §4, §8.1).

What it does: reads name and ``message-id`` of the root element from the first octets of a message
without parsing the rest, and decodes and encodes ``<hello>``. What it does not: look into requests
and replies (``rpc``) or notifications (``wire.notifications``).

Rules: any prefix and any root is read, unknown ones are named and left to the caller; the hello is
parsed by ``wire.values.xml``, which refuses document type declarations.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence

from msgspec import Struct

from collector.errors import WireError
from collector.wire.values.names import NETCONF_BASE
from collector.wire.values.xml import parse

BASE_1_0 = "urn:ietf:params:netconf:base:1.0"
BASE_1_1 = "urn:ietf:params:netconf:base:1.1"

MAX_HELLO = 4 * 1024 * 1024
"""Octets of a hello that are taken (ours; real ones with 1,500 modules have 200 KiB)."""
_MAX_PROLOG = 64 * 1024
"""Octets of declaration, comments and white space before the root that are looked at (ours)."""

_PROLOG = re.compile(rb"\xef\xbb\xbf|\s+|<\?.*?\?>|<!--.*?-->", re.DOTALL)
_NAME = rb"[^\s<>/:=?!\"']+"
_START_TAG = re.compile(
    rb"<(?:%b:)?(%b)((?:\s+[^\s<>/=\"']+\s*=\s*(?:\"[^\"<]*\"|'[^'<]*'))*)\s*/?>" % (_NAME, _NAME)
)
_MESSAGE_ID = re.compile(rb"\smessage-id\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")


class Root(Struct, frozen=True, gc=False):
    """What the start tag of a message says."""

    name: str
    """Local name, as in ``rpc-reply``, ``notification``, ``envelope``."""
    message_id: str | None = None
    """Attribute of ``rpc`` and ``rpc-reply`` (RFC 6241 §4.1, §4.2); None when absent."""
    end: int = 0
    """Octets from the start of the message to behind the start tag."""


class Hello(Struct, frozen=True):
    """RFC 6241 §8.1."""

    capabilities: tuple[str, ...]
    session_id: int | None = None
    """1..4294967295 from a server, None from a client."""

    @property
    def chunked(self) -> bool:
        """True when the sender can use chunked framing."""
        return BASE_1_1 in self.capabilities


def root_of(message: bytes) -> Root:
    """Name and message-id of the root element; the rest of the message is not looked at.

    Raises:
        WireError: ``no-root``: the message does not begin with an XML element.
    """
    at = 0
    while (blank := _PROLOG.match(message, at)) and at < _MAX_PROLOG:
        at = blank.end()
    tag = _START_TAG.match(message, at)
    if tag is None:
        raise WireError(
            "no-root", "the message does not begin with an XML element", offset=at, field="root"
        )
    name = tag[1].decode("utf-8", "replace")
    found = _MESSAGE_ID.search(tag[2])
    if found is None:
        return Root(name, None, tag.end())
    value = found[1] if found[1] is not None else found[2]
    return Root(name, html.unescape(value.decode("utf-8", "replace")), tag.end())


def decode_hello(message: bytes) -> Hello:
    """The hello of either side.

    Raises:
        WireError: ``bad-hello``: not a hello, without capabilities, or with a wrong session-id.
    """
    if len(message) > MAX_HELLO:
        raise _bad_hello(f"the hello is longer than {MAX_HELLO} octets")
    try:
        root = parse(message)
    except WireError as error:
        raise _bad_hello(f"the first message is no XML document ({error})") from error
    if root.name != "hello":
        raise _bad_hello(f"the first message is <{root.name}>, not <hello>")
    listed = root.find("capabilities")
    found = () if listed is None else listed.find_all("capability")
    capabilities = tuple(capability.text for capability in found if capability.text)
    if not capabilities:
        raise _bad_hello("the hello names no capability")
    number = root.find("session-id")
    return Hello(capabilities, None if number is None else _session_id(number.text))


def _session_id(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and 1 <= int(text) < 1 << 32):
        raise _bad_hello("session-id is not a number of 1 to 4294967295")
    return int(text)


def _bad_hello(message: str) -> WireError:
    return WireError("bad-hello", message, field="hello", clause="RFC 6241 §8.1")


def encode_hello(capabilities: Sequence[str], session_id: int | None = None) -> bytes:
    """A hello; a server gives its ``session_id``, a client MUST NOT (RFC 6241 §8.1)."""
    lines = "".join(
        f"<capability>{html.escape(capability, quote=False)}</capability>"
        for capability in capabilities
    )
    number = "" if session_id is None else f"<session-id>{session_id}</session-id>"
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><hello xmlns="{NETCONF_BASE}">'
        f"<capabilities>{lines}</capabilities>{number}</hello>"
    ).encode()
