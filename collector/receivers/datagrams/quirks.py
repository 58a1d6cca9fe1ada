"""Which publishers do what otherwise than the drafts say, and how often that was met.

Does: find the switches of a sender, say which datagrams of a read they hold for, count where one
was needed: also where it was not set, so that the operator is told which one to set. Does not: read
headers (``wire.udp_notif``).

Rules: a sender is named as receivers name it: by its address, or, over DTLS, by its address, a
space and ``certificate:NAME``, in which case makes no difference; what is said of the certificate
goes before what is said of the address. The table of counts is bounded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from typing import Final

import numpy as np
from numpy.typing import NDArray

from collector.model import Coded, Quirk

SENDERS_COUNTED: Final = 4096
"""Senders of which it is counted what they need (ours); the rest counts as ``other``."""
_NONE: Final[frozenset[Quirk]] = frozenset()


class Quirks:
    """The switches that are set, by sender."""

    def __init__(
        self,
        by_sender: Mapping[str, Set[Quirk]] | None = None,
        strict_sources: Set[str] = frozenset(),
    ) -> None:
        """
        Args:
            by_sender: address or ``certificate:NAME`` -> its switches.
            strict_sources: senders whose unknown options are refused.
        """
        given = by_sender or {}
        self._by_sender = {name: frozenset(quirks) for name, quirks in given.items() if quirks}
        self._strict = frozenset(strict_sources)
        self._used = frozenset(quirk for quirks in given.values() for quirk in quirks)

    def of(self, sender: str) -> frozenset[Quirk]:
        """The switches of one sender."""
        if not self._used:
            return _NONE
        address, _, certificate = sender.partition(" ")
        certificate = certificate.lower()
        known = self._by_sender
        return known.get(certificate) or known.get(address, _NONE)

    def is_strict(self, sender: str) -> bool:
        """Whether its unknown options are refused (draft-ietf-netconf-udp-notif-26 §4)."""
        if not self._strict:
            return False
        address, _, certificate = sender.partition(" ")
        certificate = certificate.lower()
        return (certificate or address) in self._strict or address in self._strict

    def rows(self, quirk: Quirk, senders: Coded[str]) -> NDArray[np.bool_] | None:
        """For which datagrams a switch is set; None: for none of them."""
        if quirk not in self._used:
            return None
        words = senders.words
        if self._by_sender.keys().isdisjoint(words) and " " not in "".join(words):
            return None
        by_word = np.array([quirk in self.of(word) for word in words], np.bool_)
        if not by_word.any():
            return None
        found: NDArray[np.bool_] = by_word[np.frombuffer(senders.codes, np.uint32)]
        return found


class QuirksNeeded:
    """How often a switch was needed, by sender."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, Quirk, bool], int] = {}
        self._senders: set[str] = set()

    def count(self, sender: str, quirk: Quirk, *, is_on: bool, times: int = 1) -> None:
        """A datagram of ``sender`` can only be read right with that switch."""
        if sender not in self._senders:
            if len(self._senders) >= SENDERS_COUNTED:
                sender = "other"
            self._senders.add(sender)
        key = sender, quirk, is_on
        self._counts[key] = self._counts.get(key, 0) + times

    def count_rows(
        self, rows: NDArray[np.intp], senders: Coded[str], quirk: Quirk, *, is_on: bool
    ) -> None:
        """Likewise, for datagrams of a read."""
        if not len(rows):
            return
        codes, times = np.unique(np.frombuffer(senders.codes, np.uint32)[rows], return_counts=True)
        for code, number in zip(codes.tolist(), times.tolist(), strict=True):
            self.count(senders.words[code], quirk, is_on=is_on, times=number)

    def items(self) -> Iterator[tuple[str, Quirk, bool, int]]:
        """Sender, switch, whether it was set, datagrams."""
        for (sender, quirk, is_on), number in self._counts.items():
            yield sender, quirk, is_on, number
