"""Listeners that close without losing who is coming in.

Does not: open a listener, or keep connections (who listens does).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Protocol

_ROUNDS = 10
"""Of asyncio's event loop; it takes two from accept to ``connection_made``, and some five until the
task of a stream runs."""


class Listener(Protocol):
    """A socket that listens, or asyncio's view of it."""

    def fileno(self) -> int:
        """Its descriptor."""
        ...


async def accept_no_more(listeners: Iterable[Listener]) -> None:
    """Return when whoever was accepted has come in; the caller closes the server, then them.

    A server that is closed in between forgets a connection: nobody knows of it, and its socket
    stays open.
    """
    loop = asyncio.get_running_loop()
    for one in listeners:
        loop.remove_reader(one.fileno())
    for _ in range(_ROUNDS):
        await asyncio.sleep(0)
