"""Rules that CDDL cannot express: the signer of a payload (`foreign`), then the rules between its fields
(`malformed`), in the order of §3. A `kid` is the signer's raw 32-byte Ed25519 key."""

from __future__ import annotations

from typing import Any

from nacl import bindings
from nacl.exceptions import CryptoError

from .ed25519 import is_good_point
from .errors import FOREIGN, require
from .primitives import account_id, device_id

# The field that a record of this kind must have.
BODY_OF_KIND = {
    "motion": "event",
    "snapshot": "event",
    "scene": "scene",
    "command": "command",
    "health": "health",
    "gap": "loss",
    "tombstone": "tombstone",
    # Version 2 (§17).
    "key": "key",
    "clip": "clip",
}
EXCLUSIVE_BODIES = {"health", "command", "scene", "tombstone", "key", "clip"}

PHASES_OF_KIND = {
    "motion": {"start", "update", "end"},
    "snapshot": {"single"},
    "scene": {"single"},
}


def check_record(record: dict[str, Any], kid: bytes) -> None:
    """§5."""
    kind = record["kind"]
    require(record["device"] == device_id(kid), "the device is not the signer", FOREIGN)
    require((record["seq"] == 0) == (kind == "accept"), "seq 0 if and only if accept")
    require(kind != "accept" or record["prev"] == record["claimHash"], "an accept after another hash")
    body = BODY_OF_KIND.get(kind)
    require(body is None or body in record, f"{kind} without {body}")
    for other in EXCLUSIVE_BODIES - {body}:
        require(other not in record, f"{other} in a record of kind {kind}")
    time = record["time"]
    require((time["wallMs"] is None) == (time["quality"] == "unset"), "wall time with an unset clock")
    check_event(record)
    check_losses(record)


def check_event(record: dict[str, Any]) -> None:
    """Which kinds may have an event and media, and which phases and revisions."""
    media_ids = [media["id"] for media in record.get("media", [])]
    require(len(set(media_ids)) == len(media_ids), "a media id is listed twice")
    if "event" not in record:
        # In version 2 a key record and an answer have media of their own; rules2 has the rest.
        may_have_media = "version" in record and record["kind"] in ("key", "command")
        require(not media_ids or may_have_media, "media without an event")
        return
    phase, revision = record["event"]["phase"], record["event"]["revision"]
    require(phase in PHASES_OF_KIND.get(record["kind"], set()), "an event in the wrong kind or phase")
    require((revision == 0) == (phase in ("single", "start")), "a revision of another phase")


def check_losses(record: dict[str, Any]) -> None:
    """Loss ranges lie in the past, and only a gap that reports lost state may have no predecessor."""
    losses = record.get("loss", [])
    for loss in losses:
        require(len(loss.keys() & {"seqs", "media", "count"}) == 1, "a loss of nothing or of two things")
        if "seqs" in loss:
            first, last = loss["seqs"]
            require(first <= last < record["seq"], "a loss range that is not in the past")
    if record["prev"] is None:
        state_lost = any(loss["reason"] == "state-lost" for loss in losses)
        require(record["kind"] == "gap" and state_lost, "prev is null without lost state")


def check_offer(offer: dict[str, Any], kid: bytes) -> None:
    """§6."""
    require(offer["device"] == device_id(kid), "the device is not the signer", FOREIGN)
    unclaimed = offer["lastEpoch"] == 0
    require(unclaimed == (offer["lastClaimHash"] is None), "lastEpoch 0 if and only if lastClaimHash null")
    require(not (unclaimed and offer["mode"] == "owner"), "mode owner without an owner")


def check_claim(claim: dict[str, Any], kid: bytes) -> None:
    """§6."""
    require(claim["ownerKey"] == kid, "the owner is not the signer", FOREIGN)
    require(claim["account"] == account_id(kid), "the account of another key")
    require((claim["epoch"] == 1) == (claim["previous"] is None), "previous null if and only if epoch 1")
    sign_keys = [recipient["ed25519"] for recipient in claim["recipients"]]
    seal_keys = [recipient["x25519"] for recipient in claim["recipients"]]
    require(sign_keys[0] == kid, "the first recipient is not the owner")
    for keys in (sign_keys, seal_keys, claim["receiptKeys"]):
        require(len(set(keys)) == len(keys), "a key is listed twice")
    require(all(is_good_point(key) for key in sign_keys), "an ed25519 key that is not a good point")
    require(all(contributes(key) for key in seal_keys), "an x25519 key of small order")


def contributes(x25519: bytes) -> bool:
    """Returns False if X25519 with this key is all zero. Clamped scalars are multiples of 8, so any will do."""
    try:
        bindings.crypto_scalarmult(bytes(32), x25519)
    except CryptoError:
        return False
    return True


def check_receipt(receipt: dict[str, Any], _kid: bytes) -> None:
    """§7. The caller must check that the kid is a receipt key of the claim."""
    require(all(first <= last for first, last, _ in receipt["ranges"]), "a range that ends before it starts")


def check_command(command: dict[str, Any], _kid: bytes) -> None:
    """§12. The caller must check that the kid is the owner key of the claim."""
    action = command["action"]
    for argument in ("privacy", "zones", "sensitivity"):
        require((argument in command) == (action == argument), f"{argument} in a command {action}")
    may_be_late = action == "release" or command.get("privacy") is True
    require("recent" in command or may_be_late, "recent is missing")


def check_revocation(revocation: dict[str, Any], _kid: bytes) -> None:
    """§12. The caller must check that the kid is the owner's or the maker's key."""
    for entry in revocation["entries"]:
        require(("epoch" in entry) == (revocation["scope"] == "owner"), "an epoch in the wrong scope")


def check_member(member: dict[str, Any], kid: bytes) -> None:
    """§13."""
    require(member["ed25519"] == kid, "the member is not the signer", FOREIGN)
    require(contributes(member["x25519"]), "an x25519 of small order")


def check_heads(heads: dict[str, Any], _kid: bytes) -> None:
    """§12. That the kid is an owner's or a member's key is the caller's to check."""
    places = [(device, epoch) for device, epoch, _, _ in heads["heads"]]
    require(len(set(places)) == len(places), "an epoch twice")


def check_deletion(deletion: dict[str, Any], _kid: bytes) -> None:
    """§12. That the kid is the owner key of the claim is the caller's to check."""
    require(deletion["fromSeq"] <= deletion["toSeq"], "a range that runs backwards")


def check_floor(floor: dict[str, Any], _kid: bytes) -> None:
    """§12. That the kid is a receipt key of the claim is the caller's to check."""
    require(floor["belowSeq"] > 0 and floor["periodMs"] > 0, "nothing below it, or no period")
    require(floor["sinceMs"] >= floor["periodMs"], "since before its own period")


def check_nothing(_value: dict[str, Any], _kid: bytes) -> None:
    """Sessions and unlock tokens: their signer depends on a claim or on a pinned key."""
