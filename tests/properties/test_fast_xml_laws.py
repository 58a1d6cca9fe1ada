"""The compiled envelope reader against the Python decoder: any XML message, any damage to it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from collector import fast
from collector.errors import UsageError
from collector.model import MediaType, Notification
from collector.wire.notifications.notification import encode
from collector.wire.values import names, xml
from tests.damage import damaged_by
from tests.envelope_rows import check_batch, core
from tests.fast_columns import XML, envelope_rows
from tests.hostile_xml import TOKENS
from tests.properties.test_notification_codec import changes, updates

pytestmark = pytest.mark.skipif(fast.native is None, reason="the compiled core is not built")
ROOTS = [names.ROOT_ENVELOPE, names.ROOT_NOTIFICATION, names.ROOT_MESSAGES, names.ROOT_BARE]
NAME = st.from_regex(r"[A-Za-z_][A-Za-z0-9_.-]{0,8}", fullmatch=True)
TEXT = st.text(
    st.characters(blacklist_categories=["Cs"], blacklist_characters="\ufffe\uffff"), max_size=20
).filter(lambda text: all(one >= " " or one in "\t\n\r" for one in text))
LEAF = TEXT | st.integers() | st.booleans()
VALUES = st.recursive(
    LEAF, lambda inner: st.dictionaries(NAME, inner | st.lists(inner, max_size=3), max_size=4),
    max_leaves=12,
)  # fmt: skip
CONTENTS = st.dictionaries(NAME.map("ietf-interfaces:{}".format) | NAME, VALUES, max_size=3)


def taken(payload: bytes) -> bool:
    return envelope_rows(fast.native, [payload], [XML]) != [None]


def check(payloads: list[bytes]) -> None:
    with core("compiled"):
        check_batch(payloads, [XML] * len(payloads))
    for payload in payloads:
        if taken(payload):
            xml.parse(payload)


@st.composite
def documents(draw: st.DrawFn) -> bytes:
    """Every root form with contents of any kind, with and without blanks between elements."""
    said = draw(updates() | updates() | changes())
    if draw(st.booleans()):
        said = replace(said, root=draw(st.sampled_from(ROOTS)))
    try:
        document = encode(said, draw(CONTENTS), MediaType.YANG_DATA_XML)
    except UsageError:  # a form that cannot carry it
        document = b"<a/>"
    if draw(st.booleans()):
        document = document.replace(b"><", draw(st.sampled_from([b">\n<", b">\t <", b" ><"])))
    return document


@settings(max_examples=60, deadline=None)
@given(st.lists(documents(), max_size=4))
def test_any_batch_says_the_same(payloads: list[bytes]) -> None:
    check(payloads)


@settings(max_examples=100, deadline=None)
@given(updates(), CONTENTS)
def test_what_the_encoder_writes_is_taken(said: Notification, contents: Any) -> None:
    """A fast path that takes nothing is right, too."""
    said = replace(said, root=names.ROOT_ENVELOPE)
    try:
        document = encode(said, contents, MediaType.YANG_DATA_XML)
    except UsageError:
        return
    usual = said.generator is None or said.generator.isdecimal()
    assert taken(document) is (usual and b"&#" not in document)


@settings(max_examples=120, deadline=None)
@given(documents(), st.data())
def test_damaged_messages_say_the_same(payload: bytes, data: st.DataObject) -> None:
    payload = damaged_by(data, payload, TOKENS)
    check([payload, payload[: data.draw(st.integers(0, len(payload)))]])
