"""A client of gRPC dial-out for tests: blocking, in any thread, with or without TLS."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import grpc

from collector.wire.dialout.streams import MDT_DIALOUT
from tests.certificates import Issued


def framed(payload: bytes) -> bytes:
    """``MdtDialoutArgs``: ReqId=1, data=2 with a length of up to five octets."""
    head, length = b"\x08\x01\x12", len(payload)
    while length > 127:
        head += bytes([length & 127 | 128])
        length >>= 7
    return head + bytes([length]) + payload


def channel(target: str, authority: Path | None = None, own: Issued | None = None) -> Any:
    """A channel that is not opened yet; with an authority over TLS."""
    options = (("grpc.ssl_target_name_override", "receiver"), ("grpc.enable_retries", 0))
    if authority is None:
        return grpc.insecure_channel(target)
    credentials = grpc.ssl_channel_credentials(
        authority.read_bytes(),
        None if own is None else own.key.read_bytes(),
        None if own is None else own.certificate.read_bytes(),
    )
    return grpc.secure_channel(target, credentials, options)


def publish(
    target: str,
    payloads: Sequence[bytes],
    *,
    method: str = MDT_DIALOUT,
    authority: Path | None = None,
    own: Issued | None = None,
) -> None:
    """One stream with a message for each payload; returns when its status is OK.

    Raises:
        grpc.RpcError: it is not.
    """
    send(target, map(framed, payloads), method=method, authority=authority, own=own)


def send(
    target: str,
    messages: Iterable[bytes],
    *,
    method: str = MDT_DIALOUT,
    authority: Path | None = None,
    own: Issued | None = None,
) -> None:
    """As ``publish``, with the messages of the stream as they are."""
    with channel(target, authority, own) as opened:
        call = opened.stream_stream(method)(iter(messages), timeout=20)
        assert list(call) == [], "nothing is answered"
