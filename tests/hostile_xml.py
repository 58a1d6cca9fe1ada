"""XML messages that are usual, nearly usual, or made to break a reader, by seeded chance.

Imports nothing of the collector: the child process that runs the sanitized core uses it, too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random

from tests.damage import all_prefixes, damaged_one, with_replaced_octets

TIME = "2027-01-15T08:00:00.000001Z"
_YANG = "urn:ietf:params:xml:ns:yang:"
_YP = f"{_YANG}ietf-yang-push"
_RFC_5277 = "urn:ietf:params:xml:ns:netconf:notification:1.0"
_CONTENTS = (
    '<interfaces xmlns="urn:m"><interface enabled="true" if:x="&lt;1" xmlns:if="urn:if">'
    "<name>zürich &amp; 1</name><if:type/></interface></interfaces>"
)
_UPDATE = (
    f'<push-update xmlns="{_YP}"><id>7</id>'
    f'<message-publisher-id xmlns="{_YANG}ietf-distributed-notif">3</message-publisher-id>'
    f'<timestamp xmlns="{_YANG}ietf-yp-observation">{TIME}</timestamp>'
    f"<datastore-contents>{_CONTENTS}</datastore-contents></push-update>"
)
_CHANGE = (
    f'<yp:push-change-update xmlns:yp="{_YP}" xmlns:o="{_YANG}ietf-yp-observation">'
    "<yp:id> 8\n</yp:id><o:point-in-time>state-changed</o:point-in-time>"
    "<yp:datastore-changes><yp:a yp:b='&quot;'>]&gt;]</yp:a ></yp:datastore-changes>"
    "<yp:incomplete-update/></yp:push-change-update>"
)
USUAL = [
    text.encode()
    for text in (
        f'<envelope xmlns="{_YANG}ietf-yp-notification"><event-time>{TIME}</event-time>'
        "<hostname>core7</hostname><sequence-number>12</sequence-number>"
        f"<contents>{_UPDATE}</contents></envelope>",
        "<?xml version='1.0' encoding='UTF-8'?>\n"
        f"<n:envelope xmlns:n='{_YANG}ietf-yp-notification'>\n"
        f"  <n:notification-contents>\n{_CHANGE}\n  </n:notification-contents>"
        "<n:event-time>2027-01-15T08:00:00+01:00</n:event-time>\n</n:envelope>\r\n",
        f'<?xml version="1.0" encoding="UTF-8"?><notification xmlns="{_RFC_5277}">'
        f"<eventTime>{TIME}</eventTime>"
        f'<sysName xmlns="{_YANG}ietf-notification-sequencing">r1</sysName>'
        f'<sequenceNumber xmlns="{_YANG}ietf-notification-sequencing">5</sequenceNumber>'
        f"{_UPDATE}</notification>",
        f'<notification xmlns="{_RFC_5277}"><eventTime>2027-01-15T08:00:00Z</eventTime>{_CHANGE}'
        "</notification>",
        f'<notification xmlns="{_RFC_5277}"><p:push-update xmlns:p="{_YP}"><p:id>4294967295</p:id>'
        "</p:push-update></notification>",
        f'<envelope xmlns="{_YANG}ietf-yp-notification"><contents><push-update xmlns="{_YP}"/>'
        "</contents></envelope>",
    )
]
"""All of them in forms that the compiled core takes."""
TOKENS = [
    text.encode("utf-8", "surrogatepass")
    for text in (
        *"<>/&;:=\"'![]?- \t\r\n\0\x01\x1f\x7fa0_.",
        "</", "/>", "<a>", "</a>", "<a/>", "<a b='c'/>", "<a b='c' b='d'/>", "<p:a/>", "<:a/>",
        "<a:/>", "<a:b:c/>", "<0/>", "<é/>", "<a é='1'/>", "<a b=c/>", "<a b/>", "<a b = 'c'/>",
        "<a xmlns=''/>", "<a xmlns:p=''/>", "<a xmlns:p='urn:p'><p:b/></a>", "<xml:a/>",
        "<a xml:lang='en'/>", "<a xmlns:xml='urn:x'/>", "<a xmlns:xmlns='urn:x'/>", "<xmlns:a/>",
        "<a xmlns='http://www.w3.org/2000/xmlns/'/>", "<a xmlns='a b'/>", "<a xmlns='&lt;'/>",
        "<a xmlns:p='u' xmlns:q='u' p:b='1' q:b='2'/>", "<a xmlns:p='u' p:b='1' b='2'/>",
        "<!-- c -->", "<!-- c -- -->", "<![CDATA[x]]>", "<![CDATA[<]]>", "]]>", "]]", "<?pi x?>",
        "<?xml version='1.0'?>", "<!DOCTYPE a>", "<!DOCTYPE a [<!ENTITY b 'c'>]>",
        "&amp;", "&lt;", "&gt;", "&quot;", "&apos;", "&nbsp;", "&#65;", "&#x41;", "&#0;", "&amp",
        "&", "&;", "é", "€", "😀", "\ud800", "\ufffe", "\uffff", "\ufffd", "\U0001ffff", "﻿",
        "\u0085", "\u00a0", "\u2028",
        "<id>7</id>", "<id/>", "<id>07</id>", "<id>7<b/></id>", "<id>é</id>", "<contents/>",
        "<hostname><b/></hostname>", "<hostname/>", "<eventTime/>", "<incomplete-update>x",
        "<incomplete-update> </incomplete-update>", "4294967296", "18446744073709551616", "-1",
        "+7", "７", "<datastore-contents/>", "<datastore-changes>", "</datastore-contents>",
        f'<push-update xmlns="{_YP}"/>', f'xmlns="{_YP}"', f'xmlns:yp="{_YP}"', 'xmlns="urn:x"',
        TIME, "2027-02-29", "T23:59:60", "0000-00-00", ".1234567890", "z", "+24:00",
        "<a>" * 60, "</a>" * 60, "<a>" * 130, "x" * 15, "x" * 16, "x" * 17, "x" * 300,
    )
] + [b"\x80", b"\xbf", b"\xc0\x80", b"\xc1", b"\xe0\x80\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80",
     b"\xf5", b"\xff", b"\xe2\x82", b"\xf0\x9f\x98", b"\xff\xfe", b"\xfe\xff"]  # fmt: skip


def nested(levels: int) -> bytes:
    """A usual message with so many levels, those of the envelope included."""
    inner = levels - 4
    return (
        f'<envelope xmlns="{_YANG}ietf-yp-notification"><contents><push-update xmlns="{_YP}">'
        f"<datastore-contents>{'<a>' * inner}{'</a>' * inner}"
        "</datastore-contents></push-update></contents></envelope>"
    ).encode()


def filled(contents: str) -> bytes:
    """A usual message with these contents."""
    return USUAL[0].replace(_CONTENTS.encode(), contents.encode("utf-8", "surrogatepass"))


_ENTITIES = "".join(f"<!ENTITY e{n} '{f'&e{n - 1};' * 10}'>" for n in range(1, 12))
HOSTILE = [
    b"", b"<", b"<a", b"<a/>", b"</", b"\0", b"<" * 300, b"<a>" * 100_000, b"<?", b"<?xml",
    b"<!DOCTYPE a [<!ENTITY e0 'x'>" + _ENTITIES.encode() + b"]><a>&e11;</a>",
    b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
    *(nested(levels) for levels in (5, 6, 127, 128, 129, 200, 3000)),
    *(usual + behind for usual in USUAL[:2] for behind in (b" ", b"\n", b"\0", b"<a/>", b"x",
                                                           b"<!-- -->", b"<?pi?>")),
    *(before + usual for usual in USUAL[:2] for before in (b" ", b"\xef\xbb\xbf", b"\0", b"\n")),
    USUAL[0].decode().encode("utf-16"), USUAL[0].decode().encode("utf-32"),
    *(filled(token.decode("utf-8", "surrogatepass")) for token in TOKENS[:-13]),
    filled("<a>" * 40_000 + "</a>" * 40_000), filled("<a " + "b" * 50_000 + "='1'/>"),
    filled("".join(f"<a{n} xmlns:p{n}='urn:{n}'>" for n in range(100))),
    filled("<a " + " ".join(f"xmlns:p{n}='urn:{n}'" for n in range(70)) + "/>"),
    filled("<a " + " ".join(f"xmlns:p{n}='urn:{n}'" for n in range(15)) + "/>"),
    filled("<a " + " ".join(f"b{n}=''" for n in range(5000)) + "/>"),
    filled("<a xmlns:p='urn:p'><p:b p:c=''/></a><p:d/>"),
    filled("<a xmlns:p='urn:p'/><p:d/>"), filled("<a p:b='' xmlns:p='urn:p'/>"),
    filled("<a><b></a></b>"), filled("<a></ab>"), filled("<ab></a>"),
    filled("<p:a xmlns:p='u'></a>"),
    filled("<a xmlns='urn:x'><b/></a><c/>"), filled("<a xmlns=''><b xmlns='urn:b'/></a>"),
    filled("<a>" + "x]" * 3000 + "</a>"), filled("é" * 5000), filled("&amp;" * 5000),
    USUAL[0].replace(b"core7", "zürich".encode() * 100), USUAL[0].replace(b"core7", b"a &amp; b"),
    USUAL[0].replace(b"core7", b"\n\t core7 \r\n"), USUAL[0].replace(b">7<", b">\t7 \n<"),
    USUAL[0].replace(b">3<", b">03<"), USUAL[0].replace(b">3<", b">linecard 1<"),
    USUAL[0].replace(b"ietf-distributed-notif", b"ietf-multiple-stream-originators"),
    USUAL[0].replace(b"ietf-yp-observation", b"ietf-yang-push-netobs-timestamping"),
    USUAL[0].replace(b"<id>", b"text<id>"), USUAL[0].replace(b"<id>", b"<id a='1' a='2'>"),
    USUAL[0].replace(b"<id>", b"<id xmlns='urn:x'>"), USUAL[0].replace(b"<id>7", b"<id>7<!---->"),
    USUAL[2].replace(b"notification:1.0", b"notification:1.1"),
]  # fmt: skip
"""Wrong as a whole, or at the edge."""


def prefixes() -> Iterator[bytes]:
    """Every beginning of every usual message."""
    return all_prefixes(USUAL)


def replaced_octets(usual: bytes, bits: Sequence[int] = range(8)) -> Iterator[bytes]:
    """Each octet of a message with bits turned round, and replaced by what means something."""
    return with_replaced_octets(usual, b"<>/&:=' ]\0\xff", bits)


def damaged(random: Random) -> bytes:
    """A usual message with one to three pieces replaced, doubled, put in or cut off."""
    return damaged_one(random, USUAL, TOKENS, b"<>")
