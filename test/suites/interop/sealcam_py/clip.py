"""Clips (§19): from the signed records of an epoch and the bodies that they name to a video file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from . import film, seal2
from .cose import Signed, open_signed
from .errors import EQUIVOCATION, MEDIA_MISSING, PENDING, SEAL_REFUSED, ProtocolError, require
from .primitives import sha256
from .verify import EpochLog, bind, continuity, row_of_claim
from .version2 import EITHER
from .xwing import XWingKeys

HERE = "here"
# Returns the sealed body with a hash, or None where it is not at hand. What it returns is checked.
BodyOf = Callable[[bytes], "bytes | None"]


@dataclass
class OpenedClip:
    """What was found of each segment: `here`, the code of its refusal, or None where no record names it."""

    found: list[str | None]
    parts: dict[int, bytes]
    syncs: set[int]
    ended: bool

    def plays(self) -> list[int]:
        """Indexes of what may be played."""
        played: list[int] = []
        for index in range(len(self.found)) if 0 in self.parts else ():
            if index in self.parts and (index in self.syncs or index - 1 in played):
                played.append(index)
        return played

    def file(self) -> bytes:
        """The video file: what is here from segment 0 on up to the first hole."""
        indexes = range(len(self.found))
        end = next((index for index in indexes if index not in self.parts), len(self.found))
        return b"".join(self.parts[index] for index in range(end))


class Epoch:
    """The records of one epoch of version 2, as one recipient of its claim reads them."""

    def __init__(self, claim: bytes) -> None:
        self.claim = open_signed("claim", claim, EITHER)
        self.log = EpochLog()
        self.records: dict[int, Signed] = {}
        self.key_records: dict[bytes, Signed] = {}
        self.periods: dict[bytes, seal2.Period] = {}

    def add(self, data: bytes) -> Signed:
        """Takes a signed record of the epoch, in any order; the records before and behind it have to agree."""
        record = open_signed("record", data, EITHER)
        bind(record, row_of_claim(self.claim))
        seq = record.value["seq"]
        require(self.log.receive(record) != EQUIVOCATION, "another record at its place", EQUIVOCATION)
        self.records[seq] = record
        following = self.records.get(seq + 1)
        if following is not None:
            verdict = continuity(following, self.log.before(following))
            require(verdict != EQUIVOCATION, "another record before", EQUIVOCATION)
        if "key" in record.value:
            first = self.key_records.setdefault(record.value["key"]["periodId"], record)
            require(first.hash == record.hash, "another key record of its period", EQUIVOCATION)
        return record

    def open_periods(self, keys: XWingKeys, body_of: BodyOf) -> None:
        """Opens the periods whose key record is here with its body."""
        claim = self.claim.value
        kems = [recipient["kem"] for recipient in claim["recipients"]]
        require(sha256(keys.public) in kems, "not a recipient of the claim", SEAL_REFUSED)
        place = seal2.Place(claim["device"], claim["account"], claim["epoch"], self.claim.hash)
        for period_id, record in self.key_records.items():
            (media,) = record.value["media"]
            body = body_of(media["bodyHash"])
            if body is None or sha256(body) != media["bodyHash"]:
                continue
            commit, own = record.value["key"]["commit"], kems.index(sha256(keys.public))
            self.periods[period_id] = seal2.open_period(place, period_id, commit, body, len(kems), own, keys)

    def clips(self) -> dict[tuple[bytes, int], list[dict[str, Any]]]:
        """The records of each clip in the order of seq, by the id of the event and the clip's number."""
        clips: dict[tuple[bytes, int], list[dict[str, Any]]] = {}
        for seq in sorted(self.records):
            value = self.records[seq].value
            if "clip" in value:
                clips.setdefault((value["clip"]["eventId"], value["clip"]["number"]), []).append(value)
        return clips

    def open_clip(self, event_id: bytes, number: int, body_of: BodyOf) -> OpenedClip:
        """Opens every segment of a clip."""
        records = self.clips()[event_id, number]
        entries: dict[int, list[Any]] = {}
        for record in records:
            for entry in record["clip"]["segments"]:
                entries.setdefault(entry[0], entry)
        ended = any(record["clip"]["phase"] == "end" for record in records)
        count = max(entries, default=-1) + 1
        opened = OpenedClip([None] * count, {}, {index for index, entry in entries.items() if entry[5]}, ended)
        for index, entry in entries.items():
            try:
                opened.parts[index] = self.open_segment(event_id, entry, body_of)
                opened.found[index] = HERE
            except ProtocolError as error:
                opened.found[index] = error.code
        return opened

    def open_segment(self, event_id: bytes, entry: list[Any], body_of: BodyOf) -> bytes:
        """Opens one segment: the body is the one that the record names, sealed for this place, and of the right form."""
        index, media_id, length, body_hash, header, _, _ = entry
        body = body_of(body_hash)
        named = body is not None and len(body) == length and sha256(body) == body_hash
        require(named, "not the body that the record names", MEDIA_MISSING)
        period = self.periods.get(seal2.parse_header(header)["period"])
        if period is None:
            raise ProtocolError(PENDING, "the key record has not come")
        claim = self.claim.value
        owner = (claim["device"], claim["account"], claim["epoch"], self.claim.hash)
        place = seal2.Place(*owner, event_id, media_id, "segment")
        content = seal2.open_object(period.key_of(place, header), place, header, body)
        if index == 0:
            film.read_start(content)
        else:
            film.read_fragment(content)
        return content
