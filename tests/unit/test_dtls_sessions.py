"""``receivers.tls.dtls_sessions``: handshakes, bounds, refusals, ends; no socket, no waiting."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

SSL = pytest.importorskip("OpenSSL.SSL", reason="pyOpenSSL is not installed (extra dtls)")

from collector.config import TlsServerSettings  # noqa: E402
from collector.receivers.refusals import Refusals  # noqa: E402
from collector.receivers.tls import dtls_sessions  # noqa: E402 - after the skip
from collector.receivers.tls.dtls_sessions import DtlsSessions, Key  # noqa: E402
from collector.receivers.tls.server import ServerTls  # noqa: E402
from tests.certificates import Authority, Issued  # noqa: E402
from tests.dtls_ends import Client, client_context  # noqa: E402

PEER: Key = ("192.0.2.7", 4000)


class Place:
    """Authorities, and a receiver's side that uses them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ours = Authority(folder, "Our authority")
        self.theirs = Authority(folder, "Another authority")
        self.server = self.ours.issue("collector", dns=["collector.example"])
        self.client = self.ours.issue("core7", dns=["Core7.example"])
        self.refusals = Refusals("dtls")

    def sessions(
        self, *, most: int = 100, idle_seconds: float = 600.0, **changed: object
    ) -> DtlsSessions:
        values = {
            "certificate_file": str(self.server.certificate),
            "key_file": str(self.server.key),
            "client_ca_file": str(self.ours.file),
        } | changed
        files = TlsServerSettings(**values)  # type: ignore[arg-type]  # what a test changes
        self.tls = ServerTls(files, section="dtls", refusals=self.refusals)
        self.tls.load()
        return DtlsSessions(self.tls, most=most, idle_seconds=idle_seconds, now=0.0)

    def connect(
        self, sessions: DtlsSessions, shown: Issued | None = None, key: Key = PEER, now: float = 0.0
    ) -> Client:
        client = Client(client_context(self.ours.file, shown or self.client))
        assert shake_hands(sessions, client, key, now)
        return client


@pytest.fixture(scope="module")
def module_place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return Place(tmp_path_factory.mktemp("dtls"))


@pytest.fixture
def place(module_place: Place) -> Place:
    module_place.refusals = Refusals("dtls")
    return module_place


def answers(sessions: DtlsSessions, key: Key = PEER) -> list[bytes]:
    return [datagram for to, datagram in sessions.take_outgoing() if to == key]


def give(
    sessions: DtlsSessions, datagrams: list[bytes], key: Key = PEER, now: float = 0.0
) -> list[bytes]:
    """What the receiver answers."""
    for datagram in datagrams:
        sessions.receive(datagram, key, now)
    return answers(sessions, key)


def shake_hands(sessions: DtlsSessions, client: Client, key: Key = PEER, now: float = 0.0) -> bool:
    """The whole handshake; whether there is a session at both ends."""
    said = client.step()
    for _ in range(8):
        heard = give(sessions, said, key, now)
        if not heard:
            break
        said = client.step(heard)
    return client.established and key in sessions.established and key not in sessions.half_open


# --------------------------------------------------------------------------- a session
def test_a_session_from_hello_to_good_bye(place: Place) -> None:
    sessions = place.sessions()
    client = place.connect(sessions)
    assert sessions.receive(client.send(b"one"), PEER, 1.0) == (
        "192.0.2.7 certificate:core7.example", [b"one"],
    )  # fmt: skip
    together = client.send(b"two") + client.send(b"three")
    assert sessions.receive(together, PEER, 1.0)[1] == [b"two", b"three"]
    assert sessions.take_outgoing() == []
    (good_bye,) = give(sessions, client.close())
    with pytest.raises(SSL.ZeroReturnError):
        client.receive(good_bye)
    assert len(sessions) == 0
    assert place.refusals.counts == {}


def test_nothing_is_kept_of_who_has_not_shown_that_he_can_be_reached(place: Place) -> None:
    sessions = place.sessions()
    hellos = [Client(client_context(place.ours.file)).step() for _ in range(50)]
    for number, hello in enumerate(hellos):
        (answer,) = give(sessions, hello, ("192.0.2.7", number))
        assert answer[13] == 3, "hello_verify_request (RFC 6347 §4.3.2)"
        assert len(answer) < len(hello[0]), "no more is sent back than came"
    assert len(sessions) == 0


def test_a_cookie_is_good_for_one_sender_and_for_a_while(place: Place) -> None:
    sessions = place.sessions()
    client = Client(client_context(place.ours.file, place.client))
    hello = client.step(give(sessions, client.step()))
    for other in (("192.0.2.8", 4000), ("192.0.2.7", 4001)):
        (answer,) = give(sessions, hello, other)
        assert answer[13] == 3
    sessions.look(301.0)
    sessions.look(602.0)
    (answer,) = give(sessions, hello)
    assert answer[13] == 3, "it is too old"
    assert len(sessions) == 0
    newer = Client(client_context(place.ours.file, place.client))
    hello = newer.step(give(sessions, newer.step()))
    sessions.look(903.0)
    assert give(sessions, hello)
    assert PEER in sessions.half_open, "the key before the present one is still good"


def test_what_was_changed_or_comes_again_is_dropped_without_a_word(place: Place) -> None:
    sessions = place.sessions()
    client = place.connect(sessions)
    record = client.send(b"a")
    changed = record[:-1] + bytes([record[-1] ^ 1])
    assert sessions.receive(changed, PEER, 0.0)[1] == []
    assert sessions.receive(record, PEER, 0.0)[1] == [b"a"]
    assert sessions.receive(record, PEER, 0.0)[1] == []
    late, early = client.send(b"late"), client.send(b"early")
    assert sessions.receive(early, PEER, 0.0)[1] == [b"early"]
    assert sessions.receive(late, PEER, 0.0)[1] == [b"late"]
    assert sessions.receive(changed + client.send(b"b"), PEER, 0.0)[1] == [b"b"]


def test_a_sender_that_begins_anew_keeps_its_session_until_the_handshake_is_over(
    place: Place,
) -> None:
    sessions = place.sessions()
    old = place.connect(sessions)
    new = Client(client_context(place.ours.file, place.client))
    flight = give(sessions, new.step(give(sessions, new.step())))
    assert PEER in sessions.half_open
    assert PEER in sessions.established
    sessions.look(11.0)
    assert sessions.receive(old.send(b"still here"), PEER, 11.0)[1] == [b"still here"]
    assert flight
    newer = place.connect(sessions)
    assert sessions.receive(newer.send(b"new"), PEER, 0.0)[1] == [b"new"]
    assert sessions.receive(old.send(b"old"), PEER, 0.0)[1] == []
    assert len(sessions) == 1


def test_copies_of_a_hello_do_not_begin_a_second_handshake(place: Place) -> None:
    sessions = place.sessions()
    client = Client(client_context(place.ours.file, place.client))
    hello = client.step(give(sessions, client.step()))
    flight = give(sessions, hello)
    half_open = sessions.half_open[PEER]
    give(sessions, hello)
    assert sessions.half_open[PEER] is half_open
    give(sessions, client.step(flight))
    session = sessions.established[PEER]
    assert give(sessions, hello) == []
    assert sessions.established[PEER] is session


def test_a_lost_flight_is_said_again(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    sessions = place.sessions()
    client = Client(client_context(place.ours.file, place.client))
    lost = give(sessions, client.step(give(sessions, client.step())))
    assert lost
    sessions.look(0.5)
    assert answers(sessions) == [], "a second has not passed yet"

    def in_vain(self: object) -> None:
        raise SSL.Error([("SSL routines", "", "read timeout expired")])

    with monkeypatch.context() as patch:
        patch.setattr(dtls_sessions.DtlsSession, "handle_timeout", in_vain)
        sessions.look(1.0)
    assert sessions.half_open == {}
    assert place.refusals.counts == {"handshake-failed": 1}


# --------------------------------------------------------------------------- who is not let in
def refused(place: Place, sessions: DtlsSessions, shown: Issued | None) -> dict[str, int]:
    client = Client(client_context(place.ours.file, shown))
    try:
        assert not shake_hands(sessions, client)
    except SSL.Error:
        pass  # the alert told it
    assert len(sessions) == 0
    assert sessions._half_open_of == {}
    return place.refusals.counts


def test_no_certificate(place: Place) -> None:
    assert refused(place, place.sessions(), None) == {"no-client-certificate": 1}


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"days": (-3, -2)}, "expired-certificate"),
        ({"days": (2, 3)}, "certificate-not-yet-valid"),
        ({"client": False}, "wrong-purpose"),
        ({"dns": ["other.example"]}, "name-not-allowed"),
    ],
)
def test_bad_certificates(place: Place, options: dict[str, object], reason: str) -> None:
    shown = place.ours.issue(reason, **options)  # type: ignore[arg-type]  # as drawn
    sessions = place.sessions(client_names=("core7.example",))
    assert refused(place, sessions, shown) == {reason: 1}


def test_another_authority(place: Place) -> None:
    shown = place.theirs.issue("foreign", dns=["core7.example"])
    assert refused(place, place.sessions(), shown) == {"unknown-authority": 1}


def test_a_client_that_does_not_trust_us(place: Place) -> None:
    sessions = place.sessions()
    client = Client(client_context(place.theirs.file, place.client))
    with pytest.raises(SSL.Error):
        shake_hands(sessions, client)
    give(sessions, client.outgoing())
    assert place.refusals.counts == {"refused-by-peer": 1}


@pytest.mark.parametrize("demand", ["optional", "none"])
def test_publishers_without_certificates_are_known_by_their_address(
    place: Place, demand: str
) -> None:
    sessions = place.sessions(client_certificates=demand)
    client = Client(client_context(place.ours.file))
    assert shake_hands(sessions, client)
    assert sessions.receive(client.send(b"x"), PEER, 0.0) == ("192.0.2.7", [b"x"])


def test_a_broken_session_ends(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    sessions = place.sessions()
    client = place.connect(sessions)

    def broken(self: object, datagram: bytes, most: int) -> None:
        raise SSL.Error([("SSL routines", "", "ssl/tls alert internal error")])

    monkeypatch.setattr(dtls_sessions.DtlsSession, "read", broken)
    assert sessions.receive(client.send(b"x"), PEER, 0.0)[1] == []
    assert len(sessions) == 0
    assert place.refusals.counts == {"refused-by-peer": 1}


def test_a_certificate_that_cannot_be_read_has_no_name(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dtls_sessions.DtlsSession, "certificate", lambda self: b"?")
    assert refused(place, place.sessions(), place.client) == {"no-client-certificate": 1}


@pytest.mark.parametrize(
    ("datagram", "reason"),
    [
        (b"?", "bad-record"),
        (b"\x21\x0c\x00\x0c" + bytes(8), "bad-record"),
        (bytes.fromhex("17fefd0001000000000005000161"), "no-session"),
        (bytes.fromhex("16feff0000000000000000000e010000020000000000000002fefd"),
         "bad-hello"),
    ],
)  # fmt: skip
def test_datagrams_that_are_nothing(place: Place, datagram: bytes, reason: str) -> None:
    sessions = place.sessions()
    give(sessions, [datagram])
    assert place.refusals.counts == {reason: 1}
    assert len(sessions) == 0
    assert shake_hands(sessions, Client(client_context(place.ours.file, place.client)))


# --------------------------------------------------------------------------- bounds
def test_there_are_so_many_sessions_and_no_more(place: Place) -> None:
    sessions = place.sessions(most=2)
    for port in (1, 2):
        place.connect(sessions, key=("192.0.2.7", port))
    assert not shake_hands(
        sessions, Client(client_context(place.ours.file, place.client)), ("192.0.2.7", 3)
    )
    assert place.refusals.counts == {"too-many-connections": 1}
    place.connect(sessions, key=("192.0.2.7", 2))  # who is in may begin anew


def test_handshakes_of_one_address_are_bounded(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dtls_sessions, "HALF_OPEN_OF_A_PEER", 2)
    sessions = place.sessions(most=1000)
    context = client_context(place.ours.file, place.client)
    for port in range(4):
        client, key = Client(context), ("192.0.2.7", port)
        give(sessions, client.step(give(sessions, client.step(), key)), key)
    assert len(sessions.half_open) == 2
    assert place.refusals.counts == {"too-many-handshakes": 2}
    place.connect(sessions, key=("192.0.2.8", 1))
    sessions.look(11.0)
    assert len(sessions) == 1
    assert place.refusals.counts["handshake-timeout"] == 2


def test_a_read_goes_on_with_so_many_handshakes_only(place: Place) -> None:
    sessions = place.sessions()
    context = client_context(place.ours.file, place.client)
    waiting = []
    for port in range(dtls_sessions.HANDSHAKES_A_READ + 3):
        client, key = Client(context), ("192.0.2.7", port)
        waiting.append((key, client.step(give(sessions, client.step(), key))))
    for key, hello in waiting:
        give(sessions, hello, key)
    assert place.refusals.counts == {"handshake-flood": 3}
    sessions.begin_read()
    for key, hello in waiting[-3:]:
        assert give(sessions, hello, key), "said again, it goes on"
    assert place.refusals.counts == {"handshake-flood": 3}


def test_idle_sessions_are_closed(place: Place) -> None:
    sessions = place.sessions(idle_seconds=10)
    client = place.connect(sessions, now=5.0)
    busy = place.connect(sessions, key=("192.0.2.8", 1), now=5.0)
    sessions.receive(busy.send(b"x"), ("192.0.2.8", 1), 14.0)
    forged = client.send(b"x")[:-1] + b"?"
    sessions.receive(forged, PEER, 14.0)
    sessions.look(15.5)
    (good_bye,) = answers(sessions)
    with pytest.raises(SSL.ZeroReturnError):
        client.receive(good_bye)
    assert list(sessions.established) == [("192.0.2.8", 1)]


def test_the_end_is_told_to_everybody(place: Place) -> None:
    sessions = place.sessions()
    clients = [place.connect(sessions, key=("192.0.2.7", port)) for port in (1, 2)]
    half_open = Client(client_context(place.ours.file, place.client))
    give(sessions, half_open.step(give(sessions, half_open.step())))
    sessions.close()
    told = sessions.take_outgoing()
    for (_, datagram), client in zip(told, clients, strict=True):
        with pytest.raises(SSL.ZeroReturnError):
            client.receive(datagram)
    assert len(sessions) == 0


# --------------------------------------------------------------------------- new certificates
def test_new_certificates_without_a_restart(place: Place, tmp_path: Path) -> None:
    shown = tmp_path / "shown.pem"
    shown.write_bytes(place.server.certificate.read_bytes())
    key = tmp_path / "shown.key"
    key.write_bytes(place.server.key.read_bytes())
    key.chmod(0o600)
    sessions = place.sessions(certificate_file=str(shown), key_file=str(key))
    old = place.connect(sessions)
    other = place.theirs.issue("collector", dns=["collector.example"])
    shown.write_bytes(other.certificate.read_bytes())
    key.write_bytes(other.key.read_bytes())
    assert place.tls.look()
    assert sessions.receive(old.send(b"x"), PEER, 0.0)[1] == [b"x"], "who is connected stays"
    trusting = Client(client_context(place.theirs.file, place.client))
    assert shake_hands(sessions, trusting, ("192.0.2.8", 1))
    with pytest.raises(SSL.Error):
        shake_hands(sessions, Client(client_context(place.ours.file)), ("192.0.2.9", 1))


# --------------------------------------------------------------------------- hostile input
@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_nothing_comes_out_but_counts(place: Place, data: st.DataObject) -> None:
    sessions = place.sessions()
    client = Client(client_context(place.ours.file, place.client))
    said = client.step()
    for _ in range(8):
        for datagram in said:
            octets = bytearray(datagram)
            for _ in range(data.draw(st.integers(0, 3))):
                octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
            cut = data.draw(st.integers(0, len(octets)))
            sessions.receive(bytes(octets[:cut]), PEER, 0.0)
            sessions.receive(bytes(octets), PEER, 0.0)
        sessions.take_outgoing()
        try:
            said = client.step(give(sessions, said))
        except SSL.Error:
            break
    assert len(sessions) <= 2
