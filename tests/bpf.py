"""A machine for classic BPF, as filter(4) of the BSDs tells it: the judge of steering programs.

Knows the instructions that steering programs use and no others; a jump out of the program, or
an end without a return, fails. Shares nothing with who writes the programs.
"""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Sequence

NETWORK_HEADER = 0x100000000 - 0x100000
"""Loads from here on count from the network header (linux/filter.h, SKF_NET_OFF = -0x100000)."""
WORD = 0xFFFFFFFF


def packet(source: str) -> bytes:
    """Network header, UDP header and two octets, from ``source`` to some address."""
    address = ipaddress.ip_address(source)
    udp = struct.pack(">HHHH", 40000, 10003, 10, 0) + b"hi"
    if address.version == 4:
        head = struct.pack(">BBHHHBBH", 0x45, 0, 30, 7, 0, 64, 17, 0)
        return head + address.packed + bytes([192, 0, 2, 1]) + udp
    head = struct.pack(">IHBB", 0x60012345, 10, 17, 64)
    return head + address.packed + ipaddress.ip_address("2001:db8::99").packed + udp


def run(program: Sequence[tuple[int, int, int, int]], octets: bytes) -> tuple[int, int]:
    """(what the program returns for this packet, instructions that it took)."""
    a = x = at = steps = 0
    while True:
        code, jt, jf, k = program[at]
        at, steps = at + 1, steps + 1
        assert 0 <= jt < 256
        assert 0 <= jf < 256
        if code == 0x20:
            a = int.from_bytes(_load(octets, k, 4))
        elif code == 0x30:
            a = int.from_bytes(_load(octets, k, 1))
        elif code == 0x00:
            a = k
        elif code == 0x07:
            x = a
        elif code == 0x74:
            a >>= k
        elif code == 0x24:
            a = a * k & WORD
        elif code == 0x94:
            a %= k
        elif code == 0xAC:
            a ^= x
        elif code == 0x05:
            at += k
        elif code == 0x15:
            at += jt if a == k else jf
        elif code == 0x25:
            at += jt if a > k else jf
        elif code == 0x35:
            at += jt if a >= k else jf
        elif code == 0x16:
            return a, steps
        elif code == 0x06:
            return k, steps
        else:
            raise AssertionError(f"instruction {code:#x}")


def _load(octets: bytes, offset: int, length: int) -> bytes:
    start = offset - NETWORK_HEADER
    assert start >= 0
    assert start + length <= len(octets)
    return octets[start : start + length]
