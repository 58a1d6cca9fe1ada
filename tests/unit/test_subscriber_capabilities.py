"""What the collector asks a device about itself, and what it doubts then."""

from __future__ import annotations

import asyncio
import logging

import pytest
from msgspec.structs import replace

from collector.errors import ProtocolError, SessionError
from collector.model import (
    SECOND,
    CollectorTime,
    DeviceTime,
    OnChange,
    SelectionFilter,
    SubscriptionTerms,
)
from collector.subscriber.abilities.capabilities import DeviceCapabilities, look
from collector.subscriber.abilities.checks import doubts, never_updated, selects_nothing
from collector.subscriber.abilities.knowledge import SUBJECT, Knowledge
from collector.subscriber.states import SubscriptionPhase, SubscriptionState
from collector.wire.netconf.capabilities import (
    NodeCapabilities,
    PushCapabilities,
    SystemCapabilities,
    TransportCapability,
)
from collector.wire.netconf.library import Library, Module, Stream
from collector.wire.netconf.node_paths import NodePath, read_paths
from collector.wire.netconf.rpc import Get, Operation, RpcReply
from collector.wire.values import names, xml

SN, YP = "ietf-subscribed-notifications", "ietf-yang-push"
LIBRARY = "urn:ietf:params:xml:ns:yang:ietf-yang-library"
SYSTEM = "urn:ietf:params:xml:ns:yang:ietf-system-capabilities"
BARE = ("urn:ietf:params:netconf:base:1.1", "urn:ietf:params:netconf:capability:candidate:1.0")
LISTING = (
    *BARE,
    f"urn:ietf:params:xml:ns:yang:{YP}?module={YP}&revision=2019-09-09&features=on-change",
    "urn:example:x?module=example",
)
TREES = {
    "yang-library": f"""<yang-library xmlns="{LIBRARY}"><module-set>
      <module><name>{SN}</name><feature>xpath</feature></module><module><name>{YP}</name></module>
      <module><name>ietf-system-capabilities</name></module><module><name>other</name></module>
      <module><name>ietf-interfaces</name></module>
      </module-set><content-id>7</content-id></yang-library>""",
    "system-capabilities": f"""<system-capabilities xmlns="{SYSTEM}"><subscription-capabilities>
      <minimum-update-period>500</minimum-update-period></subscription-capabilities>
      </system-capabilities>""",
    "streams": "<streams><stream><name>NETCONF</name></stream></streams>",
}


class Answers:
    """A device's side: trees by what is asked for."""

    def __init__(self, trees: dict[str, str]) -> None:
        self.trees = trees
        self.asked: list[str] = []
        self.failure: Exception | None = None

    async def ask(self, selection: SelectionFilter) -> xml.Element | None:
        name = selection.text[1:].split(" ")[0]
        self.asked.append(name)
        if self.failure is not None:
            raise self.failure
        if name not in self.trees:
            raise ProtocolError("no such element", tag="unknown-element")
        return xml.parse(f"<data>{self.trees[name]}</data>".encode())

    async def call(self, subject: str, operation: Operation) -> RpcReply:
        assert (subject, isinstance(operation, Get)) == (SUBJECT, True)
        assert isinstance(operation, Get)
        assert operation.filter is not None
        return RpcReply("1", ok=True, data=await self.ask(operation.filter))


def seen(trees: dict[str, str], hello: tuple[str, ...] = BARE, **how: bool) -> DeviceCapabilities:
    return asyncio.run(look(Answers(trees).ask, hello, **how))


# --------------------------------------------------------------------------- looking
def test_a_hello_without_modules_sends_us_to_the_yang_library() -> None:
    device = Answers(TREES)
    found = asyncio.run(look(device.ask, BARE))
    assert device.asked == ["yang-library", "system-capabilities"]
    assert found.library == Library(
        (Module(SN, "", ("xpath",)), Module(YP), Module("ietf-system-capabilities")),
        5,
        content_id="7",
    )
    assert found.module(YP) == (Module(YP), "yang-library")
    assert found.module("ietf-hardware") == (None, "")
    assert (found.lists_modules, found.protocol) == ("yang-library", ("candidate",))
    assert found.system == SystemCapabilities(PushCapabilities(minimum_update_period=5 * SECOND))
    assert found.streams is None


def test_a_hello_that_lists_the_modules_is_enough() -> None:
    device = Answers(TREES)
    found = asyncio.run(look(device.ask, LISTING))
    assert device.asked == []
    assert found.module(YP) == (Module(YP, "2019-09-09", ("on-change",)), "hello")
    assert (found.lists_modules, found.hello.listed) == ("hello", 2)


def test_everything_is_asked_for_when_somebody_wants_to_know() -> None:
    found = seen(TREES, LISTING, thorough=True)
    assert found.streams == (Stream("NETCONF"),)
    assert found.module(YP)[1] == "yang-library", "which knows more than the hello"
    assert seen(TREES, LISTING, streams=True).streams == (Stream("NETCONF"),)


@pytest.mark.parametrize(
    "trees",
    [
        {},
        {"yang-library": "", "system-capabilities": "", "streams": ""},
        {"yang-library": f'<yang-library xmlns="{LIBRARY}"/>'},
    ],
)
def test_what_is_refused_or_empty_is_not_known(trees: dict[str, str]) -> None:
    found = seen(trees, thorough=True)
    assert (found.library, found.system, found.streams) == (None, None, None)
    assert found.lists_modules == ""
    refuses = "it refuses with unknown-element (no such element)"
    asked = ("yang-library", "system-capabilities", "streams")
    assert found.unanswered == {name: refuses for name in asked if name not in trees}


def test_an_old_library_is_read_too() -> None:
    state = f"<modules-state xmlns='{LIBRARY}'><module><name>{YP}</name></module></modules-state>"
    found = seen({"yang-library": state})
    assert found.module(YP) == (Module(YP), "modules-state")


def test_what_is_too_much_is_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collector.wire.netconf.library.MAX_MODULES", 1)
    monkeypatch.setattr("collector.wire.netconf.capabilities.MAX_ENTRIES", 0)
    many = TREES["system-capabilities"].replace(
        "</system-capabilities>",
        "<datastore-capabilities><per-node-capabilities/></datastore-capabilities>"
        "</system-capabilities>",
    )
    found = seen(TREES | {"system-capabilities": many}, LISTING, thorough=True)
    assert (found.hello, found.library, found.system) == (Library(), None, None)
    assert list(found.unanswered) == ["yang-library", "system-capabilities"]
    assert all(one.startswith("what it says cannot") for one in found.unanswered.values())


# --------------------------------------------------------------------------- doubts
INTERFACES = "/ietf-interfaces:interfaces"
PERIODIC = SubscriptionTerms(
    datastore="operational",
    selection_filter=SelectionFilter("xpath", INTERFACES),
    period=SECOND,
    encoding="encode-json",
)
CHANGING = replace(PERIODIC, period=None, on_change=OnChange(SECOND // 10, True, ("move",)))
STREAM = SubscriptionTerms(stream="NETCONF", encoding="encode-xml")
FEATURES = ("xpath", "subtree", "encode-json", "dscp", "qos", "replay")


def knowing(
    system: PushCapabilities | None = None,
    *nodes: tuple[str, PushCapabilities],
    transports: tuple[TransportCapability, ...] = (),
) -> DeviceCapabilities:
    entries = tuple(
        NodeCapabilities("operational", text, read_paths(text, {}), said) for text, said in nodes
    )
    return DeviceCapabilities(
        system=SystemCapabilities(system or PushCapabilities(), entries, transports)
    )


def test_what_nobody_says_is_not_doubted() -> None:
    assert doubts(PERIODIC, DeviceCapabilities()) == ()
    assert doubts(CHANGING, knowing(PushCapabilities(on_change=("state-changes",)))) == ()
    assert doubts(replace(STREAM, period=1), knowing(PushCapabilities(periodic=()))) == ()


SAYS = "its system capabilities say that "


@pytest.mark.parametrize(
    ("terms", "known", "expected"),
    [
        (
            PERIODIC,
            knowing(PushCapabilities(minimum_update_period=5 * SECOND, periodic=())),
            ["periodic updates are not supported", "the shortest period is 5 s"],
        ),
        (
            PERIODIC,
            knowing(PushCapabilities(supported_update_periods=(SECOND // 2, 60 * SECOND))),
            ["the periods are 0.5 s, 60 s"],
        ),
        (
            PERIODIC,
            knowing(
                PushCapabilities(minimum_update_period=1),
                (f"{INTERFACES}/interface", PushCapabilities(minimum_update_period=2 * SECOND)),
                ("/ietf-hardware:hardware", PushCapabilities(minimum_update_period=9 * SECOND)),
            ),
            [f"the shortest period of {INTERFACES}/interface is 2 s"],
        ),
        (
            PERIODIC,
            knowing(None, ("/", PushCapabilities(periodic=()))),
            [f"periodic updates of {INTERFACES} are not supported"],
        ),
        (
            replace(PERIODIC, selection_filter=SelectionFilter("xpath", "//x")),
            knowing(
                PushCapabilities(minimum_update_period=2 * SECOND),
                ("/a:b", PushCapabilities(periodic=())),
            ),
            ["the shortest period is 2 s"],
        ),
        (
            CHANGING,
            knowing(
                PushCapabilities(
                    on_change=(), minimum_dampening_period=SECOND, excluded_changes=("none",)
                )
            ),
            [
                "on-change updates are not supported",
                "the shortest dampening period is 1 s",
                "move cannot be excluded",
            ],
        ),
        (CHANGING, knowing(PushCapabilities(excluded_changes=("all",))), []),
        (
            PERIODIC,
            knowing(transports=(TransportCapability("udp-notif", (), ("encode-cbor",)),)),
            ["the encodings are encode-cbor"],
        ),
        (
            replace(PERIODIC, encoding="encode-xml"),
            knowing(transports=(TransportCapability("udp-notif", (), ("encode-cbor",)),)),
            [],
        ),
    ],
)  # fmt: skip
def test_what_its_capabilities_speak_against(
    terms: SubscriptionTerms, known: DeviceCapabilities, expected: list[str]
) -> None:
    assert doubts(terms, known) == tuple(SAYS + words for words in expected)


def library(*features: str, on_change: bool = True) -> DeviceCapabilities:
    push = Module(YP, "", ("on-change",) if on_change else ())
    return DeviceCapabilities(
        library=Library((Module(SN, "", features), push), 2, ("operational", "running"))
    )


def lacks(feature: str, what: str, module: str = SN) -> str:
    return f"it does not name the feature {feature} of {module}, which {what} needs"


def test_features_and_modules_that_its_library_does_not_name() -> None:
    assert doubts(PERIODIC, library(*FEATURES)) == ()
    assert doubts(PERIODIC, library()) == (
        lacks("xpath", "the xpath filter"),
        lacks("encode-json", "the encoding"),
    )
    more = replace(
        PERIODIC,
        datastore="candidate",
        dscp=10,
        weighting=3,
        replay_start_time=DeviceTime(1),
        period=None,
        on_change=OnChange(),
    )
    assert doubts(more, library("xpath", "encode-json", on_change=False)) == (
        "its yang-library names only the datastores operational, running",
        lacks("on-change", "the subscription", YP),
        lacks("dscp", "dscp"),
        lacks("qos", "weighting or dependency"),
        lacks("replay", "replay-start-time"),
    )
    for features in ((), ("encode-cbor",)):
        transport = Module(names.UDP_TRANSPORT, "", features)
        push = Library((Module(SN, "", FEATURES), Module(YP), transport), 3)
        found = doubts(replace(PERIODIC, encoding="encode-cbor"), DeviceCapabilities(library=push))
        wanting = lacks("encode-cbor", "the encoding", names.UDP_TRANSPORT)
        assert found == (() if features else (wanting,))
    empty = DeviceCapabilities(library=Library((Module("other"),), 9))
    assert doubts(PERIODIC, empty) == (f"its yang-library names no module {SN}",)


def test_a_hello_without_features_says_nothing_of_them() -> None:
    bare = DeviceCapabilities(hello=Library((Module(SN), Module(YP)), 2))
    assert doubts(PERIODIC, bare) == ()
    some = DeviceCapabilities(hello=Library((Module(SN, "", ("encode-json",)),), 1))
    assert doubts(PERIODIC, some) == (lacks("xpath", "the xpath filter"),)


def test_streams_that_are_not_there() -> None:
    known = DeviceCapabilities(streams=(Stream("NETCONF"), Stream("alarms", replay=True)))
    assert doubts(STREAM, known) == ()
    assert doubts(replace(STREAM, stream="syslog"), known) == (
        "it has only the event streams NETCONF, alarms",
    )
    again = replace(STREAM, replay_start_time=DeviceTime(1))
    assert doubts(again, known) == ("its event stream NETCONF has no replay",)
    assert doubts(replace(again, stream="alarms"), known) == ()


# --------------------------------------------------------------------------- knowledge
def test_a_device_is_asked_once_and_again_when_its_hello_changes() -> None:
    device = Answers(TREES)
    knowledge = Knowledge("d", device.call)

    async def main() -> None:
        for hello in (BARE, BARE, (*BARE, "x")):
            await knowledge.look(hello, [PERIODIC])
        assert len(device.asked) == 4
        await knowledge.look((*BARE, "x"), [STREAM])
        assert device.asked[4:] == ["yang-library", "system-capabilities", "streams"]
        await knowledge.look((*BARE, "x"), [])

    asyncio.run(main())
    assert len(device.asked) == 7
    assert knowledge.known.streams == (Stream("NETCONF"),)


def test_one_sentence_warns_and_only_once(caplog: pytest.LogCaptureFixture) -> None:
    device = Answers(TREES)
    knowledge = Knowledge("d", device.call)
    asyncio.run(knowledge.look(BARE, [PERIODIC]))
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            knowledge.warn("counters", replace(PERIODIC, encoding=None))
        knowledge.warn("slow", replace(PERIODIC, encoding=None, period=60 * SECOND))
    assert [record.getMessage() for record in caplog.records] == [
        "Device d will probably refuse subscription counters: its system capabilities say that the"
        " shortest period is 5 s. It is asked for all the same."
    ]
    caplog.clear()
    many = replace(CHANGING, dscp=1, weighting=1)
    knowledge.warn("many", many)
    assert "needs and 1 more. It is asked for all the same." in caplog.text


PART = PushCapabilities(on_change=())


def test_what_on_change_leaves_out_is_said_too(caplog: pytest.LogCaptureFixture) -> None:
    """It is up to the subscriber to know (RFC 8641 §3.3)."""
    both = PushCapabilities(on_change=("state-changes",))
    known = knowing(both, (f"{INTERFACES}/interface/statistics", PART), ("/ietf-a:b", PART))
    assert doubts(CHANGING, known) == ()
    assert never_updated(CHANGING, known) == (f"{INTERFACES}/interface/statistics",)
    assert never_updated(PERIODIC, known) == ()
    assert len(never_updated(replace(CHANGING, selection_filter=None), known)) == 2
    odd = replace(CHANGING, selection_filter=SelectionFilter("xpath", "//x"))
    assert never_updated(odd, known) == (), "nobody can tell"
    assert never_updated(CHANGING, knowing(None, (INTERFACES, PART))) == (), "it is refused"
    assert never_updated(CHANGING, DeviceCapabilities()) == ()
    knowledge = Knowledge("d", Answers({}).call)
    knowledge.known = known
    for _ in range(2):
        knowledge.warn("changes", CHANGING)
    assert [one.getMessage() for one in caplog.records] == [
        "Device d says that on-change subscription changes will never bring updates of"
        f" {INTERFACES}/interface/statistics."
    ]
    caplog.clear()
    many = tuple((f"{INTERFACES}/a{number}", PART) for number in range(5))
    knowledge.known = knowing(both, *many)
    knowledge.warn("changes", CHANGING)
    assert f"{INTERFACES}/a2 and 2 more." in caplog.text


def test_what_was_taken_all_the_same_is_shown() -> None:
    def state(phase: SubscriptionPhase, reason: str = "") -> SubscriptionState:
        return SubscriptionState("changes", phase, 1, reason, CollectorTime(0), None)

    knowledge = Knowledge("d", Answers({}).call)
    knowledge.known = knowing(PushCapabilities(on_change=()))
    active = state(SubscriptionPhase.ACTIVE)
    assert knowledge.noted([active]) == (active,)
    knowledge.warn("changes", CHANGING)
    untouched = (state(SubscriptionPhase.REFUSED), state(SubscriptionPhase.ACTIVE, "other"))
    assert knowledge.noted(untouched) == untouched
    (shown,) = knowledge.noted([active])
    assert shown.reason == f"taken, although {SAYS}on-change updates are not supported"
    knowledge.warn("changes", PERIODIC)
    assert knowledge.noted([active]) == (active,), "other terms, other doubts"


def test_who_does_not_answer_is_not_waited_for(caplog: pytest.LogCaptureFixture) -> None:
    async def never(subject: str, operation: Operation) -> RpcReply:
        await asyncio.Event().wait()
        raise AssertionError

    knowledge = Knowledge("d", never, seconds=0.01)
    asyncio.run(knowledge.look(BARE, [PERIODIC]))
    assert knowledge.known == DeviceCapabilities()
    assert "did not say within 0.01 s what it can" in caplog.text


def test_a_session_that_ends_over_it_is_not_asked_again(caplog: pytest.LogCaptureFixture) -> None:
    device = Answers(TREES)
    device.failure = SessionError("gone")
    knowledge = Knowledge("d", device.call)
    with pytest.raises(SessionError, match="gone"):
        asyncio.run(knowledge.look(BARE, [PERIODIC]))
    assert "that is not asked again" in caplog.text
    asyncio.run(knowledge.look(BARE, [PERIODIC]))
    assert len(device.asked) == 1


def test_the_root_stands_for_every_node() -> None:
    assert NodePath().covers(NodePath((("m", "a"),)))


# --------------------------------------------------------------------------- wanted modules
CARS = "http://example.com/yang/cars"
WITH_CARS = TREES | {
    "yang-library": f"""<yang-library xmlns="{LIBRARY}"><module-set><module><name>{SN}</name>
    <feature>xpath</feature><feature>encode-json</feature></module><module><name>cars</name><namespace>{CARS}</namespace></module></module-set>
    </yang-library>"""
}


HAS_LIBRARY = "urn:ietf:params:netconf:capability:yang-library:1.1?content-id=7"


def selecting(text: str, **namespaces: str) -> SubscriptionTerms:
    return replace(PERIODIC, selection_filter=SelectionFilter("xpath", text, namespaces))


def test_a_module_that_no_list_has_is_doubted_and_one_that_is_there_is_not() -> None:
    known = seen(WITH_CARS, modules=("cars", "carz", CARS, "urn:none"))  # type: ignore[arg-type]
    assert (known.namespaces, known.absent) == ({"cars": CARS, CARS: CARS}, ("carz", "urn:none"))
    assert selects_nothing(selecting("/cars:car"), known) == ()
    assert selects_nothing(selecting("/carz:car | /a:b", a="urn:none"), known) == (
        "its yang-library names no module with the namespace urn:none",
        "its yang-library names no module carz",
    )
    nowhere = ("the step car of its XPath names no module",)
    assert selects_nothing(selecting("/car"), known) == nowhere


def test_a_hello_that_lists_all_modules_is_believed() -> None:
    device = Answers(TREES)
    asked = asyncio.run(look(device.ask, LISTING, modules=("example", "cars")))
    assert "yang-library" not in device.asked
    assert (asked.namespaces, asked.absent) == ({"example": "urn:example:x"}, ("cars",))
    assert asked.absent_from == "hello"


@pytest.mark.parametrize(
    ("trees", "hello"),
    [
        ({}, BARE),  # nobody lists anything
        (
            {},
            (
                *BARE,
                "urn:ietf:params:netconf:capability:yang-library:1.1?content-id=7",
                "u?module=a",
            ),
        ),
        (TREES | {"yang-library": f'<yang-library xmlns="{LIBRARY}"><x/></yang-library>'}, BARE),
    ],
)
def test_where_no_list_can_be_had_nothing_is_doubted(
    trees: dict[str, str], hello: tuple[str, ...]
) -> None:
    found = seen(trees, hello, modules=("cars",))  # type: ignore[arg-type]
    assert (found.absent, found.absent_from) == ((), "")


def test_without_a_library_the_hello_lists_all() -> None:
    found = seen({}, (*BARE, "u?module=a"), modules=("cars",))  # type: ignore[arg-type]
    assert (found.absent, found.absent_from) == (("cars",), "hello")


def test_a_wrong_module_is_said_once_and_noted(caplog: pytest.LogCaptureFixture) -> None:
    knowledge = Knowledge("d", Answers(WITH_CARS).call)
    wrong = selecting("/carz:car")
    asyncio.run(knowledge.look(BARE, [wrong]))
    with caplog.at_level(logging.WARNING):
        knowledge.warn("s", wrong)
    assert [record.getMessage() for record in caplog.records] == [
        "Subscription s of device d will probably bring nothing: its yang-library names no module"
        " carz."
    ]
    phase = SubscriptionPhase.ACTIVE
    (state,) = knowledge.noted([SubscriptionState("s", phase, 1, "", CollectorTime(0), None)])
    assert state.reason == "will probably bring nothing: its yang-library names no module carz"


def test_every_doubt_is_noted() -> None:
    knowledge = Knowledge("d", Answers(TREES).call)
    asyncio.run(knowledge.look(BARE, [selecting("/carz:car")]))
    knowledge.warn("s", replace(selecting("/carz:car"), weighting=1))
    first, last = knowledge._notes["s"].split("; will probably bring nothing: ")
    assert first.startswith("taken, although it does not name the feature")
    assert last == "its yang-library names no module carz"


def test_the_namespace_of_a_vendors_module_is_that_of_the_library() -> None:
    knowledge = Knowledge("d", Answers(WITH_CARS).call)
    wanted = selecting("/cars:car[b:x]/ietf-interfaces:y", b="urn:b")
    asyncio.run(knowledge.look(BARE, [wanted]))
    resolved = knowledge.resolved(wanted).selection_filter
    assert resolved is not None
    assert resolved.namespaces == {"cars": CARS, "b": "urn:b"}
    short = knowledge.resolved(selecting("/c:car", c="cars")).selection_filter
    assert short is not None
    assert short.namespaces == {"c": CARS}
    own = selecting("/cars:car", cars="urn:mine")
    subtree = replace(PERIODIC, selection_filter=SelectionFilter("subtree", "<a/>"))
    for other in (own, STREAM, subtree, selecting("/carz:car")):
        assert knowledge.resolved(other) is other


def test_the_modules_of_one_device_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collector.subscriber.abilities.knowledge._MAX_NAMED", 1)
    knowledge = Knowledge("d", Answers(WITH_CARS).call)
    asyncio.run(knowledge.look(BARE, [selecting("/cars:car"), selecting("/carz:car")]))
    assert knowledge.known.absent == ()


def test_paths_are_written_as_people_do() -> None:
    long = "/ietf-interfaces:interfaces/ietf-interfaces:interface/ietf-interfaces:statistics"
    known = knowing(PushCapabilities(on_change=("state-changes",)), (long, PART))
    assert never_updated(CHANGING, known) == (f"{INTERFACES}/interface/statistics",)
    entry = f"{INTERFACES}/interface[name='a']"
    narrowed = knowing(PushCapabilities(on_change=("state-changes",)), (entry, PART))
    assert never_updated(CHANGING, narrowed) == (entry,)
