"""Active subscriptions that never brought anything, in ``collector devices``: a sentence for each.

Does not: find them (``core.subscriptions.never_sent``). Rule: the most likely reason that can be
seen from here comes first; what cannot be seen is a question, never a statement.
"""

from __future__ import annotations

from collector.core.subscriptions.never_sent import Waiting
from collector.model import SECOND
from collector.service.parts import Parts

SENDERS_SHOWN = 3
"""Unknown senders that a sentence names (ours)."""


class Silence:
    """Those of one moment."""

    def __init__(self, service: Parts, now: int) -> None:
        self._service = service
        self._now = now
        waiting = service.pipeline.hearing.never.waiting.values()
        self._of = {(one.device, one.id): one for one in waiting if one.said}

    def of(self, device: str, subscription_id: int | None) -> str:
        """What there is to say of a subscription; empty for nothing."""
        one = self._of.get((device, -1 if subscription_id is None else subscription_id))
        if one is None:
            return ""
        seconds = (self._now - one.since) / SECOND
        if one.empty or one.on_change:
            came = "empty updates only" if one.empty else "nothing came"
            return (
                f"{came}, for {seconds:.0f} s: its filter selects nothing there, or there is"
                " nothing yet"
            )
        return f"never sent, for {seconds:.0f} s: {self._reason(one)}"

    def at_the_end(self) -> list[str]:
        """A sentence for each that brought nothing up to now, for whoever does not wait longer."""
        waiting = self._service.pipeline.hearing.never.waiting.values()
        return [
            f"{one.device}: nothing came in {(self._now - one.since) / SECOND:.0f} s:"
            f" {self._reason(one)}"
            for one in waiting
            if not one.empty
        ]

    def _reason(self, one: Waiting) -> str:
        if self._in_session(one):
            return "does its filter select nothing there?"
        strangers = self._service.pipeline.counts.unknown_sources
        if strangers:
            named = sorted(strangers, key=lambda source: -strangers[source])[:SENDERS_SHOWN]
            return (
                f"do its line cards send from {', '.join(named)}? No device has"
                f" {'this address' if len(named) == 1 else 'these addresses'} in its sources"
            )
        return (
            "does its filter select nothing there, or does it push to another address or port than"
            " the collector listens on?"
        )

    def _in_session(self, one: Waiting) -> bool:
        """Its updates come on the session that asked, so no address can be wrong."""
        found = (s for s in self._service.config.subscriptions if s.name == one.name)
        return any(s.transport == "netconf" for s in found)
