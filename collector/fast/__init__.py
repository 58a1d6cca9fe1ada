"""The compiled core: twins in C of a few hot functions, there or not.

Does: say whether the extension module ``_native`` is there, and what it offers. Does not: decide
anything. For each function here there is one in Python that says the same, and each caller takes
the compiled one when ``native`` is there.

Rules: written against the plain C API of CPython, so that building it needs a compiler and nothing
else, the C can be read beside its Python twin, and both run under the sanitizers of the compiler.
What the C is not sure of it hands back to the Python twin, which decides. Nothing of ``collector``
is imported. ``COLLECTOR_PURE_PYTHON=1`` in the environment turns it off.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, Final, Protocol, cast

__all__ = ["INTERFACE", "PATH", "Native", "native"]

INTERFACE: Final = 11
"""Number of the functions and their arguments, as in ``src/native.h``; raised with every change, so
that a module built from older sources is not used."""


Buffer = Any
"""Memory of one machine type: an array, bytes, a column of numpy. (collections.abc.Buffer comes
with Python 3.12.)"""


class Native(Protocol):
    """What the extension module offers."""

    INTERFACE: int

    def read_envelopes(
        self,
        data: Buffer,
        offsets: Buffer,
        encoding: Buffer,
        subscription_id: Buffer,
        generator: Buffer,
        generators: list[str | None],
        kind: Buffer,
        event_time: Buffer,
        observation_time: Buffer,
        incomplete: Buffer,
        sequence_number: Buffer,
        /,
    ) -> list[int]:
        """Fill columns with what messages say; returns the rows that Python has to look at.

        Twin of what ``notifications.envelopes`` makes of JSON and XML. Those rows are not only the
        wrong ones: all that is not surely a push-update or push-change-update in one of the usual
        forms, or in another encoding. Their entries are left as they were.

        Args:
            data: the messages, one behind the other.
            offsets: int32, where each begins and the last one ends.
            encoding: an octet a message: 1 JSON, 2 XML, others are not looked at.
            subscription_id, event_time, observation_time, sequence_number: int64, filled; -2^63
                where not said.
            generator: uint32, filled: a place in ``generators``, 0 where not said.
            generators: the texts, None at first; grows, and may hold a text twice.
            kind: uint32, filled: 0 a push-update, 1 a push-change-update.
            incomplete: an octet, filled.

        Raises:
            TypeError, ValueError: these are no such columns.
        """
        ...

    def gather(self, source: Buffer, starts: Buffer, lengths: Buffer, offsets: Buffer, /) -> bytes:
        """Parts of a memory, one behind the other.

        Args:
            source: octets.
            starts, lengths: int64, a part each.
            offsets: int32, one more, filled: where each part begins in the result, and its end.

        Raises:
            TypeError, ValueError: these are no such columns, or a part is not in the source.
            OverflowError: more than 2 GiB.
        """
        ...

    def bind(self, *classes: type) -> object:
        """Where the slots of the engine's classes are; the first argument of ``place``.

        Args:
            classes: Originator, Period, Subscription, Run, Counter, Device, Slot of
                ``core.memory``.

        Raises:
            TypeError: a class lacks a slot that the fold uses.
        """
        ...

    def place(
        self,
        layout: object,
        devices: dict[str, Any],
        heap: list[Any],
        mapped: bool,
        columns: tuple[Any, ...],
        placed: tuple[Callable[[str], int], Buffer, Buffer, Buffer],
        row: int,
        open_period: Callable[[Any, int], Any],
        push_update_kind: object,
        /,
    ) -> tuple[int, int, Any, Any, Any]:
        """The loop of ``placing.straight.place_all`` from a row on until there is something to do.

        Args:
            columns: those of ``placing.update_columns`` without the port, coded ones as two, the
                list of words and the codes.
            placed: ``Coded.place`` of the generators' names, their codes, the revisions and the
                period indexes; the last three are filled.

        Returns:
            Why it stopped (the numbers are in ``placing.straight_compiled``), the first row that
            is not placed, and where they mean something the subscription, the period index and the
            arrival of the message.
        """
        ...


def _load() -> Native | None:
    if os.environ.get("COLLECTOR_PURE_PYTHON") == "1":
        return None
    try:
        from collector.fast import _native
    except ImportError:  # not built, or for another Python
        return None
    return cast("Native", _native) if _native.INTERFACE == INTERFACE else None


native: Native | None = _load()
"""The extension module, or None."""
PATH: Final = "pure Python" if native is None else "compiled"
"""Which way the hot functions go, for people."""
