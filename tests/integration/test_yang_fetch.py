"""``collector yang fetch`` against a NETCONF server that has modules."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from collector.cli import status_of
from collector.config import load_config
from collector.errors import ProtocolError, SessionError, SinkError
from collector.pipeline.schemas import load_schemas
from collector.schema.loader import bundled_modules_folder, module_name
from collector.service import modules as service_modules
from collector.service.module_cache import NOTE, read_note
from collector.service.modules import Fetched, fetch
from collector.subscriber.abilities.modules import NoGetSchemaError
from collector.wire.netconf.schemas import (
    decode_get_schema,
    encode_schema,
)
from publisher_sim.data.module_library import RECEIVERS
from publisher_sim.netconf.server import CAPABILITIES
from tests.integration.test_subscribe_command import Lab
from tests.netconf_device import PASSWORD, USER, Device, run

pytestmark = pytest.mark.integration

MAIN = """module example-main {
  yang-version 1.1;
  namespace "urn:example:main";
  prefix m;
  import example-types { prefix t; }
  include example-sub;
  revision 2026-01-01;
  container box { leaf count { type t:tally; } }
}
"""
SUB = """submodule example-sub {
  yang-version 1.1;
  belongs-to example-main { prefix m; }
  revision 2026-01-02;
}
"""
TYPES = """module example-types {
  namespace "urn:example:types";
  prefix t;
  revision 2025-05-05;
  typedef tally { type uint32; }
}
"""
TEXTS = {"example-main": MAIN, "example-sub": SUB, "example-types": TYPES}
LIBRARY = """<yang-library xmlns="urn:ietf:params:xml:ns:yang:ietf-yang-library"><module-set>
<name>all</name>
<module><name>example-main</name><revision>2026-01-01</revision>
<submodule><name>example-sub</name><revision>2026-01-02</revision></submodule></module>
<module><name>../escape</name></module>
<import-only-module><name>example-types</name><revision>2025-05-05</revision></import-only-module>
</module-set><content-id>c1</content-id></yang-library>"""
SCHEMAS = """<netconf-state xmlns="urn:ietf:params:xml:ns:yang:ietf-netconf-monitoring"><schemas>
<schema><identifier>example-types</identifier><version>2025-05-05</version><format>yang</format>
</schema></schemas></netconf-state>"""
REFUSAL = (
    "<rpc-error><error-type>application</error-type><error-tag>{}</error-tag>"
    "<error-severity>error</error-severity>"
    "<error-message>not for&#10;you</error-message></rpc-error>"
)
HELLO = (*CAPABILITIES[:2], "urn:example:main?module=example-main&revision=2026-01-01")
FILES = ["example-main@2026-01-01.yang", "example-sub@2026-01-02.yang"]
ALL_FILES = [*FILES, "example-types@2025-05-05.yang"]


class Library:
    """What the device answers with."""

    def __init__(self, device: Device, lists: dict[str, str], texts: dict[str, str]) -> None:
        self.device = device
        self.lists = lists
        self.texts = dict(texts)
        self.asked: list[str] = []
        self.tag = "invalid-value"
        device.answer = self.answer

    def answer(self, session: str, request: bytes) -> None:
        number = request.split(b'message-id="')[1].split(b'"')[0].decode()
        if b"<get-schema" not in request:
            data = next((tree for name, tree in self.lists.items() if name in str(request)), None)
            content = REFUSAL.format(self.tag) if data is None else f"<data>{data}</data>"
            self.device.server.send(session, reply(number, content))
            return
        message_id, asked = decode_get_schema(request)
        self.asked.append(str(asked.module))
        text = self.texts.get(asked.module.name)
        if text is None:
            self.device.server.send(session, reply(number, REFUSAL.format(self.tag)))
        else:
            self.device.server.send(session, encode_schema(message_id, text))


def reply(number: str, content: str) -> bytes:
    base = "urn:ietf:params:xml:ns:netconf:base:1.0"
    return f'<rpc-reply message-id="{number}" xmlns="{base}">{content}</rpc-reply>'.encode()


def fetched(
    tmp_path: Path,
    *,
    lists: dict[str, str],
    texts: dict[str, str] = TEXTS,
    session: str = "asyncssh",
    hello: tuple[str, ...] = CAPABILITIES,
    prepare: Callable[[Library], None] = lambda library: None,
) -> tuple[Fetched, Library]:
    """One fetch into ``tmp_path/out``."""

    async def main() -> tuple[Fetched, Library]:
        async with Device(tmp_path, capabilities=hello) as device:
            library = Library(device, lists, texts)
            prepare(library)
            return await fetch(
                device.settings(), session, tmp_path / "out", tmp_path, lambda *_: None
            ), library

    return run(main())


def files(folder: Path) -> list[str]:
    """Names of everything that is there."""
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("session", ["asyncssh", "ncclient"])
def test_the_modules_of_the_yang_library_are_fetched_once(tmp_path: Path, session: str) -> None:
    first, _ = fetched(tmp_path, lists={"yang-library": LIBRARY}, session=session)
    assert (first.fetched, first.present, first.refused) == (3, 0, ())
    assert (first.source, first.content_id, first.unusable) == ("yang-library", "c1", 1)
    assert files(tmp_path / "out") == ALL_FILES, "nothing half, nothing of another name"
    assert (tmp_path / "out" / FILES[0]).read_text() == MAIN
    (tmp_path / "out" / FILES[0]).write_text("module example-main { }")
    again, library = fetched(tmp_path, lists={"yang-library": LIBRARY}, session=session)
    assert (again.fetched, again.present) == (0, 3)
    assert library.asked == []
    assert (tmp_path / "out" / FILES[0]).read_text() == "module example-main { }"


def test_a_hello_is_completed_by_what_its_modules_import(tmp_path: Path) -> None:
    found, library = fetched(tmp_path, lists={}, hello=HELLO)
    assert (found.source, found.fetched, found.refused) == ("hello", 3, ())
    assert sorted(library.asked) == ["example-main@2026-01-01", "example-sub", "example-types"]
    assert files(tmp_path / "out") == ALL_FILES
    again, library = fetched(tmp_path, lists={}, hello=HELLO)
    assert (again.fetched, again.present, library.asked) == (0, 3, [])


def test_monitoring_data_where_there_is_no_library(tmp_path: Path) -> None:
    found, _ = fetched(tmp_path, lists={"netconf-state": SCHEMAS})
    assert (found.source, found.fetched) == ("netconf-state", 1)


def test_a_refused_module_is_said_and_the_others_come(tmp_path: Path) -> None:
    texts = {"example-main": MAIN, "example-types": "an html page"}
    found, _ = fetched(tmp_path, lists={"yang-library": LIBRARY}, texts=texts)
    assert found.fetched == 1
    (sub, types) = found.refused
    assert (sub.module, sub.revision, sub.why) == ("example-sub", "2026-01-02", "not for you")
    assert types.module == "example-types"
    assert "is no YANG module example-types" in types.why
    assert files(tmp_path / "out") == FILES[:1]


@pytest.mark.parametrize("tag", ["operation-not-supported", "unknown-namespace"])
def test_a_device_without_get_schema(tmp_path: Path, tag: str) -> None:
    def prepare(library: Library) -> None:
        library.tag = tag

    with pytest.raises(NoGetSchemaError, match="has no get-schema"):
        fetched(tmp_path, lists={"yang-library": LIBRARY}, texts={}, prepare=prepare)


def test_a_device_that_names_no_modules(tmp_path: Path) -> None:
    with pytest.raises(ProtocolError, match="does not say what modules it has"):
        fetched(tmp_path, lists={"netconf-state": ""}, hello=CAPABILITIES[:2])


@pytest.mark.parametrize("session", ["asyncssh", "ncclient"])
def test_an_answer_that_is_too_long_is_refused_and_the_others_come(
    tmp_path: Path, session: str
) -> None:
    """The framer's limit ends the session, so it takes another one."""

    async def main() -> Fetched:
        async with Device(tmp_path) as device:
            Library(device, {"yang-library": LIBRARY}, TEXTS | {"example-main": "x" * 200_000})
            settings = device.settings(max_message=100_000)
            return await fetch(settings, session, tmp_path / "out", tmp_path, lambda *_: None)

    found = run(main())
    assert [(one.module, one.why) for one in found.refused] == [
        ("example-main", "the answer is longer than a message may be")
    ]
    assert files(tmp_path / "out") == ALL_FILES[1:]


def test_a_device_that_only_says_too_much_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service_modules, "SESSIONS", 2)

    async def main() -> None:
        async with Device(tmp_path) as device:
            library = Library(device, {"yang-library": LIBRARY}, dict.fromkeys(TEXTS, "x" * 9999))
            settings = device.settings(max_message=5000)
            with pytest.raises(SessionError) as caught:
                await fetch(settings, "asyncssh", tmp_path / "out", tmp_path, lambda *_: None)
            assert caught.value.reason == "message-too-large"
            assert caught.value.__notes__[0].startswith("0 modules are in")
            assert len(library.asked) == len(device.opened) == 2

    run(main())


def test_a_list_that_is_too_long(tmp_path: Path) -> None:
    async def main() -> None:
        async with Device(tmp_path) as device:
            Library(device, {"yang-library": LIBRARY + "<!--" + "x" * 9999 + "-->"}, TEXTS)
            settings = device.settings(max_message=5000)
            with pytest.raises(SessionError):
                await fetch(settings, "asyncssh", tmp_path / "out", tmp_path, lambda *_: None)
            assert len(device.opened) == 1

    run(main())


def test_what_comes_from_one_device_has_an_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service_modules, "MAX_TOTAL", len(MAIN) - 1)
    found, _ = fetched(tmp_path, lists={"yang-library": LIBRARY})
    assert found.fetched == 1
    assert [one.module for one in found.refused] == ["example-sub", "example-types"]


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    with pytest.raises(SinkError, match="out cannot be used"):
        fetched(tmp_path, lists={"yang-library": LIBRARY})


# --------------------------------------------------------------------------- the command
CONFIG = """
[collector]
data_dir = "data"
[[device]]
name = "core7"
schema_folder = "{folder}"
[device.netconf]
host = "127.0.0.1"
port = {port}
username = "{user}"
password_env = "COLLECTOR_PASSWORD"
known_hosts = "{known_hosts}"
"""


def test_the_command_with_a_device_of_the_configuration_and_with_a_host(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLLECTOR_PASSWORD", PASSWORD)
    monkeypatch.delenv("COLLECTOR_USER", raising=False)
    monkeypatch.chdir(tmp_path)

    async def main() -> tuple[int, int, int]:
        async with Device(tmp_path) as device:
            library = Library(device, {"yang-library": LIBRARY}, TEXTS)
            config = CONFIG.format(
                folder="?", port=device.server.port, user=USER, known_hosts=device.known_hosts
            )
            (tmp_path / "collector.toml").write_text(config)
            first = await command("core7", "--json")
            del library.texts["example-sub"]
            options = ("--user", USER, "--known-hosts", str(device.known_hosts))
            port = ("--port", str(device.server.port))
            second = await command("127.0.0.1", *options, *port, "-o", "mine")
            third = await command("core7", *port)
            return first, second, third

    assert run(main()) == (0, 1, 2)
    said = capsys.readouterr()
    first, *text = said.out.splitlines()
    answer = json.loads(first)
    assert answer["fetched"] == 3
    assert answer["refused"] == []
    folder = Path(answer["folder"])
    assert folder.parent == tmp_path / "data" / "modules"
    note = read_note(folder)
    assert (note.content_id, note.source, note.modules) == ("c1", "yang-library", 3)
    assert [one.rpartition(":")[0] for one in note.devices] == ["127.0.0.1"]
    assert not (tmp_path / "mine" / NOTE).exists(), "a folder of our own choice is our own"
    assert text[0].startswith("2 modules fetched, 0 were there already, 1 not fetched")
    assert "not fetched: example-sub@2026-01-02: not for you" in said.err
    assert "leave out --port" in said.err
    assert PASSWORD not in said.out + said.err
    config = (tmp_path / "collector.toml").read_text().replace('"?"', f'"{folder}"')
    (tmp_path / "collector.toml").write_text(config)
    notes: list[str] = []
    loaded = load_schemas(load_config("collector.toml"), notes.append)
    assert loaded.schema_of("core7") is not loaded.schema_of("another")
    assert notes == []


async def command(*arguments: str) -> int:
    """The command in a thread of its own, as the server needs this one."""
    return await asyncio.to_thread(status_of, ["yang", "fetch", *arguments])


def test_whom_nobody_knows_how_to_reach(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("COLLECTOR_USER", raising=False)
    monkeypatch.delenv("COLLECTOR_PASSWORD", raising=False)
    monkeypatch.chdir(tmp_path)
    assert status_of(["yang", "fetch", "core7"]) == 2
    assert "there is no device core7; to reach a host" in capsys.readouterr().err
    assert status_of(["yang", "fetch", "core7", "--user", "me"]) == 2
    assert "no way to log in" in capsys.readouterr().err
    (tmp_path / "collector.toml").write_text('[[device]]\nname = "c"\nsources = ["192.0.2.1"]\n')
    assert status_of(["yang", "fetch", "c"]) == 2
    assert "c has no [device.netconf]" in capsys.readouterr().err


def test_the_simulated_device_gives_its_modules(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Real texts, with everything that XML has to escape, and a schema out of them."""
    monkeypatch.setenv("COLLECTOR_PASSWORD", "lab")
    monkeypatch.chdir(tmp_path)
    lab = Lab(tmp_path)
    try:
        port = lab.ready()["netconf_port"]
        options = ("--user", "collector", "--known-hosts", "known_hosts", "--port", str(port))
        status = status_of(["yang", "fetch", "localhost", *options, "-o", "mine", "--json"])
    finally:
        lab.stop()
    answer = json.loads(capsys.readouterr().out)
    assert (status, answer["refused"], answer["unusable"]) == (0, [], 0)
    assert answer["source"] == "yang-library"
    assert answer["fetched"] == len(files(Path("mine"))) > 4
    for path in bundled_modules_folder().glob("*.yang"):
        if "distributed-notif" in path.name or module_name(path) in RECEIVERS:
            continue  # another control mode's, and those of who can be configured
        assert Path("mine", path.name).read_text() == path.read_text().strip() + "\n"
    (tmp_path / "collector.toml").write_text('[schema]\nfolder = "mine"\n')
    notes: list[str] = []
    load_schemas(load_config("collector.toml"), notes.append)
    assert notes == []
