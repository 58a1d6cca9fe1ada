"""GPB of gRPC dial-out: Cisco's key/value rows, Huawei's envelope with its generator.

Does: the header of a message without looking at its rows, and whole messages as plain values.
Does not: compact rows, which only the .proto of their sensor can read: those stay opaque, as text
in base64.

Rules: the header is read by a message type that has nothing but the header (``envelope_pb2``);
contents are walked over before they are built (``dialout.protobuf``), so memory is bounded by the
octets. Numbers stay numbers, a field without a value is the empty leaf ``[null]`` of RFC 7951 §6.9,
a name that comes several times is a list; a list with one entry looks like the entry.

Spec: no standard; the vendors' field numbers are in ``wire/dialout/*.proto``.
"""

from __future__ import annotations

import base64
import math
from typing import Any, Final

import msgspec
from google.protobuf.message import DecodeError

from collector.errors import UsageError
from collector.model import MediaType, Notification, NotificationKind
from collector.wire.dialout import cisco_pb2 as cisco
from collector.wire.dialout import envelope_pb2 as envelope
from collector.wire.dialout import huawei_pb2 as huawei
from collector.wire.dialout import protobuf, telemetry
from collector.wire.dialout.protobuf import Inside, bad_gpb
from collector.wire.dialout.telemetry import ALONE, Collection, Header, Row
from collector.wire.encodings.json_text import parse_plain
from collector.wire.values import names

_FIELD: Final[dict[int, Any]] = {}
_FIELD[15] = _FIELD
_CISCO: Final[Inside] = {11: _FIELD, 12: {1: {}}}
_HUAWEI: Final[Inside] = {7: {1: {}, 2: {2: {1: {2: {}}}}, 3: {}}}
_UINT64_MAX: Final = (1 << 64) - 1
_INT64_MIN: Final = -(1 << 63)


def check_push_update(notification: Notification) -> None:
    """Raises UsageError: dial-out carries nothing else."""
    if notification.kind is not NotificationKind.PUSH_UPDATE:
        raise UsageError(f"gRPC dial-out has no {notification.kind}")


class CiscoGpbEncoding:
    """``Telemetry`` of Cisco devices with key/value rows."""

    name = "cisco-gpb"
    identity = "encode-gpb"
    media_type = int(MediaType.CISCO_GPB)
    content_type = "application/x-protobuf; messageType=cisco.Telemetry"

    def decode(self, payload: bytes) -> Notification:
        """The header. Raises WireError: ``bad-gpb``, ``no-telemetry``."""
        read = _read(envelope.CiscoTelemetry, payload)
        subscription = read.subscription_id_str
        if not subscription and read.subscription_id:
            subscription = str(read.subscription_id)
        start = read.collection_start_time
        row_time = 0
        if not start:
            row_time = protobuf.first_number(payload, 11, 1) or protobuf.first_number(
                payload, 12, 1, 1
            )
        header = Header(read.node_id_str, subscription, start, read.msg_timestamp, row_time)
        return telemetry.notification(names.ROOT_CISCO, header)

    def decode_contents(self, payload: bytes) -> Any:
        """The whole message as plain values. Raises WireError as ``decode`` and
        ``protobuf.check``."""
        protobuf.check(payload, _CISCO)
        read = _read(cisco.Telemetry, payload)
        rows = [_row(field) for field in read.data_gpbkv]
        for packed in read.data_gpb.row:
            keys = {"keys": _text(packed.keys)} if packed.keys else {}
            rows.append(Row(keys, _text(packed.content), packed.timestamp))
        header = _scalars(read)
        if not read.subscription_id_str and read.subscription_id:
            header["subscription_id_str"] = str(read.subscription_id)
        return telemetry.contents_of(
            names.ROOT_CISCO, header, telemetry.tree_of(read.encoding_path, rows)
        )

    def encode(
        self,
        notification: Notification,
        contents: Any = None,
        *,
        mode: str = names.MODE_MSO,
        collection: Collection = ALONE,
    ) -> bytes:
        """One message. Raises UsageError."""
        check_push_update(notification)
        made = cisco.Telemetry(
            node_id_str=notification.generator or notification.hostname or "",
            **_header(notification, collection),
        )
        made.encoding_path, rows = telemetry.rows_of(contents)
        for row in rows:
            field = made.data_gpbkv.add(timestamp=made.collection_start_time or made.msg_timestamp)
            _write_members(field.fields.add(name="keys"), row.keys)
            _write_members(field.fields.add(name="content"), row.content)
        return made.SerializeToString()


class HuaweiGpbEncoding:
    """``Telemetry`` of Huawei devices: header and generator; rows are compact, or JSON."""

    name = "huawei-gpb"
    identity = "encode-gpb"
    media_type = int(MediaType.HUAWEI_GPB)
    content_type = "application/x-protobuf; messageType=huawei.Telemetry"

    def decode(self, payload: bytes) -> Notification:
        """The header. Raises WireError: ``bad-gpb``, ``no-telemetry``."""
        read = _read(envelope.HuaweiTelemetry, payload)
        start = read.collection_start_time
        header = Header(
            read.node_id_str,
            read.subscription_id_str,
            start,
            read.msg_timestamp,
            0 if start else protobuf.first_number(payload, 7, 1, 1),
        )
        if read.data_gpb.HasField("generator"):
            header.generator = str(read.data_gpb.generator.generator_id)
            header.sequence_number = read.data_gpb.generator.generator_sn
        return telemetry.notification(names.ROOT_HUAWEI, header)

    def decode_contents(self, payload: bytes) -> Any:
        """The whole message as plain values.

        Raises:
            WireError: as ``decode`` and ``protobuf.check``; as ``json_text.parse_plain`` where
                the rows are JSON.
        """
        protobuf.check(payload, _HUAWEI)
        read = _read(huawei.Telemetry, payload)
        rows = [Row({}, _text(row.content), row.timestamp) for row in read.data_gpb.row]
        tree = telemetry.tree_of(read.sensor_path, rows)
        if read.data_str:
            tree = below(read.sensor_path, parse_plain(read.data_str.encode(), strict=True))
        header = _scalars(read)
        header.pop("data_str", None)
        if read.data_gpb.HasField("generator"):
            header["generator"] = _scalars(read.data_gpb.generator)
        return telemetry.contents_of(names.ROOT_HUAWEI, header, tree)

    def encode(
        self,
        notification: Notification,
        contents: Any = None,
        *,
        mode: str = names.MODE_MSO,
        collection: Collection = ALONE,
    ) -> bytes:
        """One message, its rows as JSON.

        Raises:
            UsageError: no push-update, or a generator that is no number.
        """
        check_push_update(notification)
        made = huawei.Telemetry(
            node_id_str=notification.hostname or "",
            **_header(notification, collection),
            encoding=huawei.Telemetry.Encoding_JSON,
        )
        if contents:
            made.data_str = msgspec.json.encode(contents).decode()
        if notification.generator is not None:
            made.data_gpb.generator.generator_id = generator_number(notification.generator)
            made.data_gpb.generator.generator_sn = notification.sequence_number or 0
        return made.SerializeToString()


def below(path: str, value: Any) -> Any:
    """JSON rows of Huawei: they begin below the container of the module, the first name of the
    path; names with a module are the whole tree already."""
    if not path or (isinstance(value, dict) and any(":" in name for name in value)):
        return value
    return {path.strip("/").partition("/")[0]: value}


def generator_number(generator: str) -> int:
    """``generator_id``. Raises UsageError."""
    if not (generator.isascii() and generator.isdecimal() and int(generator) <= _UINT64_MAX):
        raise UsageError(f"a Huawei generator has a number, not {generator!r}")
    return int(generator)


def _read(kind: Any, payload: bytes) -> Any:
    """A message of a generated type. Raises WireError."""
    try:
        return kind.FromString(payload)
    except DecodeError:
        raise bad_gpb("this is no telemetry message") from None


def _header(notification: Notification, collection: Collection) -> dict[str, Any]:
    """The fields that both vendors write alike."""
    number = notification.subscription_id
    return {
        "subscription_id_str": "" if number is None else str(number),
        "collection_id": collection.number,
        "collection_start_time": telemetry.milliseconds(notification.observation_time),
        "msg_timestamp": telemetry.milliseconds(notification.event_time),
        "collection_end_time": collection.ends_at,
    }


def _text(octets: bytes) -> str:
    return base64.b64encode(octets).decode()


def _scalars(message: Any) -> dict[str, Any]:
    """The fields of a message that hold single values."""
    return {
        field.name: value
        for field, value in message.ListFields()
        if not field.is_repeated and field.message_type is None
    }


# --------------------------------------------------------------------------- key/value rows
def _row(field: cisco.TelemetryField) -> Row:
    """A row has a field of keys and one of contents; what has not is contents as a whole."""
    members = telemetry.merged((inner.name, _value(inner)) for inner in field.fields)
    if not members.keys() <= {"keys", "content"}:
        return Row({}, members, field.timestamp)
    keys, content = members.get("keys"), members.get("content")
    return Row(
        keys if isinstance(keys, dict) else {},
        {} if content in (None, [None]) else content,
        field.timestamp,
    )


def _value(field: cisco.TelemetryField) -> Any:
    if field.fields:
        return telemetry.merged((inner.name, _value(inner)) for inner in field.fields)
    kind = field.WhichOneof("value_by_type")
    if kind is None:
        return [None]
    value = getattr(field, kind)
    if kind == "bytes_value":
        return _text(value)
    if kind in ("double_value", "float_value") and not math.isfinite(value):
        return str(value)
    return value


def _write_members(field: cisco.TelemetryField, members: Any) -> None:
    for name, value in members.items():
        several = isinstance(value, list) and value != [None]
        for one in value if several else [value]:
            _write_value(field.fields.add(name=name), one)


def _write_value(field: cisco.TelemetryField, value: Any) -> None:
    if isinstance(value, dict):
        _write_members(field, value)
    elif isinstance(value, str):
        field.string_value = value
    elif isinstance(value, bool):
        field.bool_value = value
    elif isinstance(value, int) and _INT64_MIN <= value <= _UINT64_MAX:
        if value < 0:
            field.sint64_value = value
        else:
            field.uint64_value = value
    elif isinstance(value, float):
        field.double_value = value
    elif value not in (None, [None]):
        raise UsageError(f"{str(value)[:80]} cannot be written as key/value GPB")
