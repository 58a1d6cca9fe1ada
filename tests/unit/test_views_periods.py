"""The picture of periods, drawn without a terminal."""

from __future__ import annotations

import io

import pytest

from collector.model import NotJudgedReason, Outcome, Verdict
from collector.views.console import has_unicode, make_console
from collector.views.live import LiveView
from collector.views.periods import PERIODS_KEPT, SERIES_KEPT, PeriodGrid, State, state_of
from tests.unit.verdict_maker import event, subscription, verdict


class Terminal(io.TextIOWrapper):
    """A text file that says what it can show, and keeps what it was given."""

    def __init__(self, encoding: str = "utf-8") -> None:
        self.octets = io.BytesIO()
        super().__init__(self.octets, encoding=encoding, write_through=True)

    def text(self) -> str:
        return self.octets.getvalue().decode(self.encoding)


def drawn(
    *verdicts: Verdict, width: int = 100, height: int | None = None, encoding: str = "utf-8"
) -> list[str]:
    out = Terminal(encoding)
    console = make_console(out, width=width)
    grid = PeriodGrid()
    grid.receive([*verdicts, event()])
    console.print(grid.render(console, height=height))
    return [line.rstrip() for line in out.text().splitlines()]


def test_before_the_first_verdict() -> None:
    assert drawn()[0] == "waiting for the first period to be judged"


def test_a_row_for_each_card_a_column_for_each_period() -> None:
    lines = drawn(
        verdict(0, outcome=Outcome.NOT_JUDGED, reason=NotJudgedReason.STARTING),
        verdict(1),
        verdict(2, degraded={"2": "loss"}),
        verdict(3, missing={"3": "silent"}, unexpected=("9",), received=("1", "2", "4", "9")),
        verdict(4, missing={"3": "lost"}, outcome=Outcome.INCOMPLETE),
    )
    assert lines[0] == "core7  counters  every 1 s  INCOMPLETE"
    assert lines[1] == "         12:00:04"
    assert lines[2:8] == [
        "card 1  · ● ● ● ●",
        "card 2  · ● ◐ ● ●",
        "card 3  · ● ● ✖ ✖  lost since 12:00:03",
        "card 4  · ● ● ● ●",
        "card 9        +    not expected since 12:00:04",
        "all     · ▇ ▅ ▂ ▂",
    ]
    assert lines[9].startswith("● delivered  ◐ some lost  ✖ missing  · not judged  ?")


@pytest.mark.parametrize("width", [40, 79, 80, 83, 100])
def test_the_legend_breaks_between_its_entries(width: int) -> None:
    entries = [f"{state.value[0]} {state.value[3]}" for state in State if state.value[3]]
    lines = drawn(verdict(1), width=width)
    legend = lines[lines.index(next(line for line in lines if line.startswith(entries[0]))) :]
    assert all(len(line) <= width for line in legend)
    assert "  ".join(legend).split("  ") == [*entries, "UTC"]
    assert len(drawn(*map(verdict, range(2)), width=width, height=9)) <= 9


def test_without_unicode_it_is_ascii() -> None:
    lines = drawn(verdict(1), verdict(2, missing={"3": "silent"}), encoding="ascii")
    assert "card 3  # X  silent since 12:00:02" in lines
    assert "all     C I" in lines


def test_it_is_as_wide_as_the_terminal_allows() -> None:
    rows = [verdict(n) for n in range(200)]
    for width in (20, 40, 80, 200):
        lines = drawn(*rows, width=width)
        assert max(map(len, lines)) <= width
    assert drawn(*rows, width=80)[2].count("●") == (80 - 8 - 30) // 2
    assert drawn(*rows, width=40)[2].count("●") == (40 - 8) // 2


def test_times_stand_over_their_columns() -> None:
    lines = drawn(*(verdict(n) for n in range(30)))
    assert lines[1].endswith("12:00:29")
    assert len(lines[1]) == len(lines[2])
    assert "12:00:19" in lines[1]


def test_it_is_no_higher_than_it_may_be() -> None:
    rows = [verdict(1, device=f"core{n}") for n in range(10)]
    lines = drawn(*rows, height=20)
    assert len(lines) <= 20
    assert lines[-2] == "and 8 more, none of them not complete"
    assert len(drawn(*rows, height=40, width=30)) <= 40


def test_where_not_all_fits_trouble_comes_first() -> None:
    rows = [
        verdict(1, device=f"core{n}", missing={"3": "silent"} if n > 6 else {}) for n in range(10)
    ]
    lines = drawn(*rows, height=20)
    assert lines[0].startswith("core7 ")
    assert lines[8].startswith("core8 ")
    assert lines[-2] == "and 8 more, 1 of them not complete"


def test_a_device_with_many_cards_shows_the_ones_in_trouble() -> None:
    cards = tuple(str(n) for n in range(1, 65))
    lines = drawn(verdict(1, required=cards, missing={"60": "silent"}), height=24)
    assert len(lines) <= 24
    assert "card 60  ✖  silent since 12:00:01" in lines
    assert any(line.startswith("and ") and line.endswith(" more") for line in lines)


def test_a_card_that_left_is_not_called_silent() -> None:
    rows = [verdict(1), verdict(2, missing={"4": "silent"})]
    rows += [verdict(n, required=("1", "2", "3")) for n in (3, 4)]
    assert "card 4  ● ✖      not expected since 12:00:03" in drawn(*rows)


def test_an_amendment_replaces_its_period() -> None:
    lines = drawn(verdict(1, missing={"3": "silent"}), verdict(1, amendment=1))
    assert "card 3  ●" in lines


def test_a_long_silence_fills_its_columns() -> None:
    lines = drawn(verdict(0), verdict(1), verdict(2, period_to=11, missing={"3": "silent"}))
    assert "card 3  ● ● " + "✖ " * 10 + " silent since 12:00:02" in lines


def test_a_first_row_that_is_a_range_has_one_column() -> None:
    lines = drawn(verdict(2, period_to=11, missing={"3": "silent"}))
    assert "card 3  ✖  silent since 12:00:02" in lines


def test_memory_is_bounded() -> None:
    grid = PeriodGrid()
    grid.receive(verdict(n) for n in range(PERIODS_KEPT + 50))
    grid.receive([verdict(10**6, period_to=10**12)])
    assert all(len(one.verdicts) == PERIODS_KEPT for one in grid.series.values())
    grid.receive([verdict(1, required=tuple(map(str, range(5000))))])
    assert all(len(one.generators) <= 512 for one in grid.series.values())
    grid.receive(verdict(1, device=str(n)) for n in range(SERIES_KEPT + 5))
    assert len(grid.series) == SERIES_KEPT


def test_names_with_brackets_and_escapes_are_shown_as_text() -> None:
    lines = drawn(verdict(1, device="[red]core[/red]", required=("a\x1b[2Jb",)))
    assert lines[0].startswith("[red]core[/red]")
    assert lines[2].startswith("a\ufffd[2Jb")


@pytest.mark.parametrize(
    ("row", "generator", "state"),
    [
        (verdict(1), "1", State.COMPLETE),
        (verdict(1), "9", State.ABSENT),
        (verdict(1, outcome=Outcome.UNKNOWN, required=(), received=("1",)), "1", State.UNKNOWN),
        (verdict(1, outcome=Outcome.UNKNOWN, required=(), received=("1",)), "2", State.ABSENT),
        (verdict(1, outcome=Outcome.NOT_JUDGED), "9", State.ABSENT),
        (verdict(1, received=(*"12349",)), "9", State.UNEXPECTED),
    ],
)
def test_states(row: Verdict, generator: str, state: State) -> None:
    assert state_of(row, generator) is state


def test_an_encoding_without_symbols_is_noticed() -> None:
    assert has_unicode(make_console(Terminal("utf-8")))
    assert not has_unicode(make_console(Terminal("latin-1")))


# --------------------------------------------------------------------------- live
def test_in_a_pipe_every_fact_is_a_line() -> None:
    out = io.StringIO()
    with LiveView(make_console(out), title="demo") as view:
        view.receive([verdict(1), event(2), subscription(3)])
        view.say("a card is pulled")
        view.draw()
    lines = out.getvalue().splitlines()
    assert lines[0] == "demo"
    assert [line.split("  ")[1] for line in lines[1:4]] == ["core7"] * 3
    assert lines[4] == "a card is pulled"


def test_verdicts_only() -> None:
    out = io.StringIO()
    with LiveView(make_console(out), verdicts_only=True) as view:
        view.receive([event(2), subscription(3), verdict(1)])
    assert out.getvalue().count("\n") == 1


def test_in_a_terminal_the_picture_is_redrawn_but_not_too_often() -> None:
    from rich.console import Console

    out = Terminal()
    console = Console(file=out, force_terminal=True, width=100, height=30, markup=False)
    now = [0.0]
    with LiveView(console, title="demo", clock=lambda: now[0]) as view:
        view.receive([verdict(1), event(2)])
        drawn_once = len(out.text())
        view.receive([verdict(2)])
        assert len(out.text()) == drawn_once
        now[0] = 1.0
        view.say("a card is pulled")
        assert len(out.text()) > drawn_once
    text = out.text()
    assert "a card is pulled" in text
    assert "core7: The clock of 3 stepped." in text
    assert "\x1b[?25h" in text  # the cursor is back
