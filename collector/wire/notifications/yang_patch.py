"""The patch of a push-change-update: plain contents -> its edits, in their order.

Does: find ``yang-patch`` in a message of any wrapper and encoding, and read its edits. Does not:
apply them, or follow patch-ids from message to message (``core.on_change.patch_ids``).

Rules: edits are a list that its sender ordered (RFC 8072 §2.5), so they stay as they came; what is
no patch is refused as a whole. The patch is looked for in ``datastore-changes``, and where devices
and drafts put it by mistake, in ``datastore-contents``. Targets and points are resource paths
with module names in every encoding; values are plain values (``values.plain``).

Spec: RFC 8641 §3.7, RFC 8072 §2.
"""

from __future__ import annotations

from typing import Any, Final

from msgspec import Struct

from collector.errors import WireError
from collector.model import NO_SIDS, MediaType, SidTable
from collector.wire.notifications.notification import skim_contents
from collector.wire.values import plain
from collector.wire.values.names import local_name

OPERATIONS: Final = ("create", "delete", "insert", "merge", "move", "replace", "remove")
"""By the number that CBOR has for them (RFC 9254 §6.6)."""
WHERE: Final = ("before", "after", "first", "last")
"""Likewise."""
MAX_EDITS: Final = 20_000
"""Edits of one patch that are taken; ours."""
_MODULES: Final = frozenset(("", "ietf-yang-push", "ietf-yang-patch"))
_WAY: Final = frozenset(
    (
        "envelope", "notification", "message", "contents", "notification-contents",
        "notifications", "push-change-update", "datastore-changes", "datastore-contents",
    )
)  # fmt: skip
"""Members that may lead to the patch."""
_PATCH: Final = "yang-patch"


class Edit(Struct, frozen=True):
    """One edit; what was not said is None."""

    edit_id: str
    operation: str
    """One of ``OPERATIONS``."""
    target: str
    point: str | None = None
    where: str | None = None
    """One of ``WHERE``, for insert and move."""
    value: Any = None
    """Plain values."""


class YangPatch(Struct, frozen=True):
    """The edits of one push-change-update."""

    patch_id: str
    """A counter as text, by RFC 8641 §3.7; any text by RFC 8072."""
    edits: tuple[Edit, ...] = ()
    comment: str | None = None


def read_patch(
    payload: bytes, media_type: int, place: int = 0, sids: SidTable = NO_SIDS
) -> YangPatch | None:
    """The patch of a push-change-update whose envelope was read before; None without any.

    Args:
        payload: the whole message.
        media_type: its encoding.
        place: which notification, where the message bundles several.
        sids: for CBOR with SIDs.

    Raises:
        WireError: the contents cannot be read; ``bad-value``: they are no patch.
    """
    numbered = media_type == MediaType.YANG_DATA_CBOR
    return patch_of(skim_contents(payload, media_type, sids), place, numbered=numbered)


def patch_of(message: object, place: int = 0, *, numbered: bool = False) -> YangPatch | None:
    """The patch in a message of plain values; see ``read_patch``.

    ``numbered``: enumerations may be numbers, as CBOR has them (RFC 9254 §6.6).
    """
    found = _find(message, place, len(_WAY))
    if found is None:
        return None
    members = _members(found, _PATCH)
    edits = plain.as_list(members.get("edit", []))
    if len(edits) > MAX_EDITS:
        raise plain.bad_value("edit", len(edits))
    return YangPatch(
        _text(members, "patch-id"),
        tuple(_edit(edit, numbered=numbered) for edit in edits),
        _optional(members, "comment"),
    )


def _find(value: object, place: int, depth: int) -> object:
    """The value of the first ``yang-patch`` within the known wrappers."""
    if isinstance(value, list) and value:
        value = value[place if place < len(value) else 0]
    if not isinstance(value, dict) or not depth:
        return None
    for name, member in value.items():
        local = local_name(name)
        if local == _PATCH:
            return {} if member is None else member
        if local in _WAY and (found := _find(member, place, depth - 1)) is not None:
            return found
    return None


def _members(value: object, field: str) -> dict[str, Any]:
    """Members by local name, those of other modules left out."""
    found: dict[str, Any] = {}
    for name, member in plain.members(value, field).items():
        module, _, local = name.rpartition(":")
        if module not in _MODULES:
            continue
        if local in found:
            raise plain.duplicate_member(local)
        found[local] = member
    return found


def _edit(value: object, *, numbered: bool) -> Edit:
    members = _members(value, "edit")
    if "operation" not in members:
        raise _lacks("operation")
    where = None
    if "where" in members:
        where = _word(members["where"], WHERE, "where", numbered=numbered)
    return Edit(
        _text(members, "edit-id"),
        _word(members["operation"], OPERATIONS, "operation", numbered=numbered),
        _text(members, "target"),
        _optional(members, "point"),
        where,
        members.get("value"),
    )


def _word(value: object, words: tuple[str, ...], name: str, *, numbered: bool) -> str:
    """A value of an enumeration."""
    if numbered and type(value) is int and 0 <= value < len(words):
        return words[value]
    word = plain.read_text(value, name)
    if word not in words:
        raise plain.bad_value(name, word)
    return word


def _lacks(name: str) -> WireError:
    return WireError("bad-value", f"a patch without {name}", field=name, clause="RFC 8072 §2")


def _text(members: dict[str, Any], name: str) -> str:
    if name not in members:
        raise _lacks(name)
    return plain.read_text(members[name], name)


def _optional(members: dict[str, Any], name: str) -> str | None:
    return plain.read_text(members[name], name) if name in members else None
