"""The compiled envelope reader against the Python decoder: any message, any damage to it."""

from __future__ import annotations

import json
import re
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from collector import fast
from collector.errors import UsageError
from collector.model import Notification
from collector.wire.encodings import json_text, json_updates
from collector.wire.notifications.notification import encode
from collector.wire.values import names
from tests.damage import damaged_by
from tests.envelope_rows import check_batch, core
from tests.fast_columns import envelope_rows
from tests.hostile_json import TOKENS
from tests.properties.test_notification_codec import JSON_VALUES, changes, updates

pytestmark = pytest.mark.skipif(fast.native is None, reason="the compiled core is not built")
CONTENTS = JSON_VALUES | st.floats(allow_nan=False, allow_infinity=False)
LARGE = re.compile(rb"[0-9]e[+-][0-9]{3}")
ROOTS = [*names.ROOT_FORMS, names.ROOT_BARE]


def taken(payload: bytes) -> bool:
    return envelope_rows(fast.native, [payload]) != [None]


def check(payloads: list[bytes]) -> None:
    with core("compiled"):
        check_batch(payloads)
    for payload in payloads:
        if taken(payload):
            json_text.parse_plain(payload)


def written(notification: Notification, contents: Any) -> Any:
    try:
        return json.loads(encode(notification, contents))
    except UsageError:  # a form that cannot carry it
        return {"a:b": contents}


@st.composite
def messages(draw: st.DrawFn) -> bytes:
    """Every root form, members in any order, contents of any kind, compact or with blanks."""
    notification = draw(updates() | updates() | updates() | changes())
    if draw(st.booleans()):
        notification = replace(notification, root=draw(st.sampled_from(ROOTS)))
    message = written(notification, draw(CONTENTS))
    random = draw(st.randoms(use_true_random=False))

    def shuffled(value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        items = [(name, shuffled(member)) for name, member in value.items()]
        random.shuffle(items)
        return dict(items)

    separators = draw(st.sampled_from([(",", ":")] * 3 + [(", ", ":"), (",", " :\n")]))
    text = json.dumps(shuffled(message), separators=separators, ensure_ascii=draw(st.booleans()))
    return text.encode("utf-8", "surrogatepass")


@settings(max_examples=300, deadline=None)
@given(st.lists(messages(), max_size=5))
def test_any_batch_says_the_same(payloads: list[bytes]) -> None:
    check(payloads)


@settings(max_examples=300, deadline=None)
@given(messages())
def test_what_the_typed_way_takes_is_taken(payload: bytes) -> None:
    """But for escapes and numbers of any size: a fast path that takes nothing is right, too."""
    if b"\\" not in payload and not LARGE.search(payload):
        _, unusual = json_updates.read_headings([payload])
        assert taken(payload) is not bool(unusual)


@settings(max_examples=400, deadline=None)
@given(messages(), st.data())
def test_damaged_messages_say_the_same(payload: bytes, data: st.DataObject) -> None:
    payload = damaged_by(data, payload, TOKENS)
    check([payload, payload[: data.draw(st.integers(0, len(payload)))]])


@settings(max_examples=200, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(1, 140))
def test_any_depth_says_the_same(random: Random, levels: int) -> None:
    text, closing = b"", b""
    for _ in range(levels):
        opened = random.choice((b"[", b'{"a":', b"[1,", b'{"b":"}]","c":'))
        text, closing = text + opened, (b"]" if opened[:1] == b"[" else b"}") + closing
    for value in (text + b"0" + closing, text + b"[]" + closing, text + b"{" + closing):
        check([
            b'{"ietf-notification:notification":{"ietf-yang-push:push-update":'
            b'{"id":1,"datastore-contents":%s}}}' % value
        ])  # fmt: skip
