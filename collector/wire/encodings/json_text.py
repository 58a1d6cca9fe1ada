"""JSON texts -> plain values, refused before they cost anything.

Does: bounds on depth, UTF-8, numbers, members that come twice. Does not: know what a member means.

Rules: RFC 8259 JSON in UTF-8 only, so no NaN or Infinity; at most ``MAX_DEPTH`` levels; a member
that comes twice is marked, for who reads that object to refuse it, or refused at once.
"""

from __future__ import annotations

import json
from collections import Counter
from math import isinf
from typing import Any, Final

from collector.errors import WireError
from collector.wire.values import plain
from collector.wire.values.plain import DuplicatedMembers

MAX_DEPTH: Final = 128
"""Levels of objects and arrays that are taken; ours. Deep real data has about 20."""
_OTHERS: Final = bytes(octet for octet in range(256) if octet not in b'{}[]"')
_SQUARE: Final = bytes.maketrans(b"{}", b"[]")


def check_depth(payload: bytes) -> None:
    """Refuse what nests deeper than ``MAX_DEPTH``; no recursion, linear.

    Raises:
        WireError: ``too-deep``.
    """
    if not _may_be_too_deep(payload):
        return
    if b"\\" in payload:
        payload = payload.replace(b"\\\\", b"").replace(b'\\"', b"")
    # two neighbouring quotes go away together: what is inside a text stays inside
    brackets = payload.translate(_SQUARE, _OTHERS).replace(b'""', b"")
    if b'"' in brackets:
        brackets = b"".join(brackets.split(b'"')[::2])
    for _ in range(MAX_DEPTH):  # each turn takes the innermost level away
        outer = brackets.replace(b"[]", b"")
        if len(outer) == len(brackets):
            break
        brackets = outer
    if len(brackets) > MAX_DEPTH or b"[]" in brackets:
        raise WireError("too-deep", f"objects and arrays nest deeper than {MAX_DEPTH}")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    marked = DuplicatedMembers(found)
    marked.twice = _first_repeated(pairs)
    return marked


def _first_repeated(pairs: list[tuple[str, Any]]) -> str:
    counts = Counter(name for name, _ in pairs)
    return next(name for name, count in counts.items() if count > 1)


def _strict_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise plain.duplicate_member(_first_repeated(pairs))
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _finite(text: str) -> float:
    number = float(text)
    if isinf(number):
        raise ValueError(f"{text[:40]} is out of range")
    return number


def parse_plain(payload: bytes, *, strict: bool = False) -> Any:
    """A JSON text as plain values.

    Args:
        payload: the octets.
        strict: refuse objects that name a member twice; else they become ``DuplicatedMembers``.

    Raises:
        WireError: ``bad-json``, ``too-deep``, ``duplicate-member``.
    """
    check_depth(payload)
    try:
        return json.loads(
            payload.decode(),
            object_pairs_hook=_strict_object if strict else _object,
            parse_constant=_no_constant,
            parse_float=_finite,
        )
    except json.JSONDecodeError as error:
        raise WireError(
            "bad-json", f"no JSON: {error.msg}", offset=error.pos, clause="RFC 8259 §2"
        ) from None
    except UnicodeDecodeError as error:
        raise WireError(
            "bad-json", "the text is not UTF-8", offset=error.start, clause="RFC 8259 §8.1"
        ) from None
    except ValueError as error:
        raise WireError("bad-json", f"no JSON: {error}", clause="RFC 8259 §6") from None


def is_sound(payload: bytes) -> bool:
    """Is it UTF-8 that surely nests no deeper than ``MAX_DEPTH``?"""
    return not _may_be_too_deep(payload) and (payload.isascii() or is_utf8(payload))


def _may_be_too_deep(payload: bytes) -> bool:
    # deleting finds rare octets faster than counting them does
    left = len(payload.replace(b"{", b"")) + len(payload.replace(b"[", b""))
    return 2 * len(payload) - left > MAX_DEPTH


def is_utf8(payload: bytes) -> bool:
    """Is it UTF-8, as RFC 8259 §8.1 wants it?"""
    try:
        payload.decode()
    except UnicodeDecodeError:
        return False
    return True
