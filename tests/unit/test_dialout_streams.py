"""What travels in the streams of gRPC dial-out, against octets written by hand."""

from __future__ import annotations

import pytest

from collector.errors import UsageError, WireError
from collector.model import MediaType
from collector.wire.dialout.streams import (
    Arrived,
    CiscoStream,
    HuaweiStream,
    encode_cisco,
    encode_huawei,
)

LIMIT = 100
GPB, JSON = int(MediaType.CISCO_GPB), int(MediaType.CISCO_JSON)
HUAWEI_GPB, HUAWEI_JSON = int(MediaType.HUAWEI_GPB), int(MediaType.HUAWEI_JSON)


def args(data: bytes, total: int = 0) -> bytes:
    """``MdtDialoutArgs``: ReqId=1, data=2, totalSize=4."""
    head = b"\x08\x05\x12" + bytes([len(data)])
    return head + data + (b"\x20" + bytes([total]) if total else b"")


def reason(stream: CiscoStream | HuaweiStream, octets: bytes) -> str:
    with pytest.raises(WireError) as refused:
        stream.receive(octets)
    return refused.value.reason


def test_a_whole_message() -> None:
    stream = CiscoStream(LIMIT)
    assert stream.receive(args(b"\x0a\x01r")) == Arrived(b"\x0a\x01r", GPB, "")
    assert stream.receive(args(b'{"a":1}')) == Arrived(b'{"a":1}', JSON, "")
    assert stream.receive(args(b"abc", total=3)) == Arrived(b"abc", GPB, "")
    assert stream.held == 0


def test_a_message_in_chunks() -> None:
    stream = CiscoStream(LIMIT)
    assert stream.receive(args(b"{abc", total=10)).payload == b""
    assert stream.held == 4
    assert stream.receive(args(b"defg", total=10)).payload == b""
    assert stream.receive(args(b"hi", total=10)) == Arrived(b"{abcdefghi", JSON, "")
    assert stream.held == 0
    assert stream.receive(args(b"next")).payload == b"next"


def test_chunks_that_do_not_fit_are_forgotten() -> None:
    stream = CiscoStream(LIMIT)
    stream.receive(args(b"abcd", total=10))
    assert reason(stream, args(b"efgh", total=11)) == "bad-chunk"
    assert stream.held == 0
    stream.receive(args(b"abcd", total=10))
    assert reason(stream, args(b"a whole one")) == "bad-chunk"
    stream.receive(args(b"abcd", total=10))
    assert reason(stream, args(b"too much of it", total=10)) == "bad-chunk"
    assert reason(stream, args(b"abc", total=2)) == "bad-chunk"
    stream.receive(args(b"abcd", total=10))
    assert reason(stream, b"\x12\x05a") == "bad-gpb"
    assert stream.held == 0
    assert stream.receive(args(b"abc")).payload == b"abc"


def test_what_is_promised_is_bounded() -> None:
    stream = CiscoStream(LIMIT)
    assert reason(stream, args(b"a", total=101)) == "too-long"
    assert reason(stream, args(b"x" * 101)) == "too-long"
    # totalSize of 2^31 - 1
    assert reason(stream, b"\x12\x01a\x20\xff\xff\xff\xff\x07") == "too-long"
    stream.receive(args(b"abcd", total=10))
    assert reason(stream, args(b"x" * 101, total=10)) == "too-long"
    assert stream.held == 0


def test_errors_of_the_device() -> None:
    stream = CiscoStream(LIMIT)
    assert stream.receive(b"\x1a\x03bad") == Arrived(b"", 0, "bad")
    assert stream.receive(b"") == Arrived(b"", 0, "")
    assert stream.receive(b"\x12\x01x\x1a\x03bad") == Arrived(b"x", GPB, "bad")
    long = stream.receive(b"\x1a\xff\x01" + b"e" * 255).error
    assert len(long) == 200


@pytest.mark.parametrize(
    ("octets", "data"),
    [
        (b"\x08\x05\x12\x03abc", b"abc"),
        (b"\x08\xff\xff\x7f\x12\x03abc", b"abc"),
        (b"\x08\x05\x12\x83\x80\x00abc", b"abc"),  # a length with octets that say nothing
        (b"\x12\x03abc", b"abc"),
        (b"\x12\x03abc\x08\x05", b"abc"),
        (b"\x08\x05\x12\x03abc\x12\x01d", b"d"),  # of a field that comes twice the last counts
        (b"\x08\x05\x12\x00", b""),
        (b"\x08\x05", b""),
        (b"\x18\x05\x12\x03abc", b"abc"),
    ],
)
def test_every_form_of_a_message(octets: bytes, data: bytes) -> None:
    assert CiscoStream(LIMIT).receive(octets).payload == data


@pytest.mark.parametrize(
    "octets",
    [
        b"\x08",
        b"\x08\x05\x12",
        b"\x08\x05\x12\x80",
        b"\x08\x05\x12\x04abc",
        b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x12\x03abc",
        b"\x08\x05\x12\x83\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00abc",
    ],
)
def test_forms_that_are_none(octets: bytes) -> None:
    assert reason(CiscoStream(LIMIT), octets) == "bad-gpb"


def test_huawei() -> None:
    stream = HuaweiStream(LIMIT)
    assert stream.receive(b"\x08\x05\x12\x02ab") == Arrived(b"ab", HUAWEI_GPB, "")
    assert stream.receive(b"\x08\x05\x22\x02{}") == Arrived(b"{}", HUAWEI_JSON, "")
    assert stream.receive(b"\x1a\x03bad") == Arrived(b"", 0, "bad")
    assert reason(stream, b"\x12\x65" + b"x" * 101) == "too-long"
    assert reason(stream, b"\x22\x65" + b"x" * 101) == "too-long"
    assert reason(stream, b"\x12\x05a") == "bad-gpb"
    assert reason(stream, b"\x22\x01\xff") == "bad-gpb"
    assert stream.held == 0


def test_what_we_write() -> None:
    assert encode_cisco(b"abc", 5) == [b"\x08\x05\x12\x03abc"]
    assert encode_cisco(b"abc", 5, piece=3) == [b"\x08\x05\x12\x03abc"]
    assert encode_cisco(b"abcde", 5, piece=3) == [
        b"\x08\x05\x12\x03abc\x20\x05", b"\x08\x05\x12\x02de\x20\x05",
    ]  # fmt: skip
    assert encode_huawei(b"abc", 5, HUAWEI_GPB) == b"\x08\x05\x12\x03abc"
    assert encode_huawei(b"{}", 5, HUAWEI_JSON) == b"\x08\x05\x22\x02{}"
    with pytest.raises(UsageError):
        encode_huawei(b"\xff", 5, HUAWEI_JSON)
