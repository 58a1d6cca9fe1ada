"""A listener that closes in the very moment when somebody comes leaves no connection open."""

from __future__ import annotations

import asyncio
import gc
import socket
import warnings
from collections.abc import Callable

import asyncssh
import pytest

from publisher_sim.netconf.server import NetconfServer
from publisher_sim.netconf.shared_door import SharedDoor

pytestmark = pytest.mark.integration

KEY = asyncssh.generate_private_key("ssh-ed25519")
KINDS: dict[str, Callable[[], SharedDoor | NetconfServer]] = {
    "door": lambda: SharedDoor("127.0.0.1", 0, KEY),
    "server": lambda: NetconfServer("127.0.0.1", 0, host_key=KEY),
}


async def come_and_stop(listener: SharedDoor | NetconfServer, rounds: int) -> None:
    """Stop so many rounds of the event loop after somebody connected."""
    await listener.start()
    with socket.create_connection(("127.0.0.1", listener.port)):
        for _ in range(rounds):
            await asyncio.sleep(0)
        await listener.stop()


@pytest.mark.parametrize("rounds", range(6))
@pytest.mark.parametrize("kind", KINDS)
def test_who_was_accepted_last_is_closed_too(kind: str, rounds: int) -> None:
    gc.collect()  # what others left is not ours
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        asyncio.run(come_and_stop(KINDS[kind](), rounds))
        gc.collect()
    assert [str(one.message) for one in heard if one.category is ResourceWarning] == []
