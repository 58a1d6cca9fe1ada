"""The door of a fleet listens on every address; only this machine comes in."""

from __future__ import annotations

from typing import Any

import asyncssh
import pytest

from publisher_sim.netconf.shared_door import SharedDoor, _Guest


class Connection:
    def __init__(self, local: str) -> None:
        self.local = local
        self.aborted = False

    def get_extra_info(self, name: str) -> tuple[str, int] | None:
        return (self.local, 8300) if name == "sockname" else None

    def abort(self) -> None:
        self.aborted = True


@pytest.mark.parametrize(
    ("local", "inside"), [("127.10.0.1", True), ("192.0.2.7", False), ("2001:db8::7", False)]
)
def test_who_comes_from_outside_is_cut_off(local: str, inside: bool) -> None:
    door = SharedDoor("0.0.0.0", 0, asyncssh.generate_private_key("ssh-ed25519"))
    connection: Any = Connection(local)
    guest = _Guest(door)
    guest.connection_made(connection)
    assert connection.aborted is not inside
    assert (connection in door.strangers) is inside
    guest.connection_lost(None)
    assert door.strangers == set()
