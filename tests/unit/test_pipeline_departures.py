"""A device that the configuration no longer names: it ends, and its silence is no fault."""

from __future__ import annotations

from collector.config import read_config_table
from collector.model import Outcome, RecordKind, Verdict
from collector.pipeline import Pipeline
from collector.pipeline.settings import encode_config
from tests.unit.pipeline_records import DEVICE, PERIOD, SOURCE, Story, verdicts


def config(story: Story, at: float, devices: dict[str, str]) -> None:
    table = {"device": [{"name": name, "sources": [source]} for name, source in devices.items()]}
    story.note(at, RecordKind.CONFIG, encode_config(read_config_table(table)))


def silence(story: Story, first: int, end: int) -> None:
    for index in range(first, end):
        story.note(index * PERIOD + 9, RecordKind.TICK)


def told(story: Story, rows: int = 1 << 30) -> list[Verdict]:
    return verdicts(story.tell(Pipeline(), rows))


def test_a_device_that_left_is_not_called_silent() -> None:
    story = Story()
    story.configured()
    story.started()
    story.periods(1, 6)
    config(story, 6 * PERIOD, {"other": "192.0.2.50"})
    silence(story, 6, 12)
    rows = told(story)
    assert {row.outcome for row in rows} <= {Outcome.COMPLETE, Outcome.NOT_JUDGED}
    said = Pipeline()
    ends = [row for one in story.tell(said) for row in one.subscriptions if row.state == "ended"]
    assert [(row.device, row.reason) for row in ends] == [(DEVICE, "not-configured")]


def test_one_that_stayed_is() -> None:
    story = Story()
    story.configured()
    story.started()
    story.periods(1, 6)
    config(story, 6 * PERIOD, {"other": "192.0.2.50", DEVICE: SOURCE})
    silence(story, 6, 12)
    assert Outcome.INCOMPLETE in {row.outcome for row in told(story)}


def test_one_that_comes_back_goes_on() -> None:
    story = Story()
    story.configured()
    story.started()
    story.periods(1, 6)
    config(story, 6 * PERIOD, {})
    silence(story, 6, 9)
    config(story, 9 * PERIOD, {DEVICE: SOURCE})
    story.periods(9, 20)
    rows = told(story)
    first = rows[0].period_index
    late = [row for row in rows if row.period_index - first >= 14]
    assert len(late) >= 4
    assert {row.outcome for row in late} == {Outcome.COMPLETE}
    assert told(story, 1) == rows


def test_a_replay_that_knows_the_device_by_its_own_configuration_keeps_it() -> None:
    story = Story()
    config(story, 0, {"other": "192.0.2.50"})
    story.started()
    story.periods(1, 6)
    config(story, 6 * PERIOD, {"another": "192.0.2.51"})
    silence(story, 6, 12)
    rows = verdicts(story.tell(Pipeline(sources={SOURCE: DEVICE})))
    assert Outcome.INCOMPLETE in {row.outcome for row in rows}
