"""NETCONF messages <-> octets of an SSH channel: both framings of RFC 6242.

What it does: cuts whole messages out of a stream that arrives in pieces of any size, and puts
messages into frames. What it does not: look into a message, keep a socket, decide which framing
to use (the caller knows both hellos).

Rules:

* a session starts with end-of-message framing; the caller switches after the hellos with
  ``use_chunked()`` (RFC 6242 §4.1), and octets already received stay in the buffer;
* one message at a time: ``receive(data)``, then ``next_message()`` until it returns None, because
  the framing may change between two messages of one piece; once it is chunked it stays so, and
  ``cut(data)`` does both for all messages that are there;
* the work is linear in the octets received, also when they come one by one;
* after a WireError the stream is lost: the session MUST be closed (RFC 6242 §4.2).
"""

from __future__ import annotations

import re

from collector.errors import WireError

END_OF_MESSAGE = b"]]>]]>"
"""RFC 6242 §4.3."""
END_OF_CHUNKS = b"\n##\n"
"""RFC 6242 §4.2."""
MAX_CHUNK = 4_294_967_295
"""Largest chunk-size, RFC 6242 §4.2."""
DEFAULT_MAX_MESSAGE = 16 * 1024 * 1024
"""Octets of one message that are taken at most (ours)."""

_LF = 0x0A
_HASH = 0x23
_DIGITS = frozenset(b"0123456789")
_WHITE_SPACE = frozenset(b" \t\r\n")
_MAX_SIZE_DIGITS = 10
"""Digits of ``MAX_CHUNK``: more can only be out of range, so no need to wait for their end."""
_CHUNK = re.compile(rb"\n#([1-9][0-9]{0,9})\n")
"""A header that is whole and legal (RFC 6242 §4.2), but for its largest sizes."""


class Deframer:
    """Cuts messages out of a stream; holds at most one message and what arrived behind it."""

    def __init__(self, max_message: int = DEFAULT_MAX_MESSAGE) -> None:
        self.max_message = max_message
        """Octets; a longer message is refused before it is held."""
        self.chunked = False
        """Which framing the next message is in."""
        self._buffer = bytearray()
        self._offset = 0
        """Octets of the stream before ``_buffer``, for error messages."""
        self._scanned = 0
        """Octets at the start of ``_buffer`` in which no end-of-message begins."""
        self._chunks = bytearray()
        """Chunk data of the unfinished message."""
        self._remaining = 0
        """Octets of the present chunk that are still to come."""
        self._may_skip = False
        self.error: WireError | None = None
        """What ended the stream; raised by every ``next_message`` from then on."""

    @property
    def buffered(self) -> int:
        """Octets held now."""
        return len(self._buffer) + len(self._chunks)

    def receive(self, data: bytes) -> None:
        """Take octets as they came from the channel."""
        self._buffer += data

    def use_chunked(self) -> None:
        """Switch to chunked framing, once both hellos said base:1.1 (RFC 6242 §4.1)."""
        self.chunked = True
        self._may_skip = True

    def next_message(self) -> bytes | None:
        """The next whole message without surrounding white space, or None: more octets needed.

        Raises:
            WireError: ``bad-chunk-size``, ``bad-chunk-start``, ``empty-message`` or
                ``message-too-large``; raised again by every later call.
        """
        if self.error is not None:
            raise self.error
        try:
            return self._next_chunked() if self.chunked else self._next_delimited()
        except WireError as error:
            self.error = error
            self._buffer.clear()
            self._chunks.clear()
            raise

    def cut(self, data: bytes) -> list[bytes]:
        """Take octets; the whole messages that are there now, as ``next_message`` returns them.

        Only in chunked framing, since in the other one each message may change the framing. Whole
        messages of one chunk, as nearly all are, are copied only once. Does not raise: ``error``
        says afterwards why nothing more will come.
        """
        found: list[bytes] = []
        if self.error is not None:
            return found
        if len(self._buffer) <= len(data) and self._at_border():
            octets = b"".join((self._buffer, data)) if self._buffer else data
            at = self._whole_ones(octets, found)
            self._buffer[:] = memoryview(octets)[at:]
            self._offset += at
            if at == len(octets) or self._waits_for_data(octets, at):
                return found
        else:
            self._buffer += data
        try:
            while (message := self.next_message()) is not None:
                found.append(message)
        except WireError:
            pass  # it is kept in ``error``
        return found

    def _at_border(self) -> bool:
        """Whether the buffer begins where a message does."""
        return not (self._may_skip or self._remaining or self._chunks)

    def _whole_ones(self, octets: bytes, found: list[bytes]) -> int:
        """Messages of one chunk each at the front; returns where the next one begins, or something
        that ``next_message`` has to look at."""
        at, most = 0, min(self.max_message, MAX_CHUNK)
        while (header := _CHUNK.match(octets, at)) is not None:
            first = header.end()
            end = first + int(header[1])
            if end - first > most or not octets.startswith(END_OF_CHUNKS, end):
                break
            message = octets[first:end].strip()
            if not message:
                break
            found.append(message)
            at = end + len(END_OF_CHUNKS)
        return at

    def _waits_for_data(self, octets: bytes, at: int) -> bool:
        """Whether there is a legal header, and its chunk is not yet whole."""
        header = _CHUNK.match(octets, at)
        if header is None:
            return False
        size = int(header[1])
        return len(octets) < header.end() + size and size <= min(self.max_message, MAX_CHUNK)

    # ------------------------------------------------------------------ end of message
    def _next_delimited(self) -> bytes | None:
        while True:
            end = self._buffer.find(END_OF_MESSAGE, self._scanned)
            # Octets that may turn out to be the delimiter do not count before they are known.
            unsure = len(END_OF_MESSAGE) - 1
            if (end if end >= 0 else len(self._buffer) - unsure) > self.max_message:
                raise self._too_large()
            if end < 0:
                self._scanned = max(0, len(self._buffer) - len(END_OF_MESSAGE) + 1)
                return None
            message = bytes(self._buffer[:end]).strip()
            self._consume(end + len(END_OF_MESSAGE))
            self._scanned = 0
            if message:  # nothing between two delimiters is no message: some servers send it
                return message

    # ------------------------------------------------------------------ chunks
    def _next_chunked(self) -> bytes | None:
        while True:
            if self._remaining:
                piece = self._buffer[: self._remaining]
                if not piece:
                    return None
                self._chunks += piece
                self._remaining -= len(piece)
                self._consume(len(piece))
                continue
            header = self._header()
            if header is None:
                return None
            length, size = header
            self._consume(length)
            if size == 0:
                message = bytes(self._chunks)
                self._chunks.clear()
                return self._whole(message)
            if len(self._chunks) + size > self.max_message:
                raise self._too_large()
            if not self._chunks and self._buffer.startswith(END_OF_CHUNKS, size):
                message = bytes(self._buffer[:size])  # the common case: one chunk, all of it here
                self._consume(size + len(END_OF_CHUNKS))
                return self._whole(message)
            self._remaining = size

    def _whole(self, message: bytes) -> bytes:
        message = message.strip()
        if not message:  # Chunked-Message = 1*chunk end-of-chunks
            raise self._illegal("empty-message", "a message without content", 0)
        return message

    def _header(self) -> tuple[int, int] | None:
        """(octets, chunk-size) of the header at the front, size 0 for end-of-chunks.

        None while it is incomplete.
        """
        buffer = self._buffer
        if self._may_skip and not self._skip_after_hello():
            return None
        if not buffer:
            return None
        if buffer[0] != _LF:
            raise self._illegal("bad-chunk-start", "a chunk must begin with LF", 0)
        if len(buffer) == 1:
            return None
        if buffer[1] != _HASH:
            raise self._illegal("bad-chunk-start", "a chunk must begin with LF #", 1)
        return self._size()

    def _size(self) -> tuple[int, int] | None:
        buffer = self._buffer
        if buffer[2:3] == b"#":
            if len(buffer) < len(END_OF_CHUNKS):
                return None
            if buffer[3] != _LF:
                raise self._illegal("bad-chunk-start", "end-of-chunks must end with LF", 3)
            return len(END_OF_CHUNKS), 0
        end = 2
        limit = min(len(buffer), 2 + _MAX_SIZE_DIGITS + 1)
        while end < limit and buffer[end] in _DIGITS:
            end += 1
        digits = bytes(buffer[2:end])
        if digits.startswith(b"0"):
            raise self._illegal("bad-chunk-size", "chunk-size begins with 0", 2)
        if len(digits) > _MAX_SIZE_DIGITS or (digits and int(digits) > MAX_CHUNK):
            raise self._illegal("bad-chunk-size", f"chunk-size is above {MAX_CHUNK}", 2)
        if end == len(buffer):
            return None
        if not digits or buffer[end] != _LF:
            raise self._illegal("bad-chunk-size", "chunk-size is not a number ended by LF", end)
        return end + 1, int(digits)

    def _skip_after_hello(self) -> bool:
        """Drop white space between the hello's delimiter and the first chunk; False: wait.

        Some servers print a line end behind ``]]>]]>``; it cannot be mistaken for a chunk,
        whose LF is followed by ``#``.
        """
        buffer = self._buffer
        blank = 0
        while blank + 1 < len(buffer) and {buffer[blank], buffer[blank + 1]} <= _WHITE_SPACE:
            blank += 1
        self._consume(blank)
        self._may_skip = len(buffer) < 2
        return not self._may_skip

    # ------------------------------------------------------------------ both
    def _consume(self, count: int) -> None:
        del self._buffer[:count]
        self._offset += count

    def _illegal(self, reason: str, message: str, at: int) -> WireError:
        return WireError(
            reason, message, offset=self._offset + at, field="chunk", clause="RFC 6242 §4.2"
        )

    def _too_large(self) -> WireError:
        return WireError(
            "message-too-large",
            f"a message is longer than {self.max_message} octets",
            offset=self._offset,
            field="message",
        )


def encode_delimited(message: bytes) -> bytes:
    """A message in end-of-message framing (RFC 6242 §4.3).

    Raises:
        WireError: ``delimiter-in-message``: the peer would cut the message in two.
    """
    at = message.find(END_OF_MESSAGE)
    if at >= 0:
        raise WireError(
            "delimiter-in-message",
            "the message contains the end-of-message delimiter",
            offset=at,
            field="message",
            clause="RFC 6242 §4.3",
        )
    return message + END_OF_MESSAGE


def encode_chunked(message: bytes, max_chunk: int = MAX_CHUNK) -> bytes:
    """A message in chunked framing (RFC 6242 §4.2), in chunks of at most ``max_chunk`` octets.

    Raises:
        WireError: ``empty-message``: there must be at least one chunk.
    """
    if not message:
        raise WireError("empty-message", "a message without content", clause="RFC 6242 §4.2")
    if len(message) <= max_chunk:
        return b"\n#%d\n%b\n##\n" % (len(message), message)
    pieces = [message[at : at + max_chunk] for at in range(0, len(message), max_chunk)]
    return b"".join(b"\n#%d\n%b" % (len(piece), piece) for piece in pieces) + END_OF_CHUNKS
