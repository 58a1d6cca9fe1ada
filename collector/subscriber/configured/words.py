"""Edits of a device's configuration in words: which leaves change, from what to what.

Does not: write XML (``wire.subscriptions.config``), print. Pure functions.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from msgspec import Struct

from collector.model import SECOND, SubscriptionTerms
from collector.subscriber.configured.terms import normal_filter
from collector.wire.subscriptions.config import ConfiguredSubscription, Edit
from collector.wire.subscriptions.receiver_instances import ReceiverInstance
from collector.wire.values.timestamps import format_date_and_time


class Difference(Struct, frozen=True):
    """One leaf of an entry, before and after, for people; None: not there."""

    leaf: str
    before: str | None
    after: str | None


def differences(edit: Edit) -> tuple[Difference, ...]:
    """What an edit changes."""
    before, after = _leaves(edit.before), _leaves(edit.after)
    return tuple(
        Difference(leaf, before.get(leaf), after.get(leaf))
        for leaf in dict.fromkeys((*before, *after))
        if before.get(leaf) != after.get(leaf)
    )


def what(edit: Edit) -> str:
    """The entry that an edit is about, as in ``subscription 7``."""
    entry = edit.after or edit.before
    if isinstance(entry, ReceiverInstance):
        return f"receiver-instance {entry.name}"
    return f"subscription {entry.id}" if entry is not None else ""


def _leaves(entry: ReceiverInstance | ConfiguredSubscription | None) -> dict[str, str]:
    if entry is None:
        return {}
    if isinstance(entry, ReceiverInstance):
        return _instance_leaves(entry)
    found = dict(_term_leaves(entry.terms))
    found["receivers"] = ", ".join(
        receiver.instance or receiver.name for receiver in entry.receivers
    )
    if entry.replay:
        found["configured-replay"] = "set"
    if entry.purpose:
        found["purpose"] = entry.purpose
    return found


def _instance_leaves(one: ReceiverInstance) -> dict[str, str]:
    found = {
        "transport": one.transport,
        "remote-address": one.address,
        "remote-port": str(one.port),
        "path": one.path,
        "security": ("TLS" if one.transport == "https" else "DTLS") if one.secure else "",
        "tls parameters": _fingerprint(one.tls),
        "enable-segmentation": "" if one.enable_segmentation else "false",
        "max-segment-size": str(one.max_segment_size or ""),
        "local-address": one.local_address or "",
    }
    return {leaf: text for leaf, text in found.items() if text}


def _fingerprint(text: str) -> str:
    """There may be keys in it, which are nobody's to read; a change of it shows all the same."""
    return f"XML {hashlib.sha256(text.encode()).hexdigest()[:12]}" if text else ""


def _term_leaves(terms: SubscriptionTerms) -> Iterator[tuple[str, str]]:
    for leaf, value in (("stream", terms.stream), ("datastore", terms.datastore)):
        if value is not None:
            yield leaf, value
    if terms.selection_filter is not None:
        normal = normal_filter(terms.selection_filter)
        assert normal is not None
        yield f"{normal[0]} filter", normal[1]
    if terms.period is not None:
        yield "period", _seconds(terms.period)
        if terms.anchor_time is not None:
            offset = terms.anchor_time % terms.period
            yield "anchor-time", f"{_seconds(offset)} after each multiple of the period"
    if terms.on_change is not None:
        yield "on-change", f"dampened to {_seconds(terms.on_change.dampening_period)}"
        if not terms.on_change.sync_on_start:
            yield "sync-on-start", "false"
        if terms.on_change.excluded_change:
            yield "excluded-change", ", ".join(sorted(terms.on_change.excluded_change))
    if terms.stop_time is not None:
        yield "stop-time", format_date_and_time(terms.stop_time, 0)
    for leaf, number in (
        ("dscp", terms.dscp or None), ("weighting", terms.weighting),
        ("dependency", terms.dependency),
    ):  # fmt: skip
        if number is not None:
            yield leaf, str(number)
    for leaf, identity in (("transport", terms.transport), ("encoding", terms.encoding)):
        if identity is not None:
            yield leaf, identity
    for name, revision, version in sorted(terms.module_versions):
        yield f"module-version {name}", revision or version


def _seconds(ns: int) -> str:
    return f"{ns / SECOND:g} s"
