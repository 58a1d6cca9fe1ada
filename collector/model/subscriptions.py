"""What subscriber and publisher agreed on, and what a state change says of it.

Spec: RFC 8639 §2.4 to §2.7, RFC 8641 §3.6, §4.
"""

from __future__ import annotations

from msgspec import Struct

from collector.model.times import DeviceTime


class SelectionFilter(Struct, frozen=True):
    """What is selected (RFC 8641 §3.6)."""

    kind: str
    """``xpath``, ``subtree`` or ``ref`` (a named filter on the device)."""
    text: str
    """The XPath, the subtree as XML text, or the name."""
    namespaces: dict[str, str] = {}
    """prefix -> namespace URI (XML) or module name (JSON), for an XPath."""


class OnChange(Struct, frozen=True):
    """``on-change`` trigger (RFC 8641 §4.2)."""

    dampening_period: int = 0
    """ns."""
    sync_on_start: bool = True
    excluded_change: tuple[str, ...] = ()


class SubscriptionTerms(Struct, frozen=True):
    """What subscriber and publisher agreed on; a change of one of these opens a new revision."""

    datastore: str | None = None
    """Identity without its module, as in ``operational``; None for a stream subscription."""
    stream: str | None = None
    selection_filter: SelectionFilter | None = None
    period: int | None = None
    """ns; None when on-change or not said."""
    anchor_time: DeviceTime | None = None
    on_change: OnChange | None = None
    encoding: str | None = None
    """Identity without its module, as in ``encode-json``; None means that of the RPC (XML)."""
    transport: str | None = None
    stop_time: DeviceTime | None = None
    dscp: int | None = None
    weighting: int | None = None
    dependency: int | None = None
    replay_start_time: DeviceTime | None = None
    module_versions: tuple[tuple[str, str, str], ...] = ()
    """(module name, revision, version); empty text where not said."""
    encoding_module: tuple[str, str] | None = None
    """(name, XML namespace) of the module that defines ``encoding``, where that is asked for and
    is no standard's."""


class StateChange(Struct, frozen=True):
    """What a subscription state change notification carries beyond its id (RFC 8639 §2.7)."""

    terms: SubscriptionTerms | None = None
    """Set for started and modified."""
    generators: tuple[str, ...] | None = None
    """Message generators in the order given, duplicates merged; None when there is no list."""
    reason: str | None = None
    """Identity without its module, for suspended and terminated."""
    yang_library_content_id: str | None = None
    replay_previous_event_time: DeviceTime | None = None
    """Of started: when the record before a configured replay happened (RFC 8639 §2.5.6)."""
    generator_leaf: str | None = None
    """Leaf-list that ``generators`` were read from, which shows the control mode. Not written."""
