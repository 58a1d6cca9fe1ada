"""Notification messages as plain values <-> ``Notification``: where every name is interpreted.

Does: find wrapper, header and payload in any of the root forms, read them into a ``Notification``,
and the way back for the forms that we write. Does not: know octets (see ``encodings``), nor look
into ``datastore-contents`` and ``datastore-changes``.

Rules for reading: members in any order, qualified or not, old names beside new ones; what is absent
is None; what cannot be read is a WireError; a message of several notifications is refused as a
whole when one of them cannot be read.
Rules for writing: the names of draft-ietf-netconf-notif-envelope and RFC 5277, nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from msgspec import structs

from collector.errors import UsageError, WireError
from collector.model import (
    DeviceTime,
    Notification,
    NotificationKind,
    StateChange,
    SubscriptionTerms,
)
from collector.wire.subscriptions.terms import (
    publisher_id,
    read_generator,
    read_generator_leaf,
    read_generators,
    read_terms,
    write_generators,
    write_terms,
)
from collector.wire.values import names, plain, timestamps

_K = NotificationKind
_KINDS: Final[dict[str, NotificationKind]] = {
    **{kind.value: kind for kind in NotificationKind if kind is not _K.OTHER},
    "replay-complete": _K.REPLAY_COMPLETED,  # misprint of RFC 8640 §A.3.2
}
_PUSH: Final = (_K.PUSH_UPDATE, _K.PUSH_CHANGE_UPDATE)
_WITH_TERMS: Final = (_K.SUBSCRIPTION_STARTED, _K.SUBSCRIPTION_MODIFIED)
_WITH_REASON: Final = (_K.SUBSCRIPTION_SUSPENDED, _K.SUBSCRIPTION_TERMINATED)
_PREVIOUS: Final = "replay-previous-event-time"
_KIND_MODULES: Final = ("", names.SN, names.YP)
CONTENTS_LEAF: Final = {
    _K.PUSH_UPDATE: "datastore-contents",
    _K.PUSH_CHANGE_UPDATE: "datastore-changes",
}
CONTENTS_LEAVES: Final = frozenset(CONTENTS_LEAF.values())

_ROOT_OF_NAME: Final[dict[str, str]] = {
    **{root: root for root in names.ROOT_FORMS if root != names.ROOT_BARE},
    "envelope": names.ROOT_ENVELOPE,
    "notification": names.ROOT_NOTIFICATION,
    "message": names.ROOT_MESSAGES,
}
_HEADER: Final = frozenset(
    ("event-time", "eventTime", "hostname", "sysName", "sequence-number", "sequenceNumber")
)
_CONTENTS: Final = ("contents", "notification-contents")
MAX_BUNDLED: Final = 4096
"""Notifications of one message that are taken; ours."""
_NO_REASON: Final = "a state change of this kind needs a reason"


# --------------------------------------------------------------------------- decode
def read_message(message: object) -> Notification:
    """A whole message as plain values.

    Raises:
        WireError: ``no-notification``, ``bad-value``, ``bad-timestamp``, ``bad-centiseconds``,
            ``duplicate-member``.
    """
    top = plain.members(message, "message")
    roots = [name for name in top if name in _ROOT_OF_NAME]
    if not roots:
        return _read_payload(top, names.ROOT_BARE, {})
    if len(roots) > 1:
        raise plain.duplicate_member(roots[1])
    root = _ROOT_OF_NAME[roots[0]]
    wrapper = plain.members(top[roots[0]], root)
    if root == names.ROOT_MESSAGES:
        return _read_messages(wrapper)
    header = {}
    for name, value in wrapper.items():
        local = names.local_name(name)
        if local in _HEADER or local in _CONTENTS:
            if local in header:
                raise plain.duplicate_member(local)
            header[local] = value
    held = [header[name] for name in _CONTENTS if name in header]
    if len(held) > 1:
        raise plain.duplicate_member("contents")
    holder = plain.members(held[0], "contents") if held else wrapper
    return _read_payload(holder, root, header)


def _read_messages(wrapper: Mapping[str, Any]) -> Notification:
    """draft-ietf-netconf-notification-messages-08: the notifications of a bundle."""
    found = plain.known_members(wrapper, "message")
    outer = plain.known_members(found.get("message-header"), "message-header")
    entries = plain.as_list(found.get("notifications", []))
    if not entries:
        raise _no_notification("the message bundles no notification")
    if len(entries) > MAX_BUNDLED:
        raise plain.bad_value("notifications", len(entries))
    first, *others = [_read_bundled(entry, outer) for entry in entries]
    return structs.replace(first, bundled=tuple(others)) if others else first


def _read_bundled(entry: object, outer: Mapping[str, Any]) -> Notification:
    """One entry; ``outer``: the header of the message, which holds for each."""
    found = plain.known_members(entry, "notifications")
    inner = plain.known_members(found.get("notification-header"), "notification-header")
    header = {
        "event-time": inner.get("notification-time", outer.get("message-time")),
        "sequence-number": outer.get("message-id"),
    }
    header = {name: value for name, value in header.items() if value is not None}
    contents = plain.members(found.get("notification-contents"), "notification-contents")
    ids = plain.as_list(inner.get("subscription-id", []))
    return _read_payload(
        contents,
        names.ROOT_MESSAGES,
        header,
        generator=read_generator(outer),
        subscription_id=plain.read_uint(ids[0], "subscription-id") if len(ids) == 1 else None,
    )


def _no_notification(message: str) -> WireError:
    return WireError("no-notification", message, field="contents", clause="RFC 5277 §4")


def _read_payload(
    holder: Mapping[str, Any],
    root: str,
    header: Mapping[str, Any],
    *,
    generator: str | None = None,
    subscription_id: int | None = None,
) -> Notification:
    name, kind = _find_payload(holder, root)
    body = plain.members(holder[name], name)
    # the leaves of another module's notification are its own: an id there is no subscription id
    found = {} if kind is _K.OTHER else plain.known_members(body, name)
    own = read_generator(found) if kind in _PUSH else None
    observed = kind in _PUSH
    return Notification(
        kind=kind,
        name=plain.read_text(name, "notification"),
        root=root,
        subscription_id=_subscription_id(found, subscription_id),
        event_time=_first_time(header, "event-time", "eventTime"),
        observation_time=_first_time(
            found, "timestamp", "observation-time", "state-changed-observation-time"
        )
        if observed
        else None,
        point_in_time=_optional_text(found, "point-in-time") if observed else None,
        generator=own if own is not None else generator,
        hostname=_optional_text(header, "hostname", "sysName"),
        sequence_number=_sequence_number(header),
        incomplete_update=observed and found.get("incomplete-update", False) is not False,
        state_change=None if observed or kind is _K.OTHER else _read_state_change(kind, found),
    )


def _find_payload(holder: Mapping[str, Any], root: str) -> tuple[str, NotificationKind]:
    """The member that is the notification: one of ours before one of another module."""
    other = ""
    for name, value in holder.items():
        module, _, local = name.rpartition(":")
        kind = _KINDS.get(local)
        if kind is not None and module in _KIND_MODULES:
            return name, kind
        if not other and local not in _HEADER and _may_be_notification(module, value, root):
            other = name
    if not other:
        raise _no_notification("there is no notification in the message")
    return other, _K.OTHER


def _may_be_notification(module: str, value: object, root: str) -> bool:
    if isinstance(value, dict):
        return bool(module) or root != names.ROOT_BARE
    return bool(module) and (value is None or value == "" or value == [None])


def _subscription_id(found: Mapping[str, Any], default: int | None) -> int | None:
    for name in ("id", "identifier"):  # the second is a misprint of the base document, Figure 9
        if name in found:
            return plain.read_uint(found[name], name)
    return default


def _first_time(found: Mapping[str, Any], *spellings: str) -> DeviceTime | None:
    for name in spellings:
        if name in found:
            return plain.read_record_time(found[name], name)
    return None


def _optional_text(found: Mapping[str, Any], *spellings: str) -> str | None:
    for name in spellings:
        if name in found:
            return plain.read_text(found[name], name)
    return None


def _sequence_number(header: Mapping[str, Any]) -> int | None:
    for name in ("sequence-number", "sequenceNumber"):
        if name in header:
            return plain.read_uint(header[name], name)
    return None


def _read_state_change(kind: NotificationKind, found: Mapping[str, Any]) -> StateChange:
    if kind not in _WITH_TERMS:
        said = found.get("reason", found.get("error-id"))  # the second: misprint of RFC 8650 §A
        reason = None if said is None else plain.read_identity(said, "reason")
        return StateChange(reason=reason)
    return StateChange(
        terms=read_terms(found),
        generators=read_generators(found),
        generator_leaf=read_generator_leaf(found),
        yang_library_content_id=_optional_text(found, "yang-library-content-id"),
        replay_previous_event_time=(
            plain.read_time(found[_PREVIOUS], _PREVIOUS) if _PREVIOUS in found else None
        ),
    )


# --------------------------------------------------------------------------- encode
def write_message(
    notification: Notification, contents: Any, *, mode: str = names.MODE_MSO
) -> dict[str, Any]:
    """The message as plain values; ``notification.root`` says the wrapper.

    An originator id that is no decimal number has no leaf inside push-update: it goes into the
    header of the notification-messages form, whatever root was asked for.

    Args:
        notification: what to write.
        contents: value of ``datastore-contents`` or ``datastore-changes``, or the members of a
            notification of another module; not used for a state change.
        mode: control mode, says how the list of originators is spelled.

    Raises:
        UsageError: a value that this form cannot carry.
    """
    generator = notification.generator
    in_header = generator is not None and not generator.isdecimal()
    name, body = _write_body(notification, contents, mode, leaf=not in_header)
    if in_header or notification.root == names.ROOT_MESSAGES:
        return {names.ROOT_MESSAGES: _write_messages(notification, {name: body})}
    if notification.root == names.ROOT_BARE:
        return {name: body}
    if notification.root == names.ROOT_ENVELOPE:
        return {names.ROOT_ENVELOPE: _write_envelope(notification, {name: body})}
    if notification.root in (names.ROOT_NOTIFICATION, names.ROOT_RESTCONF, names.ROOT_HTTPS):
        return {notification.root: _write_5277(notification, {name: body})}
    raise UsageError(f"messages in the form {notification.root!r} are read, not written")


def _event_time(notification: Notification) -> str:
    if notification.event_time is None:
        raise UsageError("a notification message needs an event time (RFC 5277 §2.2.1)")
    return timestamps.format_date_and_time(notification.event_time)


def _write_envelope(notification: Notification, payload: dict[str, Any]) -> dict[str, Any]:
    """draft-ietf-netconf-notif-envelope §3.1, §3.2."""
    found: dict[str, Any] = {"event-time": _event_time(notification)}
    if notification.hostname is not None:
        found["hostname"] = notification.hostname
    if notification.sequence_number is not None:
        found["sequence-number"] = notification.sequence_number
    found["contents"] = payload
    return found


def _write_5277(notification: Notification, payload: dict[str, Any]) -> dict[str, Any]:
    """RFC 5277 §4; draft-tgraf-netconf-notif-sequencing-06 for host and number."""
    found: dict[str, Any] = {"eventTime": _event_time(notification)}
    if notification.hostname is not None:
        found[f"{names.SEQUENCING}:sysName"] = notification.hostname
    if notification.sequence_number is not None:
        found[f"{names.SEQUENCING}:sequenceNumber"] = notification.sequence_number
    return found | payload


def _write_messages(notification: Notification, payload: dict[str, Any]) -> dict[str, Any]:
    """draft-ietf-netconf-notification-messages-08, a bundle of one."""
    time = _event_time(notification)
    header: dict[str, Any] = {"message-time": time}
    if notification.sequence_number is not None:
        header["message-id"] = notification.sequence_number
    if notification.generator is not None:
        header["message-generator-id"] = notification.generator
    inner: dict[str, Any] = {"notification-time": time}
    if notification.subscription_id is not None:
        inner["subscription-id"] = [notification.subscription_id]
    entry = {"notification-header": inner, "notification-contents": payload}
    return {"message-header": header, "notifications": [entry]}


def _write_body(
    notification: Notification, contents: Any, mode: str, *, leaf: bool
) -> tuple[str, Any]:
    kind = notification.kind
    if kind is _K.OTHER:
        return notification.name, {} if contents is None else contents
    if kind in _PUSH:
        return f"{names.YP}:{kind.value}", _write_push(notification, contents, leaf=leaf)
    return f"{names.SN}:{kind.value}", _write_state_change(notification, mode)


def _write_push(notification: Notification, contents: Any, *, leaf: bool) -> dict[str, Any]:
    body = _id_of(notification)
    if leaf and notification.generator is not None:
        # distributed-notif §5; the base document defines no leaf here
        body[f"{names.DN}:message-publisher-id"] = publisher_id(notification.generator)
    if notification.observation_time is not None:
        text = timestamps.format_date_and_time(notification.observation_time)
        body[f"{names.OBSERVATION}:timestamp"] = text
    if notification.point_in_time is not None:
        body[f"{names.OBSERVATION}:point-in-time"] = notification.point_in_time
    if contents is not None:
        body[CONTENTS_LEAF[notification.kind]] = contents
    if notification.incomplete_update:
        body["incomplete-update"] = [None]
    return body


def _id_of(notification: Notification) -> dict[str, Any]:
    if notification.subscription_id is None:
        raise UsageError(f"{notification.kind} needs a subscription id (RFC 8641 §4.3.2)")
    return {"id": notification.subscription_id}


def _write_state_change(notification: Notification, mode: str) -> dict[str, Any]:
    body = _id_of(notification)
    change = notification.state_change or StateChange()
    if notification.kind in _WITH_REASON:
        if change.reason is None:
            raise UsageError(f"{notification.kind}: {_NO_REASON} (RFC 8639 §2.7)")
        body["reason"] = qualified_reason(change.reason)
    if notification.kind in _WITH_TERMS:
        body |= write_terms(change.terms or SubscriptionTerms(), told=True)
        if change.generators is not None:
            body |= write_generators(change.generators, mode)
        if change.yang_library_content_id is not None:
            body[f"{names.REVISION}:yang-library-content-id"] = change.yang_library_content_id
        if change.replay_previous_event_time is not None:
            body[_PREVIOUS] = timestamps.format_date_and_time(change.replay_previous_event_time)
    return body


_YP_IDENTITIES: Final = frozenset(
    (
        "cant-exclude",
        "datastore-not-subscribable",
        "no-such-subscription-resync",
        "on-change-unsupported",
        "on-change-sync-unsupported",
        "period-unsupported",
        "update-too-big",
        "sync-too-big",
        "unchanging-selection",
    )
)
"""Error identities of ietf-yang-push; the others are of ietf-subscribed-notifications."""


def qualified_reason(identity: str) -> str:
    """``module:identity`` for the error identities of RFC 8641, plain for those of RFC 8639."""
    return f"{names.YP}:{identity}" if identity in _YP_IDENTITIES else identity
