"""MQTT topics and messages (§9): unsigned envelopes around signed objects."""

from __future__ import annotations

import re
from typing import Any

from .cbor import MAX_MESSAGE, MAX_REVOCATION, MAX_SEALED, MAX_SIGNED, decode_cbor, encode_cbor
from .errors import MALFORMED, UNSUPPORTED, ProtocolError, require
from .fields import Boolean, Bytes, Field, ListOf, NamedRow, Nullable, Text
from .objects import HASH

SIGNED = Bytes(0, MAX_SIGNED)
SEALED = Bytes(0, MAX_SEALED)
RECORD_WITH_MEDIA = NamedRow(
    record=SIGNED,
    media=ListOf(0, 4, Nullable(NamedRow(header=SEALED, body=SEALED))),
)


class Message(Field):
    """A CDDL choice of arrays `[type, …]`, types counting from 1; a dict with the type's name as `type`."""

    def __init__(self, *variants: tuple[str, NamedRow]) -> None:
        self.variants = variants

    def read(self, value: Any) -> dict[str, Any]:
        require(type(value) is list and len(value) > 0 and type(value[0]) is int, "not a message")
        number, *cells = value
        require(1 <= number <= len(self.variants), f"message type {number}", UNSUPPORTED)
        name, row = self.variants[number - 1]
        return {"type": name, **row.read(cells)}

    def write(self, value: dict[str, Any]) -> list[Any]:
        for number, (name, row) in enumerate(self.variants, start=1):
            if name == value["type"]:
                return [number, *row.write(value)]
        raise ProtocolError(MALFORMED, f"no message type {value['type']}")


MESSAGES = {
    "up": Message(
        ("records", NamedRow(records=ListOf(1, 16, RECORD_WITH_MEDIA))),
        ("offer", NamedRow(offer=SIGNED)),
        ("accept", NamedRow(claim=SIGNED, record=SIGNED)),
    ),
    "down": Message(
        ("receipt", NamedRow(receipt=SIGNED)),
        ("claim", NamedRow(claim=SIGNED, mac=Nullable(HASH))),
        ("offer-request", NamedRow()),
        ("command", NamedRow(command=SIGNED)),
        ("revocation", NamedRow(revocation=Bytes(0, MAX_REVOCATION))),
    ),
    "status": Message(("status", NamedRow(online=Boolean(), agent=Text(32)))),
}


def parse_topic(topic: str) -> tuple[bytes, str]:
    """Returns (device id, leaf), where the leaf is `up`, `down` or `status`."""
    match = re.fullmatch(r"sealcam/v1/([0-9a-f]{64})/(up|down|status)", topic)
    if match is None:
        raise ProtocolError(MALFORMED, f"not a topic: {topic}")
    return bytes.fromhex(match[1]), match[2]


def format_topic(device: bytes, leaf: str) -> str:
    """Returns the topic of a device id for `up`, `down` or `status`."""
    return f"sealcam/v1/{device.hex()}/{leaf}"


def read_message(leaf: str, payload: bytes) -> dict[str, Any]:
    """Decodes the payload of a topic with this leaf; nothing inside is verified."""
    return MESSAGES[leaf].read(decode_cbor(payload, MAX_MESSAGE))


def write_message(leaf: str, message: dict[str, Any]) -> bytes:
    """Encodes a message; the inverse of `read_message`."""
    return encode_cbor(MESSAGES[leaf].write(message))
