"""JSON messages that are usual, nearly usual, or made to break a reader, by seeded chance.

Imports nothing of the collector: the child process that runs the sanitized core uses it, too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random

from tests.damage import all_prefixes, damaged_one, with_replaced_octets

TIME = "2027-01-15T08:00:00.000001Z"
_CONTENTS = '"datastore-contents":{"m:c":[{"name":"a\\u00e9b","x":-1.5e3,"y":[true,false,null]}]}'
_UPDATE = (
    '{"id":7,"ietf-distributed-notif:message-publisher-id":3,'
    f'"ietf-yp-observation:timestamp":"{TIME}",{_CONTENTS}}}'
)
_CHANGE = '{"id":8,"datastore-changes":{"a:b":"zürich"},"incomplete-update":[null]}'
USUAL = [
    text.encode()
    for text in (
        f'{{"ietf-yp-notification:envelope":{{"event-time":"{TIME}","hostname":"core7",'
        f'"sequence-number":12,"contents":{{"ietf-yang-push:push-update":{_UPDATE}}}}}}}',
        '{"ietf-yp-notification:envelope":{"notification-contents":'
        f'{{"ietf-yang-push:push-change-update":{_CHANGE}}},'
        '"event-time":"2027-01-15T08:00:00+01:00"}}',
        f'{{"ietf-notification:notification":{{"eventTime":"{TIME}",'
        '"ietf-notification-sequencing:sysName":"r1",'
        f'"ietf-notification-sequencing:sequenceNumber":5,"ietf-yang-push:push-update":{_UPDATE}}}}}',
        '{"ietf-notification:notification":{"ietf-notification:sysName":"x",'
        '"ietf-notification:sequenceNumber":0,"eventTime":"2027-01-15T08:00:00Z",'
        f'"ietf-yang-push:push-change-update":{_CHANGE}}}}}',
        '{"ietf-notification:notification":{"ietf-yang-push:push-update":'
        '{"ietf-yp-observation:point-in-time":"initial-state","id":4294967295}}}',
        '{"ietf-yp-notification:envelope":{"contents":{"ietf-yang-push:push-update":{}}}}',
    )
]
"""All of them in forms that the typed structs of ``yang_json`` know."""
TOKENS = [
    text.encode("utf-8", "surrogatepass")
    for text in (
        *'{}[],:"\\/ \t\r\n\0\x1f\x7f0123456789-+.eE',
        "null", "true", "false", "nul", "NaN", "Infinity", "-0", "01", "1.", ".5", "1e5", "1E+05",
        "1e999", "-1e-999", "9" * 30, "9" * 400, "4294967295", "4294967296", "18446744073709551616",
        "1.0", '""', '"a"', "{}", "[]", "[[]]", "[null]", "[null,null]", '{"a":1,"a":2}', '"id":7,',
        ',"id":7', '"event-time":null,', '"hostname":"h",', '"incomplete-update":[null],',
        '"contents":{}', ',"contents":{"ietf-yang-push:push-update":{"id":1}}',
        '"ietf-distributed-notif:message-publisher-id":[3],', '"datastore-changes":0,',
        '"ietf-distributed-notif:message-publisher-ids":3,', '"ietf-notification:sysName":"o",',
        "\\u0000", "\\ud800", "\\udc00", "\\uD83D\\uDE00", "\\u00", "\\x", "\\\"", "\\\\", "\\b",
        "é", "€", "😀", "\ud800", "\ufffe", "﻿",
        TIME, "2027-02-29", "2028-02-29", "T23:59:60", "T24:00:00", "0000-00-00", "9999-12-31",
        ".123456789", ".1234567890", "z", "+14:00", "-00:00", "+24:00", "1677-09-21", "2262-04-12",
        "[" * 60, "]" * 60, '{"a":' * 70, "}" * 70, "x" * 15, "x" * 16, "x" * 17, "x" * 300,
    )
] + [b"\x80", b"\xbf", b"\xc0\x80", b"\xc1", b"\xe0\x80\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80",
     b"\xf5", b"\xff", b"\xe2\x82", b"\xf0\x9f\x98"]  # fmt: skip


def nested(levels: int) -> bytes:
    """A usual message with so many levels, those of the envelope included."""
    inner = levels - 4
    contents = b'{"a":' * (inner // 2) + b"[" * (inner - inner // 2)
    contents += b"]" * (inner - inner // 2) + b"}" * (inner // 2)
    return (
        b'{"ietf-yp-notification:envelope":{"contents":{"ietf-yang-push:push-update":'
        b'{"datastore-contents":' + contents + b"}}}}"
    )


HOSTILE = [
    b"", b"{", b"{}", b"null", b'"', b"\0", b'{"', b"{" * 300, b"[" * 100_000, b'{"a":' * 50_000,
    b'{"ietf-yp-notification:envelope":', b'{"ietf-yp-notification:envelope":{',
    *(nested(levels) for levels in (5, 6, 127, 128, 129, 200, 3000)),
    *(usual + behind for usual in USUAL[:2] for behind in (b" ", b"\n", b"\0", b"}", b"x")),
    *(before + usual for usual in USUAL[:2] for before in (b" ", b"\xef\xbb\xbf", b"\0")),
    *(b"{" + usual[1:-1] + b"," + usual[1:] for usual in USUAL),
    USUAL[0].replace(b'"core7"', b'"' + b"\xc3\xbc" * 5000 + b'"'),
    USUAL[0].replace(b"-1.5e3", b"9" * 5000), USUAL[0].replace(b"-1.5e3", b"1e" + b"9" * 5000),
]  # fmt: skip
"""Wrong as a whole, or at the edge."""


def prefixes() -> Iterator[bytes]:
    """Every beginning of every usual message."""
    return all_prefixes(USUAL)


def replaced_octets(usual: bytes, bits: Sequence[int] = range(8)) -> Iterator[bytes]:
    """Each octet of a message with bits turned round, and replaced by what means something."""
    return with_replaced_octets(usual, b'"\\{}[],: 0-e\0\xff', bits)


def damaged(random: Random) -> bytes:
    """A usual message with one to three pieces replaced, doubled, put in or cut off."""
    return damaged_one(random, USUAL, TOKENS)
