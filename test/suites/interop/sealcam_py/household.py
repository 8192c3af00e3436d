"""Household settings (§20): the seal of a settings object, and what is in it."""

from __future__ import annotations

import hmac
from typing import Any

from . import seal2
from .cbor import decode_cbor, encode_cbor
from .errors import MALFORMED, NOT_SEALED_TO_YOU, SEAL_REFUSED, require
from .primitives import hkdf, sha256
from .version2 import DOCUMENT
from .xwing import XWingKeys, chacha_open, chacha_seal, encapsulate, hpke_key

HEADER = DOCUMENT.field("settings-header", named_rows=True)
CONTENT = DOCUMENT.field("household", named_rows=True)
MAX_HEADER = 10_240
MAX_CONTENT = 45_052
UNIT = 4_096
LISTS = ("names", "order", "zones", "reviewed", "ancestors")


def context_hash(settings: dict[str, Any], kid: bytes) -> bytes:
    """What the seal of a settings object is bound to, 32 bytes."""
    place = [settings["account"], settings["settingsVersion"], settings["parents"]]
    return sha256(encode_cbor(["sealcam/settings/v2", *place, kid]))


def open_settings(settings: dict[str, Any], kid: bytes, keys: XWingKeys) -> bytes:
    """Opens the object with the own wrap and no other; returns the content."""
    raw = decode_cbor(settings["header"], MAX_HEADER)
    seal2.refuse_newer(raw)
    header, own = HEADER.read(raw), sha256(keys.public)
    wrap = next((wrap for wrap in header["wraps"] if wrap["kem"] == own), None)
    require(wrap is not None, "no wrap for this key", NOT_SEALED_TO_YOU)
    info = context_hash(settings, kid)
    key = chacha_open(*hpke_key(keys.decapsulate(wrap["enc"]), info), wrap["ct"])
    require(hmac.compare_digest(hkdf(key, b"commit" + info), header["commit"]), "another K", SEAL_REFUSED)
    body = settings["body"]
    require(len(body) > seal2.TAG_BYTES, "a body without a byte")
    plaintext = chacha_open(hkdf(key, b"body"), seal2.nonces([body])[0], body)
    require(len(plaintext) % UNIT == 0, "not padded")
    end = 4 + int.from_bytes(plaintext[:4], "big")
    padding = plaintext[end:]
    require(end <= len(plaintext) and len(padding) < UNIT and not any(padding), "the padding")
    return plaintext[4:end]


def seal_settings(
    settings: dict[str, Any], kid: bytes, publics: list[bytes], randomness: list[bytes], content: bytes
) -> tuple[bytes, bytes]:
    """Returns header and body; the inverse of `open_settings`."""
    info, (key, *draws) = context_hash(settings, kid), randomness
    wraps = []
    for public, random in zip(publics, draws):
        shared, enc = encapsulate(public, random)
        wraps.append({"kem": sha256(public), "enc": enc, "ct": chacha_seal(*hpke_key(shared, info), key)})
    commit = hkdf(key, b"commit" + info)
    header = encode_cbor(HEADER.write({"suite": seal2.SUITE, "commit": commit, "wraps": wraps}))
    framed = len(content).to_bytes(4, "big") + content
    padded = framed + bytes(-len(framed) % UNIT)
    return header, chacha_seal(hkdf(key, b"body"), seal2.nonces([padded])[0], padded)


def parse_content(content: bytes) -> dict[str, Any]:
    """Decodes the content. Every list is sorted by what its entries are of, none twice."""
    value: dict[str, Any] = CONTENT.read(decode_cbor(content, MAX_CONTENT))
    for name in LISTS:
        keys = [key_of(name, entry) for entry in value[name]]
        require(keys == sorted(set(keys)), f"{name} are not sorted, or one is there twice", MALFORMED)
    return value


def key_of(name: str, entry: dict[str, Any]) -> tuple[str, str]:
    """What an entry is of."""
    if name == "zones":
        return entry["device"].hex(), entry["zone"]
    first = {"names": "id", "order": "device", "reviewed": "event", "ancestors": "hash"}[name]
    return entry[first].hex(), ""


def make_content(value: dict[str, Any]) -> bytes:
    """Encodes the content; the inverse of `parse_content`."""
    return encode_cbor(CONTENT.write(value))
