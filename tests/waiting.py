"""Waiting in tests for what happens by itself: never for a time, always for the thing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

PATIENCE = 60.0
"""Seconds, for what takes a moment on a quiet machine."""
LOOK_SECONDS = 0.005


async def until(condition: Callable[[], object], what: object = "") -> None:
    """Return when it is so. Raises AssertionError with ``what``, or what it returns: it never
    was."""
    try:
        async with asyncio.timeout(PATIENCE):
            while not condition():
                await asyncio.sleep(LOOK_SECONDS)
    except TimeoutError:
        said = what() if callable(what) else what
        raise AssertionError(f"never: {said or condition}") from None
