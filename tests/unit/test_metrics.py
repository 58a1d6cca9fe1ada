"""Counting, and the page that shows the counts."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable

import pyarrow as pa
import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from collector.errors import ConfigError
from collector.metrics import METRICS, OTHER, Counters, Counts, Distribution
from collector.model import Outcome
from collector.sinks.prometheus import MetricsServer, PrometheusSink, make_registry
from tests.unit.verdict_maker import NOON, Batch, event, verdict

PROMISED = {
    "yang_push_datagrams_received_total": (),
    "yang_push_datagrams_rejected_total": ("reason",),
    "yang_push_segments_discarded_total": ("reason",),
    "yang_push_messages_lost_total": ("device", "generator"),
    "yang_push_queue_dropped_total": ("queue",),
    "yang_push_updates_total": ("device", "outcome"),
    "yang_push_periods_total": ("device", "outcome"),
    "yang_push_publisher_lag_seconds": (),
    "yang_push_period_close_delay_seconds": (),
    "yang_push_sink_rows_written_total": ("sink",),
    "yang_push_sink_errors_total": ("sink", "retryable"),
}
"""Names that dashboards rely on."""


def page(counters: Counters) -> dict[str, float]:
    """Sample name with labels -> value, as a Prometheus server reads it."""
    text = generate_latest(make_registry(counters)).decode()
    return {
        sample.name + "".join(f"[{value}]" for _, value in sorted(sample.labels.items())): (
            sample.value
        )
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


# --------------------------------------------------------------------------- numbers
def test_counts_are_by_label() -> None:
    counts = Counts()
    counts.add(("a",))
    counts.add(("a",), 2)
    counts.add(("b",))
    assert counts["a",] == 3
    assert counts["c",] == 0
    assert counts.total() == 4
    assert len(counts) == 2


def test_labels_are_bounded() -> None:
    counts = Counts(limit=2)
    for device in "abcdc":
        counts.add((device, "x"))
    assert dict(counts.items()) == {("a", "x"): 1, ("b", "x"): 1, (OTHER, OTHER): 3}
    counts.set(("e", "x"), 5)
    assert counts["e", "x"] == 0
    counts.set(("a", "x"), 5)
    assert counts["a", "x"] == 5
    counts.clear()
    assert counts.items() == []


def test_a_distribution_counts_up_to_each_bound() -> None:
    seen = Distribution((1.0, 2.0))
    for value in (0.5, 1.0, 1.5, 9.0):
        seen.observe(value)
    seen.observe(2.0, 3)
    assert list(seen.cumulated()) == [("1.0", 2), ("2.0", 6), ("+Inf", 7)]
    assert seen.count == 7
    assert seen.sum == 18.0


# --------------------------------------------------------------------------- the list
def test_the_promised_names_are_there() -> None:
    names = {metric.name: metric.labels for metric in METRICS}
    assert names.items() >= PROMISED.items()


def test_every_metric_has_its_number_and_the_other_way_round() -> None:
    counters = Counters()
    assert [metric.attribute for metric in METRICS] == list(vars(counters))
    for metric in METRICS:
        value = getattr(counters, metric.attribute)
        assert isinstance(value, Distribution) == (metric.kind == "histogram")
        assert isinstance(value, Counts) == bool(metric.labels)
        assert re.fullmatch(r"[a-z_]+", metric.attribute)
        assert metric.help.endswith(".")


# --------------------------------------------------------------------------- the page
def test_the_page_says_the_numbers() -> None:
    counters = Counters()
    counters.datagrams_received += 5
    counters.datagrams_rejected.add(("bad-version",), 2)
    counters.messages_lost.add(("core7", 'card "1"\n'))
    counters.unknown_sources = 3
    counters.publisher_lag_seconds.observe(0.3)
    samples = page(counters)
    assert samples["yang_push_datagrams_received_total"] == 5
    assert samples["yang_push_datagrams_rejected_total[bad-version]"] == 2
    assert samples['yang_push_messages_lost_total[core7][card "1"\n]'] == 1
    assert samples["yang_push_unknown_sources"] == 3
    assert samples["yang_push_publisher_lag_seconds_bucket[0.1]"] == 0
    assert samples["yang_push_publisher_lag_seconds_bucket[0.5]"] == 1
    assert samples["yang_push_publisher_lag_seconds_count"] == 1


def test_periods_are_counted_by_their_first_verdict() -> None:
    counters = Counters()
    sink = PrometheusSink(counters)
    sink.start()
    sink.write(
        Batch(  # type: ignore[arg-type]
            verdict(0),
            verdict(1, missing={"3": "silent"}),
            verdict(1, amendment=1),
            verdict(2, period_to=11, missing={"3": "silent", "4": "lost"}),
        )
    )
    sink.flush()
    sink.stop()
    assert counters.periods["core7", Outcome.COMPLETE] == 1
    assert counters.periods["core7", Outcome.INCOMPLETE] == 11
    assert counters.amendments["core7",] == 1
    assert counters.generators_missing["core7",] == 2
    assert counters.period_close_delay_seconds.sum == pytest.approx(0.75)


def test_events_are_counted_by_kind() -> None:
    counters = Counters()
    events = (event(kind="originator_added"), event(kind="originator_added"), event())
    PrometheusSink(counters).write(Batch(*events))  # type: ignore[arg-type]
    assert counters.events["core7", "originator_added"] == 2
    assert counters.events.total() == 3


def test_lost_messages_are_counted_when_the_last_word_is_said() -> None:
    counters = Counters()
    causes = {"1": "lost", "2": "silent", "3": "rejected"}
    rows = [
        verdict(1, missing=causes),
        verdict(1, missing=causes, degraded={"4": "loss"}, amendment=1, final=True),
        verdict(2, degraded={"4": "possible_loss"}, amendment=1, final=True),
    ]
    PrometheusSink(counters).write(Batch(*rows))  # type: ignore[arg-type]
    assert dict(counters.messages_lost.items()) == {
        ("core7", "4"): 1,
        ("core7", "1"): 1,
        ("core7", "3"): 1,
    }


def test_updates_are_counted_by_device() -> None:
    def column(*values: int | None) -> pa.Array:
        return pa.array(values, pa.timestamp("ns", tz="UTC"))

    updates = pa.record_batch(
        {
            "device": ["core7", "core7", "core8", None],
            "revision": pa.array([1, None, 2, None], pa.int64()),
            "received_at": column(NOON, NOON, NOON, NOON + 10**9),
            "event_time": column(None, None, NOON, NOON + 5 * 10**8),
        }
    )
    counters, said = Counters(), Batch()
    sink = PrometheusSink(counters)
    said.updates = updates  # type: ignore[attr-defined]
    sink.write(said)  # type: ignore[arg-type]
    said.updates = updates.slice(0, 1)  # type: ignore[attr-defined]
    sink.write(said)  # type: ignore[arg-type]
    said.updates = updates.slice(0, 0)  # type: ignore[attr-defined]
    sink.write(said)  # type: ignore[arg-type]
    assert dict(counters.updates.items()) == {
        ("core7", "judged"): 2,
        ("core8", "judged"): 1,
        ("core7", "unknown_subscription"): 1,
        (OTHER, "unknown_subscription"): 1,
    }
    assert counters.publisher_lag_seconds.count == 1
    assert counters.publisher_lag_seconds.sum == pytest.approx(0.5)


# --------------------------------------------------------------------------- HTTP
async def _get(port: int, request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request)
        await writer.drain()
        async with asyncio.timeout(10):
            return await reader.read()
    finally:
        writer.close()
        await writer.wait_closed()


def serve(
    test: Callable[[int], Awaitable[None]], *, well: bool = True, counters: Counters | None = None
) -> None:
    """Run ``test`` against a server on a port of its own."""

    async def run() -> None:
        server = MetricsServer(
            make_registry(counters or Counters()), port=0, health=lambda: (well, "sentence")
        )
        await server.start()
        try:
            await test(server.port)
        finally:
            await server.stop()
            await server.stop()

    asyncio.run(run())


@pytest.mark.integration
def test_metrics_and_health_over_http() -> None:
    async def test(port: int) -> None:
        answer = await _get(port, b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
        head, _, body = answer.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 OK")
        assert b"text/plain; version=0.0.4" in head
        assert b"yang_push_datagrams_received_total 0.0\n" in body
        assert f"Content-Length: {len(body)}".encode() in head
        answer = await _get(port, b"GET /healthz?verbose HTTP/1.0\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 200 OK")
        assert answer.endswith(b"\r\n\r\nsentence\n")

    serve(test)


@pytest.mark.integration
def test_an_unwell_collector_says_503() -> None:
    async def test(port: int) -> None:
        answer = await _get(port, b"GET /healthz HTTP/1.1\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 503 ")

    serve(test, well=False)


@pytest.mark.integration
@pytest.mark.parametrize(
    ("request_octets", "answer"),
    [
        (b"POST /metrics HTTP/1.1\r\n\r\n", b"HTTP/1.1 405 "),
        (b"HEAD /metrics HTTP/1.1\r\n\r\n", b"HTTP/1.1 200 "),
        (b"GET / HTTP/1.1\r\n\r\n", b"HTTP/1.1 404 "),
        (b"nonsense\r\n\r\n", b"HTTP/1.1 400 "),
        (b"GET /metrics GOPHER/1\r\n\r\n", b"HTTP/1.1 400 "),
        (b"GET /" + b"x" * 20_000 + b" HTTP/1.1\r\n\r\n", b""),
    ],
)
def test_other_requests_are_turned_away(request_octets: bytes, answer: bytes) -> None:
    async def test(port: int) -> None:
        try:
            got = await _get(port, request_octets)
        except ConnectionError:
            got = b""
        assert got.startswith(answer)
        assert bool(got) == bool(answer)
        if request_octets.startswith(b"HEAD"):
            assert got.endswith(b"\r\n\r\n")

    serve(test)


@pytest.mark.integration
def test_an_address_in_use_names_the_key() -> None:
    async def test(port: int) -> None:
        second = MetricsServer(make_registry(Counters()), port=port)
        with pytest.raises(ConfigError, match=r"metrics\.port: cannot listen on 127\.0\.0\.1"):
            await second.start()
        await second.stop()

    serve(test)
