"""Answers of the HTTPS receiver as octets, counted by status, with the date of the second."""

from __future__ import annotations

from collections.abc import Callable
from email.utils import formatdate
from typing import Final

from collector.errors import WireError
from collector.model import SECOND
from collector.receivers.https.requests import Refusal
from collector.wire import https_notif as wire

RETRY_SECONDS: Final = 1
"""What 503 asks a publisher to wait (ours)."""
_LONGEST_SENTENCE: Final = 500
"""Letters about a notification (ours)."""
_FULL: Final = "Nothing is taken for now; try again."


class Answers:
    """See the module."""

    def __init__(self, now: Callable[[], int]) -> None:
        """``now`` tells the time in ns since 1970."""
        self._now = now
        self.counts: dict[int, int] = {}
        """Status -> answers."""
        self._second = -1
        self._date = ""
        self._taken = self._taken_last = b""

    def date(self) -> str:
        """The Date field (RFC 9110 §6.6.1)."""
        second = self._now() // SECOND
        if second != self._second:
            self._second, self._date = second, formatdate(second, usegmt=True)
            self._taken = wire.encode_answer(204, self._date)
            self._taken_last = wire.encode_answer(204, self._date, close=True)
        return self._date

    def taken(self, *, closes: bool = False) -> bytes:
        """204: the notification is safe. Counted by ``count``, many at a time."""
        self.date()
        return self._taken_last if closes else self._taken

    def count(self, status: int, number: int = 1) -> None:
        """So many answers more of one status."""
        self.counts[status] = self.counts.get(status, 0) + number

    def refusal(self, refusal: Refusal, *, closes: bool) -> bytes:
        """Anything but success, with its sentence."""
        self.count(refusal.status)
        fields = {"Allow": refusal.allow} if refusal.allow else {}
        if refusal.status == 503:
            fields["Retry-After"] = str(RETRY_SECONDS)
        body = f"{refusal.sentence}\n".encode()
        return wire.encode_answer(refusal.status, self.date(), body, fields=fields, close=closes)

    def full(self, *, closes: bool) -> bytes:
        """503: the intake takes nothing."""
        return self.refusal(Refusal(503, _FULL), closes=closes)

    def failed(self, *, closes: bool) -> bytes:
        """500: a fault of ours."""
        return self.refusal(Refusal(500, "A fault in the receiver; try again."), closes=closes)

    def unreadable(self, error: WireError, *, closes: bool) -> bytes:
        """400: the notification cannot be decoded; of what it holds only what can be printed."""
        text = f"This notification cannot be read ({error.reason}): {error}"[:_LONGEST_SENTENCE]
        text = "".join(letter if letter.isprintable() else "?" for letter in text)
        return self.refusal(Refusal(400, text), closes=closes)

    def capabilities(self, accept: str | None, *, closes: bool, head: bool) -> bytes:
        """200 with what we can do, in the form that is accepted; 406 if there is none."""
        form = wire.chosen_form(accept)
        if form is None:
            forms = ", ".join(wire.DOCUMENT_TYPES)
            return self.refusal(Refusal(406, f"There is only {forms}."), closes=closes)
        self.count(200)
        return wire.encode_answer(
            200, self.date(), wire.encode_capabilities(wire.OURS, form), content_type=form,
            fields={"Cache-Control": "no-cache", "Vary": "Accept"}, close=closes, head=head,
        )  # fmt: skip
