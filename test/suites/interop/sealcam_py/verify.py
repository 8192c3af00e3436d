"""From a record to its verdict (§10, §11): the claim row, the place in the chain, the media.

A refusal is a ProtocolError with a `verdict`; a record that is not refused gets a verdict as text. A real cloud
keeps rows and logs in its database; the classes here show what they must hold.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .cose import Signed, open_signed
from .errors import DUPLICATE, EQUIVOCATION, FOREIGN, GAP, INTACT, PENDING, REVOKED, ProtocolError, require
from .primitives import sha256


@dataclass(frozen=True)
class ClaimRow:
    """The cloud's row of one (device, epoch); state is `open`, `closed` or `revoked`. The row is closed at
    the seq of the epoch's tombstone; records up to that seq are still accepted."""

    device: bytes
    account: bytes
    epoch: int
    claim_hash: bytes
    state: str = "open"
    closed_at_seq: int | None = None
    version: int = 1


@dataclass(frozen=True)
class Before:
    """What is known before one record: the hash of the record with seq-1 or None, whether signed losses cover
    everything missing before it, and the seq of the last verified health with an empty outbox (0: none)."""

    predecessor: bytes | None
    missing_signed: bool
    drained_up_to: int


def open_record(data: bytes, topic_device: bytes) -> Signed:
    """Step 2: opens a record that its device signed and that arrived on that device's topic."""
    record = open_signed("record", data)
    require(record.value["device"] == topic_device, "the topic of another device", FOREIGN)
    return record


def row_of_claim(claim: Signed) -> ClaimRow:
    """Returns the row that a cloud writes when a claim and its accept record arrive together (§6)."""
    value = claim.value
    version = value.get("version", 1)
    return ClaimRow(value["device"], value["account"], value["epoch"], claim.hash, version=version)


def bind(record: Signed, row: ClaimRow | None) -> None:
    """Step 3: refuses a record that does not match the claim row of its (device, epoch)."""
    if row is None:
        raise ProtocolError(FOREIGN, "no claim row")
    value = record.value
    require(value["device"] == row.device, "another device", FOREIGN)
    require(value["account"] == row.account, "another account", FOREIGN)
    require(value["epoch"] == row.epoch, "another epoch", FOREIGN)
    require(value["claimHash"] == row.claim_hash, "another claim", FOREIGN)
    require(value.get("version", 1) == row.version, "not the version of the epoch")
    require(row.state in ("open", "closed"), f"the row is {row.state}", REVOKED)
    if row.state == "closed":
        # A closed row without a seq admits nothing.
        require(row.closed_at_seq is not None and value["seq"] <= row.closed_at_seq, "closed", REVOKED)


def continuity(record: Signed, before: Before) -> str:
    """Step 5: returns the verdict that follows from the records before this one."""
    value = record.value
    if value["seq"] == 0:
        return INTACT
    if value["prev"] is None:
        return GAP
    if before.predecessor is not None:
        return INTACT if value["prev"] == before.predecessor else EQUIVOCATION
    drained_later = before.drained_up_to > value["seq"]
    return GAP if before.missing_signed or drained_later else PENDING


@dataclass
class EpochLog:
    """The verified records of one (device, epoch), in any order of arrival."""

    hashes: dict[int, bytes] = field(default_factory=dict)  # by seq
    lost_seqs: list[list[int]] = field(default_factory=list)  # [from, to], both inclusive, of signed losses
    lost_media: set[bytes] = field(default_factory=set)  # ids, of signed losses
    drained_up_to: int = 0

    def receive(self, record: Signed) -> str:
        """Steps 4 and 5 for a bound record. Keeps it unless it is a duplicate or an equivocation."""
        seq = record.value["seq"]
        if seq in self.hashes:
            return DUPLICATE if self.hashes[seq] == record.hash else EQUIVOCATION
        verdict = continuity(record, self.before(record))
        if verdict != EQUIVOCATION:
            self.add(record)
        return verdict

    def before(self, record: Signed) -> Before:
        """Returns what this log and the record's own losses show of the records before it."""
        seq = record.value["seq"]
        first_missing = max((known for known in self.hashes if known < seq), default=-1) + 1
        lost = self.lost_seqs + [loss["seqs"] for loss in record.value.get("loss", []) if "seqs" in loss]
        for first, last in sorted(lost):
            if first <= first_missing <= last:
                first_missing = last + 1
        return Before(self.hashes.get(seq - 1), first_missing >= seq, self.drained_up_to)

    def add(self, record: Signed) -> None:
        """Keeps the record's hash, its losses, and whether it reports an empty outbox."""
        value = record.value
        self.hashes[value["seq"]] = record.hash
        for loss in value.get("loss", []):
            self.lost_seqs += [loss["seqs"]] if "seqs" in loss else []
            self.lost_media.update(loss.get("media", []))
        if "health" in value and value["health"]["queued"] == 0:
            self.drained_up_to = max(self.drained_up_to, value["seq"])


def check_media(media: dict[str, Any], part: dict[str, bytes] | None) -> bool:
    """Step 6: returns whether header and body are those that this entry of a record's media names."""
    return (
        part is not None
        and len(part["body"]) == media["length"]
        and sha256(part["body"]) == media["bodyHash"]
        and sha256(part["header"]) == media["headerHash"]
    )
