"""Rules on names and values in JSON and CBOR: RFC 7951, RFC 9254.

Without a schema only what shows by itself is told: a name with the module of its parent, a number
that only a 64-bit type can hold, a prefix where a module name belongs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from collector.conformance.anatomy import leaves
from collector.conformance.rules import KEPT, Level, broken_if, rule
from collector.conformance.subjects import UPDATES, WITH_TERMS, MessageSubject
from collector.model import NotificationKind
from collector.wire.values import names
from collector.wire.values.names import local_name

_MOST: Final = 20_000
"""Members of one message that are looked at (ours)."""
_SN, _YP = names.SN, names.YP
_MODULES: Final = {
    **dict.fromkeys(names.GENERATOR_LEAVES, frozenset((names.DN, names.DN_OLD, names.MSO))),
    "timestamp": frozenset((names.OBSERVATION,)),
    "point-in-time": frozenset((names.OBSERVATION,)),
    "observation-time": frozenset((names.NETOBS,)),
    "module-version": frozenset((names.REVISION,)),
    "yang-library-content-id": frozenset((names.REVISION,)),
}
"""Leaf that another module adds -> the modules that define it."""
_OF_YANG_PUSH: Final = frozenset(
    ("datastore", "datastore-xpath-filter", "datastore-subtree-filter", "selection-filter-ref",
     "periodic", "on-change")
)  # fmt: skip
"""Members that ietf-yang-push adds to state changes."""
_OWN: Final = frozenset(
    ("id", "datastore-contents", "datastore-changes", "incomplete-update", "reason", "encoding",
     "transport", "dscp", "purpose", "stop-time", "stream", "weighting", "dependency")
)  # fmt: skip
"""Members of the notification's own module."""
_PREFIXED: Final = re.compile(r"(ianaift|ianahw|ds):[A-Za-z_][\w.-]*")
_PREFIXES: Final = {"ianaift": "iana-if-type", "ianahw": "iana-hardware", "ds": names.DS}
_INT32: Final = (-(1 << 31), (1 << 32) - 1)
"""The range of all integer types that are JSON numbers."""
_LONG_NUMBER: Final = re.compile(r"-?[1-9]\d{9,19}")


@rule(
    MessageSubject, Level.MUST, "RFC 7951 §4",
    "The outermost member has the name of its module.", needs="messages in JSON or CBOR",
)  # fmt: skip
def top_level_qualified(it: MessageSubject) -> str | None:
    """The wrapper, or the notification where there is none."""
    parts = it.named
    if parts is None:
        return None
    written = parts.root or parts.name
    return broken_if(":" not in written, written)


@rule(
    MessageSubject, Level.MUST, "RFC 7951 §4",
    "The notification has the name of its module.", needs="messages in JSON or CBOR",
)  # fmt: skip
def notification_qualified(it: MessageSubject) -> str | None:
    """As in ``ietf-yang-push:push-update``."""
    parts = it.named
    if parts is None or it.said is None:
        return None
    wanted = _module_of(it)
    found = parts.name.rpartition(":")[0]
    return broken_if(not found or (wanted and found != wanted), parts.name)


def _module_of(it: MessageSubject) -> str:
    if it.kind is NotificationKind.OTHER:
        return ""
    return _YP if it.kind in UPDATES else _SN


@rule(
    MessageSubject, Level.MUST, "RFC 7951 §4",
    "Members that another module adds have its name, the others have none.",
    needs="messages in JSON or CBOR",
)  # fmt: skip
def members_qualified(it: MessageSubject) -> str | None:
    """The members of the notification itself."""
    parts = it.named
    if parts is None or it.kind in (None, NotificationKind.OTHER):
        return None
    own = _module_of(it)
    for written in map(str, parts.body):  # in CBOR a name may be a number
        module, _, local = written.rpartition(":")
        allowed = _MODULES.get(local)
        if allowed is None and local in _OF_YANG_PUSH and own == _SN:
            allowed = frozenset((_YP,))
        if allowed is not None and module not in allowed:
            return f"{written} in {parts.name}"
        if local in _OWN and module:
            return f"{written} in {parts.name}"
    return KEPT


@rule(
    MessageSubject, Level.MUST, "RFC 7951 §4, §5.5",
    "The outermost members of contents have the names of their modules.",
    needs="updates with contents, in JSON or CBOR",
)  # fmt: skip
def contents_qualified(it: MessageSubject) -> str | None:
    """They are data nodes at the top of a datastore."""
    contents = None if it.named is None else it.named.leaf("datastore-contents")
    if not isinstance(contents, dict) or not contents:
        return None
    bare = next((key for key in contents if isinstance(key, str) and ":" not in key), None)
    return KEPT if bare is None else f"{bare} in datastore-contents"


@rule(
    MessageSubject, Level.MUST, "RFC 7951 §4",
    "No member repeats the module name of the node around it.",
    needs="updates with contents, in JSON or CBOR",
)  # fmt: skip
def names_not_repeated(it: MessageSubject) -> str | None:
    """The simple form is a must where the namespaces are the same."""
    contents = None if it.named is None else it.named.contents
    if not isinstance(contents, dict) or not contents:
        return None
    for around, written in _names(contents):
        if around and written.rpartition(":")[0] == around:
            return f"{written} within a node of {around}"
    return KEPT


def _names(value: Any) -> Iterator[tuple[str, str]]:
    """(module of the node around it, name as written) of all members."""
    left = _MOST
    waiting: list[tuple[str, Any]] = [("", value)]
    while waiting:
        around, value = waiting.pop()
        if isinstance(value, list):
            waiting += [(around, entry) for entry in value if isinstance(entry, dict | list)]
        elif isinstance(value, dict):
            for written, inner in value.items():
                left -= 1
                if left < 0:
                    return
                if not isinstance(written, str):
                    continue
                yield around, written
                if isinstance(inner, dict | list):
                    # what is in an edit begins anew at the top of a datastore
                    begins = local_name(written) in ("value", "yang-patch")
                    module = "" if begins else written.rpartition(":")[0] or around
                    waiting.append((module, inner))


@rule(
    MessageSubject, Level.MUST, "RFC 7951 §6.1",
    "64-bit numbers are texts in JSON.", needs="a number in JSON that only 64 bits can hold",
)  # fmt: skip
def int64_is_text(it: MessageSubject) -> str | None:
    """Smaller ones cannot be told from 32-bit numbers without the schema."""
    if not it.in_json or it.parts is None:
        return None
    texts = False
    for path, value in leaves(it.parts.contents):
        if type(value) is int and not _INT32[0] <= value <= _INT32[1]:
            return f"{path} is the number {value}"
        texts = texts or (isinstance(value, str) and _LONG_NUMBER.fullmatch(value) is not None)
    return KEPT if texts else None


@rule(
    MessageSubject, Level.MUST, "RFC 7951 §6.1",
    "Numbers with a fraction are texts in JSON.", needs="a fraction in JSON",
)  # fmt: skip
def decimal64_is_text(it: MessageSubject) -> str | None:
    """decimal64 is the only type that has one."""
    if not it.in_json or it.parts is None:
        return None
    texts = False
    for path, value in leaves(it.parts.contents):
        if type(value) is float:
            return f"{path} is the number {value}"
        texts = texts or (isinstance(value, str) and _is_fraction(value))
    return KEPT if texts else None


def _is_fraction(text: str) -> bool:
    before, dot, behind = text.partition(".")
    return bool(dot) and before.lstrip("-").isdecimal() and behind.isdecimal()


@rule(
    MessageSubject, Level.MUST, "RFC 7951 §6.8",
    "Identities of another module than their leaf's have its name.",
    needs="state changes with terms, in JSON or CBOR",
)  # fmt: skip
def identities_qualified(it: MessageSubject) -> str | None:
    """datastore and transport; the encodings of RFC 8639 need none."""
    parts = it.named
    if parts is None or it.kind not in WITH_TERMS:
        return None
    found = False
    for leaf in ("datastore", "transport"):
        value = parts.leaf(leaf)
        if isinstance(value, str):
            if ":" not in value:
                return f"{leaf} is {value}"
            found = True
    encoding = parts.leaf("encoding")
    if encoding == "encode-cbor":
        return "encoding is encode-cbor, of ietf-udp-notif-transport"
    return KEPT if found else None


@rule(
    MessageSubject, Level.MUST, "RFC 7951 §6.8",
    "Identities are named by module, not by prefix.",
    needs="updates with an identity of iana-if-type, iana-hardware or ietf-datastores",
)  # fmt: skip
def identities_by_module(it: MessageSubject) -> str | None:
    """``iana-if-type:gpon``, not ``ianaift:gpon``."""
    parts = it.named
    if parts is None:
        return None
    named = tuple(f"{module}:" for module in _PREFIXES.values())
    kept = False
    for path, value in leaves(parts.body):
        if isinstance(value, str):
            if (match := _PREFIXED.fullmatch(value)) is not None:
                return f"{path} is {value}, of {_PREFIXES[match[1]]}"
            kept = kept or value.startswith(named)
    return KEPT if kept else None


@rule(
    MessageSubject, Level.MUST, "RFC 7951 §5.3, §5.4",
    "Lists are arrays, also those with one entry.",
    needs="messages with a list of originators, module-version or edits, in JSON or CBOR",
)  # fmt: skip
def lists_are_arrays(it: MessageSubject) -> str | None:
    """The lists whose names we know."""
    parts = it.named
    if parts is None:
        return None
    lists = [parts.leaf("module-version"), (it.patch or {}).get("edit")]
    if it.kind in WITH_TERMS:
        lists.append(parts.leaf(*names.GENERATOR_LEAVES))
    found = [one for one in lists if one is not None]
    bad = next((one for one in found if not isinstance(one, list)), None)
    if not found:
        return None
    return KEPT if bad is None else f"{str(bad)[:80]} is no array"


@rule(
    MessageSubject, Level.MUST, "RFC 7951 §6.9, RFC 9254 §6.11",
    "A leaf of type empty is [null] in JSON, null in CBOR.",
    needs="updates with incomplete-update, in JSON or CBOR",
)  # fmt: skip
def empty_is_null(it: MessageSubject) -> str | None:
    """incomplete-update is one."""
    parts = it.named
    if parts is None or not parts.spelling("incomplete-update"):
        return None
    value = parts.leaf("incomplete-update")
    wanted = [None] if it.in_json else None
    return broken_if(value != wanted, f"incomplete-update is {str(value)[:80]}")
