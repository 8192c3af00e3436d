"""Hashes (§1) and the ids derived with them (§4)."""

from __future__ import annotations

import hashlib
import hmac


def sha256(data: bytes) -> bytes:
    """H(x), 32 bytes."""
    return hashlib.sha256(data).digest()


def hmac_sha256(key: bytes, data: bytes) -> bytes:
    """HMAC(k, x), 32 bytes."""
    return hmac.digest(key, data, "sha256")


def hkdf(key: bytes, info: bytes) -> bytes:
    """HKDF(k, info), RFC 5869 with SHA-256. No salt means 32 zero bytes, and 32 bytes of output are one block."""
    pseudorandom_key = hmac_sha256(bytes(32), key)
    return hmac_sha256(pseudorandom_key, info + b"\x01")


def device_id(public_key: bytes) -> bytes:
    """Returns 32 bytes from the device's raw Ed25519 public key."""
    return sha256(b"sealcam/device/v1" + public_key)


def account_id(owner_key: bytes) -> bytes:
    """Returns 16 bytes from the owner's raw Ed25519 public key."""
    return sha256(b"sealcam/account/v1" + owner_key)[:16]
