"""What the simulated device answers when it is asked for modules."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from collector.errors import ProtocolError
from collector.schema.loader import bundled_modules_folder
from collector.schema.validate import validate
from collector.wire.netconf.library import originator_leaves
from collector.wire.netconf.requests import CloseSession, Get, decode_rpc, encode_rpc
from collector.wire.netconf.schemas import (
    GetSchema,
    ModuleId,
    decode_schema,
    encode_get_schema,
    latest_revision,
)
from collector.wire.values import names
from publisher_sim.data.module_library import answer_get_schema, installed_modules, modules_of

OWN = ModuleId("ietf-yp-observation", "2026-05-11")


def ask(request: bytes) -> bytes | None:
    return answer_get_schema(decode_rpc(request), request)


def answer(request: bytes) -> bytes:
    found = ask(request)
    assert found is not None
    return found


def test_the_list_and_a_module_of_it() -> None:
    assert OWN in [one.id for one in installed_modules().values()]
    text = (bundled_modules_folder() / f"{OWN}.yang").read_text()
    for module in (OWN, ModuleId(OWN.name)):
        got = answer(encode_get_schema("2", GetSchema(module)))
        assert decode_schema(got, OWN.name) == text.strip()


@pytest.mark.parametrize("module", [ModuleId("nowhere"), ModuleId(OWN.name, "1999-01-01")])
def test_what_is_not_there_is_refused(module: ModuleId) -> None:
    with pytest.raises(ProtocolError, match=f"there is no {module} here"):
        decode_schema(answer(encode_get_schema("1", GetSchema(module))), module.name)


def test_a_name_that_is_none_is_refused() -> None:
    request = encode_get_schema("1", GetSchema(ModuleId("../x")))
    with pytest.raises(ProtocolError) as caught:
        decode_schema(answer(request), "x")
    assert caught.value.tag == "invalid-value"


@pytest.mark.parametrize("operation", [Get(), Get(None), CloseSession()])
def test_other_requests_are_for_others(operation: Get | CloseSession) -> None:
    assert ask(encode_rpc("1", operation)) is None


def test_without_the_standard_modules_it_has_its_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    installed_modules.cache_clear()
    found = set(installed_modules())
    installed_modules.cache_clear()
    assert OWN.name in found
    assert "ietf-interfaces" not in found


@pytest.mark.parametrize(
    ("mode", "module", "expected"),
    [
        (names.MODE_MSO, ModuleId(names.MSO, "2019-10-12"), (("message-generator-id",), True)),
        (names.MODE_DN_18, ModuleId(names.DN, "2026-02-21"), (("message-publisher-id",), True)),
        (names.MODE_DN_19, ModuleId(names.DN, "2026-04-13"), (("message-publisher-id",), False)),
    ],
)
def test_each_control_mode_has_its_own_extension(
    mode: str, module: ModuleId, expected: object, tmp_path: Path
) -> None:
    known = modules_of(mode)
    assert {names.MSO, names.DN} & known.keys() == {module.name}
    assert known[module.name].id == module
    request = encode_get_schema("1", GetSchema(module))
    reply = answer_get_schema(decode_rpc(request), request, mode)
    assert reply is not None
    text = decode_schema(reply, module.name)
    assert originator_leaves(text) == expected
    assert latest_revision(text) == module.revision
    path = tmp_path / f"{module}.yang"
    path.write_text(text)
    assert validate([path], search=[bundled_modules_folder()], strict=True).findings == ()
