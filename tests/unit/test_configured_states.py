"""Configured subscriptions as devices have them: announced, shown, heard, and said to people."""

from __future__ import annotations

import logging
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from collector.alerts import AlertKind, AlertSink
from collector.config import AlertSettings, KnownSubscriptionSettings, parse_config
from collector.core.views import OriginatorState
from collector.model import SECOND, CollectorTime, Event, SubscriptionTerms
from collector.service.configured_rows import configured_rows
from collector.service.configured_watch import ConfiguredWatch, configured_ids
from collector.subscriber.configured.states import ConfiguredPhase, ConfiguredStates
from collector.wire.netconf.looks import LOOK
from collector.wire.netconf.rpc import ReceiverState, SubscriptionState, decode_rpc, encode_rpc
from tests.unit.test_config_configured import CONFIG

P = ConfiguredPhase
TERMS = SubscriptionTerms()
T0 = 1_800_000_000 * SECOND


def entry(number: int = 100, state: str | None = "valid", *receivers: str) -> SubscriptionState:
    found = tuple(ReceiverState(f"r{n}", one) for n, one in enumerate(receivers))
    return SubscriptionState(number, TERMS, configured_state=state, receivers=found)


def seconds(number: float) -> int:
    return T0 + round(number * SECOND)


class Device:
    """One device with one subscription that it should have."""

    def __init__(self) -> None:
        self.states = ConfiguredStates()

    def look(self, at: float, *entries: SubscriptionState) -> list[str]:
        return self.states.looked("core7", {"counters": (100,)}, entries, seconds(at))

    def told(self, at: float, state: str, reason: str = "") -> bool:
        return self.states.told("core7", "counters", state, reason, seconds(at))

    def now(self) -> tuple[ConfiguredPhase, float, str]:
        one = self.states.of("core7", "counters")
        return one.phase, (one.since - T0) / SECOND, one.reason


# --------------------------------------------------------------------------- states
def test_nobody_said_anything() -> None:
    assert ConfiguredStates().of("core7", "counters").phase is P.UNKNOWN


@pytest.mark.parametrize(
    ("shown", "phase", "word"),
    [
        (entry(100, "valid", "active"), P.ACTIVE, ""),
        (entry(100, None), P.ACTIVE, ""),
        (entry(100, "valid", "connecting", "active"), P.ACTIVE, ""),
        (entry(100, "valid", "connecting"), P.CONNECTING, "does not reach its receiver"),
        (entry(100, "valid", "disconnected"), P.CONNECTING, "does not reach its receiver"),
        (entry(100, "valid", "suspended"), P.SUSPENDED, ""),
        (entry(100, "invalid"), P.INVALID, "cannot be done"),
        (entry(100, "concluded"), P.CONCLUDED, "stop-time"),
    ],
)
def test_what_a_look_shows(shown: SubscriptionState, phase: ConfiguredPhase, word: str) -> None:
    device = Device()
    assert device.look(5, entry(7), shown) == ([] if phase is P.ACTIVE else ["counters"])
    found, since, reason = device.now()
    assert (found, since) == (phase, 5)
    assert word in reason
    assert device.look(6, shown) == []  # it is no news a second time
    assert device.now() == (found, since, reason)


def test_a_loss_is_established_by_two_looks() -> None:
    device = Device()
    device.look(1, entry())
    assert device.look(5, entry(7)) == ["counters"]
    assert device.now() == (P.ABSENT, 5, "the device does not show it in /subscriptions")
    assert device.states.lost("core7") == []
    assert device.look(6) == []
    assert device.states.lost("core7") == ["counters"]
    assert device.states.lost("core8") == []
    assert device.look(7, entry()) == ["counters"]  # it came back
    assert device.states.lost("core7") == []
    device.look(8)
    assert device.now()[2] == "/subscriptions of the device is empty, or hidden from our user"


def test_a_loss_began_when_the_device_said_so() -> None:
    device = Device()
    assert device.told(3, "ended", "no-such-subscription")
    assert device.now() == (P.TERMINATED, 3, "the device ended it: no-such-subscription")
    for at in (5, 6):
        device.look(at)
    phase, since, reason = device.now()
    assert (phase, since) == (P.ABSENT, 3)
    assert reason.startswith("the device ended it: no-such-subscription; /subscriptions")
    assert reason.count(";") == 1
    assert device.told(9, "active")
    assert device.now() == (P.ACTIVE, 9, "")


def test_a_look_may_be_faster_than_the_word_of_the_device() -> None:
    device = Device()
    device.look(5)
    assert not device.told(6, "ended", "no-such-subscription")
    phase, since, reason = device.now()
    assert (phase, since) == (P.ABSENT, 5)
    assert reason.startswith("the device ended it: no-such-subscription; /subscriptions")
    device.look(7, entry(8))
    assert device.states.lost("core7") == ["counters"]
    assert device.now()[2] == (
        "the device ended it: no-such-subscription; the device does not show it in /subscriptions"
    )


def test_stragglers_do_not_hide_the_word_of_the_device() -> None:
    """What a line card still had to send makes it active, until somebody looks."""
    device = Device()
    device.told(5, "ended", "no-such-subscription")
    assert device.told(6, "active")
    assert device.now() == (P.ACTIVE, 6, "")
    device.look(7, entry(8))
    assert device.now()[2].startswith("the device ended it: no-such-subscription; ")
    device.look(8, entry())
    device.told(9, "ended", "no-such-subscription")
    device.told(60, "active")  # that is another one
    device.look(61, entry(8))
    assert device.now()[2] == "the device does not show it in /subscriptions"


def test_one_that_goes_on_for_others_is_ended_for_us() -> None:
    """RFC 8639 §2.5.3: a receiver that is removed is told; the others stay."""
    device = Device()
    device.told(3, "ended", "no-such-subscription")
    assert device.look(5, entry(100, "valid", "active")) == []
    assert device.now()[0] is P.TERMINATED
    assert device.look(6, entry(100, "invalid")) == ["counters"]


def test_what_the_device_announces() -> None:
    device = Device()
    assert not device.told(1, "active")
    assert device.told(2, "suspended", "insufficient-resources")
    assert device.now() == (P.SUSPENDED, 2, "insufficient-resources")
    device.look(3, entry(100, "valid", "suspended"))
    assert device.now() == (P.SUSPENDED, 2, "insufficient-resources")  # which says more
    assert device.told(4, "active")
    assert device.told(5, "ended", "subscription-completed")
    assert device.now() == (P.CONCLUDED, 5, "its stop-time has passed")
    assert device.told(6, "ended", "")
    assert device.now() == (P.TERMINATED, 6, "the device ended it: it does not say why")


@pytest.mark.parametrize("reason", ["collector-down", "replaced", "forgotten", "not-configured"])
def test_ends_of_ours_are_no_word_of_the_device(reason: str) -> None:
    device = Device()
    device.told(1, "active")
    assert not device.told(2, "ended", reason)
    assert device.now()[0] is P.ACTIVE


def test_what_was_put_back_is_looked_for_anew() -> None:
    device = Device()
    for at in (1, 2):
        device.look(at)
    device.states.put_back("core7", "counters", seconds(3))
    assert device.states.lost("core7") == []
    assert device.now()[:2] == (P.UNKNOWN, 3)
    device.states.keep([("core7", "others")])
    assert device.now()[0] is P.UNKNOWN
    assert device.now()[2] == ""


def test_looks_ask_for_the_state_of_configured_ones() -> None:
    text = encode_rpc("1", LOOK).decode()
    assert text.count("<configured-subscription-state") == 1
    assert decode_rpc(text.encode()).error is None


# --------------------------------------------------------------------------- rows
CONFIGURED = parse_config(CONFIG)
IDS = configured_ids(CONFIGURED)


def originator(last: float | None, generator: str = "101", number: int = 100) -> OriginatorState:
    arrival = None if last is None else CollectorTime(seconds(last))
    return OriginatorState(
        "core7", "counters", number, generator, arrival, 0, 0, None, None, None, "", "", True,
        False, 0, 0,
    )  # fmt: skip


def row(device: Device, now: float, *heard: OriginatorState, note: str = "") -> dict[str, Any]:
    notes = {("core7", "counters"): note} if note else {}
    (found,) = configured_rows(CONFIGURED, IDS, device.states, heard, notes, seconds(now))
    assert (found["device"], found["subscription"]) == ("core7", "counters")
    return found


def test_rows_of_what_is_heard_and_what_is_not() -> None:
    device = Device()
    found = row(device, 0)
    assert (found["id"], found["state"], found["since"], found["generators"]) == (
        100, "unknown", None, 0,
    )  # fmt: skip
    assert "nothing of it came yet, and the device was not asked" in found["why"]
    found = row(device, 20, originator(19), originator(None, "102"))
    assert (found["state"], found["generators"], found["why"]) == ("active", 1, "")
    found = row(device, 100, originator(19, number=7))
    assert (found["id"], found["state"]) == (7, "silent")
    assert found["since"] == "2027-01-15T08:00:19Z"
    assert found["why"] == "nothing came since then"
    device.look(5, entry())
    assert row(device, 20)["why"] == "nothing of it came yet"
    assert row(device, 20, originator(19))["since"] == "2027-01-15T08:00:05Z"
    device.look(6, entry(100, "valid", "connecting"))
    assert row(device, 20)["state"] == "connecting"
    assert row(device, 20, originator(19))["state"] == "active"  # it is reached, whatever it says


def test_what_is_lost_is_not_heard_any_more() -> None:
    """The generators of a subscription are followed for a while after its end."""
    device = Device()
    device.told(20, "ended", "no-such-subscription")
    found = row(device, 25, originator(21))
    assert (found["state"], found["since"]) == ("terminated", "2027-01-15T08:00:20Z")
    assert found["why"] == (
        "the device ended it: no-such-subscription; `collector configure core7` puts it back"
    )
    restored = (
        msgspec.structs.replace(CONFIGURED.subscriptions[0], configured_restore=True),
        *CONFIGURED.subscriptions[1:],
    )
    other = msgspec.structs.replace(CONFIGURED, subscriptions=restored)
    (of_its_own,) = configured_rows(other, IDS, device.states, [], {}, seconds(25))
    assert of_its_own["why"].endswith("; it is put back once 2 looks have missed it")
    found = row(device, 30, originator(21), note="no more than three times a day")
    assert found["why"].endswith("; no more than three times a day")
    found = row(device, 60, originator(59))  # and it sends all the same, well after that
    assert (found["state"], found["since"], found["why"]) == ("active", None, "")


# --------------------------------------------------------------------------- watch
def nobody(device: str) -> tuple[OriginatorState, ...]:
    return ()


def said(name: str, number: int, state: str, reason: str = "", at: float = 9) -> Any:
    one = SimpleNamespace(
        device="core7", name=name, id=number, state=state, reason=reason, time=seconds(at)
    )
    return SimpleNamespace(subscriptions=[one])


def test_only_what_is_configured_is_watched(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    taken = KnownSubscriptionSettings(id=7, devices=("core7",), name="counters")
    config = [msgspec.structs.replace(CONFIGURED, known_subscriptions=(taken,))]
    events: list[Event] = []
    watch = ConfiguredWatch(lambda: config[0], events.append, nobody)
    watch.start()
    assert watch.ids == {"core7": {"counters": (7, 100)}}
    watch.write(said("others", 55, "ended"))
    watch.write(said("counters", 55, "ended"))
    assert watch.states.of("core7", "counters").phase is P.UNKNOWN
    watch.write(said("counters", 7, "ended", "no-such-subscription"))
    assert watch.states.of("core7", "counters").phase is P.TERMINATED
    watch.looked("core7", [entry(7, "invalid")], seconds(10))
    watch.looked("core7", [entry(7)], seconds(11))
    watch.looked("core9", [entry(7)], seconds(11))
    watch.flush()
    watch.stop()
    assert [record.getMessage() for record in caplog.records] == [
        "Device core7 has lost the configured subscription counters: the device ended it:"
        " no-such-subscription.",
        "The configured subscription counters of device core7 is invalid: the device has it and"
        " says that it cannot be done.",
        "The configured subscription counters of device core7 is active.",
    ]
    lost, back = events
    assert (lost.time, lost.device, lost.subject, lost.kind) == (
        seconds(9), "core7", "counters", "configured_lost",
    )  # fmt: skip
    assert lost.text == (
        "core7 has lost the configured subscription counters since 2027-01-15 08:00:09: the"
        " device ended it: no-such-subscription."
    )
    assert (back.time, back.kind) == (seconds(11), "configured_back")
    assert back.text == "core7 has the configured subscription counters again."
    config[0] = parse_config("")
    assert watch.ids == {}
    assert watch.states.of("core7", "counters").phase is P.UNKNOWN


def test_a_loss_is_an_alert_once_it_is_beyond_doubt(caplog: pytest.LogCaptureFixture) -> None:
    alerts, events = AlertSink(AlertSettings()), []  # type: tuple[AlertSink, list[Event]]

    def say(event: Event) -> None:
        events.append(event)
        alerts.note(event)

    def kinds() -> list[str]:
        found = [one.kind.removeprefix("configured_") for one in events]
        events.clear()
        return found

    config = [CONFIGURED]
    watch = ConfiguredWatch(lambda: config[0], say, nobody)
    caplog.set_level(logging.INFO, "collector.alerts")
    watch.looked("core7", [], seconds(1))
    watch.looked("core7", [], seconds(40))
    assert kinds() == []  # something may be on its way, and it may be about to say more
    watch.looked("core7", [], seconds(42))
    watch.looked("core7", [], seconds(50))
    assert kinds() == ["lost"]
    watch.looked("core7", [entry(100, "invalid")], seconds(51))
    watch.looked("core7", [], seconds(52))
    assert kinds() == []  # invalid is not what was wanted
    watch.states.put_back("core7", "counters", seconds(53))
    watch.looked("core7", [entry()], seconds(54))
    assert kinds() == ["back"]
    watch.write(said("counters", 100, "ended", "no-such-subscription", at=700))
    watch.write(said("counters", 100, "active", at=700))  # a line card had still something to send
    assert kinds() == ["lost"]
    watch.looked("core7", [], seconds(720))
    watch.write(said("counters", 100, "ended", "no-such-subscription", at=721))
    assert kinds() == []
    config[0] = msgspec.structs.replace(CONFIGURED, devices=())
    watch.looked("core7", [entry()], seconds(730))
    config[0] = CONFIGURED
    watch.looked("core7", [entry()], seconds(731))
    assert kinds() == []  # nobody wanted it meanwhile
    records = [one for one in caplog.records if one.name == "collector.alerts"]
    assert [one.levelname for one in records] == ["WARNING", "INFO", "WARNING"]
    assert AlertKind("not_configured") is AlertKind.NOT_CONFIGURED


def test_a_device_that_ends_and_begins_it_all_the_time(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    events: list[Event] = []
    watch = ConfiguredWatch(lambda: CONFIGURED, events.append, nobody)
    for number in range(0, 1200, 20):  # seconds; what comes so late is no straggler
        watch.write(said("counters", 100, "ended", "no-such-subscription", at=number))
        watch.write(said("counters", 100, "active", at=number + 15))
    assert [(one.time - T0) // SECOND for one in events] == [0, 15, 600, 615]
    caplog.clear()
    for number in range(100):
        watch.write(said("counters", 100, "ended", "no-such-subscription", at=2000 + number / 10))
        watch.write(said("counters", 100, "suspended", "x", at=2000 + number / 10))
    assert len(caplog.messages) == 31
    assert caplog.messages[-1] == "Device core7 ends and begins subscriptions all the time."


def test_a_device_that_hides_what_it_sends_has_lost_nothing() -> None:
    heard: list[OriginatorState] = []
    events: list[Event] = []
    watch = ConfiguredWatch(lambda: CONFIGURED, events.append, lambda device: heard)
    for number in range(0, 600, 60):
        heard[:] = [originator(number - 4), originator(None, "102")]
        watch.looked("core7", [], seconds(number))
    assert events == []
    for number in range(600, 800, 60):
        watch.looked("core7", [], seconds(number))
    assert [one.kind for one in events] == []  # that it has gone silent verdicts say
    watch = ConfiguredWatch(lambda: CONFIGURED, events.append, lambda device: heard)
    for number in range(600, 800, 60):
        watch.looked("core7", [], seconds(number))
    (lost,) = events
    assert lost.text == (
        "core7 does not show the configured subscription counters since 2027-01-15 08:10:00:"
        " /subscriptions of the device is empty, or hidden from our user."
    )
