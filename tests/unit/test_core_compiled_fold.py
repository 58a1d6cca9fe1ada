"""The compiled fold: borders of 64 bits, where Python's own numbers go on, and wrong arguments."""

from __future__ import annotations

from array import array
from typing import Any

import pytest

from collector.core.placing import straight_compiled
from collector.core.placing.straight_compiled import DONE, DUE, UNCOMMON
from collector.core.placing.update_columns import UpdateColumns
from collector.fast import native
from collector.model import Coded, Placements
from tests import fold_arguments
from tests.fold_arguments import ROWS
from tests.helpers import update

pytestmark = pytest.mark.skipif(native is None, reason="the compiled core is not built")
LAYOUT = straight_compiled._LAYOUT


def place(**changes: Any) -> Any:
    assert native is not None
    return native.place(*fold_arguments.arguments(LAYOUT, **changes))


@pytest.mark.parametrize(
    ("due", "why"), [(2**63, UNCOMMON), (2**70, UNCOMMON), (-(2**63) - 1, DUE), (-(2**70), DUE)]
)
def test_a_deadline_beyond_64_bits_is_due_before_all_or_never(due: int, why: int) -> None:
    assert place(heap=[(due,)])[0] == why


def test_rows_behind_the_last_one_are_placed() -> None:
    assert place(row=ROWS)[:2] == (DONE, ROWS)
    assert place(row=ROWS - 1)[:2] == (UNCOMMON, ROWS - 1)


def test_no_rows() -> None:
    placed = Placements.of(0)
    names = placed.generators
    where = (names.place, names.codes, placed.revisions, placed.period_indexes)
    columns = fold_arguments.right_columns(UpdateColumns())
    assert place(columns=columns, placed=where)[:2] == (DONE, 0)


@pytest.mark.parametrize("name", ["device", "source", "generator", "kind"])
@pytest.mark.parametrize("code", [1, 2, 2**31, 2**32 - 1])
def test_a_code_without_a_word_is_left_to_python(name: str, code: int) -> None:
    updates = UpdateColumns.of([update(1, "1", 5 + number) for number in range(ROWS)])
    words = getattr(updates, name).words
    setattr(updates, name, Coded(words, array("I", [code] * ROWS)))
    assert place(columns=fold_arguments.right_columns(updates))[:2] == (UNCOMMON, 0)


def test_wrong_arguments_are_refused_and_nothing_is_held() -> None:
    assert native is not None
    seen = 0
    for wrong in fold_arguments.wrong(LAYOUT):
        with pytest.raises(wrong.errors):
            native.place(*wrong.arguments)
        for argument in (*wrong.arguments[4], *wrong.arguments[5]):
            if isinstance(argument, array):
                argument.append(0)
                argument.pop()
        seen += 1
    assert seen > 100
