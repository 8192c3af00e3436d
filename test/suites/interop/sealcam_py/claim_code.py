"""The claim code on the camera's label (§13)."""

from __future__ import annotations

import base64
import re

from .errors import CLAIM_CODE_INVALID, require
from .primitives import sha256

DEVICE_BYTES = 32
CHECK_BYTES = 4
GROUP = 6
BASE32_PADDING = "===="  # 52 bytes fill 84 of 88 base32 characters


def format_claim_code(device: bytes, secret: bytes) -> str:
    """Returns the code of a device id (32 bytes) and its claim secret (16 bytes)."""
    content = device + secret
    text = base64.b32encode(content + sha256(content)[:CHECK_BYTES]).decode().rstrip("=")
    return "-".join(text[start : start + GROUP] for start in range(0, len(text), GROUP))


def parse_claim_code(code: str) -> tuple[bytes, bytes]:
    """Returns (device id, claim secret). Dashes, white space and case do not matter."""
    text = re.sub(r"[-\s]", "", code)
    # Check the characters before changing their case: the upper case of `ı` is `I`.
    require(re.fullmatch("[A-Za-z2-7]{84}", text) is not None, "not a claim code", CLAIM_CODE_INVALID)
    data = base64.b32decode(text.upper() + BASE32_PADDING)
    device, secret = data[:DEVICE_BYTES], data[DEVICE_BYTES:-CHECK_BYTES]
    # Formatting it again detects wrong check bytes, and unused last bits that are not zero, which the base32
    # decoder ignores.
    same = format_claim_code(device, secret).replace("-", "") == text.upper()
    require(same, "a wrong character in the claim code", CLAIM_CODE_INVALID)
    return device, secret
