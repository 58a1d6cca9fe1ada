"""Captures judged: terms from the capture, from the operator, learned; what is kept of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from collector.config import DeviceSettings, KnownSubscriptionSettings, VerdictSettings
from collector.errors import SinkError, UsageError
from collector.model import Outcome, Provenance
from collector.pipeline import CaptureFiles, JournalledConfig, Pipeline, judge_captures, replay
from collector.pipeline.recovery import open_rows
from collector.store.query import open_query
from collector.store.said import Said
from collector.wire.captures.pcap import UdpPacket
from tests.unit.capture_maker import (
    cards,
    judged,
    kinds,
    last_rows,
    packets,
    push_update,
    started,
    text_of,
    verdicts,
    write,
)

START = packets(0.0, started(0.0, ["1", "2"]), header=9)
DURATION = 12


def known(**values: object) -> dict[str, object]:
    """The operator's word on subscription 1."""
    return {"known_subscriptions": (KnownSubscriptionSettings(id=1, **values),)}  # type: ignore[arg-type]


def stored(folder: Path) -> int:
    """Rows of verdicts that a query finds."""
    with open_query(folder) as session:
        (number,) = session.run("SELECT count(*) AS n FROM verdicts").column("n").to_pylist()
    return int(number)


def lossy(path: Path) -> Path:
    """Card 2 silent in the sixth of its periods: its id is missing."""
    lost = cards(DURATION, first=1.0, lost=lambda card, index: (card, index) == ("2", 5))
    return write(path, [*START, *lost])


@pytest.mark.parametrize("year", [b"0001", b"9999"])
def test_a_card_whose_clock_was_never_set_after_a_restart(tmp_path: Path, year: bytes) -> None:
    """Its ids start anew and its times cannot be kept: the messages are judged by arrival."""

    def frame(second: float, card: str, number: int, *, far: bool) -> list[UdpPacket]:
        payload = push_update(second, card)
        if far:
            payload = payload.replace(text_of(second)[:4].encode(), year, 1)
        return packets(second + 0.01, payload, header=int(card), message_id=number)

    sent = [*START]
    for second in range(1, DURATION):
        far = second >= 6
        sent += frame(second + 0.1, "1", second, far=False)
        sent += frame(second + 0.2, "2", second + 3_000_000_000 * far, far=far)
    replayed, said = judged(write(tmp_path / "a.pcap", sent))
    assert replayed.rejected == {}
    assert {row.outcome for row in last_rows(said)} == {Outcome.COMPLETE}
    assert "restart" in kinds(said)


# --------------------------------------------------------------------------- terms
def test_terms_from_the_capture(tmp_path: Path) -> None:
    _, said = judged(lossy(tmp_path / "a.pcap"))
    rows = last_rows(said)
    assert {row.device for row in rows} == {"192.0.2.7"}
    assert {row.provenance for row in rows} == {Provenance.DECLARED}
    incomplete = [row for row in rows if row.outcome is Outcome.INCOMPLETE]
    assert [(pair.generator, pair.cause.value) for pair in incomplete[0].missing] == [("2", "lost")]
    assert len(incomplete) == 1
    assert sum(row.outcome is Outcome.COMPLETE for row in rows) >= DURATION - 2


def test_terms_from_the_operator(tmp_path: Path) -> None:
    path = write(tmp_path / "a.pcap", cards(DURATION))
    _, said = judged(path, **known(period_seconds=1.0, expect=("1", "2", "3"), name="power"))
    rows = last_rows(said)
    assert {(row.subscription_name, row.provenance) for row in rows} == {
        ("power", Provenance.CONFIGURED)
    }
    assert {row.period_source for row in rows} == {"configured"}
    missing = {pair.generator for row in rows for pair in row.missing}
    assert missing == {"3"}


def test_a_learned_period_is_said(tmp_path: Path) -> None:
    replayed, said = judged(write(tmp_path / "a.pcap", cards(20)))
    assert "period_source" in kinds(said)
    rows = last_rows(said)
    assert {row.period_source for row in rows} == {"learned"}
    assert [row.outcome for row in rows][-3:] == [Outcome.COMPLETE] * 3
    assert replayed.unknown == []


def test_a_learned_period_with_the_list_of_the_operator(tmp_path: Path) -> None:
    _, said = judged(write(tmp_path / "a.pcap", cards(20)), **known(expect=("1", "2")))
    rows = last_rows(said)
    assert {(row.period_source, row.provenance) for row in rows} == {
        ("learned", Provenance.CONFIGURED)
    }
    assert Outcome.UNKNOWN not in {row.outcome for row in rows}


def test_what_cannot_be_learned_is_named(tmp_path: Path) -> None:
    replayed, said = judged(write(tmp_path / "a.pcap", cards(2)))
    assert verdicts(said) == []
    assert [(one.device, one.subscription_id, one.generators) for one in replayed.unknown] == [
        ("192.0.2.7", 1, ("1", "2"))
    ]


# --------------------------------------------------------------------------- devices
def test_each_source_is_a_device_unless_it_has_a_name(tmp_path: Path) -> None:
    frames = [
        *packets(0.0, started(0.0, ["1"]), header=9),
        *cards(5, ("1",), first=1.0),
        *packets(0.2, started(0.2, ["1"]), header=9, source="192.0.2.8"),
        *cards(5, ("1",), first=1.0, source="192.0.2.8"),
    ]
    path = write(tmp_path / "a.pcap", sorted(frames, key=lambda one: one.time_ns))
    devices = (DeviceSettings(name="core7", sources=("192.0.2.7",)),)
    _, said = judged(path, devices=devices)
    assert {row.device for row in last_rows(said)} == {"core7", "192.0.2.8"}


def test_the_grace_of_the_configuration_counts(tmp_path: Path) -> None:
    _, said = judged(lossy(tmp_path / "a.pcap"), verdicts=VerdictSettings(grace_seconds=0.9))
    row = next(one for one in verdicts(said) if one.outcome is Outcome.INCOMPLETE)
    assert 0.85 < (row.judged_at - row.nominal_time) / 1e9 - 0.1 < 1.0


# --------------------------------------------------------------------------- the end
def test_no_period_that_began_goes_without_a_row_and_none_is_blamed_at_the_end(
    tmp_path: Path,
) -> None:
    frames = [*START, *cards(DURATION, first=1.0)]
    _, said = judged(write(tmp_path / "a.pcap", frames[:-1]))  # the last update of card 2 is cut
    rows = last_rows(said)
    assert rows[-1].outcome is Outcome.NOT_JUDGED
    assert rows[-1].reason == "ended"
    assert [row.period_index for row in rows] == list(
        range(rows[0].period_index, rows[-1].period_index + 1)
    )


# --------------------------------------------------------------------------- kept
def test_what_is_kept_can_be_queried_and_judged_again(tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    _, said = judged(lossy(tmp_path / "a.pcap"), folder=folder, **known(expect=("1", "2", "4")))
    again: list[Said] = []
    replayed = replay(folder, show=again.append)
    assert verdicts(again) == verdicts(said) != []
    assert replayed.first_arrival < replayed.last_arrival
    assert stored(folder) == len(verdicts(said))


def test_queries_need_not_judge_it_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "kept"
    replayed, _ = judged(lossy(tmp_path / "a.pcap"), folder=folder)
    read: list[int] = []
    receive = Pipeline.receive
    monkeypatch.setattr(
        Pipeline,
        "receive",
        lambda self, offset, batch, records: (
            read.append(len(batch)) or receive(self, offset, batch, records)
        ),
    )
    assert replayed.records > 20
    assert open_rows(folder) == []
    assert read == []


def test_an_empty_capture_keeps_an_empty_folder(tmp_path: Path) -> None:
    judged(write(tmp_path / "a.pcap", []), folder=tmp_path / "kept")
    assert stored(tmp_path / "kept") == 0


def test_a_folder_that_holds_something_is_refused(tmp_path: Path) -> None:
    path = lossy(tmp_path / "a.pcap")
    with pytest.raises(UsageError, match="is not empty"):
        judged(path, folder=tmp_path)
    with pytest.raises(UsageError, match="cannot be used"):
        judged(path, folder=path)


@pytest.mark.parametrize("there", [True, False])
def test_a_run_that_could_not_begin_can_be_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: bool
) -> None:
    path, folder = lossy(tmp_path / "a.pcap"), tmp_path / "kept"
    if there:
        folder.mkdir()
    with monkeypatch.context() as patch:
        patch.setattr("collector.journal.disk.Disk.free_octets", lambda *_: 1000)
        with pytest.raises(SinkError, match="has less than 256 MiB free"):
            judged(path, folder=folder)
    assert folder.exists() == there
    assert judged(path, folder=folder)[0].records > 20


def test_a_store_that_fails_ends_it_with_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("collector.store.writer.write_file", full)
    with pytest.raises(SinkError, match="No space left"):
        judged(lossy(tmp_path / "a.pcap"), folder=tmp_path / "kept")


def test_large_captures_are_kept_in_segments(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("collector.pipeline.keeping.SEGMENT_OCTETS", 20_000)
    frames = [*START, *cards(40, first=1.0, size=300)]
    _, said = judged(write(tmp_path / "a.pcap", frames), folder=tmp_path / "kept")
    assert len(list((tmp_path / "kept" / "journal").glob("*.journal"))) > 2
    again: list[Said] = []
    replay(tmp_path / "kept", tmp_path / "again", show=again.append)
    assert verdicts(again) == verdicts(said)
    counts = [stored(tmp_path / "kept"), stored(tmp_path / "again")]
    assert counts == [len(verdicts(said))] * 2


# --------------------------------------------------------------------------- faults of ours
def test_a_fault_of_ours_is_counted_and_the_rest_judged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    receive, calls = Pipeline.receive, iter(range(10**6))

    def fragile(self: Pipeline, *arguments: object) -> Said:
        if next(calls) == 5:
            raise RuntimeError("a fault")
        return receive(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(Pipeline, "receive", fragile)
    replayed, said = judged(lossy(tmp_path / "a.pcap"))
    assert replayed.rejected["internal-error"] >= 1
    assert len(verdicts(said)) > 5
    assert re.search("could not be judged", caplog.text)


def test_a_clock_note_before_any_record_is_kept(tmp_path: Path) -> None:
    """Segments come first, so the batch in front of the step is empty."""
    frames = packets(100.0, b"{" + b" " * 3000, header=1, message_id=1)[:1]
    frames += [*cards(10, first=41.0)]
    with CaptureFiles([str(write(tmp_path / "a.pcap", frames))]) as files:
        said: list[Said] = []
        judge_captures(files, JournalledConfig(each_source=True), show=said.append)
    assert files.last_arrival > 0
