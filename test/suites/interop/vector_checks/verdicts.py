"""verify.json, and the rest of §10: chains in any order, duplicates, losses and media."""

from __future__ import annotations

from sealcam_py.cose import Signed, open_signed, sign
from sealcam_py.errors import DUPLICATE, EQUIVOCATION, FOREIGN, GAP, INTACT, PENDING, ProtocolError
from sealcam_py.primitives import sha256
from sealcam_py.verify import (
    Before,
    ClaimRow,
    EpochLog,
    bind,
    check_media,
    continuity,
    open_record,
    row_of_claim,
)

from .tally import Tally, Vector, unhex


def check_verify(tally: Tally, vectors: list[Vector], signed: list[Vector], keys: Vector) -> None:
    """All of verify.json, then the records of signed.json as one epoch."""
    for vector in vectors:
        tally.vector(f"verify/{vector['name']}", lambda: check_verdict(tally, vector))
    by_name = {vector["name"]: bytes.fromhex(vector["object"]) for vector in signed}
    records = [data for name, data in by_name.items() if name.startswith("record-")]
    seed = bytes.fromhex(keys["device"]["seed"])
    tally.vector("verify/epoch", lambda: check_epoch(tally, by_name["claim"], records))
    tally.vector("verify/places", lambda: check_places(tally, records, seed))
    tally.vector("verify/media", lambda: check_media_rule(tally, records[1]))


def check_verdict(tally: Tally, vector: Vector) -> None:
    """One record, its claim row, what is known before it, and the verdict."""
    record = open_signed("record", bytes.fromhex(vector["record"]))
    known = vector["before"]
    before = Before(unhex(known["predecessor"]), known["missingSigned"], known["drainedUpTo"])
    try:
        bind(record, read_row(vector["row"]))
        verdict = continuity(record, before)
    except ProtocolError as error:
        verdict = error.verdict
    tally.equal(f"verify/{vector['name']}", verdict, vector["expect"])


def read_row(row: Vector | None) -> ClaimRow | None:
    """Returns the claim row of a vector; None if it has no row."""
    if row is None:
        return None
    device, account, claim_hash = (bytes.fromhex(row[name]) for name in ("device", "account", "claimHash"))
    return ClaimRow(device, account, row["epoch"], claim_hash, row["state"], row["closedAtSeq"])


def receive_all(log: EpochLog, records: list[Signed]) -> list[str]:
    """Returns the verdicts of records that arrive in this order."""
    return [log.receive(record) for record in records]


def check_epoch(tally: Tally, claim_object: bytes, objects: list[bytes]) -> None:
    """The records of signed.json belong to its claim and are one chain, in any order of arrival."""
    claim = open_signed("claim", claim_object)
    device = claim.value["device"]
    records = [open_record(data, device) for data in objects]
    for record in records:
        bind(record, row_of_claim(claim))
    tally.refused("verify/epoch/topic", FOREIGN, lambda: open_record(objects[0], sha256(device)))
    tally.equal("verify/epoch/in order", receive_all(EpochLog(), records), [INTACT] * len(records))
    log = EpochLog()
    backwards = receive_all(log, records[::-1])
    tally.equal("verify/epoch/backwards", backwards, [PENDING] * (len(records) - 1) + [INTACT])
    at_read = [continuity(record, log.before(record)) for record in records]
    tally.equal("verify/epoch/at read", at_read, [INTACT] * len(records))


def check_places(tally: Tally, objects: list[bytes], seed: bytes) -> None:
    """Each seq has one record; losses count no matter which record of the epoch signed them."""
    records = [open_signed("record", data) for data in objects]
    log = EpochLog()
    early = receive_all(log, [records[0], records[1], records[4], records[1]])
    tally.equal("verify/places/early", early, [INTACT, INTACT, PENDING, DUPLICATE])
    altered = {**records[4].value, "claimHash": sha256(b"")}
    another = open_signed("record", sign("record", altered, seed))
    tally.equal("verify/places/equivocation", log.receive(another), EQUIVOCATION)
    # Record 8 reports that 2 and 3 are lost: everything missing before 4, but not before 8 itself.
    tally.equal("verify/places/loss", log.receive(records[8]), PENDING)
    tally.equal("verify/places/loss at read", continuity(records[4], log.before(records[4])), GAP)
    own_loss = EpochLog()
    reporting = {**records[8].value, "loss": [{"reason": "full", "seqs": [0, 7]}]}
    verdict = own_loss.receive(open_signed("record", sign("record", reporting, seed)))
    tally.equal("verify/places/loss in the record itself", verdict, GAP)


def check_media_rule(tally: Tally, data: bytes) -> None:
    """Media belong to a record by length and both hashes."""
    header, body = b"header", b"body"
    named = {**open_signed("record", data).value["media"][0], "length": len(body)}
    named |= {"bodyHash": sha256(body), "headerHash": sha256(header)}
    good = {"header": header, "body": body}
    tally.true("verify/media/good", check_media(named, good), "not of this record")
    for part in (None, {**good, "header": body}, {**good, "body": b"BODY"}):
        tally.true(f"verify/media/{part}", not check_media(named, part), "of this record")
    tally.true("verify/media/length", not check_media({**named, "length": 5}, good), "of this record")
