"""``collector subscribe`` as a person calls it, on a device that is known by its name."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.integration

SECONDS = 60.0
"""For whatever has to come; far more than it takes."""


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Lab:
    """A simulated device on 127.0.0.1, and how to subscribe to it."""

    def __init__(self, place: Path) -> None:
        self.receiver = f"127.0.0.1:{free_port()}"
        self.place = place
        self.environment = os.environ | {
            "PUBLISHER_SIM_PASSWORD": "lab", "COLLECTOR_PASSWORD": "lab", "NO_COLOR": "1",
        }  # fmt: skip
        self.device = subprocess.Popen(
            [
                *(sys.executable, "-m", "publisher_sim", "run", "quiet", "--in-process"),
                *("--address", "127.0.0.1", "--netconf-port", "0", "--receiver", self.receiver),
            ],
            cwd=place, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def ready(self) -> dict[str, Any]:
        assert self.device.stdout is not None
        ready: dict[str, Any] = json.loads(self.device.stdout.readline())
        key = ready["known_hosts"].partition(" ")[2]
        port = ready["netconf_port"]
        (self.place / "known_hosts").write_text(f"[localhost]:{port} {key}\n")
        return ready

    def subscribe(self, port: int, *more: str) -> subprocess.CompletedProcess[str]:
        command = [
            *(sys.executable, "-m", "collector", "subscribe", "localhost", "--port", str(port)),
            *("--user", "collector", "--known-hosts", "known_hosts", "--listen", self.receiver),
            *("--xpath", "/ietf-interfaces:interfaces", *more),
        ]
        return subprocess.run(
            command, cwd=self.place, env=self.environment, capture_output=True, text=True,
            check=False, timeout=SECONDS,
        )  # fmt: skip

    def stop(self) -> None:
        self.device.send_signal(signal.SIGTERM)
        try:
            self.device.communicate(timeout=SECONDS)
        finally:
            self.device.kill()


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    running = Lab(tmp_path)
    try:
        yield running
    finally:
        running.stop()


def test_updates_and_verdicts_are_printed_and_a_refusal_is_one_sentence(lab: Lab) -> None:
    port = lab.ready()["netconf_port"]
    done = lab.subscribe(port, "--period", "0.5", "--duration", "5", "--json")
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    kinds = {row["row"] for row in rows}
    assert kinds == {"event", "subscription", "update", "verdict"}
    updates = [row for row in rows if row["row"] == "update"]
    assert {row["generator"] for row in updates} == {"101", "102"}
    assert {row["device"] for row in updates} == {"localhost"}
    assert "ietf-yang-push:push-update" in updates[0]["payload"]
    assert "COMPLETE" in {row["outcome"] for row in rows if row["row"] == "verdict"}
    ended = [row for row in rows if row["row"] == "subscription"][-1]
    assert (ended["state"], ended["reason"]) == ("ended", "deleted")

    refused = lab.subscribe(port, "--period", "0.01", "--duration", "30")
    assert refused.returncode == 2
    last = refused.stderr.splitlines()[-1]
    assert last.startswith("collector: localhost refused the subscription: period-unsupported")
    assert "period-hint 10" in last
    assert "Traceback" not in refused.stderr


def test_a_hint_is_followed_and_the_stop_time_ends_the_command(lab: Lab) -> None:
    port = lab.ready()["netconf_port"]
    soon = (datetime.now(UTC) + timedelta(seconds=6)).isoformat(timespec="seconds")
    done = lab.subscribe(
        port, "--period", "0.06", "--accept-hints", "--stop-time", soon, "--duration", "50",
        "--json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    subscriptions = [row for row in rows if row["row"] == "subscription"]
    assert subscriptions[0]["period_cs"] == 10, "six is refused, ten hinted"
    assert subscriptions[-1]["state"] == "ended"
    assert subscriptions[-1]["reason"] != "deleted"
