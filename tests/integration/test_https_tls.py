"""HTTPS with certificates: who comes in, who does not and why, new certificates, curl as a judge;
and the whole collector: devices by certificate, a replay that says the same."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import ssl
import subprocess
from pathlib import Path
from typing import Any

import pytest

from collector.config import Config, read_config_table
from collector.errors import ConfigError
from collector.journal import JournalReader
from collector.pipeline.replay import replay
from collector.receivers.https_notif import HttpsNotifReceiver
from collector.service import Service
from collector.service.gauges import refresh
from collector.store.said import Said
from tests.certificates import Certified, Issued, certified
from tests.https_ends import (
    GOOD,
    Browser,
    Clock,
    Intake,
    browsing,
    post,
    serving,
)
from tests.tls_ends import client_context
from tests.waiting import until

pytestmark = pytest.mark.integration

CURL = shutil.which("curl")


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Certified:
    return certified(tmp_path_factory.mktemp("https"))


def options(known: Certified, **more: Any) -> dict[str, Any]:
    """Of a receiver with these certificates."""
    return {key: value for key, value in known.sections(**more).items() if key != "enabled"}


def context_of(known: Certified, shown: Issued | None) -> ssl.SSLContext:
    return client_context(known.authority.file, shown)


async def is_taken(browser: Browser) -> bool:
    browser.send(post())
    return (await browser.response()).status == 204


# --------------------------------------------------------------------------- who comes in
def test_a_certificate_gives_the_session_its_name(known: Certified) -> None:
    async def run() -> None:
        async with serving(**options(known)) as (receiver, intake):
            for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
                context = context_of(known, known.publisher)
                context.minimum_version = context.maximum_version = version
                async with browsing(receiver, context) as browser:
                    assert await is_taken(browser)
                    assert await is_taken(browser)
            assert set(intake.column("session")) == {"certificate:publisher.example"}
            async with browsing(receiver, context_of(known, known.publisher)) as browser:
                large = GOOD[:-3] + b'"x":"%s"}}}' % (b"x" * 900_000)
                browser.send(post(large))
                assert (await browser.response()).status == 204
                assert intake.payloads()[-1] == large
            assert receiver.stats()["certificate-expiry"] > 0

    asyncio.run(run())


def test_who_is_not_let_in(
    known: Certified, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    issue, stranger = known.authority.issue, certified(tmp_path)
    cases = {
        "expired-certificate": issue("old", days=(-9, -1)),
        "unknown-authority": stranger.publisher,
        "no-client-certificate": None,
        "name-not-allowed": issue("other", dns=["other.example"]),
    }

    async def run() -> None:
        names = options(known, client_names=["publisher.example"])
        async with serving(**names) as (receiver, intake):
            for reason, shown in cases.items():
                assert await is_refused(receiver, context_of(known, shown))
                await until(lambda reason=reason: receiver.stats().get(f"refused/{reason}") == 1)
            async with browsing(receiver) as plain:
                plain.send(post())
                await plain.ended()  # with an alert or without
            await until(lambda: receiver.stats().get("refused/no-tls") == 1)
            async with browsing(receiver) as gone:
                gone.send(b"\x16")
            await until(lambda: receiver.stats().get("refused/broken-off") == 1)
            async with browsing(receiver) as slow:
                await until(lambda: receiver.stats()["connections"] == 1)
                receiver._guests.look(asyncio.get_running_loop().time() + 11)
                assert await slow.ended()
            assert receiver.stats()["refused/handshake-timeout"] == 1
            await until(lambda: receiver.stats()["connections"] == 0)
            assert intake.batches == []

    asyncio.run(run())
    said = [record.message for record in caplog.records]
    assert "https-notif: refused 127.0.0.1: its certificate has expired" in said
    assert "https-notif: refused 127.0.0.1: it speaks plain HTTP" in said
    assert all("refused 127.0.0.1: " in one for one in said)


async def is_refused(receiver: HttpsNotifReceiver, context: ssl.SSLContext) -> bool:
    """With TLS 1.3 a client hears of it only when it reads."""
    try:
        async with browsing(receiver, context) as browser:
            browser.send(post())
            await browser.response()
    except (OSError, EOFError):
        return True
    return False


def test_optional_certificates(known: Certified) -> None:
    async def run() -> None:
        optional = options(known, client_certificates="optional")
        async with serving(**optional) as (receiver, intake):
            for shown in (None, known.publisher):
                async with browsing(receiver, context_of(known, shown)) as browser:
                    assert await is_taken(browser)
            assert intake.column("session") == ["", "certificate:publisher.example"]

    asyncio.run(run())


def test_what_is_no_tls_after_the_handshake(known: Certified) -> None:
    async def run() -> None:
        async with serving(**options(known)) as (receiver, _):
            context = context_of(known, known.publisher)
            async with browsing(receiver, context) as browser:
                assert await is_taken(browser)
                raw = browser.writer.transport.get_extra_info("socket").fileno()
                os.write(raw, b"\x17\x03\x03\x00\x20" + bytes(32))
                await until(lambda: receiver.stats().get("refused/tls-broken") == 1)
                with pytest.raises(ssl.SSLError):
                    await browser.reader.read()

    asyncio.run(run())


def test_new_certificates_while_it_runs(tmp_path: Path) -> None:
    known, next_one = certified(tmp_path / "a"), certified(tmp_path / "b")
    files = options(known)

    def put(source: Certified) -> None:
        for key, path in source.sections().items():
            if key.endswith("_file"):
                new = Path(files[key]).with_suffix(".new")
                new.write_bytes(Path(str(path)).read_bytes())
                new.chmod(0o600)
                new.replace(files[key])

    async def run() -> None:
        before, after = context_of(known, known.publisher), context_of(next_one, next_one.publisher)
        async with serving(**files) as (receiver, _), browsing(receiver, before) as old:
            assert await is_taken(old)
            assert await is_refused(receiver, after)
            put(next_one)
            await until(lambda: receiver.tls is not None and receiver.tls.generation == 2)
            async with browsing(receiver, after) as new:
                assert await is_taken(new)
            assert await is_refused(receiver, before)
            assert await is_taken(old), "who is connected stays connected"

    asyncio.run(run())


def test_a_start_without_certificates_names_the_key(known: Certified) -> None:
    wrong = options(known, key_file=str(known.publisher.key))
    with pytest.raises(ConfigError) as caught:
        asyncio.run(HttpsNotifReceiver(Intake(), Clock(), **wrong).start())
    assert caught.value.key == "https_notif.key_file"


# --------------------------------------------------------------------------- curl
@pytest.mark.skipif(CURL is None, reason="there is no curl here")
def test_curl_agrees(known: Certified, tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(b" " * 2_000_000)

    async def run() -> None:
        async with serving(**options(known)) as (receiver, intake):
            at = f"https://collector.example:{receiver.local_port}/yang-push"

            async def curl(*arguments: str, shown: bool = True) -> subprocess.CompletedProcess[str]:
                credentials = (
                    ("--cert", str(known.publisher.certificate), "--key", str(known.publisher.key))
                    if shown
                    else ()
                )
                command = [
                    str(CURL), "--silent", "--show-error", "--max-time", "20", "--noproxy", "*",
                    "--cacert", str(known.authority.file), *credentials,
                    "--resolve", f"collector.example:{receiver.local_port}:127.0.0.1",
                    "--write-out", "%{http_code}", *arguments,
                ]  # fmt: skip
                return await asyncio.to_thread(
                    subprocess.run, command, capture_output=True, text=True, check=False
                )

            json_type = ("-H", "Content-Type: application/json")
            relay = f"{at}/relay-notification"
            good = post().partition(b"\r\n\r\n")[2].decode()
            asked = await curl(f"{at}/capabilities", "-H", "Accept: application/json")
            assert asked.stdout.endswith("200")
            assert json.loads(asked.stdout[:-3])["receiver-capabilities"]["receiver-capability"]
            assert (await curl(relay, *json_type, "--data", good)).stdout == "204"
            chunked = await curl(
                relay, *json_type, "-H", "Transfer-Encoding: chunked", "--data", good
            )
            assert chunked.stdout == "204"
            assert (await curl(relay, *json_type, "--data", "{")).stdout.endswith("400")
            assert (await curl(relay, "--data", good)).stdout.endswith("415")
            assert (await curl(f"{at}/other")).stdout.endswith("404")
            assert (await curl(relay)).stdout.endswith("405")
            large = await curl(relay, *json_type, "--data-binary", f"@{tmp_path / 'large'}")
            assert large.stdout.endswith("413")
            nobody = await curl(f"{at}/capabilities", shown=False)
            assert nobody.returncode != 0
            assert nobody.stdout.endswith("000")
            assert intake.payloads() == [good.encode(), good.encode(), b"{"]
            stranger = certified(tmp_path).authority.file
            distrustful = await curl(f"{at}/capabilities", "--cacert", str(stranger))
            assert distrustful.returncode != 0
            await until(lambda: receiver.stats().get("refused/refused-by-peer") == 1)

    asyncio.run(run())


# --------------------------------------------------------------------------- the whole collector
def config_in(folder: Path, known: Certified, **section: Any) -> Config:
    return read_config_table(
        {
            "collector": {"data_dir": str(folder / "data")},
            "udp_notif": {"enabled": False},
            "metrics": {"enabled": False},
            "https_notif": known.sections(**section),
            "device": [{"name": "core7", "certificates": ["Publisher.example"]}],
        },
        file="test",
    )


def test_a_device_is_known_by_its_certificate_and_a_replay_says_the_same(
    known: Certified, tmp_path: Path
) -> None:
    update = (
        b'{"ietf-yp-notification:envelope":{"event-time":"2026-11-21T14:00:00Z","contents":'
        b'{"ietf-yang-push:push-update":{"id":7,"datastore-contents":{}}}}}'
    )

    async def run() -> None:
        service = Service(config_in(tmp_path, known))
        await service.start()
        try:
            (receiver,) = service.receivers
            assert isinstance(receiver, HttpsNotifReceiver)
            for name in ("publisher", "stranger"):
                shown = known.publisher if name == "publisher" else known.authority.issue(name)
                async with browsing(receiver, context_of(known, shown)) as browser:
                    for _ in range(3):
                        browser.send(post(update))
                        assert (await browser.response()).status == 204
                        assert service.journal.committed_offset >= service.journal.next_offset - 2
            browser_refused = await is_refused(receiver, context_of(known, None))
            assert browser_refused
            await until(lambda: receiver.stats().get("refused/no-client-certificate") == 1)
            await service.reload(config_in(tmp_path, known))
            refresh(service)
            counters = service.counters
            assert counters.answers["https-notif", "204"] == 6
            assert counters.connections_refused["https-notif", "no-client-certificate"] == 1
            assert counters.certificate_expiry_seconds[("https-notif",)] > 0
            assert counters.messages_received[("https-notif",)] == 6
            assert counters.unknown_source_messages == 3
            assert service.pipeline.engine.devices() == ["core7"]
        finally:
            await service.stop()

    asyncio.run(run())
    devices: list[str] = []

    def show(said: Said) -> None:
        updates: Any = said.updates
        devices.extend([] if updates is None else updates.column("device").to_pylist())

    replay(tmp_path / "data", show=show)
    assert devices == ["core7"] * 3
    sessions = {
        session
        for frame in JournalReader(tmp_path / "data").read()
        for session in frame.batch().session
    }
    assert sessions == {"", "certificate:publisher.example", "certificate:stranger"}
