"""The compiled fold at the borders of 64 bits, where Python's own numbers go on."""

from __future__ import annotations

import pytest

from collector.core import straight_compiled
from collector.core.straight_compiled import DUE, UNCOMMON
from collector.core.update_columns import UpdateColumns
from collector.fast import native
from collector.model import NotificationKind
from tests.helpers import update


@pytest.mark.parametrize(
    ("due", "why"), [(2**63, UNCOMMON), (2**70, UNCOMMON), (-(2**63) - 1, DUE), (-(2**70), DUE)]
)
def test_a_deadline_beyond_64_bits_is_due_before_all_or_never(due: int, why: int) -> None:
    if native is None:
        pytest.skip("the compiled core is not there")
    columns = UpdateColumns.of([update(1, "1", 5)]).columns()
    kind = NotificationKind.PUSH_UPDATE
    said = native.place(
        straight_compiled._LAYOUT, {}, [(due,)], False, columns, ([], [], []),
        lambda *_: None, kind,
    )  # fmt: skip
    assert said[0] == why
