"""The rules of version 2 that CDDL cannot express, as rules.py has those of version 1."""

from __future__ import annotations

from typing import Any

from . import rules
from .ed25519 import is_good_point
from .errors import FOREIGN, require
from .primitives import account_id, sha256

WRAP_BYTES = 1_174  # an entry of a key record's body as CBOR
BODY_HEAD_BYTES = 3
MAX_RECIPIENTS = 8
EVENT_ROLES = {"thumbnail", "detail", "mini"}
OWN_ROLES = {"key": "key", "command": "detail"}
SETTINGS = ("zones", "sensitivity", "masks", "schedules")
ARGUMENTS = ("privacy", "zones", "sensitivity", "masks", "schedules")


def check_record(record: dict[str, Any], kid: bytes) -> None:
    """Records: what version 1 demands, then media, keys, clips and answers."""
    rules.check_record(record, kid)
    kind, media = record["kind"], record.get("media", [])
    roles = {OWN_ROLES[kind]} if kind in OWN_ROLES else EVENT_ROLES
    require(all(entry["role"] in roles for entry in media), f"{kind} with media of another role")
    require(len(media) <= 1 or kind not in OWN_ROLES, f"{kind} with more than one media object")
    if "key" in record:
        check_key_record(media)
    if "clip" in record:
        check_clip(record["clip"])
    if "command" in record:
        check_answer(record["command"], len(media) > 0)


def check_key_record(media: list[dict[str, Any]]) -> None:
    """One object with an empty header and a body of 1 to 8 wraps."""
    require(len(media) == 1, "a key without its object")
    wraps, rest = divmod(media[0]["length"] - BODY_HEAD_BYTES, WRAP_BYTES)
    require(rest == 0 and 1 <= wraps <= MAX_RECIPIENTS, "a key body of another length")
    require(media[0]["headerHash"] == sha256(b""), "a key with a seal header")


def check_clip(clip: dict[str, Any]) -> None:
    """Segments are in a row; a clip starts with its segment 0 and no other record of it has that."""
    indices = [segment[0] for segment in clip["segments"]]
    ids = [segment[1] for segment in clip["segments"]]
    require(clip["phase"] == "end" or len(indices) > 0, "no segment")
    if indices:
        require((indices[0] == 0) == (clip["phase"] == "start"), "segment 0 out of its place")
        require(indices == list(range(indices[0], indices[0] + len(indices))), "not in a row")
    require(len(set(ids)) == len(ids), "a segment is listed twice")


def check_answer(command: dict[str, Any], has_detail: bool) -> None:
    """Answers to orders: who gave them, what is in force, and the parts of a look."""
    require(not has_detail or command["action"] in SETTINGS, "a detail beside another answer")
    require(("counter" in command) == ("signer" in command), "a counter without its signer")
    parts = len(command.keys() & {"look", "lookEnd"})
    wanted = 1 if command["action"] == "look" and command["result"] == "done" else 0
    require(parts == wanted, "not the parts of a look")


def check_claim(claim: dict[str, Any], kid: bytes) -> None:
    """Claims: recipients by the hash of their KEM key, the owner first."""
    require(claim["ownerKey"] == kid, "the owner is not the signer", FOREIGN)
    require(claim["account"] == account_id(kid), "the account of another key")
    require((claim["epoch"] == 1) == (claim["previous"] is None), "previous null if and only if epoch 1")
    recipients = claim["recipients"]
    sign_keys = [recipient["ed25519"] for recipient in recipients]
    kem_hashes = [recipient["kem"] for recipient in recipients]
    require(sign_keys[0] == kid and recipients[0]["role"] == "owner", "the first recipient is not the owner")
    for keys in (sign_keys, kem_hashes, claim["receiptKeys"]):
        require(len(set(keys)) == len(keys), "a key is listed twice")
    require(all(is_good_point(key) for key in sign_keys), "an ed25519 key that is not a good point")


def check_command(command: dict[str, Any], _kid: bytes) -> None:
    """Orders. The caller must check that the kid is a recipient with role owner."""
    for argument in ARGUMENTS:
        require((argument in command) == (command["action"] == argument), f"{argument} in another order")


def check_member(member: dict[str, Any], kid: bytes) -> None:
    """Members: the signer is the key inside."""
    require(member["ed25519"] == kid, "the member is not the signer", FOREIGN)


def check_look(look: dict[str, Any], _kid: bytes) -> None:
    """Looks: a start has a key, a renewal has none."""
    require((look["kemKey"] is None) == (look["renewal"] > 0), "a start without a key, or a renewal with one")


def check_media_receipt(receipt: dict[str, Any], _kid: bytes) -> None:
    """Media receipts name each body once."""
    bodies = [entry[0] for entry in receipt["entries"]]
    require(len(set(bodies)) == len(bodies), "a body twice")


def check_settings(settings: dict[str, Any], _kid: bytes) -> None:
    """Settings: only the first has no parents."""
    parents = settings["parents"]
    require((settings["settingsVersion"] == 0) == (len(parents) == 0), "parents of the first, or none of another")
    require(len(set(parents)) == len(parents), "a parent twice")
