"""HTTPS-notif: media types, the two resources, and the list of what a receiver can do.

Does: content types <-> media types; the path of a request; which form of the capabilities a
publisher accepts; the capabilities document in XML and JSON, of both generations, both directions;
answers of HTTP/1.1 as octets. Does not: read HTTP requests (``receivers.https_notif``) or the
notifications in them (``notifications``).

Rules: two generations are understood. Up to -15 the media types are ``application/xml`` and
``application/json`` and the document stands in no namespace; from -16 on they are
``application/yang-data+xml`` and ``+json`` and the document is a structure of the module
``ietf-https-notif-transport``. CBOR is an individual draft and looks like -16. The URIs of
capabilities come in the registered form and in that of the examples of -15; we say both, so that a
publisher of either kind knows itself understood (a publisher ignores what it does not know, §3.1).

Spec: draft-ietf-netconf-https-notif-15 §3; RFC 9110; RFC 9112.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final
from xml.sax.saxutils import escape

import msgspec

from collector.errors import UsageError, WireError
from collector.model import MediaType
from collector.plugins import further_encodings
from collector.wire.values import names, xml

CAPABILITIES: Final = "/capabilities"
"""Resource: what the receiver can do (GET)."""
RELAY_NOTIFICATION: Final = "/relay-notification"
"""Resource: takes one notification (POST)."""

XML: Final = "application/xml"
JSON: Final = "application/json"
YANG_DATA_XML: Final = "application/yang-data+xml"
YANG_DATA_JSON: Final = "application/yang-data+json"
YANG_DATA_CBOR: Final = "application/yang-data+cbor"

_MEDIA_TYPES: Final[Mapping[str, MediaType]] = {
    XML: MediaType.YANG_DATA_XML,
    YANG_DATA_XML: MediaType.YANG_DATA_XML,
    JSON: MediaType.YANG_DATA_JSON,
    YANG_DATA_JSON: MediaType.YANG_DATA_JSON,
    YANG_DATA_CBOR: MediaType.YANG_DATA_CBOR,
}
CONTENT_TYPES: Final[Mapping[MediaType, str]] = {
    MediaType.YANG_DATA_XML: XML,
    MediaType.YANG_DATA_JSON: JSON,
    MediaType.YANG_DATA_CBOR: YANG_DATA_CBOR,
}
"""What a publisher of -15 writes."""
YANG_DATA_CONTENT_TYPES: Final[Mapping[MediaType, str]] = {
    MediaType.YANG_DATA_XML: YANG_DATA_XML,
    MediaType.YANG_DATA_JSON: YANG_DATA_JSON,
    MediaType.YANG_DATA_CBOR: YANG_DATA_CBOR,
}
"""What a publisher of -16 writes."""

DOCUMENT_TYPES: Final = (XML, JSON, YANG_DATA_XML, YANG_DATA_JSON)
"""Forms of the capabilities document, the one that wins a tie first."""

_REGISTERED: Final = "urn:ietf:params:yang-notif:https-capability:"
_EXAMPLES: Final = "urn:ietf:capability:https-notif-receiver:"
_SUB_NOTIF: Final = "sub-notif"
"""The receiver knows state changes of subscriptions (RFC 8639)."""
_ENCODINGS: Final[Mapping[str, MediaType]] = {
    "encoding:json": MediaType.YANG_DATA_JSON,
    "encoding:xml": MediaType.YANG_DATA_XML,
    "encoding:cbor": MediaType.YANG_DATA_CBOR,
}
OURS: Final = tuple(
    prefix + name for prefix in (_REGISTERED, _EXAMPLES) for name in (*_ENCODINGS, _SUB_NOTIF)
)
"""What this receiver can do."""

_CONTAINER: Final = "receiver-capabilities"
_LEAF: Final = "receiver-capability"
_QUALIFIED: Final = f"{names.HTTPS_TRANSPORT}:{_CONTAINER}"
_NAMESPACE: Final = f"urn:ietf:params:xml:ns:yang:{names.HTTPS_TRANSPORT}"
_CLAUSE: Final = "draft-ietf-netconf-https-notif-15 §3.1"


# --------------------------------------------------------------------------- requests
def media_type_of(content_type: str) -> int | None:
    """The media type behind a Content-Type, parameters left aside; None when no encoding has it."""
    name = content_type.partition(";")[0].strip().lower()
    ours = _MEDIA_TYPES.get(name)
    if ours is not None:
        return ours
    return next(
        (n for n, one in further_encodings().items() if one.content_type.lower() == name), None
    )


def path_of(target: str) -> str:
    """The path in a request target of origin or absolute form, without its query (RFC 9112 §3.2);
    "" where there is none."""
    if not target.startswith("/"):
        _, found, rest = target.partition("://")
        if not found:
            return ""
        _, slash, path = rest.partition("/")
        target = slash + path
    return target.partition("?")[0]


def chosen_form(accept: str | None) -> str | None:
    """The form of the capabilities document that a publisher likes best; None when it accepts none.

    Args:
        accept: value of the header; None or empty: anything (RFC 9110 §12.5.1).
    """
    if not accept or not accept.strip():
        return DOCUMENT_TYPES[0]
    wanted = dict(map(_weighed, accept.split(",")))
    weights = {
        form: next((wanted[one] for one in (form, "application/*", "*/*") if one in wanted), 0.0)
        for form in DOCUMENT_TYPES
    }
    best = max(DOCUMENT_TYPES, key=lambda form: weights[form])
    return best if weights[best] > 0 else None


def _weighed(item: str) -> tuple[str, float]:
    """A media range and its weight (RFC 9110 §12.4.2); one that is not a number counts as 0."""
    media_range, *parameters = (part.strip().lower() for part in item.split(";"))
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            value = value.strip()
            digits = value.replace(".", "", 1)
            good = digits.isascii() and digits.isdecimal() and len(digits) <= 4
            return media_range, min(float(value), 1.0) if good else 0.0
    return media_range, 1.0


# --------------------------------------------------------------------------- capabilities
def decode_capabilities(document: bytes, content_type: str) -> tuple[str, ...]:
    """The URIs in a capabilities document of any form.

    Args:
        document: the body; its size is the caller's to bound.
        content_type: as received.

    Raises:
        WireError: ``bad-xml``, ``bad-json``, ``bad-capabilities``, ``unknown-media-type``.
    """
    media_type = media_type_of(content_type)
    if media_type == MediaType.YANG_DATA_XML:
        return _from_xml(document)
    if media_type == MediaType.YANG_DATA_JSON:
        return _from_json(document)
    raise WireError(
        "unknown-media-type", "capabilities come in XML or JSON", field="Content-Type",
        clause=_CLAUSE,
    )  # fmt: skip


def _from_xml(document: bytes) -> tuple[str, ...]:
    root = xml.parse(document)
    if root.name != _CONTAINER:
        raise _bad(f"the root is not <{_CONTAINER}>")
    return tuple(_joined(leaf.text) for leaf in root.find_all(_LEAF))


def _joined(uri: str) -> str:
    """Long URIs are broken over lines with backslashes in examples (RFC 8792), and were copied."""
    return "".join(part.strip() for part in uri.replace("\\", "").splitlines())


def _from_json(document: bytes) -> tuple[str, ...]:
    try:
        top = msgspec.json.decode(document)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise WireError("bad-json", f"no JSON: {error}", clause=_CLAUSE) from None
    for name in (_QUALIFIED, _CONTAINER):
        if isinstance(top, dict) and isinstance(top.get(name), dict):
            return _uris(top[name].get(_LEAF, []))
    raise _bad(f"there is no object {_CONTAINER}")


def _uris(found: Any) -> tuple[str, ...]:
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise _bad(f"{_LEAF} is not a list of strings")
    return tuple(found)


def _bad(message: str) -> WireError:
    return WireError("bad-capabilities", message, field=_CONTAINER, clause=_CLAUSE)


def encodings_of(capabilities: Iterable[str]) -> frozenset[MediaType]:
    """Media types that a receiver with these capabilities takes; others are ignored (§3.1)."""
    found = set()
    for uri in capabilities:
        for prefix in (_REGISTERED, _EXAMPLES):
            if uri.startswith(prefix) and uri[len(prefix) :] in _ENCODINGS:
                found.add(_ENCODINGS[uri[len(prefix) :]])
    return frozenset(found)


def encode_capabilities(capabilities: Sequence[str], form: str) -> bytes:
    """The document in one of ``DOCUMENT_TYPES``. Raises UsageError: in none of them."""
    if form in (JSON, YANG_DATA_JSON):
        name = _CONTAINER if form == JSON else _QUALIFIED
        return msgspec.json.encode({name: {_LEAF: list(capabilities)}})
    if form not in DOCUMENT_TYPES:
        raise UsageError(f"there is no capabilities document in {form}")
    namespace = f' xmlns="{_NAMESPACE}"' if form == YANG_DATA_XML else ""
    leaves = "".join(f"<{_LEAF}>{escape(uri)}</{_LEAF}>" for uri in capabilities)
    return f"<{_CONTAINER}{namespace}>{leaves}</{_CONTAINER}>".encode()


# --------------------------------------------------------------------------- answers
_PHRASES: Final = {
    200: "OK",
    204: "No Content",
    400: "Bad Request",
    404: "Not Found",
    405: "Method Not Allowed",
    406: "Not Acceptable",
    408: "Request Timeout",
    411: "Length Required",
    413: "Content Too Large",
    415: "Unsupported Media Type",
    417: "Expectation Failed",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
    503: "Service Unavailable",
    505: "HTTP Version Not Supported",
}
CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
"""The body may come (RFC 9110 §15.2.1)."""
SENTENCE_TYPE: Final = "text/plain; charset=utf-8"


def encode_answer(
    status: int,
    date: str,
    body: bytes = b"",
    *,
    content_type: str = SENTENCE_TYPE,
    fields: Mapping[str, str] | None = None,
    close: bool = False,
    head: bool = False,
) -> bytes:
    """One response of HTTP/1.1.

    Args:
        status: one of those that this receiver gives.
        date: as in ``Sat, 21 Nov 2026 14:00:00 GMT`` (RFC 9110 §6.6.1).
        body: not for 204.
        content_type: of the body.
        fields: further header fields, without line ends.
        close: nothing more is answered on this connection.
        head: the request was HEAD: the fields without the body.
    """
    lines = [f"HTTP/1.1 {status} {_PHRASES[status]}", f"Date: {date}"]
    if status != 204:  # RFC 9110 §8.6: no Content-Length there
        if body:
            lines.append(f"Content-Type: {content_type}")
        lines.append(f"Content-Length: {len(body)}")
    lines += [f"{name}: {value}" for name, value in (fields or {}).items()]
    if close:
        lines.append("Connection: close")
    return "\r\n".join((*lines, "", "")).encode("latin-1") + (b"" if head else body)
