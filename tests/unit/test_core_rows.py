"""Rows of the table ``subscriptions``: what was asked for, in columns that one can query by."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from collector.model import (
    CENTISECOND,
    DeviceTime,
    OnChange,
    SelectionFilter,
    SubscriptionRow,
    SubscriptionTerms,
)
from tests.helpers import established, ns, run, terms

UNSAID = {
    "datastore", "stream", "trigger", "filter_kind", "dampening_cs", "sync_on_start", "stop_time",
    "replay_start_time", "dscp", "transport",
}  # fmt: skip


def row_of(asked: SubscriptionTerms) -> SubscriptionRow:
    """What is said when the device agrees to it."""
    wire = run([replace(established(-1), terms=asked)], until=1)
    (row,) = [fact for fact in wire.facts if isinstance(fact, SubscriptionRow)]
    return row


def said(row: SubscriptionRow) -> dict[str, Any]:
    """The columns that are not null."""
    return {name: value for name in UNSAID if (value := getattr(row, name)) is not None}


def test_a_periodic_subscription_to_a_datastore() -> None:
    asked = terms(
        10, selection_filter=SelectionFilter("subtree", "<a/>"), dscp=10,
        stop_time=DeviceTime(ns(500)),
    )  # fmt: skip
    assert said(row_of(asked)) == {
        "datastore": "operational",
        "trigger": "periodic",
        "filter_kind": "subtree",
        "stop_time": ns(500),
        "dscp": 10,
    }


def test_on_change_with_its_dampening_period() -> None:
    changes = OnChange(dampening_period=50 * CENTISECOND, sync_on_start=False)
    assert said(row_of(terms(None, on_change=changes))) == {
        "datastore": "operational",
        "trigger": "on-change",
        "dampening_cs": 50,
        "sync_on_start": False,
    }


def test_a_stream_has_no_trigger() -> None:
    asked = SubscriptionTerms(stream="NETCONF", replay_start_time=DeviceTime(ns(-60)))
    assert said(row_of(asked)) == {
        "stream": "NETCONF",
        "replay_start_time": ns(-60),
    }


def test_a_stop_time_that_means_never_is_none() -> None:
    asked = terms(10, stop_time=DeviceTime((1 << 63) - 1), transport="udp-notif")
    row = row_of(asked)
    assert (row.stop_time, row.transport) == (None, "udp-notif")
