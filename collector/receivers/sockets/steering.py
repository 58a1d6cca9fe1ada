"""Which lane a source address belongs to, in Python and as a classic-BPF program for the kernel.

Does: ``lane_of`` (a hash of the address), ``steering_program`` (the same hash as a program, and
before it a table of the addresses that must go elsewhere), ``address_key``. Does not: open sockets
(``lane_sockets``), know a device or a configuration (``lanes.plan``).

Rules:
* One source address always reaches one lane; ports decide nothing.
* The program sees the packet from its network header on (``SKF_NET_OFF``), so IPv4 is told from
  IPv6 by the version in the header: a socket on ``::`` that takes both needs no second program.
* A table entry is an address whose hash says another lane than it must reach. Neighbours in the
  sorted table that go to one lane share one comparison, unless an address that must go elsewhere
  lies between; addresses that nobody configured may fall into such a range, and stay there.
* Of an IPv6 address the table knows a 32-bit fold. Should the folds of two configured addresses
  that go to different lanes be equal, another seed is tried.
* 4,096 instructions are the kernel's limit (BPF_MAXINSNS, linux/bpf_common.h): about 3,200
  single addresses or 1,800 ranges.

Instructions: linux/filter.h and Documentation/networking/filter.rst; one is (code, jt, jf, k).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import Struct

from collector.errors import ConfigError

Instruction = tuple[int, int, int, int]
"""(code, jump if true, jump if false, constant); jumps count from the next instruction."""

MAX_INSTRUCTIONS: Final = 4096
SEEDS: Final = 8
"""Folds that are tried for a table of IPv6 addresses (ours)."""
_LEAF: Final = 24
"""Ranges in a row at the end of the search tree (ours): two tests each and an answer for each of
64 lanes at most keep its jumps below 256."""
_WORD: Final = 0xFFFFFFFF
_MIX: Final = (0x85EBCA6B, 0xC2B2AE35)
"""Multipliers of MurmurHash3's finaliser: every bit of the address moves every bit of the hash."""
_FOLD: Final = 0x9E3779B1

_NET: Final = -0x100000 & _WORD
"""SKF_NET_OFF: offsets from here on count from the network header."""
_IPV4_SOURCE: Final = _NET + 12
_IPV6_SOURCE: Final = _NET + 8

_LD_WORD, _LD_BYTE, _LD_IMM, _TAX, _RET_A, _RET_K = 0x20, 0x30, 0x00, 0x07, 0x16, 0x06
_RSH, _MUL, _MOD, _XOR_X = 0x74, 0x24, 0x94, 0xAC
_JA, _JEQ, _JGT, _JGE = 0x05, 0x15, 0x25, 0x35


# --------------------------------------------------------------------------- addresses
def address_key(address: str) -> tuple[int, ...]:
    """The 32-bit words of an address as they stand in the packet: one (IPv4) or four (IPv6).

    A zone is left out (it is not in the packet); IPv4-mapped IPv6 is IPv4. Raises ValueError.
    """
    parsed = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(parsed, ipaddress.IPv6Address):
        parsed = parsed.ipv4_mapped or parsed
    octets = parsed.packed
    return tuple(int.from_bytes(octets[at : at + 4]) for at in range(0, len(octets), 4))


def lane_of(address: str, lanes: int) -> int:
    """The lane that the hash gives an address: 0 to ``lanes`` - 1. Raises ValueError."""
    words = address_key(address)
    return _mixed(words[0] if len(words) == 1 else _folded(words, 0)) % lanes


def _mixed(word: int) -> int:
    word ^= word >> 16
    word = word * _MIX[0] & _WORD
    word ^= word >> 13
    word = word * _MIX[1] & _WORD
    return word ^ word >> 16


def _folded(words: Sequence[int], seed: int) -> int:
    fold = seed
    for word in words:
        fold = (fold ^ word) * _FOLD & _WORD
        fold ^= fold >> 15
    return fold


# --------------------------------------------------------------------------- the table
class _Range(Struct, frozen=True):
    """Keys from ``low`` to ``high`` go to ``lane``."""

    low: int
    high: int
    lane: int


def _ranges(wanted: Mapping[int, int], by_hash: Mapping[int, int]) -> list[_Range]:
    """The comparisons that bring every key to its lane where the hash would not.

    ``wanted`` and ``by_hash`` say for the same keys where they must and where they would go.
    """
    ranges: list[_Range] = []
    together = False  # whether the last range may grow: nothing that goes elsewhere lay between
    for key in sorted(wanted):
        lane = wanted[key]
        if ranges and ranges[-1].lane != lane:
            together = False
        if lane == by_hash[key]:
            continue
        if together:
            ranges[-1] = _Range(ranges[-1].low, key, lane)
        else:
            ranges.append(_Range(key, key, lane))
        together = True
    return ranges


def _tree(ranges: Sequence[_Range]) -> list[Instruction]:
    """Binary search of A; what is in no range leaves at the end."""
    if len(ranges) <= _LEAF:
        return _leaf(ranges) if ranges else []
    middle = len(ranges) // 2
    left, right = _tree(ranges[:middle]), _tree(ranges[middle:])
    over = (_JA, 0, 0, len(right))
    # every leaf ends where nothing was found; that of the left half jumps over the right half
    return [(_JGE, 0, 1, ranges[middle].low), (_JA, 0, 0, len(left) + 1), *left, over, *right]


def _leaf(ranges: Sequence[_Range]) -> list[Instruction]:
    """All comparisons, then one answer a lane, which they share; nothing found: behind them."""
    lanes = sorted({one.lane for one in ranges})
    tests = sum(1 if one.low == one.high else 2 for one in ranges)
    answer = {lane: tests + 1 + place for place, lane in enumerate(lanes)}
    program: list[Instruction] = []
    for one in ranges:
        if one.low != one.high:
            program.append((_JGE, 0, 1, one.low))
        to_answer = answer[one.lane] - len(program) - 1
        if one.low == one.high:
            program.append((_JEQ, to_answer, 0, one.low))
        else:
            program.append((_JGT, 0, to_answer, one.high))
    return [*program, (_JA, 0, 0, len(lanes)), *((_RET_K, 0, 0, lane) for lane in lanes)]


# --------------------------------------------------------------------------- the program
def steering_program(table: Mapping[str, int], lanes: int) -> list[Instruction]:
    """The program that sends every address of ``table`` to its lane, others to ``lane_of``.

    Args:
        table: every configured source address -> its lane; those that the hash sends there anyway
            cost nothing, but must be here, so that no range of others takes them in.
        lanes: how many there are.

    Raises:
        ConfigError: the table does not fit into a classic-BPF program.
    """
    four: dict[int, int] = {}
    six: dict[tuple[int, ...], int] = {}
    for address, lane in table.items():
        words = address_key(address)
        before = four.setdefault(words[0], lane) if len(words) == 1 else six.setdefault(words, lane)
        if before != lane:
            raise ConfigError(
                f"the address {address.partition('%')[0]} belongs to devices of two lanes",
                key="device.sources",
                allowed="with lanes, an address for one device, whatever the interface",
            )
    ranges4 = _ranges(four, {key: _mixed(key) % lanes for key in four})
    seed, ranges6 = _ranges_of_six(six, lanes)
    path4 = [(_LD_WORD, 0, 0, _IPV4_SOURCE), *_tree(ranges4), *_hash(lanes)]
    path6 = [*_fold(0), *_hash(lanes)]
    if ranges6:
        path6 = [*_fold(seed), *_tree(ranges6), *path6]
    program = [
        (_LD_BYTE, 0, 0, _NET),
        (_RSH, 0, 0, 4),
        (_JEQ, 1, 0, 4),
        (_JA, 0, 0, len(path4)),
        *path4,
        *path6,
    ]
    if len(program) > MAX_INSTRUCTIONS:
        raise ConfigError(
            f"{len(ranges4) + len(ranges6)} addresses and ranges have to be steered to the lane of"
            f" their device, in {len(program)} instructions: more than the {MAX_INSTRUCTIONS} that"
            " the kernel takes",
            key="collector.lanes",
            allowed="fewer lanes; fewer source addresses a device, or neighbouring ones",
        )
    return program


def _ranges_of_six(six: Mapping[tuple[int, ...], int], lanes: int) -> tuple[int, list[_Range]]:
    """(seed of the fold, ranges); with a seed that tells all the addresses apart."""
    for seed in range(SEEDS):
        wanted: dict[int, int] = {}
        by_hash: dict[int, int] = {}
        for words, lane in six.items():
            key = _folded(words, seed)
            hashed = _mixed(_folded(words, 0)) % lanes
            if wanted.setdefault(key, lane) != lane or by_hash.setdefault(key, hashed) != hashed:
                break
        else:
            return seed, _ranges(wanted, by_hash)
    raise ConfigError(
        "the configured IPv6 addresses cannot be told apart by their folds", key="collector.lanes"
    )


def _fold(seed: int) -> list[Instruction]:
    """A = ``_folded`` of the packet's IPv6 source."""
    program: list[Instruction] = [(_LD_IMM, 0, 0, seed)]
    for word in range(4):
        program += [
            (_TAX, 0, 0, 0),
            (_LD_WORD, 0, 0, _IPV6_SOURCE + 4 * word),
            (_XOR_X, 0, 0, 0),
            (_MUL, 0, 0, _FOLD),
            *_shifted(15),
        ]
    return program


def _hash(lanes: int) -> list[Instruction]:
    """Return ``_mixed(A) % lanes``."""
    return [
        *_shifted(16),
        (_MUL, 0, 0, _MIX[0]),
        *_shifted(13),
        (_MUL, 0, 0, _MIX[1]),
        *_shifted(16),
        (_MOD, 0, 0, lanes),
        (_RET_A, 0, 0, 0),
    ]


def _shifted(bits: int) -> list[Instruction]:
    """A ^= A >> bits."""
    return [(_TAX, 0, 0, 0), (_RSH, 0, 0, bits), (_XOR_X, 0, 0, 0)]
