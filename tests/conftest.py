"""Hypothesis: the same examples at every run, so that a commit that was green stays green.

New ones are looked for with ``HYPOTHESIS_PROFILE=random python -m tests -k properties``; what they
find becomes an ``@example`` of its test.

And one check for every message that a test decodes, and one for what engines share; and a report
whose last lines say what failed, however much was logged.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Generator, Iterator
from typing import Any

import pytest
from hypothesis import settings

settings.register_profile("same", derandomize=True)
settings.register_profile("random", derandomize=False)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))


LINES_KEPT = 30
"""Of what a failed test logged or printed: those before its end."""
REASON_LINES = 3
RUN_AGAIN = "run again"


def pytest_addoption(parser: pytest.Parser) -> None:
    """For the test command: see ``tests.calm``."""
    words = "another exit status when only few tests failed and none because of a difference"
    parser.addoption("--tell-few", action="store_true", help=words)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """The process that sees all workers says whether a second run may clear the failures."""
    from tests.calm import ONCE_MORE, may_run_once_more

    config = session.config
    if exitstatus != pytest.ExitCode.TESTS_FAILED or not config.getoption("tell_few"):
        return
    terminal = config.pluginmanager.get_plugin("terminalreporter")
    if terminal is not None and may_run_once_more([str(one.longrepr) for one in _failed(terminal)]):
        session.exitstatus = ONCE_MORE


def _failed(terminal: Any) -> list[Any]:
    return [*terminal.stats.get("error", ()), *terminal.stats.get("failed", ())]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, Any]:
    """The log of forty devices hides why a test failed. What was run again is said by the process
    that sees all workers."""
    from tests.calm import NO_LUCK

    report = yield
    report.user_properties += [(RUN_AGAIN, NO_LUCK.pop()) for _ in NO_LUCK[:]]
    report.sections = [(name, _end_of(text)) for name, text in report.sections]
    return report


def _end_of(text: str) -> str:
    lines = text.splitlines()
    left_out = len(lines) - LINES_KEPT
    if left_out <= 0:
        return text
    return "\n".join([f"[{left_out} lines left out]", *lines[left_out:]])


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Each failure with its reason, and what had to be done again."""
    stats = terminalreporter.stats
    failed = _failed(terminalreporter)
    if failed:
        terminalreporter.section("what failed and why")
    for report in failed:
        crash = getattr(report.longrepr, "reprcrash", None)
        reason = str(getattr(crash, "message", None) or report.longrepr).splitlines()
        terminalreporter.line(f"{report.nodeid}: " + "\n    ".join(reason[:REASON_LINES]))
    for report in (one for some in stats.values() for one in some):
        for name, sentence in getattr(report, "user_properties", ()):
            if name == RUN_AGAIN:
                terminalreporter.line(f"run again: {sentence}")


@pytest.fixture(autouse=True, scope="module")
def _columns_say_the_same(request: pytest.FixtureRequest) -> Iterator[None]:
    """Every message that a test module decodes is decoded as columns, too, in every core."""
    from collector.wire.notifications import notification
    from tests.envelope_rows import checked_decode

    with pytest.MonkeyPatch.context() as patch:
        if getattr(request.module, "decode", None) is notification.decode:
            patch.setattr(request.module, "decode", checked_decode)
        yield


@pytest.fixture(autouse=True)
def _nobody_writes_into_what_all_share() -> Iterator[None]:
    """The engine's one empty table for all stays empty, whatever a test did."""
    yield
    state = sys.modules.get("collector.core.memory.state")
    assert state is None or not state.NONE_YET


@pytest.fixture(params=["python", "compiled"])
def either_fold(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fold in Python, then the one in C: how engines place common messages."""
    from collector.core.placing import straight, straight_compiled
    from collector.fast import native

    if request.param == "compiled" and native is None:
        pytest.skip("the compiled core is not there")
    chosen = straight if request.param == "python" else straight_compiled
    monkeypatch.setattr("collector.core.engine.place_all", chosen.place_all)
