"""The rules of docs/protocol.cddl for the payloads of signed objects, field by field in its order.

Integers are counts unless the name says otherwise: `…Ms` milliseconds, `…S` seconds, `…Bytes` bytes,
`temperatureDeciC` tenths of a degree Celsius. Coordinates are 0 to 65535 of the picture's width or height.
"""

from __future__ import annotations

from .fields import (
    Boolean,
    Bytes,
    Enumeration,
    Integer,
    ListOf,
    Map,
    Nullable,
    Optional,
    Row,
    Text,
    VersionedMap,
)

UINT = Integer()
UINT16 = Integer(high=65_535)
EPOCH = Integer(low=1)
ID = Bytes(16, 16)
HASH = Bytes(32, 32)
KEY = Bytes(32, 32)

RECORD_TIME = Map(
    {
        "boot": ID,
        "monotonicMs": UINT,
        "wallMs": Nullable(UINT),
        "quality": Enumeration("unset", "rtc", "ntp"),
    }
)

RECORD_EVENT = Map(
    {
        "id": ID,
        "phase": Enumeration("start", "update", "end", "single"),
        "revision": UINT16,
        "picture": Optional(ID),
    }
)

RECORD_MEDIA = Map(
    {
        "id": ID,
        "role": Enumeration("thumbnail", "detail", "clip"),
        "length": UINT,
        "bodyHash": HASH,
        "headerHash": HASH,
    }
)

LOSS_REASON = Enumeration(
    "full",
    "age",
    "too-large",
    "state-lost",
    "corrupt",
    "claim-changed",
    "rate-limit",
    "quarantined",
    "failed",
    "erased",
)

RECORD_LOSS = Map(
    {
        "reason": LOSS_REASON,
        "seqs": Optional(Row(UINT, UINT)),
        "media": Optional(ListOf(1, 16, ID)),
        "count": Optional(UINT),
    }
)

RECORD_HEALTH = Map(
    {
        "agent": Text(32),
        "uptimeS": UINT,
        "temperatureDeciC": Optional(Integer(-1000, 2000)),
        "freeBytes": UINT,
        "produced": UINT,
        "receipted": UINT,
        "queued": UINT,
        "quarantined": UINT,
        "lost": UINT,
        "framesSeen": UINT,
        "framesDropped": UINT,
        "framesCorrupt": UINT,
        "camera": Enumeration("ok", "starting", "stalled", "absent"),
        "privacy": Boolean(),
        "connects": UINT,
    }
)

COMMAND_ACTIONS = ("snapshot", "privacy", "zones", "sensitivity", "release")

RECORD_COMMAND = Map(
    {
        "source": Enumeration("owner", "console", "button"),
        "action": Enumeration(*COMMAND_ACTIONS, "unlock", "reset", "reboot"),
        "result": Enumeration("done", "refused", "failed"),
        "object": Optional(HASH),
        "code": Optional(Text(48)),
        "counter": Optional(UINT),
    }
)

SCENE_CLASS = Enumeration(
    "startup",
    "illumination",
    "ir-cut",
    "tamper",
    "overlay",
    "stall",
    "clock-jump",
    "rate-limit",
)

RECORD_SCENE = Map({"class": SCENE_CLASS, "durationMs": Optional(UINT)})

RECORD_TOMBSTONE = Map({"reason": Enumeration("superseded", "release", "reset")})

RECORD_KIND = Enumeration("accept", "motion", "scene", "snapshot", "command", "health", "gap", "tombstone")

RECORD = VersionedMap(
    {
        "kind": RECORD_KIND,
        "device": HASH,
        "account": ID,
        "epoch": EPOCH,
        "claimHash": HASH,
        "seq": UINT,
        "prev": Nullable(HASH),
        "time": RECORD_TIME,
        "event": Optional(RECORD_EVENT),
        "media": Optional(ListOf(1, 4, RECORD_MEDIA)),
        "loss": Optional(ListOf(1, 32, RECORD_LOSS)),
        "health": Optional(RECORD_HEALTH),
        "command": Optional(RECORD_COMMAND),
        "scene": Optional(RECORD_SCENE),
        "tombstone": Optional(RECORD_TOMBSTONE),
    }
)

OFFER = VersionedMap(
    {
        "device": HASH,
        "lastEpoch": UINT,
        "lastClaimHash": Nullable(HASH),
        "mode": Enumeration("physical", "owner"),
        "nonce": ID,
    }
)

CLAIM_RECIPIENT = Map({"x25519": KEY, "ed25519": KEY})

CLAIM = VersionedMap(
    {
        "device": HASH,
        "epoch": EPOCH,
        "account": ID,
        "ownerKey": KEY,
        "recipients": ListOf(1, 8, CLAIM_RECIPIENT),
        "receiptKeys": ListOf(1, 4, KEY),
        "previous": Nullable(HASH),
        "nonce": ID,
        "issuedAtMs": UINT,
    }
)

RECEIPT_PACING = Map(
    {
        "windowMs": Optional(Integer(high=900_000)),
        "drainIntervalMs": Optional(Integer(high=900_000)),
        "issuedAtMs": UINT,
    }
)

RECEIPT = VersionedMap(
    {
        "device": HASH,
        "epoch": EPOCH,
        "claimHash": HASH,
        "ranges": ListOf(0, 32, Row(UINT, UINT, HASH)),
        "rejects": Optional(ListOf(1, 32, Row(UINT, HASH, Enumeration("malformed", "equivocation")))),
        "pacing": Optional(RECEIPT_PACING),
    }
)

COMMAND_ZONE = Map({"name": Text(32), "corners": ListOf(3, 16, Row(UINT16, UINT16))})

COMMAND = VersionedMap(
    {
        "action": Enumeration(*COMMAND_ACTIONS),
        "device": HASH,
        "epoch": EPOCH,
        "claimHash": HASH,
        "counter": UINT,
        "recent": Optional(Row(UINT, HASH)),
        "privacy": Optional(Boolean()),
        "zones": Optional(ListOf(0, 8, COMMAND_ZONE)),
        "sensitivity": Optional(Integer(high=100)),
    }
)

SESSION = VersionedMap(
    {
        "cloudOrigin": Text(256),
        "pageOrigin": Text(256),
        "nonce": HASH,
        "expiresAtMs": UINT,
    }
)

REVOCATION_ENTRY = Map({"device": HASH, "epoch": Optional(EPOCH)})

REVOCATION = VersionedMap(
    {
        "scope": Enumeration("owner", "maker"),
        "listVersion": UINT,
        "issuedAtMs": UINT,
        "entries": ListOf(0, 1024, REVOCATION_ENTRY),
    }
)

MEMBER = VersionedMap({"ed25519": KEY, "x25519": KEY})

HEADS = VersionedMap(
    {
        "browser": ID,
        "counter": UINT,
        "issuedAtMs": UINT,
        "heads": ListOf(0, 512, Row(HASH, EPOCH, UINT, HASH)),
    }
)

DELETION = VersionedMap(
    {
        "device": HASH,
        "epoch": EPOCH,
        "claimHash": HASH,
        "fromSeq": UINT,
        "toSeq": UINT,
        "lastHash": HASH,
        "issuedAtMs": UINT,
    }
)

FLOOR = VersionedMap(
    {
        "device": HASH,
        "epoch": EPOCH,
        "claimHash": HASH,
        "belowSeq": UINT,
        "sinceMs": UINT,
        "periodMs": UINT,
    }
)

UNLOCK = VersionedMap(
    {
        "device": HASH,
        "nonce": ID,
        "scope": ListOf(1, 4, Enumeration("diagnose", "capture", "network", "reset")),
        "lifetimeS": Integer(high=86_400),
    }
)
