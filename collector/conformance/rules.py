"""What a rule is: a small pure function with its clause, its level and its sentence.

A rule looks at one subject (a datagram, a message, a counter, a subscription, a period) and says

    None    it does not apply here, or it cannot be told
    ""      kept
    text    broken, and how, in a few words that make an example

Rules:
* What the network can do (lose, double, overtake) is never blamed on the publisher: where both are
  possible the answer is None.
* A number that is ours and not the standard's is named in the sentence.
* A new rule is a function with the decorator in one of the ``*_rules`` modules, nothing else.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import Any, Final, Generic, TypeVar

from msgspec import Struct

S = TypeVar("S")

KEPT: Final = ""

UDP: Final = "draft-ietf-netconf-udp-notif-26"
DN: Final = "draft-ietf-netconf-distributed-notif-19"
MSO: Final = "draft-zhou-netconf-multi-stream-originators-10"
ENVELOPE: Final = "draft-ietf-netconf-notif-envelope-04"
VERSIONING: Final = "draft-ietf-netconf-yang-notifications-versioning-13"
"""The revisions that the clauses are of."""


class Level(enum.StrEnum):
    """How binding a rule is; the first one is the most binding."""

    MUST = "MUST"
    """MUST, MUST NOT, SHALL, REQUIRED, and what a YANG module or a registry fixes."""
    SHOULD = "SHOULD"
    """SHOULD, RECOMMENDED, and what the text asks for without a capital word."""
    MAY = "MAY"
    """Optional; said because a collector can do more with it."""
    OURS = "ours"
    """No document says it; said because it surprises collectors."""


class Rule(Struct, Generic[S], frozen=True):
    """One rule."""

    name: str
    """As in ``started-has-list``."""
    level: Level
    clause: str
    """Document and section."""
    sentence: str
    """What holds when it is kept."""
    check: Callable[[S], str | None]
    subject: type[Any]
    """What it looks at."""
    needs: str
    """What has to be seen for it to apply, for people."""


def rule(
    subject: type[S], level: Level, clause: str, sentence: str, *, needs: str = ""
) -> Callable[[Callable[[S], str | None]], Rule[S]]:
    """Make a function a rule; its name with ``-`` for ``_`` is the rule's name."""

    def made(check: Callable[[S], str | None]) -> Rule[S]:
        name = check.__name__.replace("_", "-")
        return Rule(name, level, clause, sentence, check, subject, needs)

    return made


def broken_if(broken: object, text: str) -> str:
    """``text`` where something is broken, else ``KEPT``."""
    return text if broken else KEPT
