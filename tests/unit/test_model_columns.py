"""``model.columns``: values of which few differ, octet strings, and numbers that may be unknown."""

from __future__ import annotations

from array import array
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.model import NOTHING, Coded, Octets, ReceivedBatch, numbers

WORDS = ["a", "b", "a", None, "", "a", "b"]
TEXTS = [b"a", b"", b"bcd", b"\0\xff", b"", b"e"]
Values = list[Any]
KINDS: dict[str, tuple[Any, Values]] = {"Coded": (Coded, WORDS), "Octets": (Octets, TEXTS)}


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> tuple[Any, Values]:
    """A class of columns, and values for it."""
    found: tuple[Any, Values] = KINDS[request.param]
    return found


# --------------------------------------------------------------------------- numbers
def test_numbers_have_64_bits_and_may_be_unknown() -> None:
    column = numbers([1, None, -(2**63) + 1, 2**63 - 1])
    assert column.typecode == "q"
    assert list(column) == [1, NOTHING, -(2**63) + 1, 2**63 - 1]
    assert list(numbers(iter([5, 6]))) == [5, 6]
    assert list(numbers(iter([None]))) == [NOTHING]
    assert list(numbers([])) == []


@pytest.mark.parametrize("beyond", [2**63, -(2**63) - 1, 2**80])
def test_numbers_beyond_64_bits_are_refused(beyond: int) -> None:
    with pytest.raises(OverflowError):
        numbers([beyond])
    with pytest.raises(OverflowError):
        numbers([None, beyond])


def test_what_is_no_number_is_refused() -> None:
    for wrong in ("1", 1.5, b""):
        with pytest.raises(TypeError):
            numbers([wrong])  # type: ignore[list-item]  # which is the point


# --------------------------------------------------------------------------- both classes
def test_nothing_at_first(kind: tuple[Any, Values]) -> None:
    made, _ = kind
    column = made()
    assert len(column) == 0
    assert list(column) == []
    assert column == []
    assert column == made.of([])
    assert not column
    assert column[:] == column[3:9] == []
    with pytest.raises(IndexError):
        column[0]


def test_rows_in_any_way(kind: tuple[Any, Values]) -> None:
    made, values = kind
    one_by_one, at_once, more = made(), made.of(values), made.of(values[:2])
    for value in values:
        one_by_one.append(value)
    more.extend(values[2:4])
    more.extend(made.of(values[4:]))
    more.extend([])
    more.extend(made())
    for column in (one_by_one, at_once, more):
        assert len(column) == len(values)
        assert list(column) == [column[row] for row in range(len(values))] == values
        assert [column[row - len(values)] for row in range(len(values))] == values
        assert repr(column) == f"{made.__name__}({values!r})"
        for beyond in (len(values), -len(values) - 1, 1 << 40):
            with pytest.raises(IndexError):
                column[beyond]


def test_equality_is_of_the_rows(kind: tuple[Any, Values]) -> None:
    made, values = kind
    column = made.of(values)
    assert column == values
    assert values == column
    assert column == tuple(values)
    assert column == made.of([*values[:1], *values])[1:]
    assert column != values[:-1]
    assert column != [*values[:-1], values[0] * 2]
    assert column != 7
    assert column != dict(enumerate(values))
    with pytest.raises(TypeError):
        hash(column)


def test_parts(kind: tuple[Any, Values]) -> None:
    made, values = kind
    column, rows = made.of(values), len(values)
    for start in (None, *range(-rows - 2, rows + 3)):
        for end in (None, *range(-rows - 2, rows + 3)):
            part = column[start:end]
            assert type(part) is made
            assert part == values[start:end]
            assert part[1:][:-1] == values[start:end][1:][:-1]


def test_a_part_and_the_whole_grow_apart(kind: tuple[Any, Values]) -> None:
    made, values = kind
    new, newer = values[0] * 3, values[0] * 4
    for start, end in ((0, 3), (2, 4), (3, None), (0, None), (2, 2), (None, None)):
        for whole in (made.of(values), _grown(made, values), made.of(values)[:]):
            part, other = whole[start:end], whole[start:end]
            sub = part[1:]
            part.append(new)
            assert part == [*values[start:end], new]
            whole.append(newer)
            whole.extend(values[:2])
            part.extend([newer, new])
            sub.append(newer)
            assert whole == [*values, newer, *values[:2]]
            assert part == [*values[start:end], new, newer, new]
            assert sub == [*values[start:end][1:], newer]
            assert other == values[start:end]


def _grown(made: Any, values: Values) -> Any:
    column = made()
    for value in values:
        column.append(value)
    return column


def test_a_column_grows_by_itself_and_by_parts_of_itself(kind: tuple[Any, Values]) -> None:
    made, values = kind
    for whole in (made.of(values), _grown(made, values)):
        whole.extend(whole)
        assert whole == values * 2
        whole.extend(whole[2:4])
        whole.extend(whole[1:])
        expected = values * 2 + values[2:4]
        assert whole == expected + expected[1:]


def test_no_row_can_be_added_while_somebody_reads_the_memory(kind: tuple[Any, Values]) -> None:
    made, values = kind
    column = _grown(made, values)
    reader = memoryview(column.codes if made is Coded else column.data)
    with pytest.raises(BufferError):
        column.append(values[0] * 2)
    reader.release()
    assert column == values
    column.append(values[0])
    assert column == [*values, values[0]]


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_columns_do_what_lists_do(data: st.DataObject) -> None:
    made, values = data.draw(st.sampled_from(sorted(KINDS.items())))[1]
    entries = st.lists(st.sampled_from(values), max_size=4)
    columns: list[tuple[Any, Values]] = [(made(), [])]
    for _ in range(data.draw(st.integers(1, 12))):
        column, same = data.draw(st.sampled_from(columns))
        step = data.draw(st.sampled_from(["append", "list", "column", "part", "put"]))
        if step == "append":
            value = data.draw(st.sampled_from(values))
            column.append(value)
            same.append(value)
        elif step == "list":
            more = data.draw(entries)
            column.extend(more)
            same.extend(more)
        elif step == "column":
            other, more = data.draw(st.sampled_from(columns))
            column.extend(other)
            same.extend(list(more))
        elif step == "put" and made is Coded and same:
            row = data.draw(st.integers(0, len(same) - 1))
            column.put(row, same[0])
            same[row] = same[0]
        else:
            start, end = data.draw(st.integers(-3, 9)), data.draw(st.integers(-3, 9))
            columns.append((column[start:end], same[start:end]))
        for some, expected in columns:
            assert list(some) == expected


# --------------------------------------------------------------------------- values that repeat
def test_each_value_is_kept_once() -> None:
    column = Coded.of(WORDS)
    assert column.words == ["a", "b", None, ""]
    assert column.codes == array("I", [0, 1, 0, 2, 3, 0, 1])
    assert (column.place("b"), column.place("new"), column.place("new")) == (1, 4, 4)
    assert column == WORDS, "a place is no row"
    assert Coded.of(iter(WORDS)) == WORDS
    column.extend(value for value in ("new", "a"))
    assert column.codes[-2:] == array("I", [4, 0])


def test_one_value_many_times() -> None:
    column = Coded.repeated("x", 3)
    assert column == ["x", "x", "x"]
    assert (column.words, column.codes) == (["x"], array("I", [0, 0, 0]))
    column.append("y")
    assert column == ["x", "x", "x", "y"]
    none: Coded[str | None] = Coded.repeated(None, 0)
    assert none == []
    none.append("y")
    assert none == ["y"]


def test_another_value_in_a_row() -> None:
    column = Coded.of(WORDS)
    part = column[1:4]
    part.put(0, "z")
    column.put(2, "y")
    column.put(-1, None)
    assert part == ["z", "a", None]
    assert column == ["a", "b", "y", None, "", "a", None]
    with pytest.raises(IndexError):
        column.put(7, "a")
    with pytest.raises(IndexError):
        Coded.repeated("", 0).put(0, "")


def test_words_of_somebody_else_are_not_changed() -> None:
    words = ["a", "b"]
    one, other = Coded(words, array("I", [0, 1])), Coded(words, array("I", [1]))
    one.append("c")
    other.put(0, "d")
    assert (one, other, words) == (["a", "b", "c"], ["d"], ["a", "b"])


def test_words_may_stand_twice_and_need_not_occur() -> None:
    column: Coded[str] = Coded(["a", "b", "a"], array("I", [2, 0]))
    assert column == ["a", "a"]
    column.append("a")
    column.append("b")
    other: Coded[str] = Coded()
    other.extend(column)
    assert other == column == ["a", "a", "a", "b"]


def test_a_code_without_a_word() -> None:
    column: Coded[str] = Coded(["a"], array("I", [1]))
    with pytest.raises(IndexError):
        column[0]
    with pytest.raises(IndexError):
        list(column)


def test_parts_of_coded_columns_may_leave_rows_out() -> None:
    assert Coded.of(WORDS)[::2] == WORDS[::2]
    assert Coded.of(WORDS)[::-1] == WORDS[::-1]


# --------------------------------------------------------------------------- octets
def test_octets_lie_one_behind_the_other() -> None:
    column = Octets.of(TEXTS)
    assert column.data == b"abcd\0\xffe"
    assert column.offsets == array("i", [0, 1, 1, 4, 6, 6, 7])
    assert (column.first, column.end) == (0, 7)
    part = column[2:4]
    assert (part.first, part.end) == (1, 6)
    assert part.data is column.data, "a part shares the octets"
    assert (column[6:].first, column[6:].end) == (7, 7)


def test_rows_without_octets() -> None:
    column = Octets.empty(3)
    assert column == [b"", b"", b""]
    assert Octets.empty(0) == []
    column.append(b"x")
    assert column == [b"", b"", b"", b"x"]


@pytest.mark.parametrize("memory", [bytes, bytearray, memoryview])
def test_octets_in_any_memory(memory: Any) -> None:
    held = bytearray(b"..abcd..")
    column = Octets(memory(held), array("i", [2, 3, 6]))
    assert column == [b"a", b"bcd"]
    assert [type(value) for value in column] == [bytes, bytes]
    assert type(column[1]) is bytes
    column.append(b"e")
    assert column == [b"a", b"bcd", b"e"]
    other = Octets.of([b"x"])
    other.extend(column)
    assert other == [b"x", b"a", b"bcd", b"e"]
    assert held == b"..abcd..", "memory of somebody else is not written"


@pytest.mark.parametrize("step", [2, -1, 3])
def test_parts_of_octets_are_rows_that_follow_one_another(step: int) -> None:
    with pytest.raises(ValueError, match="follow one another"):
        Octets.of(TEXTS)[::step]


FULL = 2**31 - 3


def test_two_gib_are_too_much_and_leave_the_rows() -> None:
    column = Octets(b"", array("i", [FULL, FULL]))
    for more in (lambda: column.append(b"abc"), lambda: column.extend([b"a", b"bc"])):
        with pytest.raises(OverflowError):
            more()
        assert column == [b""]
        assert column.end == FULL


def test_what_joined_would_be_two_gib_is_refused() -> None:
    class Long(bytes):
        def __len__(self) -> int:
            return 2**30

    with pytest.raises(OverflowError):
        Octets.of([Long(), Long()])


# --------------------------------------------------------------------------- a whole batch
def test_a_batch_takes_only_what_its_columns_can_hold() -> None:
    sound: dict[str, int] = {
        "port": 2**16 - 1, "version": 255, "flags": 255, "transport": 255, "segments": 2**16 - 1,
        "media_type": 2**16 - 1, "publisher_id": 2**32 - 1, "message_id": 2**32 - 1,
    }  # fmt: skip
    batch = ReceivedBatch()
    more: Any = sound
    batch.append(2**63 - 1, 255, b"x", **more)
    assert {name: getattr(batch, name)[0] for name in sound} == sound
    for name, value in sound.items():
        for beyond in (value + 1, -1):
            wrong: Any = {name: beyond}
            with pytest.raises(OverflowError):
                ReceivedBatch().append(0, 0, b"", **wrong)
