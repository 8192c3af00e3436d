"""Limits of §2, §3 and §8 that no vector reaches: the last value accepted and the first one refused."""

from __future__ import annotations

from nacl import bindings

from sealcam_py.cbor import MAX_DEPTH, MAX_INTEGER, MAX_ITEMS, decode_cbor, encode_cbor
from sealcam_py.cose import open_signed, sign
from sealcam_py.errors import FOREIGN, MALFORMED
from sealcam_py.primitives import hkdf
from sealcam_py.seal import CHUNK_BYTES, chunk_nonce, open_body

from .tally import Tally

LIMIT = 65_536  # bytes; more than any input here

GOOD_CBOR = {
    "depth 8": b"\x81" * (MAX_DEPTH - 1) + b"\x80",
    "16,384 items": b"\x99\x3f\xff" + bytes(MAX_ITEMS - 1),
    "2^53-1": b"\x1b" + MAX_INTEGER.to_bytes(8, "big"),
    "-(2^53-1)": b"\x3b" + (MAX_INTEGER - 1).to_bytes(8, "big"),
}
BAD_CBOR = {
    "depth 9": b"\x81" * MAX_DEPTH + b"\x80",
    "16,385 items": b"\x99\x40\x00" + bytes(MAX_ITEMS),
    "2^53": b"\x1b" + (MAX_INTEGER + 1).to_bytes(8, "big"),
    "-2^53": b"\x3b" + MAX_INTEGER.to_bytes(8, "big"),
    "bad UTF-8": b"\x62\xc3\x28",
    "UTF-8 in too many bytes": b"\x62\xc0\x80",
    "a surrogate in UTF-8": b"\x63\xed\xa0\x80",
    "a simple value in two bytes": b"\xf8\x20",
    "truncated in a head": b"\x19\x01",
    "a string beyond the end": b"\x42\x00",
}


def check_limits(tally: Tally, record_object: bytes, seed: bytes) -> None:
    """All limits. `record_object` is a good record; `seed` is not that of its device."""
    for name, data in GOOD_CBOR.items():
        tally.vector(f"limits/{name}", lambda: tally.equal(name, encode_cbor(decode_cbor(data, LIMIT)), data))
    for name, data in BAD_CBOR.items():
        tally.refused(f"limits/{name}", MALFORMED, lambda: decode_cbor(data, LIMIT))
    tally.refused("limits/one byte too many", MALFORMED, lambda: decode_cbor(b"\x80", 0))
    tally.vector("limits/order", lambda: check_order(tally, record_object, seed))
    tally.vector("limits/chunks", lambda: check_empty_chunks(tally))


def check_order(tally: Tally, record_object: bytes, seed: bytes) -> None:
    """The signer is checked before the rules between fields: a record with both faults is `foreign`."""
    wrong = {**open_signed("record", record_object).value, "seq": 0}
    data = sign("record", wrong, seed)
    tally.refused("limits/order", FOREIGN, lambda: open_signed("record", data))


def check_empty_chunks(tally: Tally) -> None:
    """A chunk that opens but is empty."""
    key = bytes(32)
    full = bindings.crypto_secretbox(bytes(CHUNK_BYTES), chunk_nonce(0, last=False), hkdf(key, b"body"))
    for before in ([], [full]):
        nonce = chunk_nonce(len(before), last=True)
        body = b"".join([*before, bindings.crypto_secretbox(b"", nonce, hkdf(key, b"body"))])
        tally.refused(f"limits/empty chunk {len(before)}", MALFORMED, lambda: open_body(body, key))
