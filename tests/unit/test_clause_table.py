"""The table RFC clause -> test finds marks wherever they may stand, and says what lacks a test."""

from __future__ import annotations

from pathlib import Path

from tests.clauses.catalogue import CLAUSES
from tests.clauses.table import faults, lines, proofs

SOURCE = """
import pytest

pytestmark = [pytest.mark.integration, pytest.mark.clause("on-module")]


@pytest.mark.parametrize("number", [pytest.param(1, marks=pytest.mark.clause("on-parameter"))])
@pytest.mark.clause("on-function", "second")
def test_one(number): ...


@pytest.mark.clause("on-class")
class TestMany:
    @pytest.mark.clause("on-method")
    async def test_two(self): ...

    def helper(self): ...


def not_a_test(): ...
"""


def test_marks_are_found_wherever_they_stand(tmp_path: Path) -> None:
    folder = tmp_path / "tests"
    folder.mkdir()
    (folder / "test_some.py").write_text(SOURCE)
    one, two = "tests/test_some.py::test_one", "tests/test_some.py::TestMany::test_two"
    assert proofs(folder) == {
        "on-module": [one, two],
        "on-parameter": [one],
        "on-function": [one],
        "second": [one],
        "on-class": [two],
        "on-method": [two],
    }


def test_a_clause_without_test_or_reason_and_an_unknown_one_are_faults() -> None:
    said = faults({"nowhere-1": ["tests/test_x.py::test_x"], "8640-3-c": ["tests/t.py::test_y"]})
    assert "tests/test_x.py::test_x names nowhere-1, which is not listed" in said
    assert "8640-3-c has a test, so its reason is out of date" in said
    assert any(sentence.startswith("8639-2.4.4 (") for sentence in said)


def test_ids_are_unique_and_each_has_its_line() -> None:
    ids = [clause.id for clauses in CLAUSES.values() for clause in clauses]
    assert len(set(ids)) == len(ids)
    text = "\n".join(lines({}))
    assert all(f"  {name} " in text for name in ids)
