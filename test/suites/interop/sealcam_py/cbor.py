"""Deterministic CBOR (§2): every value has one encoding, and only that one decodes."""

from __future__ import annotations

from typing import Any

import cbor2

from .errors import MALFORMED, ProtocolError, require

# Limits in bytes.
MAX_SIGNED = 8_192
MAX_REVOCATION = 65_536
MAX_HEADS = 65_536
MAX_MESSAGE = 131_072
MAX_SEALED = 98_304

MAX_INTEGER = 2**53 - 1
MAX_DEPTH = 8
MAX_ITEMS = 16_384
MAX_KEY = 23
BYTE_ORDER_MARK = b"\xef\xbb\xbf"

UNSIGNED, NEGATIVE, BYTE_STRING, TEXT_STRING, ARRAY, MAP = range(6)  # the major types of RFC 8949 §3.1
FALSE_TRUE_NULL = (0xF4, 0xF5, 0xF6)


def encode_cbor(value: Any) -> bytes:
    """Encodes deterministically. cbor2's canonical form sorts keys by length first; for the integer keys 0 to 23
    of this protocol that is the same order."""
    return cbor2.dumps(value, canonical=True)


def decode_cbor(data: bytes, limit: int) -> Any:
    """Decodes exactly one deterministically encoded value of at most `limit` bytes, without any tag."""
    require(len(data) <= limit, f"more than {limit} bytes")
    scan_cbor(data)
    try:
        value = cbor2.loads(data)
    except (cbor2.CBORDecodeError, ValueError) as error:
        raise ProtocolError(MALFORMED, f"CBOR: {error}") from error
    # Long heads, unsorted keys and repeated keys decode, but do not encode to the same bytes.
    require(encode_cbor(value) == data, "not the deterministic encoding")
    return value


def scan_cbor(data: bytes) -> None:
    """Checks depth, number of items and types without building values and without recursion, so that hostile
    input can exhaust neither memory nor the stack of the real decoder."""
    position, _ = scan_item(data, 0, 0, MAX_ITEMS, MAX_DEPTH)
    require(position == len(data), "bytes after the end")


def decode_sequence(data: bytes, limit: int, max_items: int, max_depth: int) -> list[Any]:
    """Decodes a CBOR sequence (RFC 8742) of at least one value; the limits are those of all of them together."""
    require(0 < len(data) <= limit, f"no bytes, or more than {limit}")
    values, position, items = [], 0, 0
    while position < len(data):
        end, items = scan_item(data, position, items, max_items, max_depth)
        values.append(decode_cbor(data[position:end], limit))
        position = end
    return values


def scan_item(data: bytes, position: int, items: int, max_items: int, max_depth: int) -> tuple[int, int]:
    """Scans one value with all that is in it; returns (its end, number of items so far)."""
    # One entry per open container: (items still to come, is a map). The first entry is the document itself.
    # Keys and values alternate in a map, so if an even number is still to come, a key is next.
    open_containers = [(1, False)]
    while open_containers:
        remaining, is_map = open_containers.pop()
        if remaining == 0:
            continue
        open_containers.append((remaining - 1, is_map))
        items += 1
        require(items <= max_items, f"more than {max_items} items")
        major, argument, position = read_head(data, position)
        if is_map and remaining % 2 == 0:
            require(major == UNSIGNED and argument <= MAX_KEY, "a map key that is not an integer 0 to 23")
        if major in (BYTE_STRING, TEXT_STRING):
            require(argument <= len(data) - position, "a string longer than the input")
            marked = major == TEXT_STRING and data.startswith(BYTE_ORDER_MARK, position) and argument >= 3
            require(not marked, "text that begins with U+FEFF")
            position += argument
        elif major in (ARRAY, MAP):
            require(len(open_containers) <= max_depth, f"nested deeper than {max_depth}")
            open_containers.append((argument * 2, True) if major == MAP else (argument, False))
    return position, items


def read_head(data: bytes, position: int) -> tuple[int, int, int]:
    """Reads one head; returns (major type, argument, position after it). Refuses types that are never used."""
    require(position < len(data), "truncated")
    first = data[position]
    major, info = first >> 5, first & 31
    if major > MAP:
        require(first in FALSE_TRUE_NULL, "a tag, float or simple value")
        return major, info, position + 1
    if info < 24:
        return major, info, position + 1
    require(info <= 27, "an indefinite length")
    end = position + 1 + (1 << (info - 24))
    require(end <= len(data), "truncated")
    argument = int.from_bytes(data[position + 1 : end], "big")
    # The negative integer with argument a is -1-a, so its argument must be one less.
    require(argument <= MAX_INTEGER - (major == NEGATIVE), "an integer beyond 2^53-1")
    return major, argument, end
