"""Terms of configured subscriptions compared: the same, however a device writes them.

Does: defaults, prefixes, anchors. Does not: know what is wanted (``plan``). Pure functions.
"""

from __future__ import annotations

from collections.abc import Mapping

from collector.model import OnChange, SelectionFilter, SubscriptionTerms
from collector.wire.values import names, xml


def same_terms(one: SubscriptionTerms, other: SubscriptionTerms) -> bool:
    """Do both ask for the same, however it is written?"""
    return normal_terms(one) == normal_terms(other)


def normal_terms(terms: SubscriptionTerms) -> Mapping[str, object]:
    """Leaf -> its value in one spelling, defaults filled in; absent leaves are None."""
    on_change = terms.on_change
    return {
        "stream": terms.stream,
        "datastore": terms.datastore,
        "filter": normal_filter(terms.selection_filter),
        "period": terms.period,
        "anchor-time": _phase(terms),
        "on-change": on_change is not None,
        "dampening-period": (on_change or OnChange()).dampening_period,
        "sync-on-start": (on_change or OnChange()).sync_on_start,
        "excluded-change": frozenset((on_change or OnChange()).excluded_change),
        "stop-time": terms.stop_time,
        "dscp": terms.dscp or 0,
        "weighting": terms.weighting,
        "dependency": terms.dependency,
        "transport": terms.transport,
        "encoding": terms.encoding,
        "module-version": frozenset(terms.module_versions),
    }


def _phase(terms: SubscriptionTerms) -> int | None:
    """Anchors are the same when the same ticks follow from them (RFC 8641 §4.2)."""
    if terms.anchor_time is None or not terms.period:
        return None
    return terms.anchor_time % terms.period


def normal_filter(selection: SelectionFilter | None) -> tuple[str, str] | None:
    """Kind and text, prefixes of an XPath being module names. Raises WireError: no XML."""
    if selection is None:
        return None
    if selection.kind == "xpath":
        modules = {
            prefix: names.module_of(names.namespace_of(selection.namespaces.get(prefix, prefix)))
            for prefix in xml.used_prefixes(selection.text)
        }
        return "xpath", " ".join(xml.replace_prefixes(selection.text, modules).split())
    if selection.kind == "subtree":
        return "subtree", xml.inner_text(xml.parse(f"<_>{selection.text}</_>".encode()))
    return selection.kind, selection.text
