"""`collector configure` on devices whose NETCONF servers lie, refuse or never end: over SSH, all at
once, beside one that behaves. What is said of each is true, bounded and fit for a terminal.

Behind each server is the simulated master; what is hostile stands between the two.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from collector.config import Config, load_config
from collector.service.configuring import Configuring, DeviceLook
from collector.service.configuring_words import to_lines
from collector.subscriber.configured.writing import CONFIRM_SECONDS, How
from collector.wire.netconf.rpc import RUNNING, STARTUP, Lock, Rpc, decode_rpc, operation_name
from collector.wire.subscriptions.receiver_instances import ReceiverInstance
from collector.wire.values import names
from publisher_sim.master import ports
from publisher_sim.scenario import Configuration as Configurable
from tests.netconf_device import PASSWORD, USER
from tests.netconf_device import Device as Server
from tests.unit.test_configuring import CONFIG, SimSession, refusal
from tests.unit.test_sim_configuration import Device

pytestmark = pytest.mark.integration

AT_ONCE = How(seen_seconds=0.0)
SUBSCRIPTIONS = CONFIG[CONFIG.index("[[receiver_instance]]") :]
WRITTEN = (100, 7)
DEVICE = """
[[device]]
name = "{name}"
sources = ["192.0.2.{number}"]
[device.netconf]
host = "{host}"
port = {port}
username = "{user}"
password_env = "HOSTILE_PASSWORD"
host_keys = ["{key}"]
rpc_timeout_seconds = {seconds}
connect_timeout_seconds = 60
"""
OK = f'<rpc-reply xmlns="{names.NETCONF_BASE}" message-id="%"><ok/></rpc-reply>'.encode()


def data(inner: str) -> bytes:
    return OK.replace(b"<ok/>", f"<data>{inner}</data>".encode())


def shown(*entries: str) -> bytes:
    listed = "".join(f"<subscription>{one}</subscription>" for one in entries)
    return data(f'<subscriptions xmlns="{names.NAMESPACES[names.SN]}">{listed}</subscriptions>')


# --------------------------------------------------------------------------- what they do
class Behaves:
    """Does what it is asked for."""

    says = "4 changes written in candidate, seen and confirmed"
    """Part of what is said of it."""
    left: tuple[int, ...] = WRITTEN
    """Ids that are configured in the end."""
    seconds = 60
    startup = False

    def __init__(self, folder: Path) -> None:
        self.master = Device(configuration=Configurable(startup=self.startup))
        self.server = Server(folder, capabilities=self.master.master.retrieval.hello)
        self.server.answer = self._answer
        self.server.server.on_open = self._opened
        self.server.server.on_close = self._closed

    def _opened(self, session: str, user: str) -> None:
        self.master.master.session_opened(session, "collector", self.master.now)

    def _closed(self, session: str) -> None:
        self.master.actions = self.master.master.session_closed(session, self.master.now)

    def _answer(self, session: str, message: bytes) -> None:
        rpc = decode_rpc(message)
        octets = self.reply(session, rpc, operation_name(rpc.operation).rpartition(":")[2])
        if octets:
            number = rpc.message_id.encode()
            self.server.server.send(session, octets.replace(b"%", number))

    def reply(self, session: str, rpc: Rpc, name: str) -> bytes:
        """Empty: none."""
        return self.honest(session, rpc)

    def honest(self, session: str, rpc: Rpc) -> bytes:
        action, *_ = self.master.master.rpc_received(session, rpc, self.master.now)
        assert isinstance(action, ports.SendReply)
        return action.message

    def ids(self) -> tuple[int, ...]:
        """Once all sessions ended."""
        self.master.master.session_opened("2", "collector", self.master.now)  # to look
        return tuple(SimSession(self.master).ids())


class WrongPersistId(Behaves):
    """It says so of the token that it was given itself, at length."""

    says = f"within {CONFIRM_SECONDS} s, and until then lets nobody write"

    def reply(self, session: str, rpc: Rpc, name: str) -> bytes:
        if getattr(rpc.operation, "persist_id", None) is not None:
            return refusal("invalid-value", "persist-id? " * 10_000)
        return self.honest(session, rpc)


class RefusedStartup(Behaves):
    says = "not copied to startup, so that a reboot loses it: flash 2J full"
    startup = True

    def reply(self, session: str, rpc: Rpc, name: str) -> bytes:
        if name == "copy-config":
            return refusal("operation-failed", "flash \x9b2J full")
        return self.honest(session, rpc)


class AnswersAfterCommit(Behaves):
    """Its ``/subscriptions`` once something was committed."""

    lie = data("")
    says = "it does not show subscription 100 in /subscriptions"
    left = ()
    committed = False

    def reply(self, session: str, rpc: Rpc, name: str) -> bytes:
        self.committed |= name == "commit"
        if name == "get" and self.committed:
            return self.lie
        return self.honest(session, rpc)


class ShowsOthers(AnswersAfterCommit):
    lie = shown("<id>101</id>", "<id>no number</id>", "<id/>", "<id>100 </id>" * 2, "")
    says = "it does not show subscription 7 in /subscriptions, so the changes were taken back"


class ShowsInvalid(AnswersAfterCommit):
    lie = shown(
        *("<id>7</id><configured-subscription-state>valid</configured-subscription-state>",),
        *("<id>100</id><configured-subscription-state>invalid</configured-subscription-state>",),
    )
    says = "subscription 100 is invalid there, so the changes were taken back"


class ShowsNothingToRead(AnswersAfterCommit):
    lie = data("<a>" * 20_000)
    says = "its reply cannot be read"


class CutsOff(AnswersAfterCommit):
    """A reply of a gibibyte, twice: the second session fares no better."""

    says = f"unless it is confirmed, the device takes it back within {CONFIRM_SECONDS} s"
    left = WRITTEN

    def reply(self, session: str, rpc: Rpc, name: str) -> bytes:
        self.committed |= name == "commit"
        if name == "get" and self.committed:
            self.server.server._sessions[session].write(b"\n#1073741824\n")
            return b""
        return self.honest(session, rpc)


class NoLock(Behaves):
    """It never answers, and holds what it has given."""

    says = "did not answer a request within 2 s"
    left = ()
    seconds = 2

    def reply(self, session: str, rpc: Rpc, name: str) -> bytes:
        if isinstance(rpc.operation, Lock) and rpc.operation.target == RUNNING:
            return b""
        return self.honest(session, rpc)


class OthersHoldIt(Behaves):
    says = "candidate is held by somebody outside NETCONF, or by changes there that nobody has"
    left = ()

    def reply(self, session: str, rpc: Rpc, name: str) -> bytes:
        if isinstance(rpc.operation, Lock) and rpc.operation.target != RUNNING:
            return refusal("lock-denied", "no", "<session-id>0</session-id>")
        return self.honest(session, rpc)


class DoesNothing(Behaves):
    """It says OK, and shows what was never written."""

    says = "it took the changes, but receiver-instance here, receiver-instance web, subscription"
    left = ()

    def reply(self, session: str, rpc: Rpc, name: str) -> bytes:
        if name in ("edit-config", "commit"):
            return OK
        if name == "get":
            return shown("<id>100</id>", "<id>7</id>")
        return self.honest(session, rpc)


class HangsUp(Behaves):
    """At each commit; the change is there when the next session comes."""

    says = "unless it is confirmed"

    def reply(self, session: str, rpc: Rpc, name: str) -> bytes:
        octets = self.honest(session, rpc)
        if name == "commit":
            self.server.server.close_session(session)
            return b""
        return octets


class HangsUpOnce(HangsUp):
    says = Behaves.says
    lost = False

    def reply(self, session: str, rpc: Rpc, name: str) -> bytes:
        if name == "commit" and not self.lost:
            self.lost = True
            return super().reply(session, rpc, name)
        return self.honest(session, rpc)


class StartupUnreadable(Behaves):
    says = "it cannot be compared with running: its reply cannot be read"
    startup = True

    def reply(self, session: str, rpc: Rpc, name: str) -> bytes:
        if name == "get-config" and getattr(rpc.operation, "source", "") == STARTUP:
            return b'<rpc-reply xmlns="%b" message-id="%%"><data><a></data></rpc-reply>' % (
                names.NETCONF_BASE.encode()
            )
        return self.honest(session, rpc)


class MovesTheCursor(Behaves):
    """With the name of a receiver."""

    says = "receiver-instance n\N{REPLACEMENT CHARACTER}2J sends where here should: it is used"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.master.make(ReceiverInstance("n\x9b2J", "udp-notif", "127.0.0.1", 10003))


HOSTILE = (
    Behaves, MovesTheCursor, WrongPersistId, RefusedStartup, AnswersAfterCommit, ShowsOthers,
    ShowsInvalid, ShowsNothingToRead, CutsOff, NoLock, OthersHoldIt, DoesNothing, HangsUp,
    HangsUpOnce, StartupUnreadable,
)  # fmt: skip


# --------------------------------------------------------------------------- what is said of it
@asynccontextmanager
async def lab(folder: Path) -> AsyncIterator[tuple[Config, dict[str, Behaves]]]:
    """All of them, and a configuration that knows them."""
    async with AsyncExitStack() as stack:
        devices: dict[str, Behaves] = {}
        text = SUBSCRIPTIONS
        for number, kind in enumerate(HOSTILE, 1):
            devices[kind.__name__] = one = kind(folder)
            await stack.enter_async_context(one.server)
            server = one.server.server
            text += DEVICE.format(
                name=kind.__name__, number=number, host=server.host, port=server.port, user=USER,
                key=server.fingerprint, seconds=one.seconds,
            )  # fmt: skip
        (folder / "collector.toml").write_text(text)
        yield load_config(str(folder / "collector.toml")), devices


def check(one: DeviceLook, device: Behaves) -> None:
    """What is said is what was said that it should be, and can be printed."""
    lines = to_lines(one)
    text = "\n".join(lines)
    assert device.says in text, text
    assert all(line.isprintable() for line in lines)
    assert len(text) < 3000
    good = {Behaves, MovesTheCursor, HangsUpOnce}
    assert one.is_good is (type(device) in good), text


def test_hostile_devices_are_configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOSTILE_PASSWORD", PASSWORD)

    async def main() -> None:
        async with lab(tmp_path) as (config, devices):
            configuring = Configuring(config, AT_ONCE)
            looks = await configuring.look(devices)
            # who answers slowly on a slow machine may be late already where NoLock never answers
            assert {one.device for one in looks if one.error} <= {"NoLock"}
            for one in await configuring.write(looks):
                check(one, devices[one.device])
            assert {name: one.ids() for name, one in devices.items()} == {
                name: one.left for name, one in devices.items()
            }
            for one in devices.values():
                assert not one.server.server.sessions
            await again(configuring, devices)

    asyncio.run(asyncio.wait_for(main(), 240))


async def again(configuring: Configuring, devices: dict[str, Behaves]) -> None:
    """The next run of the command meets what the first one left, and says how long it lasts."""
    removal = Configuring(configuring.config, How(remove=True, seen_seconds=0.0))
    (found,) = await removal.write(await removal.look(["WrongPersistId"]))
    assert re.fullmatch(
        r"running is held by session \d+ \(a commit of session \d+ waits to be"
        r" confirmed\); if that is a change which waits to be confirmed, it ends by itself, one of"
        rf" `collector configure` within {CONFIRM_SECONDS} s",
        found.error,
    )
    for name in ("WrongPersistId", "CutsOff", "HangsUp"):
        devices[name].master.until(CONFIRM_SECONDS)
    assert devices["WrongPersistId"].ids() == devices["CutsOff"].ids() == ()
    assert devices["HangsUp"].ids() == WRITTEN  # it was confirmed, and nobody was told
