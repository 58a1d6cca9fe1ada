"""Rules that look at what the engine said, at the journal, or at settings; bounds; the report."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from collector.conformance import Inspector, Level, Report, Tally, books, inspector
from collector.conformance.anatomy import leaves, parts_of
from collector.model import (
    CollectorTime,
    Event,
    ObservedHalfBuilt,
    ObservedRefusal,
    Origin,
    Provenance,
    RejectedNote,
    SubscriptionRow,
    UnreassembledNote,
)
from tests.unit.conformance_maker import (
    ORIGIN,
    START,
    datagram,
    envelope,
    inspected,
    message,
    raw,
    started,
    text_of,
    update,
)
from tests.unit.verdict_maker import verdict

NOW = CollectorTime(START * 10**9)


def said(**parts: Any) -> Any:
    """What the engine said."""
    return SimpleNamespace(**{"verdicts": [], "events": [], "subscriptions": []} | parts)


def after(*told: Any, messages: Any = None, **settings: Any) -> dict[str, Tally]:
    judge = Inspector(**settings)
    for one in [message(envelope(started()))] if messages is None else messages:
        judge.observe(one)
    for one in told:
        judge.receive(one)
    (device,) = judge.finish().devices
    return {tally.rule.name: tally for tally in device.tallies}


def counted(tally: Tally) -> tuple[int, int]:
    return tally.broken, tally.checked


def event(kind: str) -> Event:
    return Event(NOW, "core7", "1 and 2", kind, f"something of {kind}")


def row(origin: str = "dynamic", generators: tuple[str, ...] = ("1",), **more: Any) -> Any:
    values: dict[str, Any] = {
        "time": NOW, "device": "core7", "name": "counters", "id": 1, "revision": 5,
        "origin": origin, "mode": "mso", "period_cs": 1000, "anchor": None, "filter": "",
        "encoding": "encode-json", "generators": generators,
        "provenance": Provenance.DECLARED if generators else None, "state": "active", "reason": "",
        "from_time": NOW, "to_time": None,
    }  # fmt: skip
    return SubscriptionRow(**values | more)


# --------------------------------------------------------------------------- engine
def test_silence_in_a_period_by_its_last_row() -> None:
    first = verdict(3, missing={"1": "silent"})
    cleared = verdict(3, amendment=1)
    lost = verdict(4, missing={"1": "lost"})
    found = after(said(verdicts=[first, verdict(2, missing={"2": "silent"})]), said(
        verdicts=[cleared, lost]))  # fmt: skip
    tally = found["update-in-every-period"]
    assert counted(tally) == (1, 3)
    assert tally.example is not None
    assert tally.example.text == "2 sent nothing in subscription 7"
    unlisted = after(said(verdicts=[verdict(2, missing={"2": "silent"}, provenance=None)]))
    assert unlisted["update-in-every-period"].result == "not checked"


def test_overlap_and_coverage_count_periods() -> None:
    found = after(said(verdicts=[verdict(n) for n in range(5)], events=[event("overlap")]))
    assert counted(found["parts-do-not-overlap"]) == (1, 5)
    assert counted(found["parts-cover-all"]) == (0, 5)
    found = after(said(verdicts=[verdict(1)], events=[event("node_gone"), event("restart")]))
    assert counted(found["parts-cover-all"]) == (1, 1)
    assert counted(found["parts-do-not-overlap"]) == (0, 1)


def test_data_under_another_id() -> None:
    assert counted(after()["data-has-started-id"]) == (0, 1)
    assert counted(after(said(events=[event("id_differs")]))["data-has-started-id"]) == (1, 1)


def test_the_reply_names_the_originators() -> None:
    assert counted(after(said(subscriptions=[row(), row()]))["reply-has-list"]) == (0, 1)
    found = after(said(subscriptions=[row(generators=())]))["reply-has-list"]
    assert counted(found) == (1, 1)
    expected = after(said(subscriptions=[row(provenance=Provenance.CONFIGURED)]))
    assert expected["reply-has-list"].result == "not checked"
    configured = after(said(subscriptions=[row("configured", ())]))
    assert configured["reply-has-list"].result == "not checked"


def test_terms_of_a_reply_hold_for_updates() -> None:
    """A dynamic subscription has no subscription-started."""
    judge = Inspector()
    judge.receive(said(subscriptions=[row(generators=("1", "2"))]))
    for at in (1.0, 2.0, 95.0):
        judge.observe(message(envelope(update(at), at), int(at) + 7, at))
    judge.observe(message(envelope(update(96.0, generator=9), 96.0), 104, 96.0))
    judge.receive(said(subscriptions=[row(state="ended")]))
    (device,) = judge.finish().devices
    found = {tally.rule.name: tally for tally in device.tallies}
    assert found["one-update-per-period"].broken == 1
    assert found["sender-is-on-list"].broken == 1
    assert found["everybody-on-list-sends"].broken == 1


# --------------------------------------------------------------------------- journal, settings
def test_a_journal_says_why_datagrams_were_refused() -> None:
    refused = ObservedRefusal(NOW, ORIGIN, None, None, RejectedNote("too-short", "3 octets hold"))
    found = inspected([message(envelope(update())), refused])
    assert counted(found["datagrams-can-be-used"]) == (1, 2)
    assert found["header-is-whole"].result == "not checked"
    found = inspected([datagram(raw()), message(envelope(update())), refused])
    assert found["datagrams-can-be-used"].result == "not checked"  # each has its own rules


def test_max_segment_size_is_checked_when_it_is_known() -> None:
    long = [datagram(raw(payload=b"{" * 100))]
    assert inspected(long)["max-segment-size"].result == "not checked"
    assert inspected(long, max_segment_size=112)["max-segment-size"].result == "kept"
    assert inspected(long, max_segment_size=111)["max-segment-size"].result == "broken"


def test_half_built_messages_break_no_rule() -> None:
    half = ObservedHalfBuilt(NOW, ORIGIN, 1, 9, UnreassembledNote(NOW, 1, 2))
    found = inspected([message(envelope(update())), half])
    assert not [name for name, tally in found.items() if tally.broken and "segment" in name]


# --------------------------------------------------------------------------- devices and bounds
def test_only_the_wanted_device_and_nobodys_messages() -> None:
    judge = Inspector(("core7",))
    judge.observe(message(envelope(update())))
    judge.observe(message(envelope(update()), origin=Origin("edge1", "192.0.2.8", 1)))
    judge.observe(message(envelope(update()), origin=Origin("", "192.0.2.9", 1)))
    judge.receive(said(events=[Event(NOW, "edge1", "", "overlap", "x")], subscriptions=[]))
    report = judge.finish()
    assert [one.device for one in report.devices] == ["core7"]
    assert report.left_out == 1
    by_source = Inspector(("192.0.2.7",))
    by_source.observe(message(envelope(update())))
    assert len(by_source.finish().devices) == 1


def test_devices_are_bounded(monkeypatch: Any) -> None:
    monkeypatch.setattr(inspector, "DEVICES", 2)
    judge = Inspector()
    for number in range(5):
        judge.observe(message(envelope(update()), origin=Origin(f"d{number}", "192.0.2.7", 1)))
    report = judge.finish()
    assert (len(report.devices), report.left_out) == (2, 3)


def test_periods_are_bounded(monkeypatch: Any) -> None:
    monkeypatch.setattr(inspector, "PERIODS", 2)
    found = after(said(verdicts=[verdict(n) for n in range(9)]))
    assert found["update-in-every-period"].checked == 9


def test_what_is_remembered_of_a_device_is_bounded(monkeypatch: Any) -> None:
    for name in ("COUNTERS", "SERIES", "ORIGINATORS", "RECEIVERS", "IDS"):
        monkeypatch.setattr(books, name, 3)
    sent = [
        message(
            envelope(update(float(n), generator=n % 7, subscription=n % 11), float(n)),
            n, n + 0.1, publisher=n % 5,
            origin=Origin("core7", "192.0.2.7", 5000, f"192.0.2.{n % 9}", 10003),
        )
        for n in range(200)
    ]  # fmt: skip
    sent += [message(envelope(started(subscription=n)), n, publisher=1) for n in range(20)]
    known = books.DeviceBooks()
    for one in sent:
        known.take(one)
    tables = [value for value in vars(known).values() if isinstance(value, dict)]
    assert tables
    assert max(map(len, tables)) == 3
    assert len(list(known.finish())) > 50  # what was forgotten, too


def test_a_list_that_changes_is_looked_at_by_itself() -> None:
    sent = [
        message(envelope(started(message_publisher_id=[1, 2]))),
        *(message(envelope(update(10.0 * n), 10.0 * n), 8 + n, 10.0 * n) for n in range(1, 10)),
        message(envelope(started("modified", message_publisher_id=[1])), 30, 100.0),
        *(message(envelope(update(10.0 * n), 10.0 * n), 20 + n, 10.0 * n) for n in range(11, 20)),
    ]  # fmt: skip
    assert counted(inspected(sent)["everybody-on-list-sends"]) == (1, 2)


# --------------------------------------------------------------------------- bundles
def test_every_notification_of_a_bundle_is_looked_at() -> None:
    def entry(subscription: int, **more: Any) -> Any:
        return {
            "notification-header": {"notification-time": text_of(0)},
            "notification-contents": update(subscription=subscription, **more),
        }

    bundle = {
        "ietf-notification-messages:message": {
            "message-header": {"message-time": text_of(0)},
            "notifications": [entry(1), entry(2, message_publisher_id=None), entry(3)],
        }
    }
    found = inspected([message(bundle)])
    assert counted(found["update-has-publisher-id"]) == (1, 3)
    assert counted(found["message-id-not-reused"]) == (0, 1)
    assert counted(found["one-notification"]) == (0, 0)


# --------------------------------------------------------------------------- report and anatomy
def test_levels_of_failure() -> None:
    judge = Inspector()
    judge.observe(message(envelope(update(), 10.0)))  # a clock, which is a SHOULD
    (device,) = judge.finish().devices
    assert [tally.rule.level for tally in device.with_result("broken")] == [Level.SHOULD, Level.MAY]
    assert (device.fails(Level.MUST), device.fails(Level.SHOULD)) == (False, True)
    assert Report(()).devices == ()


def test_messages_that_are_nothing_of_the_kind() -> None:
    for value in (
        None, [], 7, "x", {}, {1: {}}, {"ietf-yp-notification:envelope": 3},
        {"ietf-yp-notification:envelope": {"contents": []}},
        {"ietf-yp-notification:envelope": {"contents": {"a:b": 1}}},
        {"ietf-notification-messages:message": {"notifications": []}},
        {"ietf-notification-messages:message": {"notifications": [3]}},
    ):  # fmt: skip
        assert parts_of(value) is None, value


def test_leaves_are_bounded() -> None:
    deep: Any = 1
    for _ in range(200):
        deep = {"a": deep}
    assert list(leaves(deep)) == []
    assert len(list(leaves({"a": list(range(50_000))}))) == 20_000
    assert list(leaves({"a": [{"b": 1}, {"b": [None]}], "c": []})) == [
        ("/a[1]/b", 1), ("/a[2]/b", [None]), ("/c", []),
    ]  # fmt: skip
