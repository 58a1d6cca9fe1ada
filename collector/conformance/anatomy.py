"""The parts of a notification message as they were written: wrapper, header, payload, contents.

Does: find them in a message as plain values (``wire.notifications``), names and
values untouched, so that rules can look at spellings. Does not: interpret a value, refuse anything,
know a rule. Reading for use is ``wire.encodings.members``.

Spec: RFC 5277 §4, RFC 8040 §6.4, draft-ietf-netconf-notif-envelope-04 §3,
draft-ietf-netconf-notification-messages-08.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from msgspec import Struct

from collector.wire.encodings.members import CONTENTS_LEAVES
from collector.wire.values.names import ROOT_FORMS, ROOT_MESSAGES, local_name

_WRAPPERS: Final = {local_name(root) for root in ROOT_FORMS} - {"bare"}
_TIMES: Final = ("event-time", "eventTime")
_HEADER: Final = frozenset(
    (*_TIMES, "hostname", "sysName", "sequence-number", "sequenceNumber")
)  # fmt: skip
_CONTENTS: Final = frozenset(("contents", "notification-contents"))
_MOST_LEAVES: Final = 20_000
_DEEPEST: Final = 64
"""Bounds of what is looked at (ours)."""


class Parts(Struct, frozen=True):
    """One notification message, as written."""

    root: str
    """Member that is the wrapper, as in ``ietf-yp-notification:envelope``; empty without one."""
    header: dict[str, Any]
    """Members of the wrapper that are neither contents nor the notification."""
    contents_member: str
    """``contents`` as it was spelled; empty where the wrapper has none."""
    name: str
    """Member that is the (first) notification, as in ``ietf-yang-push:push-update``."""
    body: dict[str, Any]
    """Its members."""
    notifications: int
    """How many are in the message."""

    @property
    def event_time(self) -> str | None:
        """The text of the event time."""
        found = member(self.header, *_TIMES, "notification-time", "message-time")
        return found if isinstance(found, str) else None

    def leaf(self, *names: str) -> Any:
        """The first member of the body that has one of these local names; None without one."""
        return member(self.body, *names)

    def spelling(self, *names: str) -> str:
        """How that member is written; empty without one."""
        return next((key for key in self.body if local_name(key) in names), "")

    @property
    def contents(self) -> Any:
        """Value of ``datastore-contents`` or ``datastore-changes``; None without it."""
        return self.leaf(*sorted(CONTENTS_LEAVES))


def member(members: Mapping[str, Any], *names: str) -> Any:
    """The value of the first member with one of these local names; None without one."""
    for key, value in members.items():
        if local_name(key) in names:
            return value
    return None


def parts_of(message: object, place: int = 0) -> Parts | None:
    """Take a whole message apart; None when it is nothing like a notification message.

    ``place``: which notification is wanted, where the message bundles several.
    """
    if not isinstance(message, dict):
        return None
    root = next((key for key in message if _is_name(key) and local_name(key) in _WRAPPERS), "")
    if not root:
        return _payload(message, "", {}, "")
    wrapper = message[root]
    if not isinstance(wrapper, dict):
        return None
    if root in (ROOT_MESSAGES, local_name(ROOT_MESSAGES)):
        return _bundle(wrapper, root, place)
    held = next((key for key in wrapper if _is_name(key) and local_name(key) in _CONTENTS), "")
    if held:
        header = {key: value for key, value in wrapper.items() if key != held}
        return _payload(wrapper[held], root, header, held)
    header = {key: value for key, value in wrapper.items() if local_name(str(key)) in _HEADER}
    rest = {key: value for key, value in wrapper.items() if key not in header}
    return _payload(rest, root, header, "")


def _bundle(wrapper: dict[str, Any], root: str, place: int) -> Parts | None:
    entries = member(wrapper, "notifications")
    entries = entries if isinstance(entries, list) else [entries]
    entry = entries[place] if place < len(entries) and isinstance(entries[place], dict) else {}
    outer, inner = member(wrapper, "message-header"), member(entry, "notification-header")
    header = {
        **(outer if isinstance(outer, dict) else {}),
        **(inner if isinstance(inner, dict) else {}),
    }
    found = _payload(member(entry, "notification-contents"), root, header, "")
    if found is None:
        return None
    return Parts(
        found.root, found.header, "notification-contents", found.name, found.body, len(entries)
    )


def _payload(holder: object, root: str, header: dict[str, Any], held: str) -> Parts | None:
    if not isinstance(holder, dict):
        return None
    named = [key for key in holder if _is_name(key)]
    name = next((key for key in named if isinstance(holder[key], dict)), "")
    if not name and header and len(named) == 1 and holder[named[0]] in ("", None):
        return Parts(root, header, held, named[0], {}, 1)  # a notification without members, in XML
    if not name:
        return None
    return Parts(root, header, held, name, holder[name], len(named))


def _is_name(key: object) -> bool:
    return isinstance(key, str)  # in CBOR it may be a number


# --------------------------------------------------------------------------- leaves
def leaves(value: object, path: str = "") -> Iterator[tuple[str, Any]]:
    """Path and value of every leaf, list entries by number; bounded, deeper ones left out."""
    left = _MOST_LEAVES
    waiting: list[tuple[str, object, int]] = [(path, value, 0)]
    while waiting and left:
        path, value, depth = waiting.pop()
        if depth > _DEEPEST:
            continue
        if isinstance(value, dict):
            inner = [(f"{path}/{key}", one, depth + 1) for key, one in value.items()]
            waiting += reversed(inner)
        elif isinstance(value, list) and value and value != [None]:
            entries = enumerate(value, 1)
            inner = [(f"{path}[{number}]", one, depth + 1) for number, one in entries]
            waiting += reversed(inner)
        else:
            left -= 1
            yield path, value
