"""TLS of the receivers: who is admitted, why not, names, and new certificates without a restart."""

from __future__ import annotations

import base64
import logging
import os
import ssl
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from collector.config import TlsServerSettings
from collector.errors import ConfigError
from collector.receivers.refusals import QUIET_SECONDS, Refusals
from collector.receivers.tls.certificates import (
    best_name,
    is_allowed,
    name_of_octets,
    name_of_peercert,
    reason_of_code,
    session_of,
)
from collector.receivers.tls.server import ServerTls, refusal_of
from collector.receivers.tls.stream import TlsStream
from tests.certificates import Authority, Issued
from tests.tls_ends import Client, client_context, shake_hands

PEER = "192.0.2.7"


class Place:
    """Authorities, and a receiver's side that uses them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ours = Authority(folder, "Our authority")
        self.theirs = Authority(folder, "Another authority")
        self.server = self.ours.issue("collector", dns=["collector.example"])
        self.client = self.ours.issue("core7", dns=["core7.example"])
        self.refusals = Refusals("https-notif")

    def tls(self, **changed: object) -> ServerTls:
        values = {
            "certificate_file": str(self.server.certificate),
            "key_file": str(self.server.key),
            "client_ca_file": str(self.ours.file),
        } | changed
        made = ServerTls(
            TlsServerSettings(**values),  # type: ignore[arg-type]  # what a test changes
            section="https_notif", refusals=self.refusals,
        )  # fmt: skip
        made.load()
        return made

    def connect(self, tls: ServerTls, shown: Issued | None, *, piece: int = 1 << 16) -> TlsStream:
        stream = TlsStream(tls.context)
        shake_hands(stream, Client(client_context(self.ours.file, shown)), piece=piece)
        return stream


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


# --------------------------------------------------------------------------- who comes in
@pytest.mark.parametrize("piece", [1, 7, 1 << 16])
def test_a_good_certificate_is_admitted_under_its_name(place: Place, piece: int) -> None:
    tls = place.tls()
    stream = place.connect(tls, place.client, piece=piece)
    name = name_of_peercert(stream.certificate)
    assert name == "core7.example"
    assert session_of(name) == "certificate:core7.example"
    assert tls.admit(name, PEER)
    assert place.refusals.counts == {}


def test_octets_go_both_ways_whole_and_in_order(place: Place) -> None:
    stream = TlsStream(place.tls().context)
    client = Client(client_context(place.ours.file, place.client))
    shake_hands(stream, client)
    sent = os.urandom(300_000)
    octets = client.send(sent)
    got = b"".join(stream.receive(octets[at : at + 1000]) for at in range(0, len(octets), 1000))
    assert got == sent
    assert client.receive(stream.send(sent[:100_000])) == sent[:100_000]
    assert stream.outgoing() == b""
    assert not stream.over
    assert stream.receive(client.send(b"last") + client.close()) == b"last"
    assert stream.over
    stream.close()


def refused(place: Place, shown: Issued | None, **changed: object) -> tuple[str, str]:
    with pytest.raises(ssl.SSLError) as caught:
        place.connect(place.tls(**changed), shown)
    return refusal_of(caught.value)


def test_certificates_that_are_refused(place: Place) -> None:
    ours = place.ours
    cases = {
        "expired-certificate": ours.issue("old", days=(-9, -1)),
        "certificate-not-yet-valid": ours.issue("new", days=(1, 9)),
        "unknown-authority": place.theirs.issue("stranger"),
        "wrong-purpose": ours.issue("server", client=False),
        "no-client-certificate": None,
    }
    for reason, shown in cases.items():
        found, sentence = refused(place, shown)
        assert found == reason
        assert sentence.startswith(("its certificate", "it shows no certificate"))


def test_what_is_demanded_of_clients(place: Place) -> None:
    stranger = place.theirs.issue("stranger")
    assert refused(place, stranger, client_certificates="optional")[0] == "unknown-authority"
    optional = place.tls(client_certificates="optional")
    stream = place.connect(optional, None)
    assert not stream.certificate
    assert optional.admit("", PEER)
    none = place.tls(client_certificates="none", client_ca_file=None)
    stream = place.connect(none, stranger)
    assert name_of_peercert(stream.certificate) == ""
    assert none.admit("", PEER)


def test_names_can_be_restricted(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    tls = place.tls(client_names=("core7.example", "*.lab.example"))
    assert tls.admit("core7.example", PEER)
    assert not tls.admit("core8.example", PEER)
    assert not tls.admit("", PEER)
    assert place.refusals.counts == {"name-not-allowed": 1, "no-client-certificate": 1}
    said = "https-notif: refused 192.0.2.7: the name in its certificate is not in client_names"
    assert f'{said} ("core8.example")' in caplog.messages
    assert is_allowed("A.Lab.Example", ("*.lab.example",))
    assert not is_allowed("a.b.lab.example", ("*.lab.example",))
    assert not is_allowed("lab.example", ("*.lab.example",))
    assert not is_allowed("", ("*.lab.example", "core7.example", ""))
    assert is_allowed("anybody", ())


@pytest.mark.parametrize(
    ("octets", "reason"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", "no-tls"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "no-tls"),
        (bytes(64), "no-tls"),
        (b"\x16\x03\x01\x00\x04\x01\x00\x00\x00", "handshake-failed"),
    ],
)
def test_what_is_no_tls_at_all(place: Place, octets: bytes, reason: str) -> None:
    with pytest.raises(ssl.SSLError) as caught:
        TlsStream(place.tls().context).receive(octets)
    assert refusal_of(caught.value)[0] == reason


def test_old_tls_is_refused(place: Place) -> None:
    context = client_context(place.ours.file, place.client)
    with pytest.warns(DeprecationWarning, match="TLSVersion"):
        context.minimum_version = ssl.TLSVersion.TLSv1
    with pytest.warns(DeprecationWarning, match="TLSVersion"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.raises(ssl.SSLError) as caught:
        shake_hands(TlsStream(place.tls().context), Client(context))
    assert refusal_of(caught.value)[0] == "old-tls"


def test_weak_ciphers_are_refused(place: Place) -> None:
    context = client_context(place.ours.file, place.client)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("ECDHE-ECDSA-AES128-SHA")
    with pytest.raises(ssl.SSLError) as caught:
        shake_hands(TlsStream(place.tls().context), Client(context))
    assert refusal_of(caught.value)[0] == "no-shared-cipher"


def test_a_client_that_does_not_trust_us(place: Place) -> None:
    context = client_context(place.theirs.file, place.client)
    stream, client = TlsStream(place.tls().context), Client(context)
    stream.receive(client.step())
    with pytest.raises(ssl.SSLCertVerificationError):
        client.step(stream.outgoing())
    with pytest.raises(ssl.SSLError) as caught:
        stream.receive(client._outgoing.read())
    reason, sentence = refusal_of(caught.value)
    assert reason == "refused-by-peer"
    assert sentence == "it does not accept what we show (alert: unknown ca)"


def test_sessions_are_not_resumed(place: Place) -> None:
    tls = place.tls()
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        context = client_context(place.ours.file, place.client)
        context.minimum_version = context.maximum_version = version
        stream, first = TlsStream(tls.context), Client(context)
        shake_hands(stream, first)
        first.receive(stream.send(b"x"))
        assert first.tls.session is None or not first.tls.session.has_ticket


def test_connections_that_go_away() -> None:
    assert refusal_of(EOFError())[0] == "broken-off"
    assert refusal_of(ConnectionResetError())[0] == "broken-off"
    assert refusal_of(TimeoutError())[0] == "handshake-timeout"
    unknown = ssl.SSLError()
    unknown.reason = "NEVER_HEARD_OF"
    assert refusal_of(unknown) == (
        "handshake-failed", "the TLS handshake failed (never heard of)"
    )  # fmt: skip


# --------------------------------------------------------------------------- names
def test_names_in_order_of_worth(place: Place) -> None:
    def names(issued: Issued) -> str:
        octets = issued.certificate.read_bytes()
        stream = place.connect(place.tls(), issued)
        assert name_of_peercert(stream.certificate) == name_of_octets(octets)
        return name_of_octets(octets)

    issue = place.ours.issue
    uri, address = "urn:device:7", "2001:db8::7"
    assert names(issue("a", dns=["A.Example", "b"], uris=[uri], addresses=[address])) == "a.example"
    assert names(issue("b", uris=[uri], addresses=[address])) == uri
    assert names(issue("c", addresses=[address, "192.0.2.7"])) == address
    assert names(issue("d", common_name="Core 7")) == "Core 7"
    assert names(issue("e", common_name="")) == ""


def test_names_that_cannot_be_used() -> None:
    assert name_of_peercert({}) == name_of_peercert(None) == session_of("") == ""
    assert best_name([" "], [], [], ["a\nb"]) == "a\\nb"
    assert best_name([], [], ["no address"], []) == "no address"
    assert len(best_name(["x" * 5000], [], [], [])) == 256
    with pytest.raises(ValueError):
        name_of_octets(b"-----BEGIN nothing")
    with pytest.raises(ValueError):
        name_of_octets(b"nothing")


def test_every_verdict_of_openssl_has_a_reason() -> None:
    assert reason_of_code(10) == "expired-certificate"
    assert reason_of_code(18) == reason_of_code(20) == "unknown-authority"
    assert reason_of_code(23) == "revoked-certificate"
    assert reason_of_code(12345) == "bad-certificate"


# --------------------------------------------------------------------------- files
def replaced(path: Path, content: bytes) -> None:
    """As a careful administrator does it."""
    new = path.with_suffix(".new")
    new.write_bytes(content)
    new.chmod(0o600)
    new.replace(path)


def test_new_certificates_without_a_restart(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    tls = place.tls()
    assert not tls.look()
    old = tls.context
    stranger = place.theirs.issue("stranger")
    with pytest.raises(ssl.SSLError):
        place.connect(tls, stranger)
    replaced(place.ours.file.with_name("both.pem"), b"")  # another file changes nothing
    assert not tls.look()

    other = place.ours.issue("next", dns=["collector.example"])
    authorities = place.ours.file.read_bytes() + place.theirs.file.read_bytes()
    kept = place.ours.file.read_bytes()
    trusted = place.folder / "trusted.pem"
    trusted.write_bytes(kept)
    tls = place.tls(client_ca_file=str(trusted))
    replaced(trusted, authorities)
    replaced(place.server.key, other.key.read_bytes())
    assert not tls.look(), "the key of another certificate"
    assert "is not the key of the certificate" in caplog.text
    assert not tls.look()
    assert caplog.text.count("stay in force") == 1, "said once for each change"
    assert tls.generation == 1
    place.connect(tls, place.client)
    replaced(place.server.certificate, other.certificate.read_bytes())
    assert tls.look()
    assert tls.generation == 2
    assert "new certificates are in force" in caplog.text
    assert tls.context is not old
    place.connect(tls, stranger)
    assert tls.material.certificate == other.certificate.read_bytes()
    assert tls.reload()
    assert tls.generation == 2, "nothing new"
    assert "BEGIN" not in repr(tls.material)
    assert "PRIVATE" not in caplog.text


def no_file(place: Place) -> None:
    place.server.certificate.unlink()


def no_pem(place: Place) -> None:
    place.server.certificate.write_bytes(b"\x30\x82")


def a_damaged_one(place: Place) -> None:
    place.server.certificate.write_bytes(
        b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    )


def a_readable_key(place: Place) -> None:
    place.server.key.chmod(0o604)


def another_key(place: Place) -> None:
    replaced(place.server.key, place.client.key.read_bytes())


def a_protected_key(place: Place) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    protection = serialization.BestAvailableEncryption(b"secret")
    octets = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, protection
    )
    replaced(place.server.key, octets)


def no_authority(place: Place) -> None:
    place.ours.file.write_bytes(b"-----BEGIN NOTHING-----\n")


def a_huge_file(place: Place) -> None:
    place.ours.file.write_bytes(b"-----BEGIN CERTIFICATE-----\n" * 200_000)


def a_pipe(place: Place) -> None:
    """Nobody writes into it: opening it would wait for ever."""
    place.server.key.unlink()
    os.mkfifo(place.server.key)


def a_folder(place: Place) -> None:
    place.server.key.unlink()
    place.server.key.mkdir(0o700)


def of_openssl_alone(place: Place) -> None:
    """The form of ``openssl x509 -trustout``: a certificate, and behind it what to trust it for."""
    octets = ssl.PEM_cert_to_DER_cert(place.server.certificate.read_text())
    text = base64.encodebytes(octets).decode()
    place.server.certificate.write_text(
        f"-----BEGIN TRUSTED CERTIFICATE-----\n{text}-----END TRUSTED CERTIFICATE-----\n"
    )


@pytest.mark.parametrize(
    ("damage", "key", "why"),
    [
        (no_file, "certificate_file", "cannot be read: No such file"),
        (no_pem, "certificate_file", "is not in PEM"),
        (a_damaged_one, "certificate_file", "are not a certificate with its key"),
        (a_readable_key, "key_file", "can be read by all users"),
        (another_key, "key_file", "is not the key of the certificate"),
        (a_protected_key, "key_file", "is protected by a passphrase"),
        (no_authority, "client_ca_file", "holds no certificate"),
        (a_huge_file, "client_ca_file", "is not in PEM"),
        (a_pipe, "key_file", "is no regular file"),
        (a_folder, "key_file", "cannot be read: Is a directory"),
        (of_openssl_alone, "certificate_file", "begins with no certificate that all can read"),
    ],
)
def test_files_that_cannot_be_used_are_said_with_their_key(
    place: Place, damage: Callable[[Place], None], key: str, why: str
) -> None:
    damage(place)
    with pytest.raises(ConfigError) as caught:
        place.tls()
    assert caught.value.key == f"https_notif.{key}"
    assert why in str(caught.value)


# --------------------------------------------------------------------------- no flood
def test_a_reason_is_said_once_in_a_while(caplog: pytest.LogCaptureFixture) -> None:
    now = 1000.0
    refusals = Refusals("https-notif", monotonic=lambda: now)
    for _ in range(5):
        refusals.add("no-tls", "refused 192.0.2.7: it does not speak TLS")
    refusals.add("broken-off", "refused 192.0.2.7: it broke off")
    now += QUIET_SECONDS
    refusals.add("no-tls", "refused 192.0.2.8: it does not speak TLS")
    assert refusals.counts == {"no-tls": 6, "broken-off": 1}
    assert caplog.messages == [
        "https-notif: refused 192.0.2.7: it does not speak TLS",
        "https-notif: refused 192.0.2.7: it broke off",
        "https-notif: refused 192.0.2.8: it does not speak TLS (4 more like it before)",
    ]
    assert all(record.levelno == logging.WARNING for record in caplog.records)


def test_when_our_certificate_expires(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    assert place.tls().expiry == pytest.approx(time.time() + 86_400, abs=600)
    assert "expired" not in caplog.text
    place.server = place.ours.issue("collector", dns=["collector.example"], days=(-9, -1))
    assert place.tls().expiry == pytest.approx(time.time() - 86_400, abs=600)
    assert "has expired" in caplog.text
