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
from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol, TypeVar, cast

__all__ = ["INTERFACE", "PATH", "JsonColumns", "Native", "native"]

INTERFACE: Final = 5
"""Number of the functions and their arguments, as in ``src/native.h``; raised with every change, so
that a module built from older sources is not used."""


Kind = TypeVar("Kind")
JsonColumns = tuple[
    list[int | None], list[str | None], list[Kind], list[int | None], list[int | None], list[bool]
]
"""Subscription id, generator, kind, event time and observation time in ns since 1970, and
incomplete-update."""


class Native(Protocol):
    """What the extension module offers."""

    INTERFACE: int

    def decode_json(
        self, payloads: Sequence[bytes], kinds: tuple[Kind, Kind, Kind], /
    ) -> tuple[JsonColumns[Kind], list[int]]:
        """Columns of what JSON messages say, and the rows that the Python decoder has to look at.

        Twin of what ``wire.envelopes.decode_batch`` makes of JSON. Those rows are not only the
        wrong ones: all that is not surely a push-update or push-change-update in one of the usual
        forms. Their entries are None, ``other`` and False.

        Args:
            payloads: whole messages.
            kinds: what to put for a push-update, a push-change-update, and any other message.
        """

    def bind(self, *classes: type) -> object:
        """Where the slots of the engine's classes are; the first argument of ``place``.

        Args:
            classes: Originator, Period, Subscription, Run, Counter, Device, Slot of ``core.state``.

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
        columns: tuple[list[Any], ...],
        placed: tuple[list[str], list[int], list[int | None]],
        open_period: Callable[[Any, int], Any],
        push_update_kind: object,
    ) -> tuple[int, Any, int, Any]:
        """The loop of ``core.straight.place_all`` until there is something to do; see there.

        Begins at the row behind those that are in ``placed``. Returns why it stopped (the numbers
        are in ``core.straight_compiled``) and, where they mean something, the subscription, the
        period index and the arrival of the message.
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
