"""Columns of a batch that cost no object a row: values of which few differ, and octets.

Does: hold them, give single rows and parts as Python values, grow row by row where nobody is in a
hurry. Does not: compute; who needs speed takes ``codes``, ``data`` and ``offsets`` as the machine
integers that they are (numpy, Arrow and the compiled core read them where they lie).

Rules: whole numbers need no class, ``array`` holds them; where a number may be unknown ``NOTHING``
stands for None. A part of a column shares what it can with the whole. A column of which somebody
else reads the memory cannot grow any more (BufferError).
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, Generic, TypeVar, overload

T = TypeVar("T")

NOTHING: Final = -(2**63)
"""In a column of 64-bit numbers: unknown. As a time it would be in the year 1677."""


def numbers(values: Iterable[int | None]) -> array[int]:
    """A column of 64-bit numbers, ``NOTHING`` for None.

    Raises:
        OverflowError: a number beyond 64 bits.
    """
    found = list(values)
    try:
        return array("q", found)  # type: ignore[arg-type]  # None is the TypeError below
    except TypeError:
        return array("q", [NOTHING if value is None else value for value in found])


class Coded(Sequence[T], Generic[T]):
    """A column of few different values: what they are, and which one each row has."""

    __slots__ = ("_places", "codes", "words")

    def __init__(self, words: list[T] | None = None, codes: array[int] | None = None) -> None:
        self.words: list[T] = [] if words is None else words
        """The different values; some may not occur."""
        self.codes: array[int] = array("I") if codes is None else codes
        """uint32 a row: place in ``words``."""
        self._places: dict[T, int] | None = None

    @classmethod
    def of(cls, values: Iterable[T]) -> Coded[T]:
        """The column of these values."""
        places: dict[T, int] = {}
        codes = array("I", [places.setdefault(value, len(places)) for value in values])
        made = cls(list(places), codes)
        made._places = places
        return made

    @classmethod
    def repeated(cls, value: T, count: int) -> Coded[T]:
        """One value ``count`` times."""
        return cls([value], array("I", bytes(4 * count)))

    def __len__(self) -> int:
        return len(self.codes)

    @overload
    def __getitem__(self, row: int) -> T: ...
    @overload
    def __getitem__(self, row: slice) -> Coded[T]: ...
    def __getitem__(self, row: int | slice) -> T | Coded[T]:
        if isinstance(row, slice):
            return Coded(self.words, self.codes[row])
        return self.words[self.codes[row]]

    def __iter__(self) -> Iterator[T]:
        return map(self.words.__getitem__, self.codes)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]  # it can change

    def __repr__(self) -> str:
        return f"Coded({list(self)!r})"

    def append(self, value: T) -> None:
        """Add a row."""
        self.codes.append(self.place(value))

    def extend(self, values: Iterable[T]) -> None:
        """Add rows."""
        if isinstance(values, Coded):
            places = [self.place(word) for word in values.words]
            codes = array("I", map(places.__getitem__, values.codes))
        else:
            codes = array("I", map(self.place, values))
        self.codes.extend(codes)  # whole: ``values`` may be these rows themselves

    def put(self, row: int, value: T) -> None:
        """Another value in a row."""
        self.codes[row] = self.place(value)

    def place(self, value: T) -> int:
        """The place of a value in ``words``, where it is put if it is new."""
        places = self._places
        if places is None:
            self.words = list(self.words)  # others may share it
            places = self._places = {word: place for place, word in enumerate(self.words)}
        place = places.get(value)
        if place is None:
            place = places[value] = len(self.words)
            self.words.append(value)
        return place


class Octets(Sequence[bytes]):
    """A column of octet strings, one behind the other: Arrow's layout of the type ``binary``."""

    __slots__ = ("data", "offsets")

    def __init__(
        self, data: bytes | bytearray | memoryview = b"", offsets: array[int] | None = None
    ) -> None:
        self.data = data
        """The octets of all rows, and maybe of others."""
        self.offsets: array[int] = array("i", [0]) if offsets is None else offsets
        """int32, one more than rows: where in ``data`` each row begins and the last one ends."""

    @classmethod
    def of(cls, values: Sequence[bytes]) -> Octets:
        """The column of these values. Raises OverflowError: 2 GiB or more."""
        made = cls(b"".join(values))
        made._add_lengths(map(len, values))
        return made

    @classmethod
    def empty(cls, count: int) -> Octets:
        """``count`` rows without any octet."""
        return cls(b"", array("i", bytes(4 * (count + 1))))

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @overload
    def __getitem__(self, row: int) -> bytes: ...
    @overload
    def __getitem__(self, row: slice) -> Octets: ...
    def __getitem__(self, row: int | slice) -> bytes | Octets:
        if isinstance(row, slice):
            start, end, step = row.indices(len(self))
            if step != 1:
                raise ValueError("parts of a column are rows that follow one another")
            return Octets(self.data, self.offsets[start : max(start, end) + 1])
        if row < 0:
            row += len(self)
        if not 0 <= row < len(self):
            raise IndexError("no such row")
        return bytes(self.data[self.offsets[row] : self.offsets[row + 1]])

    def __iter__(self) -> Iterator[bytes]:
        data, start = self.data, self.offsets[0]
        for end in self.offsets[1:]:
            yield bytes(data[start:end])
            start = end

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]  # it can change

    def __repr__(self) -> str:
        return f"Octets({list(self)!r})"

    @property
    def first(self) -> int:
        """Where the first row begins in ``data``."""
        return self.offsets[0]

    @property
    def end(self) -> int:
        """Where the last row ends in ``data``."""
        return self.offsets[-1]

    @property
    def memory(self) -> int:
        """Octets of memory that it keeps, others' rows included."""
        return len(self.data) + len(self.offsets) * self.offsets.itemsize

    def append(self, value: bytes) -> None:
        """Add a row."""
        self._own().extend(value)
        self._add_lengths([len(value)])

    def extend(self, values: Sequence[bytes]) -> None:
        """Add rows. Raises OverflowError: 2 GiB or more in all; nothing is added then."""
        if not isinstance(values, Octets):
            values = Octets.of(values)
        moved = self.end - values.first
        offsets = array("i", map(moved.__add__, values.offsets[1:]))
        octets: bytes | memoryview = memoryview(values.data)[values.first : values.end]
        if values.data is self.data:
            octets = bytes(octets)  # a buffer cannot grow while it is read
        self._own().extend(octets)
        self.offsets.extend(offsets)

    def _own(self) -> bytearray:
        """``data`` as a buffer that ends with the last row and can grow."""
        if type(self.data) is not bytearray or len(self.data) != self.end:
            self.data = bytearray(self.data[: self.end])
        return self.data

    def _add_lengths(self, lengths: Iterable[int]) -> None:
        end = self.end
        for length in lengths:
            end += length
            self.offsets.append(end)
