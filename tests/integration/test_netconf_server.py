"""The simulator's NETCONF server, judged by ncclient and by octets typed here."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import asyncssh
import ncclient.manager
import pytest

from collector.errors import ConfigError
from collector.wire.netconf.rpc import decode_reply
from collector.wire.values import xml
from publisher_sim.netconf.server import CAPABILITIES, NetconfServer
from tests.netconf_device import LIMIT, PASSWORD, USER, Device, ok_reply, rpc, run
from tests.waiting import until

pytestmark = pytest.mark.integration

CLIENT_1_0 = (
    b'<hello xmlns="urn:ietf:params:xml:ns:netconf:base:1.0"><capabilities><capability>'
    b"urn:ietf:params:netconf:base:1.0</capability></capabilities></hello>]]>]]>"
)
CLIENT_1_1 = CLIENT_1_0.replace(b"base:1.0<", b"base:1.1<")


def chunk(message: bytes) -> bytes:
    """A message in the framing of base:1.1 (RFC 6242 §4.2)."""
    return b"\n#%d\n%b\n##\n" % (len(message), message)


class Wire:
    """An SSH channel with the octets as they are."""

    def __init__(self, connection: asyncssh.SSHClientConnection, channel: Any) -> None:
        self.connection = connection
        self.stdin, self.stdout, _ = channel

    async def until(self, end: bytes) -> bytes:
        async with asyncio.timeout(LIMIT):
            octets: bytes = await self.stdout.readuntil(end)
        return octets

    async def closed(self) -> bytes:
        async with asyncio.timeout(LIMIT):
            octets: bytes = await self.stdout.read()
        return octets


async def connect(device: Device, **options: Any) -> asyncssh.SSHClientConnection:
    return await asyncssh.connect(
        "127.0.0.1",
        device.server.port,
        **{"username": USER, "password": PASSWORD, "known_hosts": str(device.known_hosts)}
        | {"config": None, "agent_path": None, "client_keys": None}
        | options,
    )


def on_the_wire(
    folder: Path, test: Callable[[Device, Wire], Awaitable[None]], **server: Any
) -> None:
    async def main() -> None:
        async with Device(folder, **server) as device, await connect(device) as connection:
            channel = await connection.open_session(subsystem="netconf", encoding=None)
            await test(device, Wire(connection, channel))

    run(main())


def test_hello_and_both_framings(tmp_path: Path) -> None:
    async def plain(device: Device, wire: Wire) -> None:
        hello = await wire.until(b"]]>]]>")
        assert b"<session-id>1</session-id>" in hello
        assert b"<capability>urn:ietf:params:netconf:base:1.1</capability>" in hello
        assert b"netconf:notification:1.0" not in hello.replace(b"xmlns", b"")
        wire.stdin.write(CLIENT_1_0 + rpc(1) + b"]]>]]>\n")
        assert await wire.until(b"]]>]]>") == ok_reply(rpc(1)) + b"]]>]]>"

    async def chunked(device: Device, wire: Wire) -> None:
        await wire.until(b"]]>]]>")
        wire.stdin.write(CLIENT_1_1)
        wire.stdin.write(b'\n#4\n<rpc\n#18\n message-id="102"\n\n#4\n><a/\n#7\n></rpc>\n##\n')
        assert await wire.until(b"\n##\n") == b"\n#%d\n%b\n##\n" % (
            len(ok_reply(rpc(102))),
            ok_reply(rpc(102)),
        )
        assert device.rpcs == [("1", b'<rpc message-id="102"\n><a/></rpc>')]

    on_the_wire(tmp_path, plain)
    on_the_wire(tmp_path, chunked)


def test_close_session_gives_the_attributes_of_its_rpc_back(tmp_path: Path) -> None:
    async def test(device: Device, wire: Wire) -> None:
        await wire.until(b"]]>]]>")
        request = (
            b'<rpc message-id="7" xmlns="urn:ietf:params:xml:ns:netconf:base:1.0" '
            b'xmlns:ex="urn:ex" ex:user-id="fred"><close-session/></rpc>'
        )
        wire.stdin.write(CLIENT_1_0 + request + b"]]>]]>")
        reply = xml.parse((await wire.closed()).removesuffix(b"]]>]]>"))
        assert reply.attributes == {"message-id": "7", "urn:ex user-id": "fred"}
        assert [child.name for child in reply.children] == ["ok"]
        assert device.rpcs == []

    on_the_wire(tmp_path, test)


def test_close_session_ends_after_its_reply(tmp_path: Path) -> None:
    async def test(device: Device, wire: Wire) -> None:
        await wire.until(b"]]>]]>")
        request = rpc("a&amp;b", '<x:close-session xmlns:x="urn:y"/>')
        wire.stdin.write(CLIENT_1_0 + request + b"]]>]]>")
        reply = await wire.closed()
        assert b"<rpc-reply " in reply
        assert b' message-id="a&amp;b"' in reply
        assert b"<ok/>" in reply
        assert device.rpcs == []
        await until(lambda: device.closed == ["1"])
        assert not device.server.send("1", b"<x/>")
        assert device.server.unsent("1") == 0
        device.server.close_session("1")
        assert device.server.sessions == ()

    on_the_wire(tmp_path, test)


BAD_SUBSCRIPTION = (
    b'<rpc><establish-subscription xmlns="urn:ietf:params:xml:ns:yang:'
    b'ietf-subscribed-notifications"><stream>nowhere</stream></establish-subscription></rpc>'
)
"""Wrong for NETCONF already, so that nobody says what is wrong with the subscription."""


@pytest.mark.clause("8639-2.4.6-a")
@pytest.mark.parametrize(
    ("message", "tag"),
    [
        (b"<rpc><get/></rpc>", b"missing-attribute"),
        (BAD_SUBSCRIPTION, b"missing-attribute"),
        (b"<other message-id='1'/>", b"malformed-message"),
        (b"no xml", b"malformed-message"),
    ],
)
def test_what_is_no_request(tmp_path: Path, message: bytes, tag: bytes) -> None:
    async def test(device: Device, wire: Wire) -> None:
        await wire.until(b"]]>]]>")
        wire.stdin.write(CLIENT_1_1 + chunk(message))
        reply = await wire.until(b"\n##\n")
        assert b"<error-tag>" + tag + b"</error-tag>" in reply
        assert b"message-id=" not in reply
        content = reply.removesuffix(b"\n##\n").split(b"\n", 2)[2]
        assert xml.parse(content).name == "rpc-reply"
        wire.stdin.write(chunk(rpc(2, "<unclosed>")) + chunk(rpc(3, "")))
        await until(lambda: len(device.rpcs) == 2)  # the master decides on these

    on_the_wire(tmp_path, test)


def test_what_the_master_cannot_read_is_malformed(tmp_path: Path) -> None:
    async def test(device: Device, wire: Wire) -> None:
        await wire.until(b"]]>]]>")
        wire.stdin.write(CLIENT_1_1 + chunk(rpc(2, "<unclosed>")))
        assert b"<ok/>" in await wire.until(b"\n##\n")
        device.server.refuse_message("1", "<unclosed> & more")
        reply = (await wire.until(b"\n##\n")).removesuffix(b"\n##\n").split(b"\n", 2)[2]
        error = decode_reply(reply).error
        assert error is not None
        assert (error.tag, str(error)) == ("malformed-message", "<unclosed> & more")
        device.server.refuse_message("99", "nobody is there")

    on_the_wire(tmp_path, test)


def test_a_client_of_base_1_0_is_never_told_of_malformed_messages(tmp_path: Path) -> None:
    """The error-tag is new in base:1.1 and MUST NOT be sent to others (RFC 6241 appendix A)."""

    async def test(device: Device, wire: Wire) -> None:
        await wire.until(b"]]>]]>")
        wire.stdin.write(CLIENT_1_0 + b"<other message-id='1'/>]]>]]>")
        assert b"malformed-message" not in await wire.closed()

    on_the_wire(tmp_path, test)


@pytest.mark.parametrize(
    "octets",
    [
        b"<goodbye/>]]>]]>",
        CLIENT_1_0.replace(b"</hello>", b"<session-id>1</session-id></hello>"),
        CLIENT_1_1 + b"<rpc/>",
        b"x" * 1_100_000,
    ],
    ids=["no-hello", "session-id", "framing", "too-large"],
)
def test_broken_clients_are_closed(tmp_path: Path, octets: bytes) -> None:
    async def test(device: Device, wire: Wire) -> None:
        await wire.until(b"]]>]]>")
        wire.stdin.write(octets)
        assert await wire.closed() == b""
        await until(lambda: len(device.closed) == len(device.opened))

    on_the_wire(tmp_path, test)


def test_only_the_netconf_subsystem_and_a_limit_of_sessions(tmp_path: Path) -> None:
    async def main() -> None:
        async with Device(tmp_path, max_sessions=1) as device, await connect(device) as connection:
            for options in ({"subsystem": "sftp"}, {"command": "ls"}, {}):
                with pytest.raises(asyncssh.ChannelOpenError):
                    await connection.open_session(**options, encoding=None)
            first = Wire(
                connection, await connection.open_session(subsystem="netconf", encoding=None)
            )
            await first.until(b"]]>]]>")
            with pytest.raises(asyncssh.ChannelOpenError):
                await connection.open_session(subsystem="netconf", encoding=None)
            first.stdin.close()
            await until(lambda: not device.server._sessions)
            second = Wire(
                connection, await connection.open_session(subsystem="netconf", encoding=None)
            )
            assert b"<session-id>2<" in await second.until(b"]]>]]>")
            assert device.closed == [], "no hello, so never opened"

    run(main())


def test_a_subscriber_that_does_not_read_is_refused_messages(tmp_path: Path) -> None:
    async def test(device: Device, wire: Wire) -> None:
        await wire.until(b"]]>]]>")
        wire.stdin.write(CLIENT_1_0)
        await until(lambda: device.opened != [])
        wire.stdin.channel.pause_reading()
        sent = 0
        while device.server.send("1", b"<n>" + b"x" * 50_000 + b"</n>"):
            sent += 1
            assert sent < 1000
            await asyncio.sleep(0)
        assert device.server.unsent("1") > 1_000_000
        wire.stdin.channel.resume_reading()
        for _ in range(sent):
            await wire.until(b"]]>]]>")
        assert device.server.send("1", b"<n/>")

    on_the_wire(tmp_path, test, max_unsent=1_000_000)


@pytest.mark.clause("8639-7-b")
def test_log_in(tmp_path: Path) -> None:
    key = asyncssh.generate_private_key("ssh-ed25519")
    keys = {USER: key.export_public_key().decode()}

    async def main() -> None:
        async with Device(tmp_path, authorized_keys=keys) as device:
            async with await connect(device, client_keys=[key], password=None):
                pass
            for wrong in (
                {"password": "wrong"},
                {"username": "nobody"},
                {"username": "nobody", "client_keys": [key], "password": None},
            ):
                with pytest.raises(asyncssh.PermissionDenied):
                    await connect(device, **wrong)
            device.server.users.clear()
            with pytest.raises(asyncssh.PermissionDenied):
                await connect(device)

    run(main())


def test_host_key_from_a_file_and_faults_of_the_operator(tmp_path: Path) -> None:
    key = asyncssh.generate_private_key("ssh-ed25519")
    key.write_private_key(tmp_path / "key")
    server = NetconfServer(host_key=tmp_path / "key", port=8300)
    public = key.export_public_key().decode().strip()
    assert server.known_hosts_line() == f"[127.0.0.1]:8300 {public}\n"
    assert server.known_hosts_line("core1", 22) == f"core1 {public}\n"
    assert NetconfServer(host_key=key).known_hosts_line() == server.known_hosts_line()
    for name in ("absent", "bad"):
        (tmp_path / "bad").write_text("no key")
        with pytest.raises(ConfigError, match="host key"):
            NetconfServer(host_key=str(tmp_path / name))

    async def main() -> None:
        await server.stop()
        async with Device(tmp_path) as device:
            second = NetconfServer(port=device.server.port)
            with pytest.raises(ConfigError, match="cannot listen"):
                await second.start()
            await second.stop()
            await device.server.stop()

    run(main())


@pytest.mark.parametrize("capabilities", [CAPABILITIES, CAPABILITIES[:1]], ids=["1.1", "1.0"])
def test_ncclient_itself_as_judge(tmp_path: Path, capabilities: tuple[str, ...]) -> None:
    """ncclient with its own parsers, not through our adapter."""

    def client(device: Device) -> tuple[str, bool, list[str]]:
        with ncclient.manager.connect(
            host="127.0.0.1",
            port=device.server.port,
            username=USER,
            password=PASSWORD,
            hostkey_verify=False,
            look_for_keys=False,
            allow_agent=False,
            timeout=LIMIT,
        ) as manager:
            reply = manager.discard_changes()
            return str(manager.session_id), bool(reply.ok), list(manager.server_capabilities)

    async def main() -> None:
        async with Device(
            tmp_path,
            capabilities=(
                *capabilities,
                "urn:ietf:params:netconf:capability:candidate:1.0",
            ),
        ) as device:
            loop = asyncio.get_running_loop()
            number, ok, found = await loop.run_in_executor(None, client, device)
            assert (number, ok) == ("1", True)
            assert set(capabilities) <= set(found)
            assert b"discard-changes" in device.rpcs[0][1]
            await until(lambda: device.closed == ["1"])

    run(main())
