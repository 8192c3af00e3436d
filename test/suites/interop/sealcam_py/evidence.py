"""Evidence files (§18): one event of one camera, or a span of events, checked by itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from . import seal, seal2
from .cbor import MAX_SEALED, decode_cbor, decode_sequence
from .cose import Signed, open_signed
from .errors import FOREIGN, SEAL_REFUSED, UNSUPPORTED, ProtocolError, require
from .primitives import sha256
from .verify import bind, check_media, row_of_claim
from .version2 import DOCUMENT, EITHER

NAME = "sealcam/evidence"
VERSION = 1
SPAN_VERSION = 2
MAX_BYTES = 64 * 1024 * 1024
MAX_SPAN_BYTES = 256 * 1024 * 1024
MAX_SPAN_EVENTS = 256
MAX_ITEMS = 128 * 1024
MAX_DEPTH = 4
MAX_RECORDS = 4_096
MAX_SEGMENTS = 1_024
MAX_RECEIPTS = 1_024
ITEM = DOCUMENT.choices("evidence-item")
# The order in which the items stand; a segment belongs to the record before it.
ORDER = ("origin", "record", "segment", "after", "receipt", "media-receipt")


@dataclass
class Evidence:
    """What a file holds, all of it verified. `pictures` are (seq, role, content), `clip_parts` (clip, index, bytes)."""

    claim: Signed
    event_id: bytes
    records: list[Signed]
    after: Signed | None
    pictures: list[tuple[int, str, dict[str, Any]]] = field(default_factory=list)
    clip_parts: list[tuple[int, int, bytes]] = field(default_factory=list)
    absent: int = 0
    receipts: int = 0
    media_receipts: int = 0


def read_items(data: bytes) -> list[dict[str, Any]]:
    """Returns the items after the head, each of a kind that belongs where it stands."""
    head, *items = decode_sequence(data, MAX_BYTES, MAX_ITEMS, MAX_DEPTH)
    require(type(head) is list and len(head) > 0 and head[0] == NAME, "not an evidence file")
    require(len(head) > 1 and type(head[1]) is int, "no version")
    require(head[1] == VERSION, f"version {head[1]}", UNSUPPORTED)
    require(len(head) == 3 and type(head[2]) is int and head[2] == len(items), "another number of items")
    known = {number for number, _, _ in ITEM.variants}
    for item in items:
        require(type(item) is list and len(item) > 0 and type(item[0]) is int and item[0] in known, "not an item")
    parts = [ITEM.read(item) for item in items]
    check_order([part["type"] for part in parts])
    return parts


def check_order(kinds: list[str]) -> None:
    """One origin, then records with their segments, at most one record after them, then receipts."""
    require(kinds[:1] == ["origin"] and kinds.count("origin") == 1, "a claim comes first")
    require(kinds.count("after") <= 1, "two records after the last one")
    require(kinds.count("record") <= MAX_RECORDS and kinds.count("segment") <= MAX_SEGMENTS, "too many")
    require(kinds.count("receipt") + kinds.count("media-receipt") <= MAX_RECEIPTS, "too many receipts")
    # Records and their segments are one group.
    places = [ORDER.index("record" if kind == "segment" else kind) for kind in kinds]
    require(places == sorted(places), "an item out of its place")
    require(kinds[1:2] != ["segment"], "a segment without its record")


def event_of(record: dict[str, Any]) -> bytes | None:
    """Returns the id of the event that a record tells of."""
    if "event" in record:
        return record["event"]["id"]
    return record["clip"]["eventId"] if "clip" in record else None


def verify_evidence(data: bytes) -> Evidence:
    """Verifies a file, or refuses it whole."""
    parts = read_items(data)
    claim = open_signed("claim", parts[0]["claim"], EITHER)
    accept = open_record(claim, parts[0]["accept"])
    require(accept.value["kind"] == "accept", "no accept")
    records = [open_record(claim, part["record"]) for part in parts if part["type"] == "record"]
    afters = [open_record(claim, part["record"]) for part in parts if part["type"] == "after"]
    require(len(records) > 0, "no records")
    event_id = event_of(records[0].value)
    require(event_id is not None and event_of(records[-1].value) == event_id, "records of another event at the ends")
    require(all(event_of(after.value) != event_id for after in afters), "the event goes on")
    chain = ([accept] if records[0].value["seq"] == 1 else []) + records + afters
    for before, record in zip(chain, chain[1:]):
        require(record.value["seq"] == before.value["seq"] + 1, "a hole")
        require(record.value["prev"] == before.hash, "another record before")
    evidence = Evidence(claim, event_id, records, afters[0] if afters else None)
    open_parts(evidence, [part for part in parts if part["type"] in ("record", "segment")])
    check_receipts(evidence, parts)
    return evidence


def open_record(claim: Signed, data: bytes) -> Signed:
    """Opens a record of the claim's epoch."""
    record = open_signed("record", data, EITHER)
    bind(record, row_of_claim(claim))
    return record


def open_parts(evidence: Evidence, parts: list[dict[str, Any]]) -> None:
    """Opens the objects and segments of the records, in their order."""
    at, last_place = -1, -1
    for part in parts:
        if part["type"] == "record":
            at, last_place = at + 1, -1
            open_objects(evidence, evidence.records[at].value, part["objects"])
        else:
            require(part["place"] > last_place, "segments out of their order")
            last_place = part["place"]
            open_segment(evidence, evidence.records[at].value, part)


def place_of(record: dict[str, Any], event_id: bytes, media_id: bytes, role: str) -> seal2.Place:
    """Returns what an object was sealed for, as its record says."""
    owner = (record["device"], record["account"], record["epoch"], record["claimHash"])
    return seal2.Place(*owner, event_id, media_id, role)


def open_objects(evidence: Evidence, record: dict[str, Any], objects: list[dict[str, bytes] | None]) -> None:
    """Opens what a record's media name; objects of other events are not in a file."""
    media = record.get("media", [])
    require(len(objects) == len(media), "another number of objects")
    is_own = event_of(record) == evidence.event_id
    if is_own:
        evidence.absent += sum(part is None for part in objects) + len(record.get("clip", {}).get("segments", []))
    for named, part in zip(media, objects):
        if part is None:
            continue
        require(is_own, "an object of another event")
        require(check_media(named, part), "not the object of the record")
        place = place_of(record, evidence.event_id, named["id"], named["role"])
        content = open_picture(record.get("version", 1), part, place)
        evidence.pictures.append((record["seq"], named["role"], content))


def open_picture(version: int, part: dict[str, bytes], place: seal2.Place) -> dict[str, Any]:
    """Opens a picture or detail with E, or in suite 1 with K, to which the MAC commits."""
    require(place.role in ("thumbnail", "detail", "mini"), "a role that is not a picture's")
    if version == 2:
        return seal2.parse_content(seal2.open_object(part["key"], place, part["header"], part["body"]))
    require(len(part["header"]) + len(part["body"]) <= MAX_SEALED, "too long")
    header = decode_cbor(part["header"], MAX_SEALED)
    require(type(header) is not list or header[:1] != [seal2.SUITE], "suite 2 in a version-1 epoch")
    wraps, mac = seal.parse_header(part["header"])
    require(seal.header_mac(part["key"], wraps) == mac, "another K", SEAL_REFUSED)
    return seal.parse_plaintext(seal.open_body(part["body"], part["key"]))


def open_segment(evidence: Evidence, record: dict[str, Any], part: dict[str, Any]) -> None:
    """Opens a segment of a clip; its header stands in the record."""
    require("clip" in record and event_of(record) == evidence.event_id, "a segment of no clip")
    clip = record["clip"]
    require(part["place"] < len(clip["segments"]), "no such segment")
    index, media_id, length, body_hash, header, _, _ = clip["segments"][part["place"]]
    require(len(part["body"]) == length and sha256(part["body"]) == body_hash, "not the segment of the record")
    place = place_of(record, clip["eventId"], media_id, "segment")
    content = seal2.open_object(part["key"], place, header, part["body"])
    evidence.clip_parts.append((clip["number"], index, content))
    evidence.absent -= 1


def check_receipts(evidence: Evidence, parts: list[dict[str, Any]]) -> None:
    """The cloud's receipts: of this claim, by one of its receipt keys, for something in this file."""
    hashes = {record.value["seq"]: record.hash for record in evidence.records}
    first, last = min(hashes), max(hashes)
    if evidence.after is not None:
        hashes[evidence.after.value["seq"]] = evidence.after.hash
    segments = {
        segment[3] for record in evidence.records for segment in record.value.get("clip", {}).get("segments", [])
    }
    for part in parts:
        if part["type"] == "receipt":
            receipt = open_receipt(evidence.claim, "receipt", part["receipt"])
            ranges = [r for r in receipt["ranges"] if r[0] <= last and r[1] >= first]
            require(len(ranges) > 0, "a receipt for other records")
            require(all(hashes.get(to, known) == known for _, to, known in ranges), "a receipt for another record")
            evidence.receipts += 1
        elif part["type"] == "media-receipt":
            receipt = open_receipt(evidence.claim, "media-receipt", part["receipt"])
            require(any(entry[0] in segments for entry in receipt["entries"]), "a receipt for other segments")
            evidence.media_receipts += 1


def open_receipt(claim: Signed, kind: str, data: bytes) -> dict[str, Any]:
    """Opens a receipt that a receipt key of the claim signed for its epoch."""
    receipt = open_signed(kind, data, EITHER)
    value = receipt.value
    require(receipt.envelope.kid in claim.value["receiptKeys"], "not a receipt key of the claim", FOREIGN)
    ours = (value["device"], value["epoch"], value["claimHash"])
    require(ours == (claim.value["device"], claim.value["epoch"], claim.hash), "of another claim", FOREIGN)
    require(value.get("version", 1) == claim.value.get("version", 1), "not the version of the epoch")
    return value


def is_span(data: bytes) -> bool:
    """Returns whether a file begins as a span does."""
    return data.startswith(bytes([0x83, 0x60 + len(NAME)]) + NAME.encode() + bytes([SPAN_VERSION]))


def split_span(data: bytes) -> list[bytes]:
    """Returns the files in a span, none of them looked at."""
    head, *files = decode_sequence(data, MAX_SPAN_BYTES, MAX_SPAN_EVENTS + 4, 1)
    require(type(head) is list and head[:1] == [NAME], "not an evidence file")
    require(len(head) == 3 and type(head[2]) is int and head[2] == len(files), "another number of events")
    require(len(files) > 0 and all(type(file) is bytes for file in files), "an event that is not bytes")
    return files


def verify_file(data: bytes) -> list[Evidence | ProtocolError]:
    """Verifies a file of either form: of a span each event is good or refused by itself, its frame with the whole."""
    if not is_span(data):
        return [verify_evidence(data)]
    events: list[Evidence | ProtocolError] = []
    before: Evidence | None = None
    for file in split_span(data):
        try:
            evidence = verify_evidence(file)
        except ProtocolError as error:
            events.append(error)
            continue
        if before is not None:
            check_next(before, evidence)
        before = evidence
        events.append(evidence)
    return events


def check_next(before: Evidence, evidence: Evidence) -> None:
    """One camera, one account, in the order of the history."""
    last, own = before.claim.value, evidence.claim.value
    require(own["device"] == last["device"], "events of two cameras", FOREIGN)
    require(own["account"] == last["account"], "events of two accounts", FOREIGN)
    places = [(one.claim.value["epoch"], one.records[0].value["seq"]) for one in (before, evidence)]
    require(places[0] < places[1], "events out of their order")
    require(own["epoch"] != last["epoch"] or evidence.claim.hash == before.claim.hash, "two claims of one epoch")
