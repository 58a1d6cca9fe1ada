"""Requests of HTTPS-notif out of octets: in any pieces, hostile ones, bounds; without a socket."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.receivers.https.requests import (
    HEAD_OCTETS,
    PIECE,
    Paths,
    Refusal,
    Refused,
    RequestReader,
)

PATHS = Paths(b"/p/relay-notification", b"/p/capabilities", 1000)
HOST = b"Host: c.example\r\n"
RELAY = b"POST /p/relay-notification HTTP/1.1\r\n" + HOST
JSON = b"Content-Type: application/json\r\n"
ONE = RELAY + JSON + b'Content-Length: 7\r\n\r\n{"a":1}'


class Heard:
    """A listener that keeps everything."""

    def __init__(self, most_held: int = 1 << 20) -> None:
        self.told: list[tuple[Any, ...]] = []
        self.begun = 0
        self.held = 0
        self._most = most_held

    def on_notification(self, media_type: int, payload: bytes, closes: bool) -> None:
        self.told.append((media_type, payload, closes))

    def on_capabilities(self, accept: str | None, closes: bool, head: bool) -> None:
        self.told.append((accept, closes, head))

    def on_refusal(self, refusal: Refusal, closes: bool) -> None:
        self.told.append((refusal.status, refusal.allow, closes))

    def on_expectation(self) -> None:
        self.told.append(("continue",))

    def on_begin(self) -> None:
        self.begun += 1

    def hold(self, octets: int) -> bool:
        self.held += octets
        assert self.held >= 0
        return self.held <= self._most


def told(octets: bytes, piece: int = PIECE, most_held: int = 1 << 20) -> list[tuple[Any, ...]]:
    """What is told of octets in pieces; a connection that cannot go on ends with its status."""
    heard = Heard(most_held)
    reader, refused = RequestReader(PATHS, heard), None
    try:
        for at in range(0, len(octets), piece):
            reader.feed(octets[at : at + piece])
    except Refused as error:
        refused = error
        heard.told.append((error.status,))
    if refused is not None:
        assert refused.sentence.endswith((".", ")."))
        assert not reader.in_request
        assert reader.over
    reader.close()
    reader.close()
    assert heard.held == 0
    reader.feed(b"whatever follows")
    return heard.told


STREAM = (
    ONE
    + b"GET /p/capabilities HTTP/1.1\r\n" + HOST + b"Accept: application/json\r\n\r\n"
    + RELAY + b"content-TYPE: application/yang-data+xml; charset=utf-8\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n3\r\n<a>\r\n4;x=y\r\n</a>\r\n0\r\nTrailer: t\r\n\r\n"
    + b"POST https://c.example/p/relay-notification?x HTTP/1.1\r\n" + HOST
    + b"Content-Type: application/yang-data+cbor\r\nContent-Length: 1\r\n\r\n\xa0"
    + b"\r\nHEAD /p/capabilities HTTP/1.1\r\n" + HOST + b"\r\n"
    + b"PUT /p/capabilities HTTP/1.1\r\n" + HOST + b"Content-Length: 3\r\n\r\nabc"
    + RELAY + JSON + b"Connection: close\r\nContent-Length: 2\r\n\r\n{}"
    + b"garbage behind the last request"
)  # fmt: skip
TOLD = [
    (1, b'{"a":1}', False),
    ("application/json", False, False),
    (2, b"<a></a>", False),
    (3, b"\xa0", False),
    (None, False, True),
    (405, "GET, HEAD", False),
    (1, b"{}", True),
]


@pytest.mark.parametrize("piece", [1, 2, 3, 5, 64, PIECE])
def test_requests_in_pieces(piece: int) -> None:
    assert told(STREAM, piece) == TOLD


def test_requests_cut_at_every_octet() -> None:
    for at in range(1, len(STREAM)):
        heard = Heard()
        reader = RequestReader(PATHS, heard)
        reader.feed(STREAM[:at])
        reader.feed(STREAM[at:])
        assert heard.told == TOLD, at


@pytest.mark.parametrize(
    ("request_octets", "expected"),
    [
        (b"GET /p/relay-notification HTTP/1.1\r\n" + HOST + b"\r\n", (405, "POST", False)),
        (b"DELETE /p/capabilities HTTP/1.1\r\n" + HOST + b"\r\n", (405, "GET, HEAD", False)),
        (b"GET /p HTTP/1.1\r\n" + HOST + b"\r\n", (404, "", False)),
        (b"GET /p/capabilities/ HTTP/1.1\r\n" + HOST + b"\r\n", (404, "", False)),
        (b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n", (404, "", False)),
        (b"GET /\xff\xfe HTTP/1.1\r\n" + HOST + b"\r\n", (400,)),
        (RELAY + JSON + b"\r\n", (411, "", False)),
        (RELAY + b"Content-Length: 2\r\n\r\n{}", (415, "", False)),
        (RELAY + b"Content-Type: text/xml\r\nContent-Length: 2\r\n\r\n{}", (415, "", False)),
        (
            RELAY + JSON + b"Content-Type: application/xml\r\nContent-Length: 2\r\n\r\n{}",
            (415, "", False),
        ),
        (RELAY + b"Content-Type: \xe4/\xff\r\nContent-Length: 2\r\n\r\n{}", (415, "", False)),
        (RELAY + JSON + b"Expect: 200-ok\r\nContent-Length: 2\r\n\r\n{}", (417, "", False)),
        (RELAY + JSON + b"Content-Length: 1001\r\n\r\n", (413,)),
        (RELAY + JSON + b"Content-Length: 99999999999999999999999999\r\n\r\n", (400,)),
        (RELAY + JSON + b"Content-Length: 18446744073709551615\r\n\r\n", (413,)),
        (RELAY + JSON + b"Content-Length: -1\r\n\r\n", (400,)),
        (RELAY + JSON + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}", (400,)),
        (
            RELAY + JSON + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            (400,),
        ),
        (RELAY + JSON + b"Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n", (400,)),
        (RELAY + JSON + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", (400,)),
        (RELAY + JSON + b"Transfer-Encoding: chunked\r\n\r\n3e9\r\n" + b"x" * 1001, (413,)),
        (RELAY + JSON + b" folded: no\r\n\r\n", (400,)),
        (RELAY + b"no colon\r\n\r\n", (400,)),
        (RELAY + b"Content-Type : application/json\r\n\r\n", (400,)),
        (b"POST /p/relay-notification HTTP/1.1\r\n\r\n", (400,)),
        (RELAY + HOST + b"\r\n", (400,)),
        (b"GET /p/capabilities HTTP/1.0\r\n\r\n", (None, True, False)),
        (
            b"GET /p/capabilities HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
            (None, True, False),
        ),
        (b"GET /p/capabilities HTTP/3.7\r\n" + HOST + b"\r\n", (400,)),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", (400,)),
        (b"\x16\x03\x01\x02\x00\x01\x00", (400,)),
        (b"GET /p/capabilities\r\n\r\n", (400,)),
        (b"get /p/capabilities HTTP/1.1\r\n\r\n", (400,)),
        (
            b"GET /p/capabilities HTTP/1.1\r\n" + HOST + b"Connection: Upgrade\r\n"
            b"Upgrade: h2c\r\n\r\n",
            (None, True, False),
        ),
        (b"CONNECT c.example:443 HTTP/1.1\r\n" + HOST + b"\r\n", (404, "", False)),
    ],
)
def test_odd_and_hostile_requests(request_octets: bytes, expected: tuple[Any, ...]) -> None:
    assert told(request_octets)[-1] == expected
    assert told(request_octets, 1)[-1] == expected


def test_what_was_whole_before_is_told() -> None:
    assert told(ONE + ONE + b"garbage\r\n\r\n") == [TOLD[0], TOLD[0], (400,)]


def test_a_peer_that_waits_for_100_is_heard_unless_it_is_refused() -> None:
    expecting = b"Expect: 100-Continue\r\nContent-Length: 2\r\n\r\n"
    assert told(RELAY + JSON + expecting + b"{}") == [("continue",), (1, b"{}", False)]
    assert told(RELAY + expecting + b"{}") == [(415, "", False)]
    assert told(RELAY + JSON + b"Expect: 100-continue\r\nContent-Length: 1001\r\n\r\n") == [(413,)]


@pytest.mark.parametrize("piece", [1, 1000, PIECE])
@pytest.mark.parametrize(
    "endless",
    [
        b"GET /" + b"a" * (4 * HEAD_OCTETS),
        RELAY + b"X: " + b"a" * (4 * HEAD_OCTETS),
        RELAY + b"a" * (4 * HEAD_OCTETS),
        RELAY + b"X: y\r\n" * HEAD_OCTETS,
        RELAY + b"X-" + b"y:z\r\n" * HEAD_OCTETS,
    ],
)
def test_a_head_without_end(endless: bytes, piece: int) -> None:
    heard = Heard()
    reader = RequestReader(PATHS, heard)
    fed = 0
    with pytest.raises(Refused) as refused:
        for at in range(0, len(endless), piece):
            fed = at
            reader.feed(endless[at : at + piece])
    assert refused.value.status == 431
    assert fed <= HEAD_OCTETS + PIECE
    assert heard.told == []


def test_a_head_of_usual_size_behind_another_request() -> None:
    padding = b"X: " + b"a" * (HEAD_OCTETS // 2) + b"\r\n"
    long = RELAY + padding + JSON + b"Content-Length: 2\r\n\r\n{}"
    assert told(long * 9, PIECE) == [(1, b"{}", False)] * 9


def test_octets_kept_have_a_bound_of_their_own() -> None:
    body = RELAY + JSON + b"Content-Length: 600\r\n\r\n" + b" " * 600
    assert told(body, 100, most_held=600) == [(1, b" " * 600, False)]
    assert told(body, 100, most_held=500) == [(503,)]
    other = b"POST /elsewhere HTTP/1.1\r\n" + HOST + b"Content-Length: 600\r\n\r\n" + b" " * 600
    assert told(other, 100, most_held=10) == [(404, "", False)], "nothing of it is kept"


def test_a_fault_of_ours_is_not_the_peers() -> None:
    class Broken(Heard):
        def on_notification(self, media_type: int, payload: bytes, closes: bool) -> None:
            raise ZeroDivisionError

    with pytest.raises(Exception) as caught:
        RequestReader(PATHS, Broken()).feed(ONE)
    assert isinstance(caught.value.__context__, ZeroDivisionError)


# --------------------------------------------------------------------------- laws
LINES = st.lists(
    st.sampled_from(
        [
            b"POST /p/relay-notification HTTP/1.1\r\n", b"GET /p/capabilities HTTP/1.1\r\n",
            HOST, JSON, b"Content-Length: 7\r\n", b"Transfer-Encoding: chunked\r\n",
            b"Connection: close\r\n", b"Expect: 100-continue\r\n", b"\r\n", b'{"a":1}',
            b"7\r\n", b"0\r\n\r\n", b"\n", b"\x00", b" ", b"HTTP/1.0\r\n", b"Upgrade: x\r\n",
        ]
    )
    | st.binary(max_size=20),
    max_size=30,
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(LINES, st.integers(1, 50))
def test_pieces_change_nothing_and_only_refusals_come_out(lines: list[bytes], piece: int) -> None:
    octets = b"".join(lines)
    whole, cut = told(octets), told(octets, piece)
    assert [one for one in cut if one != ("continue",)] == [
        one for one in whole if one != ("continue",)
    ]
