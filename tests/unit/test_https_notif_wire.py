"""HTTPS-notif on the wire: media types, paths, capabilities of both generations, answers.

The documents and requests are typed from the examples of draft-ietf-netconf-https-notif-15 §3.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from collector.errors import UsageError, WireError
from collector.model import MediaType
from collector.wire import https_notif as wire

XML, JSON, CBOR = MediaType.YANG_DATA_XML, MediaType.YANG_DATA_JSON, MediaType.YANG_DATA_CBOR
EXAMPLE_XML = rb"""<receiver-capabilities>
  <receiver-capability>\
    urn:ietf:capability:https-notif-receiver:encoding:json\
  </receiver-capability>
  <receiver-capability>\
    urn:ietf:capability:https-notif-receiver:encoding:xml\
  </receiver-capability>
  <receiver-capability>\
    urn:ietf:capability:https-notif-receiver:sub-notif\
  </receiver-capability>
</receiver-capabilities>"""
EXAMPLE_JSON = b"""{
   "receiver-capabilities": {
     "receiver-capability": [
       "urn:ietf:capability:https-notif-receiver:encoding:json",
       "urn:ietf:capability:https-notif-receiver:encoding:xml",
       "urn:ietf:capability:https-notif-receiver:sub-notif"
     ]
   }
}"""
EXAMPLE_URIS = (
    "urn:ietf:capability:https-notif-receiver:encoding:json",
    "urn:ietf:capability:https-notif-receiver:encoding:xml",
    "urn:ietf:capability:https-notif-receiver:sub-notif",
)
NEWER_XML = b"""<receiver-capabilities xmlns=\
"urn:ietf:params:xml:ns:yang:ietf-https-notif-transport">\
<receiver-capability>urn:ietf:params:yang-notif:https-capability:encoding:cbor\
</receiver-capability></receiver-capabilities>"""
NEWER_JSON = b"""{"ietf-https-notif-transport:receiver-capabilities": {"receiver-capability":
["urn:ietf:params:yang-notif:https-capability:encoding:cbor"]}}"""
NEWER_URIS = ("urn:ietf:params:yang-notif:https-capability:encoding:cbor",)
DATE = "Wed, 26 Feb 2020 20:33:30 GMT"


# --------------------------------------------------------------------------- requests
@pytest.mark.parametrize(
    ("content_type", "expected"),
    [
        ("application/xml", XML),
        ("application/json", JSON),
        ("Application/JSON; charset=utf-8", JSON),
        ("application/yang-data+xml", XML),
        ("application/yang-data+json", JSON),
        ("application/yang-data+cbor;id=sid", CBOR),
        (" application/yang-data+cbor ", CBOR),
        ("text/xml", None),
        ("application/x-www-form-urlencoded", None),
        ("", None),
        (";application/json", None),
    ],
)
def test_media_types(content_type: str, expected: MediaType | None) -> None:
    assert wire.media_type_of(content_type) == expected


def test_what_publishers_write_is_what_receivers_know() -> None:
    for table in (wire.CONTENT_TYPES, wire.YANG_DATA_CONTENT_TYPES):
        assert {wire.media_type_of(text) for text in table.values()} == {XML, JSON, CBOR}
        assert all(wire.media_type_of(text) == number for number, text in table.items())


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("/some/path/capabilities", "/some/path/capabilities"),
        ("/some/path/capabilities?x=/y", "/some/path/capabilities"),
        ("https://example.com/some/path", "/some/path"),
        ("https://example.com?/some/path", "/some/path"),
        ("https://example.com", ""),
        ("example.com:443", ""),
        ("*", ""),
        ("", ""),
        ("//a", "//a"),
    ],
)
def test_paths(target: str, path: str) -> None:
    assert wire.path_of(target) == path


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("application/xml, application/json;q=0.5", "application/xml"),
        ("application/xml;q=0.5, application/json", "application/json"),
        ("application/xml ; Q=0.5 , application/json; q=0.499", "application/xml"),
        ("application/yang-data+json", "application/yang-data+json"),
        ("application/yang-data+xml, application/xml;q=0.9", "application/yang-data+xml"),
        ("*/*", "application/xml"),
        ("application/*;q=0.1, application/json;q=0", "application/xml"),
        ("*/*;q=0.1, application/xml;q=0", "application/json"),
        ("text/html, */*;q=0.8", "application/xml"),
        ("application/json;v=1;q=1.000", "application/json"),
        (None, "application/xml"),
        (" ", "application/xml"),
        ("text/html", None),
        ("application/json;q=0", None),
        ("application/json;q=much", None),
        ("application/json;q=\x1e5", "application/json"),  # what Python takes for a blank
        ("application/json;q=", None),
        ("application/json;q=-1", None),
        ("application/json;q=\N{SUPERSCRIPT TWO}", None),
        (",;,=;q", None),
    ],
)
def test_what_a_publisher_accepts(accept: str | None, form: str | None) -> None:
    assert wire.chosen_form(accept) == form


# --------------------------------------------------------------------------- capabilities
@pytest.mark.parametrize(
    ("document", "content_type", "uris"),
    [
        (EXAMPLE_XML, "application/xml", EXAMPLE_URIS),
        (EXAMPLE_JSON, "application/json; charset=utf-8", EXAMPLE_URIS),
        (NEWER_XML, "application/yang-data+xml", NEWER_URIS),
        (NEWER_JSON, "application/yang-data+json", NEWER_URIS),
        (b"<receiver-capabilities/>", "application/xml", ()),
        (b'{"receiver-capabilities":{}}', "application/json", ()),
    ],
)
def test_documents_of_both_generations(
    document: bytes, content_type: str, uris: tuple[str, ...]
) -> None:
    assert wire.decode_capabilities(document, content_type) == uris


def test_encodings_in_both_spellings() -> None:
    assert wire.encodings_of(EXAMPLE_URIS) == {XML, JSON}
    assert wire.encodings_of(NEWER_URIS) == {CBOR}
    assert wire.encodings_of(wire.OURS) == {XML, JSON, CBOR}
    others = ("urn:example:custom", "", "urn:ietf:capability:https-notif-receiver:encoding:gpb")
    assert wire.encodings_of(others) == frozenset()


@pytest.mark.parametrize(
    ("document", "content_type", "reason"),
    [
        (b"<other/>", "application/xml", "bad-capabilities"),
        (b"<receiver-capabilities", "application/xml", "bad-xml"),
        (b"<!DOCTYPE a><receiver-capabilities/>", "application/xml", "bad-xml"),
        (b"[" * 100_000, "application/json", "bad-json"),
        (b"\xff", "application/json", "bad-json"),
        (b"[]", "application/json", "bad-capabilities"),
        (b"{}", "application/json", "bad-capabilities"),
        (b'{"receiver-capabilities":[]}', "application/json", "bad-capabilities"),
        (
            b'{"receiver-capabilities":{"receiver-capability":"a"}}',
            "application/json",
            "bad-capabilities",
        ),
        (
            b'{"receiver-capabilities":{"receiver-capability":[1]}}',
            "application/json",
            "bad-capabilities",
        ),
        (b"\xa0", "application/yang-data+cbor", "unknown-media-type"),
        (b"", "", "unknown-media-type"),
    ],
)
def test_documents_that_cannot_be_read(document: bytes, content_type: str, reason: str) -> None:
    with pytest.raises(WireError) as caught:
        wire.decode_capabilities(document, content_type)
    assert caught.value.reason == reason


def test_our_documents_are_what_the_drafts_show() -> None:
    uris = ("urn:a", "urn:b&c")
    assert wire.encode_capabilities(uris, "application/xml") == (
        b"<receiver-capabilities><receiver-capability>urn:a</receiver-capability>"
        b"<receiver-capability>urn:b&amp;c</receiver-capability></receiver-capabilities>"
    )
    assert wire.encode_capabilities(uris[:1], "application/yang-data+xml") == (
        b'<receiver-capabilities xmlns="urn:ietf:params:xml:ns:yang:ietf-https-notif-transport">'
        b"<receiver-capability>urn:a</receiver-capability></receiver-capabilities>"
    )
    plain: Any = json.loads(wire.encode_capabilities(uris, "application/json"))
    assert plain == {"receiver-capabilities": {"receiver-capability": list(uris)}}
    plain = json.loads(wire.encode_capabilities(uris, "application/yang-data+json"))
    assert list(plain) == ["ietf-https-notif-transport:receiver-capabilities"]
    for form in wire.DOCUMENT_TYPES:
        document = wire.encode_capabilities(uris, form)
        assert wire.decode_capabilities(document, form) == uris
    with pytest.raises(UsageError):
        wire.encode_capabilities(uris, "application/yang-data+cbor")


# --------------------------------------------------------------------------- answers
def test_answers() -> None:
    assert wire.encode_answer(204, DATE) == (
        b"HTTP/1.1 204 No Content\r\nDate: Wed, 26 Feb 2020 20:33:30 GMT\r\n\r\n"
    )
    assert wire.encode_answer(404, DATE, b"no", close=True) == (
        b"HTTP/1.1 404 Not Found\r\nDate: Wed, 26 Feb 2020 20:33:30 GMT\r\n"
        b"Content-Type: text/plain; charset=utf-8\r\nContent-Length: 2\r\n"
        b"Connection: close\r\n\r\nno"
    )
    assert wire.encode_answer(503, DATE, fields={"Retry-After": "1"}) == (
        b"HTTP/1.1 503 Service Unavailable\r\nDate: Wed, 26 Feb 2020 20:33:30 GMT\r\n"
        b"Content-Length: 0\r\nRetry-After: 1\r\n\r\n"
    )
    assert wire.encode_answer(200, DATE, b"{}", content_type="application/json", head=True) == (
        b"HTTP/1.1 200 OK\r\nDate: Wed, 26 Feb 2020 20:33:30 GMT\r\n"
        b"Content-Type: application/json\r\nContent-Length: 2\r\n\r\n"
    )
