"""Signed objects (§3): COSE_Sign1 with Ed25519, one domain per kind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from . import objects, rules
from .cbor import MAX_HEADS, MAX_REVOCATION, MAX_SIGNED, decode_cbor, encode_cbor
from .ed25519 import check_signature, make_signature, public_key_of
from .errors import require
from .fields import Field
from .primitives import hmac_sha256, sha256


@dataclass(frozen=True)
class Kind:
    """One kind of signed object: domain, CDDL rule, signer and rules between fields, size limit in bytes."""

    domain: str
    schema: Field
    check: Callable[[dict[str, Any], bytes], None]
    limit: int = MAX_SIGNED


KINDS = {
    "record": Kind("sealcam/record/v1", objects.RECORD, rules.check_record),
    "offer": Kind("sealcam/offer/v1", objects.OFFER, rules.check_offer),
    "claim": Kind("sealcam/claim/v1", objects.CLAIM, rules.check_claim),
    "receipt": Kind("sealcam/receipt/v1", objects.RECEIPT, rules.check_receipt),
    "command": Kind("sealcam/command/v1", objects.COMMAND, rules.check_command),
    "session": Kind("sealcam/session/v1", objects.SESSION, rules.check_nothing),
    "revocation": Kind("sealcam/revocation/v1", objects.REVOCATION, rules.check_revocation, MAX_REVOCATION),
    "member": Kind("sealcam/member/v1", objects.MEMBER, rules.check_member),
    "heads": Kind("sealcam/heads/v1", objects.HEADS, rules.check_heads, MAX_HEADS),
    "deletion": Kind("sealcam/deletion/v1", objects.DELETION, rules.check_deletion),
    "floor": Kind("sealcam/floor/v1", objects.FLOOR, rules.check_floor),
    "unlock": Kind("sealcam/unlock/v1", objects.UNLOCK, rules.check_nothing),
}

COSE_SIGN1_TAG = b"\xd2"
ALGORITHM_HEADER, KID_HEADER = 1, 4
ED25519_ALGORITHM = -19


@dataclass(frozen=True)
class Envelope:
    """The parts of a COSE_Sign1, not verified. The kid is the raw 32-byte key, the signature 64 bytes."""

    protected: bytes
    kid: bytes
    payload: bytes
    signature: bytes


@dataclass(frozen=True)
class Signed:
    """A verified object: `value` with the field names of the CDDL, `hash` = H(Sig_structure), 32 bytes."""

    value: dict[str, Any]
    envelope: Envelope
    sig_structure: bytes
    hash: bytes


def parse_envelope(data: bytes, limit: int) -> Envelope:
    """Parses a COSE_Sign1 of at most `limit` bytes. Nothing in it is verified yet."""
    require(len(data) <= limit, f"more than {limit} bytes")
    require(data[:1] == COSE_SIGN1_TAG, "not tagged 18 in one byte")
    parts = decode_cbor(data[1:], limit)
    require(type(parts) is list and len(parts) == 4, "not an array of four")
    protected, unprotected, payload, signature = parts
    require(type(unprotected) is dict and not unprotected, "the unprotected header is not an empty map")
    require(type(protected) is bytes and type(payload) is bytes, "a header or payload that is not a byte string")
    require(type(signature) is bytes and len(signature) == 64, "not a signature of 64 bytes")
    return Envelope(protected, parse_protected(protected, limit), payload, signature)


def parse_protected(protected: bytes, limit: int) -> bytes:
    """Returns the kid of a protected header that holds exactly algorithm -19 and a 32-byte kid."""
    header = decode_cbor(protected, limit)
    require(type(header) is dict, "the protected header is not a map")
    require(set(header) == {ALGORITHM_HEADER, KID_HEADER}, "not the keys of the protected header")
    require(header[ALGORITHM_HEADER] == ED25519_ALGORITHM, "another algorithm")
    return objects.KEY.read(header[KID_HEADER])


def make_sig_structure(protected: bytes, domain: str, payload: bytes) -> bytes:
    """Returns the bytes that are signed (RFC 9052 §4.4). Their hash is the hash of the object."""
    return encode_cbor(["Signature1", protected, domain.encode(), payload])


def open_signed(kind: str, data: bytes, kinds: dict[str, Kind] = KINDS) -> Signed:
    """Verifies an object of the expected kind in the order of §3 and decodes it. `kinds` are those of version 1,
    of version 2, or those that open either.

    For receipts, commands, sessions, revocations and unlock tokens the caller must check the key: it depends on
    a claim or on a pinned key.
    """
    kind_rules = kinds[kind]
    envelope = parse_envelope(data, kind_rules.limit)
    sig_structure = make_sig_structure(envelope.protected, kind_rules.domain, envelope.payload)
    check_signature(envelope.kid, sig_structure, envelope.signature)
    value = kind_rules.schema.read(decode_cbor(envelope.payload, kind_rules.limit))
    kind_rules.check(value, envelope.kid)
    return Signed(value, envelope, sig_structure, sha256(sig_structure))


def sign(kind: str, value: dict[str, Any], seed: bytes, kinds: dict[str, Kind] = KINDS) -> bytes:
    """Signs a value, with the field names of the CDDL, with a 32-byte Ed25519 seed."""
    protected = encode_cbor({ALGORITHM_HEADER: ED25519_ALGORITHM, KID_HEADER: public_key_of(seed)})
    payload = encode_cbor(kinds[kind].schema.write(value))
    signature = make_signature(seed, make_sig_structure(protected, kinds[kind].domain, payload))
    return COSE_SIGN1_TAG + encode_cbor([protected, {}, payload, signature])


def claim_mac(secret: bytes, claim: Signed) -> bytes:
    """Returns the MAC that is sent with an owner's first claim; `secret` is the 16 bytes from the label (§6)."""
    return hmac_sha256(secret, claim.sig_structure)
