"""Python's cycle collector and C's heap, set for a process that keeps a large state and makes
little garbage.

Does not: change what is freed by reference counts, which is nearly everything here. Without it the
cycle collector walks the state of all originators again and again: a third of the time of a
message.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os

YOUNG = 50_000
"""New containers between two looks at the young ones (ours; Python's own is 700): the records of a
few seconds of a busy collector."""
MIDDLE = 20
_NEVER = 2**31 - 1
"""Looks at the middle ones between two at all: a look at the state of 1,000 devices stops
everything for 0.2 s, in which a busy socket overflows. ``Tidying`` chooses the moment."""
CALM = 1_000
"""Records in a second below which a pause overflows nothing (ours)."""
CALM_SECONDS = 600
"""Seconds between two looks at everything, when the collector is calm."""
BUSY_SECONDS = 86_400
"""The same when it never is: what little garbage is in cycles and outlived the younger looks."""


_M_ARENA_MAX = -8
"""Of mallopt(3)."""


def one_heap() -> None:
    """Call before anything that starts threads is imported: all of them, and those of processes
    started later, take from one heap, where C has several.

    The rows of a segment are allocated in one thread and their files written in another, merges run
    in a third: with a heap for each what one of them has given back serves none of the others, 40
    to 70 MB after some minutes of 20,000 messages/s.
    """
    os.environ.setdefault("MALLOC_ARENA_MAX", "1")  # read when a process starts
    with contextlib.suppress(AttributeError):  # a C library that has no such thing
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)


def settle() -> None:
    """Call once everything is loaded: what is there now is never looked at again."""
    gc.set_threshold(YOUNG, MIDDLE, _NEVER)
    gc.collect()
    gc.freeze()


SESSIONS = 1_000
"""NETCONF sessions after whose end a calm moment is used (ours): what asyncssh leaves of each is 30
kB in cycles, and most sessions live so long that no younger look finds them."""
SESSIONS_ANYWAY = 10 * SESSIONS
"""The same when it is never calm: 300 MB."""


class Tidying:
    """When the cycle collector looks at everything."""

    def __init__(self) -> None:
        self._waited = 0
        self._records = 0
        self._sessions = 0
        """That had ended at the last look."""

    def each_second(self, records: int, sessions: int = 0) -> None:
        """Look at everything if it is time.

        Args:
            records: taken since the start.
            sessions: ended since the start.
        """
        self._waited += 1
        calm = records - self._records < CALM
        self._records = records
        ended = sessions - self._sessions
        if self._waited >= (CALM_SECONDS if calm else BUSY_SECONDS) or ended >= (
            SESSIONS if calm else SESSIONS_ANYWAY
        ):
            self._waited, self._sessions = 0, sessions
            gc.collect()
