"""The one spelling of an address: what most are recognised by says the same as ``ipaddress``."""

from __future__ import annotations

import ipaddress

from hypothesis import example, given, settings
from hypothesis import strategies as st

from collector.config import address

NUMBERS = st.integers(0, 2**128 - 1) | st.integers(0, 2**33) | st.integers(0, 7).map(
    lambda group: 0xBEEF << 16 * group
)  # fmt: skip
ADDRESSES = NUMBERS.map(ipaddress.IPv6Address) | st.integers(0, 2**32 - 1).map(
    ipaddress.IPv4Address
)
SPELLINGS = ADDRESSES.flatmap(
    lambda one: st.sampled_from((str(one), one.exploded, str(one).upper(), f" {one} ", f"{one}%1"))
)
TEXTS = SPELLINGS | st.text("0123456789abcdef:.%\0 x", max_size=20) | st.text(max_size=8)


def slowly(text: str) -> str | None:
    """By the standard library alone."""
    try:
        parsed = ipaddress.ip_address(text.strip())
    except ValueError:
        return None
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return str(mapped or parsed)


@settings(max_examples=1000, deadline=None)
@given(TEXTS)
@example("::ffff:192.0.2.1")
@example("::192.0.2.1")
@example("::c000:201")
@example("::ffff:c000:201")
@example("2001:db8:0:1:0:0:0:1")
@example("2001:db8::1:0:1:1:1")
@example("192.0.2.01")
@example("192.0.2")
@example("0")
@example("fe80::1%eth0")
def test_an_address_has_one_spelling(text: str) -> None:
    assert address(text) == slowly(text)
