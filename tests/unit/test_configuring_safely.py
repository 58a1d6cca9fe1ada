"""What `collector configure` does so that a change neither stays broken nor gets lost: commits that
are confirmed once the device shows what was written, and a copy to startup."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from collector.config import Config, parse_config
from collector.errors import ConfigError, ProtocolError, SessionError
from collector.journal.lock import FolderLock
from collector.service import configuring
from collector.service.configuring import Configuring, DeviceLook
from collector.service.configuring_words import to_lines, to_plain
from collector.service.ways import Ways
from collector.subscriber.configured.configuring import Configurer, Done
from collector.subscriber.configured.saving import OTHERS, Saving
from collector.subscriber.configured.talk import GivenUpError
from collector.subscriber.configured.writing import CONFIRM_SECONDS, Expected, How, expected
from collector.wire.netconf.rpc import (
    CANDIDATE,
    RUNNING,
    STARTUP,
    CopyConfig,
    EditConfig,
    GetConfig,
    Lock,
    decode_rpc,
    encode_rpc,
)
from collector.wire.subscriptions.config import Configuration, Edit, write_edits
from collector.wire.values import names
from tests.unit.test_configuring import (
    CONFIG,
    THROUGH_CANDIDATE,
    WANTED,
    SimSession,
    do,
    look,
    refusal,
    theirs,
)

KEY = "SHA256:2vvquRbI8Zo2NfCjSRBJXZ80I9ZRKiiDPCzN5kIHgkg"
AT_ONCE = How(seen_seconds=0.0)
"""What the device does not show at once is missing."""
REMOVE = How(remove=True, seen_seconds=0.0)
IMPOSSIBLE = structs.replace(
    WANTED,
    instances=tuple(structs.replace(one, address="nowhere.example") for one in WANTED.instances),
)
"""What the device takes and calls invalid."""


def carry_out(session: SimSession, wanted: Any = WANTED, how: How = AT_ONCE) -> Done:
    async def both() -> Done:
        configurer = Configurer(session, wanted, how)  # type: ignore[arg-type]
        return await configurer.carry_out(await configurer.look())

    return asyncio.run(both())


def commits(session: SimSession) -> list[str]:
    return [one for one in session.asked if "commit" in one]


# --------------------------------------------------------------------------- confirmed
@pytest.mark.clause("6241-8.4.1-g")
def test_what_the_device_shows_is_confirmed() -> None:
    session = SimSession()
    done = carry_out(session)
    assert (done.confirmed, done.left.plan.edits) == (True, ())
    session.device.until(3600)
    assert session.ids() == [100, 7]
    session.asked.clear()
    assert not carry_out(session).confirmed  # there was nothing to commit
    assert carry_out(session, how=REMOVE).confirmed
    assert session.ids() == []


@pytest.mark.clause("6241-8.4.1-g")
def test_locks_are_held_until_it_is_confirmed() -> None:
    session = SimSession()
    carry_out(session)
    first, last = (
        session.asked.index("lock"),
        len(session.asked) - session.asked[::-1].index("unlock"),
    )
    assert session.asked[first:last].count("commit") == 2
    assert session.asked[first : first + 2] == ["lock", "lock"]


def test_what_is_invalid_there_is_taken_back() -> None:
    session = SimSession()
    with pytest.raises(ProtocolError) as caught:
        carry_out(session, IMPOSSIBLE)
    said = str(caught.value)
    assert "subscription 100 is invalid there and subscription 7 is invalid there" in said
    assert said.endswith("so the changes were taken back; --no-confirm keeps such changes")
    assert commits(session) == ["commit", "cancel-commit"]
    assert session.running() == Configuration()
    assert session.device.ask(Lock(RUNNING), "2").ok  # nothing waits, nothing is locked
    assert session.device.ask(Lock(CANDIDATE), "2").ok


def test_what_is_invalid_there_stays_when_the_operator_says_so() -> None:
    session = SimSession()
    done = carry_out(session, IMPOSSIBLE, How(confirm=False, seen_seconds=0))
    assert (done.confirmed, commits(session)) == (False, ["commit"])
    assert session.ids() == [100, 7]


def test_a_receiver_that_moves_can_make_its_subscriptions_invalid() -> None:
    """Though nothing of them is changed."""
    session = SimSession()
    do(session)
    with pytest.raises(ProtocolError, match="subscription 100 is invalid there"):
        carry_out(session, IMPOSSIBLE)
    assert look(session).plan.edits == ()  # as it was
    one = structs.replace(WANTED.instances[0], port=10009)
    moved = structs.replace(WANTED, instances=(one, *WANTED.instances[1:]))
    assert carry_out(session, moved).confirmed
    shown = expected([Edit(None, one), Edit(one, None)], session.running())
    assert shown == Expected()  # what comes or goes has no users yet, or any more


def test_what_is_kept_in_any_case_is_doubted() -> None:
    """In running, or committed at once: nothing is taken back, and the invalid ones are named."""
    for session, how in (
        (SimSession(candidate=False), AT_ONCE),
        (SimSession(), How(confirm=False, seen_seconds=0)),
    ):
        done = carry_out(session, IMPOSSIBLE, how)
        assert done.not_shown.startswith("subscription 100 is invalid there and ")
        one = DeviceLook("core7", done.left, written=True, done=done)
        assert f"  ? {done.not_shown}" in to_lines(one)
        assert to_plain(one)["not_shown"] == done.not_shown
        assert one.is_good  # it is as wanted, as far as the configuration goes
    session = SimSession(candidate=False)
    session.before["edit-config"] = lambda: session.answers.update(get=[refusal("access-denied")])
    done = carry_out(session)
    assert done.not_shown.startswith("it does not say what became of them: ")


NOTHING = f'<rpc-reply xmlns="{names.NETCONF_BASE}" message-id="%"><data/></rpc-reply>'.encode()


@pytest.mark.parametrize(
    ("answers", "word"),
    [
        ([NOTHING], "does not show subscription 100 in /subscriptions"),
        ([refusal("access-denied", "no reading")], "no reading"),
    ],
)
def test_what_is_not_shown_is_taken_back(answers: list[bytes], word: str) -> None:
    session = SimSession()
    session.before["commit"] = lambda: session.answers.update(get=list(answers))
    with pytest.raises(ProtocolError, match=word):
        carry_out(session)
    assert session.ids() == []


def test_what_is_to_go_has_to_be_gone() -> None:
    session = SimSession()
    do(session)
    entry = f'<subscriptions xmlns="{names.NAMESPACES[names.SN]}"><subscription><id>7</id>'
    shown = NOTHING.replace(
        b"<data/>", f"<data>{entry}</subscription></subscriptions></data>".encode()
    )
    session.before["commit"] = lambda: session.answers.update(get=[shown])
    with pytest.raises(ProtocolError, match="still shows subscription 7"):
        carry_out(session, how=REMOVE)
    assert session.ids() == [100, 7]


def test_a_device_takes_its_time() -> None:
    """What it does not show yet is looked for again."""
    session = SimSession()
    session.before["commit"] = lambda: session.answers.update(get=[NOTHING])
    assert carry_out(session, how=How(seen_seconds=5)).confirmed


def test_the_older_kind_has_no_tokens() -> None:
    session = SimSession()
    session.capabilities = tuple(
        one.replace("confirmed-commit:1.1", "confirmed-commit:1.0") for one in session.capabilities
    )
    assert carry_out(session).confirmed
    do(session, REMOVE)
    with pytest.raises(ProtocolError, match="changes back, within 120 s at most; "):
        carry_out(session, IMPOSSIBLE)
    assert session.ids() == [100, 7]
    session.device.master.session_closed("1", session.device.now)  # as its owner does then
    assert session.ids() == []


def test_a_device_that_does_not_take_back() -> None:
    """It will, when its time is over."""
    session = SimSession()
    session.answers["cancel-commit"] = [refusal("operation-failed")]
    with pytest.raises(ProtocolError, match=f"takes the changes back within {CONFIRM_SECONDS} s"):
        carry_out(session, IMPOSSIBLE)
    session.device.until(CONFIRM_SECONDS)
    assert session.ids() == []


def test_a_commit_that_is_refused_waits_for_nobody() -> None:
    session = SimSession()
    session.answers["commit"] = [refusal("operation-failed", "no room")]
    with pytest.raises(ProtocolError, match=r"no room$"):
        carry_out(session)
    assert session.ids() == []


def test_a_device_that_does_not_know_what_it_says() -> None:
    session = SimSession()
    session.answers["commit"] = [refusal("unknown-element", "persist is not known")]
    with pytest.raises(GivenUpError, match=r"persist is not known.*; say --no-confirm"):
        carry_out(session)
    assert session.ids() == []
    assert not carry_out(session, how=How(confirm=False, seen_seconds=0)).confirmed
    assert session.ids() == [100, 7]


def lost_at(session: SimSession, name: str, times: int = 1) -> None:
    """The session ends when that operation is sent for the given time."""
    left = [times]

    def lose() -> None:
        left[0] -= 1
        if left[0]:
            session.before[name] = lose
            return
        session.device.master.session_closed(session.number, session.device.now)
        raise SessionError("the device closed the session")

    session.before[name] = lose


def test_a_session_that_is_lost_is_followed_by_another() -> None:
    first = SimSession()
    lost_at(first, "commit", 2)
    configurer = Configurer(first, WANTED, AT_ONCE)  # type: ignore[arg-type]

    async def begin() -> None:
        await configurer.carry_out(await configurer.look())

    with pytest.raises(SessionError):
        asyncio.run(begin())
    assert first.ids() == [100, 7]
    begun = configurer.unconfirmed
    assert begun is not None
    assert begun.token is not None
    assert begun.token not in " ".join(first.asked)
    second = SimSession(first.device, number="2")

    async def finish() -> Done:
        return await Configurer(second, WANTED, AT_ONCE).finish(begun)  # type: ignore[arg-type]

    done = asyncio.run(finish())
    assert (done.confirmed, done.left.plan.edits) == (True, ())
    first.device.until(3600)
    assert second.ids() == [100, 7]


@pytest.mark.parametrize(("at", "startup"), [("copy-config", True), ("unlock", False)])
def test_a_session_that_is_lost_when_all_is_written(at: str, startup: bool) -> None:
    session = SimSession(startup=startup)

    def lose() -> None:
        session.before["get-config"] = lose
        raise SessionError("the device closed the session")

    session.before[at] = lose
    with pytest.raises(SessionError) as caught:
        carry_out(session)
    more = ", perhaps not in startup" if startup else ""
    assert str(caught.value) == (
        f"the device closed the session; before that everything was written{more}"
    )
    session.device.until(3600)
    assert session.ids() == [100, 7]


def test_nobody_comes_back() -> None:
    session = SimSession()
    lost_at(session, "commit", 2)
    with pytest.raises(SessionError):
        carry_out(session)
    session.device.until(CONFIRM_SECONDS)
    assert session.ids() == []


# --------------------------------------------------------------------------- startup
@pytest.mark.clause("6241-8.7-c")
@pytest.mark.parametrize("candidate", [True, False])
def test_what_was_written_is_copied_to_startup(candidate: bool) -> None:
    session = SimSession(startup=True, candidate=candidate)
    shown = look(session)
    assert (shown.startup, shown.saves) == (True, True)
    assert "  running is copied to startup, with which the device starts" in to_lines(
        DeviceLook("core7", shown)
    )
    session.asked.clear()
    done = carry_out(session)
    assert (done.saved, done.not_saved, done.left.saves) == (True, "", False)
    assert session.ids(STARTUP) == [100, 7]
    assert session.asked.count("lock") == (3 if candidate else 2)
    assert session.asked.index("copy-config") < session.asked.index("unlock")
    assert not carry_out(session).saved
    assert session.asked.count("copy-config") == 1
    assert carry_out(session, how=REMOVE).saved
    assert session.ids(STARTUP) == []


def test_a_long_configuration_is_read_beside_the_loop() -> None:
    """A collector that runs has others to hear while it compares."""
    session = SimSession(startup=True)
    do(session)
    start = f'<rpc-reply xmlns="{names.NETCONF_BASE}" message-id="%"><data>'.encode()
    system = b'<system xmlns="x:y">' + b"<user>somebody</user>" * 20_000 + b"</system>"
    long = start + system + b"</data></rpc-reply>"
    subscriptions = asyncio.run(session.rpc(encode_rpc("1", GetConfig(RUNNING))))
    session.answers["get-config"] = [subscriptions.replace(b'"1"', b'"%"'), long, long]
    assert look(session).saving == Saving(False)


def test_what_was_not_saved_is_saved_the_next_time() -> None:
    session = SimSession(startup=True)
    done = carry_out(session, how=How(startup=False))
    assert (done.saved, done.not_saved, session.ids(STARTUP)) == (False, "", [])
    assert "copy-config" not in session.asked
    one = DeviceLook("core7", look(session, How(startup=False)), written=True, done=done)
    assert "save this there" in to_lines(one)[-1]
    shown = DeviceLook("core7", look(session))
    assert (shown.changes, shown.is_to_do, shown.is_good) == (0, True, True)
    assert to_lines(shown)[0] == "core7: as wanted, but not in startup"
    assert to_plain(shown)["saved"] is False
    done = carry_out(session)
    assert done.saved
    assert "edit-config" not in session.asked[-8:]
    after = DeviceLook("core7", look(session), done=done)
    assert to_lines(after)[-1] == "  saved: running was copied to startup"
    assert to_plain(after)["saved"] is True


@pytest.mark.parametrize("meanwhile", [False, True])
def test_what_others_have_not_saved_is_not_saved_with_it(meanwhile: bool) -> None:
    """Also where they change it between the look and the lock."""
    session = SimSession(startup=True)
    session.device.ask(EditConfig(RUNNING, theirs(55)), "2")
    session.device.ask(CopyConfig(), "2")
    (entry,) = session.running().subscriptions
    removal = EditConfig(RUNNING, write_edits([Edit(entry, None)]))

    def remove() -> None:
        session.device.ask(removal, "2")

    if meanwhile:
        session.before["lock"] = remove
    else:
        remove()
    done = carry_out(session)
    assert (done.saved, done.not_saved) == (False, OTHERS)
    assert (session.ids(), session.ids(STARTUP)) == ([100, 7], [55])
    shown = DeviceLook("core7", look(session))
    assert (shown.is_to_do, shown.is_good) == (False, False)
    lines = to_lines(shown)
    assert lines[0] == "core7: as wanted, but not in startup"
    assert lines[1].startswith("  ! not copied to startup, so that a reboot loses it: others have")
    assert "say --startup" in lines[2]
    assert to_plain(shown)["not_saved"] == OTHERS
    assert carry_out(session, how=How(startup=True)).saved
    assert session.ids(STARTUP) == [100, 7]


def test_changes_elsewhere_are_those_of_others() -> None:
    session = SimSession(startup=True)
    do(session)
    start = f'<rpc-reply xmlns="{names.NETCONF_BASE}" message-id="%"><data>'.encode()
    system = b'<system xmlns="x:y"><host>core7</host></system>'
    running = start + system + b"</data></rpc-reply>"
    startup = start + b"</data></rpc-reply>"
    session.answers["get-config"] = [running, running, startup]
    assert look(session).saving == Saving(True, OTHERS)


@pytest.mark.parametrize("answer", [refusal("access-denied", "not for you"), b"<nonsense/>"])
def test_a_startup_that_cannot_be_read(answer: bytes) -> None:
    session = SimSession(startup=True)
    good = session.rpc

    async def rpc(request: bytes, timeout: int | None = None) -> bytes:
        if b"<startup/>" in request and b"get-config" in request:
            return answer.replace(b"%", decode_rpc(request).message_id.encode())
        return await good(request, timeout)

    session.rpc = rpc  # type: ignore[method-assign]  # one operation on one datastore
    hindered = look(session).saving.hindered
    assert hindered.startswith("it cannot be compared with running: ")
    done = carry_out(session)
    assert (done.saved, done.not_saved[:16]) == (False, "it cannot be com")
    assert session.ids() == [100, 7]
    assert carry_out(session, how=How(startup=True)).saved
    assert session.ids(STARTUP) == [100, 7]


def test_a_copy_that_is_refused_leaves_what_is_running() -> None:
    session = SimSession(startup=True)
    session.answers["copy-config"] = [refusal("operation-failed", "flash is full")]
    done = carry_out(session)
    assert (done.saved, done.not_saved, session.ids()) == (False, "flash is full", [100, 7])
    one = DeviceLook("core7", done.left, written=True, done=done)
    assert not one.is_good
    assert "flash is full" in "\n".join(to_lines(one))


def test_a_locked_startup_is_seen_before_anything_is_written() -> None:
    session = SimSession(startup=True)
    session.device.ask(Lock(STARTUP), "2")
    with pytest.raises(ProtocolError, match="startup is locked already"):
        carry_out(session)
    assert session.running() == Configuration()


def test_the_sequence_is_that_of_before_with_a_confirmation() -> None:
    session = SimSession()
    carry_out(session)
    assert session.asked[1:] == THROUGH_CANDIDATE[1:]


# --------------------------------------------------------------------------- sessions of their own
class Opened(SimSession):
    """One that is opened and closed; the device hears of its end."""

    async def open(self) -> None:
        self.device.master.session_opened(self.number, "collector", self.device.now)

    async def close(self) -> None:
        self.device.actions = self.device.master.session_closed(self.number, self.device.now)


def write(monkeypatch: pytest.MonkeyPatch, *sessions: Opened | None) -> DeviceLook:
    """What becomes of the device when these sessions are opened, one after the other; at None
    somebody else has the port where devices call."""
    monkeypatch.setenv("CORE7_PASSWORD", "not-asked-for")
    monkeypatch.setattr(configuring, "AGAIN_SECONDS", 60.0 if sessions[-1] else 0.0)
    monkeypatch.setattr(configuring, "_STEP_SECONDS", 0.0)
    left = list(sessions)

    class Given(Ways, frozen=True):
        @asynccontextmanager
        async def sessions(self, devices: Any) -> AsyncIterator[Any]:
            session = left.pop(0)
            if session is None:
                raise ConfigError("cannot listen on port 4334", key="call_home.address")
            yield lambda device, kind: session

    first = sessions[0]
    assert first is not None
    shown = [DeviceLook("core7", look(first))]
    (done,) = asyncio.run(Configuring(parse_config(CONFIG), AT_ONCE, Given()).write(shown))
    first.device.master.session_opened("2", "collector", first.device.now)  # to look
    return done


def test_the_loss_of_a_session_leaves_nothing_in_doubt(monkeypatch: pytest.MonkeyPatch) -> None:
    first = Opened(startup=True)
    second = Opened(first.device, number="2")
    lost_at(first, "commit", 2)
    done = write(monkeypatch, first, second)
    assert (done.error, done.written, done.is_good) == ("", True, True)
    assert done.done is not None
    assert (done.done.confirmed, done.done.saved) == (True, True)
    assert "unlock" not in first.asked  # a mute device would be waited for once more
    assert second.asked[0] == "lock"  # else what others began in candidate came into force, too
    assert to_lines(done)[0] == "core7: 4 changes written in candidate, seen and confirmed"
    first.device.until(3600)
    assert (first.ids(), first.ids(STARTUP)) == ([100, 7], [100, 7])


def test_the_loss_of_two_sessions(monkeypatch: pytest.MonkeyPatch) -> None:
    first = Opened()
    second = Opened(first.device, number="2")
    for one, times in ((first, 2), (second, 1)):
        lost_at(one, "commit", times)
    done = write(monkeypatch, first, second)
    assert done.error.startswith("the device closed the session, and then the device closed")
    assert done.error.endswith("the device takes it back within 120 s")
    assert first.ids() == [100, 7]
    first.device.until(CONFIRM_SECONDS)
    assert first.ids() == []


def test_the_loss_of_a_session_whose_device_cannot_call_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As when the collector was killed; what is said is said of the device that waits."""
    first = Opened()
    lost_at(first, "commit", 2)
    done = write(monkeypatch, first, None)
    assert done.error.startswith("the device closed the session, and then call_home.address: ")
    assert done.error.endswith("unless it is confirmed, the device takes it back within 120 s")
    assert not done.is_good


def test_the_loss_of_a_session_while_the_collector_starts_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first = Opened()
    lost_at(first, "commit", 2)
    done = write(monkeypatch, first, None, None, Opened(first.device, number="2"))
    assert (done.error, done.is_good) == ("", True)
    assert done.done is not None
    assert done.done.confirmed


@pytest.mark.parametrize("locked", [False, True])
def test_the_loss_of_a_session_and_a_device_that_shows_nothing(
    monkeypatch: pytest.MonkeyPatch, locked: bool
) -> None:
    """It is taken back, and then nothing waits; unless nobody could ask for that."""
    first = Opened()
    second = Opened(first.device, number="2")
    lost_at(first, "commit", 2)
    second.answers["lock" if locked else "get"] = [refusal("lock-denied") if locked else NOTHING]
    done = write(monkeypatch, first, second)
    assert ("the changes were taken back" in done.error) is not locked
    assert ("unless it is confirmed" in done.error) is locked


def test_the_loss_of_a_session_without_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    first = Opened()
    first.capabilities = tuple(
        one.replace("confirmed-commit:1.1", "confirmed-commit:1.0") for one in first.capabilities
    )
    lost_at(first, "commit", 2)
    done = write(monkeypatch, first)
    assert done.error == "the device closed the session; the device takes the changes back"
    assert first.ids() == []


def test_whoever_breaks_off_is_told_what_becomes_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORE7_PASSWORD", "not-asked-for")
    session, said = Opened(), list[str]()
    shown = [DeviceLook("core7", look(session))]
    good, seen = session.rpc, asyncio.Event()

    async def rpc(request: bytes, timeout: int | None = None) -> bytes:
        if "commit" in session.asked:  # it does not show what was written, or anything
            seen.set()
            await asyncio.Event().wait()
        return await good(request, timeout)

    session.rpc = rpc  # type: ignore[method-assign]  # one that is mute from then on

    class Given(Ways, frozen=True):
        @asynccontextmanager
        async def sessions(self, devices: Any) -> AsyncIterator[Any]:
            yield lambda device, kind: session

    async def main() -> None:
        ways = Given(say=said.append)
        task = asyncio.create_task(Configuring(parse_config(CONFIG), AT_ONCE, ways).write(shown))
        await seen.wait()
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()

    asyncio.run(main())
    assert said == [
        f"core7 was not told to keep the changes, so it takes them back within {CONFIRM_SECONDS} s."
    ]
    session.device.master.session_opened("2", "collector", session.device.now)  # to look
    assert session.ids() == [100, 7]
    session.device.until(CONFIRM_SECONDS)
    assert session.ids() == []


def call_home(port: int) -> Config:
    """The device calls us on that port."""
    return parse_config(
        CONFIG.replace('host = "192.0.2.7"', f'call_home = true\nhost_keys = ["{KEY}"]')
        + f'[call_home]\nenabled = true\naddress = "127.0.0.1"\nport = {port}\n'
    )


def test_nobody_listens_where_a_collector_is_about_to(tmp_path: Path) -> None:
    """It has its folder already, and will have the port where devices call."""
    config = call_home(4334)
    ways = Ways(config.call_home, data_folder=lambda device: tmp_path)
    held = FolderLock.acquire(tmp_path)
    with pytest.raises(ConfigError, match="is starting or stopping; say it again in a moment"):
        asyncio.run(Configuring(config, AT_ONCE, ways).look(["core7"]))
    held.release()


@pytest.mark.parametrize("known", [True, False])
def test_a_port_that_somebody_has_already(tmp_path: Path, known: bool) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        config = call_home(taken.getsockname()[1])
        ways = Ways(config.call_home, data_folder=lambda device: tmp_path if known else None)
        with pytest.raises(ConfigError, match="cannot listen") as caught:
            asyncio.run(Configuring(config, AT_ONCE, ways).look(["core7"]))
    (note,) = caught.value.__notes__
    assert ("starts or stops may have the port" in note) is known
    assert ("name the device as in its configuration" in note) is not known
