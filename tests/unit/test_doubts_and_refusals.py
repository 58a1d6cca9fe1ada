"""Both ends: what the collector doubts is what the simulated device refuses, and nothing else."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace

from collector.model import SECOND, OnChange, SelectionFilter, SubscriptionTerms
from collector.subscriber.abilities.capabilities import DeviceCapabilities, look
from collector.subscriber.abilities.checks import doubts
from collector.wire.netconf.rpc import EstablishSubscription, Get
from collector.wire.values import xml
from publisher_sim.scenario import Changes, Limits, Periods, Push
from tests.unit.test_sim_retrieval import IF, Device, device_of

TERMS = SubscriptionTerms(
    datastore="operational",
    selection_filter=SelectionFilter("xpath", "/if:interfaces/if:interface", {"if": IF}),
    period=SECOND,
    encoding="encode-json",
)
CHANGES = replace(TERMS, period=None, on_change=OnChange(SECOND, True, ()))
STATISTICS = SelectionFilter("xpath", "/if:interfaces/if:interface/if:statistics", {"if": IF})


def device() -> Device:
    return Device(
        device_of(
            period=Periods(minimum_seconds=0.5),
            push=Push(encodings=("encode-json", "encode-xml")),
            changes=Changes(
                status_seconds=5.0, excluded_change=False, minimum_dampening_seconds=0.5
            ),
            limits=Limits(dscp=()),
        )
    )


def known_of(asked: Device) -> DeviceCapabilities:
    async def ask(selection: SelectionFilter) -> xml.Element | None:
        return asked.data(Get(None, selection))

    return asyncio.run(look(ask, ("urn:ietf:params:netconf:base:1.1",), streams=True))


@pytest.mark.parametrize(
    ("terms", "identity"),
    [
        (TERMS, ""),
        (replace(TERMS, period=SECOND // 10), "period-unsupported"),
        (replace(TERMS, encoding="encode-cbor"), "encoding-unsupported"),
        (replace(TERMS, dscp=10), "dscp-unavailable"),
        (replace(TERMS, datastore="candidate"), "datastore-not-subscribable"),
        (replace(TERMS, selection_filter=STATISTICS), ""),
        (CHANGES, ""),
        (replace(CHANGES, on_change=OnChange(0, True, ())), "period-unsupported"),
        (replace(CHANGES, on_change=OnChange(SECOND, True, ("move",))), "cant-exclude"),
        (replace(CHANGES, selection_filter=STATISTICS), "on-change-unsupported"),
    ],
)
def test_a_doubt_is_a_refusal(terms: SubscriptionTerms, identity: str) -> None:
    asked = device()
    known = known_of(asked)
    error = asked.ask(EstablishSubscription(terms)).error
    said = "" if error is None else error.identity
    assert (said, bool(doubts(terms, known))) == (identity, bool(identity)), doubts(terms, known)


@pytest.mark.parametrize("stream", ["NETCONF", "nothing"])
def test_a_stream_that_is_not_there_is_doubted_and_refused(stream: Any) -> None:
    asked = device()
    terms = SubscriptionTerms(stream=stream, encoding="encode-xml")
    refused = asked.ask(EstablishSubscription(terms)).error is not None
    assert (refused, bool(doubts(terms, known_of(asked)))) == (stream == "nothing",) * 2
