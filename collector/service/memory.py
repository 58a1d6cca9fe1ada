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
OLD = 50
"""Looks at the younger generation between two at this one; Python adds that the oldest is only
looked at when it grew by a quarter."""


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
    gc.set_threshold(YOUNG, MIDDLE, OLD)
    gc.collect()
    gc.freeze()
