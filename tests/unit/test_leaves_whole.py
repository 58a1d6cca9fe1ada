"""A whole collector that stores leaves, and the command that asks for them."""

from __future__ import annotations

import asyncio
import json
import socket
from pathlib import Path
from typing import Any

import pytest

from collector.cli import status_of
from collector.errors import ConfigError
from collector.model import DeviceTime, MediaType, Notification, NotificationKind, SidTable
from collector.schema.sid import experimental_sids_folder, load_sids
from collector.service.gauges import refresh
from collector.service.lifecycle import Service
from collector.wire.notifications.notification import encode
from collector.wire.udp_notif.datagrams import encode_message
from collector.wire.values import names
from tests.leaf_modules import write_modules
from tests.unit.test_service_whole import config_in, run, served

SQL = "SELECT type, value, guessed FROM leaves WHERE node LIKE '%/huge' ORDER BY received_at"
TABLE, _ = load_sids([experimental_sids_folder()])
CONTENTS = {"test-base:top": {"entry": [{"name": "a", "slot": 1, "huge": "7"}]}}
DEVICE = {"name": "core7", "sources": ["127.0.0.1"]}


def datagrams(service: Service) -> None:
    """The same update in JSON, and in CBOR with SIDs."""
    port = service.receivers[0].local_port  # type: ignore[attr-defined]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for number, media_type in enumerate((MediaType.YANG_DATA_JSON, MediaType.YANG_DATA_CBOR)):
            told = Notification(
                NotificationKind.PUSH_UPDATE, "ietf-yang-push:push-update", names.ROOT_ENVELOPE, 1,
                event_time=DeviceTime(service.clock.now()),
            )  # fmt: skip
            sids = TABLE if media_type == MediaType.YANG_DATA_CBOR else SidTable({}, {})
            payload = encode(told, CONTENTS, media_type, sids=sids)
            for one in encode_message(
                payload, media_type=media_type, publisher_id=1, message_id=number,
                max_segment_size=1400,
            ):  # fmt: skip
                sender.sendto(one, ("127.0.0.1", port))


async def until_journalled(service: Service, records: int) -> None:
    async with asyncio.timeout(30):
        while service.counters.updates.total() < records:
            await asyncio.sleep(0.02)


def asked(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[dict[str, Any]]:
    assert status_of(["query", "--json", *arguments]) == 0, capsys.readouterr().err
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_leaves_from_the_socket_to_the_query(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    modules = write_modules(tmp_path / "yang")
    known = {"folder": str(modules), "sid_folder": str(experimental_sids_folder())}
    config = config_in(
        tmp_path, device=[DEVICE], store={"leaves": True}, schema=known,
        journal={"segment_seconds": 0.2},
    )  # fmt: skip

    async def step() -> None:
        async with served(config) as service:
            datagrams(service)
            await until_journalled(service, 2)
            async with asyncio.timeout(30):
                while not list((tmp_path / "data" / "store").glob("leaves-*")):
                    await asyncio.sleep(0.05)
            bad = config_in(tmp_path, device=[DEVICE], schema={"folder": str(tmp_path / "gone")})
            with pytest.raises(ConfigError):
                await service.reload(bad)
            assert service.leaves.asked
            service.leaves.left_out["bad-json"] = 2
            refresh(service)
            assert service.counters.leaves_left_out.total() == 2
            await service.reload(config_in(tmp_path, device=[DEVICE], schema=known))
            assert not service.leaves.asked
            assert "store.leaves" not in service.at_restart

    run(step)
    store = str(tmp_path / "data")
    exact = [{"type": "uint64", "value": "7", "guessed": False}] * 2
    assert asked(capsys, "--store", store, SQL) == exact
    file = tmp_path / "collector.toml"
    file.write_text(
        f'[collector]\ndata_dir = "{store}"\n[schema]\nfolder = "{modules}"\n'
        f'sid_folder = "{known["sid_folder"]}"\n'
    )
    assert asked(capsys, "--leaves", "-c", str(file), SQL) == exact
    assert asked(capsys, "--leaves", "--since", "-1h", "-c", str(file), SQL) == exact
    assert asked(capsys, "--leaves", "--until", "-1h", "-c", str(file), SQL) == []


def test_without_a_configuration_the_query_guesses(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    known = {"sid_folder": str(experimental_sids_folder())}
    config = config_in(tmp_path, device=[DEVICE], schema=known)

    async def step() -> None:
        async with served(config) as service:
            datagrams(service)
            await until_journalled(service, 2)

    run(step)
    assert status_of(["query", "--json", "--leaves", "--store", str(tmp_path / "data"), SQL]) == 0
    told = capsys.readouterr()
    assert json.loads(told.out) == {"type": "string", "value": "7", "guessed": True}
    assert "1 updates could not be read" in told.err, "SIDs are not known here"
    assert asked(capsys, "--store", str(tmp_path / "data"), SQL) == []


def test_a_schema_that_is_not_there_keeps_it_from_starting(tmp_path: Path) -> None:
    config = config_in(tmp_path, schema={"sid_folder": str(tmp_path / "gone")})

    async def step() -> None:
        with pytest.raises(ConfigError) as refused:
            await Service(config).start()
        assert refused.value.key == "schema.sid_folder"

    run(step)
    assert not (tmp_path / "data").exists()
