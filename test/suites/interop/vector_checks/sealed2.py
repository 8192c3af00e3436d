"""seal2.json and evidence.json: periods, objects of suite 2, and evidence files."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from unittest import mock

from sealcam_py import evidence as evidence_file
from sealcam_py import seal2
from sealcam_py.cose import open_signed
from sealcam_py.errors import SEAL_REFUSED, ProtocolError
from sealcam_py.evidence import Evidence, read_items, verify_evidence, verify_file
from sealcam_py.primitives import sha256
from sealcam_py.seal2 import Period, Place
from sealcam_py.version2 import EITHER
from sealcam_py.xwing import XWingKeys

from .tally import Tally, Vector, plant, unhex

Control = Callable[[Tally, str, Callable[[Tally], None]], None]


class Keys:
    """The X-Wing keys of seal2.json, each made once: making one takes a while."""

    def __init__(self, kem: Vector) -> None:
        self.kem = kem
        self.made: dict[str, XWingKeys] = {}

    def of(self, name: str) -> XWingKeys:
        if name not in self.made:
            self.made[name] = XWingKeys(bytes.fromhex(self.kem[name]["seed"]))
        return self.made[name]


def place_of(context: Vector) -> Place:
    """Returns the context of a vector."""
    owner = [bytes.fromhex(context[name]) for name in ("device", "account")]
    rest = [unhex(context.get(name)) or b"" for name in ("eventId", "mediaId")]
    return Place(*owner, context["epoch"], bytes.fromhex(context["claimHash"]), *rest, context.get("role", ""))


def check_seal2(tally: Tally, vectors: Vector) -> None:
    """All of seal2.json."""
    keys = Keys(vectors["kem"])
    periods = {vector["name"]: vector for vector in vectors["periods"]}
    objects = {vector["name"]: vector for vector in vectors["objects"]}
    for name, key in vectors["kem"].items():
        tally.equal(f"seal2/{name}/publicKey", keys.of(name).public.hex(), key["publicKey"])
    for vector in vectors["periods"]:
        tally.vector(f"seal2/{vector['name']}", lambda: check_period(tally, vector, keys))
    for vector in vectors["badPeriods"]:
        good = periods[vector["of"]]
        tally.vector(f"seal2/bad period {vector['name']}", lambda: check_bad_period(tally, vector, good, keys))
    for vector in vectors["objects"]:
        tally.vector(f"seal2/{vector['name']}", lambda: check_object(tally, vector, period_of(periods, vector)))
    for vector in vectors["badObjects"]:
        good = objects[vector["of"]]
        period = period_of(periods, good)
        tally.vector(f"seal2/bad {vector['name']}", lambda: check_bad_object(tally, vector, good, period))


def period_of(periods: Vector, vector: Vector) -> Period:
    """Returns the period of an object, with its K."""
    period = periods[vector["period"]]
    return Period(bytes.fromhex(period["context"]["periodId"]), bytes.fromhex(period["key"]))


def check_period(tally: Tally, vector: Vector, keys: Keys) -> None:
    """One key record: opened by each recipient, its chain, and its body made again from its randomness."""
    name, place = f"seal2/{vector['name']}", place_of(vector["context"])
    period_id, body, key = (
        bytes.fromhex(text) for text in (vector["context"]["periodId"], vector["body"], vector["key"])
    )
    info, recipients = place.period_hash(period_id), vector["recipients"]
    tally.equal(f"{name}/contextHash", info.hex(), vector["contextHash"])
    tally.equal(f"{name}/bodyHash", sha256(body).hex(), vector["bodyHash"])
    tally.equal(f"{name}/commit", seal2.period_commit(key, info).hex(), vector["commit"])
    commit = bytes.fromhex(vector["commit"])
    for own, recipient in enumerate(recipients):
        opened = seal2.open_period(place, period_id, commit, body, len(recipients), own, keys.of(recipient))
        tally.equal(f"{name}/{recipient}", opened.key, key)
    for link in vector["chain"]:
        period = Period(period_id, key)
        tally.equal(f"{name}/CK_{link['index']}", period.chain(link["index"]).hex(), link["chain"])
        tally.equal(f"{name}/OK_{link['index']}", period.link(link["index"]).hex(), link["link"])
    publics = [keys.of(recipient).public for recipient in recipients]
    randomness = [bytes.fromhex(random) for random in vector["randomness"]]
    tally.equal(f"{name}/body again", seal2.make_key_body(publics, randomness, info, key), body)


def check_bad_period(tally: Tally, vector: Vector, good: Vector, keys: Keys) -> None:
    """One key record that a recipient must refuse."""
    altered = {**good, **vector}
    period_id, commit, body = (
        bytes.fromhex(text) for text in (altered["context"]["periodId"], altered["commit"], altered["body"])
    )
    place, own, recipients = place_of(altered["context"]), vector["own"], vector["recipients"]
    recipient = keys.of(vector["recipient"])
    tally.refused(
        f"seal2/bad period {vector['name']}",
        vector["expect"],
        lambda: seal2.open_period(place, period_id, commit, body, recipients, own, recipient),
    )


def check_object(tally: Tally, vector: Vector, period: Period) -> None:
    """One object of seal2.json."""
    name = f"seal2/{vector['name']}"
    content = check_sealed(tally, name, vector, period)
    if vector["context"]["role"] != "segment":
        tally.true(f"{name}/detail", "detail" in seal2.parse_content(content), "no detail")


def check_sealed(tally: Tally, name: str, vector: Vector, period: Period) -> bytes:
    """One object: its key from the period, opened with E, and sealed again. Returns its content."""
    place = place_of(vector["context"])
    header, body, key = (bytes.fromhex(vector[field]) for field in ("header", "body", "key"))
    tally.equal(f"{name}/contextHash", place.object_hash(period.period_id, vector["index"]).hex(), vector["contextHash"])
    tally.equal(f"{name}/headerHash", sha256(header).hex(), vector["headerHash"])
    tally.equal(f"{name}/bodyHash", sha256(body).hex(), vector["bodyHash"])
    tally.equal(f"{name}/E", period.key_of(place, header), key)
    content = seal2.open_object(key, place, header, body)
    tally.equal(f"{name}/content", content.hex(), vector["content"])
    tally.equal(f"{name}/header again", seal2.make_header(key, place, period.period_id, vector["index"]), header)
    tally.equal(f"{name}/body again", seal2.seal_body(key, content, place.role), body)
    return content


def check_bad_object(tally: Tally, vector: Vector, good: Vector, period: Period) -> None:
    """One object that must be refused: with the E that is given, or by the period of the good one."""
    altered = {**good, **vector}
    header, body = bytes.fromhex(altered["header"]), bytes.fromhex(altered["body"])
    if "bodySlices" in vector:
        body = b"".join(body[start:end] for start, end in vector["bodySlices"])
    place = place_of(altered["context"])

    def open_it() -> bytes:
        key = bytes.fromhex(vector["key"]) if "key" in vector else period.key_of(place, header)
        return seal2.open_object(key, place, header, body)

    tally.refused(f"seal2/bad {vector['name']}", vector["expect"], open_it)


def check_evidence(tally: Tally, vectors: Vector) -> None:
    """All of evidence.json."""
    files = {vector["name"]: bytes.fromhex(vector["file"]) for vector in vectors["good"]}
    for vector in vectors["good"]:
        tally.vector(f"evidence/{vector['name']}", lambda: check_good_file(tally, vector))
    for vector in vectors["bad"]:
        tally.vector(f"evidence/{vector['name']}", lambda: check_bad_file(tally, vector, files[vector["of"]]))
    for vector in vectors["spans"]:
        tally.vector(f"evidence/{vector['name']}", lambda: check_span(tally, vector))
    for vector in vectors["badSpans"]:
        name, data = f"evidence/{vector['name']}", bytes.fromhex(vector["file"])
        tally.vector(name, lambda: tally.refused(name, vector["expect"], lambda: verify_file(data)))


def check_span(tally: Tally, vector: Vector) -> None:
    """A span: what becomes of each of its events."""
    events = verify_file(bytes.fromhex(vector["file"]))
    codes = [event.code if isinstance(event, ProtocolError) else "good" for event in events]
    tally.equal(f"evidence/{vector['name']}", codes, vector["events"])


def check_good_file(tally: Tally, vector: Vector) -> None:
    """One file and all that it holds."""
    name, evidence = f"evidence/{vector['name']}", verify_evidence(bytes.fromhex(vector["file"]))
    tally.equal(f"{name}/summary", summary(evidence), {field: vector[field] for field in summary(evidence)})


def summary(evidence: Evidence) -> Vector:
    """Returns what the vectors say of a file."""
    return {
        "event": evidence.event_id.hex(),
        "claim": evidence.claim.hash.hex(),
        "records": [record.hash.hex() for record in evidence.records],
        "after": None if evidence.after is None else evidence.after.hash.hex(),
        "pictures": [
            {"seq": seq, "role": role, "jpeg": None if content["jpeg"] is None else content["jpeg"].hex()}
            for seq, role, content in evidence.pictures
        ],
        "clipParts": [
            {"clip": clip, "index": index, "hash": sha256(part).hex()} for clip, index, part in evidence.clip_parts
        ],
        "absent": evidence.absent,
        "receipts": evidence.receipts,
        "mediaReceipts": evidence.media_receipts,
    }


def check_bad_file(tally: Tally, vector: Vector, good: bytes) -> None:
    """One file that must be refused; the bytes [from, to) of the good one are replaced."""
    start, end, replacement = vector["edit"]
    altered = good[:start] + bytes.fromhex(replacement) + good[end:]
    tally.refused(f"evidence/{vector['name']}", vector["expect"], lambda: verify_evidence(altered))


def control_sealed2(tally: Tally, seals: Vector, evidence: Vector, control: Control) -> None:
    """Planted faults, each of which must be noticed, and each bit of an evidence file changed."""
    periods = {vector["name"]: vector for vector in seals["periods"]}
    keys = Keys(seals["kem"])
    two = seals["periods"][0]
    for field in ("key", "commit", "body", "contextHash", "bodyHash"):
        wrong = plant(two, field)
        control(tally, f"{two['name']} {field}", lambda inner: check_period(inner, wrong, keys))
    for vector in seals["objects"]:
        period = period_of(periods, vector)
        for field in ("key", "header", "body", "content", "contextHash"):
            if vector[field] == "":
                continue
            wrong = plant(vector, field)
            control(tally, f"seal2 {vector['name']} {field}", lambda inner: check_object(inner, wrong, period))
    unaltered = {"name": "unaltered", "expect": SEAL_REFUSED}
    first = seals["objects"][0]
    control(
        tally,
        "a good object of suite 2 as a bad one",
        lambda inner: check_bad_object(inner, unaltered, first, period_of(periods, first)),
    )
    check_every_bit(tally, next(vector for vector in evidence["good"] if vector["name"] == "single"))


def check_every_bit(tally: Tally, vector: Vector) -> None:
    """Changes each bit of an evidence file: all are refused, with a reason. Its shape alone would take most of them."""
    file = bytes.fromhex(vector["file"])
    # What a change does not touch is opened once.
    remembered = lru_cache(maxsize=64)(lambda kind, data: open_signed(kind, data, EITHER))
    unexplained, misshapen = [], []
    with mock.patch.object(evidence_file, "open_signed", lambda kind, data, _: remembered(kind, data)):
        for bit in range(8 * len(file)):
            altered = bytearray(file)
            altered[bit // 8] ^= 1 << bit % 8
            if refusal(verify_evidence, bytes(altered)) in (None, ""):
                unexplained.append(bit)
            if bit % 8 == 0 and refusal(read_items, bytes(altered)) is not None:
                misshapen.append(bit)
        tally.true("control/an evidence file", refusal(verify_evidence, file) is None, "the good file is refused")
    tally.equal("control/every bit of an evidence file", unexplained, [])
    tally.true("control/the shape of an evidence file", len(misshapen) < len(file) / 10, f"{len(misshapen)} change its shape")


def refusal(action: Callable[[bytes], object], file: bytes) -> str | None:
    """Returns why a file is refused, None where it is not. It must not crash either."""
    try:
        action(file)
    except ProtocolError as error:
        return str(error)
    return None
