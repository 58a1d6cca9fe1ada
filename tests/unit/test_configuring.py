"""A plan carried out on a device: through candidate or in running, and what is left when it fails.

The device is the simulated master itself, without sockets.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from collector.config import Config, parse_config
from collector.errors import ProtocolError, SinkError, UsageError
from collector.model import SelectionFilter, SubscriptionTerms
from collector.service.configured_ids import FILE, load_ids, save_ids, with_ids
from collector.service.configuring import (
    DeviceLook,
    devices_to_configure,
    keep_ids,
)
from collector.service.configuring_words import to_lines, to_plain
from collector.subscriber.abilities.capabilities import DeviceCapabilities
from collector.subscriber.abilities.checks import configured_doubts
from collector.subscriber.configured.configuring import Configurer, Done, Look
from collector.subscriber.configured.plan import MARK, Plan
from collector.subscriber.configured.talk import GivenUpError
from collector.subscriber.configured.wanted import configured_on
from collector.subscriber.configured.writing import PLAIN, How
from collector.subscriber.sessions.session import SessionSettings
from collector.wire.netconf.capabilities import SystemCapabilities, TransportCapability
from collector.wire.netconf.library import Library, Module
from collector.wire.netconf.rpc import (
    CANDIDATE,
    RUNNING,
    EditConfig,
    GetConfig,
    Lock,
    decode_reply,
    decode_rpc,
    encode_rpc,
    operation_name,
)
from collector.wire.subscriptions.config import (
    Configuration,
    ConfiguredSubscription,
    Edit,
    read_configuration,
    write_edits,
)
from collector.wire.subscriptions.receiver_instances import ReceiverInstance
from collector.wire.values import names, xml
from publisher_sim.master import ports
from publisher_sim.scenario import Configuration as Configurable
from tests.unit.test_sim_configuration import Device

CONFIG = """
[[device]]
name = "core7"
[device.netconf]
host = "192.0.2.7"
username = "telemetry"
password_env = "CORE7_PASSWORD"
[[receiver_instance]]
name = "here"
address = "127.0.0.1"
port = 10003
[[receiver_instance]]
name = "web"
transport = "https"
address = "127.0.0.1"
port = 8443
[[subscription]]
name = "counters"
xpath = "/ietf-interfaces:interfaces"
period_seconds = 10
configured_id = 100
receivers = ["here"]
[[subscription]]
name = "first"
xpath = "/ietf-hardware:hardware"
period_seconds = 10
configured_id = 7
receivers = ["web"]
dependency = "counters"
"""
WANTED = configured_on(parse_config(CONFIG), "core7")


class SimSession:
    """A ``NetconfSession`` as far as it is used here."""

    settings = SessionSettings("192.0.2.7", "telemetry")

    def __init__(
        self, device: Device | None = None, *, number: str = "1", **configured: Any
    ) -> None:
        self.device = device or Device(configuration=Configurable(**configured))
        self.number = number
        self.capabilities = tuple(self.device.master.retrieval.hello)
        self.asked: list[str] = []
        self.before: dict[str, Callable[[], None]] = {}
        """operation -> what happens on the device just before it."""
        self.answers: dict[str, list[bytes]] = {}
        """operation -> what is answered instead, the next times."""

    async def rpc(self, request: bytes, timeout: int | None = None) -> bytes:
        rpc = decode_rpc(request)
        name = operation_name(rpc.operation).rpartition(":")[2]
        if name != "get":
            self.asked.append(name)
        self.before.pop(name, lambda: None)()
        if self.answers.get(name):
            return self.answers[name].pop(0).replace(b"%", rpc.message_id.encode())
        reply, *_ = self.device.master.rpc_received(self.number, rpc, self.device.now)
        assert isinstance(reply, ports.SendReply)
        return reply.message

    def running(self, datastore: str = RUNNING) -> Configuration:
        octets = encode_rpc("1", GetConfig(datastore))
        reply, *_ = self.device.master.rpc_received("2", decode_rpc(octets), self.device.now)
        assert isinstance(reply, ports.SendReply)
        data = decode_reply(reply.message, typed=False).data
        assert data is not None
        return read_configuration(data.children)

    def ids(self, datastore: str = RUNNING) -> list[int]:
        return [one.id for one in self.running(datastore).subscriptions]


def refusal(tag: str, text: str = "no", info: str = "") -> bytes:
    base = names.NETCONF_BASE
    return (
        f'<rpc-reply xmlns="{base}" message-id="%"><rpc-error><error-type>protocol</error-type>'
        f"<error-tag>{tag}</error-tag><error-severity>error</error-severity>"
        f"<error-message>{text}</error-message><error-info>{info}</error-info></rpc-error>"
        "</rpc-reply>"
    ).encode()


def do(session: SimSession, how: How = PLAIN) -> Look:
    """Look and carry out; what is left to do."""
    return carry_out(session, how).left


def carry_out(session: SimSession, how: How = PLAIN) -> Done:
    async def both() -> Done:
        configurer = Configurer(session, WANTED, how)  # type: ignore[arg-type]
        return await configurer.carry_out(await configurer.look())

    return asyncio.run(both())


def look(session: SimSession, how: How = PLAIN) -> Look:
    return asyncio.run(Configurer(session, WANTED, how).look())  # type: ignore[arg-type]


THROUGH_CANDIDATE = [
    "get-config", "lock", "lock", "get-config", "get-config", "get-config", "edit-config",
    "validate", "commit", "commit", "unlock", "unlock", "get-config",
]  # fmt: skip


def test_through_candidate() -> None:
    session = SimSession()
    assert look(session).doubts == ()
    session.asked.clear()
    left = do(session)
    assert (left.plan.edits, left.datastore) == ((), CANDIDATE)
    assert session.asked == THROUGH_CANDIDATE
    assert session.ids() == [100, 7]
    (first,) = (one for one in session.running().subscriptions if one.id == 7)
    assert (first.terms.dependency, first.terms.transport) == (100, "https")
    assert first.purpose == MARK + "first"
    session.asked.clear()
    do(session)
    assert "edit-config" not in session.asked
    assert do(session, How(remove=True)).plan.edits == ()
    assert session.running() == Configuration()


def test_in_running_where_there_is_no_candidate() -> None:
    session = SimSession(candidate=False)
    assert do(session).datastore == RUNNING
    assert session.asked == [
        "get-config", "lock", "get-config", "edit-config", "unlock", "get-config",
    ]  # fmt: skip
    assert session.ids() == [100, 7]


def test_a_device_without_locks() -> None:
    session = SimSession(candidate=False)
    session.answers["lock"] = [refusal("operation-not-supported")]
    do(session)
    assert session.ids() == [100, 7]
    assert "unlock" not in session.asked


def test_the_old_spelling_of_a_device() -> None:
    """Known from what is there, else from the modules that it says it has."""
    session = SimSession(spelling="old")
    library = (
        f'<rpc-reply xmlns="{names.NETCONF_BASE}" message-id="%"><data><modules-state '
        'xmlns="urn:ietf:params:xml:ns:yang:ietf-yang-library"><module><name>ietf-udp-notif'
        "</name></module></modules-state></data></rpc-reply>"
    ).encode()
    session.answers["get"] = [library, library]
    wanted = structs.replace(
        WANTED,
        instances=(
            WANTED.instances[0], structs.replace(WANTED.instances[1], spelling="https-notif-15"),
        ),
    )  # fmt: skip

    async def both() -> None:
        configurer = Configurer(session, wanted)  # type: ignore[arg-type]
        await configurer.carry_out(await configurer.look())

    asyncio.run(both())
    assert {one.spelling for one in session.running().instances} == {
        "udp-notif-08", "https-notif-15",
    }  # fmt: skip
    assert session.device.state(100)[0] == "valid"
    assert look(session).plan.edits == ()


def test_a_device_that_does_not_know_purpose() -> None:
    session = SimSession(purpose=False)
    left = do(session)
    assert (left.marked, left.plan.edits) == (False, ())
    assert session.ids() == [100, 7]
    assert {one.purpose for one in session.running().subscriptions} == {""}
    # the next time it cannot be told from the outside, and is found out once more
    assert do(session).plan.edits == ()
    assert "discard-changes" in session.asked


@pytest.mark.parametrize("failing", ["edit-config", "validate", "commit"])
def test_a_refusal_leaves_everything_as_it_was(failing: str) -> None:
    session = SimSession()
    session.answers[failing] = [refusal("operation-failed", "the disk is full")]
    with pytest.raises(ProtocolError, match="the disk is full"):
        do(session)
    assert session.asked[-3:] == ["discard-changes", "unlock", "unlock"]
    assert session.running() == Configuration()
    assert do(session).plan.edits == ()


def test_another_session_holds_the_lock() -> None:
    session = SimSession()
    session.device.ask(Lock(CANDIDATE), "2")
    with pytest.raises(ProtocolError, match="locked already") as caught:
        do(session)
    assert caught.value.hints == {"session-id": "2"}
    assert session.asked[-1] == "unlock"


@pytest.mark.parametrize(
    ("info", "whose"),
    [
        ("<session-id>0</session-id>", "somebody outside NETCONF, or by changes there that nobody"),
        ("<session-id>12</session-id>", r"session 12 \(no\)"),
        ("<session-id>somebody</session-id>", r"somebody else \(no\)"),
        ("", r"somebody else \(no\)"),
    ],
)
def test_who_holds_the_lock(info: str, whose: str) -> None:
    session = SimSession()
    for confirmed in (True, False):
        session.answers["lock"] = [refusal("in-use", info=info)]
        with pytest.raises(GivenUpError, match=f"^running is held by {whose}") as caught:
            do(session)
        assert ("ends by itself" in str(caught.value)) is confirmed
        session.capabilities = tuple(c for c in session.capabilities if "confirmed" not in c)


def theirs(number: int) -> str:
    receiver = ReceiverInstance("noc", "udp-notif", "127.0.0.9", 1)
    terms = WANTED.subscriptions[0].terms
    one = ConfiguredSubscription(number, terms, purpose="theirs")
    return write_edits([Edit(None, receiver), Edit(None, one)]).replace(
        "<receivers/>",
        "<receivers><receiver><name>noc</name><receiver-instance-ref "
        f'xmlns="{names.NAMESPACES[names.RECEIVERS]}">noc</receiver-instance-ref></receiver>'
        "</receivers>",
    )


def test_somebody_changes_it_between_the_look_and_the_lock() -> None:
    session = SimSession()
    change = EditConfig(RUNNING, theirs(100))

    def edit() -> None:
        session.device.ask(change, "2")

    session.before["lock"] = edit
    with pytest.raises(ProtocolError, match="changed it meanwhile"):
        do(session)
    assert session.ids() == [100]
    assert session.running().subscriptions[0].purpose == "theirs"


def test_changes_of_others_in_candidate_are_not_committed() -> None:
    """On a device that gives the lock all the same."""
    session = SimSession()
    session.device.ask(EditConfig(CANDIDATE, theirs(55)), "2")
    granted = f'<rpc-reply xmlns="{names.NETCONF_BASE}" message-id="%"><ok/></rpc-reply>'.encode()
    session.answers["lock"] = [granted, granted]
    shown = look(session)
    with pytest.raises(ProtocolError, match="that are not committed"):
        do(session)
    assert "edit-config" not in session.asked
    assert session.ids() == []
    assert shown.plan.edits


def test_without_locks_all_of_candidate_is_compared() -> None:
    session = SimSession()
    unknown = refusal("operation-not-supported")
    session.answers["lock"] = [unknown, unknown]
    assert do(session).plan.edits == ()
    start = f'<rpc-reply xmlns="{names.NETCONF_BASE}" message-id="%"><data>'
    other = f'{start}<system xmlns="x:y"/></data></rpc-reply>'
    running = f"{start}</data></rpc-reply>"
    session = SimSession()
    session.answers["lock"] = [unknown, unknown]
    session.answers["get-config"] = [running.encode()] * 2 + [other.encode(), running.encode()]
    with pytest.raises(ProtocolError, match="that are not committed"):
        do(session)
    assert session.running() == Configuration()


@pytest.mark.parametrize(
    ("reply", "word"),
    [
        (b"<nonsense/>", "its reply cannot be read"),
        (f'<rpc-reply xmlns="{names.NETCONF_BASE}" message-id="%"/>'.encode(), "carries no data"),
    ],
)
def test_what_cannot_be_read(reply: bytes, word: str) -> None:
    session = SimSession()
    session.answers["get-config"] = [reply]
    with pytest.raises(ProtocolError, match=word):
        look(session)


def test_too_much_to_read(monkeypatch: pytest.MonkeyPatch) -> None:
    session = SimSession()
    do(session)
    monkeypatch.setattr("collector.wire.subscriptions.config.MAX_SUBSCRIPTIONS", 1)
    with pytest.raises(ProtocolError, match="its configuration cannot be read"):
        look(session)


def test_an_odd_entry_of_others_hides_nothing() -> None:
    session = SimSession()
    session.device.ask(EditConfig(RUNNING, theirs(55)))
    octets = asyncio.run(session.rpc(encode_rpc("1", GetConfig(RUNNING))))
    odd = octets.replace(b">1000</", b">no number</").replace(b'id="1"', b'id="%"')
    session.answers["get-config"] = [odd]
    found = look(session).plan
    made = [one.after for one in found.edits]
    assert [one.id for one in made if isinstance(one, ConfiguredSubscription)] == [100, 7]


# --------------------------------------------------------------------------- doubts
def test_what_the_device_says_that_it_cannot_is_said_before() -> None:
    wanted = structs.replace(
        WANTED,
        subscriptions=tuple(
            structs.replace(one, terms=structs.replace(one.terms, period=1_000_000))
            for one in WANTED.subscriptions
        ),
    )
    session = SimSession()
    look = asyncio.run(Configurer(session, wanted).look())  # type: ignore[arg-type]
    assert len(look.plan.edits) == 4
    assert "counters will probably be invalid there: " in look.doubts[0]
    assert "shortest period" in " ".join(look.doubts)
    shown = DeviceLook("core7", look)
    assert any(line.startswith("  ? counters") for line in to_lines(shown))
    assert to_plain(shown)["doubts"] == list(look.doubts)


def test_a_module_that_the_device_does_not_have_is_said_before() -> None:
    chosen = SelectionFilter("xpath", "/ietf-interfacez:interfaces")
    first, *rest = WANTED.subscriptions
    wrong = structs.replace(first, terms=structs.replace(first.terms, selection_filter=chosen))
    wanted = structs.replace(WANTED, subscriptions=(wrong, *rest))
    found = asyncio.run(Configurer(SimSession(), wanted).look())  # type: ignore[arg-type]
    (silent,) = [one for one in found.doubts if "bring nothing" in one]
    assert silent.startswith(f"{first.name} will probably bring nothing: its ")
    assert silent.endswith(" names no module ietf-interfacez")


def test_what_a_device_says_of_configured_subscriptions() -> None:
    terms = WANTED.subscriptions[1].terms
    assert configured_doubts(terms, DeviceCapabilities()) == ()
    without = Library((Module(names.SN, features=("xpath",)),), listed=1)
    udp = SystemCapabilities(transports=(TransportCapability("udp-notif"),))
    found = configured_doubts(terms, DeviceCapabilities(library=without, system=udp))
    assert found == (
        "it does not name the feature configured of ietf-subscribed-notifications",
        "its system capabilities say that the transports are udp-notif",
    )
    able = Library((Module(names.SN, features=("configured",)),), listed=1)
    udp_only = WANTED.subscriptions[0].terms
    assert configured_doubts(udp_only, DeviceCapabilities(library=able, system=udp)) == ()
    both = SystemCapabilities(
        transports=(
            TransportCapability("udp-notif", (), ("encode-cbor",)),
            TransportCapability("https", (), ("encode-json", "encode-xml")),
        )
    )
    of_another = "its system capabilities say that the encodings over udp-notif are encode-cbor"
    assert configured_doubts(udp_only, DeviceCapabilities(system=both)) == (of_another,)
    assert configured_doubts(terms, DeviceCapabilities(system=both)) == ()
    nobodys = structs.replace(udp_only, encoding="encode-gpb")  # which ``doubts`` says
    assert configured_doubts(nobodys, DeviceCapabilities(system=both)) == ()


def test_a_device_that_takes_its_time_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collector.subscriber.configured.configuring.LOOK_SECONDS", 0.05)
    session = SimSession()
    answered = session.rpc

    async def slow(request: bytes, timeout: int | None = None) -> bytes:
        if b"<get>" in request:
            await asyncio.sleep(30)
        return await answered(request, timeout)

    monkeypatch.setattr(session, "rpc", slow)
    wanted = structs.replace(
        WANTED,
        instances=tuple(
            structs.replace(one, spelling=spelling)
            for one, spelling in zip(
                WANTED.instances, ("udp-notif-26", "https-notif-16"), strict=True
            )
        ),
    )
    found = asyncio.run(Configurer(session, wanted).look())  # type: ignore[arg-type]
    assert (len(found.plan.edits), found.doubts) == (4, ())


# --------------------------------------------------------------------------- ids, words
def config(folder: Path) -> Config:
    return parse_config(CONFIG.replace("[[device]]", f'[collector]\ndata_dir = "{folder}"\n'
                                       "[[device]]", 1))  # fmt: skip


def done(**ids: int) -> DeviceLook:
    return DeviceLook("core7", Look(Plan(ids=ids), RUNNING))


def test_ids_are_kept_for_the_running_collector(tmp_path: Path) -> None:
    one = config(tmp_path)
    assert with_ids(one) is one
    assert not keep_ids(one, [done(counters=100, first=7)], remove=False)
    assert keep_ids(one, [done(counters=42, first=7)], remove=False)
    assert load_ids(tmp_path) == {"core7": {"counters": 42}}
    assert not keep_ids(one, [DeviceLook("core7", error="gone")], remove=False)
    (known,) = with_ids(one).known_subscriptions
    assert (known.id, known.name, known.devices, known.period_seconds) == (
        42, "counters", ("core7",), 10,
    )  # fmt: skip
    assert keep_ids(one, [done(counters=42)], remove=True)
    assert load_ids(tmp_path) == {}


def test_a_file_of_ids_that_is_none(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / FILE).write_text("{")
    assert load_ids(tmp_path) == {}
    assert "Run `collector configure` once more" in caplog.text
    (tmp_path / "file").write_text("")
    with pytest.raises(SinkError, match="cannot be written"):
        save_ids(tmp_path / "file" / "x", {"a": {"b": 1}})


def test_looks_in_words() -> None:
    session = SimSession()
    one = DeviceLook("core7", look(session))
    text = "\n".join(to_lines(one))
    assert text.startswith("core7: 4 changes to write in candidate\n  + receiver-instance here")
    assert "      remote-address       127.0.0.1" in text
    assert to_plain(one)["changes"][0]["leaves"]["remote-port"] == [None, "10003"]
    do(session)
    assert to_lines(DeviceLook("core7", look(session))) == ["core7: as wanted"]
    removal = DeviceLook("core7", look(session, How(remove=True)), "no answer", written=True)
    lines = to_lines(removal)
    assert lines[0] == "core7: 4 changes written in candidate"
    assert lines[1:3] == ["  - subscription 100", "  - subscription 7"]
    assert lines[-1] == "  ! no answer"
    assert not removal.is_good
    assert to_lines(DeviceLook("core7", error="no route")) == ["core7: no route"]
    way = DeviceLook("core7", Look(Plan(conflicts=("x belongs",), notes=("y",)), RUNNING))
    assert to_lines(way) == ["core7: in the way", "  ! x belongs", "  y"]
    assert to_plain(DeviceLook("core7", error="no route"))["error"] == "no route"


def test_trees_of_a_device_survive_the_wire() -> None:
    session = SimSession()
    do(session)
    tree = session.device.master.configuring
    assert tree is not None
    assert xml.inner_text(tree.tree(RUNNING)) == xml.inner_text(tree.tree(CANDIDATE))


HOMELY = """
[call_home]
enabled = true
[[device]]
name = "home1"
[device.netconf]
call_home = true
username = "u"
key_file = "k"
host_keys = ["SHA256:2vvquRbI8Zo2NfCjSRBJXZ80I9ZRKiiDPCzN5kIHgkg"]
[[receiver_instance]]
name = "collector"
transport = "udp-notif"
address = "192.0.2.1"
port = 10003
[[subscription]]
name = "counters"
devices = ["*"]
xpath = "/m:x"
period_seconds = 10
configured_id = 100
receivers = ["collector"]
"""


def test_a_device_that_calls_home_is_configured_like_any() -> None:
    assert devices_to_configure(parse_config(HOMELY), ()) == ("home1",)
    other = '[[device]]\nname = "core7"\n[device.netconf]\nhost = "192.0.2.7"\n'
    both = parse_config(f'{HOMELY}{other}username = "u"\nkey_file = "k"\n')
    assert devices_to_configure(both, ()) == ("home1", "core7")


def test_what_nobody_wants_any_more_may_be_on_any_device() -> None:
    """The last configured subscription was taken out of the file, and --prune is to follow."""
    device = '[[device]]\nname = "core7"\n[device.netconf]\nhost = "192.0.2.7"\n'
    config = parse_config(f'{device}username = "u"\nkey_file = "k"\n')
    assert devices_to_configure(config, (), prune=True) == ("core7",)
    with pytest.raises(UsageError, match="no subscription has a configured_id"):
        devices_to_configure(config, ())


def test_a_leaf_that_is_new_in_an_entry_is_shown_as_a_change() -> None:
    """Its value alone would read as if it were there already."""
    terms = SubscriptionTerms(stream="NETCONF")
    before = ConfiguredSubscription(100, terms, (), "")
    after = structs.replace(before, purpose=f"{MARK}counters")
    (_, _, line) = to_lines(DeviceLook("core7", Look(Plan((Edit(before, after),)), "running")))
    assert line.split(maxsplit=1) == ["purpose", f"nothing -> {MARK}counters"]
    lines = to_lines(DeviceLook("core7", Look(Plan((Edit(None, after),)), "running")))
    assert any(one.split(maxsplit=1) == ["purpose", f"{MARK}counters"] for one in lines)
