"""Replies that are too much: elements, generators."""

from __future__ import annotations

import pytest

from collector.errors import WireError
from collector.wire.netconf.rpc import MAX_OUTCOME, decode_reply
from collector.wire.subscriptions.terms import MAX_GENERATORS
from collector.wire.values import xml
from tests.hostile_device import established, reply, rpc_of

REQUEST = rpc_of("establish-subscription")


def test_so_many_elements_and_no_more() -> None:
    document = b"<a>" + b"<b/>" * 9 + b"</a>"
    assert len(xml.parse(document, most=10).children) == 9
    with pytest.raises(WireError, match="more than 9 elements") as caught:
        xml.parse(document, most=9)
    assert caught.value.reason == "too-many-elements"
    assert caught.value.offset == 3 + 8 * 4


def test_what_is_left_out_does_not_count() -> None:
    document = b"<a><skipped>" + b"<b/>" * 50 + b"</skipped></a>"
    root = xml.parse(document, frozenset({"skipped"}), most=2)
    assert [child.name for child in root.children] == ["skipped"]


def test_a_list_of_generators_has_its_limit_and_duplicates_are_one() -> None:
    several = tuple(f"card {number}" for number in range(MAX_GENERATORS))
    answer = decode_reply(reply(REQUEST, established(7, several)), most=MAX_OUTCOME)
    assert answer.generators == several
    with pytest.raises(WireError, match="more than 1024 message generators") as caught:
        decode_reply(reply(REQUEST, established(7, (*several, "one more"))))
    assert caught.value.reason == "too-many-generators"
    again = decode_reply(reply(REQUEST, established(7, ("1", "2", "01") * 900)))
    assert again.generators == ("1", "2")


def test_an_outcome_is_short() -> None:
    with pytest.raises(WireError, match="more than 4096 elements"):
        decode_reply(reply(REQUEST, b"<a/>" * 5000), most=MAX_OUTCOME)


def test_prefixes_of_a_megabyte_of_letters_are_found_in_one_pass() -> None:
    """From each letter on it took an hour, for a device's or a subscriber's XPath."""
    assert xml.used_prefixes("a" * 1_000_000) == set()
    assert xml.used_prefixes("/if:a[5-b.c:d] | child::e") == {"if", "b.c"}
    assert xml.replace_prefixes("/if:a[5-if:b]", {"if": "x"}) == "/x:a[5-x:b]"
