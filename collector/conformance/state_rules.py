"""Rules on subscription state changes: what they must carry, who sends them, and when."""

from __future__ import annotations

from typing import Final

from collector.conformance.rules import (
    DN,
    KEPT,
    MSO,
    VERSIONING,
    Level,
    broken_if,
    rule,
)
from collector.conformance.subjects import ENDS, UPDATES, WITH_TERMS, MessageSubject
from collector.model import SECOND, NotificationKind
from collector.wire.values import names
from collector.wire.values.names import GENERATOR_LEAVES, local_name

_K = NotificationKind
_BEHIND: Final = 1 << 31
_LATELY: Final = 10 * SECOND
_UPPER_HALF: Final = 1 << 31
_TERMINATED: Final = frozenset(
    ("no-such-subscription", "filter-unavailable", "stream-unavailable", "suspension-timeout",
     "datastore-not-subscribable", "unchanging-selection")
)  # fmt: skip
_SUSPENDED: Final = frozenset(
    ("insufficient-resources", "unsupportable-volume", "period-unsupported", "update-too-big",
     "sync-too-big")
)  # fmt: skip
_REASONS: Final = {_K.SUBSCRIPTION_TERMINATED: _TERMINATED, _K.SUBSCRIPTION_SUSPENDED: _SUSPENDED}
_LISTS: Final = frozenset((f"{names.DN}:message-publisher-id", f"{names.MSO}:message-generator-id"))


def _is_state_change(it: MessageSubject) -> bool:
    return it.said is not None and it.said.state_change is not None and it.parts is not None


@rule(
    MessageSubject, Level.MUST, "RFC 8639 §2.7",
    "A state change carries the subscription in the leaf id.", needs="state changes",
)  # fmt: skip
def state_change_has_id(it: MessageSubject) -> str | None:
    """Figures of two drafts print identifier."""
    if not _is_state_change(it) or it.parts is None:
        return None
    written = it.parts.spelling("id") or it.parts.spelling("identifier")
    text = f"{it.what} with {written or 'none'}"
    return broken_if(local_name(written) != "id", text)


@rule(
    MessageSubject, Level.MUST, f"{MSO} §6, {DN} §6",
    "subscription-started and subscription-modified carry the list of originators.",
    needs="subscription-started or subscription-modified",
)  # fmt: skip
def started_has_list(it: MessageSubject) -> str | None:
    """Without it nobody can know who is missing."""
    if it.kind not in WITH_TERMS or it.said is None or it.said.state_change is None:
        return None
    text = f"{it.what} of subscription {it.said.subscription_id}"
    found = it.said.state_change.generators
    return broken_if(not found, f"{text} without a list" if found is None else f"{text}: empty")


@rule(
    MessageSubject, Level.MUST, f"{MSO} §10, {DN} §10",
    "The list has the name that the module gives it.",
    needs="state changes with a list of originators, in JSON or CBOR",
)  # fmt: skip
def list_leaf_name(it: MessageSubject) -> str | None:
    """Five names in four modules were in use over the years."""
    if it.kind not in WITH_TERMS or it.named is None:
        return None
    written = it.named.spelling(*GENERATOR_LEAVES)
    return broken_if(written not in _LISTS, written) if written else None


@rule(
    MessageSubject, Level.MUST, "RFC 8639 §2.7.1",
    "subscription-started and subscription-modified say what is subscribed to.",
    needs="subscription-started or subscription-modified",
)  # fmt: skip
def started_has_target(it: MessageSubject) -> str | None:
    """A datastore or a stream."""
    terms = it.terms
    if terms is None:
        return None
    text = f"{it.what} without datastore and stream"
    return broken_if(terms.datastore is None and terms.stream is None, text)


@rule(
    MessageSubject, Level.MUST, "RFC 8641 §4.2, §4.3.1",
    "For a datastore they say the trigger: periodic or on-change.",
    needs="subscription-started or subscription-modified of a datastore",
)  # fmt: skip
def started_has_trigger(it: MessageSubject) -> str | None:
    """And not both."""
    terms = it.terms
    if terms is None or terms.datastore is None:
        return None
    found = (terms.period is not None) + (terms.on_change is not None)
    return broken_if(found != 1, f"{it.what} with {found} triggers")


@rule(
    MessageSubject, Level.SHOULD, "RFC 8639 §2.7.1",
    "They name transport and encoding, as all parameters of the subscription.",
    needs="subscription-started or subscription-modified",
)  # fmt: skip
def started_names_transport_and_encoding(it: MessageSubject) -> str | None:
    """Absent leaves the receiver with what it sees."""
    terms = it.terms
    if terms is None:
        return None
    absent = [
        name
        for name, value in (("transport", terms.transport), ("encoding", terms.encoding))
        if value is None
    ]
    return broken_if(absent, f"{it.what} without {' and '.join(absent)}")


@rule(
    MessageSubject, Level.MUST, "RFC 7950 §7.9",
    "The choice target is no node of its own.",
    needs="subscription-started or subscription-modified",
)  # fmt: skip
def choice_is_no_node(it: MessageSubject) -> str | None:
    """Seen on a router: its cases inside an object."""
    if it.kind not in WITH_TERMS or it.parts is None:
        return None
    return broken_if(it.parts.spelling("target"), f"a member {it.parts.spelling('target')}")


@rule(
    MessageSubject, Level.MUST, "RFC 8639 §2.7.3, §2.7.4",
    "subscription-terminated and subscription-suspended say the reason.",
    needs="subscription-terminated or subscription-suspended",
)  # fmt: skip
def reason_present(it: MessageSubject) -> str | None:
    """The leaf is mandatory."""
    if it.kind not in _REASONS or it.said is None or it.said.state_change is None:
        return None
    text = f"{it.what} of subscription {it.said.subscription_id}"
    return broken_if(it.said.state_change.reason is None, text)


@rule(
    MessageSubject, Level.MUST, "RFC 8639 §4, RFC 8641 §5 (identities)",
    "The reason is an identity for this kind of state change, or names the module that adds it.",
    needs="subscription-terminated or subscription-suspended with a reason",
)  # fmt: skip
def reason_is_defined(it: MessageSubject) -> str | None:
    """A vendor may derive its own, with its own module name."""
    if it.kind not in _REASONS or it.said is None or it.said.state_change is None:
        return None
    reason = it.said.state_change.reason
    if reason is None:
        return None
    written = None if it.parts is None else it.parts.leaf("reason")
    module = written.strip().rpartition(":")[0] if isinstance(written, str) else ""
    own = module not in ("", "sn", "yp", names.SN, names.YP)
    text = f"{it.what} with {reason}"
    return broken_if(reason not in _REASONS[it.kind] and not own, text)


@rule(
    MessageSubject, Level.MAY, f"{VERSIONING} §3",
    "They name the modules of the subscription with their revisions, and the content-id of the"
    " YANG library.", needs="subscription-started or subscription-modified",
)  # fmt: skip
def module_versions_present(it: MessageSubject) -> str | None:
    """What a collector needs to know the schema."""
    terms = it.terms
    if terms is None or it.said is None or it.said.state_change is None:
        return None
    absent = [] if terms.module_versions else ["module-version"]
    if it.said.state_change.yang_library_content_id is None:
        absent.append("yang-library-content-id")
    return broken_if(absent, f"no {' and no '.join(absent)}")


@rule(
    MessageSubject, Level.MUST, f"{VERSIONING} §5.2",
    "The leaves of module-version are name, revision and version.",
    needs="state changes with module-version",
)  # fmt: skip
def module_version_leaf_names(it: MessageSubject) -> str | None:
    """Up to -07 they were module-name and revision-label."""
    entries = None if it.parts is None else it.parts.leaf("module-version")
    if it.kind not in WITH_TERMS or entries is None:
        return None
    entries = entries if isinstance(entries, list) else [entries]
    found = {local_name(str(key)) for entry in entries if isinstance(entry, dict) for key in entry}
    odd = sorted(found - {"name", "revision", "version"})
    return broken_if(odd, f"module-version with {', '.join(odd)[:80]}")


@rule(
    MessageSubject, Level.SHOULD, "RFC 8639 §6",
    "Configured subscriptions have ids of the lower half, below 2147483648.",
    needs="subscription-started",
)  # fmt: skip
def configured_id_in_lower_half(it: MessageSubject) -> str | None:
    """The upper half is for dynamic ones; subscription-started is never sent for those."""
    if it.kind is not _K.SUBSCRIPTION_STARTED or it.said is None:
        return None
    number = it.said.subscription_id
    return None if number is None else broken_if(number >= _UPPER_HALF, f"id {number}")


@rule(
    MessageSubject, Level.MUST, f"{MSO} §7, {DN} §7",
    "All state changes of a device come from one publisher, the parent.",
    needs="two state changes over UDP-notif",
)  # fmt: skip
def state_changes_from_parent(it: MessageSubject) -> str | None:
    """By the publisher id of the header."""
    header = it.message.publisher_id
    if not _is_state_change(it) or header is None or it.parent is None:
        return None
    return broken_if(header != it.parent, f"from {it.parent} and from {header}")


@rule(
    MessageSubject, Level.MUST, "RFC 8639 §2.6",
    "No update of a subscription comes before its subscription-started.",
    needs="subscription-started",
)  # fmt: skip
def started_before_data(it: MessageSubject) -> str | None:
    """Told by the 10 s (ours) before it, and by event times: who sends on is another run."""
    if it.kind is not _K.SUBSCRIPTION_STARTED or it.said is None:
        return None
    data = it.series.data
    if data is None:
        return KEPT
    if it.series.state or it.message.arrival - data.arrival > _LATELY:
        return None
    return f"an update of subscription {it.said.subscription_id} came before"


@rule(
    MessageSubject, Level.MUST, "RFC 8639 §2.7.4",
    "Nothing is sent while a subscription is suspended.",
    needs="subscription-suspended, or an update after it",
)  # fmt: skip
def no_data_while_suspended(it: MessageSubject) -> str | None:
    """What was overtaken on the way does not count."""
    return _after(it, "suspended", (_K.SUBSCRIPTION_SUSPENDED,))


@rule(
    MessageSubject, Level.MUST, "RFC 8639 §2.7.3, §2.7.6",
    "Nothing is sent after a subscription has ended.",
    needs="the end of a subscription, or an update after it",
)  # fmt: skip
def no_data_after_end(it: MessageSubject) -> str | None:
    """Until it starts again, which is said."""
    return _after(it, "ended", ENDS)


def _after(it: MessageSubject, state: str, kinds: tuple[NotificationKind, ...]) -> str | None:
    if it.kind in kinds:
        return KEPT
    if it.kind not in UPDATES or it.series.state != state or it.said is None:
        return None
    number, said = it.message.message_id, it.series.ended_with
    if number is not None and said is not None and (number - said) % 2**32 >= _BEHIND:
        return None
    return f"an update of subscription {it.said.subscription_id}, which was {state}"
