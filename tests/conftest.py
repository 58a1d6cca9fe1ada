"""Hypothesis: the same examples at every run, so that a commit that was green stays green.

New ones are looked for with ``HYPOTHESIS_PROFILE=random python -m tests -k properties``; what they
find becomes an ``@example`` of its test.

And one check for every message that a test decodes, and one for what engines share.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

import pytest
from hypothesis import settings

settings.register_profile("same", derandomize=True)
settings.register_profile("random", derandomize=False)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))


@pytest.fixture(autouse=True, scope="module")
def _columns_say_the_same(request: pytest.FixtureRequest) -> Iterator[None]:
    """Every message that a test module decodes is decoded as columns, too, in every core."""
    from collector.wire import notification
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
