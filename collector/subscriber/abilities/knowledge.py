"""What the runner of one device knows of it before it asks for a subscription.

Does: look once at what the device says that it can, again when its hello changes; warn of wanted
terms that it will probably refuse, in one sentence, once. Does not: refuse, wait for long.

Rules: a device that does not answer in time, or that ends the session over it, is not asked again:
what it can is good to know, a subscription is what counts.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence

from msgspec.structs import replace

from collector.errors import SessionError
from collector.model import SelectionFilter, SubscriptionTerms
from collector.subscriber.abilities.capabilities import DeviceCapabilities, look
from collector.subscriber.abilities.checks import doubts, never_updated, selects_nothing
from collector.subscriber.sessions.session import plain
from collector.subscriber.states import SubscriptionPhase, SubscriptionState
from collector.wire.netconf.node_paths import named_modules
from collector.wire.netconf.rpc import Get, Operation, RpcReply
from collector.wire.values import names, xml

log = logging.getLogger("collector.subscriber")

LOOK_SECONDS = 10.0
"""How long the first look may take before the subscriptions are asked for without it (ours)."""
SUBJECT = "capabilities"
"""Stands for the name of a subscription in the journal."""
_MAX_WARNED = 256
"""Sentences that are remembered lest they be said again (ours)."""
_MAX_NAMED = 256
"""Modules of one device that are looked for (ours)."""
_SHOWN = 3
"""Doubts that one sentence names (ours)."""

Call = Callable[[str, Operation], Awaitable[RpcReply]]
"""(name for the journal, operation) -> reply. Raises ProtocolError, SessionError."""


class Knowledge:
    """What one device can."""

    def __init__(self, device: str, call: Call, *, seconds: float = LOOK_SECONDS) -> None:
        """Nothing is known yet.

        Args:
            device: its name.
            call: sends a request on its present session.
            seconds: see ``LOOK_SECONDS``.
        """
        self._device = device
        self._call = call
        self._seconds = seconds
        self._asked: int | None = None
        """Hash of the hello that was looked behind last, and of whether for streams too."""
        self._streams = False
        """Whether an event stream was ever wanted."""
        self._modules: dict[str, None] = {}
        """Modules that wanted filters ever named, ``_MAX_NAMED`` at most."""
        self._warned: set[str] = set()
        self._notes: dict[str, str] = {}
        """Subscription -> what speaks against its last terms; at most ``_MAX_WARNED``."""
        self.known = DeviceCapabilities()

    async def look(self, hello: Sequence[str], wanted: Collection[SubscriptionTerms]) -> None:
        """Ask the device, unless that was done. Raises SessionError."""
        self._streams = self._streams or any(terms.stream is not None for terms in wanted)
        for terms in wanted:
            named = dict.fromkeys(named_modules(terms.selection_filter))
            if len(self._modules.keys() | named) <= _MAX_NAMED:
                self._modules |= named
        asked = hash((tuple(hello), self._streams, frozenset(self._modules)))
        if asked == self._asked:
            return
        self._asked = asked  # before anything can go wrong: a session that ends over it comes again
        self.known = DeviceCapabilities()
        try:
            async with asyncio.timeout(self._seconds):
                self.known = await look(
                    self._ask, hello, streams=self._streams, modules=self._modules
                )
        except TimeoutError:
            log.warning(
                "Device %s did not say within %g s what it can; its subscriptions are asked for"
                " without knowing.",
                self._device,
                self._seconds,
            )
        except SessionError as error:
            log.warning(
                "The session with device %s ended while it was asked what it can (%s); that is not"
                " asked again.",
                self._device,
                error,
            )
            raise

    async def _ask(self, selection: SelectionFilter) -> xml.Element | None:
        return (await self._call(SUBJECT, Get(None, selection))).data

    def warn(self, subscription: str, terms: SubscriptionTerms) -> None:
        """Say once what speaks against asking for this; it is asked for all the same."""
        self._notes.pop(subscription, None)
        if found := doubts(terms, self.known):
            why = _joined(found, "; ")
            self._note(subscription, f"taken, although {why}")
            self._say(
                f"Device {self._device} will probably refuse subscription {subscription}: {why}. It"
                " is asked for all the same."
            )
        if nothing := selects_nothing(terms, self.known):
            will = f"will probably bring nothing: {_joined(nothing, '; ')}"
            self._note(subscription, will)
            self._say(f"Subscription {subscription} of device {self._device} {will}.")
        elif silent := never_updated(terms, self.known):
            never = f"never bring updates of {_joined(silent, ', ')}"
            self._note(subscription, f"on-change will {never}")
            self._say(
                f"Device {self._device} says that on-change subscription {subscription} will"
                f" {never}."
            )

    def resolved(self, terms: SubscriptionTerms) -> SubscriptionTerms:
        """Terms to ask for: an XPath whose prefixes are names of modules that nobody here knows
        gets the namespaces that the device's library gives them."""
        chosen, known = terms.selection_filter, self.known.namespaces
        if chosen is None or chosen.kind != "xpath":
            return terms
        prefixes = sorted(xml.used_prefixes(chosen.text))
        meant = {prefix: chosen.namespaces.get(prefix, prefix) for prefix in prefixes}
        found = {
            prefix: known[module]
            for prefix, module in meant.items()
            if known.get(module) and not names.has_known_namespace(module)
        }
        if not found:
            return terms
        return replace(
            terms, selection_filter=replace(chosen, namespaces=chosen.namespaces | found)
        )

    def noted(self, states: Iterable[SubscriptionState]) -> tuple[SubscriptionState, ...]:
        """The states for people, with what is known of those that nothing else is said of."""
        return tuple(
            replace(one, reason=self._notes.get(one.name, ""))
            if one.phase is SubscriptionPhase.ACTIVE and not one.reason
            else one
            for one in states
        )

    def _note(self, subscription: str, words: str) -> None:
        if len(self._notes) < _MAX_WARNED:
            before = self._notes.get(subscription)
            self._notes[subscription] = words if before is None else f"{before}; {words}"

    def _say(self, sentence: str) -> None:
        if sentence not in self._warned and len(self._warned) < _MAX_WARNED:
            self._warned.add(sentence)
            log.warning("%s", sentence)


def _joined(found: Sequence[str], between: str) -> str:
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return between.join(plain(one) for one in found[:_SHOWN]) + more
