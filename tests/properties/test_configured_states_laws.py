"""Laws of configured subscriptions on the simulated device, whatever is edited, reached, suspended.

Each receiver hears a sentence of the language of RFC 8639 §2.5.1, and records go to whoever is
active and to nobody else.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from collector.model import NotificationKind
from collector.wire.netconf.rpc import Get, ResetReceiver
from collector.wire.subscriptions.config import ConfiguredSubscription, Edit
from collector.wire.subscriptions.receiver_instances import ReceiverInstance
from publisher_sim.cards.channel import ComponentSubscription
from publisher_sim.master import ports
from publisher_sim.master.ports import Action
from publisher_sim.subscriptions.global_subscription import BY_SCENARIO
from tests.unit.test_sim_configuration import HTTPS, UDP, UDP2, Device, wanted
from tests.unit.test_sim_master import NOW, SECOND

_K = NotificationKind
HTTPS2 = structs.replace(HTTPS, name="H2", port=9443)
INSTANCES: dict[str, ReceiverInstance] = {"R1": UDP, "R2": UDP2, "H1": HTTPS, "H2": HTTPS2}
ENDS = (_K.SUBSCRIPTION_TERMINATED, _K.SUBSCRIPTION_COMPLETED)
Place = tuple[str, int]

subscriptions = st.one_of(
    st.builds(
        lambda to, period, stop: wanted(
            *to, period=period, stop_time=None if stop is None else NOW + stop * SECOND
        ),
        st.lists(st.sampled_from(("R1", "R2")), min_size=1, max_size=2, unique=True),
        st.sampled_from((SECOND, 2 * SECOND, SECOND // 100)),  # the last one is invalid
        st.sampled_from((None, None, 5, 30)),
    ),
    st.builds(
        lambda to, period: wanted(*to, period=period, transport="https"),
        st.lists(st.sampled_from(("H1", "H2")), min_size=1, max_size=2, unique=True),
        st.sampled_from((SECOND, 2 * SECOND)),
    ),
)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.sampled_from((7, 8)), subscriptions),
        st.tuples(st.just("delete"), st.sampled_from((7, 8))),
        st.tuples(st.just("reach"), st.sampled_from((8443, 9443)), st.booleans()),
        st.tuples(st.just("reset"), st.sampled_from((7, 8)), st.sampled_from(list(INSTANCES))),
        st.tuples(st.just("suspend"), st.sampled_from((7, 8)), st.booleans()),
        st.tuples(st.just("wait"), st.integers(1, 12)),
    ),
    max_size=25,
)


class Ears:
    """What each receiver hears, and what each publisher was told last."""

    def __init__(self) -> None:
        self.heard: dict[tuple[int, Place], NotificationKind] = {}
        self.told: dict[tuple[str, int], set[Place]] = {}

    def take(self, actions: Iterable[Action]) -> None:
        for action in actions:
            if isinstance(action, ports.Announce):
                for to in action.component.goes_to:
                    self._hear(action, (to.address, to.port))
            elif isinstance(action, ports.TellAgent):
                key = (action.publisher, action.message.subscription_id)
                to_whom = set()
                if isinstance(action.message, ComponentSubscription):
                    to_whom = {(to.address, to.port) for to in action.message.goes_to}
                self.told[key] = to_whom

    def _hear(self, action: ports.Announce, place: Place) -> None:
        key = (action.component.subscription_id, place)
        before = self.heard.get(key)
        if action.kind is not _K.SUBSCRIPTION_STARTED:
            assert before is not None, f"{action.kind} of what never started"
            assert before not in ENDS, f"{action.kind} of what is over"
        if action.kind is _K.SUBSCRIPTION_RESUMED:
            assert before is _K.SUBSCRIPTION_SUSPENDED
        if action.kind is _K.SUBSCRIPTION_SUSPENDED:
            assert before is not _K.SUBSCRIPTION_SUSPENDED
        self.heard[key] = action.kind


def run(device: Device, there: dict[int, ConfiguredSubscription], step: Any) -> list[Action]:
    """One step; the actions that it leads to."""
    match step:
        case ("put", number, one):
            after = structs.replace(one, id=number)
            reply = device.edit(Edit(there.get(number), after))
            assert reply.ok, reply.error
            there[number] = after
        case ("delete", number):
            device.actions = []
            if number in there:
                device.edit(Edit(there.pop(number), None))
        case ("reach", port, up):
            device.actions = device.master.receiver_reached(
                "https-notif", "127.0.0.1", port, up, device.now
            )
        case ("reset", number, name):
            device.ask(ResetReceiver(number, f"to-{name}"))
        case ("suspend", number, on):
            device.actions = []
            one = device.master.life_cycle.get(number)
            life = device.master.life_cycle
            if one is not None and on:
                device.actions = life.suspend(one, BY_SCENARIO, "unsupportable-volume", device.now)
            elif one is not None:
                device.actions = life.resume(one, BY_SCENARIO, device.now)
        case ("wait", seconds):
            device.until((device.now - NOW) / SECOND + seconds)
    return device.actions


def check(device: Device, ears: Ears) -> None:
    """Who is active gets everything, and nobody else anything."""
    entries = device.ask(Get()).subscriptions or ()
    states = {one.id: one for one in entries}
    for number in (7, 8):
        active: set[Place] = set()
        one = states.get(number)
        if one is not None and one.configured_state == "valid":
            for receiver in one.receivers:
                instance = INSTANCES[receiver.name.removeprefix("to-")]
                place = (instance.address, instance.port)
                if receiver.state == "active":
                    active.add(place)
                    assert ears.heard[number, place] not in (*ENDS, _K.SUBSCRIPTION_SUSPENDED)
                elif receiver.state == "suspended":
                    assert ears.heard[number, place] in (
                        _K.SUBSCRIPTION_SUSPENDED, _K.SUBSCRIPTION_STARTED,
                    )  # fmt: skip
        for publisher in ("master", "lc1", "lc2"):
            assert ears.told.get((publisher, number), set()) == active, (number, publisher)


@settings(max_examples=80, deadline=None)
@given(steps)
def test_every_receiver_hears_a_story_that_makes_sense(story: list[Any]) -> None:
    device, ears = Device(), Ears()
    device.make(*INSTANCES.values())
    there: dict[int, ConfiguredSubscription] = {}
    for step in story:
        ears.take(run(device, there, step))
        check(device, ears)
