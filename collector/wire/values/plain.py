"""Plain values: one shape for JSON, CBOR and XML, so that each name is interpreted in one place.

Does: the checked reading of members and leaves. Plain values are dict, list, str, int, bool, None
with the names of RFC 7951 §4: ``module:name`` where the module differs from the parent's, else
``name``. Does not: know a schema. So from XML (``plain_xml``) every leaf is text, a list with one
entry is that entry, and an empty element is an empty text.

Rules: leaves are stripped (the figures of RFC 8640 print white space inside), numbers are taken as
number or text, lists of one entry with or without the list. What has no such reading is a
``WireError`` with the reason ``bad-value``; an object that names a member twice is
``duplicate-member``.
"""

from __future__ import annotations

from typing import Any, Final

from collector.errors import WireError
from collector.model import NOTHING, DeviceTime, PrefixedText
from collector.wire.values import names, timestamps

INT64_MIN: Final = -(1 << 63)
INT64_MAX: Final = (1 << 63) - 1
UINT32_MAX: Final = 0xFFFF_FFFF
_SHOWN: Final = 80
"""Characters of a peer's value that go into a message at most; ours."""
_LONGEST_NUMBER: Final = 20
"""Digits of a number given as text; a uint64 has at most 20."""


class DuplicatedMembers(dict[str, Any]):
    """A JSON object in which a name came twice; refused when it is looked into."""

    twice: str = ""
    """The name, or one of them."""


class XPathText(PrefixedText):
    """An XPath with the namespaces that its prefixes stand for."""


class IdentityText(PrefixedText):
    """An identity of a module that nobody here knows, with the namespace of its prefix."""


class VerbatimText(str):
    """Text that looks like an identity but is a string, so XML gets it as it stands."""

    __slots__ = ()


class SubtreeText(str):
    """A subtree filter as XML text (RFC 6241 §6)."""

    __slots__ = ()


# --------------------------------------------------------------------------- leaves
def bad_value(field: str, value: object) -> WireError:
    """The error for a leaf that cannot be read."""
    field, shown = field[:_SHOWN], repr(value)[:_SHOWN]
    message = f"{shown} is no value of {field}"
    return WireError("bad-value", message, field=field, clause="RFC 7951 §6")


def duplicate_member(field: str) -> WireError:
    """The error for an object that has a member twice."""
    field = field[:_SHOWN]
    message = f"the member {field} is there twice"
    return WireError("duplicate-member", message, field=field, clause="RFC 7951 §4")


def members(value: object, field: str) -> dict[str, Any]:
    """The members of an object; an empty XML element and ``null`` have none.

    Raises:
        WireError: ``bad-value`` when it is no object, ``duplicate-member``.
    """
    if isinstance(value, DuplicatedMembers):
        raise duplicate_member(value.twice)
    if isinstance(value, dict):
        return value
    if value is None or value == "" or value == [None]:
        return {}
    raise bad_value(field, value)


def known_members(value: object, field: str) -> dict[str, Any]:
    """Members by local name, those of modules unknown to us left out.

    Raises:
        WireError: as ``members``; ``duplicate-member`` also for two spellings of one name.
    """
    found: dict[str, Any] = {}
    for name, member in members(value, field).items():
        module, _, local = name.rpartition(":")
        if module and module not in names.NAMESPACES:
            continue
        if local in found:
            raise duplicate_member(local)
        found[local] = member
    return found


def read_text(value: object, field: str) -> str:
    """A leaf as stripped text that every store can take."""
    if isinstance(value, str):
        text = value.strip()
        if text.isascii():
            return text
        try:
            text.encode()
        except UnicodeEncodeError:  # half of a surrogate pair, legal in a JSON escape only
            raise bad_value(field, value) from None
        return text
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise bad_value(field, value)


def read_uint(value: object, field: str, maximum: int = UINT32_MAX) -> int:
    """A number 0..maximum, given as number or as decimal text."""
    if isinstance(value, str):
        text = value.strip()
        if not (text.isascii() and text.isdecimal() and len(text) <= _LONGEST_NUMBER):
            raise bad_value(field, value)
        value = int(text)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= maximum:
        raise bad_value(field, value)
    return value


def read_boolean(value: object, field: str) -> bool:
    """``true`` or ``false``, as value or as text."""
    if isinstance(value, bool):
        return value
    text = value.strip() if isinstance(value, str) else None
    if text not in ("true", "false"):
        raise bad_value(field, value)
    return text == "true"


def read_identity(value: object, field: str) -> str:
    """An identityref without its module or prefix."""
    return names.local_name(read_text(value, field))


def read_time(value: object, field: str) -> DeviceTime:
    """A date-and-time that fits the 64-bit nanoseconds of the stores: years 1678 to 2261.

    Raises:
        WireError: ``bad-timestamp`` when it does not, too.
    """
    time = read_record_time(value, field)
    if time is None:
        raise WireError(
            "bad-timestamp",
            f"{value!r} is too far from now to be kept in nanoseconds",
            field=field,
            clause="RFC 3339 §5.6",
        )
    return time


def read_record_time(value: object, field: str) -> DeviceTime | None:
    """The time of a record; None when it does not fit 64-bit nanoseconds (years 1678 to 2261).

    Such a time (a clock never set says year 1) tells nothing of the record, so that it counts as
    not said: the record itself is as good as any other. What is no time at all is refused.

    Raises:
        WireError: ``bad-timestamp``, ``bad-value``.
    """
    return kept_time(timestamps.parse_date_and_time(read_text(value, field)))


def kept_time(time: int) -> DeviceTime | None:
    """A time that was read, None when 64-bit nanoseconds or a column cannot hold it."""
    return DeviceTime(time) if NOTHING < time <= INT64_MAX else None


def as_list(value: object) -> list[Any]:
    """Entries of a list or leaf-list; a single entry stands for a list of one."""
    return value if isinstance(value, list) else [value]
