"""Requests of HTTPS-notif out of octets: parsed with httptools, bounded, told apart.

Does: read HTTP/1.1 in pieces of any size, say of each whole request what it wants, refuse what
cannot be right, bound head and body. Does not: own a connection, answer, or look into
notifications.

Rules: a request that is refused for what it says is read to its end, and the next one may come; one
after which nobody knows where the next one begins raises ``Refused`` (RFC 9112 §11.2). Octets of
a body that is not whole after a piece are asked for (``hold``), and given back when the request is
told or forgotten.

Spec: draft-ietf-netconf-https-notif-15 §3; RFC 9110; RFC 9112.
"""

from __future__ import annotations

from typing import Final, Protocol

import httptools
from msgspec import Struct

from collector.wire import https_notif as wire

HEAD_OCTETS: Final = 16 << 10
"""Of request line and header fields (ours)."""
PIECE: Final = 16 << 10
"""Octets to feed at a time: by so much a bound may be passed before it is noticed."""

_MEDIA_TYPES: Final = {
    name.encode(): number
    for table in (wire.CONTENT_TYPES, wire.YANG_DATA_CONTENT_TYPES)
    for number, name in table.items()
}
"""As nearly everybody writes them."""


class Refused(Exception):  # noqa: N818 - no fault of ours
    """Nothing more can be read from this connection."""

    def __init__(self, status: int, sentence: str) -> None:
        self.status, self.sentence = status, sentence
        super().__init__(sentence)


class Refusal(Struct, frozen=True):
    """Why a whole request is not done."""

    status: int
    sentence: str
    allow: str = ""
    """Methods that would do, with 405."""


class Paths(Struct, frozen=True):
    """Where the two resources are, and how much may be posted."""

    relay: bytes
    capabilities: bytes
    max_message: int
    """Octets."""


class Listener(Protocol):
    """Who is told of whole requests, in their order. ``closes``: no further one comes."""

    def on_notification(self, media_type: int, payload: bytes, closes: bool) -> None: ...

    def on_capabilities(self, accept: str | None, closes: bool, head: bool) -> None: ...

    def on_refusal(self, refusal: Refusal, closes: bool) -> None: ...

    def on_expectation(self) -> None:
        """The peer waits for 100 before it sends the body."""

    def on_begin(self) -> None:
        """A request begins."""

    def hold(self, octets: int) -> bool:
        """So many are to be kept (fewer than 0: are given back); False: there are too many."""


class RequestReader:
    """See the module."""

    def __init__(self, paths: Paths, listener: Listener) -> None:
        self._paths, self._listener = paths, listener
        self._parser: httptools.HttpRequestParser | None = httptools.HttpRequestParser(self)
        self.in_request = False
        """A request began and is not whole yet."""
        self.over = False
        """The last request was read; whatever follows is ignored."""
        self._in_head = False
        self._begun = False
        """A request began since the last look."""
        self._head = 0
        """Octets of the head so far, at the least."""
        self._url = b""
        self._fields: dict[bytes, bytes] = {}
        self._refusal: Refusal | None = None
        self._media_type = 0
        self._body: list[bytes] = []
        self._size = 0
        """Octets of the body so far."""
        self._held = 0
        """Of these: asked for."""

    def feed(self, piece: bytes) -> None:
        """Take up to ``PIECE`` octets.

        Raises:
            Refused: nothing more can be read; what was whole before was told.
        """
        if self._parser is None or self.over:
            return
        if self._in_head:
            self._head += len(piece)
        try:
            self._parser.feed_data(piece)
        except httptools.HttpParserUpgrade:
            self.over = True  # what follows is another protocol, which we did not agree to
        except httptools.HttpParserError as error:
            if not self.over:  # something behind the last request
                raise self._reason(error) from None
        if self.in_request:
            self._unfinished()

    def _unfinished(self) -> None:
        """A part of a request is here: does it keep within the bounds?"""
        if self._begun:
            self._begun = False
            self._listener.on_begin()
        if self._in_head and self._head > HEAD_OCTETS:
            raise self._end(Refused(431, f"The header is larger than {HEAD_OCTETS} octets."))
        more = 0 if self._refusal is not None else self._size - self._held
        if more:
            self._held += more
            if not self._listener.hold(more):
                raise self._end(Refused(503, "Too much is on its way here at the moment."))

    def _reason(self, error: httptools.HttpParserError) -> Refused:
        cause = error.__context__
        if isinstance(cause, Refused):
            return self._end(cause)
        if isinstance(error, httptools.HttpParserCallbackError):
            raise error  # a fault of ours
        return self._end(Refused(400, f"This is no request of HTTP/1.1 ({_said(error)})."))

    def _end(self, refused: Refused) -> Refused:
        self.over = True
        self._forget()
        return refused

    def close(self) -> None:
        """Forget what is not whole. May be called twice."""
        self.over = True
        self._forget()
        self._parser = None  # it and we hold each other

    def _forget(self) -> None:
        if self._held:
            self._listener.hold(-self._held)
            self._held = 0
        self._size = self._head = 0
        self._body, self._url, self._fields, self._refusal = [], b"", {}, None
        self.in_request = self._in_head = False

    # ------------------------------------------------------------------ what httptools calls
    def on_message_begin(self) -> None:
        """The first octet of a request."""
        self.in_request = self._in_head = self._begun = True

    def on_url(self, url: bytes) -> None:
        """A part of the request target."""
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """One field; several of one name are one list (RFC 9110 §5.3)."""
        fields, name = self._fields, name.lower()
        if name in fields:
            value = fields[name] + b"," + value
        fields[name] = value

    def on_headers_complete(self) -> None:
        """The head is there: what is wanted, and can it be done?"""
        assert self._parser is not None
        self._in_head = False
        fields, paths = self._fields, self._paths
        host = fields.get(b"host")
        if host is None or b"," in host:
            self._odd_host(host)
        length = fields.get(b"content-length")
        if length is not None and int(length) > paths.max_message:
            raise self._too_large()
        if self._url != paths.relay:  # in absolute form, or with a query?
            self._url = wire.path_of(self._url.decode("latin-1")).encode("latin-1")
        if self._url != paths.relay or self._parser.get_method() != b"POST":
            self._refusal = self._no_notification()
        else:
            self._refusal = self._notification(length)
        if b"expect" in fields:
            self._expected(fields[b"expect"])

    def _odd_host(self, host: bytes | None) -> None:
        assert self._parser is not None
        if host is not None or self._parser.get_http_version() != "1.0":
            raise Refused(400, "A request has exactly one Host (RFC 9112 section 3.2).")

    def _notification(self, length: bytes | None) -> Refusal | None:
        content_type = self._fields.get(b"content-type", b"")
        media_type: int | None = _MEDIA_TYPES.get(content_type)
        if media_type is None:
            media_type = wire.media_type_of(content_type.decode("latin-1"))
        if media_type is None:
            return Refusal(
                415,
                "Notifications come as application/xml, application/json, "
                "application/yang-data+xml, +json or +cbor.",
            )
        if length is None and b"transfer-encoding" not in self._fields:
            return Refusal(411, "Say how long the notification is (Content-Length).")
        self._media_type = media_type
        return None

    def _no_notification(self) -> Refusal | None:
        assert self._parser is not None
        if self._url == self._paths.relay:
            return Refusal(405, "Notifications are relayed with POST.", "POST")
        if self._url != self._paths.capabilities:
            where = f"{wire.CAPABILITIES} and {wire.RELAY_NOTIFICATION}"
            return Refusal(404, f"There are only {where} below the path of this receiver.")
        if self._parser.get_method() not in (b"GET", b"HEAD"):
            return Refusal(405, "Capabilities are asked for with GET.", "GET, HEAD")
        return None

    def _expected(self, expectation: bytes) -> None:
        if expectation.lower() != b"100-continue":
            self._refusal = Refusal(417, "Only 100-continue can be expected here.")
        elif self._refusal is None:
            self._listener.on_expectation()

    def on_body(self, body: bytes) -> None:
        """A part of the body."""
        self._size += len(body)
        if self._size > self._paths.max_message:
            raise self._too_large()
        if self._refusal is None:
            self._body.append(body)

    def _too_large(self) -> Refused:
        return Refused(413, f"A request may have {self._paths.max_message} octets, no more.")

    def on_message_complete(self) -> None:
        """A request is there as a whole."""
        assert self._parser is not None
        fields, refusal, url = self._fields, self._refusal, self._url
        closes = not self._parser.should_keep_alive() or b"upgrade" in fields
        if b"connection" in fields and self._parser.get_http_version() != "1.1":
            closes = True  # keep-alive of HTTP/1.0 has to be agreed on; it is not worth it
        payload = self._body[0] if len(self._body) == 1 else b"".join(self._body)
        self.over = closes
        self._forget()
        if refusal is not None:
            self._listener.on_refusal(refusal, closes)
        elif url == self._paths.relay:
            self._listener.on_notification(self._media_type, payload, closes)
        else:
            accept = fields.get(b"accept")
            self._listener.on_capabilities(
                None if accept is None else accept.decode("latin-1"), closes,
                self._parser.get_method() == b"HEAD",
            )  # fmt: skip


def _said(error: Exception) -> str:
    """What the parser says, printable and short."""
    text = str(error) or type(error).__name__
    return "".join(letter if letter.isprintable() else "?" for letter in text)[:100]
