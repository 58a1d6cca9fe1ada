"""A package of somebody else brings a receiver, an encoding and a sink: ``collector run`` has them
work, with nothing of ours changed; and one that is broken is said and costs nobody else anything.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
import zlib
from pathlib import Path
from typing import Any

import pytest

from collector import control
from tests.foreign.acme_telemetry import send
from tests.foreign_package import install, install_acme
from tests.integration.test_service_signals import Process

pytestmark = pytest.mark.integration

TOKEN = "s3same-0pen-5d1e"
CONFIG = """
[collector]
data_dir = "data"
[udp_notif]
port = 0
[metrics]
enabled = false
[receiver.acme-tcp]
token_file = "token"
[sink.acme-csv]
file = "verdicts.csv"
[sink.jsonl]
file = "facts.jsonl"
[[device]]
name = "core7"
sources = ["127.0.0.1"]
[[known_subscription]]
id = 7
name = "counters"
period_seconds = 1
expect = ["1", "2"]
"""
PERIOD = 10**9
ROOT = Path(__file__).parents[2]


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of installed packages, in the path of this process and its children."""
    folder = tmp_path / "site"
    install_acme(folder)
    monkeypatch.syspath_prepend(folder)
    return folder


def update(generator: str, at: int) -> bytes:
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at // 10**9)) + f".{at % 10**9:09d}Z"
    return json.dumps(
        {
            "ietf-yp-notification:envelope": {
                "event-time": stamp,
                "contents": {
                    "ietf-yang-push:push-update": {
                        "id": 7,
                        "ietf-distributed-notif:message-publisher-id": int(generator),
                        "datastore-contents": {"ietf-interfaces:interfaces": {}},
                    }
                },
            }
        }
    ).encode()


def run_collector(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        (sys.executable, "-m", "collector", *arguments),
        cwd=folder, capture_output=True, text=True, check=False, timeout=60,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip


def asked(folder: Path, *arguments: str) -> list[dict[str, Any]]:
    done = run_collector(folder, *arguments)
    assert not done.returncode, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_what_another_package_brings_works_from_end_to_end(tmp_path: Path, site: Path) -> None:
    (tmp_path / "collector.toml").write_text(CONFIG)
    said = run_collector(tmp_path, "check-config")
    assert said.returncode == 0, said.stderr
    assert f"receiver.acme-tcp.token_file: {tmp_path / 'token'} cannot be read" in said.stderr
    (tmp_path / "token").write_text(TOKEN + "\n")
    (tmp_path / "token").chmod(0o644)
    said = run_collector(tmp_path, "run")
    assert said.returncode == 2
    assert "receiver.acme-tcp.token_file" in said.stderr
    assert "can be read by other users; run chmod 600 on it" in said.stderr
    (tmp_path / "token").chmod(0o600)
    asyncio.run(_from_end_to_end(tmp_path))
    rows = asked(
        tmp_path, "query", "--json", "--store", "data",
        "SELECT transport, media_type, generator, count(*)::INT AS number FROM updates GROUP BY ALL"
        " ORDER BY generator",
    )  # fmt: skip
    assert [tuple(row.values()) for row in rows] == [
        ("acme-tcp", 512, "1", 8),
        ("acme-tcp", 512, "2", 7),
    ]
    lines = (tmp_path / "verdicts.csv").read_text().splitlines()
    assert "core7,counters,COMPLETE," in lines
    assert "core7,counters,INCOMPLETE,2" in lines
    facts = [json.loads(line) for line in (tmp_path / "facts.jsonl").read_text().splitlines()]
    assert {"INCOMPLETE", "COMPLETE"} <= {fact.get("outcome") for fact in facts}
    for file in (tmp_path / "data").rglob("*"):
        assert not file.is_file() or TOKEN.encode() not in file.read_bytes()


async def _from_end_to_end(folder: Path) -> None:
    """Seven periods of two originators, and one of the first alone."""
    collector = Process(folder)
    await collector.start(CONFIG)
    try:
        await collector.until_running()
        await collector.until_logged("Listening on")
        assert "Acme over TCP" in collector.log()
        (listening,) = (
            row for row in (await _status(folder))["listening"] if row["receiver"] == "acme-tcp"
        )
        port, now = listening["port"], time.time_ns()
        wrong = zlib.compress(update("1", now))
        await asyncio.to_thread(send, port, [wrong], b"wrong")
        for number in range(8):
            at = now + number * PERIOD
            await asyncio.sleep(max(0, at - time.time_ns()) / 10**9)
            both = [zlib.compress(update(name, at)) for name in ("1", "2")]
            await asyncio.to_thread(send, port, both[: 1 if number == 6 else 2], TOKEN.encode())
        await asyncio.to_thread(send, port, [b"nothing packed"], TOKEN.encode())
        await collector.until(lambda: "INCOMPLETE" in (folder / "verdicts.csv").read_text())
        status = await _status(folder)
        (listening,) = (row for row in status["listening"] if row["receiver"] == "acme-tcp")
        assert listening["messages"] == 16
        assert status["messages_rejected"] == 1
        collector.send(signal.SIGTERM)
        assert await collector.wait() == 0, collector.log()
    finally:
        if collector.child is not None and collector.child.returncode is None:
            collector.child.kill()
            await collector.child.wait()


def test_the_contract_tests_find_them_by_themselves(tmp_path: Path, site: Path) -> None:
    done = subprocess.run(
        (
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-rN"),
            *("-k", "acme", "tests/contracts", "-o", "addopts="),
        ),
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=120,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    assert not done.returncode, done.stdout[-3000:]
    passed = int(done.stdout.split(" passed")[0].split()[-1])
    assert passed >= 20, done.stdout[-3000:]
    assert "skipped" not in done.stdout, done.stdout[-3000:]


def test_the_commands_say_what_there_is(tmp_path: Path, site: Path) -> None:
    install(
        site,
        "sad-package",
        {
            "receivers": {"sad": "sad_module:Receiver", "udp-notif": "sad_module:Thief"},
            "encodings": {"sad-json": "sad_thief:Encoding"},
            "sinks": {"halfway": "sad_half:Sink"},
        },
        {
            "sad_module": "raise RuntimeError('no library\\nhere')\n",
            "sad_half": "class Sink:\n    name = 'halfway'\n    def start(self): ...\n",
            "sad_thief": "from acme_telemetry import PackedEncoding\n"
            "class Encoding(PackedEncoding):\n    name, media_type = 'sad-json', 1\n",
        },
    )
    (tmp_path / "collector.toml").write_text(CONFIG + "[sink.kafka]\n")
    done = run_collector(tmp_path, "plugins", "--json", "-c", "collector.toml")
    assert done.returncode == 1, done.stderr
    found = {
        (row["package"], row["kind"], row["name"]): row
        for row in map(json.loads, done.stdout.splitlines())
    }
    acme = found["acme-telemetry", "receiver", "acme-tcp"]
    assert (acme["version"], acme["state"], acme["wanted"]) == ("1.2.0", "good", True)
    assert acme["keys"]["port"] == "a whole number from 0 to 65535"
    assert found["yang-push-collector", "receiver", "udp-notif"]["state"] == "good"
    assert found["", "sink", "kafka"]["state"] == "not installed"
    sad = {key: row["state"] for key, row in found.items() if key[0] == "sad-package"}
    assert sad == {
        ("sad-package", "receiver", "sad"): "receiver sad cannot be loaded from"
        " sad_module:Receiver: RuntimeError: no library here",
        ("sad-package", "receiver", "udp-notif"): "not used: another package has one of this name",
        ("sad-package", "encoding", "sad-json"): "encoding sad-json of sad-package cannot be used:"
        " its media type 1 is that of yang-data-json",
        ("sad-package", "sink", "halfway"): "sink halfway of sad-package cannot be used: it has no"
        " method write and no flush and no stop",
    }
    (tmp_path / "collector.toml").write_text(
        CONFIG + "[receiver.sad]\n[receiver.udp-notif]\n[sink.kafka]\n"
    )
    text = (tmp_path / "collector.toml").read_text().replace("token_file", "port = 70000\ntokn")
    (tmp_path / "collector.toml").write_text(text)
    for command in ("check-config",), ("run", "-c"):
        done = run_collector(tmp_path, *command, "collector.toml")
        assert done.returncode == 2
        for words in (
            "collector.toml: receiver.acme-tcp.port: 70000 cannot be used (allowed: a whole",
            "receiver.acme-tcp.tokn: unknown key",
            "receiver.sad: receiver sad cannot be loaded from sad_module:Receiver: RuntimeError",
            "receiver.udp-notif: this receiver is ours (allowed: [udp_notif])",
            'sink.kafka: no sink called "kafka" is installed',
        ):
            assert words in done.stderr, done.stderr


async def _status(folder: Path) -> Any:
    return await asyncio.to_thread(control.ask, folder / "data", "status")
