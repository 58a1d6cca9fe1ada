"""AgentPublisher: one publisher process (distributed-notif-17 and later: Publisher Agent), pure.

Takes component subscriptions, makes the push-updates of each tick at nominal + its phase, numbers
them, lets ``faults`` break them, and says what to account for and what to send, in that order.
The master has one for its own share. Does not: open sockets, read clocks, know transports
(``units`` does), talk to subscribers; state change notifications are the master's alone
(draft-zhou-netconf-multi-stream-originators-10 §7).

Rules: three verbs, ``receive``, ``next_deadline``, ``handle_timer``. One Message ID counter for all
subscriptions of a destination (``numbering``). A publisher whose share selects nothing at a tick
still sends an empty update (RFC 8641 §3.7).
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable
from functools import partial

from collector.model import SECOND, NotificationKind, StateChange
from publisher_sim.agent.actions import Account, AgentAction, Planned, Transmit
from publisher_sim.agent.changing import Changing
from publisher_sim.agent.faults import Breaker, Sending
from publisher_sim.agent.numbering import Numbering
from publisher_sim.agent.on_change import Record
from publisher_sim.agent.outgoing import Leaving, Outgoing
from publisher_sim.agent.units import Update, units_of, units_of_announcement
from publisher_sim.agent.writing import Writer, tick_of
from publisher_sim.cards.channel import (
    ComponentSubscription,
    Count,
    Destination,
    EndComponent,
    Forward,
    Register,
    ResyncComponent,
    Status,
    ToAgent,
)
from publisher_sim.scenario import LATEST_OFFSET, Card, Scenario
from publisher_sim.scenario.transports import TRANSPORTS
from publisher_sim.sources.datastore import Datastore
from publisher_sim.sources.events import EventRecord
from publisher_sim.truth.accounts import OnWire, Produced, Recorded

COUNT_EVERY = SECOND // 2
"""The master hears of counts at most so often, ns; ours."""


class AgentPublisher:
    """One publisher of the device in one life of its process."""

    def __init__(self, scenario: Scenario, card: Card, run: str) -> None:
        self._scenario = scenario
        self._card = card
        self._run = run
        datastore = Datastore(scenario)
        self._breaker = Breaker(card.name, scenario.seed, scenario.fault)
        self._behaviour = scenario.behaviour
        self._changing = Changing(datastore, self._behaviour.patch_ids)
        self._numbering = Numbering(scenario.seed, run, self._behaviour)
        self._writer = Writer(scenario, card, datastore, self._breaker, self._numbering)
        self._serving: dict[int, ComponentSubscription] = {}
        """subscription id -> what is served."""
        self._plans = 0
        self._planned: dict[int, int] = {}
        """subscription id -> the number of its plan; entries of older plans are skipped."""
        self._ticks: list[tuple[int, int, int, int]] = []
        """Heap of (when to make, subscription id, tick, plan)."""
        self._making: list[tuple[int, int, Planned]] = []
        """Heap of (when to make it, order, message)."""
        self._outgoing = Outgoing()
        self._order = 0
        self._made: dict[int, int] = {}
        """subscription id -> updates that the master was not told of."""
        self._told_at = 0
        """When it was told last, ns since 1970."""

    @property
    def run(self) -> str:
        """This life of the process."""
        return self._run

    def receive(self, message: ToAgent, now: int) -> list[AgentAction]:
        """Take what the master says."""
        match message:
            case ComponentSubscription():
                return self._start(message, now)
            case EndComponent():
                return self._end(message.subscription_id, suspended=message.suspended)
            case ResyncComponent():
                return self._resync(message.subscription_id, now)

    def _start(self, component: ComponentSubscription, now: int) -> list[AgentAction]:
        name, number = self._card.name, component.subscription_id
        writable = [TRANSPORTS[to.transport].media_types for to in component.goes_to]
        if component.encoding not in self._scenario.encodings or not all(
            component.encoding in one for one in writable
        ):
            return [Status(name, number, "refused", f"cannot write {component.encoding}")]
        before = self._serving.get(number)
        self._serving[number] = component
        if component.on_change is not None:
            record = self._changing.serve(component, now)
            made = self._recorded(component, record)
            return [Status(name, number, "active"), *made]
        grid = (component.period, component.anchor)
        same_grid = before is not None and (before.period, before.anchor) == grid
        if not same_grid:
            self._plans += 1
            self._planned[number] = self._plans
            self._plan(component, now)
        return [Status(name, number, "active")]

    def announce(
        self,
        component: ComponentSubscription,
        kind: NotificationKind,
        change: StateChange | None,
        now: int,
        record: EventRecord | None = None,
    ) -> list[AgentAction]:
        """Send a state change where the data goes, or the record of an event stream; faults leave
        it alone, the truth needs none."""
        actions: list[AgentAction] = []
        for to in component.goes_to:
            said = self._writer.announcement(component, kind, change, record, now, to)
            units = units_of_announcement(said)
            self._numbering.of(to, component.subscription_id).used()
            actions.extend(self._transmit(component, octets, to) for octets in units)
        return actions

    def _end(self, number: int, *, suspended: bool) -> list[AgentAction]:
        """Nothing of this subscription leaves any more (RFC 8639 §2.4.4)."""
        waits = self._outgoing.forget(number)
        self._changing.end(number, keep=suspended and not waits)
        if self._serving.pop(number, None) is None:
            return []
        made = self._made.pop(number, 0)
        told: list[AgentAction] = [Count(self._card.name, number, made)] if made else []
        del self._planned[number]
        return [*told, Status(self._card.name, number, "ended")]

    def _plan(self, component: ComponentSubscription, after: int) -> None:
        """Note the first tick after an instant."""
        steps = (after - component.anchor) // component.period + 1
        nominal = component.anchor + steps * component.period
        when = nominal + self._offset(component.period)
        number = component.subscription_id
        heapq.heappush(self._ticks, (when, number, nominal, self._planned[number]))

    def _offset(self, period: int) -> int:
        return round(self._card.phase * period)

    def next_deadline(self) -> int | None:
        """When ``handle_timer`` has something to do, ns; None while there is nothing."""
        deadlines = [heap[0][0] for heap in (self._ticks, self._making) if heap]
        leaves = self._outgoing.next_due
        if leaves is not None:
            deadlines.append(leaves)
        return min(deadlines, default=None)

    def handle_timer(self, now: int) -> list[AgentAction]:
        """Make what is due and send what is due."""
        actions: list[AgentAction] = []
        while (due := self._next_made()) is not None and due <= now:
            if self._ticks and self._ticks[0][0] == due:
                actions.extend(self._tick())
                continue
            one = heapq.heappop(self._making)[2]
            if self._planned.get(one.subscription_id) == one.plan:
                actions.extend(self._make(self._serving[one.subscription_id], one))
        for sending, message in self._outgoing.take(now):
            component = self._serving[message.subscription_id]
            actions.extend(self._send(component, sending, message, now))
        return [*actions, *self._counts(now)]

    def _next_made(self) -> int | None:
        """When something is made next: in this order numbers count up on the wire."""
        ticks, making = self._ticks, self._making
        if ticks and making:
            return min(ticks[0][0], making[0][0])
        first = ticks or making
        return first[0][0] if first else None

    def _tick(self) -> list[AgentAction]:
        """The next tick of a subscription, or the next look at what changes."""
        _, number, nominal, plan = heapq.heappop(self._ticks)
        if self._planned.get(number) != plan:
            return []
        component = self._serving[number]
        if component.on_change is not None:
            return self._look(component, nominal)
        self._begin(component, nominal, plan)
        self._plan(component, nominal)
        return []

    def _counts(self, now: int) -> Iterable[Count]:
        """How many updates were made, when a tick is over: no timer is kept for it."""
        if self._outgoing or self._making or now - self._told_at < COUNT_EVERY:
            return
        excluded = self._changing.excluded()
        if self._made or excluded:
            self._told_at = now
            made, self._made = self._made, {}
            for number in made | excluded:
                yield Count(self._card.name, number, made.get(number, 0), excluded.get(number, 0))

    def _send(
        self, component: ComponentSubscription, sending: Sending, message: Leaving, now: int
    ) -> Iterable[AgentAction]:
        """One unit on its way; what the master forwards is accounted for by the master."""
        made, to = message.made, message.destination
        if made is not None and to.transport == "netconf":
            yield Forward(
                self._card.name, component.subscription_id, made.run, made.message_id,
                sending.number, sending.due, sending.octets,
            )  # fmt: skip
            return
        if made is not None:
            yield Account(
                OnWire(made.run, made.message_id, sending.number, sending.due, now, sending.garbled)
            )
        yield self._transmit(component, sending.octets, to)

    def _transmit(
        self, component: ComponentSubscription, octets: bytes, to: Destination
    ) -> Transmit:
        media_type = TRANSPORTS[to.transport].media_types[component.encoding]
        return Transmit(
            to.transport, to.address, to.port, media_type, octets, to.path, component.dscp,
            component.subscription_id if self._behaviour.port_per_subscription else 0,
        )  # fmt: skip

    def _begin(self, component: ComponentSubscription, nominal: int, plan: int) -> None:
        """A tick: when its messages are to be made. Each is made when it leaves, so that numbers
        count up on the wire, whichever subscription a message is of."""
        if self._breaker.silent(tick_of(component, nominal)):
            return
        count = self._count(component)
        for position in range(count):
            planned = nominal + self._leaves_after(component.period, position, count)
            self._order += 1
            one = Planned(component.subscription_id, plan, nominal, planned, position, count)
            heapq.heappush(self._making, (planned, self._order, one))

    def _make(self, component: ComponentSubscription, one: Planned) -> list[AgentAction]:
        """One message of a tick."""
        tick, number = tick_of(component, one.nominal), component.subscription_id
        skew = self._breaker.skew(tick)
        first = component.goes_to[0]
        clock = one.at + skew + round(self._behaviour.stamps_off * component.period)
        numbers = self._numbering.of(first, number)
        update = self._writer.update(component, one, clock, first)
        units = units_of(update)
        made = Produced(
            self._card.generator, numbers.run, numbers.message_id, number, one.nominal, one.at,
            len(units), one.count, skew, update.incomplete,
        )  # fmt: skip
        again = partial(self._writer.update, component, one, clock)
        return self._put(component, made, units, again, tick, f"/{one.position}")

    def _put(
        self, component: ComponentSubscription, made: Produced | Recorded, units: list[bytes],
        again: Callable[[Destination], Update], tick: int, within: str,
    ) -> list[AgentAction]:  # fmt: skip
        """A message is numbered, accounted for, broken, and put into the queue.

        Args:
            component: it is of.
            made: how it is accounted for.
            units: it, for the first destination.
            again: makes it for another one.
            tick: what faults are looked up by.
            within: which of the tick it is; part of what their draws come from.
        """
        number = component.subscription_id
        first, *others = component.goes_to
        self._numbering.of(first, number).used()
        for to in others:
            self._copy(again(to), made.planned, to)
        self._made[number] = self._made.get(number, 0) + 1
        messages = [(made.planned, units)]
        (sendings,) = self._breaker.break_messages(tick, number, messages, within)
        self._outgoing.put(Leaving(number, first, made), sendings)
        return [Account(made)]

    def _count(self, component: ComponentSubscription) -> int:
        """Updates of one tick."""
        if self._behaviour.update_per_node:
            return max(1, len(component.nodes))
        return self._scenario.push.updates_per_period

    def _leaves_after(self, period: int, position: int, count: int) -> int:
        """When an update of a tick leaves, ns after the tick."""
        if self._behaviour.straggles and count > 1 and position == count - 1:
            return round(LATEST_OFFSET * period)
        spread = round(self._card.arc * period) // max(1, count - 1)
        return self._offset(period) + position * spread

    def _copy(self, update: Update, planned: int, to: Destination) -> None:
        """The same for another destination, which no fault touches."""
        units = units_of(update)
        self._numbering.of(to, update.subscription_id).used()
        sendings = [Sending(planned, number, octets) for number, octets in enumerate(units)]
        self._outgoing.put(Leaving(update.subscription_id, to, None), sendings)

    # ------------------------------------------------------------------ on-change
    def _resync(self, number: int, now: int) -> list[AgentAction]:
        if number not in self._serving:
            return []
        return self._recorded(self._serving[number], self._changing.resync(number, now))

    def _look(self, component: ComponentSubscription, at: int) -> list[AgentAction]:
        """Something of an on-change subscription changes, or its dampening period is over."""
        tick = tick_of(component, at)
        if self._breaker.silent(tick):  # until it is not, changes pile up
            self._await(component, at + component.timeline_period)
            return []
        lacking = self._breaker.incomplete(tick)
        record = self._changing.handle_timer(component.subscription_id, at, lacking=lacking)
        return self._recorded(component, record)

    def _await(self, component: ComponentSubscription, when: int | None) -> None:
        """Look at that instant, and not at those that were said before."""
        number = component.subscription_id
        self._plans += 1
        self._planned[number] = self._plans
        if when is not None:
            heapq.heappush(self._ticks, (when, number, when, self._plans))

    def _recorded(
        self, component: ComponentSubscription, record: Record | None
    ) -> list[AgentAction]:
        """An update record on its way, if there is one, and the next look."""
        number = component.subscription_id
        self._await(component, self._changing.next_deadline(number))
        if record is None:
            return []
        tick = tick_of(component, record.at)
        skew = self._breaker.skew(tick)
        first = component.goes_to[0]
        clock = record.at + skew
        units = units_of(self._writer.record(component, record, clock, first))
        numbers = self._numbering.of(first, number)
        made = Recorded(
            self._card.generator, numbers.run, numbers.message_id, number, record.at, len(units),
            record.patch_id, record.edits, record.incomplete, skew,
        )  # fmt: skip
        again = partial(self._writer.record, component, record, clock)
        return self._put(component, made, units, again, tick, f"/{record.at}")


def register_of(scenario: Scenario, agent: AgentPublisher, card: Card) -> Register:
    """How an agent announces itself and its component capability."""
    minimum = round(scenario.period.minimum_seconds * SECOND)
    encodings = scenario.encodings
    return Register(card.name, agent.run, encodings, minimum, card.external_connectivity)
