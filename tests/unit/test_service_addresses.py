"""Devices that the configuration gives by name only: whose messages are theirs."""

from __future__ import annotations

import asyncio
import logging
import socket
from pathlib import Path
from typing import Any

import pytest

from collector.config import Config, read_config_table
from collector.errors import ConfigError, UsageError
from collector.journal import JournalReader
from collector.model import RecordKind
from collector.pipeline.settings import decode_config
from collector.service import addresses, lifecycle, running
from collector.service.addresses import with_addresses, without_addresses
from tests.unit.test_service_whole import run, served


def device(name: str, host: str, *sources: str) -> dict[str, Any]:
    netconf = {"host": host, "username": "u", "password_env": "PATH", "port": 1}
    return {"name": name, "sources": list(sources), "netconf": netconf}


def config_of(*devices: dict[str, Any], folder: Path | None = None) -> Config:
    table: dict[str, Any] = {
        "collector": {"data_dir": str((folder or Path()) / "data")},
        "udp_notif": {"port": 0},
        "metrics": {"enabled": False},
        "device": list(devices),
    }
    return read_config_table(table, file="names.toml")


class Names:
    """A resolver; an entry that is an error is raised, and None never answers."""

    def __init__(self, **entries: Any) -> None:
        self.entries = entries
        self.asked: list[str] = []

    async def __call__(self, host: str) -> list[str]:
        self.asked.append(host)
        entry = self.entries[host]
        if entry is None:
            await asyncio.Event().wait()
        if isinstance(entry, Exception):
            raise entry
        return list(entry)


def sources(config: Config) -> dict[str, tuple[str, ...]]:
    return {one.name: one.sources for one in config.devices}


def test_only_names_without_sources_are_looked_up() -> None:
    names = Names(core7=["192.0.2.7", "::ffff:192.0.2.7", "2001:db8::0007"])
    config = config_of(
        device("a", "core7"), device("b", "core8", "192.0.2.8"), device("c", "192.0.2.9")
    )
    found = asyncio.run(with_addresses(config, look_up=names))
    assert names.asked == ["core7"]
    assert sources(found) == {
        "a": ("192.0.2.7", "2001:db8::7"),
        "b": ("192.0.2.8",),
        "c": ("192.0.2.9",),
    }
    assert asyncio.run(with_addresses(found, look_up=names)) is found


def test_an_address_belongs_to_one_device(caplog: pytest.LogCaptureFixture) -> None:
    names = Names(core7=["192.0.2.7"], alias=["192.0.2.7"], other=["192.0.2.8"])
    config = config_of(
        device("a", "core7"), device("b", "alias"), device("c", "other"), device("d", "192.0.2.8")
    )
    found = asyncio.run(with_addresses(config, look_up=names))
    assert sources(found) == {"a": ("192.0.2.7",), "b": (), "c": (), "d": ("192.0.2.8",)}
    assert "192.0.2.7 (alias) belongs to device a, not to b." in caplog.text
    assert "192.0.2.8 (other) belongs to device d, not to c." in caplog.text


def test_a_name_that_nobody_knows_is_said_and_hinders_no_other(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(addresses, "LOOK_UP_SECONDS", 0.05)
    unknown = socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    names = Names(gone=unknown, slow=None, core7=["192.0.2.7"])
    config = config_of(device("a", "gone"), device("b", "slow"), device("c", "core7"))
    found = asyncio.run(with_addresses(config, look_up=names))
    assert [one.name for one in without_addresses(found)] == ["a", "b"]
    assert "The name gone has no address yet: Name or service not known." in caplog.text
    assert "The name slow has no address yet: no answer within" in caplog.text
    nothing = config_of(device("a", "gone"))
    assert asyncio.run(with_addresses(nothing, look_up=names)) is nothing


def test_after_a_reload_a_name_keeps_its_addresses_when_nobody_answers() -> None:
    before = config_of(device("a", "core7", "192.0.2.7"), device("b", "core8", "192.0.2.8"))
    config = config_of(device("a", "core7"), device("b", "moved"))
    error = socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
    names = Names(core7=error, moved=error)
    found = asyncio.run(with_addresses(config, before, names))
    assert sources(found) == {"a": ("192.0.2.7",), "b": ()}


def test_the_system_is_asked() -> None:
    found = asyncio.run(addresses.look_up("localhost"))
    assert set(found) & {"127.0.0.1", "::1"}


def test_the_service_finds_addresses_late_and_says_so_in_the_journal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = Names(core7=OSError("not yet"))

    async def asked(config: Config, before: Config | None = None) -> Config:
        return await with_addresses(config, before, names)

    monkeypatch.setattr(lifecycle, "with_addresses", asked)

    async def step() -> None:
        async with served(config_of(device("a", "core7"), folder=tmp_path)) as service:
            keeper = service.housekeeping
            await service.find_addresses()
            names.entries["core7"] = ["192.0.2.7"]
            for _ in range(60):
                keeper.each_second()
            assert keeper._look_up is not None
            await keeper._look_up
            assert sources(service.config) == {"a": ("192.0.2.7",)}
            assert service.pipeline.senders.inventory.device("192.0.2.7") == "a"
            assert service.reloads == 0
            looked_up = len(names.asked)
            for _ in range(60):
                keeper.each_second()
            await service.find_addresses()
            assert len(names.asked) == looked_up, "all is known"
        with pytest.raises(UsageError, match="stopping"):
            await service._take_over(service.config)

    run(step)
    configs = [
        decode_config(batch.payload[row])
        for batch in (frame.batch() for frame in JournalReader(tmp_path / "data").read(0))
        for row, kind in enumerate(batch.kind)
        if kind == RecordKind.CONFIG
    ]
    assert [one.devices[0].sources for one in configs] == [(), ("192.0.2.7",)]


def test_addresses_that_cannot_be_taken_over_are_only_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def step() -> None:
        async with served(config_of(folder=tmp_path)) as service:

            async def full() -> None:
                raise ConfigError("no room")

            monkeypatch.setattr(service, "find_addresses", full)
            await service.housekeeping._find_addresses()

    run(step)
    assert "not used yet: no room" in caplog.text


def test_the_one_shot_wants_to_know_where_messages_come_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def asked(config: Config, before: Config | None = None) -> Config:
        return await with_addresses(config, before, Names(core7=OSError("no such name")))

    monkeypatch.setattr(lifecycle, "with_addresses", asked)
    levels = {name: logging.getLogger(name).level for name in ("", "collector.subscriber")}
    try:
        with pytest.raises(UsageError, match="core7 has no address that is known here; --source"):
            running.subscribe_once(
                config_of(device("core7", "core7"), folder=tmp_path),
                duration_seconds=5,
                json_output=False,
            )
    finally:
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)


def test_a_device_that_is_known_by_certificate_waits_for_no_address() -> None:
    config = read_config_table({"device": [{"name": "a", "certificates": ["a.example"]}]})
    assert without_addresses(config) == []
