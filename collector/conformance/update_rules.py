"""Rules on push-update and push-change-update: what they must carry, and patches."""

from __future__ import annotations

from typing import Any, Final

from collector.conformance.rules import DN, ENVELOPE, KEPT, Level, broken_if, rule
from collector.conformance.subjects import UPDATES, MessageSubject
from collector.model import NotificationKind
from collector.wire.values.names import GENERATOR_LEAVES

_UPDATE, _CHANGE = NotificationKind.PUSH_UPDATE, NotificationKind.PUSH_CHANGE_UPDATE
_WITH_VALUE: Final = frozenset(("create", "insert", "merge", "replace"))
_WITHOUT_VALUE: Final = frozenset(("delete", "move", "remove"))
_POINTS: Final = frozenset(("current-accounting", "initial-state", "state-changed"))


@rule(
    MessageSubject, Level.MUST, "RFC 8641 §4.3.2",
    "An update carries the id of its subscription.", needs="updates",
)  # fmt: skip
def update_has_id(it: MessageSubject) -> str | None:
    """In the leaf ``id``."""
    if it.kind not in UPDATES or it.said is None:
        return None
    return broken_if(it.said.subscription_id is None, f"a {it.kind} without one")


@rule(
    MessageSubject, Level.MUST, "RFC 8641 §3.7",
    "Contents are in datastore-contents of push-update, changes in datastore-changes of"
    " push-change-update.", needs="updates",
)  # fmt: skip
def contents_in_their_leaf(it: MessageSubject) -> str | None:
    """An empty update has neither."""
    if it.kind not in UPDATES or it.parts is None:
        return None
    other = "datastore-changes" if it.kind is _UPDATE else "datastore-contents"
    return broken_if(it.parts.spelling(other), f"{other} in a {it.kind}")


@rule(
    MessageSubject, Level.OURS, "RFC 8641 §3.11.1",
    "No update says of itself that it is incomplete.", needs="updates",
)  # fmt: skip
def updates_are_complete(it: MessageSubject) -> str | None:
    """To say so is right; that it has to be said is worth knowing."""
    if it.kind not in UPDATES or it.said is None:
        return None
    return broken_if(
        it.said.incomplete_update, f"incomplete-update in subscription {it.said.subscription_id}"
    )


@rule(
    MessageSubject, Level.MUST, f"{DN} §6",
    "An update carries the Message Publisher ID of who sends it.", needs="updates",
)  # fmt: skip
def update_has_publisher_id(it: MessageSubject) -> str | None:
    """In the payload; the header's is lost when the message is handed on."""
    if it.kind not in UPDATES:
        return None
    return broken_if(it.generator is None, f"a {it.kind} without one")


@rule(
    MessageSubject, Level.MUST, f"{DN} §10",
    "It is one id in the leaf ietf-distributed-notif:message-publisher-id.",
    needs="updates that name their originator",
)  # fmt: skip
def update_publisher_id_leaf(it: MessageSubject) -> str | None:
    """The text of §6 says list, the module says leaf."""
    if it.kind not in UPDATES or it.parts is None:
        return None
    written = it.parts.spelling(*GENERATOR_LEAVES)
    if not written:
        return None
    if isinstance(it.parts.leaf(*GENERATOR_LEAVES), list):
        return f"a list in {written}"
    return broken_if(written.rpartition(":")[2] != "message-publisher-id", written)


@rule(
    MessageSubject, Level.MAY, f"{ENVELOPE} §3.3.1",
    "An update carries the time of its observation.", needs="updates",
)  # fmt: skip
def observation_time_present(it: MessageSubject) -> str | None:
    """The event time says when the message was made, not when the data was read."""
    if it.kind not in UPDATES or it.said is None:
        return None
    return broken_if(it.said.observation_time is None, f"a {it.kind} without one")


@rule(
    MessageSubject, Level.MUST, f"{ENVELOPE} §3.3.1",
    "point-in-time says what the trigger of the subscription makes it.",
    needs="updates with point-in-time",
)  # fmt: skip
def point_in_time_fits(it: MessageSubject) -> str | None:
    """current-accounting when periodic; initial-state and then state-changed when on-change."""
    point = None if it.said is None else it.said.point_in_time
    if point is None or it.kind not in UPDATES:
        return None
    if point not in _POINTS:
        return f"{point} is not defined"
    terms = it.series.terms
    if it.kind is _CHANGE:
        return broken_if(point != "state-changed", f"{point} in a push-change-update")
    if terms is None or (terms.period is None and terms.on_change is None):
        return None
    wrong = (point == "current-accounting") is (terms.period is None)
    how = "an on-change" if terms.period is None else "a periodic"
    return broken_if(wrong, f"{point} in a push-update of {how} subscription")


@rule(
    MessageSubject, Level.SHOULD, "RFC 8641 §3.7",
    "patch-id counts from 0, by one, anew after each push-update.",
    needs="push-change-updates, one after the other of one originator",
)  # fmt: skip
def patch_id_counts(it: MessageSubject) -> str | None:
    """Per originator, since each counts for itself (ours); a hole can be the network's."""
    if it.kind is not _CHANGE or it.patch is None:
        return None
    text = str(it.patch.get("patch-id"))[:80]  # its type has a rule of its own
    if not _is_number(text):
        return f"patch-id {text} is no counter"
    before = it.previous_of_originator
    if before is None or _something_between(it):
        return None
    if before.kind is _UPDATE:
        return broken_if(text != "0", f"patch-id {text[:20]} after a push-update")
    if before.patch_id is None or not _is_number(before.patch_id):
        return None
    wanted = (int(before.patch_id[:20]) + 1) % 2**32
    return broken_if(int(text[:20]) != wanted, f"patch-id {text[:20]} after {before.patch_id[:20]}")


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal()


def _something_between(it: MessageSubject) -> bool:
    """Whether other messages of the originator may have come, or been lost, in between."""
    return 1 not in (it.step(it.previous_of_originator), it.step(it.previous_of_subscription))


@rule(
    MessageSubject, Level.MUST, "RFC 8072 §3, RFC 7951 §6.2",
    "patch-id and edit-id are texts.", needs="push-change-updates in JSON or CBOR",
)  # fmt: skip
def patch_ids_are_texts(it: MessageSubject) -> str | None:
    """Strings, also where they look like numbers."""
    if it.named is None or it.kind is not _CHANGE or it.patch is None:
        return None
    edits = it.patch.get("edit")
    ids = [("patch-id", it.patch.get("patch-id"))]
    entries = edits if isinstance(edits, list) else []
    ids += [("edit-id", edit.get("edit-id")) for edit in entries if isinstance(edit, dict)]
    for name, value in ids:
        if value is not None and not isinstance(value, str):
            return f"{name} is {str(value)[:80]}, a number"
    return KEPT


@rule(
    MessageSubject, Level.MUST, "RFC 8072 §2.5, §3",
    "Edits have an id of their own, a known operation, and a value where one is needed.",
    needs="push-change-updates",
)  # fmt: skip
def edits_well_formed(it: MessageSubject) -> str | None:
    """In the order in which they are to be applied."""
    edits: Any = (it.patch or {}).get("edit")
    if it.kind is not _CHANGE or edits is None:
        return None
    seen: set[str] = set()
    for edit in edits if isinstance(edits, list) else [edits]:
        if (wrong := _edit(edit, seen)) is not None:
            return wrong
    return KEPT


def _edit(edit: object, seen: set[str]) -> str | None:
    if not isinstance(edit, dict):
        return "an edit that is no object"
    name, operation = str(edit.get("edit-id", ""))[:80], str(edit.get("operation", ""))[:80]
    if not name or name in seen:
        return f"the edit-id {name} twice" if name else "an edit without edit-id"
    seen.add(name)
    if operation not in _WITH_VALUE | _WITHOUT_VALUE:
        return f"edit {name} with the operation {operation or 'missing'}"
    if not edit.get("target"):
        return f"edit {name} without a target"
    if operation in _WITH_VALUE and "value" not in edit:
        return f"edit {name}: {operation} without a value"
    if operation in _WITHOUT_VALUE and "value" in edit:
        return f"edit {name}: {operation} with a value"
    return None
