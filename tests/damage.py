"""Messages damaged by chance, seeded or drawn, of any encoding; knows nothing of the collector."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random

from hypothesis import strategies as st


def all_prefixes(messages: Sequence[bytes]) -> Iterator[bytes]:
    """Every beginning of every message."""
    for message in messages:
        for length in range(len(message) + 1):
            yield message[:length]


def with_replaced_octets(
    message: bytes, meaningful: bytes, bits: Sequence[int] = range(8)
) -> Iterator[bytes]:
    """Each octet with bits turned round, and replaced by what means something."""
    for place, octet in enumerate(message):
        flipped = (octet ^ 1 << bit for bit in bits)
        for other in {*flipped, *meaningful}:
            yield message[:place] + bytes((other,)) + message[place + 1 :]


def damaged_one(
    random: Random, messages: Sequence[bytes], tokens: Sequence[bytes], borders: bytes = b""
) -> bytes:
    """A message with one to three pieces replaced, doubled, put in or cut off.

    ``borders``: octets at which it is worth while to do so.
    """
    text = random.choice(messages)
    if random.randrange(3) == 0:  # mostly still usual: another letter or digit
        for _ in range(random.randrange(1, 4)):
            place = random.choice([at for at, octet in enumerate(text) if chr(octet).isalnum()])
            text = text[:place] + random.choice(b"0123456789azAZ").to_bytes() + text[place + 1 :]
        return text
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        place = random.randrange(len(text) + 1)
        if borders and random.randrange(2):
            near = max(text.find(random.choice(borders), place), 0)
            place = near + random.randrange(2)
        text = _damaged_at(random, text, place, tokens)
        if random.randrange(12) == 0:
            text = text[: random.randrange(len(text) + 1)]
    return text


def _damaged_at(random: Random, text: bytes, place: int, tokens: Sequence[bytes]) -> bytes:
    end = min(len(text), place + random.choice((0, 0, 1, 1, 2, 5, 30)))
    kind = random.randrange(6)
    if kind == 0:
        piece = bytes((random.randrange(256),))
    elif kind == 1:  # doubled, or moved to another place
        start = random.randrange(len(text) + 1)
        piece = text[start : start + random.choice((1, 5, 20, 60))]
    elif kind == 2:
        piece, end = b"", min(len(text), end + 1)
    else:
        piece = random.choice(tokens)
    return text[:place] + piece + text[end:]


def damaged_by(data: st.DataObject, payload: bytes, tokens: Sequence[bytes]) -> bytes:
    """A message with one to three pieces replaced, doubled, put in or cut out, as drawn."""
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(payload)))
        end = min(len(payload), place + data.draw(st.sampled_from([0, 1, 1, 2, 20])))
        start = data.draw(st.integers(0, len(payload)))
        piece = data.draw(
            st.binary(max_size=3)
            | st.sampled_from(tokens)
            | st.just(payload[start : start + data.draw(st.integers(0, 60))])
        )
        payload = payload[:place] + piece + payload[end:]
    return payload
