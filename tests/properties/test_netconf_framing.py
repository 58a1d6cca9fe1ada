"""Framing: what goes in comes out, wherever the stream is cut."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from collector.errors import WireError
from collector.wire.netconf.framing import Deframer, encode_chunked, encode_delimited

contents = st.binary(max_size=60).map(lambda inside: b"<" + inside + b">")
"""Anything, but no white space at the ends: it is not part of a message."""
cuts = st.lists(st.integers(1, 9), min_size=1, max_size=20)


def read(deframer: Deframer, octets: bytes, sizes: list[int]) -> list[bytes]:
    found, at, turn = [], 0, 0
    while at < len(octets):
        size = sizes[turn % len(sizes)]
        deframer.receive(octets[at : at + size])
        while (message := deframer.next_message()) is not None:
            found.append(message)
        at, turn = at + size, turn + 1
    return found


@given(st.lists(contents, max_size=5), cuts, st.integers(1, 20))
def test_chunked_round_trip(messages: list[bytes], sizes: list[int], max_chunk: int) -> None:
    deframer = Deframer()
    deframer.use_chunked()
    octets = b"".join(encode_chunked(message, max_chunk) for message in messages)
    assert read(deframer, octets, sizes) == messages
    assert deframer.buffered == 0


@given(st.lists(contents.filter(lambda m: b"]]>]]>" not in m), max_size=5), cuts)
def test_delimited_round_trip(messages: list[bytes], sizes: list[int]) -> None:
    octets = b"".join(encode_delimited(message) for message in messages)
    assert read(Deframer(), octets, sizes) == messages


def all_at_once(octets: bytes, sizes: list[int], limit: int) -> tuple[list[bytes], str]:
    """By ``cut``; and the reason of a refusal."""
    deframer = Deframer(limit)
    deframer.use_chunked()
    found, at, turn = [], 0, 0
    while at < len(octets):
        size = sizes[turn % len(sizes)]
        found += deframer.cut(octets[at : at + size])
        assert deframer.buffered <= limit + len("\n#4294967295\n")
        at, turn = at + size, turn + 1
    error = deframer.error
    return found, "" if error is None else f"{error.reason} at {error.offset}"


def one_by_one(octets: bytes, limit: int) -> tuple[list[bytes], str]:
    """By ``next_message``."""
    deframer = Deframer(limit)
    deframer.use_chunked()
    deframer.receive(octets)
    found = []
    try:
        while (message := deframer.next_message()) is not None:
            found.append(message)
    except WireError as error:
        return found, f"{error.reason} at {error.offset}"
    return found, ""


PIECES = (
    st.binary(min_size=1, max_size=30).map(encode_chunked)
    | st.binary(min_size=1, max_size=30).map(lambda message: encode_chunked(message, 3))
    | st.text("\n#1290x ", max_size=12).map(str.encode)
)


@given(st.lists(PIECES, max_size=6).map(b"".join), st.lists(st.integers(1, 200), min_size=1))
def test_all_at_once_is_the_same_as_one_by_one(octets: bytes, sizes: list[int]) -> None:
    assert all_at_once(octets, sizes, 20) == one_by_one(octets, 20)


@given(st.text("\n#1290x", max_size=40), cuts)
def test_any_octets_are_bounded_and_cuts_change_nothing(text: str, sizes: list[int]) -> None:
    def outcome(sizes: list[int]) -> tuple[list[bytes], tuple[str, int] | None]:
        deframer = Deframer(16)
        deframer.use_chunked()
        found: list[bytes] = []
        octets, at, turn = text.encode(), 0, 0
        while at < len(octets):
            size = sizes[turn % len(sizes)]
            deframer.receive(octets[at : at + size])
            try:
                while (message := deframer.next_message()) is not None:
                    found.append(message)
            except WireError as error:
                assert deframer.buffered == 0
                return found, (error.reason, error.offset)
            assert deframer.buffered <= 16 + len("\n#4294967295\n")
            at, turn = at + size, turn + 1
        return found, None

    assert outcome(sizes) == outcome([1000])
