"""Naive writers of typed data: one tree of leaves -> what each encoding makes of it.

Written from RFC 7950 §9, RFC 7951 §6 and RFC 9254 §6, and from how dial-out writes key/value GPB,
without a look at ``collector.schema``. A leaf is ``Typed(kind, value)`` with the value as a person
would say it; containers are dicts, lists of entries and leaf-lists are lists.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from decimal import Context
from typing import Any, NamedTuple
from xml.sax.saxutils import escape, quoteattr

import cbor2

from collector.model import SidTable


class Typed(NamedTuple):
    """A leaf."""

    kind: str
    """Built-in type; of a union member it begins with ``union ``."""
    value: Any


DECIMALS = Context(prec=40)
WIDE = ("int64", "uint64")
ENUM_VALUES = {"up": 1, "down": 5, "odd": 6, "red": 0, "blue": 1}
BIT_POSITIONS = {
    "unknown": 0, "under-repair": 1, "critical": 2, "major": 3, "minor": 4, "warning": 8,
    "indeterminate": 128,
}  # fmt: skip
NAMESPACES = {"test-base": "urn:test:base-leaves", "test-more": "urn:test:more"}


def text(leaf: Typed) -> str:
    """The canonical text of RFC 7950 §9."""
    kind, value = leaf.kind.removeprefix("union "), leaf.value
    if kind == "boolean":
        return str(value).lower()
    if kind == "binary":
        return base64.b64encode(value).decode()
    if kind == "empty":
        return ""
    if kind == "bits":
        return " ".join(sorted(value, key=BIT_POSITIONS.__getitem__))
    if kind == "decimal64":
        whole, _, fraction = f"{value:f}".partition(".")
        return f"{whole}.{fraction.rstrip('0') or '0'}"
    return str(value)


def in_json(value: Any) -> Any:
    """RFC 7951 §6."""
    if isinstance(value, dict):
        return {name: in_json(member) for name, member in value.items()}
    if not isinstance(value, Typed):
        return [in_json(entry) for entry in value]
    kind = value.kind.removeprefix("union ")
    if kind == "boolean" or ("int" in kind and kind not in WIDE):
        return value.value
    return [None] if kind == "empty" else text(value)


def in_gpb(value: Any) -> Any:
    """Key/value GPB: typed numbers, everything that has no type there as text."""
    if isinstance(value, dict):
        return {name: in_gpb(member) for name, member in value.items()}
    if not isinstance(value, Typed):
        return [in_gpb(entry) for entry in value]
    kind = value.kind.removeprefix("union ")
    if kind == "boolean" or "int" in kind:
        return value.value
    return text(value)


def in_cbor(value: Any, sids: SidTable | None = None) -> Any:
    """RFC 9254 §6, names as keys; ``sids``: identities as SIDs."""
    if isinstance(value, dict):
        return {name: in_cbor(member, sids) for name, member in value.items()}
    if not isinstance(value, Typed):
        return [in_cbor(entry, sids) for entry in value]
    kind, datum = value
    if kind.startswith("union "):
        tags = {"bits": 43, "enumeration": 44, "identityref": 45, "instance-identifier": 46}
        kind = kind.removeprefix("union ")
        if kind in tags:
            return cbor2.CBORTag(tags[kind], text(Typed(kind, datum)))
    if kind == "empty":
        return None
    if kind == "enumeration":
        return ENUM_VALUES[datum]
    if kind == "identityref" and sids is not None:
        return sids.identity_sids[datum]
    if kind == "decimal64":
        exponent = min(int(datum.as_tuple().exponent), 0)
        return cbor2.CBORTag(4, [exponent, int(datum.scaleb(-exponent, DECIMALS))])
    return _bits(datum) if kind == "bits" else datum


def _bits(names: set[str]) -> Any:
    positions = {BIT_POSITIONS[name] for name in names}
    low = bytes(
        sum(1 << bit for bit in range(8) if 8 * octet + bit in positions) for octet in (0, 1)
    )
    low = low.rstrip(b"\x00")
    if 128 not in positions:
        return low
    return [low, 16 - len(low), b"\x01"] if low else [16, b"\x01"]


def with_sids(value: Any, sids: Mapping[str, int], path: str = "", above: int = 0) -> Any:
    """Names as deltas to the SID above (RFC 9254 §3.2)."""
    if isinstance(value, list):
        return [with_sids(entry, sids, path, above) for entry in value]
    if not isinstance(value, dict):
        return value
    found = {}
    for name, member in value.items():
        sid = sids[f"{path}/{name}"]
        found[sid - above] = with_sids(member, sids, f"{path}/{name}", sid)
    return found


def in_xml(value: Mapping[str, Any]) -> str:
    """RFC 7950: elements; identities and paths with prefixes of our own choice."""
    return "".join(_element(name, member, "") for name, member in value.items())


def _element(name: str, value: Any, module: str) -> str:
    given, _, local = name.rpartition(":")
    own = given or module
    if isinstance(value, list):
        return "".join(_element(name, entry, module) for entry in value)
    attributes = f" xmlns={quoteattr(NAMESPACES[own])}" if own != module else ""
    if isinstance(value, dict):
        inside = "".join(_element(one, member, own) for one, member in value.items())
        return f"<{local}{attributes}>{inside}</{local}>"
    said = text(value)
    kind = value.kind.removeprefix("union ")
    if kind in ("identityref", "instance-identifier"):
        for number, (known, uri) in enumerate(NAMESPACES.items()):
            said = said.replace(f"{known}:", f"p{number}:")
            attributes += f' xmlns:p{number}="{uri}"'
        if kind == "instance-identifier":  # in XML every step has its prefix
            said = said.replace("/entry", "/p0:entry").replace("[name=", "[p0:name=")
    return f"<{local}{attributes}>{escape(said)}</{local}>"


def expected(value: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """Path -> type and canonical text, of a tree below ``/test-base:top``."""
    found: dict[str, tuple[str, str]] = {}
    for number, one in enumerate(value["test-base:top"].get("log", ()), 1):
        found |= _leaves(one, f"/test-base:top/log[{number}]")
    for one in value["test-base:top"].get("entry", ()):
        keys = "".join(f"[{key}={_quoted(text(one[key]))}]" for key in ("name", "slot"))
        found |= _leaves(one, f"/test-base:top/entry{keys}")
    return found


def _leaves(entry: Mapping[str, Any], path: str) -> dict[str, tuple[str, str]]:
    found: dict[str, tuple[str, str]] = {}
    for name, member in entry.items():
        if isinstance(member, Typed):
            found[f"{path}/{name}"] = (member.kind.removeprefix("union "), text(member))
        elif isinstance(member, dict):
            found |= _leaves(member, f"{path}/{name}")
        else:
            for one in member:
                found[f"{path}/{name}[.={_quoted(text(one))}]"] = (one.kind, text(one))
    return found


def _quoted(said: str) -> str:
    return f'"{said}"' if "'" in said else f"'{said}'"
