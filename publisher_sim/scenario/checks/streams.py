"""Checks of event streams and named filters."""

from __future__ import annotations

from publisher_sim.data.filters import FilterUnsupportedError, compile_filter
from publisher_sim.scenario.checks.checker import Checks
from publisher_sim.scenario.streams import NamedFilter

MOST_EVENTS = 100
MOST_RECORDS = 4096
MOST_STREAMS = 16
MOST_FILTERS = 64
LONGEST_NAME = 64


def check_streams(checks: Checks) -> None:
    """All of both, and that no name stands twice."""
    scenario = checks.scenario
    checks.within(len(scenario.stream), 0, MOST_STREAMS, "stream")
    checks.within(len(scenario.filter), 0, MOST_FILTERS, "filter")
    checks.once([one.name for one in scenario.stream], "stream", "name")
    for number, stream in enumerate(scenario.stream):
        key = f"stream[{number}]"
        _check_name(checks, stream.name, key)
        checks.within(stream.events_per_second, 0, MOST_EVENTS, f"{key}.events_per_second")
        checks.within(stream.replay_records, 0, MOST_RECORDS, f"{key}.replay_records")
    checks.once([f"{one.of} {one.name}" for one in scenario.filter], "filter", "name")
    for number, named in enumerate(scenario.filter):
        key = f"filter[{number}]"
        _check_name(checks, named.name, key)
        _check_filter(checks, named, key)


def _check_name(checks: Checks, name: str, key: str) -> None:
    good = bool(name.strip()) and len(name) <= LONGEST_NAME
    checks.require(good, f"{key}.name", f"{name!r} is no name", f"1 to {LONGEST_NAME} characters")


def _check_filter(checks: Checks, named: NamedFilter, key: str) -> None:
    checks.require(
        bool(named.xpath) != bool(named.subtree), f"{key}.xpath", "is not the one of the two",
        "xpath or subtree",
    )  # fmt: skip
    try:
        compile_filter(named.selection_filter, boolean=named.of == "stream")
    except FilterUnsupportedError as error:
        checks.require(False, key, str(error), "a filter that this device evaluates")
