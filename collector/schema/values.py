"""One value for one datum, whatever it was encoded in: canonical values of YANG types.

Does: turn what JSON, XML, CBOR or GPB key/value say of a leaf into one Python value, by the leaf's
type. Does not: find leaves (``flatten``), check patterns and lengths.

Canonical values: ``int`` for all integers, ``Decimal`` for decimal64, ``bool``, ``bytes`` for
binary, None for empty, text for everything else; the names of bits stand in the order of their
positions (RFC 7950 §9.7.2), identities are ``module:identity``, names in an instance-identifier
those of RFC 7951 §6.11. A union has the value and the type of its first member that takes it
(RFC 7950 §9.12). A value that its type does not take is ``Unfit``.

Rules: tolerant where no doubt is possible, since real devices write numbers as texts and
enumerations by name in every encoding; strict inside unions, where doubt is.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections import deque
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any, Final, TypeVar

from collector.model import NO_SIDS, PrefixedText, SidTable, TypedText
from collector.schema.tree import INTEGERS, LeafType, Node, Schema

Canonical = int | Decimal | str | bool | bytes | None
"""See above."""


T = TypeVar("T", str, bytes)


class Unfit(Exception):  # noqa: N818 - an answer, not a fault: it never leaves this package
    """The value is none of that type."""


_INTEGER: Final = re.compile(r"[+-]?(?:\d{1,20}|0x[0-9a-fA-F]{1,16})", re.ASCII)
_DECIMAL: Final = re.compile(r"[+-]?\d{1,19}(?:\.\d{1,18})?", re.ASCII)
_STEP: Final = re.compile(
    r"""/(?:([A-Za-z_][\w.-]*):)?([A-Za-z_][\w.-]*)"""
    r"""((?:\[(?:[^\]"']|"[^"]*"|'[^']*')*\])*)""",
    re.ASCII,
)
_PREDICATE_NAME: Final = re.compile(r"\[\s*(?:([A-Za-z_][\w.-]*):)?([A-Za-z_][\w.-]*)", re.ASCII)
_MAX_BITS: Final = 4096
"""Position that is looked for in a bits value at most; ours."""
_INT64: Final = 1 << 63


class Reader:
    """Canonical values by the modules and SIDs of one device."""

    def __init__(self, schema: Schema, sids: SidTable = NO_SIDS) -> None:
        self._schema = schema
        self._sids = sids

    def read(self, kind: LeafType, value: Any) -> tuple[str, Canonical]:
        """Type and canonical value of a leaf; the type is that of the member where it is a union.

        Raises:
            Unfit: the type does not take it.
        """
        if kind.base == "union":
            for one in _flat(kind.members):
                if isinstance(value, TypedText) and value.type != one.base:
                    continue
                try:
                    return one.base, self._value(one, value, strict=True)
                except Unfit:
                    continue
            raise Unfit
        return kind.base, self._value(kind, value, strict=False)

    def _value(self, kind: LeafType, value: Any, *, strict: bool) -> Canonical:
        base = kind.base
        if base in INTEGERS:
            return _integer(kind, value)
        match base:
            case "string":
                return _fitting(kind, _string(value, strict), strict)
            case "boolean":
                return _boolean(value)
            case "enumeration":
                return _enumeration(kind, value, strict)
            case "decimal64":
                return _decimal64(kind, value, strict)
            case "identityref":
                return self._identity(kind, value, strict)
            case "bits":
                return _bits(kind, value, strict)
            case "binary":
                return _fitting(kind, _binary(value), strict)
            case "empty" if value is None or value == "" or value == [None]:
                return None
            case "instance-identifier":
                return self._instance(value, strict)
        raise Unfit

    # ------------------------------------------------------------------ names
    def _identity(self, kind: LeafType, value: Any, strict: bool) -> str:
        raw = value.raw if isinstance(value, TypedText) else value
        if type(raw) is int and not (strict and raw is value):
            known = self._sids.identities.get(raw)
            if known is None:
                raise Unfit
            return known
        if not isinstance(value, str) or not value:
            raise Unfit
        prefix, colon, local = value.rpartition(":")
        if isinstance(value, PrefixedText):
            prefix = value.namespaces.get(prefix, prefix)
        name = f"{self._schema.aliases.get(prefix, prefix) if colon else kind.module}:{local}"
        if name in kind.identities or (colon and not strict):
            return name
        same = [one for one in kind.identities if one.endswith(f":{local}")]
        if len(same) == 1 and not (colon and strict):
            return same[0]
        if strict:
            raise Unfit
        return name

    def _instance(self, value: Any, strict: bool) -> str:
        raw = value.raw if isinstance(value, TypedText) else value
        if isinstance(raw, list) or type(raw) is int:
            if strict and raw is value:
                raise Unfit
            return self._instance_of_sid(raw if isinstance(raw, list) else [raw])
        if not isinstance(value, str):
            raise Unfit
        return "".join(self._steps(value))

    def _steps(self, text: str) -> Iterator[str]:
        """The steps of a path, every module named where it is another than before."""
        scope = text.namespaces if isinstance(text, PrefixedText) else {}
        module, at = "", 0
        while at < len(text):
            step = _STEP.match(text, at)
            if step is None:
                raise Unfit
            prefix, name, predicates = step.groups()
            own = self._module(prefix, scope) if prefix else module
            yield f"/{name}" if own == module else f"/{own}:{name}"
            module, at = own, step.end()
            if predicates:
                yield _PREDICATE_NAME.sub(
                    lambda found, own=own: self._predicate(found, scope, own),
                    predicates,
                )

    def _predicate(self, found: re.Match[str], scope: dict[str, str], module: str) -> str:
        own = self._module(found[1], scope) if found[1] else module
        return f"[{found[2]}" if own == module else f"[{own}:{found[2]}"

    def _module(self, prefix: str, scope: dict[str, str]) -> str:
        name = scope.get(prefix, prefix)
        return self._schema.aliases.get(name, name)

    def _instance_of_sid(self, value: Sequence[Any]) -> str:
        """RFC 9254 §6.13.1: a SID, and behind it the keys from the top on."""
        path = self._sids.paths.get(value[0]) if value and type(value[0]) is int else None
        if path is None:
            raise Unfit
        left = deque(value[1:])
        node: Node | None = self._schema.root
        found, module = [], ""
        for step in path.split("/")[1:]:
            given, _, name = step.rpartition(":")
            module = given or module
            node = None if node is None else self._schema.child(node, module, name)
            found.append(f"/{step}")
            if node is not None and node.kind == "list" and len(left) >= len(node.keys) > 0:
                found += [self._key(node, name, left.popleft()) for name in node.keys]
        if left:
            raise Unfit
        return "".join(found)

    def _key(self, node: Node, name: str, value: Any) -> str:
        leaf = node.children.get((node.module, name))
        kind, canonical = self.read(leaf.type, value) if leaf else ("", str(value))
        return predicate(name, text_of(kind, canonical))


def _flat(members: Sequence[LeafType]) -> Iterator[LeafType]:
    """The members of a union, those of unions inside it in their place."""
    for one in members:
        if one.base == "union":
            yield from _flat(one.members)
        else:
            yield one


# --------------------------------------------------------------------------- by type
def _integer(kind: LeafType, value: Any) -> int:
    number: int
    if type(value) is int:
        number = value
    elif isinstance(value, str) and _INTEGER.fullmatch(text := value.strip()):
        number = int(text, 16 if "x" in text else 10)
    elif isinstance(value, float | Decimal) and value == (whole := int(_finite(value))):
        number = whole
    else:
        raise Unfit
    low, high = INTEGERS[kind.base]
    low = low if kind.minimum is None else max(low, kind.minimum)
    high = high if kind.maximum is None else min(high, kind.maximum)
    if not low <= number <= high:
        raise Unfit
    return number


def _finite(value: float | Decimal) -> float | Decimal:
    """Not so large that making it whole costs anything."""
    if not -_INT64 * 2 <= value <= _INT64 * 2:  # false for NaN, too
        raise Unfit
    return value


def _decimal64(kind: LeafType, value: Any, strict: bool) -> Decimal:
    if isinstance(value, str) and _DECIMAL.fullmatch(text := value.strip()):
        number = Decimal(text)
    elif isinstance(value, Decimal) or (type(value) is int and not strict):
        number = Decimal(value)
    elif isinstance(value, float):
        number = Decimal(repr(_finite(value)))
    else:
        raise Unfit
    # by its digits: the context of decimal would round
    sign, digits, exponent = number.as_tuple()
    if not isinstance(exponent, int) or not -18 <= exponent <= 18:
        raise Unfit
    shifted = kind.fraction_digits + exponent
    whole = int("".join(map(str, digits)))
    scaled, left = (whole * 10**shifted, 0) if shifted >= 0 else divmod(whole, 10**-shifted)
    if left or scaled > _INT64 - (not sign):
        raise Unfit
    return number


def _string(value: Any, strict: bool) -> str:
    if isinstance(value, str):
        return str(value)
    if strict or isinstance(value, bool | bytes | list) or value is None:
        raise Unfit
    return str(value)


def _fitting(kind: LeafType, value: T, strict: bool) -> T:
    """A text or octets whose length the type allows, where that decides."""
    if strict and not (kind.minimum or 0) <= len(value) <= (kind.maximum or len(value)):
        raise Unfit
    return value


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    text = value.strip() if isinstance(value, str) else ""
    if text not in ("true", "false"):
        raise Unfit
    return text == "true"


def _enumeration(kind: LeafType, value: Any, strict: bool) -> str:
    if isinstance(value, str):
        if value in kind.enums:
            return str(value)
    elif type(value) is int and not strict:
        for name, number in kind.enums.items():
            if number == value:
                return name
    raise Unfit


def _bits(kind: LeafType, value: Any, strict: bool) -> str:
    if isinstance(value, str):
        names = set(value.split())
    elif isinstance(value, bytes | list) and not strict:
        positions = set(_positions(value))
        names = {name for name, position in kind.bits.items() if position in positions}
        if len(names) != len(positions):
            raise Unfit
    else:
        raise Unfit
    if not names <= kind.bits.keys():
        raise Unfit
    return " ".join(sorted(names, key=kind.bits.__getitem__))


def _positions(value: bytes | list[Any]) -> Iterator[int]:
    """The bits that are set (RFC 9254 §6.7): octets, and numbers of octets to leave out."""
    offset = 0
    for part in [value] if isinstance(value, bytes) else value:
        if type(part) is int and part > 0:
            offset += 8 * part
        elif isinstance(part, bytes):
            for octet in part:
                for bit in range(8):
                    if octet >> bit & 1:
                        yield offset + bit
                offset += 8
                if offset > _MAX_BITS:
                    raise Unfit
        else:
            raise Unfit


def _binary(value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        try:
            return base64.b64decode("".join(value.split()), validate=True)
        except (binascii.Error, ValueError):
            pass
    raise Unfit


# --------------------------------------------------------------------------- as text
def text_of(kind: str, value: Canonical) -> str:
    """The canonical text of a canonical value (RFC 7950 §9); of binary base64."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return ""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, Decimal):
        text = format(value, "f")
        whole, _, fraction = text.partition(".")
        text = f"{whole}.{fraction.rstrip('0') or '0'}" if kind == "decimal64" else text
        return text.removeprefix("-") if kind == "decimal64" and not value else text
    return str(value)


def predicate(name: str, text: str) -> str:
    """``[name='text']`` (RFC 7950 §9.13)."""
    quote = '"' if "'" in text else "'"
    return f"[{name}={quote}{text}{quote}]"
