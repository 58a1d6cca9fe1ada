"""The decoders: how each is fed, and what it is fed with at first.

Does: name a function for every decoder that takes octets of a peer; it returns whatever they are,
or raises what no decoder may raise. Does not: make octets, or measure.

Rules: besides errors of the tree nothing is caught. Where two ways lead through a decoder (columns
and one by one, pieces and a whole) both are gone and have to say the same.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import cbor2
import numpy as np
from msgspec import Struct

from collector.errors import CollectorError, UsageError, WireError
from collector.model import (
    NO_SIDS,
    DeviceTime,
    MediaType,
    Notification,
    NotificationKind,
    SelectionFilter,
)
from collector.wire import https_notif
from collector.wire.captures.packets import UdpPacket
from collector.wire.captures.pcap import CaptureReader, write_pcap
from collector.wire.dialout.streams import CiscoStream, HuaweiStream, encode_cisco, encode_huawei
from collector.wire.netconf import capabilities as netconf_capabilities
from collector.wire.netconf import config as netconf_config
from collector.wire.netconf import hello as netconf_hello
from collector.wire.netconf import library as netconf_library
from collector.wire.netconf import node_paths
from collector.wire.netconf import replies as netconf_replies
from collector.wire.netconf import requests as netconf_requests
from collector.wire.netconf import schemas as netconf_schemas
from collector.wire.netconf.framing import Deframer, encode_chunked, encode_delimited
from collector.wire.notifications.nodes import read_nodes
from collector.wire.notifications.notification import decode, decode_contents, encode
from collector.wire.notifications.yang_patch import read_patch
from collector.wire.subscriptions import config as subscription_config
from collector.wire.udp_notif import dtls
from collector.wire.udp_notif.datagrams import decode_columns, decode_header, messages_in
from collector.wire.values import names, xml
from collector.wire.values.timestamps import parse_date_and_time
from publisher_sim.master.configuration import checking, editing
from publisher_sim.master.configuration.schema import schema
from tests import hostile_json, hostile_xml
from tests.envelope_rows import check_batch
from tests.vectors import rfc9254
from tests.vectors import udp_notif as datagrams
from tests.vectors.netconf_config import DEPLOYED

CONFIGURABLE = schema()
VECTORS = Path(__file__).parents[1] / "vectors"
ROW = 64
"""Octets of a row of header columns."""


class Target(Struct, frozen=True):
    """A decoder."""

    feed: Callable[[bytes], None]
    """Raises only what the decoder must not."""
    seeds: Callable[[], Iterable[bytes]]
    grown: Callable[[int], Iterable[bytes]] = lambda count: ()
    """Hostile octets that grow with a number."""


# --------------------------------------------------------------------------- notification messages
def _message(media_type: MediaType) -> Callable[[bytes], None]:
    def feed(octets: bytes) -> None:
        check_batch([octets], [media_type])  # columns, alone, and that they say the same
        for sids in (NO_SIDS, rfc9254.SIDS):
            with suppress(CollectorError):
                decode(octets, media_type, sids)
            with suppress(CollectorError):
                decode_contents(octets, media_type, sids)
        for read in (read_nodes, read_patch):
            with suppress(CollectorError):
                read(octets, media_type)

    return feed


def _files(suffix: str, *folders: str) -> Iterator[bytes]:
    for folder in folders:
        yield from (path.read_bytes() for path in sorted((VECTORS / folder).glob(f"*.{suffix}")))


def _json_seeds() -> Iterator[bytes]:
    yield from hostile_json.USUAL
    yield from _files("json", "notification")


def _xml_seeds() -> Iterator[bytes]:
    yield from hostile_xml.USUAL
    yield from _files("xml", "notification")


def _cbor_seeds() -> Iterator[bytes]:
    yield from (cbor2.dumps(json.loads(one)) for one in _json_seeds())
    for with_sids, with_names, _ in rfc9254.MESSAGES.values():
        yield from (one for one in (with_sids, with_names) if one is not None)
    yield from (octets for octets, _ in rfc9254.VALUES.values())


_IN_JSON = b'{"ietf-yang-push:push-update":{"id":1,"datastore-contents":%s}}'


def _json_grown(count: int) -> Iterator[bytes]:
    for opened, closed in ((b"[", b"]"), (b'{"a":', b"}"), (b'["', b""), (b'{"a":[', b"]}")):
        yield _IN_JSON % (opened * count + b"1" + closed * count)
        yield _IN_JSON % (opened * count)
    yield _IN_JSON % (b'"' + b"\\u00e9" * count + b'"')
    yield _IN_JSON % (b"9" * count)
    yield _IN_JSON % (b"1e" + b"9" * count)
    yield _IN_JSON % (b"{" + b'"a":1,' * count + b'"a":1}')
    yield _IN_JSON % (b"[" + b"[]," * count + b"{}]")
    yield b'{"ietf-notification-messages:message":{"notifications":[%s{}]}}' % (b"{}," * count)
    yield b" " * count


_IN_XML = (
    b'<push-update xmlns="urn:ietf:params:xml:ns:yang:ietf-yang-push"><id>1</id>'
    b"<datastore-contents>%s</datastore-contents></push-update>"
)


def _xml_grown(count: int) -> Iterator[bytes]:
    for opened, closed in ((b"<a>", b"</a>"), (b"<a xmlns:p='u'>", b"</a>"), (b"<a>x", b"y</a>")):
        yield _IN_XML % (opened * count + closed * count)
        yield _IN_XML % (opened * count)
    yield _IN_XML % (b"<a " + b"".join(b"b%d='1' " % n for n in range(count)) + b"/>")
    yield _IN_XML % (b"<a " + b"".join(b"xmlns:b%d='u' " % n for n in range(count)) + b"/>")
    yield _IN_XML % b"".join(b"<a%d/>" % n for n in range(count))
    yield _IN_XML % (b"<a b='" + b"&amp;" * count + b"'/>" + b"&lt;" * count)
    yield _IN_XML % (b"<!--" + b" - " * count + b"-->" + b"<![CDATA[" + b"]" * count + b"]]>")
    yield b"<!DOCTYPE a [" + b"<!ENTITY a 'aaaa'>" * count + b"]><a/>"
    yield b"<" + b"a" * count
    yield b" " * count + b"<a/>"


def _cbor_grown(count: int) -> Iterator[bytes]:
    for opened in (b"\x81", b"\x9f", b"\xa1\x61a", b"\xbf\x61a", b"\xc4", b"\xd8\x2f"):
        yield opened * count
        yield opened * count + b"\x01"
    yield b"\x7f" + b"\x61a" * count + b"\xff"
    yield b"\x9f" + b"\x01" * count + b"\xff"
    yield b"\xbf" + b"".join(b"\x65%05d\x01" % (n % 100_000) for n in range(count)) + b"\xff"
    yield b"\xc4\x82\x1a\x7f\xff\xff\xff\x01" + b"\x01" * count
    yield b"\xc2\x5a" + count.to_bytes(4) + b"\xff" * count
    yield from (bytes((major << 5 | 27,)) + b"\x7f" + b"\xff" * 7 for major in range(7))


# --------------------------------------------------------------------------- gRPC dial-out
def _telemetry(media_type: MediaType, grown: Callable[[int], Iterable[bytes]]) -> Target:
    told = Notification(
        NotificationKind.PUSH_UPDATE, "ietf-yang-push:push-update", names.ROOT_BARE, 7,
        event_time=DeviceTime(10**18), observation_time=DeviceTime(10**18), generator="3",
    )  # fmt: skip
    contents = {"m:top": {"list": [{"name": f"e{n}", "up": True, "x": {"y": n}} for n in (1, 2)]}}

    def seeds() -> Iterator[bytes]:
        yield encode(told, contents, media_type)
        yield encode(told, {"m:top": {"a": 1.5, "b": "text", "c": -3}}, media_type)

    return Target(_message(media_type), seeds, grown)


def _gpb_grown(count: int) -> Iterator[bytes]:
    for tag in (b"\x5a", b"\x7a", b"\x62", b"\x0a"):
        yield (tag + b"\x00") * count
        inner = b""
        while len(inner) < min(count, 15_000):
            length = len(inner)
            inner = tag + bytes((length & 0x7F | 0x80, length >> 7)) + inner
        yield inner
    yield b"\x5b" * count
    yield b"\x40" + b"\xff" * count
    yield b"\x40\x01" * count
    yield b"\x0a\xff\xff\xff\xff\x07" + b"a" * count


def _dialout(octets: bytes) -> None:
    """Messages of a stream; the first octet of each piece is its length."""
    for stream in (CiscoStream(1000), HuaweiStream(1000)):
        with suppress(CollectorError):
            assert len(stream.receive(octets).payload) <= 1000
        at = 0
        with suppress(CollectorError):
            while at < len(octets):
                stream.receive(octets[at + 1 : at + 1 + octets[at]])
                at += 1 + octets[at]
                assert getattr(stream, "held", 0) <= 1000


def _streams() -> Iterator[bytes]:
    for payload in (b'{"node_id_str":"r1"}', b"\x0a\x02r1"):
        yield from encode_cisco(payload, 1)
        pieces = encode_cisco(payload * 3, 1, piece=10)
        yield b"".join(bytes((len(piece),)) + piece for piece in pieces)
        yield encode_huawei(payload, 1, MediaType.HUAWEI_GPB)


# --------------------------------------------------------------------------- UDP-notif, DTLS
def _header(octets: bytes) -> None:
    for strict in (False, True):
        for top_bit_last in (False, True):
            for legacy in (False, True):
                with suppress(CollectorError):
                    decode_header(
                        octets, strict=strict, top_bit_last=top_bit_last, legacy=legacy
                    )  # fmt: skip
    messages_in(octets)
    rows = np.zeros((1, ROW), np.uint8)
    part = np.frombuffer(octets[:ROW], np.uint8)
    rows[0, : len(part)] = part
    said = decode_columns(rows, np.array([len(octets)]))
    if said.whole[0] or said.segment[0]:
        alone = decode_header(octets)
        assert (alone.publisher_id, alone.message_id, alone.media_type) == (
            said.publisher_id[0], said.message_id[0], said.media_type[0],
        )  # fmt: skip


def _datagrams() -> Iterator[bytes]:
    yield from (one for one in vars(datagrams).values() if isinstance(one, bytes))
    yield from (one for one, *_ in datagrams.MALFORMED.values())


def _dtls(octets: bytes) -> None:
    with suppress(CollectorError):
        if dtls.record_types(octets):
            dtls.is_client_hello(octets)
            assert b"".join(dtls.datagrams_of(octets, 1400)) == octets
    for framing in ("auto", "single", "counted"):
        with suppress(CollectorError):
            dtls.unframe(octets, framing)  # type: ignore[arg-type]  # one of the three


def _records() -> Iterator[bytes]:
    yield b"\x16\xfe\xfd" + bytes(8) + b"\x00\x0d\x01" + bytes(12)
    yield b"12 " + datagrams.EMPTY + b"12 " + datagrams.EMPTY


# --------------------------------------------------------------------------- NETCONF
def _framing(octets: bytes) -> None:
    """The first octet says the framing and how the stream is cut."""
    if not octets:
        return
    how, stream = octets[0], octets[1:]
    told = []
    for size in (max(1, how >> 1), len(stream) + 1):
        deframer = Deframer(max_message=4096)
        if how & 1:
            deframer.use_chunked()
        messages: list[bytes] = []
        try:
            for start in range(0, len(stream), size):
                deframer.receive(stream[start : start + size])
                while (message := deframer.next_message()) is not None:
                    messages.append(message)
            told.append((messages, ""))
        except WireError as error:
            told.append((messages, error.reason))
        assert deframer.buffered <= len(stream)
    assert told[0] == told[1]


def _framing_seeds() -> Iterator[bytes]:
    for message in list(_files("xml", "netconf"))[:4]:
        yield b"\x20" + encode_delimited(message)
        yield b"\x41" + encode_chunked(message, 50) + encode_chunked(message)


def _framing_grown(count: int) -> Iterator[bytes]:
    yield b"\xff" + b"\n#1\na" * count
    yield b"\xff" + b"\n##\n" * count
    yield b"\xff\n#" + b"9" * count
    yield b"\xfe" + b"]]>]]" * count
    yield b"\xfe" + b"]]>]]>" * count


def _documents(*reads: Callable[[bytes], Any]) -> Callable[[bytes], None]:
    def feed(octets: bytes) -> None:
        for read in reads:
            with suppress(CollectorError):
                read(octets)

    return feed


def _netconf_seeds() -> Iterator[bytes]:
    yield from _files("xml", "netconf")
    base = b'xmlns="urn:ietf:params:xml:ns:netconf:base:1.0"'
    yield b"<hello %s><capabilities><capability>urn:x</capability></capabilities></hello>" % base
    yield b'<rpc-reply %s message-id="1"><ok/></rpc-reply>' % base
    yield b'<rpc %s message-id="1"><close-session/></rpc>' % base


def _configuration(octets: bytes) -> None:
    """What a device has, and what a client of the simulated one wants."""
    with suppress(CollectorError):
        data = netconf_replies.decode_reply(octets, typed=False).data
        if data is not None:
            _edited(subscription_config.read_configuration(data.children))
    with suppress(CollectorError):
        operation = netconf_requests.decode_rpc(octets).operation
        if isinstance(operation, netconf_config.EditConfig):
            tree = editing.edited(editing.empty(), operation.nodes, CONFIGURABLE)
            checking.check(tree)


def _edited(found: subscription_config.Configuration) -> None:
    """Whatever was read can be written, and taken away."""
    for entry in (*found.instances, *found.subscriptions):
        for edit in (subscription_config.Edit(None, entry), subscription_config.Edit(entry, None)):
            with suppress(UsageError):
                xml.fragment(subscription_config.write_edits([edit]))


def _configuration_seeds() -> Iterator[bytes]:
    base = names.NETCONF_BASE.encode()
    text = DEPLOYED.encode()
    yield b'<rpc-reply xmlns="%s" message-id="1"><data>%s</data></rpc-reply>' % (base, text)
    yield (
        b'<rpc xmlns="%s" message-id="1"><edit-config><target><running/></target><config>%s'
        b"</config></edit-config></rpc>" % (base, text)
    )


# --------------------------------------------------------------------------- modules of a device
def _modules(octets: bytes) -> None:
    text = octets.decode("utf-8", "replace")
    netconf_schemas.dependencies(text)
    netconf_schemas.latest_revision(text)
    found: list[netconf_schemas.ModuleId] = []
    with suppress(CollectorError):
        found += netconf_schemas.decode_inventory(octets).modules
    with suppress(CollectorError):
        found += netconf_schemas.inventory_of(text.split("\n")).modules
    with suppress(CollectorError):
        found.append(netconf_schemas.decode_get_schema(octets)[1].module)
    for module in found:
        assert set(str(module)).isdisjoint("/\\\0 "), module
        assert str(module)[0] != ".", module
    with suppress(CollectorError):
        netconf_schemas.decode_schema(octets, "a")
    netconf_library.originator_leaves(text)


def _modules_seeds() -> Iterator[bytes]:
    module = netconf_schemas.ModuleId("a", "2026-01-01")
    yield netconf_schemas.encode_get_schema("1", netconf_schemas.GetSchema(module))
    yield netconf_schemas.encode_schema("1", _MODULE)
    yield (
        b'<rpc-reply xmlns="urn:ietf:params:xml:ns:netconf:base:1.0"><data><yang-library xmlns='
        b'"urn:ietf:params:xml:ns:yang:ietf-yang-library"><module-set><module><name>a</name>'
        b"<submodule><name>b</name><revision>2026-01-01</revision></submodule></module>"
        b"</module-set><content-id>1</content-id></yang-library></data></rpc-reply>"
    )
    yield _MODULE.encode()
    yield b"urn:a?module=a&revision=2026-01-01&features=x"


_MODULE = 'module a { import b { prefix "b"; } /* x */ include c; // y\n revision 2026-01-01; }'


def _modules_grown(count: int) -> Iterator[bytes]:
    yield from _xml_grown(count)
    for piece in (
        b"/*", b'\\"', b"'", b"import ", b"import\n", b"revision a ", b"module a ", b"a",
        b"augment ", b"establish-subscription/", b"leaf ", b'" + ',
    ):  # fmt: skip
        yield piece * count
        yield b"module a { " + piece * count
    yield b"urn:a?module=a&" + b"b=c&" * count


# --------------------------------------------------------------------------- what a device can
def _abilities(octets: bytes) -> None:
    text = octets.decode("utf-8", "replace")
    for path in node_paths.read_paths(text, {"p": "urn:p"}) or ():
        assert path.covers(path) or path.narrowed
    node_paths.selected_paths(SelectionFilter("subtree", text))
    with suppress(CollectorError):
        netconf_library.library_of(text.split("\n"))
    netconf_library.protocol_capabilities(text.split("\n"))
    with suppress(CollectorError):
        _read_trees(xml.parse(octets))


def _read_trees(tree: xml.Element) -> None:
    netconf_library.read_streams(tree)
    netconf_library.read_library(tree)
    found = netconf_capabilities.read_capabilities(tree)
    for field in netconf_capabilities.PushCapabilities.__struct_fields__:
        for entry in found.nodes:
            for wanted in entry.paths or ():
                list(netconf_capabilities.stated(found, field, entry.datastore, wanted))


def _abilities_seeds() -> Iterator[bytes]:
    yield b"/p:a/b[c='d']|/m:e"
    yield b"urn:ietf:params:netconf:capability:candidate:1.0\nurn:a?module=a&features=x,y"
    yield b"<l><module-set><module><name>a</name><feature>f</feature></module></module-set></l>"
    yield b"<s><stream><name>NETCONF</name><replay-support/></stream></s>"
    push = b"<subscription-capabilities>%s</subscription-capabilities>"
    low = b"<minimum-update-period>100</minimum-update-period>"
    entry = b"<per-node-capabilities><node-selector>/m:a</node-selector>%s</per-node-capabilities>"
    nodes = b"<datastore-capabilities><datastore>d</datastore>%s</datastore-capabilities>"
    whole = push % low + nodes % (entry % (push % b"<on-change-supported/>"))
    yield b"<system-capabilities>%s</system-capabilities>" % whole


def _abilities_grown(count: int) -> Iterator[bytes]:
    yield from _xml_grown(count)
    for piece in (b"/a", b"[a]", b"[", b"'", b"|/a", b"/", b" ", b"a:"):
        yield piece * count
        yield b"/a" + piece * count
    yield b"urn:a?module=a&features=" + b"b," * count


# --------------------------------------------------------------------------- captures
def _pcap(octets: bytes) -> None:
    with suppress(CollectorError):
        for packet in CaptureReader(io.BytesIO(octets)):
            assert len(packet.payload) <= 2 * len(octets) + 65_536


def _captures() -> Iterator[bytes]:
    for source, target in (("192.0.2.1", "192.0.2.2"), ("2001:db8::1", "2001:db8::2")):
        file = io.BytesIO()
        packets = [UdpPacket(10**18 + n, source, 4, target, 5, datagrams.EMPTY) for n in range(2)]
        write_pcap(file, packets)
        yield file.getvalue()
    section = b"\x0a\x0d\x0d\x0a\x1c\0\0\0\x4d\x3c\x2b\x1a\1\0\0\0" + b"\xff" * 8 + b"\x1c\0\0\0"
    yield section + b"\1\0\0\0\x14\0\0\0\1\0\0\0\0\0\0\0\x14\0\0\0"


# --------------------------------------------------------------------------- HTTPS, texts
def _https(octets: bytes) -> None:
    text = octets.decode("latin-1")
    https_notif.media_type_of(text)
    https_notif.path_of(text)
    https_notif.chosen_form(text)
    for form in https_notif.DOCUMENT_TYPES:
        with suppress(CollectorError):
            https_notif.encodings_of(https_notif.decode_capabilities(octets, form))


def _capabilities() -> Iterator[bytes]:
    for form in https_notif.DOCUMENT_TYPES:
        yield https_notif.encode_capabilities(https_notif.OURS, form)
    yield b"application/yang-data+json;q=0.5, */*;q=0.1"


def _timestamp(octets: bytes) -> None:
    with suppress(CollectorError):
        parse_date_and_time(octets.decode("utf-8", "replace"))


def _timestamps() -> Iterator[bytes]:
    yield from (b"2027-01-15T08:00:00Z", b"2027-01-15t08:00:60.123456789012-23:59")


def _timestamps_grown(count: int) -> Iterator[bytes]:
    yield b"2027-01-15T08:00:00." + b"1" * count
    yield b"9" * count


TARGETS: dict[str, Target] = {
    "header": Target(_header, _datagrams),
    "dtls": Target(_dtls, _records),
    "json": Target(_message(MediaType.YANG_DATA_JSON), _json_seeds, _json_grown),
    "xml": Target(_message(MediaType.YANG_DATA_XML), _xml_seeds, _xml_grown),
    "cbor": Target(_message(MediaType.YANG_DATA_CBOR), _cbor_seeds, _cbor_grown),
    "cisco-gpb": _telemetry(MediaType.CISCO_GPB, _gpb_grown),
    "huawei-gpb": _telemetry(MediaType.HUAWEI_GPB, _gpb_grown),
    "cisco-json": _telemetry(MediaType.CISCO_JSON, _json_grown),
    "huawei-json": _telemetry(MediaType.HUAWEI_JSON, _json_grown),
    "dialout": Target(_dialout, _streams, _gpb_grown),
    "framing": Target(_framing, _framing_seeds, _framing_grown),
    "netconf": Target(
        _documents(
            netconf_hello.decode_hello, netconf_hello.root_of, netconf_replies.decode_reply,
            netconf_requests.decode_rpc,
        ),
        _netconf_seeds,
        _xml_grown,
    ),
    "configuration": Target(_configuration, _configuration_seeds, _xml_grown),
    "device-capabilities": Target(_abilities, _abilities_seeds, _abilities_grown),
    "modules": Target(_modules, _modules_seeds, _modules_grown),
    "pcap": Target(_pcap, _captures),
    "https": Target(_https, _capabilities, _json_grown),
    "timestamp": Target(_timestamp, _timestamps, _timestamps_grown),
}  # fmt: skip
"""Every decoder by its name."""
