"""``native.gather``: parts of a memory one behind the other, whoever asks for them."""

from __future__ import annotations

from array import array
from random import Random

import pytest

from collector.fast import native
from tests.fast_gather import gathered, one_by_chance

if native is None:
    pytest.skip("the compiled core is not there", allow_module_level=True)


def test_parts_are_what_slices_are_and_none_is_taken_from_outside() -> None:
    random = Random(5)
    taken = [one_by_chance(native, random) for _ in range(3000)]
    assert 1000 < sum(taken) < 2900


def test_parts_may_overlap_be_empty_and_come_in_any_order() -> None:
    parts = [(3, 2), (0, 5), (5, 0), (0, 0), (4, 1)]
    assert gathered(native, b"abcde", parts) == [b"de", b"abcde", b"", b"", b"e"]
    assert gathered(native, b"", []) == []


def test_more_than_offsets_can_say_is_refused_before_it_is_copied() -> None:
    source = memoryview(bytes(1 << 20))
    count = 2049  # of 1 MiB each: 1 MiB more than 2 GiB
    starts, lengths = array("q", bytes(8 * count)), array("q", [1 << 20]) * count
    with pytest.raises(OverflowError, match="2 GiB"):
        native.gather(source, starts, lengths, array("i", bytes(4 * (count + 1))))


@pytest.mark.parametrize(
    "wrong",
    [
        {"starts": array("q")},
        {"lengths": array("q", [1, 1])},
        {"offsets": array("i", [0])},
        {"offsets": array("i", [0, 0, 0])},
        {"starts": array("i", [0])},
        {"lengths": array("Q", [1])},
        {"offsets": array("I", [0, 0])},
        {"offsets": bytes(8)},
        {"source": array("H", [1])},
        {"source": None},
        {"source": memoryview(b"abcdef")[::2]},
        {"starts": memoryview(bytes(17))[1:9].cast("q")},
    ],
)
def test_other_columns_are_refused(wrong: dict[str, object]) -> None:
    given: dict[str, object] = {
        "source": b"abc",
        "starts": array("q", [0]),
        "lengths": array("q", [1]),
        "offsets": array("i", [0, 0]),
    }
    native.gather(*given.values())
    with pytest.raises((TypeError, ValueError, BufferError)):
        native.gather(*(given | wrong).values())
