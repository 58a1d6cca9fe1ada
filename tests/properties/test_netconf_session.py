"""What arrives on a session: exactly once, in order, whatever the intake does; and any octets."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from collector.errors import IntakeFullError, SessionError, WireError
from collector.model import CollectorTime
from collector.subscriber.sessions.inbox import Inbox
from collector.subscriber.sessions.session import Arrived, SessionSettings
from collector.wire.netconf.hello import decode_hello, encode_hello, root_of
from tests.netconf_device import RunningClock

SETTINGS = SessionSettings("core1", "u", retry_interval=1)

reads = st.lists(st.integers(0, 4), max_size=12)
"""How many messages each read of the channel brings."""
refusals = st.lists(st.booleans(), max_size=12)
"""Whether the intake is full, at each time it is asked; afterwards it takes."""


@settings(max_examples=60, deadline=None)
@given(reads, refusals, st.booleans())
def test_everything_arrives_once_and_in_order(
    sizes: list[int], full: list[bool], ends: bool
) -> None:
    taken: list[bytes] = []
    waits = iter(full)

    def deliver(now: CollectorTime, messages: Sequence[Arrived]) -> None:
        if next(waits, False):
            raise IntakeFullError("full")
        taken.extend(message.payload for message in messages)

    async def main() -> list[bytes]:
        inbox = Inbox(SETTINGS, deliver, RunningClock())
        reading = asyncio.Event()
        reading.set()
        sent: list[bytes] = []
        for size in sizes:
            await reading.wait()  # as a session does: no read while the intake is full
            for _ in range(size):
                sent.append(b"<m>%d</m>" % len(sent))
                inbox.arrived(sent[-1:])
            inbox.offer(reading.clear, reading.set)
        if ends:
            inbox.end(SessionError("the device went away"))
            await inbox.closed
        else:
            await reading.wait()
        return sent

    assert asyncio.run(main()) == taken


def refused(call: Callable[[], object]) -> str | None:
    """The reason word; None when nothing was wrong."""
    try:
        call()
    except WireError as error:
        return error.reason
    return None


@given(st.binary(max_size=200) | st.text("<>/=\"'? !-rpc:message-id x", max_size=80))
def test_any_octets_have_a_root_or_are_refused(octets: bytes | str) -> None:
    message = octets if isinstance(octets, bytes) else octets.encode()
    assert refused(lambda: root_of(message)) in (None, "no-root")
    if refused(lambda: root_of(message)) is None:
        root = root_of(message)
        assert root.name
        assert message[root.end - 1 : root.end] == b">"


@given(st.binary(max_size=200))
def test_any_octets_are_a_hello_or_are_refused(octets: bytes) -> None:
    assert refused(lambda: decode_hello(octets)) in (None, "bad-hello")


@given(
    st.lists(st.text(st.characters(min_codepoint=33, max_codepoint=0x2FF), min_size=1), min_size=1),
    st.none() | st.integers(1, 4_294_967_295),
)
def test_hello_round_trip(capabilities: list[str], number: int | None) -> None:
    texts = [text for text in capabilities if text.strip() == text and text.isprintable()]
    if texts:
        hello = decode_hello(encode_hello(texts, number))
        assert hello.capabilities == tuple(texts)
        assert hello.session_id == number
