"""Sealcam protocol v1 in Python, written from docs/protocol.md and docs/protocol.cddl alone.

It needs PyNaCl 1.5 (libsodium) and cbor2 5.4. All keys, ids, hashes and objects are `bytes`. Decoded values
are plain dicts, lists, ints, strings, bytes, bools and None, with the field names of the CDDL and with
enumerations as their names. Every refusal is a `ProtocolError` whose `code` is one of the error codes of
the documentation. The section numbers (§) in comments are those of docs/protocol.md.

What a cloud engineer needs first: `open_signed`, `verify_record`, `read_message` and `parse_topic`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass
from typing import Any, Callable, Protocol

import cbor2
from nacl import bindings
from nacl.exceptions import CryptoError

MALFORMED = "malformed"
BAD_SIGNATURE = "bad-signature"
FOREIGN = "foreign"
UNSUPPORTED = "unsupported"
SEAL_REFUSED = "seal-refused"


class ProtocolError(Exception):
    """A refusal. `code` is the documented error code; the message says what was wrong."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code


def require(condition: bool, detail: str, code: str = MALFORMED) -> None:
    """Refuses with `code` unless the condition holds."""
    if not condition:
        raise ProtocolError(code, detail)


# --- §1 notation ------------------------------------------------------------------------------------------


def sha256(data: bytes) -> bytes:
    """H(x), 32 bytes."""
    return hashlib.sha256(data).digest()


def hmac_sha256(key: bytes, data: bytes) -> bytes:
    """HMAC(k, x), 32 bytes."""
    return hmac.digest(key, data, "sha256")


def hkdf(key: bytes, info: bytes) -> bytes:
    """HKDF(k, info) of RFC 5869 with SHA-256: no salt means 32 zero bytes; 32 bytes out are one block."""
    pseudorandom_key = hmac_sha256(bytes(32), key)
    return hmac_sha256(pseudorandom_key, info + b"\x01")


# --- §2 CBOR ----------------------------------------------------------------------------------------------

MAX_INTEGER = 2**53 - 1
MAX_DEPTH = 8
MAX_ITEMS = 16_384
MAX_KEY = 23

UNSIGNED, NEGATIVE, BYTE_STRING, TEXT_STRING, ARRAY, MAP = range(6)  # the major types of RFC 8949 §3.1
FALSE_TRUE_NULL = (0xF4, 0xF5, 0xF6)


def encode_cbor(value: Any) -> bytes:
    """Core deterministic encoding. cbor2's canonical form sorts keys by length first, which is the same
    order for the integer keys 0 to 23 that this protocol uses."""
    return cbor2.dumps(value, canonical=True)


def decode_cbor(data: bytes, limit: int) -> Any:
    """Decodes exactly one deterministically encoded value of at most `limit` bytes, without any tag."""
    scan_cbor(data, limit)
    try:
        value = cbor2.loads(data)
    except (cbor2.CBORDecodeError, ValueError) as error:
        raise ProtocolError(MALFORMED, f"CBOR: {error}") from error
    # Long heads, unsorted keys and repeated keys all end here: they decode, but not back to these bytes.
    require(encode_cbor(value) == data, "not the deterministic encoding")
    return value


def scan_cbor(data: bytes, limit: int) -> None:
    """Walks the heads without building values and without recursion: enforces size, depth, item count and
    the used types, so that a hostile input can neither exhaust memory nor the stack of the real decoder."""
    require(len(data) <= limit, f"more than {limit} bytes")
    position = 0
    items = 0
    # One entry per open container: [items still to come, is a map]. The first entry is the document itself.
    # Keys and values alternate in a map, so an even number still to come means that a key is next.
    open_containers: list[list[int]] = [[1, False]]
    while open_containers:
        remaining, is_map = open_containers[-1]
        if remaining == 0:
            open_containers.pop()
            continue
        open_containers[-1][0] -= 1
        items += 1
        require(items <= MAX_ITEMS, f"more than {MAX_ITEMS} items")
        major, argument, end = read_head(data, position)
        if is_map and remaining % 2 == 0:
            require(major == UNSIGNED and argument <= MAX_KEY, "a map key that is not an integer 0 to 23")
        position = end
        if major in (BYTE_STRING, TEXT_STRING):
            require(argument <= len(data) - position, "a string longer than the input")
            position += argument
        elif major in (ARRAY, MAP):
            require(len(open_containers) <= MAX_DEPTH, f"nested deeper than {MAX_DEPTH}")
            open_containers.append([argument * 2 if major == MAP else argument, major == MAP])
    require(position == len(data), "bytes after the end")


def read_head(data: bytes, position: int) -> tuple[int, int, int]:
    """Reads one head: (major type, argument, position after the head). Refuses types that are never used."""
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


# --- CDDL field types -------------------------------------------------------------------------------------


class Field(Protocol):
    """A CDDL type. `read` checks a CBOR value and gives it names; `write` is the inverse."""

    def read(self, value: Any) -> Any: ...

    def write(self, value: Any) -> Any: ...


class Plain:
    """A type that decodes to its CBOR value; subclasses give `read`, which also checks what is written."""

    def read(self, value: Any) -> Any:
        raise NotImplementedError

    def write(self, value: Any) -> Any:
        return self.read(value)


@dataclass(frozen=True)
class Integer(Plain):
    """An integer in [low, high]; the default is CDDL `uint53`."""

    low: int = 0
    high: int = MAX_INTEGER

    def read(self, value: Any) -> int:
        # `type() is int` and not isinstance: True is an int in Python, but not in CBOR.
        require(type(value) is int and self.low <= value <= self.high, "not an integer of this range")
        return value


class Version(Plain):
    """Key 0 of every payload. Any other integer was made by a newer version."""

    def read(self, value: Any) -> int:
        require(type(value) is int, "the version is not an integer")
        require(value == 1, f"version {value}", UNSUPPORTED)
        return value


class Boolean(Plain):
    """`true` or `false`."""

    def read(self, value: Any) -> bool:
        require(type(value) is bool, "not a boolean")
        return value


@dataclass(frozen=True)
class Bytes(Plain):
    """A byte string of low to high bytes."""

    low: int
    high: int

    def read(self, value: Any) -> bytes:
        require(type(value) is bytes and self.low <= len(value) <= self.high, "not bytes of this length")
        return value


@dataclass(frozen=True)
class Text(Plain):
    """Text of at most `high` bytes of UTF-8, without control characters."""

    high: int

    def read(self, value: Any) -> str:
        require(type(value) is str and len(value.encode()) <= self.high, "not text of this length")
        require(not re.search(r"[\x00-\x1f\x7f]", value), "a control character")
        return value


@dataclass(frozen=True)
class Enumeration:
    """CDDL `&(…)`. All enumerations of the protocol count from 0, so `names[n]` is the name of n."""

    names: tuple[str, ...]

    def read(self, value: Any) -> str:
        require(type(value) is int and value >= 0, "not a value of an enumeration")
        require(value < len(self.names), f"{value} is not one of {self.names}", UNSUPPORTED)
        return self.names[value]

    def write(self, value: str) -> int:
        require(value in self.names, f"{value} is not one of {self.names}")
        return self.names.index(value)


@dataclass(frozen=True)
class Nullable:
    """CDDL `inner / null`."""

    inner: Field

    def read(self, value: Any) -> Any:
        return None if value is None else self.inner.read(value)

    def write(self, value: Any) -> Any:
        return None if value is None else self.inner.write(value)


@dataclass(frozen=True)
class ListOf:
    """CDDL `[low*high inner]`."""

    low: int
    high: int
    inner: Field

    def read(self, value: Any) -> list[Any]:
        require(type(value) is list and self.low <= len(value) <= self.high, "not a list of this length")
        return [self.inner.read(item) for item in value]

    def write(self, value: list[Any]) -> list[Any]:
        return [self.inner.write(item) for item in value]


@dataclass(frozen=True)
class Row:
    """An array of fixed length without names, such as `[from, to, hash]`; decoded to a list."""

    cells: tuple[Field, ...]

    def read(self, value: Any) -> list[Any]:
        require(type(value) is list and len(value) == len(self.cells), "not an array of this length")
        return [cell.read(item) for cell, item in zip(self.cells, value)]

    def write(self, value: list[Any]) -> list[Any]:
        return [cell.write(item) for cell, item in zip(self.cells, value)]


@dataclass(frozen=True)
class NamedRow:
    """An array of fixed length whose places have names; decoded to a dict."""

    cells: dict[str, Field]

    def read(self, value: Any) -> dict[str, Any]:
        require(type(value) is list and len(value) == len(self.cells), "not an array of this length")
        return {name: cell.read(item) for (name, cell), item in zip(self.cells.items(), value)}

    def write(self, value: dict[str, Any]) -> list[Any]:
        return [cell.write(value[name]) for name, cell in self.cells.items()]


@dataclass(frozen=True)
class Key:
    """One entry of a CDDL map: its integer key, its name, its type, and whether it stands behind a `?`."""

    number: int
    name: str
    field: Field
    optional: bool = False


class Map:
    """A CDDL map with integer keys; decoded to a dict by name."""

    def __init__(self, *keys: Key) -> None:
        self.keys = keys

    def read(self, value: Any) -> dict[str, Any]:
        require(type(value) is dict, "not a map")
        result = {}
        # The order of the CDDL decides which fault is found first; unknown keys come last (§2).
        for key in self.keys:
            if key.number in value:
                result[key.name] = key.field.read(value[key.number])
            else:
                require(key.optional, f"{key.name} is missing")
        known = {key.number for key in self.keys}
        require(known.issuperset(value), "an unknown key")
        return result

    def write(self, value: dict[str, Any]) -> dict[int, Any]:
        names = {key.name for key in self.keys}
        required = {key.name for key in self.keys if not key.optional}
        require(required <= set(value) <= names, "a missing or unknown field")
        return {key.number: key.field.write(value[key.name]) for key in self.keys if key.name in value}


class Message:
    """A CDDL choice of arrays `[type, …]`; decoded to a dict with the type's name under `type`."""

    def __init__(self, variants: dict[int, tuple[str, NamedRow]]) -> None:
        self.variants = variants

    def read(self, value: Any) -> dict[str, Any]:
        require(type(value) is list and len(value) > 0, "not a message")
        kind, *cells = value
        require(type(kind) is int and kind >= 0, "not a message type")
        require(kind in self.variants, f"message type {kind}", UNSUPPORTED)
        name, row = self.variants[kind]
        return {"type": name, **row.read(cells)}

    def write(self, value: dict[str, Any]) -> list[Any]:
        for kind, (name, row) in self.variants.items():
            if name == value["type"]:
                return [kind, *row.write(value)]
        raise ProtocolError(MALFORMED, f"no message type {value['type']}")


# --- The CDDL ---------------------------------------------------------------------------------------------

MAX_SIGNED = 8_192
MAX_REVOCATION = 65_536
MAX_SEALED = 98_304
MAX_MESSAGE = 131_072

UINT = Integer()
UINT16 = Integer(high=65_535)
ID = Bytes(16, 16)
KEY = Bytes(32, 32)
HASH = Bytes(32, 32)
VERSION = Key(0, "version", Version())
DEVICE = Key(1, "device", HASH)

RECORD_TIME = Map(
    Key(0, "boot", ID),
    Key(1, "monotonicMs", UINT),
    Key(2, "wallMs", Nullable(UINT)),
    Key(3, "quality", Enumeration(("unset", "rtc", "ntp"))),
)

RECORD_EVENT = Map(
    Key(0, "id", ID),
    Key(1, "phase", Enumeration(("start", "update", "end", "single"))),
    Key(2, "revision", UINT16),
    Key(3, "picture", ID, optional=True),
)

RECORD_MEDIA = Map(
    Key(0, "id", ID),
    Key(1, "role", Enumeration(("thumbnail", "detail", "clip"))),
    Key(2, "length", UINT),
    Key(3, "bodyHash", HASH),
    Key(4, "headerHash", HASH),
)

LOSS_REASONS = (
    "full",
    "age",
    "too-large",
    "state-lost",
    "corrupt",
    "claim-changed",
    "rate-limit",
    "quarantined",
    "failed",
)

RECORD_LOSS = Map(
    Key(0, "reason", Enumeration(LOSS_REASONS)),
    Key(1, "seqs", Row((UINT, UINT)), optional=True),
    Key(2, "media", ListOf(1, 16, ID), optional=True),
    Key(3, "count", UINT, optional=True),
)

RECORD_HEALTH = Map(
    Key(0, "agent", Text(32)),
    Key(1, "uptimeS", UINT),
    Key(2, "temperatureDeciC", Integer(-1000, 2000), optional=True),
    Key(3, "freeBytes", UINT),
    Key(4, "produced", UINT),
    Key(5, "receipted", UINT),
    Key(6, "queued", UINT),
    Key(7, "quarantined", UINT),
    Key(8, "lost", UINT),
    Key(9, "framesSeen", UINT),
    Key(10, "framesDropped", UINT),
    Key(11, "framesCorrupt", UINT),
    Key(12, "camera", Enumeration(("ok", "starting", "stalled", "absent"))),
    Key(13, "privacy", Boolean()),
    Key(14, "connects", UINT),
)

COMMAND_ACTIONS = ("snapshot", "privacy", "zones", "sensitivity", "release")

RECORD_COMMAND = Map(
    Key(0, "source", Enumeration(("owner", "console", "button"))),
    Key(1, "action", Enumeration((*COMMAND_ACTIONS, "unlock", "reset", "reboot"))),
    Key(2, "result", Enumeration(("done", "refused", "failed"))),
    Key(3, "object", HASH, optional=True),
    Key(4, "code", Text(48), optional=True),
)

SCENE_CLASSES = (
    "startup",
    "illumination",
    "ir-cut",
    "tamper",
    "overlay",
    "stall",
    "clock-jump",
    "rate-limit",
)

RECORD_SCENE = Map(
    Key(0, "class", Enumeration(SCENE_CLASSES)),
    Key(1, "durationMs", UINT, optional=True),
)

RECORD_TOMBSTONE = Map(Key(0, "reason", Enumeration(("superseded", "release", "reset"))))

RECORD_KINDS = ("accept", "motion", "scene", "snapshot", "command", "health", "gap", "tombstone")

RECORD = Map(
    VERSION,
    Key(1, "kind", Enumeration(RECORD_KINDS)),
    Key(2, "device", HASH),
    Key(3, "account", ID),
    Key(4, "epoch", UINT),
    Key(5, "claimHash", HASH),
    Key(6, "seq", UINT),
    Key(7, "prev", Nullable(HASH)),
    Key(8, "time", RECORD_TIME),
    Key(9, "event", RECORD_EVENT, optional=True),
    Key(10, "media", ListOf(1, 4, RECORD_MEDIA), optional=True),
    Key(11, "loss", ListOf(1, 32, RECORD_LOSS), optional=True),
    Key(12, "health", RECORD_HEALTH, optional=True),
    Key(13, "command", RECORD_COMMAND, optional=True),
    Key(14, "scene", RECORD_SCENE, optional=True),
    Key(15, "tombstone", RECORD_TOMBSTONE, optional=True),
)

OFFER = Map(
    VERSION,
    DEVICE,
    Key(2, "lastEpoch", UINT),
    Key(3, "lastClaimHash", Nullable(HASH)),
    Key(4, "mode", Enumeration(("physical", "owner"))),
    Key(5, "nonce", ID),
)

CLAIM = Map(
    VERSION,
    DEVICE,
    Key(2, "epoch", UINT),
    Key(3, "account", ID),
    Key(4, "ownerKey", KEY),
    Key(5, "recipients", ListOf(1, 8, Map(Key(0, "x25519", KEY), Key(1, "ed25519", KEY)))),
    Key(6, "receiptKeys", ListOf(1, 4, KEY)),
    Key(7, "previous", Nullable(HASH)),
    Key(8, "nonce", ID),
    Key(9, "issuedAtMs", UINT),
)

RECEIPT_PACING = Map(
    Key(0, "windowMs", Integer(high=900_000), optional=True),
    Key(1, "drainIntervalMs", Integer(high=900_000), optional=True),
    Key(2, "issuedAtMs", UINT),
)

REJECT_REASON = Enumeration(("malformed", "equivocation"))

RECEIPT = Map(
    VERSION,
    DEVICE,
    Key(2, "epoch", UINT),
    Key(3, "claimHash", HASH),
    Key(4, "ranges", ListOf(0, 32, Row((UINT, UINT, HASH)))),
    Key(5, "rejects", ListOf(1, 32, Row((UINT, HASH, REJECT_REASON))), optional=True),
    Key(6, "pacing", RECEIPT_PACING, optional=True),
)

COMMAND_ZONE = Map(
    Key(0, "name", Text(32)),
    Key(1, "corners", ListOf(3, 16, Row((UINT16, UINT16)))),
)

COMMAND = Map(
    VERSION,
    Key(1, "action", Enumeration(COMMAND_ACTIONS)),
    Key(2, "device", HASH),
    Key(3, "epoch", UINT),
    Key(4, "claimHash", HASH),
    Key(5, "counter", UINT),
    Key(6, "recent", Row((UINT, HASH)), optional=True),
    Key(7, "privacy", Boolean(), optional=True),
    Key(8, "zones", ListOf(0, 8, COMMAND_ZONE), optional=True),
    Key(9, "sensitivity", Integer(high=100), optional=True),
)

SESSION = Map(
    VERSION,
    Key(1, "cloudOrigin", Text(256)),
    Key(2, "pageOrigin", Text(256)),
    Key(3, "nonce", HASH),
    Key(4, "expiresAtMs", UINT),
)

REVOCATION = Map(
    VERSION,
    Key(1, "scope", Enumeration(("owner", "maker"))),
    Key(2, "listVersion", UINT),
    Key(3, "issuedAtMs", UINT),
    Key(4, "entries", ListOf(0, 1024, Map(Key(0, "device", HASH), Key(1, "epoch", UINT, optional=True)))),
)

UNLOCK = Map(
    VERSION,
    DEVICE,
    Key(2, "nonce", ID),
    Key(3, "scope", ListOf(1, 4, Enumeration(("diagnose", "capture", "network", "reset")))),
    Key(4, "lifetimeS", Integer(high=86_400)),
)

SEAL_SUITE = 1
WRAP_BYTES = 112
SEAL_HEADER = NamedRow(
    {"suite": Integer(high=255), "wraps": ListOf(1, 8, Bytes(WRAP_BYTES, WRAP_BYTES)), "mac": HASH}
)

DETAIL = Map(
    VERSION,
    Key(1, "box", Row((UINT16, UINT16, UINT16, UINT16)), optional=True),
    Key(2, "zones", ListOf(1, 8, Text(32)), optional=True),
    Key(3, "area", Integer(high=1000), optional=True),
    Key(4, "reason", Text(64), optional=True),
    Key(5, "startedMs", UINT, optional=True),
    Key(6, "endedMs", UINT, optional=True),
    Key(7, "size", Row((UINT16, UINT16)), optional=True),
)

SEALED_CONTENT = NamedRow({"detail": DETAIL, "jpeg": Nullable(Bytes(0, MAX_SEALED))})

SIGNED_BYTES = Bytes(0, MAX_SIGNED)
SEALED_BYTES = Bytes(0, MAX_SEALED)
MEDIA_PARTS = NamedRow({"header": SEALED_BYTES, "body": SEALED_BYTES})
RECORD_WITH_MEDIA = NamedRow({"record": SIGNED_BYTES, "media": ListOf(0, 4, Nullable(MEDIA_PARTS))})

MESSAGES = {
    "up": Message(
        {
            1: ("records", NamedRow({"records": ListOf(1, 16, RECORD_WITH_MEDIA)})),
            2: ("offer", NamedRow({"offer": SIGNED_BYTES})),
            3: ("accept", NamedRow({"claim": SIGNED_BYTES, "record": SIGNED_BYTES})),
        }
    ),
    "down": Message(
        {
            1: ("receipt", NamedRow({"receipt": SIGNED_BYTES})),
            2: ("claim", NamedRow({"claim": SIGNED_BYTES, "mac": Nullable(HASH)})),
            3: ("offer-request", NamedRow({})),
            4: ("command", NamedRow({"command": SIGNED_BYTES})),
            5: ("revocation", NamedRow({"revocation": Bytes(0, MAX_REVOCATION)})),
        }
    ),
    "status": Message({1: ("status", NamedRow({"online": Boolean(), "agent": Text(32)}))}),
}


# --- §3 strict Ed25519 ------------------------------------------------------------------------------------

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
    """True if 32 bytes encode a y below the field prime that belongs to no point of small order."""
    y = int.from_bytes(encoded, "little") & ((1 << 255) - 1)
    return y < FIELD_PRIME and y not in SMALL_ORDER_Y


def check_signature(public_key: bytes, message: bytes, signature: bytes) -> None:
    """Strict Ed25519: the documented checks on the encoded bytes, then libsodium's cofactorless equation."""
    scalar = int.from_bytes(signature[32:], "little")
    require(is_good_point(public_key), "the key is no good point", BAD_SIGNATURE)
    require(is_good_point(signature[:32]), "R is no good point", BAD_SIGNATURE)
    require(scalar < GROUP_ORDER, "S is not below the group order", BAD_SIGNATURE)
    try:
        bindings.crypto_sign_open(signature + message, public_key)
    except CryptoError as error:
        raise ProtocolError(BAD_SIGNATURE, "the equation does not hold") from error


def ed25519_public_key(seed: bytes) -> bytes:
    """The 32-byte public key of a 32-byte seed."""
    public_key, _ = bindings.crypto_sign_seed_keypair(seed)
    return public_key


# --- §4 ids -----------------------------------------------------------------------------------------------


def device_id(public_key: bytes) -> bytes:
    """32 bytes from the device's raw Ed25519 public key."""
    return sha256(b"sealcam/device/v1" + public_key)


def account_id(owner_key: bytes) -> bytes:
    """16 bytes from the owner's raw Ed25519 public key."""
    return sha256(b"sealcam/account/v1" + owner_key)[:16]


# --- §5, §6, §12 rules between fields and with the signer -------------------------------------------------

# The field that a record kind must have. Of these, all but `event` and `loss` stand in no other kind.
BODY_OF_KIND = {
    "motion": "event",
    "snapshot": "event",
    "scene": "scene",
    "command": "command",
    "health": "health",
    "gap": "loss",
    "tombstone": "tombstone",
}
EXCLUSIVE_BODIES = {"health", "command", "scene", "tombstone"}

PHASES_OF_KIND = {
    "motion": {"start", "update", "end"},
    "scene": {"single"},
    "snapshot": {"single"},
}


def check_record(record: dict[str, Any], kid: bytes) -> None:
    """The rules of §5, then the signer."""
    kind = record["kind"]
    require(record["epoch"] >= 1, "epoch 0")
    require((record["seq"] == 0) == (kind == "accept"), "seq 0 if and only if accept")
    if kind == "accept":
        require(record["prev"] == record["claimHash"], "prev of an accept is not the claim hash")
    body = BODY_OF_KIND.get(kind)
    require(body is None or body in record, f"{kind} without {body}")
    for other in EXCLUSIVE_BODIES - {body}:
        require(other not in record, f"{other} in a record of kind {kind}")
    check_record_event(record)
    check_record_losses(record)
    require(record["device"] == device_id(kid), "the device is not the signer", FOREIGN)


def check_record_event(record: dict[str, Any]) -> None:
    """Where an event and media may stand, and the phase that belongs to the kind."""
    if "event" not in record:
        require("media" not in record, "media without an event")
        return
    phases = PHASES_OF_KIND.get(record["kind"], set())
    require(record["event"]["phase"] in phases, "an event in the wrong kind or phase")


def check_record_losses(record: dict[str, Any]) -> None:
    """Loss ranges lie in the past, and only a gap that tells of lost state may have no predecessor."""
    losses = record.get("loss", [])
    for loss in losses:
        if "seqs" in loss:
            first, last = loss["seqs"]
            require(first <= last < record["seq"], "a loss range that is not in the past")
    if record["prev"] is None:
        state_lost = any(loss["reason"] == "state-lost" for loss in losses)
        require(record["kind"] == "gap" and state_lost, "prev is null without lost state")


def check_offer(offer: dict[str, Any], kid: bytes) -> None:
    """The rules of §6 for an offer, then the signer."""
    first = offer["lastEpoch"] == 0
    require(first == (offer["lastClaimHash"] is None), "lastEpoch 0 if and only if lastClaimHash null")
    require(not (first and offer["mode"] == "owner"), "mode owner without an owner")
    require(offer["device"] == device_id(kid), "the device is not the signer", FOREIGN)


def check_claim(claim: dict[str, Any], kid: bytes) -> None:
    """The rules of §6 for a claim: the signer first, as the documentation lists them."""
    require(claim["ownerKey"] == kid, "the owner is not the signer", FOREIGN)
    require(claim["account"] == account_id(claim["ownerKey"]), "the account of another key")
    require(claim["epoch"] >= 1, "epoch 0")
    require((claim["epoch"] == 1) == (claim["previous"] is None), "previous null if and only if epoch 1")
    sign_keys = [recipient["ed25519"] for recipient in claim["recipients"]]
    seal_keys = [recipient["x25519"] for recipient in claim["recipients"]]
    require(sign_keys[0] == claim["ownerKey"], "the first recipient is not the owner")
    for keys in (sign_keys, seal_keys, claim["receiptKeys"]):
        require(len(set(keys)) == len(keys), "a key twice")
    require(all(is_good_point(key) for key in sign_keys), "an ed25519 that is no good point")
    require(all(contributes(key) for key in seal_keys), "an x25519 of small order")


def contributes(x25519: bytes) -> bool:
    """False if X25519 with this key is all zero. Clamped scalars are multiples of 8, so any one tells."""
    try:
        bindings.crypto_scalarmult(bytes(32), x25519)
    except CryptoError:
        return False
    return True


def check_command(command: dict[str, Any], _kid: bytes) -> None:
    """The rules of §12 that need no claim. That the kid is the owner's is checked against the claim."""
    action = command["action"]
    for argument in ("privacy", "zones", "sensitivity"):
        require((argument in command) == (action == argument), f"{argument} in a command {action}")
    may_be_late = action == "release" or command.get("privacy") is True
    require("recent" in command or may_be_late, "recent is missing")


def check_revocation(revocation: dict[str, Any], _kid: bytes) -> None:
    """Entries of an owner name an epoch, entries of the maker do not."""
    for entry in revocation["entries"]:
        require(("epoch" in entry) == (revocation["scope"] == "owner"), "an epoch in the wrong scope")


def check_nothing(_value: dict[str, Any], _kid: bytes) -> None:
    """Kinds without rules beyond the CDDL: who may sign them depends on a claim or on a pinned key."""


# --- §3 signed objects ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Kind:
    """One kind of signed object: its domain, CDDL rule, rules between fields, and size limit in bytes."""

    domain: str
    schema: Map
    check: Callable[[dict[str, Any], bytes], None]
    limit: int = MAX_SIGNED


KINDS = {
    "record": Kind("sealcam/record/v1", RECORD, check_record),
    "offer": Kind("sealcam/offer/v1", OFFER, check_offer),
    "claim": Kind("sealcam/claim/v1", CLAIM, check_claim),
    "receipt": Kind("sealcam/receipt/v1", RECEIPT, check_nothing),
    "command": Kind("sealcam/command/v1", COMMAND, check_command),
    "session": Kind("sealcam/session/v1", SESSION, check_nothing),
    "revocation": Kind("sealcam/revocation/v1", REVOCATION, check_revocation, MAX_REVOCATION),
    "unlock": Kind("sealcam/unlock/v1", UNLOCK, check_nothing),
}

COSE_SIGN1_TAG = b"\xd2"
ALGORITHM_HEADER, KID_HEADER = 1, 4
ED25519_ALGORITHM = -19


@dataclass(frozen=True)
class Envelope:
    """A COSE_Sign1 taken apart but not verified; the kid is the raw 32-byte key, the signature 64 bytes."""

    protected: bytes
    kid: bytes
    payload: bytes
    signature: bytes


@dataclass(frozen=True)
class Signed:
    """A verified object: `value` by the names of the CDDL, `hash` = H(Sig_structure), 32 bytes."""

    kind: str
    value: dict[str, Any]
    envelope: Envelope
    sig_structure: bytes
    hash: bytes


def parse_envelope(data: bytes, limit: int) -> Envelope:
    """Takes a COSE_Sign1 of at most `limit` bytes apart. Nothing in it is verified yet."""
    require(len(data) <= limit, f"more than {limit} bytes")
    require(data[:1] == COSE_SIGN1_TAG, "not tagged 18 in one byte")
    parts = decode_cbor(data[1:], limit)
    require(type(parts) is list and len(parts) == 4, "not an array of four")
    protected, unprotected, payload, signature = parts
    require(type(unprotected) is dict and not unprotected, "the unprotected header is not an empty map")
    require(type(protected) is bytes and type(payload) is bytes, "a header or payload that is no byte string")
    require(type(signature) is bytes and len(signature) == 64, "not a signature of 64 bytes")
    return Envelope(protected, parse_protected(protected), payload, signature)


def parse_protected(protected: bytes) -> bytes:
    """Returns the kid of a protected header that holds exactly algorithm -19 and a 32-byte kid."""
    header = decode_cbor(protected, len(protected))
    require(type(header) is dict, "the protected header is not a map")
    require(set(header) == {ALGORITHM_HEADER, KID_HEADER}, "not the keys of the protected header")
    require(header[ALGORITHM_HEADER] == ED25519_ALGORITHM, "another algorithm")
    return KEY.read(header[KID_HEADER])


def make_sig_structure(protected: bytes, domain: str, payload: bytes) -> bytes:
    """The bytes that are signed (RFC 9052 §4.4) and whose hash is the hash of the object."""
    return encode_cbor(["Signature1", protected, domain.encode(), payload])


def open_signed(kind: str, data: bytes) -> Signed:
    """Verifies an object of the expected kind in the order of §3 and decodes it.

    The keys of receipts, commands, sessions, revocations and unlock tokens are the caller's to check: they
    depend on a claim, or on a pinned key.
    """
    rules = KINDS[kind]
    envelope = parse_envelope(data, rules.limit)
    sig_structure = make_sig_structure(envelope.protected, rules.domain, envelope.payload)
    check_signature(envelope.kid, sig_structure, envelope.signature)
    value = rules.schema.read(decode_cbor(envelope.payload, rules.limit))
    rules.check(value, envelope.kid)
    return Signed(kind, value, envelope, sig_structure, sha256(sig_structure))


def sign(kind: str, value: dict[str, Any], seed: bytes) -> bytes:
    """Makes the signed object of a value by the names of the CDDL, with a 32-byte Ed25519 seed."""
    rules = KINDS[kind]
    public_key, secret_key = bindings.crypto_sign_seed_keypair(seed)
    protected = encode_cbor({ALGORITHM_HEADER: ED25519_ALGORITHM, KID_HEADER: public_key})
    payload = encode_cbor(rules.schema.write(value))
    sig_structure = make_sig_structure(protected, rules.domain, payload)
    signature = bindings.crypto_sign(sig_structure, secret_key)[:64]
    return COSE_SIGN1_TAG + encode_cbor([protected, {}, payload, signature])


def claim_mac(secret: bytes, claim: Signed) -> bytes:
    """The MAC that travels beside an owner's first claim; the secret is the 16 bytes of the label (§6)."""
    return hmac_sha256(secret, claim.sig_structure)


def verify_record(record_object: bytes, claim_object: bytes) -> Signed:
    """Verifies a record and that it belongs to this claim (§10, steps 2 and 3, without the stored row)."""
    claim = open_signed("claim", claim_object)
    record = open_signed("record", record_object)
    for field in ("device", "account", "epoch"):
        require(record.value[field] == claim.value[field], f"{field} of another claim", FOREIGN)
    require(record.value["claimHash"] == claim.hash, "another claim", FOREIGN)
    return record


# --- §8 seals ---------------------------------------------------------------------------------------------

CHUNK_BYTES = 65_536
TAG_BYTES = 16
PADDING_STEP = 4_096


@dataclass(frozen=True)
class SealContext:
    """Where a sealed object belongs; ids and hashes as in the record."""

    device: bytes
    account: bytes
    epoch: int
    claim_hash: bytes
    event_id: bytes
    media_id: bytes

    def hash(self) -> bytes:
        """ctx, 32 bytes."""
        fields = [self.device, self.account, self.epoch, self.claim_hash, self.event_id, self.media_id]
        return sha256(encode_cbor(["sealcam/seal/v1", *fields]))


@dataclass(frozen=True)
class OpenedSeal:
    """The object key K (32 bytes), the number of the wrap that opened, the padded plaintext, the content."""

    key: bytes
    wrap: int
    plaintext: bytes
    content: dict[str, Any]


def open_seal(header: bytes, body: bytes, context: SealContext, secret: bytes) -> OpenedSeal:
    """Opens a sealed object with a recipient's 32-byte X25519 secret, in the order of §8."""
    require(len(header) + len(body) <= MAX_SEALED, f"more than {MAX_SEALED} bytes")
    require(len(body) > 0, "an empty body")
    wraps, mac = parse_seal_header(header)
    index, key, context_hash = open_wrap(wraps, secret)
    require(context_hash == context.hash(), "sealed for another place", SEAL_REFUSED)
    require(hmac.compare_digest(seal_mac(key, wraps), mac), "the MAC is wrong", SEAL_REFUSED)
    plaintext = open_body(body, key)
    return OpenedSeal(key, index, plaintext, parse_plaintext(plaintext))


def parse_seal_header(header: bytes) -> tuple[list[bytes], bytes]:
    """Returns (wraps, MAC). The suite is looked at first: a newer suite may have another shape."""
    value = decode_cbor(header, MAX_SEALED)
    require(type(value) is list and len(value) > 0, "not a seal header")
    suite = SEAL_HEADER.cells["suite"].read(value[0])
    require(suite == SEAL_SUITE, f"suite {suite}", UNSUPPORTED)
    fields = SEAL_HEADER.read(value)
    return fields["wraps"], fields["mac"]


def open_wrap(wraps: list[bytes], secret: bytes) -> tuple[int, bytes, bytes]:
    """Returns (number of the first wrap that opens with this secret, K, context hash)."""
    public_key = bindings.crypto_scalarmult_base(secret)
    for index, wrap in enumerate(wraps):
        try:
            opened = bindings.crypto_box_seal_open(wrap, public_key, secret)
        except CryptoError:
            continue
        return index, opened[:32], opened[32:]
    raise ProtocolError(SEAL_REFUSED, "no wrap opens with this key")


def seal_mac(key: bytes, wraps: list[bytes]) -> bytes:
    """The MAC over all wraps; it also commits to the key, which Poly1305 does not."""
    return hmac_sha256(hkdf(key, b"header"), encode_cbor([SEAL_SUITE, wraps]))


def chunk_nonce(index: int, last: bool) -> bytes:
    """24 bytes: 15 zeros, the chunk's number, and whether it is the last."""
    return bytes(15) + index.to_bytes(8, "big") + bytes([last])


def split(data: bytes, size: int) -> list[bytes]:
    """Cuts data in pieces of `size` bytes; the last one may be shorter."""
    return [data[start : start + size] for start in range(0, len(data), size)]


def open_body(body: bytes, key: bytes) -> bytes:
    """Decrypts all chunks to the padded plaintext."""
    body_key = hkdf(key, b"body")
    chunks = split(body, CHUNK_BYTES + TAG_BYTES)
    plaintext = b""
    for index, chunk in enumerate(chunks):
        nonce = chunk_nonce(index, index == len(chunks) - 1)
        try:
            plaintext += bindings.crypto_secretbox_open(chunk, nonce, body_key)
        except CryptoError as error:
            raise ProtocolError(SEAL_REFUSED, f"chunk {index}") from error
    return plaintext


def seal_body(plaintext: bytes, key: bytes) -> bytes:
    """Encrypts the padded plaintext; the inverse of `open_body`."""
    body_key = hkdf(key, b"body")
    chunks = split(plaintext, CHUNK_BYTES)
    return b"".join(
        bindings.crypto_secretbox(chunk, chunk_nonce(index, index == len(chunks) - 1), body_key)
        for index, chunk in enumerate(chunks)
    )


def parse_plaintext(plaintext: bytes) -> dict[str, Any]:
    """Removes length and padding and decodes the content."""
    require(len(plaintext) >= 4 and len(plaintext) % PADDING_STEP == 0, "not a padded plaintext")
    end = 4 + int.from_bytes(plaintext[:4], "big")
    padding = plaintext[end:]
    require(end <= len(plaintext) and len(padding) < PADDING_STEP, "not the length of the content")
    require(not any(padding), "padding that is not zero")
    return SEALED_CONTENT.read(decode_cbor(plaintext[4:end], MAX_SEALED))


def make_plaintext(content: dict[str, Any]) -> bytes:
    """Encodes and pads the content; the inverse of `parse_plaintext`."""
    encoded = encode_cbor(SEALED_CONTENT.write(content))
    framed = len(encoded).to_bytes(4, "big") + encoded
    return framed + bytes(-len(framed) % PADDING_STEP)


# --- §9 messages and topics -------------------------------------------------------------------------------


def parse_topic(topic: str) -> tuple[bytes, str]:
    """Returns (device id, direction), where direction is `up`, `down` or `status`."""
    match = re.fullmatch(r"sealcam/v1/([0-9a-f]{64})/(up|down|status)", topic)
    if match is None:
        raise ProtocolError(MALFORMED, f"not a topic: {topic}")
    return bytes.fromhex(match[1]), match[2]


def format_topic(device: bytes, direction: str) -> str:
    """The topic of a device id for `up`, `down` or `status`."""
    return f"sealcam/v1/{device.hex()}/{direction}"


def read_message(direction: str, payload: bytes) -> dict[str, Any]:
    """Decodes an MQTT payload; nothing inside is verified. `type` names the message as in the CDDL."""
    return MESSAGES[direction].read(decode_cbor(payload, MAX_MESSAGE))


def write_message(direction: str, message: dict[str, Any]) -> bytes:
    """Encodes a message; the inverse of `read_message`."""
    return encode_cbor(MESSAGES[direction].write(message))


# --- §13 claim code ---------------------------------------------------------------------------------------

DEVICE_BYTES = 32
SECRET_BYTES = 16
CHECK_BYTES = 4
CODE_CHARACTERS = 84
CODE_GROUP = 6
BASE32_PADDING = "===="  # 52 bytes fill 84 of 88 base32 characters


def format_claim_code(device: bytes, secret: bytes) -> str:
    """The code of the label from a device id (32 bytes) and its claim secret (16 bytes)."""
    content = device + secret
    text = base64.b32encode(content + sha256(content)[:CHECK_BYTES]).decode().rstrip("=")
    return "-".join(text[start : start + CODE_GROUP] for start in range(0, len(text), CODE_GROUP))


def parse_claim_code(code: str) -> tuple[bytes, bytes]:
    """Returns (device id, claim secret). Dashes, spaces and case do not matter."""
    text = re.sub(r"[- ]", "", code).upper()
    require(re.fullmatch(f"[A-Z2-7]{{{CODE_CHARACTERS}}}", text) is not None, "not a claim code")
    data = base64.b32decode(text + BASE32_PADDING)
    content, check = data[:-CHECK_BYTES], data[-CHECK_BYTES:]
    require(sha256(content)[:CHECK_BYTES] == check, "a wrong character in the claim code")
    # The base32 decoder drops the last four bits unseen, so two codes would read alike without this.
    require(base64.b32encode(data).decode().rstrip("=") == text, "the last four bits are not zero")
    return content[:DEVICE_BYTES], content[DEVICE_BYTES:]
