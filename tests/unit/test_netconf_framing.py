"""RFC 6242 framing, checked against octets typed from the RFC's figures."""

from __future__ import annotations

import pytest

from collector.errors import WireError
from collector.wire.netconf.framing import Deframer, encode_chunked, encode_delimited

RFC6242_4_2 = (
    b"\n#4\n"
    b"<rpc"
    b"\n#18\n"
    b' message-id="102"\n'
    b"\n#79\n"
    b'     xmlns="urn:ietf:params:xml:ns:netconf:base:1.0">\n'
    b"  <close-session/>\n"
    b"</rpc>"
    b"\n##\n"
)
"""The example of RFC 6242 §4.2: the three chunks of one message."""
RFC6242_4_2_MESSAGE = (
    b'<rpc message-id="102"\n'
    b'     xmlns="urn:ietf:params:xml:ns:netconf:base:1.0">\n'
    b"  <close-session/>\n"
    b"</rpc>"
)
RFC6242_4_3 = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n'
    b'<rpc message-id="105"\n'
    b'xmlns="urn:ietf:params:xml:ns:netconf:base:1.0">\n'
    b"  <get-config/>\n"
    b"</rpc>\n"
    b"]]>]]>"
)


def messages_of(deframer: Deframer, octets: bytes, step: int) -> list[bytes]:
    found = []
    for at in range(0, len(octets), step):
        deframer.receive(octets[at : at + step])
        while (message := deframer.next_message()) is not None:
            found.append(message)
    return found


def chunked(max_message: int = 1000) -> Deframer:
    deframer = Deframer(max_message)
    deframer.use_chunked()
    return deframer


def refused(deframer: Deframer, octets: bytes) -> WireError:
    deframer.receive(octets)
    with pytest.raises(WireError) as caught:
        deframer.next_message()
    return caught.value


@pytest.mark.parametrize("step", [1, 2, 3, 7, 1000])
class TestPieces:
    def test_rfc6242_chunks(self, step: int) -> None:
        assert messages_of(chunked(), RFC6242_4_2 * 3, step) == [RFC6242_4_2_MESSAGE] * 3

    def test_rfc6242_end_of_message(self, step: int) -> None:
        expected = RFC6242_4_3.removesuffix(b"\n]]>]]>")
        assert messages_of(Deframer(), RFC6242_4_3 * 3, step) == [expected] * 3

    def test_false_starts_of_the_delimiter_belong_to_the_message(self, step: int) -> None:
        octets = b"<a>]]>]] ]]>]>]]></a>]]]]>]]>"
        assert messages_of(Deframer(), octets, step) == [b"<a>]]>]] ]]>]>]]></a>]]"]

    def test_chunk_data_that_looks_like_framing(self, step: int) -> None:
        octets = b"\n#13\n<a>\n##\n]]>]]>\n#4\n</a>\n##\n"
        assert messages_of(chunked(), octets, step) == [b"<a>\n##\n]]>]]></a>"]

    def test_white_space_around_and_empty_messages(self, step: int) -> None:
        octets = b"\r\n<a/>\r\n]]>]]>\n]]>]]><b/>]]>]]>\n"
        assert messages_of(Deframer(), octets, step) == [b"<a/>", b"<b/>"]


def test_switch_between_two_messages_of_one_piece() -> None:
    deframer = Deframer()
    deframer.receive(b"<hello/>]]>]]>" + RFC6242_4_2)
    assert deframer.next_message() == b"<hello/>"
    deframer.use_chunked()
    assert deframer.next_message() == RFC6242_4_2_MESSAGE
    assert deframer.next_message() is None
    assert deframer.buffered == 0


def test_all_messages_that_are_there_at_once() -> None:
    deframer = chunked()
    assert deframer.cut(b"\r\n" + RFC6242_4_2 + b"\n#4\n<a/>\n##") == [RFC6242_4_2_MESSAGE]
    assert deframer.cut(b"\n\n#5\n<b/> \n##\n\n#3\n<c") == [b"<a/>", b"<b/>"]
    assert deframer.cut(b"/\n#1\n>\n##\n\n#4\n<d/>\n##\n\n#") == [b"<c/>", b"<d/>"]
    assert deframer.cut(b"") == []
    assert deframer.cut(b"4\n<e/>\n##\n") == [b"<e/>"]
    assert deframer.buffered == 0
    assert deframer.cut(b"\n#4\n<f/>\n##\n\n#6\n<g/>\n##\n\n#4\n<h/>\n##\n") == [b"<f/>"]
    assert deframer.error is not None
    assert deframer.error.reason == "bad-chunk-start"
    assert deframer.cut(b"\n#4\n<i/>\n##\n") == [], "the stream is lost"


@pytest.mark.parametrize(
    ("octets", "reason"),
    [
        (b"\n#1001\n", "message-too-large"),
        (b"\n#4294967296\n", "bad-chunk-size"),
        (b"\n#2\n \n\n##\n", "empty-message"),
        (b"\n#02\n<>\n##\n", "bad-chunk-size"),
        (b"\n#4\n<b/>#", "bad-chunk-start"),
    ],
)
def test_what_is_illegal_is_known_at_once(octets: bytes, reason: str) -> None:
    deframer = chunked(1000)
    deframer.cut(b"\n#4\n<a/>\n##\n")
    assert deframer.cut(b"\n#4\n<a/>\n##\n" + octets) == [b"<a/>"]
    assert deframer.error is not None
    assert deframer.error.reason == reason
    assert deframer.buffered == 0


@pytest.mark.parametrize("blank", [b"\n", b"\r\n", b" \n\n", b"\n\n\n"])
@pytest.mark.parametrize("step", [1, 100])
def test_line_ends_between_hello_and_first_chunk_are_dropped(blank: bytes, step: int) -> None:
    assert messages_of(chunked(), blank + RFC6242_4_2, step) == [RFC6242_4_2_MESSAGE]


def test_white_space_before_a_later_chunk_is_illegal() -> None:
    deframer = chunked()
    deframer.receive(RFC6242_4_2)
    assert deframer.next_message() == RFC6242_4_2_MESSAGE
    assert refused(deframer, b"\n" + RFC6242_4_2).reason == "bad-chunk-start"


@pytest.mark.parametrize(
    ("octets", "reason", "offset"),
    [
        (b"#4\n<rpc", "bad-chunk-start", 0),
        (b"\n4\n<rpc", "bad-chunk-start", 1),
        (b"\n#4\n<rpcx", "bad-chunk-start", 8),
        (b"\n#4\n<rpc\n\n", "bad-chunk-start", 9),
        (b"\n#4\n<rpc\n##x", "bad-chunk-start", 11),
        (b"\n#04\n<rpc", "bad-chunk-size", 2),
        (b"\n#0\n", "bad-chunk-size", 2),
        (b"\n#\n<rpc", "bad-chunk-size", 2),
        (b"\n#-4\n<rpc", "bad-chunk-size", 2),
        (b"\n#4x\n<rpc", "bad-chunk-size", 3),
        (b"\n#4\r\n<rpc", "bad-chunk-size", 3),
        (b"\n#4294967296\n", "bad-chunk-size", 2),
        (b"\n#11111111111", "bad-chunk-size", 2),
        (b"\n##\n", "empty-message", 4),
        (b"\n#2\n \n\n##\n", "empty-message", 10),
        (b"\n#4294967295\n", "message-too-large", 13),
        (b"\n#600\n" + b"x" * 600 + b"\n#401\n", "message-too-large", 612),
    ],
)
def test_illegal_chunks(octets: bytes, reason: str, offset: int) -> None:
    error = refused(chunked(), octets)
    assert (error.reason, error.offset) == (reason, offset)
    at_once = refused(chunked(), octets[:-1] + octets[-1:])
    assert at_once.reason == reason


def test_the_largest_chunk_size_is_legal() -> None:
    deframer = Deframer(1 << 33)
    deframer.use_chunked()
    deframer.receive(b"\n#4294967295\n<")
    assert deframer.next_message() is None


def test_message_of_exactly_the_limit() -> None:
    assert messages_of(chunked(6), b"\n#3\n<a>\n#3\n</a\n##\n", 5) == [b"<a></a"]
    assert messages_of(Deframer(6), b"<a></a]]>]]>", 5) == [b"<a></a"]


def test_an_endless_message_is_refused_and_let_go() -> None:
    deframer = Deframer(100)
    error = refused(deframer, b"x" * 106)
    assert error.reason == "message-too-large"
    assert deframer.buffered == 0
    with pytest.raises(WireError):
        deframer.next_message()


def test_a_long_delimited_message_is_refused_also_when_whole() -> None:
    assert refused(Deframer(100), b"x" * 106 + b"]]>]]>").reason == "message-too-large"


def test_encode() -> None:
    assert encode_chunked(b"<rpc/>") == b"\n#6\n<rpc/>\n##\n"
    assert encode_chunked(b"<rpc/>", 4) == b"\n#4\n<rpc\n#2\n/>\n##\n"
    assert encode_delimited(b"<rpc/>") == b"<rpc/>]]>]]>"


def test_encode_refuses_what_would_break_the_framing() -> None:
    with pytest.raises(WireError, match="delimiter"):
        encode_delimited(b"<!-- ]]>]]> -->")
    with pytest.raises(WireError, match="without content"):
        encode_chunked(b"")
