"""Rules on what numbers and names messages: Message ID, publisher id, sequence number."""

from __future__ import annotations

from zlib import crc32

from collector.conformance.rules import DN, ENVELOPE, KEPT, UDP, Level, broken_if, rule
from collector.conformance.subjects import CounterSubject, MessageSubject
from collector.model import NotificationKind

_STARTED = NotificationKind.SUBSCRIPTION_STARTED
_BEHIND = 1 << 31


def _stream_begins(it: MessageSubject) -> bool:
    """Whether the begin of a stream is here: the first message of its header id, and numbered so
    low that hardly one came before, or a subscription-started."""
    number = it.message.message_id
    return it.first_of_counter and number is not None and (number < 2 or it.kind is _STARTED)


@rule(
    MessageSubject, Level.MUST, f"{UDP} §3.1",
    "The first message of a stream is a subscription-started.",
    needs="the first message of a publisher, with a Message ID of 0 or 1",
)  # fmt: skip
def stream_starts_with_started(it: MessageSubject) -> str | None:
    """Not asked of line cards whose parent sends the state changes (distributed-notif-19 §7)."""
    if not _stream_begins(it) or it.kind is None:
        return None
    if it.parent is not None and it.parent != it.message.publisher_id:
        return None
    text = f"Message ID {it.message.message_id} is a {it.kind.value}"
    return broken_if(it.kind is not _STARTED, text)


@rule(
    MessageSubject, Level.MUST, f"{UDP} §3.2",
    "The first Message ID of a publisher is a random number (up to -25 it was 1).",
    needs="the first message of a publisher",
)  # fmt: skip
def message_id_starts_random(it: MessageSubject) -> str | None:
    """0 and 1 are taken for not random: one in two thousand million would be."""
    if not _stream_begins(it):
        return None
    number = it.message.message_id
    older = ", as -19 to -25 demand" if number == 1 else ""
    return broken_if(number in (0, 1), f"the first one is {number}{older}")


@rule(
    MessageSubject, Level.MUST, f"{UDP} §3.2",
    "Message IDs go up by one from message to message.",
    needs="two messages of one header id, of which nothing is lost",
)  # fmt: skip
def message_id_increments(it: MessageSubject) -> str | None:
    """A hole is the publisher's only where the sequence number shows that nothing was lost."""
    step = it.step(it.previous)
    if step is None or it.previous is None or step == 0:
        return None
    if step == 1:
        return KEPT
    if it.step(it.previous_of_subscription) == 1 or step >= _BEHIND:
        return None  # another scope, which has a rule of its own; or overtaken on the way
    before, said = it.previous.sequence_number, it.said
    number = None if said is None else said.sequence_number
    if before is None or number is None or (number - before) % 2**32 != 1:
        return None
    return (
        f"from {it.previous.message_id} to {it.message.message_id}"
        f" while sequence-number goes from {before} to {number}"
    )


@rule(
    MessageSubject, Level.MUST, f"{UDP} §3.2",
    "Different messages of one publisher id have different Message IDs.",
    needs="messages over UDP-notif",
)  # fmt: skip
def message_id_not_reused(it: MessageSubject) -> str | None:
    """Equal octets are a copy that the network made."""
    if it.message.message_id is None:
        return None
    before = it.repeated
    if before is None:
        return KEPT
    if it.kind is None or before.stamp == crc32(it.message.payload):
        return None
    return (
        f"{it.message.message_id} is {_what(before.kind.value, before.subscription_id)}"
        f" and {_what(it.kind.value, None if it.said is None else it.said.subscription_id)}"
    )


def _what(kind: str, subscription: int | None) -> str:
    return f"a {kind}" if subscription is None else f"a {kind} of subscription {subscription}"


@rule(
    CounterSubject, Level.MUST, f"{UDP} §3.2",
    "All messages of one publisher id share one run of Message IDs.",
    needs="a header id with two subscriptions",
)  # fmt: skip
def message_id_scope(it: CounterSubject) -> str | None:
    """Broken where a run for each subscription explains the ids better."""
    if it.subscriptions < 2 or not it.fine_steps + it.fine_in_subscriptions:
        return None
    text = (
        f"header id {it.publisher_id} numbers each of its {it.subscriptions} subscriptions"
        f" by itself: {it.odd_in_subscriptions} odd steps that way, {it.odd_steps} the other"
    )
    return broken_if(it.odd_in_subscriptions < it.odd_steps, text)


@rule(
    MessageSubject, Level.MUST, f"{UDP} §3.2",
    "A publisher id of the header stands for one originator.",
    needs="updates that name their originator",
)  # fmt: skip
def publisher_id_is_one_process(it: MessageSubject) -> str | None:
    """It identifies the process that generates the stream."""
    if it.message.publisher_id is None or it.generator is None or it.first_generator is None:
        return None
    text = (
        f"header id {it.message.publisher_id} carries {it.first_generator} and {it.generator}"
    )  # fmt: skip
    return broken_if(it.generator != it.first_generator, text)


@rule(
    MessageSubject, Level.MUST, f"{DN} §2, §6",
    "The publisher id of the header is the one in the payload.",
    needs="updates that name their originator, over UDP-notif",
)  # fmt: skip
def header_id_is_payload_id(it: MessageSubject) -> str | None:
    """Both are the Message Publisher ID of the process."""
    header = it.message.publisher_id
    if header is None or it.generator is None or not it.generator.isdecimal():
        return None
    return broken_if(it.generator != str(header), f"header {header}, payload {it.generator}")


@rule(
    MessageSubject, Level.MUST, f"{ENVELOPE} §3.2.1",
    "The sequence-number starts at 1; 0 comes only after 4294967295.",
    needs="the first message of a publisher, or a sequence-number of 0",
)  # fmt: skip
def sequence_number_starts_at_1(it: MessageSubject) -> str | None:
    """Up to -03 no start was said."""
    number = None if it.said is None else it.said.sequence_number
    if number == 0:
        wrapped = it.previous is not None and it.previous.sequence_number == 2**32 - 1
        return broken_if(not wrapped, "a sequence-number of 0 at the start")
    if number is None or not _stream_begins(it):
        return None
    return broken_if(number != 1, f"the first one is {number}")


@rule(
    MessageSubject, Level.MUST, f"{ENVELOPE} §3.2.1",
    "The sequence-number goes up by one from message to message of a publisher.",
    needs="two messages with consecutive Message IDs and sequence numbers",
)  # fmt: skip
def sequence_number_increments(it: MessageSubject) -> str | None:
    """Told only where the Message IDs show that nothing was lost."""
    if it.said is None or it.previous is None or it.step(it.previous) != 1:
        return None
    before, number = it.previous.sequence_number, it.said.sequence_number
    if before is None or number is None:
        return None
    text = (
        f"from {before} to {number} while Message ID goes from"
        f" {it.previous.message_id} to {it.message.message_id}"
    )
    return broken_if((number - before) % 2**32 != 1, text)


@rule(
    MessageSubject, Level.MAY, f"{ENVELOPE} §3.2",
    "The envelope carries hostname and sequence-number.", needs="messages in the envelope",
)  # fmt: skip
def hostname_and_sequence_number(it: MessageSubject) -> str | None:
    """On by default where they are supported."""
    if it.said is None or it.parts is None or not it.parts.root.endswith("envelope"):
        return None
    absent = [
        name
        for name, value in (
            ("hostname", it.said.hostname),
            ("sequence-number", it.said.sequence_number),
        )
        if value is None
    ]
    return broken_if(absent, f"no {' and no '.join(absent)}")
