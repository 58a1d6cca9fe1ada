"""Dispatcher: who answers which rpc of a simulated device."""

from __future__ import annotations

from collector.errors import ProtocolError
from collector.wire.netconf.rpc import (
    CloseSession,
    Get,
    Ok,
    Operation,
    OtherOperation,
    Rpc,
    RpcReply,
    decode_reply,
)
from publisher_sim.master import Answer, Dispatcher, SessionInfo, ports
from publisher_sim.master.sessions import Sessions

ALICE = SessionInfo("7", "alice", "limited")


class Everything:
    """Answers what it is told to, and remembers who asked."""

    def __init__(self, *operations: str, refuses: bool = False) -> None:
        self.operations = operations
        self._refuses = refuses
        self.asked: list[SessionInfo] = []

    def answer(self, session: SessionInfo, rpc: Rpc, now: int) -> Answer:
        del rpc, now
        self.asked.append(session)
        if self._refuses:
            raise ProtocolError("not you", tag="access-denied")
        return Ok(), [ports.StartCard("lc1")]


def ask(dispatcher: Dispatcher, operation: Operation) -> tuple[RpcReply, list[ports.Action]]:
    reply, *after = dispatcher.answer(ALICE, Rpc("5", operation), 0)
    assert isinstance(reply, ports.SendReply)
    assert reply.session_id == "7"
    return decode_reply(reply.message), after


def test_the_one_added_last_answers_with_what_follows_behind_the_reply() -> None:
    dispatcher = Dispatcher("mso")
    first, last = Everything("ietf-netconf:get", "a:b"), Everything("ietf-netconf:get")
    dispatcher.add(first)
    dispatcher.add(last)
    reply, after = ask(dispatcher, Get())
    assert reply.ok
    assert after == [ports.StartCard("lc1")]
    assert (first.asked, last.asked) == ([], [ALICE])
    ask(dispatcher, OtherOperation("a:b"))
    assert first.asked == [ALICE]


def test_a_refusal_and_an_operation_of_nobody() -> None:
    dispatcher = Dispatcher("mso")
    dispatcher.add(Everything("a:b", refuses=True))
    for name, tag in (("a:b", "access-denied"), ("a:c", "operation-not-supported")):
        reply, after = ask(dispatcher, OtherOperation(name))
        assert reply.error is not None
        assert reply.error.tag == tag
        assert after == []


def test_a_session_closes_itself() -> None:
    reply, after = ask(Dispatcher("mso"), CloseSession())
    assert reply.ok
    assert after == [ports.CloseSession("7")]


def test_sessions_know_how_much_their_users_may_do() -> None:
    sessions = Sessions(lambda user: "full" if user == "alice" else "limited")
    assert sessions.opened("1", "alice").access == "full"
    assert sessions.opened("2", "bob").access == "limited"
    assert [one.user for one in sessions] == ["alice", "bob"]
    sessions.closed("1")
    assert "1" not in sessions
    assert sessions.get("1") == SessionInfo("1", "", "limited")
