"""Event streams of a simulated device: records, filters, replay, stop-time, slow sessions."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import structs

from collector.errors import ConfigError
from collector.model import DeviceTime, Notification, NotificationKind, SelectionFilter
from collector.model import SubscriptionTerms as Terms
from collector.wire.netconf.rpc import (
    CloseSession,
    DeleteSubscription,
    EstablishSubscription,
    Get,
    KillSession,
    KillSubscription,
    ModifySubscription,
    decode_reply,
    decode_rpc,
    encode_rpc,
)
from collector.wire.notifications import notification
from publisher_sim.master import forwarding, ports
from publisher_sim.master.forwarding import MAX_HELD
from publisher_sim.scenario import Limits, NamedFilter, Netconf, Stream, User, parse_scenario
from publisher_sim.sources.events import DISABLED, EventRecord, EventStream, Streams
from tests.unit.test_sim_master import NOW, SECOND, TERMS, Driver, error_of, scenario

ALARMS = Stream("alarms", "what breaks", events_per_second=2.0, replay_records=20)
PLAIN = Stream("plain", events_per_second=1.0, replay_records=0)
OF_ALARMS = Terms(stream="alarms")
HARDWARE = {"hw": "urn:ietf:params:xml:ns:yang:ietf-hardware"}
BROKEN = SelectionFilter(
    "xpath", "/hw:hardware-state-oper-disabled[hw:alarm-state='major']", HARDWARE
)
OTHER_FILTER = Terms(stream="alarms", selection_filter=BROKEN)
BROKEN_TREE = SelectionFilter(
    "subtree",
    '<hardware-state-oper-disabled xmlns="urn:ietf:params:xml:ns:yang:ietf-hardware">'
    "<alarm-state>major</alarm-state></hardware-state-oper-disabled>",
)
K = NotificationKind


def device(**more: Any) -> Driver:
    return Driver(stream=(ALARMS, PLAIN), **more)


def kinds(driver: Driver) -> list[str]:
    return [one.name.partition(":")[2] for one in driver.said()]


def records(driver: Driver) -> list[Notification]:
    return [one for one in driver.said() if one.kind is K.OTHER]


# --------------------------------------------------------------------------- the stream itself
def test_alarms_follow_from_the_seed_whoever_listens() -> None:
    def told(*looks: int) -> list[EventRecord]:
        stream = EventStream(ALARMS, 7, ("fan1", "psu1"), NOW)
        return [record for at in looks for record in stream.take(NOW + at * SECOND, NOW)]

    often, once = told(*range(1, 11)), told(10)
    assert often == once
    assert 18 <= len(once) <= 20
    assert [one.at for one in once] == sorted(one.at for one in once)
    assert {one.values.get("name") for one in once} <= {"fan1", "psu1", None}
    assert EventStream(ALARMS, 8, (), NOW).take(NOW + 10 * SECOND, NOW) != once


def test_a_log_forgets_the_oldest() -> None:
    stream = EventStream(ALARMS, 7, (), NOW)
    soon = NOW + 5 * SECOND
    assert stream.begins(NOW - SECOND, soon) == NOW  # nothing was purged, but it began then
    first = stream.past(0, None, soon)
    assert stream.past(first[3].at, None, soon) == first[3:]
    assert stream.past(NOW, first[3].at, soon) == first[:3]
    late = NOW + 100_000 * SECOND  # nobody listened for a day
    begins = stream.begins(NOW, late)
    kept = stream.past(begins, None, late)
    assert len(kept) == 20
    assert stream.aged is not None
    assert begins == stream.aged + 1
    assert stream.last_before(kept[-1].at) == kept[-2].at
    assert stream.last_before(begins) == stream.aged
    assert stream.last_before(NOW) is None
    assert stream.take(late, late - 2 * SECOND)[-1] == kept[-1]


def test_a_stream_without_a_log_keeps_nothing() -> None:
    stream = EventStream(PLAIN, 7, (), NOW)
    assert stream.take(NOW + 3 * SECOND, NOW)
    stream.add(EventRecord(NOW, DISABLED, {}))
    assert stream.past(0, None, NOW) == []
    quiet = EventStream(Stream("quiet"), 7, (), NOW)
    assert (quiet.next_at, quiet.take(NOW + SECOND, NOW)) == (None, [])


@pytest.mark.clause("8640-4-b")
def test_there_is_always_the_stream_of_netconf() -> None:
    streams = Streams(scenario(stream=(ALARMS,)))
    assert [one.name for one in streams] == []
    streams.begin(NOW)
    streams.begin(NOW + SECOND)
    assert [(one.name, one.created) for one in streams] == [("NETCONF", NOW), ("alarms", NOW)]
    named = scenario(stream=(Stream("NETCONF", events_per_second=1.0),))
    assert [one.name for one in named.streams] == ["NETCONF"]


# --------------------------------------------------------------------------- subscriptions
@pytest.mark.clause("8639-2.1-c", "8640-6-a", "8640-6-b", "8639-7-d", "8639-2.6-a")
def test_records_come_in_their_order_on_the_session_that_subscribed() -> None:
    driver = device()
    reply = driver.ask(EstablishSubscription(OF_ALARMS))
    assert reply.generators == ("1",)  # the master serves a stream alone
    assert driver.told() == {}
    assert driver.noted() == []  # no ticks, so nothing for the truth
    driver.until(10)
    said = records(driver)
    assert 18 <= len(said) <= 20
    times = [one.event_time or 0 for one in said]
    assert times == sorted(times)
    assert all(one.root == "ietf-notification:notification" for one in said)
    assert {a.session_id for a in driver.actions if isinstance(a, ports.SendNotification)} == {"1"}
    (state,) = driver.ask(Get()).subscriptions or ()
    assert state.terms.stream == "alarms"
    assert state.terms.encoding == "encode-xml"  # that of the rpc
    assert state.receivers[0].sent_event_records == len(said)
    assert state.receivers[0].excluded_event_records == 0


@pytest.mark.parametrize("wanted", [BROKEN, BROKEN_TREE])
@pytest.mark.clause("8639-2.1-a")
def test_only_what_passes_the_filter_is_sent_as_a_whole(wanted: SelectionFilter) -> None:
    everything, filtered = device(), device()
    everything.establish(OF_ALARMS)
    everything.until(30)
    filtered.establish(structs.replace(OF_ALARMS, selection_filter=wanted))
    filtered.until(30)
    major = [
        one
        for one in everything.actions
        if isinstance(one, ports.SendNotification) and b">major<" in one.message
    ]
    assert major
    assert filtered.actions == major
    (state,) = filtered.ask(Get()).subscriptions or ()
    assert state.receivers[0].sent_event_records == len(major)
    assert state.receivers[0].excluded_event_records == len(everything.actions) - len(major)


@pytest.mark.clause("8639-2.1-a", "8641-3.9-b", "8639-7-c")
def test_what_a_user_may_not_read_is_kept_back_silently() -> None:
    user = User(name="bob", access="limited", reads=("ietf-interfaces",))
    driver = device(user=(user,))
    driver.master.session_opened("3", "bob", NOW)
    reply = driver.ask(EstablishSubscription(structs.replace(OF_ALARMS)), "3")
    assert reply.ok
    assert reply.generators is None  # base draft §13
    driver.until(10)
    assert driver.said() == []
    one = driver.master.life_cycle.get(reply.subscription_id or 0)
    assert one is not None
    assert one.sent == 0
    assert one.excluded >= 18
    driver.ask(EstablishSubscription(Terms(stream="NETCONF")), "3")
    driver.actions = driver.master.session_opened("4", "alice", driver.now)
    assert kinds(driver) == ["netconf-session-start"]


def test_a_modified_filter_that_loses_its_name_is_said_by_its_contents() -> None:
    driver = device(filter=NAMED)
    named = structs.replace(OF_ALARMS, selection_filter=SelectionFilter("ref", "majors"))
    number = driver.establish(named)
    assert driver.ask(ModifySubscription(number, OTHER_FILTER)).ok
    assert driver.master.references.remove("stream", "majors", NOW) == []
    one = driver.master.life_cycle.get(number)
    assert one is not None
    assert one.said_terms.selection_filter == BROKEN


def test_sessions_are_events_of_netconf() -> None:
    driver = device()
    driver.establish(Terms(stream="NETCONF"))
    driver.actions = driver.master.session_opened("3", "alice", NOW)
    driver.actions += driver.master.session_closed("3", NOW)
    assert kinds(driver) == ["netconf-session-start", "netconf-session-end"]
    contents = [
        notification.decode_contents(one.message, 2)
        for one in driver.actions
        if isinstance(one, ports.SendNotification)
    ]
    assert "alice" in str(contents[0])
    driver.actions = driver.master.session_closed("1", NOW)
    assert driver.said() == []  # nobody listens any more


@pytest.mark.parametrize(
    ("terms", "error"),
    [
        (Terms(stream="nothing"), ("data-missing", "")),
        (Terms(stream="alarms", datastore="operational"), ("bad-element", "")),
        (Terms(stream="alarms", encoding="encode-json"), ("invalid-value", "encoding-unsupported")),
        (Terms(stream="alarms", dscp=9), ("invalid-value", "dscp-unavailable")),
        (Terms(stream="alarms", stop_time=DeviceTime(NOW)), ("invalid-value", "")),
        (
            Terms(stream="plain", replay_start_time=DeviceTime(NOW - SECOND)),
            ("operation-not-supported", "replay-unsupported"),
        ),
        (
            Terms(stream="alarms", replay_start_time=DeviceTime(NOW + SECOND)),
            ("invalid-value", ""),
        ),
        (
            Terms(
                stream="alarms", replay_start_time=DeviceTime(NOW - SECOND),
                stop_time=DeviceTime(NOW - SECOND),
            ),
            ("invalid-value", ""),
        ),
        (
            Terms(stream="alarms", selection_filter=SelectionFilter("xpath", "/a:b | ")),
            ("invalid-value", "filter-unsupported"),
        ),
        (
            Terms(stream="alarms", selection_filter=SelectionFilter("ref", "nothing")),
            ("data-missing", ""),
        ),
    ],
)  # fmt: skip
@pytest.mark.clause("8639-2.4.6-b", "8639-2.4.2-b", "8639-2.4.2.1-b")
def test_what_is_refused(terms: Terms, error: tuple[str, str]) -> None:
    driver = device(limits=Limits(dscp=(8,)))
    assert error_of(driver.ask(EstablishSubscription(terms))) == error
    assert driver.actions == []
    assert driver.ask(Get()).subscriptions == ()


@pytest.mark.clause("8639-2.4.2-c", "8639-2.4.3-b", "8639-2.4.3-a", "8640-7-a", "8640-7-b")
def test_hints_stand_in_the_containers_of_streams() -> None:
    driver = device()
    number = driver.establish(OF_ALARMS)
    wrong = Terms(stream="alarms", selection_filter=SelectionFilter("xpath", "/a:b | "))
    for operation, container in (
        (EstablishSubscription(wrong), "establish-subscription-stream-error-info"),
        (ModifySubscription(number, wrong), "modify-subscription-stream-error-info"),
    ):
        octets = encode_rpc("9", operation)
        reply = driver.master.rpc_received("1", notification_rpc(octets), NOW)[0]
        assert isinstance(reply, ports.SendReply)
        assert f"<{container}".encode() in reply.message.replace(b"sn:", b"")
        assert b"filter-failure-hint" in reply.message
        assert b"ietf-subscribed-notifications:filter-unsupported" in reply.message
    driver.until(3)
    assert records(driver)  # as before


def notification_rpc(octets: bytes) -> Any:

    return decode_rpc(octets)


def test_modify_gives_another_filter_and_another_end() -> None:
    driver = device()
    number = driver.establish(OF_ALARMS)
    end = DeviceTime(NOW + 20 * SECOND)
    changed = Terms(stream="alarms", selection_filter=BROKEN, stop_time=end)
    assert driver.ask(ModifySubscription(number, changed)).ok
    (said,) = driver.said()
    assert said.kind is K.SUBSCRIPTION_MODIFIED
    assert said.state_change is not None
    assert said.state_change.terms is not None
    assert said.state_change.terms.selection_filter is not None
    driver.until(30)
    assert driver.said()[-1].kind is K.SUBSCRIPTION_COMPLETED
    assert all("disabled" in one.name for one in driver.said()[:-1])
    again = driver.establish(OF_ALARMS)
    wrong = Terms(datastore="operational", period=SECOND)
    assert error_of(driver.ask(ModifySubscription(again, wrong)))[0] == "invalid-value"


def test_the_device_that_is_silent_at_the_end() -> None:
    driver = device(netconf=Netconf(completes="configured"))
    driver.establish(structs.replace(OF_ALARMS, stop_time=DeviceTime(NOW + 5 * SECOND)))
    driver.until(30)
    assert {one.kind for one in driver.said()} == {K.OTHER}
    assert all((one.event_time or 0) < NOW + 5 * SECOND for one in driver.said())
    assert driver.ask(Get()).subscriptions == ()


# --------------------------------------------------------------------------- replay
def replay(start: int, stop: int | None = None) -> Terms:
    return Terms(
        stream="alarms",
        replay_start_time=DeviceTime(NOW + start * SECOND),
        stop_time=None if stop is None else DeviceTime(NOW + stop * SECOND),
    )


@pytest.mark.clause("8639-2.6-b")
def test_a_replay_then_what_happens() -> None:
    driver = device()
    listener = driver.establish(OF_ALARMS)
    driver.until(8)
    live = driver.said()
    driver.ask(DeleteSubscription(listener))
    reply = driver.ask(EstablishSubscription(replay(2)), "2")
    assert reply.replay_start_time_revision is None
    *past, completed = driver.said()
    assert completed.kind is K.REPLAY_COMPLETED
    assert completed.subscription_id == reply.subscription_id
    assert past == [one for one in live if (one.event_time or 0) >= NOW + 2 * SECOND]
    driver.until(12)
    assert records(driver)
    assert all((one.event_time or 0) > NOW + 8 * SECOND for one in records(driver))


@pytest.mark.clause("8639-2.4.2.1-a")
def test_a_replay_begins_where_the_log_does() -> None:
    driver = device()
    driver.now = NOW + 2 * SECOND
    reply = driver.ask(EstablishSubscription(replay(-5)))
    assert reply.replay_start_time_revision == NOW
    driver.establish(OF_ALARMS, "2")
    driver.until(60)
    reply = driver.ask(EstablishSubscription(replay(1)))
    revised = reply.replay_start_time_revision
    assert revised is not None
    assert revised > NOW + SECOND
    past = records(driver)
    assert len(past) == ALARMS.replay_records
    assert all((one.event_time or 0) >= revised for one in past)


@pytest.mark.clause("8639-2.4.2.1-c")
def test_a_replay_of_nothing_is_over_at_once() -> None:
    driver = device()
    driver.establish(OF_ALARMS, "2")
    driver.until(5)
    last = driver.said()[-1].event_time or 0
    terms = Terms(stream="alarms", replay_start_time=DeviceTime(last + 1))
    assert driver.ask(EstablishSubscription(terms)).ok
    assert [one.kind for one in driver.said()] == [K.REPLAY_COMPLETED]


def test_a_replay_of_a_time_that_is_over_ends_with_it() -> None:
    driver = device()
    driver.establish(OF_ALARMS, "2")
    driver.until(10)
    assert driver.ask(EstablishSubscription(replay(2, 4))).ok
    *past, completed, ended = driver.said()
    assert past
    assert all(NOW + 2 * SECOND <= (one.event_time or 0) < NOW + 4 * SECOND for one in past)
    assert (completed.kind, ended.kind) == (K.REPLAY_COMPLETED, K.SUBSCRIPTION_COMPLETED)
    assert len(driver.ask(Get()).subscriptions or ()) == 1


def test_a_log_that_nobody_looked_at_is_full_all_the_same() -> None:
    driver = device()
    driver.now = NOW + 30 * SECOND
    assert driver.ask(EstablishSubscription(replay(25))).ok
    assert len(records(driver)) >= 8
    driver.master.session_closed("1", driver.now)
    driver.now = NOW + 90 * SECOND
    driver.establish(OF_ALARMS, "2")
    driver.actions = driver.master.handle_timer(driver.now)
    assert driver.said() == []  # what happened before is not for it


# --------------------------------------------------------------------------- slow sessions, ends
@pytest.mark.clause("8639-2.7-a", "8641-3.11.1-a")
def test_a_slow_session_gets_all_in_order_state_changes_among_it() -> None:
    driver = device()
    number = driver.establish(OF_ALARMS)
    driver.master.session_busy("1", True, driver.now)
    driver.until(3)
    assert driver.said() == []
    assert driver.ask(ModifySubscription(number, OTHER_FILTER)).ok
    assert driver.said() == []
    driver.until(60)
    assert driver.said() == []
    driver.actions = driver.master.session_busy("1", False, driver.now)
    names = kinds(driver)
    place = names.index("subscription-modified")
    assert 4 <= place <= 6
    assert set(names[place + 1 :]) == {"hardware-state-oper-disabled"}


@pytest.mark.clause("8639-2.7-a")
def test_too_slow_a_session_suspends_and_keeps_what_was_said() -> None:
    fast = structs.replace(ALARMS, events_per_second=100.0)
    driver = Driver(stream=(fast,))
    number = driver.establish(OF_ALARMS)
    driver.master.session_busy("1", True, driver.now)
    driver.until(0.5)
    assert driver.ask(ModifySubscription(number, Terms(stop_time=DeviceTime(NOW + 90 * SECOND)))).ok
    driver.until(MAX_HELD / 100 + 1)
    assert driver.said() == []
    driver.actions = driver.master.session_busy("1", False, driver.now)
    assert kinds(driver) == [
        "subscription-modified", "subscription-suspended", "subscription-resumed",
    ]  # fmt: skip
    driver.until(MAX_HELD / 100 + 2)
    assert records(driver)


@pytest.mark.clause("8639-2.7-a")
def test_a_session_that_takes_no_state_changes_either_is_closed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(forwarding, "MAX_HELD", 8)
    driver = device()
    number = driver.establish(OF_ALARMS)
    driver.master.session_busy("1", True, driver.now)
    driver.until(3)
    for second in range(30):
        terms = Terms(stop_time=DeviceTime(NOW + (60 + second) * SECOND))
        assert driver.ask(ModifySubscription(number, terms)).ok
        if driver.actions:
            break
    assert driver.actions == [ports.CloseSession("1")]  # rather than that one is dropped


@pytest.mark.clause("8639-2.4.4", "8639-2.4.5-a")
def test_delete_and_kill() -> None:
    driver = device()
    number = driver.establish(OF_ALARMS)
    assert driver.ask(DeleteSubscription(number)).ok
    driver.until(5)
    assert driver.actions == []
    number = driver.establish(OF_ALARMS)
    assert driver.ask(KillSubscription(number), "2").ok
    assert [one.kind for one in driver.said()] == [K.SUBSCRIPTION_TERMINATED]


# --------------------------------------------------------------------------- filters with names
NAMED = (
    NamedFilter("majors", "stream", xpath=BROKEN.text, namespaces=HARDWARE),
    NamedFilter("eth1", xpath="/ietf-interfaces:interfaces/interface[name='eth1']"),
)


@pytest.mark.clause("8639-2.7.2")
def test_a_filter_that_changes_is_told_with_its_contents() -> None:
    driver = device(filter=NAMED)
    wanted = SelectionFilter("ref", "majors")
    number = driver.establish(structs.replace(OF_ALARMS, selection_filter=wanted))
    driver.until(30)
    assert set(kinds(driver)) == {"hardware-state-oper-disabled"}
    enabled = SelectionFilter("xpath", "/hw:hardware-state-oper-enabled", HARDWARE)
    references = driver.master.references
    driver.actions = references.put("stream", "majors", enabled, driver.now)
    (said,) = driver.said()
    assert (said.kind, said.subscription_id) == (K.SUBSCRIPTION_MODIFIED, number)
    assert said.state_change is not None
    assert said.state_change.terms is not None
    assert said.state_change.terms.selection_filter == enabled
    driver.until(60)
    assert set(kinds(driver)) == {"hardware-state-oper-enabled"}
    assert references.put("stream", "majors", enabled, driver.now) == []
    assert references.put("datastore", "majors", enabled, driver.now) == []
    (state,) = driver.ask(Get()).subscriptions or ()
    assert state.terms.selection_filter == wanted


@pytest.mark.parametrize("how", ["gone", "unreadable"])
@pytest.mark.clause("8639-2.7.3")
def test_a_filter_that_goes_ends_what_refers_to_it(how: str) -> None:
    driver = device(filter=NAMED)
    terms = Terms(
        datastore="operational", period=SECOND, encoding="encode-json",
        selection_filter=SelectionFilter("ref", "eth1"),
    )  # fmt: skip
    reply = driver.ask(EstablishSubscription(terms))
    assert reply.generators == ("101",)
    other = driver.establish(structs.replace(terms, selection_filter=None))
    if how == "gone":
        driver.actions = driver.master.references.remove("datastore", "eth1", NOW)
    else:
        wrong = SelectionFilter("xpath", "///")
        driver.actions = driver.master.references.put("datastore", "eth1", wrong, NOW)
    (said,) = driver.said()
    assert said.subscription_id == reply.subscription_id
    assert said.state_change is not None
    assert said.state_change.reason == "filter-unavailable"
    assert [one.id for one in driver.ask(Get()).subscriptions or ()] == [other]


def test_a_filter_of_a_datastore_changes_who_delivers() -> None:
    driver = device(filter=NAMED)
    terms = Terms(
        datastore="operational", period=SECOND, encoding="encode-json",
        selection_filter=SelectionFilter("ref", "eth1"),
    )  # fmt: skip
    driver.establish(terms)
    eth2 = SelectionFilter("xpath", "/ietf-interfaces:interfaces/interface[name='eth2']")
    driver.actions = driver.master.references.put("datastore", "eth1", eth2, NOW)
    (said,) = driver.said()
    assert said.state_change is not None
    assert said.state_change.generators == ("102",)
    wrong = structs.replace(terms, selection_filter=SelectionFilter("ref", "majors"))
    assert error_of(driver.ask(EstablishSubscription(wrong)))[0] == "data-missing"


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("[[stream]]\nname = ' '", "stream[0].name"),
        ("[[stream]]\nname = 'a'\nevents_per_second = 101.0", "stream[0].events_per_second"),
        ("[[stream]]\nname = 'a'\nreplay_records = 5000", "stream[0].replay_records"),
        ("[[stream]]\nname = 'a'\n[[stream]]\nname = 'a'", "stream.name"),
        ("[[filter]]\nname = 'a'", "filter[0].xpath"),
        ("[[filter]]\nname = 'a'\nxpath = '///'", "filter[0]"),
        ("[[filter]]\nname = 'a'\nof = 'event'\nxpath = '/a'", "filter[0].of"),
    ],
)
def test_tables_that_cannot_be(text: str, key: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_scenario(text)
    assert caught.value.key == key


def test_a_table_of_a_filter_with_a_subtree() -> None:
    found = parse_scenario(
        f"[[filter]]\nname = 'a'\nof = 'stream'\nsubtree = '''{BROKEN_TREE.text}'''"
    )
    assert found.filter[0].selection_filter == BROKEN_TREE


@pytest.mark.parametrize("leaf", ["datastore-xpath-filter", "selection-filter-ref"])
def test_a_filter_of_datastores_is_not_for_a_stream(leaf: str) -> None:
    driver = device()
    number = driver.establish(OF_ALARMS)
    inside = f'<{leaf} xmlns="urn:ietf:params:xml:ns:yang:ietf-yang-push">/a:b</{leaf}>'
    assert refused_modify(driver, number, inside) == ("bad-element", "/modify-subscription", leaf)


@pytest.mark.parametrize("leaf", ["stream-xpath-filter", "stream-filter-name"])
def test_a_filter_of_streams_is_not_for_a_datastore(leaf: str) -> None:
    driver = device()
    number = driver.establish(TERMS)
    assert refused_modify(driver, number, f"<{leaf}>/a:b</{leaf}>") == (
        "bad-element", "/modify-subscription", leaf,
    )  # fmt: skip


def test_a_refused_modify_names_its_own_places() -> None:
    driver = device()
    number = driver.establish(OF_ALARMS)
    inside = "<stream-filter-name>nobody</stream-filter-name>"
    assert refused_modify(driver, number, inside) == (
        "data-missing", "/modify-subscription/stream-filter-name", "",
    )  # fmt: skip


def refused_modify(driver: Driver, number: int, inside: str) -> tuple[str, str, str]:
    octets = (
        '<rpc xmlns="urn:ietf:params:xml:ns:netconf:base:1.0" message-id="9"><modify-subscription '
        'xmlns="urn:ietf:params:xml:ns:yang:ietf-subscribed-notifications" xmlns:a="urn:a">'
        f"<id>{number}</id>{inside}</modify-subscription></rpc>"
    )
    reply = driver.master.rpc_received("1", notification_rpc(octets.encode()), NOW)[0]
    assert isinstance(reply, ports.SendReply)
    error = decode_reply(reply.message).error
    assert error is not None
    return error.tag, error.path, error.hints.get("bad-element", "")


@pytest.mark.parametrize("reason", ["closed", "killed", "dropped"])
def test_a_session_that_ends_says_why(reason: str) -> None:
    driver = device()
    driver.establish(Terms(stream="NETCONF"))
    driver.master.session_opened("3", "alice", NOW)
    if reason == "closed":
        assert driver.ask(CloseSession(), "3").ok
    elif reason == "killed":
        assert driver.ask(KillSession(3)).ok
    driver.actions = driver.master.session_closed("3", NOW)
    (one,) = [one for one in driver.actions if isinstance(one, ports.SendNotification)]
    assert f"<termination-reason>{reason}<".encode() in one.message
