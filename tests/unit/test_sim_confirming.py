"""Commits that want to be confirmed, and a startup of its own, on a simulated device."""

from __future__ import annotations

from typing import Any

import pytest

from collector.errors import ConfigError, ProtocolError
from collector.model import NotificationKind, SubscriptionTerms
from collector.wire.netconf.rpc import (
    CANDIDATE,
    RUNNING,
    STARTUP,
    CancelCommit,
    Commit,
    CopyConfig,
    GetConfig,
    Lock,
    Operation,
    Unlock,
    Validate,
)
from collector.wire.notifications import notification
from collector.wire.subscriptions.config import Edit, read_configuration
from publisher_sim.master import ports
from publisher_sim.master.configuration.operations import capabilities
from publisher_sim.scenario import Configuration, Fault, check
from tests.unit.test_sim_configuration import UDP, Device, tag, wanted
from tests.unit.test_sim_master import scenario

_K = NotificationKind
CONFIRMED = Commit(confirmed=True)
PERSISTENT = Commit(confirmed=True, confirm_timeout_seconds=60, persist="IQ,d4668")


def committed(commit: Commit = CONFIRMED, **settings: Any) -> Device:
    """A device with subscription 7 in a commit that waits to be confirmed."""
    device = Device(configuration=Configuration(**settings))
    device.edit(Edit(None, UDP), Edit(None, wanted("R1")), target=CANDIDATE)
    reply = device.ask(commit)
    assert reply.ok, reply.error
    assert device.announced() == [(_K.SUBSCRIPTION_STARTED, "127.0.0.1")]
    return device


def ids(device: Device, datastore: str = RUNNING) -> list[int]:
    data = device.ask(GetConfig(datastore)).data
    assert data is not None
    return [one.id for one in read_configuration(data.children).subscriptions]


def refused(device: Device, operation: Operation, session: str = "1") -> ProtocolError:
    error = device.ask(operation, session).error
    assert error is not None
    return error


# --------------------------------------------------------------------------- confirmed commits
@pytest.mark.clause("6241-8.4.1-a")
@pytest.mark.parametrize(("commit", "seconds"), [(CONFIRMED, 600), (PERSISTENT, 60)])
def test_what_nobody_confirms_is_taken_back(commit: Commit, seconds: int) -> None:
    device = committed(commit)
    device.until(seconds - 0.1)
    assert ids(device) == [7]
    device.until(seconds)
    assert (ids(device), ids(device, CANDIDATE)) == ([], [])
    assert device.master.configuring is not None
    assert device.master.configuring.next_deadline() is None


@pytest.mark.clause("6241-8.4.1-a")
def test_what_is_confirmed_stays() -> None:
    device = committed()
    assert device.ask(Commit()).ok
    device.until(3600)
    assert ids(device) == [7]


@pytest.mark.clause("6241-8.4.1-b")
def test_a_follow_up_begins_the_time_anew_and_goes_back_to_the_first() -> None:
    device = committed(PERSISTENT)
    device.until(50)
    device.edit(Edit(None, wanted("R1", number=8)), target=CANDIDATE)
    follow_up = Commit(confirmed=True, confirm_timeout_seconds=30, persist_id="IQ,d4668")
    assert device.ask(follow_up).ok
    device.until(79)
    assert ids(device) == [7, 8]
    device.until(80)
    assert ids(device) == []


@pytest.mark.clause("6241-8.4.1-c")
def test_without_a_token_its_own_session_confirms() -> None:
    device = committed()
    error = refused(device, Commit(), "2")
    assert (error.tag, error.hints) == ("in-use", {"session-id": "1"})
    assert refused(device, CancelCommit(), "2").tag == "in-use"
    assert refused(device, Commit(persist_id="guessed"), "2").tag == "invalid-value"
    assert device.ask(Commit()).ok


@pytest.mark.clause("6241-8.4.1-d")
def test_with_a_token_whoever_has_it_confirms() -> None:
    device = committed(PERSISTENT)
    assert refused(device, Commit()).tag == "invalid-value"
    assert refused(device, Commit(persist_id="other"), "2").tag == "invalid-value"
    assert device.ask(Commit(persist_id="IQ,d4668"), "2").ok
    device.until(3600)
    assert ids(device) == [7]
    assert refused(device, Commit(persist_id="IQ,d4668")).tag == "invalid-value"  # it is over


@pytest.mark.clause("6241-8.4.1-e")
@pytest.mark.parametrize(("commit", "left"), [(CONFIRMED, []), (PERSISTENT, [7])])
def test_the_end_of_the_session(commit: Commit, left: list[int]) -> None:
    device = committed(commit)
    device.actions = device.master.session_closed("1", device.now)
    assert device.announced() == ([] if left else [(_K.SUBSCRIPTION_TERMINATED, "127.0.0.1")])
    device.master.session_opened("1", "collector", device.now)
    assert ids(device) == left


@pytest.mark.clause("6241-8.4.4.1-a", "6241-8.4.4.1-b")
def test_cancelled() -> None:
    device = committed()
    assert device.ask(CancelCommit()).ok
    assert device.announced() == [(_K.SUBSCRIPTION_TERMINATED, "127.0.0.1")]
    assert ids(device) == []
    assert refused(device, CancelCommit()).tag == "operation-failed"
    device = committed(PERSISTENT)
    assert refused(device, CancelCommit()).tag == "invalid-value"
    assert refused(device, CancelCommit("other")).tag == "invalid-value"
    assert device.ask(CancelCommit("IQ,d4668"), "2").ok
    assert ids(device) == []


@pytest.mark.clause("6241-7.5")
def test_no_lock_on_running_while_a_commit_of_another_waits() -> None:
    device = committed()
    error = refused(device, Lock(RUNNING), "2")
    assert (error.tag, error.hints) == ("lock-denied", {"session-id": "1"})
    assert device.ask(Lock(RUNNING)).ok
    assert device.ask(Unlock(RUNNING)).ok
    device.ask(Commit())
    assert device.ask(Lock(RUNNING), "2").ok


def test_what_somebody_began_in_candidate_stays_when_running_goes_back() -> None:
    device = committed()
    device.edit(Edit(None, wanted("R1", number=8)), target=CANDIDATE, session="2")
    device.until(600)
    assert (ids(device), ids(device, CANDIDATE)) == ([], [7, 8])


@pytest.mark.parametrize("settings", [{"confirmed_commit": False}, {"candidate": False}])
def test_a_device_without_confirmed_commits(settings: dict[str, Any]) -> None:
    device = Device(configuration=Configuration(**settings))
    error = refused(device, CONFIRMED)
    assert (error.tag, error.hints) == ("unknown-element", {"bad-element": "confirmed"})
    assert refused(device, CancelCommit()).tag == "operation-not-supported"
    said = " ".join(capabilities(Configuration(**settings)))
    assert "confirmed-commit" not in said
    assert "confirmed-commit:1.1" in " ".join(capabilities(Configuration()))


@pytest.mark.clause("6470-2.2")
def test_each_step_is_an_event() -> None:
    """RFC 6470 §2.2: who, what, and how long; nobody is named where time alone did it."""
    device = Device()
    device.establish(SubscriptionTerms(stream="NETCONF", encoding="encode-xml"), "2")

    def told() -> list[bytes]:
        return [
            action.message
            for action in device.actions
            if isinstance(action, ports.SendNotification)
            and b"netconf-confirmed-commit" in action.message
        ]

    device.ask(CONFIRMED)
    (start,) = told()
    assert b"<confirm-event>start</confirm-event>" in start
    assert b"<timeout>600</timeout>" in start
    assert b"<session-id>1</session-id>" in start
    device.ask(Commit(confirmed=True, confirm_timeout_seconds=30))
    (extend,) = told()
    assert b"<confirm-event>extend</confirm-event>" in extend
    assert b"<timeout>30</timeout>" in extend
    device.until(30)
    (timeout,) = told()
    assert b"<confirm-event>timeout</confirm-event>" in timeout
    assert b"username" not in timeout
    sent = [action for action in device.actions if isinstance(action, ports.SendNotification)]
    changed = [one.message for one in sent if b"netconf-config-change" in one.message]
    assert len(changed) == 1
    assert b"<server/>" in changed[0]
    assert notification.decode(changed[0], 2) is not None
    for commit, event in ((CONFIRMED, b"start"), (Commit(), b"complete"), (Commit(), b"")):
        device.ask(commit)
        assert [b"<confirm-event>" + event in one for one in told()] == ([True] if event else [])


# --------------------------------------------------------------------------- startup
@pytest.mark.clause("6241-8.7-a", "6241-8.7-b")
def test_startup_changes_by_a_copy_alone() -> None:
    device = Device(configuration=Configuration(startup=True))
    device.make(UDP, wanted("R1"))
    assert (ids(device), ids(device, STARTUP)) == ([7], [])
    assert device.ask(Lock(STARTUP), "2").ok
    assert refused(device, CopyConfig()).tag == "in-use"
    assert device.ask(Unlock(STARTUP), "2").ok
    assert device.ask(CopyConfig()).ok
    assert ids(device, STARTUP) == [7]
    assert device.ask(Validate(STARTUP)).ok
    assert tag(device.edit(Edit(wanted("R1"), None), target=STARTUP)) == "operation-not-supported"
    assert "startup:1.0" in " ".join(device.master.retrieval.hello)


@pytest.mark.clause("6241-7.3")
def test_other_copies() -> None:
    device = Device(configuration=Configuration(startup=True, initial=""))
    device.make(UDP, wanted("R1"))
    for datastore in (RUNNING, STARTUP):
        assert refused(device, CopyConfig(datastore, datastore)).tag == "invalid-value"
    assert refused(device, CopyConfig(RUNNING, STARTUP)).tag == "operation-not-supported"
    assert device.ask(CopyConfig(CANDIDATE, STARTUP)).ok
    assert ids(device, CANDIDATE) == []
    assert refused(device, Lock(CANDIDATE), "2").tag == "lock-denied"  # it is as running no more
    assert device.ask(CopyConfig(CANDIDATE, RUNNING)).ok
    assert device.ask(Lock(CANDIDATE), "2").ok
    device.edit(Edit(UDP, None), target=CANDIDATE, session="2")
    assert refused(device, CopyConfig(STARTUP, CANDIDATE)).tag == "data-missing"
    assert ids(device, STARTUP) == []


def test_a_device_without_a_startup_of_its_own() -> None:
    device = Device()
    assert refused(device, CopyConfig()).tag == "invalid-value"
    assert refused(device, GetConfig(STARTUP)).tag == "invalid-value"
    assert "startup" not in " ".join(device.master.retrieval.hello)


# --------------------------------------------------------------------------- reboots
RESTART = Fault("restart", 6)


def restarted(device: Device) -> None:
    """Until well after the fault; its sessions are closed, and others opened."""
    device.until(7)
    closed = {one.session_id for one in device.actions if isinstance(one, ports.CloseSession)}
    assert closed == {"1", "2"}
    kinds = [kind for kind, _ in device.announced()]
    for session in sorted(closed):
        device.master.session_closed(session, device.now)
        device.master.session_opened(session, "collector", device.now)
    assert _K.SUBSCRIPTION_TERMINATED not in kinds


@pytest.mark.clause("6241-8.7-d", "8639-2.5.2")
def test_a_reboot_begins_with_startup() -> None:
    device = Device(RESTART, configuration=Configuration(startup=True))
    device.make(UDP, wanted("R1"))
    device.ask(CopyConfig())
    device.make(wanted("R1", number=8))
    device.ask(Lock(RUNNING), "2")
    device.until(5)
    assert (ids(device), ids(device, STARTUP)) == ([7, 8], [7])
    restarted(device)
    assert device.announced() == [(_K.SUBSCRIPTION_STARTED, "127.0.0.1")]
    assert (ids(device), ids(device, CANDIDATE)) == ([7], [7])
    assert device.state(7)[0] == "valid"
    assert device.ask(Lock(RUNNING)).ok


@pytest.mark.clause("6241-8.4.1-f")
@pytest.mark.parametrize("commit", [CONFIRMED, PERSISTENT])
def test_a_reboot_takes_back_what_was_not_confirmed(commit: Commit) -> None:
    device = Device(RESTART)
    device.make(UDP, wanted("R1"))
    device.edit(Edit(None, wanted("R1", number=8)), target=CANDIDATE)
    device.ask(commit)
    device.until(5)
    assert ids(device) == [7, 8]
    restarted(device)
    assert ids(device) == [7]
    assert device.ask(Lock(RUNNING), "2").ok


def test_a_reboot_needs_something_that_can_be_lost() -> None:
    with pytest.raises(ConfigError, match="nothing is configured here"):
        check(scenario(RESTART))
