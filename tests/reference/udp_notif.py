"""A second, naive codec of UDP-notif, written from the draft only: slow, plain, one bit at a time.

It shares nothing with ``collector.wire.udp_notif``; the differential tests hold the two against
each other. Section numbers are those of draft-ietf-netconf-udp-notif-26.
"""

from __future__ import annotations


class Refused(Exception):  # noqa: N818 - it is what the draft lets a receiver do
    """The datagram is not a valid message or segment."""


def bits_of(octets: bytes) -> str:
    """``octets`` as a text of 0 and 1."""
    return "".join(format(octet, "08b") for octet in octets)


def number(bits: str) -> int:
    """The unsigned number that ``bits`` spell, most significant bit first (section 3.2)."""
    value = 0
    for bit in bits:
        value = value * 2 + (bit == "1")
    return value


def parse(datagram: bytes) -> dict[str, object]:
    """Figures 2, 3 and 4, field by field."""
    bits = bits_of(datagram)
    if len(datagram) < 12:
        raise Refused("Figure 2: three rows of four octets")
    fields: dict[str, object] = {
        "Ver": number(bits[0:3]),
        "S": bits[3] == "1",
        "MT": number(bits[4:8]),
        "Header Len": number(bits[8:16]),
        "Message Length": number(bits[16:32]),
        "Message Publisher ID": number(bits[32:64]),
        "Message ID": number(bits[64:96]),
        "Segment Number": None,
        "L": None,
    }
    header_length = number(bits[8:16])
    if fields["Ver"] == 0 and header_length < 12:
        return parse_legacy(datagram)
    if fields["Ver"] not in (0, 1):
        raise Refused("section 3.2: the current version is 1")
    if fields["Ver"] == 0 and fields["MT"] == 0 and not fields["S"]:
        fields["MT"] = 3  # CBOR of -03; reserved from -04 on
    if fields["Message Length"] != len(datagram):
        raise Refused("section 3.2: the length of this datagram")
    if header_length < 12 or header_length > len(datagram):
        raise Refused("section 3.2: fixed header and options")
    options: list[tuple[int, bytes]] = []
    rest = datagram[12:header_length]
    while rest:
        if len(rest) < 2 or rest[1] < 2 or rest[1] > len(rest):
            raise Refused("Figure 3")
        options.append((rest[0], rest[2 : rest[1]]))
        rest = rest[rest[1] :]
    for place, (kind, value) in enumerate(options):
        if kind == 1:
            if place != 0 or len(value) != 2:
                raise Refused("section 4.1: first option, four octets")
            fields["Segment Number"] = number(bits_of(value)[0:15])
            fields["L"] = bits_of(value)[15] == "1"
    fields["Options"] = [(kind, value) for kind, value in options if kind != 1]
    fields["Message"] = datagram[header_length:]
    return fields


def parse_legacy(datagram: bytes) -> dict[str, object]:
    """draft-ietf-netconf-udp-pub-channel-05: no options, encodings of its own."""
    bits = bits_of(datagram)
    version, encoding = number(bits[0:4]), number(bits[12:16])
    if version != 0 or encoding > 3 or number(bits[16:32]) != len(datagram):
        raise Refused("Version, Encoding or Message Length")
    return {
        "Ver": 0,
        "S": False,
        "MT": {"GPB": 0, "CBOR": 3, "JSON": 1, "XML": 2}[["GPB", "CBOR", "JSON", "XML"][encoding]],
        "Header Len": 12,
        "Message Length": len(datagram),
        "Message Publisher ID": number(bits[32:64]),
        "Message ID": number(bits[64:96]),
        "Segment Number": None,
        "L": None,
        "Options": [],
        "Message": datagram[12:],
    }


def build(
    message: bytes, media_type: int, publisher_id: int, message_id: int, private: bool
) -> bytes:
    """One unsegmented message without options."""
    total = 12 + len(message)
    bits = "001" + ("1" if private else "0") + format(media_type, "04b")
    bits += format(12, "08b") + format(total, "016b")
    bits += format(publisher_id, "032b") + format(message_id, "032b")
    return bytes(number(bits[at : at + 8]) for at in range(0, len(bits), 8)) + message


def reassemble(datagrams: list[bytes]) -> tuple[bytes, list[tuple[int, bytes]]] | None:
    """Section 4.1, last paragraph: message and options, or None while a segment is missing."""
    parsed = [parse(datagram) for datagram in datagrams]
    if parsed[0]["Segment Number"] is None:
        return parsed[0]["Message"], parsed[0]["Options"]  # type: ignore[return-value] # by parse
    by_number = {fields["Segment Number"]: fields for fields in parsed}
    lasts = [place for place, fields in by_number.items() if fields["L"]]
    if len(lasts) != 1 or len(by_number) != lasts[0] + 1:  # type: ignore[operator] # an int here
        return None
    ordered = [by_number[place] for place in range(len(by_number))]
    message = b"".join(fields["Message"] for fields in ordered)  # type: ignore[misc] # by parse
    return message, ordered[0]["Options"]  # type: ignore[return-value] # by parse
