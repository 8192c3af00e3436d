"""X-Wing and HPKE with it (§16): KEM 0x647a, KDF 0x0001, AEAD 0x0003."""

from __future__ import annotations

import hashlib

from nacl import bindings
from nacl.exceptions import CryptoError

from . import mlkem
from .errors import SEAL_REFUSED, ProtocolError, require
from .primitives import hmac_sha256

LABEL = rb"\.//^" + b"\\"
PUBLIC_BYTES = 1216
ENC_BYTES = 1120
SUITE_ID = b"HPKE" + bytes([0x64, 0x7A, 0, 1, 0, 3])


def x25519(secret: bytes, public: bytes) -> bytes:
    """Refuses an all-zero result."""
    try:
        return bindings.crypto_scalarmult(secret, public)
    except CryptoError as error:
        raise ProtocolError(SEAL_REFUSED, "a low-order X25519 key") from error


def combine(lattice: bytes, curve: bytes, ephemeral: bytes, public: bytes) -> bytes:
    return hashlib.sha3_256(lattice + curve + ephemeral + public + LABEL).digest()


class XWingKeys:
    """The keys of a 32-byte seed; `public` has 1,216 bytes."""

    def __init__(self, seed: bytes) -> None:
        expanded = hashlib.shake_256(seed).digest(96)
        lattice_public, self._lattice = mlkem.make_keys(expanded[:32], expanded[32:64])
        self._curve = expanded[64:]
        self._curve_public = bindings.crypto_scalarmult_base(self._curve)
        self.public = lattice_public + self._curve_public

    def decapsulate(self, enc: bytes) -> bytes:
        """Returns the secret of an encapsulation of 1,120 bytes."""
        ephemeral = enc[mlkem.CIPHERTEXT_BYTES :]
        curve = x25519(self._curve, ephemeral)
        lattice = mlkem.decapsulate(self._lattice, enc[: mlkem.CIPHERTEXT_BYTES])
        return combine(lattice, curve, ephemeral, self._curve_public)


def encapsulate(public: bytes, randomness: bytes) -> tuple[bytes, bytes]:
    """Returns (secret, encapsulation); `randomness` is ML-KEM's message, then the ephemeral X25519 secret."""
    require(len(public) == PUBLIC_BYTES and mlkem.has_small_coefficients(public), "not an X-Wing key")
    lattice_public, curve_public = public[: mlkem.PUBLIC_BYTES], public[mlkem.PUBLIC_BYTES :]
    lattice, ciphertext = mlkem.encapsulate(lattice_public, randomness[:32])
    ephemeral = bindings.crypto_scalarmult_base(randomness[32:])
    curve = x25519(randomness[32:], curve_public)
    return combine(lattice, curve, ephemeral, curve_public), ciphertext + ephemeral


def hpke_key(shared: bytes, info: bytes) -> tuple[bytes, bytes]:
    """Returns (key, nonce): the key schedule of RFC 9180 §5.1, mode base."""

    def extract(salt: bytes, label: bytes, ikm: bytes) -> bytes:
        return hmac_sha256(salt, b"HPKE-v1" + SUITE_ID + label + ikm)

    context = b"\x00" + extract(b"", b"psk_id_hash", b"") + extract(b"", b"info_hash", info)
    secret = extract(shared, b"secret", b"")

    def expand(label: bytes, length: int) -> bytes:
        labelled = length.to_bytes(2, "big") + b"HPKE-v1" + SUITE_ID + label + context
        return hmac_sha256(secret, labelled + b"\x01")[:length]

    return expand(b"key", 32), expand(b"base_nonce", 12)


def chacha_seal(key: bytes, nonce: bytes, plaintext: bytes) -> bytes:
    """ChaCha20-Poly1305 of RFC 8439, the tag last, no aad."""
    return bindings.crypto_aead_chacha20poly1305_ietf_encrypt(plaintext, b"", nonce, key)


def chacha_open(key: bytes, nonce: bytes, box: bytes) -> bytes:
    """The inverse of `chacha_seal`."""
    try:
        return bindings.crypto_aead_chacha20poly1305_ietf_decrypt(box, b"", nonce, key)
    except (CryptoError, ValueError) as error:
        raise ProtocolError(SEAL_REFUSED, "a ciphertext does not open") from error
