"""A look from the viewer's side (§17): its key, its messages, and what they hold."""

from __future__ import annotations

from typing import Any

from nacl import bindings
from nacl.exceptions import CryptoError

from .cbor import MAX_MESSAGE, decode_cbor, encode_cbor
from .errors import FOREIGN, MALFORMED, SEAL_REFUSED, UNSUPPORTED, ProtocolError, require
from .primitives import hmac_sha256

KEY_UNIT, INITIALISATION, END, CONTINUED = 1, 2, 4, 8
MAX_PICTURE = 1_048_576
MAX_CIPHERTEXT = 131_008
MAX_SAFE = 2**53 - 1


def live_key(secret: bytes, order_hash: bytes, claim_hash: bytes, answer_hash: bytes) -> bytes:
    """Returns the key of a look from the secret of X-Wing."""
    pseudorandom_key = hmac_sha256(order_hash + claim_hash, secret)
    return hmac_sha256(pseudorandom_key, b"sealcam/live/v2" + answer_hash + b"\x01")


def is_whole(value: Any, most: int = MAX_SAFE, least: int = 0) -> bool:
    return type(value) is int and least <= value <= most


def read_live(payload: bytes) -> list[Any]:
    """Decodes a message to [session, n, flags, ciphertext]; nothing is verified."""
    value = decode_cbor(payload, MAX_MESSAGE)
    require(type(value) is list and len(value) > 0 and type(value[0]) is int, "not a message")
    require(value[0] == 1, f"live message of type {value[0]}", UNSUPPORTED)
    require(len(value) == 5, "a live message has five parts")
    _, session, n, flags, ciphertext = value
    require(type(session) is bytes and len(session) == 16, "a session has 16 bytes")
    require(is_whole(n) and is_whole(flags, 15), "a number out of range")
    require(type(ciphertext) is bytes and 16 <= len(ciphertext) <= MAX_CIPHERTEXT, "a ciphertext of a wrong length")
    return value[1:]


def read_initialisation(content: bytes) -> dict[str, Any]:
    """Decodes what stands before the first picture."""
    value = decode_cbor(content, MAX_MESSAGE)
    require(type(value) is list and len(value) > 0 and type(value[0]) is int, "not an initialisation")
    require(value[0] <= 1, "a newer version", UNSUPPORTED)
    require(len(value) == 5 and value[0] == 1, "an initialisation has five parts")
    _, codec, width, height, segment = value
    require(type(codec) is int, "not a codec")
    require(codec in (0, 1), f"codec {codec}", UNSUPPORTED)
    require(is_whole(width, 16_384, 1) and is_whole(height, 16_384, 1), "a size out of range")
    require(type(segment) is bytes and len(segment) <= MAX_CIPHERTEXT, "not a segment")
    return {"codec": ("h264", "jpeg")[codec], "width": width, "height": height, "segment": segment}


def read_picture(content: bytes) -> tuple[int, bytes]:
    """Returns (captured ms, bytes of the picture)."""
    require(len(content) > 8, "a picture without content")
    captured = int.from_bytes(content[:8], "big")
    require(captured <= MAX_SAFE, "a time out of range")
    return captured, content[8:]


class Viewer:
    """Opens the messages of one session in the order in which they arrive."""

    def __init__(self, session: bytes, key: bytes) -> None:
        self.session, self.key = session, key
        self.last, self.received, self.repeated = -1, 0, 0
        self.pieces: list[bytes] | None = None
        self.kind = ""
        self.broken = True

    @property
    def missing(self) -> int:
        """Messages before the last one that never came."""
        return self.last + 1 - self.received

    def open(self, payload: bytes) -> tuple[str, bytes] | None:
        """Returns (kind, plaintext) of what is whole with this message, or None."""
        session, n, flags, ciphertext = read_live(payload)
        require(session == self.session, "of another look", FOREIGN)
        aad = encode_cbor([session, n, flags])
        try:
            plaintext = bindings.crypto_aead_chacha20poly1305_ietf_decrypt(
                ciphertext, aad, n.to_bytes(12, "big"), self.key
            )
        except (CryptoError, ValueError) as error:
            raise ProtocolError(SEAL_REFUSED, "not sealed by the camera") from error
        if n <= self.last:
            self.repeated += 1
            return None
        if n > self.last + 1:
            self.lose()
        self.last, self.received = n, self.received + 1
        return self.join(flags, plaintext)

    def join(self, flags: int, plaintext: bytes) -> tuple[str, bytes] | None:
        kind = kind_of(flags)
        if self.pieces is None or kind != "unit":
            if self.pieces is not None:
                self.lose()
            if kind == "unit" and self.broken:
                return None
            self.pieces, self.kind = [], kind
        self.pieces.append(plaintext)
        whole = b"".join(self.pieces)
        if len(whole) > MAX_PICTURE:
            self.lose()
            return None
        if flags & CONTINUED:
            return None
        self.pieces = None
        if self.kind == "key-unit":
            self.broken = False
        return self.kind, whole

    def lose(self) -> None:
        self.pieces, self.broken = None, True


def kind_of(flags: int) -> str:
    if flags & END:
        return "end"
    if flags & INITIALISATION:
        return "initialisation"
    return "key-unit" if flags & KEY_UNIT else "unit"
