#!/usr/bin/python3
"""What a cloud's ingest does: from an MQTT message to bound events, in the order of docs/protocol.md §10.

    ingest_example.py TOPIC PAYLOADHEX CLAIMHEX       a message, and the claim of its camera
    ingest_example.py --messages FILE NAME [SIGNED]   NAME of messages.json and `claim` of signed.json
    ingest_example.py --demo                          a message made from the vectors

Prints {"device", "events": [{"bound", "verdict", …}]} as JSON, or {"bound": false, "verdict", "detail"} if
the whole message is refused. Exit code: 0 all records are bound, 1 some or none are, 2 usage.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

sys.dont_write_bytecode = True
from sealcam_py import cose, errors, messages, verify  # noqa: E402

VECTORS = Path(__file__).resolve().parents[2] / "vectors"
Json = dict[str, Any]


def ingest(topic: str, payload: bytes, claim: bytes) -> Json:
    """Verifies the records of one message. Here the row and the log come from the claim object; a cloud reads the
    row of the record's (device, epoch) from its database, uncached, and keeps the log there."""
    try:
        device, leaf = messages.parse_topic(topic)
        message = messages.read_message(leaf, payload)
        row = verify.row_of_claim(cose.open_signed("claim", claim))
    except errors.ProtocolError as refusal:
        return refused(refusal)
    accepted = [{"record": message["record"], "media": []}] if message["type"] == "accept" else []
    entries = message.get("records", accepted)
    log = verify.EpochLog()
    return {"device": device.hex(), "events": [judge(entry, device, row, log) for entry in entries]}


def refused(refusal: errors.ProtocolError) -> Json:
    """Returns what is printed for a refusal. A cloud also puts the bytes in quarantine."""
    return {"bound": False, "verdict": refusal.verdict, "detail": str(refusal)}


def judge(entry: Json, device: bytes, row: verify.ClaimRow, log: verify.EpochLog) -> Json:
    """Steps 2 to 6 for one `[record, media]` of a message. Returns the verdict and what a cloud would index."""
    try:
        record = verify.open_record(entry["record"], device)
        verify.bind(record, row)
        named = record.value.get("media", [])
        errors.require(len(entry["media"]) == len(named), "not as many media as the record names")
        verdict = log.receive(record)
        errors.require(verdict != errors.EQUIVOCATION, "another record with this seq", verdict)
    except errors.ProtocolError as refusal:
        return refused(refusal)
    media = [judge_media(*pair, log) for pair in zip(named, entry["media"])]
    index = {name: record.value[name] for name in ("kind", "epoch", "seq")}
    return {"bound": True, "verdict": verdict, **index, "hash": record.hash.hex(), "media": media}


def judge_media(media: Json, part: dict[str, bytes] | None, log: verify.EpochLog) -> Json:
    """Step 6 for one media object. Bytes that the record does not name are not stored."""
    absent = "lost" if media["id"] in log.lost_media else errors.MEDIA_MISSING
    state = "stored" if verify.check_media(media, part) else absent
    return {"id": media["id"].hex(), "role": media["role"], "state": state}


def read_vectors(file: Path) -> dict[str, Json]:
    """Returns the good vectors of a file, by name."""
    content = json.loads(file.read_text())
    return {vector["name"]: vector for vector in (content if type(content) is list else content["good"])}


def demo_message() -> tuple[str, bytes, bytes]:
    """Returns (topic, payload, claim object) for three records: accept, a motion whose picture was dropped, and
    its update. The update is signed again with the hashes of a seal in seal.json; those in signed.json are filler."""
    signed = read_vectors(VECTORS / "signed.json")
    seal = read_vectors(VECTORS / "seal.json")["thumbnail-two-recipients"]
    names = ("claim", "record-accept", "record-motion-start", "record-motion-update")
    claim, accept, start, update = (bytes.fromhex(signed[name]["object"]) for name in names)
    part = {name: bytes.fromhex(seal[name]) for name in ("header", "body")}
    value = cose.open_signed("record", update).value
    value["media"][0] |= {name: bytes.fromhex(seal[name]) for name in ("bodyHash", "headerHash")}
    seed = bytes.fromhex(json.loads((VECTORS / "keys.json").read_text())["device"]["seed"])
    records = [(accept, []), (start, [None]), (cose.sign("record", value, seed), [part])]
    entries = [{"record": record, "media": media} for record, media in records]
    payload = messages.write_message("up", {"type": "records", "records": entries})
    return messages.format_topic(value["device"], "up"), payload, claim


def read_arguments(arguments: list[str]) -> tuple[str, bytes, bytes]:
    """Returns (topic, payload, claim object) from the command line. Raises ValueError or KeyError otherwise."""
    match arguments:
        case ["--demo"]:
            return demo_message()
        case ["--messages", file, name, *signed] if len(signed) <= 1:
            vector = read_vectors(Path(file))[name]
            claim = read_vectors(Path(signed[0]) if signed else VECTORS / "signed.json")["claim"]
            return vector["topic"], bytes.fromhex(vector["payload"]), bytes.fromhex(claim["object"])
        case [topic, payload, claim] if not topic.startswith("-"):
            return topic, bytes.fromhex(payload), bytes.fromhex(claim)
    raise ValueError("wrong arguments")


def main() -> int:
    """Runs the command line; returns the exit code."""
    try:
        topic, payload, claim = read_arguments(sys.argv[1:])
    except (ValueError, KeyError, OSError) as error:
        print(f"{__doc__}\n{type(error).__name__}: {error}", file=sys.stderr)
        return 2
    result = ingest(topic, payload, claim)
    print(json.dumps(result, indent=1))
    events = result.get("events")
    return 0 if events and all(event["bound"] for event in events) else 1


if __name__ == "__main__":
    sys.exit(main())
