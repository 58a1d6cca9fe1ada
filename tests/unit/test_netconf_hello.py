"""Start tags and hellos; the hellos are those of RFC 6242 §3.1 and RFC 6241 §8.1."""

from __future__ import annotations

import pytest

from collector.errors import WireError
from collector.wire.netconf.hello import Hello, Root, decode_hello, encode_hello, root_of
from tests.vectors.netconf_hello import HELLO_OF_RFC6242


def test_hello_of_a_server() -> None:
    hello = decode_hello(HELLO_OF_RFC6242)
    assert hello.capabilities == (
        "urn:ietf:params:netconf:base:1.1",
        "urn:ietf:params:ns:netconf:capability:startup:1.0",
    )
    assert hello.session_id == 4
    assert hello.chunked


def test_hello_with_a_prefix_and_without_chunks() -> None:
    octets = (
        b'<nc:hello xmlns:nc="urn:ietf:params:xml:ns:netconf:base:1.0"><nc:capabilities>'
        b"<nc:capability>urn:ietf:params:netconf:base:1.0</nc:capability><nc:capability/>"
        b"</nc:capabilities></nc:hello>"
    )
    assert decode_hello(octets) == Hello(("urn:ietf:params:netconf:base:1.0",))
    assert not decode_hello(octets).chunked


def test_encode_hello() -> None:
    octets = encode_hello(["urn:a?b&c", "urn:ietf:params:netconf:base:1.1"], 4_294_967_295)
    assert octets == (
        b'<?xml version="1.0" encoding="UTF-8"?>'
        b'<hello xmlns="urn:ietf:params:xml:ns:netconf:base:1.0"><capabilities>'
        b"<capability>urn:a?b&amp;c</capability>"
        b"<capability>urn:ietf:params:netconf:base:1.1</capability>"
        b"</capabilities><session-id>4294967295</session-id></hello>"
    )
    assert b"session-id" not in encode_hello(["urn:a"])


@pytest.mark.parametrize("number", [b"", b"0", b"4294967296", b"-1", b"99999999999", "٣".encode()])
def test_session_ids_that_are_none(number: bytes) -> None:
    octets = HELLO_OF_RFC6242.replace(b">4<", b">" + number + b"<")
    with pytest.raises(WireError, match="session-id") as caught:
        decode_hello(octets)
    assert caught.value.reason == "bad-hello"


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"<hello>",
        b"<rpc/>",
        b"<hello/>",
        b"<hello><capabilities/></hello>",
        b"<!DOCTYPE a []>" + HELLO_OF_RFC6242.partition(b"\n")[2],
        HELLO_OF_RFC6242 + b" " * 4 * 1024 * 1024,
    ],
)
def test_no_hello(octets: bytes) -> None:
    with pytest.raises(WireError) as caught:
        decode_hello(octets)
    assert caught.value.reason == "bad-hello"


@pytest.mark.parametrize(
    ("octets", "root"),
    [
        (b"<rpc-reply>", Root("rpc-reply", None, 11)),
        (b"\xef\xbb\xbf<?xml version='1.0'?>\n<!-- <a> --> <a/>", Root("a", None, 42)),
        (b'<nc:rpc-reply xmlns:nc="u" message-id="101"><ok/>', Root("rpc-reply", "101", 44)),
        (b"<rpc-reply\n  message-id = '1&amp;2>' >", Root("rpc-reply", "1&2>", 38)),
        (b'<rpc-reply x:message-id="7">', Root("rpc-reply", None, 28)),
        (b'<rpc-reply message-id="">', Root("rpc-reply", "", 25)),
    ],
)
def test_root(octets: bytes, root: Root) -> None:
    assert root_of(octets) == root


@pytest.mark.parametrize(
    "octets", [b"", b"text", b"<", b"<a", b'<a b="c>', b"</a>", b"<!-- no end <a/>", b"<?x <a/>"]
)
def test_no_root(octets: bytes) -> None:
    with pytest.raises(WireError) as caught:
        root_of(octets)
    assert caught.value.reason == "no-root"


def test_a_prolog_without_end_is_given_up() -> None:
    with pytest.raises(WireError):
        root_of(b"<?a?>" * 50_000 + b"<a/>")
