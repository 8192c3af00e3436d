"""Seal suite 2 (§16): key records, the chain of a period, and objects with a key E each."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import Any

from . import seal
from .cbor import MAX_SEALED, decode_cbor, encode_cbor
from .errors import SEAL_REFUSED, UNSUPPORTED, require
from .primitives import hkdf, sha256
from .version2 import DOCUMENT
from .xwing import XWingKeys, chacha_open, chacha_seal, encapsulate, hpke_key

SUITE = 2
CHUNK_BYTES = 65_536
TAG_BYTES = 16
HEADER = DOCUMENT.field("seal-header", named_rows=True)
BODY = DOCUMENT.field("key-record-body", named_rows=True)
IN_FORCE = DOCUMENT.field("in-force")
MAX_IN_FORCE = 4_092
# Stands for the id of an event where the record has none.
NO_EVENT = bytes(16)
# Unit of the padding and longest plaintext of each role.
ROLES = {
    "thumbnail": (4_096, 94_208),
    "detail": (4_096, 94_208),
    "segment": (16_384, 524_288),
    "mini": (2_560, 2_560),
}


@dataclass(frozen=True)
class Place:
    """What a period belongs to; with event, media and role what an object belongs to."""

    device: bytes
    account: bytes
    epoch: int
    claim_hash: bytes
    event_id: bytes = b""
    media_id: bytes = b""
    role: str = ""

    def period_hash(self, period_id: bytes) -> bytes:
        """ctxP, 32 bytes."""
        owner = [self.device, self.account, self.epoch, self.claim_hash]
        return sha256(encode_cbor(["sealcam/key/v2", *owner, period_id]))

    def object_hash(self, period_id: bytes, index: int) -> bytes:
        """ctx, 32 bytes."""
        fields = [self.device, self.account, self.epoch, self.claim_hash, self.event_id, self.media_id, self.role]
        return sha256(encode_cbor(["sealcam/seal/v2", *fields, period_id, index]))


def refuse_newer(value: Any) -> None:
    """An array that begins with a number above 2 is of a newer suite, whatever follows."""
    newer = type(value) is list and len(value) > 0 and type(value[0]) is int and value[0] > SUITE
    require(not newer, "a newer suite", UNSUPPORTED)


def parse_key_body(body: bytes, recipients: int) -> list[dict[str, bytes]]:
    """Returns the wraps of a key record for a claim with this number of recipients."""
    value = decode_cbor(body, MAX_SEALED)
    refuse_newer(value)
    wraps = BODY.read(value)["wraps"]
    require(len(wraps) == recipients, "not one wrap for each recipient")
    return wraps


def make_key_body(publics: list[bytes], randomness: list[bytes], info: bytes, key: bytes) -> bytes:
    """Wraps K for every recipient; the inverse of `open_period`."""
    wraps = []
    for public, random in zip(publics, randomness):
        shared, enc = encapsulate(public, random)
        wraps.append({"enc": enc, "ct": chacha_seal(*hpke_key(shared, info), key)})
    return encode_cbor(BODY.write({"suite": SUITE, "wraps": wraps}))


def period_commit(key: bytes, info: bytes) -> bytes:
    """What the key record signs of K."""
    return hkdf(key, b"commit" + info)


@dataclass(frozen=True)
class Period:
    """An opened period: its id and K."""

    period_id: bytes
    key: bytes

    def chain(self, index: int) -> bytes:
        """CK_i."""
        key = hkdf(self.key, b"chain")
        for _ in range(index):
            key = hkdf(key, b"next")
        return key

    def link(self, index: int) -> bytes:
        """OK_i."""
        return hkdf(self.chain(index), b"object")

    def key_of(self, place: Place, header: bytes) -> bytes:
        """E of the object with this header."""
        fields = parse_header(header)
        require(fields["period"] == self.period_id, "another period", SEAL_REFUSED)
        return hkdf(self.link(fields["index"]), b"one" + place.object_hash(self.period_id, fields["index"]))


def open_period(
    place: Place, period_id: bytes, commit: bytes, body: bytes, recipients: int, own: int, keys: XWingKeys
) -> Period:
    """Opens entry `own` of a key record with this recipient's keys, and no other entry."""
    wrap = parse_key_body(body, recipients)[own]
    info = place.period_hash(period_id)
    key = chacha_open(*hpke_key(keys.decapsulate(wrap["enc"]), info), wrap["ct"])
    require(hmac.compare_digest(period_commit(key, info), commit), "another K", SEAL_REFUSED)
    return Period(period_id, key)


def parse_header(header: bytes) -> dict[str, Any]:
    """Returns the header of an object by name. Suite 1 is `malformed`: its epochs are of version 1."""
    value = decode_cbor(header, MAX_SEALED)
    refuse_newer(value)
    return HEADER.read(value)


def make_header(key: bytes, place: Place, period_id: bytes, index: int) -> bytes:
    """Returns the header of an object whose key is E."""
    commit = hkdf(key, b"commit" + place.object_hash(period_id, index))
    return encode_cbor([SUITE, period_id, index, commit])


def check_length(length: int, role: str) -> None:
    """Refuses a body that cannot be one of this role."""
    chunks = -(-length // (CHUNK_BYTES + TAG_BYTES))
    plain = length - chunks * TAG_BYTES
    last = length - (chunks - 1) * (CHUNK_BYTES + TAG_BYTES)
    require(length > 0 and last > TAG_BYTES, "no bytes, or a last chunk without a byte")
    unit, longest = ROLES[role]
    require(plain % unit == 0 and plain <= longest, "not a length of this role")


def nonces(chunks: list[bytes]) -> list[bytes]:
    """The nonce of each chunk: its number in 11 bytes, and whether it is the last."""
    return [i.to_bytes(11, "big") + bytes([i == len(chunks) - 1]) for i in range(len(chunks))]


def cut(data: bytes, size: int) -> list[bytes]:
    """Cuts data into pieces of `size` bytes, the last possibly shorter."""
    return [data[start : start + size] for start in range(0, len(data), size)]


def open_object(key: bytes, place: Place, header: bytes, body: bytes) -> bytes:
    """Opens an object with E; returns c."""
    require(place.role in ROLES, "a role that is not sealed")
    check_length(len(body), place.role)
    fields = parse_header(header)
    commit = hkdf(key, b"commit" + place.object_hash(fields["period"], fields["index"]))
    require(hmac.compare_digest(commit, fields["commit"]), "another key or place", SEAL_REFUSED)
    chunks = cut(body, CHUNK_BYTES + TAG_BYTES)
    body_key = hkdf(key, b"body")
    return unpad(b"".join(chacha_open(body_key, n, chunk) for n, chunk in zip(nonces(chunks), chunks)), place.role)


def seal_body(key: bytes, content: bytes, role: str) -> bytes:
    """Pads and encrypts c; the inverse of `open_object`."""
    framed = len(content).to_bytes(4, "big") + content
    chunks = cut(framed + bytes(-len(framed) % ROLES[role][0]), CHUNK_BYTES)
    return b"".join(chacha_seal(hkdf(key, b"body"), n, chunk) for n, chunk in zip(nonces(chunks), chunks))


def unpad(plaintext: bytes, role: str) -> bytes:
    """Removes length and padding."""
    end = 4 + int.from_bytes(plaintext[:4], "big")
    padding = plaintext[end:]
    require(end <= len(plaintext) and len(padding) < ROLES[role][0], "not the length of the content")
    require(not any(padding), "padding that is not zero")
    return plaintext[4:end]


def parse_content(content: bytes) -> dict[str, Any]:
    """Decodes the c of a picture or detail, which is as in suite 1."""
    return seal.CONTENT.read(decode_cbor(content, MAX_SEALED))


def parse_in_force(content: bytes) -> dict[str, Any]:
    """Decodes the c of the detail in an answer to an order (§17)."""
    return IN_FORCE.read(decode_cbor(content, MAX_IN_FORCE))


def make_in_force(value: dict[str, Any]) -> bytes:
    """Encodes what is in force; the inverse of `parse_in_force`."""
    return encode_cbor(IN_FORCE.write(value))
