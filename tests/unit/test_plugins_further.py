"""Plug-ins of other packages: found, looked into, and kept from troubling anybody."""

from __future__ import annotations

import sys
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from collector import plugins
from collector.config import Config, check_config, parse_config, read_config_table, redacted
from collector.errors import ConfigError, WireError
from collector.model import FLAG_IDS, FLAG_PRIVATE, ReceivedBatch, RecordKind, Transport
from collector.pipeline.flow import Pipeline
from collector.pipeline.settings import decode_config, encode_config
from collector.sections import enabled, faults_of, keys_of, overview
from collector.wire import https_notif
from collector.wire.notifications.notification import decode, decode_contents, encode, encoding_of
from tests.foreign_package import install, install_acme

UPDATE = (
    b'{"ietf-yp-notification:envelope":{"event-time":"2026-01-01T00:00:00Z","contents":'
    b'{"ietf-yang-push:push-update":{"id":7,"datastore-contents":{"a:b":{"c":1}}}}}}'
)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = tmp_path / "site"
    install_acme(folder)
    monkeypatch.syspath_prepend(folder)
    before = set(sys.modules)
    plugins._further.cache_clear()
    yield folder
    plugins._further.cache_clear()
    for name in set(sys.modules) - before:
        if name.startswith(("acme", "sad")):
            del sys.modules[name]


def add(site: Path, module: str, points: Mapping[str, Mapping[str, str]]) -> None:
    """One more package; its module can use what acme has."""
    install(site, "sad-package", points, {"sad_module": module})


def states() -> dict[tuple[str, str], str]:
    return {(one.package, one.name): one.state for one in plugins.installed()}


# --------------------------------------------------------------------------- what is installed
def test_all_of_ours_are_good() -> None:
    ours = [one for one in plugins.installed() if one.package == plugins.OURS]
    assert {one.state for one in ours if one.name != "dtls"} == {plugins.GOOD}
    assert {one.kind for one in ours} == {"receiver", "encoding", "sink"}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("R = 5", "it is no class"),
        ("class R: pass", "its attribute name is None, not that of the entry point"),
        (
            "class R:\n    name = 'r'\n    def stop(self): ...",
            "it has no method start and no drain",
        ),
        (
            "class R:\n    name = 'r'\n    start = drain = stop = print\n    settings = dict",
            "settings is no msgspec Struct",
        ),
        ("import sys\nsys.nowhere", "has no attribute 'nowhere'"),
        ("def", "SyntaxError: invalid syntax"),
        ("raise ValueError", "cannot be loaded from sad_module:R: ValueError"),
    ],
)
def test_a_broken_receiver_says_what_is_wrong(site: Path, body: str, words: str) -> None:
    add(site, body, {"receivers": {"r": "sad_module:R"}})
    assert words in states()["sad-package", "r"]
    with pytest.raises(ConfigError):
        plugins.receiver_class("r")
    assert states()["acme-telemetry", "acme-tcp"] == plugins.GOOD


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("media_type = 70000", "media_type is no whole number from 0 to 65535"),
        ("identity = None", "its attribute identity is no text"),
        ("media_type = 3", "its media type 3 is that of yang-data-cbor"),
        ("pass", "its media type 512 is that of acme-packed"),
        ("def __init__(self): raise OSError('no')", "it cannot be made: OSError: no"),
    ],
)
def test_a_broken_encoding_says_what_is_wrong(site: Path, body: str, words: str) -> None:
    module = "from acme_telemetry import PackedEncoding\n"
    add(
        site,
        f"{module}class E(PackedEncoding):\n    name = 'e'\n    {body}\n",
        {"encodings": {"e": "sad_module:E"}},
    )
    assert words in states()["sad-package", "e"]
    (sentence,) = plugins.broken_encodings()
    assert words in sentence
    assert list(plugins.further_encodings()) == [512]


# --------------------------------------------------------------------------- encodings
def test_an_encoding_is_found_by_its_media_type(site: Path) -> None:
    packed = zlib.compress(UPDATE)
    assert encoding_of(512).identity == "encode-acme-packed"
    said = decode(packed, 512)
    assert said.subscription_id == 7
    assert "ietf-yp-notification:envelope" in decode_contents(packed, 512)
    assert decode(encode(said, {"a:b": {"c": 1}}, 512), 512) == said
    assert https_notif.media_type_of("Application/VND.acme.packed; charset=x") == 512
    assert https_notif.media_type_of("application/x-other") is None
    with pytest.raises(WireError) as refused:
        decode(b"x", 512)
    assert refused.value.reason == "bad-zlib"
    with pytest.raises(WireError, match="media type 513 is not known"):
        decode(packed, 513)


def test_an_encoding_that_fails_costs_its_message(site: Path) -> None:
    add(
        site,
        "from acme_telemetry import PackedEncoding\n"
        "class E(PackedEncoding):\n"
        "    name, media_type = 'e', 19\n"
        "    def decode(self, payload): return {}[0] if payload == b'x' else payload\n"
        "    def decode_contents(self, payload): return 1 / 0\n",
        {"encodings": {"e": "sad_module:E"}},
    )
    for call in (
        lambda: decode(b"x", 19),
        lambda: decode(b"y", 19),
        lambda: decode_contents(b"", 19),
    ):
        with pytest.raises(WireError) as refused:
            call()
        assert refused.value.reason == "encoding-failed"


def test_a_fault_of_ours_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(encoding_of(256)), "decode", lambda self, payload: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        decode(b"", 256)


# --------------------------------------------------------------------------- configuration
def checked(text: str) -> list[str]:
    return [str(one) for one in faults_of(parse_config(text), "f.toml")]


def test_keys_are_read_as_the_plug_in_says(site: Path, tmp_path: Path) -> None:
    file = tmp_path / "f.toml"
    file.write_text('[receiver.acme-tcp]\nport = 5\ntoken_file = "t"\n[sink.jsonl]\nfile = "-"\n')
    config, faults = check_config(file)
    assert not faults
    assert config is not None
    keys = keys_of("receiver", "acme-tcp", config.receivers["acme-tcp"])
    assert keys == {
        "address": "127.0.0.1", "port": 5, "media_type": 512,
        "token_file": str(tmp_path / "t"), "token_env": None,
    }  # fmt: skip
    assert keys_of("sink", "jsonl", config.sinks["jsonl"]) == {"file": "-"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[receiver.acme-tcp]\nport = -1", "f.toml: receiver.acme-tcp.port: -1 cannot be used"),
        (
            "[receiver.acme-tcp]\nprot = 1",
            "receiver.acme-tcp.prot: unknown key, did you mean port?",
        ),
        ("[receiver.acme-tcp]\npassword = 'x'", "a secret does not belong into this file"),
        (
            "[receiver.acme-tcp]\ntoken_file = 'a'\ntoken_env = 'B'",
            "receiver.acme-tcp: token_file and token_env cannot be used together",
        ),
        ("[sink.acme-csv]", "sink.acme-csv.file: this key is required"),
        ("[receiver.nobody]", 'receiver.nobody: no receiver called "nobody" is installed'),
        ("[receiver.dtls]", "receiver.dtls: this receiver is ours (allowed: [dtls])"),
    ],
)
def test_faults_name_the_key(site: Path, text: str, said: str) -> None:
    (fault,) = checked(text)
    assert said in fault


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[receiver]\nacme-tcp = 1", r"receiver\.acme-tcp: this is not a section"),
        ("receiver = 's3cret'", r"receiver: this is not a section \(allowed: \[receiver\.NAME\]"),
        ("[sink.jsonl]\nenabled = 1", r"sink\.jsonl\.enabled: .*true or false"),
        ("[collector]\nlanes = 2\n[receiver.x]", r"receiver\.x: only UDP-notif is steered"),
    ],
)
def test_what_is_ours_in_a_section(text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as raised:
        parse_config(text)
    assert "s3cret" not in str(raised.value)


def test_several_faults_come_together(site: Path) -> None:
    table = {"port": -1, "media_type": 0}
    with pytest.raises(ConfigError, match=r"receiver\.acme-tcp\.port") as raised:
        keys_of("receiver", "acme-tcp", table)
    assert ["media_type" in note for note in raised.value.__notes__] == [True]


def test_what_is_not_enabled_is_not_asked_for() -> None:
    config = parse_config("[receiver.nobody]\nenabled = false\nx = 1\n[sink.none]\nenabled = false")
    assert not faults_of(config)
    assert enabled(config.receivers) == enabled(config.sinks) == []


def test_settings_that_raise_are_a_fault_of_the_section(site: Path) -> None:
    add(
        site,
        "from msgspec import Struct\nfrom collector.errors import ConfigError\n"
        "class S(Struct, frozen=True):\n    x: int = 1\n"
        "    def __post_init__(self): [lambda: {}[0], ask][self.x]()\n"
        "def ask(): raise ConfigError('not so', key='sink.s.x')\n"
        "class K:\n    name, settings = 's', S\n    start = write = flush = stop = print\n",
        {"sinks": {"s": "sad_module:K"}},
    )
    assert checked("[sink.s]\nx = 0") == [
        "f.toml: sink.s: the plug-in cannot read its keys: KeyError: 0"
    ]
    assert checked("[sink.s]") == ["sink.s.x: not so"]


def test_the_overview_names_what_is_wanted_and_missing(site: Path) -> None:
    add(
        site,
        "from msgspec import Struct\n"
        "class K:\n    name = 's'\n    start = write = flush = stop = print\n"
        "    class settings(Struct):\n        x: 'Nowhere' = 1\n",
        {"sinks": {"s": "sad_module:K"}},
    )
    rows = {row.name: row for row in overview(parse_config("[receiver.acme-tcp]\n[sink.none]\n"))}
    assert {name for name, row in rows.items() if row.wanted} == {"udp-notif", "acme-tcp", "none"}
    assert rows["none"].state == "not installed"
    assert rows["s"].keys == {}, "they cannot be read"
    assert "file" in rows["acme-csv"].keys
    assert not any(row.wanted for row in overview())


def test_the_journal_gets_the_names_and_nothing_else(site: Path) -> None:
    config = parse_config("[receiver.acme-tcp]\ntoken = 's3cret'\n")
    assert redacted(config)["receiver"] == {"acme-tcp": {}}
    record = decode_config(encode_config(config, transports={128: "acme-tcp"}))
    assert record.transports == {128: "acme-tcp"}
    assert record.receivers == {"acme-tcp": {}}


def test_plain_tables_have_plug_ins_too() -> None:
    assert read_config_table({"sink": {"jsonl": {"x": 1}}}).sinks == {"jsonl": {"x": 1}}
    assert Config().receivers == {}


# --------------------------------------------------------------------------- rows
def test_rows_name_their_transport_and_survive_a_snapshot(site: Path) -> None:
    from collector.journal import to_arrow

    def rows(pipeline: Pipeline, offset: int) -> Any:
        batch = ReceivedBatch()
        for number, transport in enumerate((128, Transport.HTTPS_NOTIF, 200)):
            batch.append(
                10**18 + offset + number, RecordKind.DATA, zlib.compress(UPDATE),
                transport=transport, peer="192.0.2.7", media_type=512,
            )  # fmt: skip
        said = pipeline.receive(offset, batch, to_arrow(batch))
        assert said.updates is not None
        return said.updates.column("transport").to_pylist()

    text = '[[device]]\nname = "r"\nsources = ["192.0.2.7"]'
    config = ReceivedBatch()
    record = encode_config(parse_config(text), transports={128: "acme-tcp"})
    config.append(10**18, RecordKind.CONFIG, record)
    one, other = Pipeline(), Pipeline()
    one.receive(0, config, None)
    assert rows(one, 1) == ["acme-tcp", "https-notif", None]
    other.restore([(name, 4, one.snapshot_part(name)) for name in one.snapshot_names()])
    assert rows(other, 4) == ["acme-tcp", "https-notif", None]


def test_a_private_media_type_is_another_than_the_registered_one(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S flag and MT 3: no CBOR, but 19 of another package."""
    from collector.journal import to_arrow
    from collector.pipeline.observing import Observer
    from collector.views.decoded_rows import _encoding

    module = "from acme_telemetry import PackedEncoding\n"
    module += "class E(PackedEncoding):\n    name, media_type = 'private-packed', 19\n"
    add(site, module, {"encodings": {"private-packed": "sad_module:E"}})
    batch, config = ReceivedBatch(), ReceivedBatch()
    for number in range(4):
        batch.append(
            10**18 + number, RecordKind.DATA, zlib.compress(UPDATE), transport=Transport.UDP_NOTIF,
            peer="192.0.2.7", version=1, flags=FLAG_IDS | FLAG_PRIVATE * (number < 3),
            media_type=3, publisher_id=1, message_id=number,
        )  # fmt: skip
    text = '[verdicts]\ncoverage_sample = 1.0\n[[device]]\nname = "r"\nsources = ["192.0.2.7"]'
    config.append(10**18, RecordKind.CONFIG, encode_config(parse_config(text)))
    pipeline = Pipeline()
    pipeline.receive(0, config, None)
    said = pipeline.receive(1, batch, to_arrow(batch))
    assert said.updates is not None
    assert said.updates.column("media_type").to_pylist() == [19] * 3
    assert pipeline.counts.rejected == {"bad-cbor": 1}
    seen: list[Any] = []
    Observer(seen.append).records(batch, ["r"] * 4, {})
    assert [_encoding(one) for one in seen] == ["private-packed"] * 3 + ["CBOR"]
    plugins._further.cache_clear()
    monkeypatch.setattr(plugins, "entry_points", lambda group: [])
    assert _encoding(seen[0]) == "private 3"
