"""Strict Ed25519 (§3): everything that libraries disagree on is refused before a library sees it."""

from __future__ import annotations

from nacl import bindings
from nacl.exceptions import CryptoError

from .errors import BAD_SIGNATURE, ProtocolError, require

FIELD_PRIME = 2**255 - 19
GROUP_ORDER = 2**252 + 27742317777372353535851937790883648493
ORDER_EIGHT_POINTS = (
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
)
SMALL_ORDER_Y = {0, 1, FIELD_PRIME - 1} | {
    int.from_bytes(bytes.fromhex(encoded), "little") for encoded in ORDER_EIGHT_POINTS
}


def is_good_point(encoded: bytes) -> bool:
    """Returns whether 32 bytes encode a y below the field prime that does not belong to a point of small order."""
    y = int.from_bytes(encoded, "little") & ((1 << 255) - 1)
    return y < FIELD_PRIME and y not in SMALL_ORDER_Y


def check_signature(public_key: bytes, message: bytes, signature: bytes) -> None:
    """Refuses unless the 64-byte signature is valid: the documented checks, then libsodium's cofactorless
    equation."""
    scalar = int.from_bytes(signature[32:], "little")
    require(is_good_point(public_key), "the key is not a good point", BAD_SIGNATURE)
    require(is_good_point(signature[:32]), "R is not a good point", BAD_SIGNATURE)
    require(scalar < GROUP_ORDER, "S is not below the group order", BAD_SIGNATURE)
    try:
        bindings.crypto_sign_open(signature + message, public_key)
    except CryptoError as error:
        raise ProtocolError(BAD_SIGNATURE, "the equation does not hold") from error


def public_key_of(seed: bytes) -> bytes:
    """Returns the 32-byte public key of a 32-byte seed."""
    return bindings.crypto_sign_seed_keypair(seed)[0]


def make_signature(seed: bytes, message: bytes) -> bytes:
    """Returns the 64-byte signature with the key of a 32-byte seed."""
    _, secret_key = bindings.crypto_sign_seed_keypair(seed)
    return bindings.crypto_sign(message, secret_key)[:64]
