"""Seals (§8): pictures and details that only the recipients of a claim can open."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import Any

from nacl import bindings
from nacl.exceptions import CryptoError

from .cbor import MAX_SEALED, decode_cbor, encode_cbor
from .errors import SEAL_REFUSED, UNSUPPORTED, ProtocolError, require
from .fields import Bytes, Integer, ListOf, NamedRow, Nullable, Optional, Row, Text, VersionedMap
from .objects import HASH, UINT, UINT16
from .primitives import hkdf, hmac_sha256, sha256

SUITE = 1
CHUNK_BYTES = 65_536
TAG_BYTES = 16
PADDING_STEP = 4_096
WRAP = Bytes(112, 112)

HEADER = NamedRow(suite=Integer(low=SUITE, high=SUITE), wraps=ListOf(1, 8, WRAP), mac=HASH)

DETAIL = VersionedMap(
    {
        "box": Optional(Row(UINT16, UINT16, UINT16, UINT16)),
        "zones": Optional(ListOf(1, 8, Text(32))),
        "area": Optional(Integer(high=1000)),
        "reason": Optional(Text(64)),
        "startedMs": Optional(UINT),
        "endedMs": Optional(UINT),
        "size": Optional(Row(UINT16, UINT16)),
    }
)

CONTENT = NamedRow(detail=DETAIL, jpeg=Nullable(Bytes(0, MAX_SEALED)))


@dataclass(frozen=True)
class SealContext:
    """What a sealed object belongs to; ids and hashes as in the record."""

    device: bytes
    account: bytes
    epoch: int
    claim_hash: bytes
    event_id: bytes
    media_id: bytes

    def hash(self) -> bytes:
        """ctx, 32 bytes."""
        fields = [self.device, self.account, self.epoch, self.claim_hash, self.event_id, self.media_id]
        return sha256(encode_cbor(["sealcam/seal/v1", *fields]))


@dataclass(frozen=True)
class OpenedSeal:
    """The object key K (32 bytes), the index of the wrap that opened, the padded plaintext and the content."""

    key: bytes
    wrap: int
    plaintext: bytes
    content: dict[str, Any]


def open_seal(header: bytes, body: bytes, context: SealContext, secret: bytes) -> OpenedSeal:
    """Opens a sealed object with a recipient's 32-byte X25519 secret, in the order of §8."""
    require(len(header) + len(body) <= MAX_SEALED, f"more than {MAX_SEALED} bytes")
    wraps, mac = parse_header(header)
    index, key, context_hash = open_wrap(wraps, secret)
    require(context_hash == context.hash(), "sealed for another event", SEAL_REFUSED)
    require(hmac.compare_digest(header_mac(key, wraps), mac), "the MAC is wrong", SEAL_REFUSED)
    plaintext = open_body(body, key)
    return OpenedSeal(key, index, plaintext, parse_plaintext(plaintext))


def parse_header(header: bytes) -> tuple[list[bytes], bytes]:
    """Returns (wraps, MAC). The suite is checked first, because a newer suite may have another shape."""
    value = decode_cbor(header, MAX_SEALED)
    require(type(value) is list and len(value) > 0 and type(value[0]) is int, "not a seal header")
    require(value[0] == SUITE, f"suite {value[0]}", UNSUPPORTED)
    fields = HEADER.read(value)
    return fields["wraps"], fields["mac"]


def open_wrap(wraps: list[bytes], secret: bytes) -> tuple[int, bytes, bytes]:
    """Returns (index of the first wrap that opens with this secret, K, context hash)."""
    public_key = bindings.crypto_scalarmult_base(secret)
    for index, wrap in enumerate(wraps):
        try:
            opened = bindings.crypto_box_seal_open(wrap, public_key, secret)
        except CryptoError:
            continue
        return index, opened[:32], opened[32:]
    raise ProtocolError(SEAL_REFUSED, "no wrap opens with this key")


def header_mac(key: bytes, wraps: list[bytes]) -> bytes:
    """Returns the MAC over all wraps. It also commits to the key, which Poly1305 does not."""
    return hmac_sha256(hkdf(key, b"header"), encode_cbor([SUITE, wraps]))


def chunk_nonce(index: int, last: bool) -> bytes:
    """Returns 24 bytes: 15 zeros, the chunk's number, and whether it is the last."""
    return bytes(15) + index.to_bytes(8, "big") + bytes([last])


def numbered_pieces(data: bytes, size: int) -> list[tuple[bytes, bytes]]:
    """Splits data into pieces of `size` bytes, the last possibly shorter; returns (piece, nonce) for each."""
    starts = range(0, len(data), size)
    return [
        (data[start : start + size], chunk_nonce(index, index == len(starts) - 1))
        for index, start in enumerate(starts)
    ]


def open_body(body: bytes, key: bytes) -> bytes:
    """Decrypts all chunks to the padded plaintext."""
    body_key = hkdf(key, b"body")
    chunks = []
    for piece, nonce in numbered_pieces(body, CHUNK_BYTES + TAG_BYTES):
        try:
            chunk = bindings.crypto_secretbox_open(piece, nonce, body_key)
        except CryptoError as error:
            raise ProtocolError(SEAL_REFUSED, "a chunk does not open") from error
        require(len(chunk) > 0, "an empty chunk")
        chunks.append(chunk)
    require(len(chunks) > 0, "an empty body")
    return b"".join(chunks)


def seal_body(plaintext: bytes, key: bytes) -> bytes:
    """Encrypts the padded plaintext; the inverse of `open_body`."""
    body_key = hkdf(key, b"body")
    pieces = numbered_pieces(plaintext, CHUNK_BYTES)
    return b"".join(bindings.crypto_secretbox(piece, nonce, body_key) for piece, nonce in pieces)


def parse_plaintext(plaintext: bytes) -> dict[str, Any]:
    """Removes length and padding of a non-empty plaintext and decodes the content."""
    require(len(plaintext) % PADDING_STEP == 0, "not a padded plaintext")
    end = 4 + int.from_bytes(plaintext[:4], "big")
    padding = plaintext[end:]
    require(end <= len(plaintext) and len(padding) < PADDING_STEP, "not the length of the content")
    require(not any(padding), "padding that is not zero")
    return CONTENT.read(decode_cbor(plaintext[4:end], MAX_SEALED))


def make_plaintext(content: dict[str, Any]) -> bytes:
    """Encodes and pads the content; the inverse of `parse_plaintext`."""
    encoded = encode_cbor(CONTENT.write(content))
    framed = len(encoded).to_bytes(4, "big") + encoded
    return framed + bytes(-len(framed) % PADDING_STEP)
