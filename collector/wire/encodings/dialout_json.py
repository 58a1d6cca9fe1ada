"""JSON of gRPC dial-out: the messages of ``encodings.gpb`` with the names of their fields.

Does: the header of a message through typed structs, rows left raw, and whole messages as plain
values. Does not: know a schema.

Rules: numbers may come as text. Huawei writes times as ``2018/1/12 11:20:43.419`` in the device's
own zone, which nobody says: they are read as UTC, and the clock rules of the engine find the
difference. Depth and duplicates as in ``yang_json``.

Spec: no standard; the vendors' descriptions of their JSON.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec
from msgspec import Raw, Struct

from collector.errors import UsageError, WireError
from collector.model import MediaType, Notification
from collector.wire.dialout import telemetry
from collector.wire.dialout.telemetry import ALONE, Collection, Header, Row
from collector.wire.encodings.gpb import below, check_push_update, generator_number
from collector.wire.encodings.json_text import check_depth, parse_plain
from collector.wire.values import names, plain

_UINT64_MAX: Final = (1 << 64) - 1
_DAY_AND_TIME: Final = re.compile(
    r"(\d{4})[/-](\d\d?)[/-](\d\d?)[ T](\d\d?):(\d\d):(\d\d)(?:\.(\d{1,9}))?Z?", re.ASCII
)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NO_ROWS: Final = Raw(b"")

_Number = int | str | None


class _Cisco(Struct, gc=False):
    node_id_str: str | None = None
    subscription_id_str: _Number = None
    collection_start_time: _Number = None
    msg_timestamp: _Number = None
    data_json: Raw = _NO_ROWS


class _Generator(Struct, gc=False):
    generator_id: _Number = None
    generator_sn: _Number = None


class _Table(Struct, gc=False):
    row: Raw = _NO_ROWS
    generator: _Generator | None = None


class _Huawei(Struct, gc=False):
    node_id_str: str | None = None
    subscription_id_str: _Number = None
    collection_start_time: _Number = None
    msg_timestamp: _Number = None
    data_gpb: _Table | None = None
    generator: _Generator | None = None


class _RowTime(Struct, gc=False):
    timestamp: _Number = None


_CISCO: Final = msgspec.json.Decoder(_Cisco)
_HUAWEI: Final = msgspec.json.Decoder(_Huawei)
_ROWS: Final = msgspec.json.Decoder(list[_RowTime])


class CiscoJsonEncoding:
    """``Telemetry`` of Cisco devices as JSON, rows in ``data_json``."""

    name = "cisco-json"
    identity = "encode-json"
    media_type = int(MediaType.CISCO_JSON)
    content_type = "application/json; messageType=cisco.Telemetry"

    def decode(self, payload: bytes) -> Notification:
        """The header. Raises WireError: ``bad-json``, ``too-deep``, ``bad-value``,
        ``bad-timestamp``, ``no-telemetry``."""
        read: _Cisco = _typed(_CISCO, payload)
        return telemetry.notification(names.ROOT_CISCO, _header(read, read.data_json))

    def decode_contents(self, payload: bytes) -> Any:
        """The whole message as plain values. Raises WireError as ``json_text.parse_plain``,
        ``bad-value``."""
        read = plain.members(parse_plain(payload, strict=True), "telemetry")
        rows = [_cisco_row(row) for row in plain.as_list(read.get("data_json", []))]
        header = {name: value for name, value in read.items() if name != "data_json"}
        header["subscription_id_str"] = _text(read.get("subscription_id_str"))
        path = _text(read.get("encoding_path"))
        return telemetry.contents_of(names.ROOT_CISCO, header, telemetry.tree_of(path, rows))

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
        path, rows = telemetry.rows_of(contents)
        message = _written(
            notification, collection, notification.generator or notification.hostname
        ) | {
            "encoding_path": path,
            "data_json": [
                {
                    "timestamp": str(telemetry.milliseconds(notification.event_time)),
                    "keys": [{name: value} for name, value in row.keys.items()],
                    "content": row.content,
                }
                for row in rows
            ],
        }
        return _octets(message)


class HuaweiJsonEncoding:
    """``Telemetry`` of Huawei devices as JSON, rows in ``data_gpb`` or ``data_str``."""

    name = "huawei-json"
    identity = "encode-json"
    media_type = int(MediaType.HUAWEI_JSON)
    content_type = "application/json; messageType=huawei.Telemetry"

    def decode(self, payload: bytes) -> Notification:
        """The header. Raises WireError as ``CiscoJsonEncoding.decode``."""
        read: _Huawei = _typed(_HUAWEI, payload)
        table = read.data_gpb or _Table()
        header = _header(read, table.row)
        generator = table.generator or read.generator
        if generator is not None:
            number = _uint(generator.generator_id, "generator_id", _UINT64_MAX)
            header.generator = str(number)
            header.sequence_number = _uint(generator.generator_sn, "generator_sn", plain.UINT32_MAX)
        return telemetry.notification(names.ROOT_HUAWEI, header)

    def decode_contents(self, payload: bytes) -> Any:
        """The whole message as plain values. Raises WireError as ``json_text.parse_plain``,
        ``bad-value``."""
        read = plain.members(parse_plain(payload, strict=True), "telemetry")
        table = plain.members(read.get("data_gpb"), "data_gpb")
        header = {name: value for name, value in read.items() if name not in _ROWS_OF_HUAWEI}
        header["subscription_id_str"] = _text(read.get("subscription_id_str"))
        generator = table.get("generator", read.get("generator"))
        if generator is not None:
            header["generator"] = generator
        tree = below(_text(read.get("sensor_path")), _huawei_rows(read, table))
        return telemetry.contents_of(names.ROOT_HUAWEI, header, tree)

    def encode(
        self,
        notification: Notification,
        contents: Any = None,
        *,
        mode: str = names.MODE_MSO,
        collection: Collection = ALONE,
    ) -> bytes:
        """One message.

        Raises:
            UsageError: no push-update, or a generator that is no number.
        """
        check_push_update(notification)
        time = telemetry.milliseconds(notification.observation_time or notification.event_time)
        table: dict[str, Any] = {"row": [{"timestamp": str(time), "content": contents or {}}]}
        if notification.generator is not None:
            table["generator"] = {
                "generator_id": generator_number(notification.generator),
                "generator_sn": notification.sequence_number or 0,
            }
        message = _written(notification, collection, notification.hostname) | {
            "encoding": "Encoding_JSON",
            "data_gpb": table,
        }
        return _octets(message)


_ROWS_OF_HUAWEI: Final = frozenset(("data_gpb", "data_str", "generator"))


# --------------------------------------------------------------------------- decode
def _typed(decoder: msgspec.json.Decoder[Any], payload: bytes) -> Any:
    check_depth(payload)
    try:
        return decoder.decode(payload)
    except msgspec.ValidationError as error:
        text = str(error)
        raise WireError("bad-value", text[:160], clause="telemetry.proto") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise WireError("bad-json", f"no JSON: {error}"[:160], clause="RFC 8259 §2") from None


def _header(read: _Cisco | _Huawei, rows: Raw) -> Header:
    start = _milliseconds(read.collection_start_time, "collection_start_time")
    return Header(
        _stored(read.node_id_str, "node_id_str"),
        _stored(read.subscription_id_str, "subscription_id_str"),
        start,
        _milliseconds(read.msg_timestamp, "msg_timestamp"),
        0 if start else _row_time(rows),
    )


def _stored(value: _Number, field: str) -> str:
    """Text that every store can take."""
    return "" if value is None else plain.read_text(value, field)


def _row_time(rows: Raw) -> int:
    """Of the first row; 0 where rows look otherwise."""
    try:
        found = _ROWS.decode(rows) if bytes(rows) else []
    except (msgspec.DecodeError, UnicodeDecodeError):
        return 0
    return _milliseconds(found[0].timestamp, "timestamp") if found else 0


def _milliseconds(value: _Number, field: str) -> int:
    """ms since 1970, as a number, as such a text, or as day and time. Raises WireError."""
    if value is None or value == "":
        return 0
    if isinstance(value, str) and not (value.isascii() and value.isdecimal()):
        return _of_day_and_time(value, field)
    return _uint(value, field, _UINT64_MAX)


def _of_day_and_time(text: str, field: str) -> int:
    match = _DAY_AND_TIME.fullmatch(text.strip()) if len(text) <= 40 else None
    if match is None:
        raise WireError(
            "bad-timestamp", f"{text[:40]!r} is no time", field=field, clause="telemetry.proto"
        )
    *numbers, fraction = match.groups()
    try:
        moment = datetime(*map(int, numbers), tzinfo=UTC)  # type: ignore[arg-type,misc]  # six of them
    except ValueError:
        raise WireError(
            "bad-timestamp", f"{text[:40]!r} is no time", field=field, clause="telemetry.proto"
        ) from None
    return (moment - _EPOCH) // timedelta(milliseconds=1) + int((fraction or "0")[:3].ljust(3, "0"))


def _uint(value: _Number, field: str, maximum: int) -> int:
    return plain.read_uint(0 if value is None else value, field, maximum)


def _text(value: Any) -> str:
    if value is None:
        return ""
    return plain.read_text(value, "telemetry")


def _cisco_row(row: Any) -> Row:
    """``{"timestamp":, "keys": [{name: value}], "content": {}}``; else contents as a whole."""
    members = plain.members(row, "data_json")
    if "content" not in members and "keys" not in members:
        return Row({}, members)
    keys: dict[str, Any] = {}
    for one in plain.as_list(members.get("keys") or []):
        keys |= plain.members(one, "keys")
    return Row(keys, members.get("content", {}))


def _huawei_rows(read: dict[str, Any], table: dict[str, Any]) -> Any:
    """What the rows hold together."""
    said = read.get("data_str")
    if isinstance(said, str) and said:
        return parse_plain(said.encode("utf-8", "surrogatepass"), strict=True)
    found = []
    for row in plain.as_list(table.get("row") or []):
        content = plain.members(row, "row").get("content", {})
        if isinstance(content, str) and content[:1] == "{":
            content = parse_plain(content.encode("utf-8", "surrogatepass"), strict=True)
        found.append(content)
    return telemetry.joined(found)


# --------------------------------------------------------------------------- encode
def _written(
    notification: Notification, collection: Collection, node: str | None
) -> dict[str, Any]:
    number, start = notification.subscription_id, notification.observation_time
    said = {
        "collection_id": collection.number,
        "collection_start_time": telemetry.milliseconds(start),
        "collection_end_time": collection.ends_at,
    }
    return {
        "node_id_str": node or "",
        "subscription_id_str": "" if number is None else str(number),
        "msg_timestamp": str(telemetry.milliseconds(notification.event_time)),
        **{name: str(value) for name, value in said.items() if value},
    }


def _octets(message: dict[str, Any]) -> bytes:
    try:
        return msgspec.json.encode(message)
    except (TypeError, ValueError, OverflowError) as error:
        raise UsageError(f"the contents cannot be written as JSON: {error}") from error
