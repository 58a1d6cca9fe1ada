"""Sink: the metrics page, and the counts that come from verdicts.

Does: count verdicts by device and outcome, show ``metrics.Counters`` in the Prometheus text format
on ``/metrics``, and answer ``/healthz``. Does not: count anything else, or hold numbers of its own.
Rules: the server answers GET only, one request a connection, small requests, few connections, short
time-outs; it never blocks the event loop longer than one rendering of the page.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from http import HTTPStatus
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)
from prometheus_client.core import Metric as Family
from prometheus_client.registry import Collector

from collector.core.memory.clocks import lag
from collector.errors import ConfigError
from collector.interfaces import Said
from collector.listening import accept_no_more
from collector.metrics import (
    LANE_METRICS,
    METRICS,
    OTHER,
    Counters,
    Counts,
    Distribution,
    LaneCounters,
    Metric,
)
from collector.model import SECOND, Cause, Verdict

_LOSSES = (Cause.LOST, Cause.LOSS, Cause.LOST_HERE, Cause.UNREASSEMBLED, Cause.REJECTED)
_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_REQUEST_BYTES = 8192
_CONNECTIONS = 32
_TIMEOUT_SECONDS = 10.0
"""Limits of the HTTP server (ours)."""


class PrometheusSink:
    """Counts verdicts and events."""

    name = "prometheus"

    def __init__(self, counters: Counters) -> None:
        self._counters = counters

    def start(self) -> None:
        """Nothing to open."""

    def write(self, said: Said) -> None:
        """Count the rows of one batch."""
        for verdict in said.verdicts:
            self._count(verdict)
        for event in said.events:
            self._counters.events.add((event.device, event.kind))
        updates: Any = getattr(said, "updates", None)
        if updates is not None and len(updates):
            self._count_updates(updates)

    def _count_updates(self, updates: Any) -> None:
        """Columns of the ``updates`` table: a few calls a batch, whatever its length."""
        devices, revisions = updates.column("device"), updates.column("revision")
        if revisions.null_count == 0:  # nearly always
            self._add_updates(devices, "judged")
        else:
            self._add_updates(devices.filter(revisions.is_valid()), "judged")
            self._add_updates(devices.filter(revisions.is_null()), "unknown_subscription")
        received, event = (updates.column(name)[-1].value for name in ("received_at", "event_time"))
        if event is not None:
            self._counters.publisher_lag_seconds.observe(lag(received, event) / SECOND)

    def _add_updates(self, devices: Any, outcome: str) -> None:
        groups = devices.value_counts()
        names, counts = groups.field("values").to_pylist(), groups.field("counts").to_pylist()
        for name, count in zip(names, counts, strict=True):
            self._counters.updates.add((name or OTHER, outcome), count)

    def _count(self, verdict: Verdict) -> None:
        counters, device = self._counters, verdict.device
        if verdict.final:
            # the last word on a period, so that nothing is counted that came late after all
            for pair in (*verdict.missing, *verdict.degraded):
                if pair.cause in _LOSSES:
                    counters.messages_lost.add((device, pair.generator))
        if verdict.amendment:
            counters.amendments.add((device,))
            return
        periods = verdict.period_to - verdict.period_index + 1
        counters.periods.add((device, verdict.outcome.value), periods)
        delay = lag(verdict.judged_at, verdict.nominal_time)
        counters.period_close_delay_seconds.observe(delay / SECOND)
        counters.generators_missing.set((device,), len(verdict.missing))

    def flush(self) -> None:
        """Nothing waits."""

    def stop(self) -> None:
        """Nothing to close."""


class _Scrape(Collector):
    """Turns counters into metric families whenever the page is asked for."""

    def __init__(self, families: Callable[[], Iterator[Family]]) -> None:
        self._families = families

    def collect(self) -> Iterator[Family]:
        """All families."""
        return self._families()


Sample = tuple[tuple[str, ...], int | Counts | Distribution]
"""Values of the labels that stand before those of the metric, and the numbers."""


def _family(metric: Metric, samples: Iterable[Sample], first: tuple[str, ...] = ()) -> Family:
    """``first``: names of the labels that stand before those of the metric."""
    labels = (*first, *metric.labels)
    if metric.kind == "histogram":
        histogram = HistogramMetricFamily(metric.name, metric.help, labels=labels)
        for before, value in samples:
            if isinstance(value, Distribution):
                histogram.add_metric(before, list(value.cumulated()), value.sum)
        return histogram
    kind = CounterMetricFamily if metric.kind == "counter" else GaugeMetricFamily
    family = kind(metric.name, metric.help, labels=labels)
    for before, value in samples:
        if isinstance(value, Counts):
            for row, number in value.items():
                family.add_metric((*before, *row), number)
        elif isinstance(value, int):
            family.add_metric(before, value)
    return family


def make_registry(
    counters: Counters, refresh: Callable[[], None] = lambda: None
) -> CollectorRegistry:
    """A registry of its own; ``refresh`` brings gauges up to date before each page."""

    def families() -> Iterator[Family]:
        refresh()
        for metric in METRICS:
            yield _family(metric, [((), getattr(counters, metric.attribute))])

    return _registry(families)


def make_lanes_registry(
    counters: Callable[[], Mapping[int, Counters]], own: Callable[[], LaneCounters]
) -> CollectorRegistry:
    """A registry over the counters of several lanes, each series with the label ``lane``.

    ``own``: what is counted above the lanes.
    """

    def families() -> Iterator[Family]:
        of_lanes, above = counters(), own()
        for metric in LANE_METRICS:
            yield _family(metric, [((), getattr(above, metric.attribute))])
        for metric in METRICS:
            samples = [
                ((str(lane),), getattr(one, metric.attribute)) for lane, one in of_lanes.items()
            ]
            yield _family(metric, samples, ("lane",))

    return _registry(families)


def _registry(families: Callable[[], Iterator[Family]]) -> CollectorRegistry:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Scrape(families))
    return registry


Health = Callable[[], tuple[bool, str]]
"""Says whether the collector is well, and one sentence."""


class MetricsServer:
    """``/metrics`` and ``/healthz`` over HTTP."""

    def __init__(
        self,
        registry: CollectorRegistry,
        *,
        address: str = "127.0.0.1",
        port: int = 9464,
        health: Health = lambda: (True, "ok"),
        prepare: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """``prepare`` is awaited before each answer that needs ``registry`` or ``health``."""
        self._registry = registry
        self._address = address
        self._health = health
        self._prepare = prepare
        self._server: asyncio.Server | None = None
        self._connections = 0
        self.port = port
        """The port that is listened on; known after ``start`` when 0 was asked for."""

    async def start(self) -> None:
        """Return when listening. Raises ConfigError when the address cannot be used."""
        try:
            self._server = await asyncio.start_server(
                self._serve, self._address, self.port, limit=_REQUEST_BYTES
            )
        except OSError as error:
            number = error.errno or 0  # below 0 of the resolver; asyncio's own text says all twice
            why = os.strerror(number) if number > 0 else error.strerror or error
            raise ConfigError(
                f"cannot listen on {self._address} port {self.port}: {why}", key="metrics.port"
            ) from None
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Close. May be called twice, or without ``start``."""
        server, self._server = self._server, None
        if server is not None:
            await accept_no_more(server.sockets)
            server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections += 1
        try:
            if self._connections <= _CONNECTIONS:
                async with asyncio.timeout(_TIMEOUT_SECONDS):
                    request = await reader.readuntil(b"\r\n\r\n")
                    writer.write(await self._answer(request))
                    await writer.drain()
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # a peer that is slow, rude or gone gets no answer
        except asyncio.CancelledError:
            pass  # by our own end; let through, asyncio 3.11 would log it as an error
        finally:
            self._connections -= 1
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _answer(self, request: bytes) -> bytes:
        words = request.split(b"\r\n", 1)[0].split(b" ")
        if len(words) != 3 or not words[2].startswith(b"HTTP/1."):
            return _response(HTTPStatus.BAD_REQUEST, b"")
        method, path = words[0], words[1].split(b"?", 1)[0]
        if method not in (b"GET", b"HEAD"):
            return _response(HTTPStatus.METHOD_NOT_ALLOWED, b"")
        if self._prepare is not None and path in (b"/metrics", b"/healthz"):
            await self._prepare()
        if path == b"/metrics":
            answer = _response(HTTPStatus.OK, generate_latest(self._registry))
        elif path == b"/healthz":
            well, sentence = self._health()
            status = HTTPStatus.OK if well else HTTPStatus.SERVICE_UNAVAILABLE
            answer = _response(status, sentence.encode() + b"\n")
        else:
            answer = _response(HTTPStatus.NOT_FOUND, b"see /metrics and /healthz\n")
        return answer.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" if method == b"HEAD" else answer


def _response(status: HTTPStatus, body: bytes) -> bytes:
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\n"
        f"Content-Type: {_CONTENT_TYPE}\r\nContent-Length: {len(body)}\r\n"
        "X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + body
