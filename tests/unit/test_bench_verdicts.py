"""The benchmark of many verdicts: rows as real ones are, and it runs at a tiny size."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pyarrow as pa
import pytest

from collector.model import Outcome
from collector.store import writer
from collector.store.said import verdict_rows
from collector.store.tables import ORDER
from collector.views.answers import verdicts_of
from tests.bench import many_verdicts, verdict_maker


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verdict_maker, "DEVICES", 20)
    monkeypatch.setattr(many_verdicts, "ROWS_A_MINUTE", 40)
    monkeypatch.setattr(many_verdicts, "DEVICE", verdict_maker.NAMES[3])


def test_rows_are_verdicts_in_the_order_of_the_store() -> None:
    table = verdict_maker.verdict_table(many_verdicts.END, 50)
    rows = verdicts_of(table)
    assert verdict_rows(rows).equals(table)
    assert len({(one.device, one.subscription_id, one.period_index) for one in rows}) == 2000
    assert table.equals(table.sort_by([(name, "ascending") for name in ORDER["verdicts"]]))
    for one in rows:
        (there, gone) = set(one.received), {cause.generator for cause in one.missing}
        assert there | gone == set(one.required)
        assert not there & gone
        assert (one.outcome is Outcome.INCOMPLETE) == bool(gone)
        assert (one.outcome is Outcome.DEGRADED) == bool(one.degraded)
        assert one.judged_at >= one.nominal_time
    amended = [one for one in rows if one.amendment]
    assert amended
    for one in amended:
        assert any(
            msgspec.structs.replace(
                one, amendment=0, final=False, judged_at=first.judged_at, missing=first.missing
            )
            == first
            for first in rows
        )


def test_it_fills_merges_and_asks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "UPKEEP_SECONDS", 0.01)
    monkeypatch.setattr(many_verdicts, "process_ms", lambda command: 1.0)
    monkeypatch.setattr(many_verdicts, "LISTED", (0, 300))
    merge_us = many_verdicts.fill(tmp_path, 40 * 64 * 5)
    assert merge_us > 0
    assert many_verdicts.fill(tmp_path, 40 * 64 * 5) == 0  # it is there
    found = many_verdicts.ask_all(tmp_path, merge_us)
    assert found.files == {5: 1, 4: 1, 3: 3, 2: 3, 1: 3, 0: many_verdicts.SEGMENTS}
    minutes = 5 * many_verdicts.HOUR + sum(many_verdicts.TAIL)
    assert 40 * minutes < found.rows < 40 * (minutes + 4)
    answers = list(found.answers.values())
    today = 2 * (18 * 60 + sum(many_verdicts.TAIL)) if minutes > 18 * 60 else 2 * minutes
    assert today <= answers[0].rows <= today + 2
    assert answers[0].rows == answers[4].rows <= answers[1].rows == answers[2].rows
    assert len(many_verdicts.lines(found)) > 12
    assert all(isinstance(line, str) for line in many_verdicts.lines(found))


def test_no_room_is_said_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(many_verdicts, "OCTETS_A_ROW", 1 << 50)
    with pytest.raises(many_verdicts.click.UsageError, match="MiB are needed"):
        many_verdicts.fill(tmp_path / "store", 1000)
    assert list(tmp_path.iterdir()) == []


def test_schema_is_that_of_the_store() -> None:
    table = verdict_maker.verdict_table(0, 1)
    assert table.schema.equals(verdict_rows([]).schema)
    assert isinstance(table, pa.Table)
