"""keys-v2.json, signed-v2.json, bad-v2.json, messages-v2.json, verify-v2.json and orders-v2.json, and the CDDL of version 2."""

from __future__ import annotations

from collections.abc import Callable

from sealcam_py.cddl_types import Document
from sealcam_py.cose import KINDS, Kind, claim_mac, open_signed, sign
from sealcam_py.errors import BAD_SIGNATURE, MALFORMED, UNSUPPORTED, ProtocolError
from sealcam_py.messages import format_topic
from sealcam_py.primitives import sha256
from sealcam_py.verify import Before, ClaimRow, bind, continuity
from sealcam_py.version2 import EITHER, KINDS_2, check_kem_keys, check_order, kinds_of, read_message, write_message

from .signed import check_key
from .tally import Tally, Vector, plant, to_json, unhex

Control = Callable[[Tally, str, Callable[[Tally], None]], None]
ORDER_PARTS = (("claim", "claim"), ("command", "order"))
LABELS = {"ownerNext": "owner browser 2"}


def kind_of(domain: str) -> str:
    """Returns the kind of signed object that a domain belongs to."""
    return next(name for name, kind in KINDS_2.items() if kind.domain == domain)


def check_keys_v2(tally: Tally, keys: Vector) -> None:
    """Keys that version 2 adds; the KEM keys are filler."""
    for name, label in LABELS.items():
        tally.vector(f"keys-v2/{name}", lambda: check_key(tally, label, keys[name]))
    for key in keys["kemKeys"]:
        tally.equal(f"keys-v2/{key['name']}/kem", sha256(bytes.fromhex(key["kemKey"])).hex(), key["kem"])


def check_signed_v2(tally: Tally, vectors: list[Vector], keys: Vector) -> None:
    """All of signed-v2.json."""
    for vector in vectors:
        tally.vector(f"signed-v2/{vector['name']}", lambda: check_signed_object(tally, vector, keys))


def check_signed_object(tally: Tally, vector: Vector, keys: Vector, kinds: dict[str, Kind] = KINDS_2) -> None:
    """One object: opened, compared, signed again; unsupported by who knows version 1 only."""
    name, kind, data = f"signed-v2/{vector['name']}", kind_of(vector["domain"]), bytes.fromhex(vector["object"])
    signer = keys[vector["signer"]]
    opened = open_signed(kind, data, kinds)
    tally.equal(f"{name}/kid", opened.envelope.kid.hex(), signer["publicKey"])
    tally.equal(f"{name}/payload", opened.envelope.payload.hex(), vector["payload"])
    tally.equal(f"{name}/sigStructure", opened.sig_structure.hex(), vector["sigStructure"])
    tally.equal(f"{name}/hash", opened.hash.hex(), vector["hash"])
    tally.equal(f"{name}/signature", opened.envelope.signature.hex(), vector["signature"])
    tally.equal(f"{name}/value", to_json(opened.value), vector["value"])
    tally.equal(f"{name}/signed again", sign(kind, opened.value, bytes.fromhex(signer["seed"]), kinds), data)
    for other, rules in kinds.items():
        if other != kind and len(data) <= rules.limit:
            tally.refused(f"{name}/as {other}", BAD_SIGNATURE, lambda: open_signed(other, data, kinds))
    if kind in KINDS:
        tally.refused(f"{name}/as version 1", UNSUPPORTED, lambda: open_signed(kind, data))
        tally.equal(f"{name}/as either", open_signed(kind, data, EITHER).value, opened.value)
    if "mac" in vector:
        secret = bytes.fromhex(keys["ids"]["claimSecret"])
        tally.equal(f"{name}/mac", claim_mac(secret, opened).hex(), vector["mac"])
    if "kemKeys" in vector:
        kem_keys = [bytes.fromhex(key) for key in vector["kemKeys"]]
        check_kem_keys(opened.value, kem_keys)
        tally.refused(f"{name}/kemKeys in another order", MALFORMED, lambda: check_kem_keys(opened.value, kem_keys[::-1]))


def check_bad_v2(tally: Tally, vectors: list[Vector]) -> None:
    """All of bad-v2.json: refused with exactly their code, also where both versions are known."""
    for vector in vectors:
        tally.vector(f"bad-v2/{vector['name']}", lambda: check_bad_object(tally, vector))


def check_bad_object(tally: Tally, vector: Vector) -> None:
    """One object that must be refused."""
    data, kind = bytes.fromhex(vector["object"]), kind_of(vector["domain"])
    tally.refused(f"bad-v2/{vector['name']}", vector["expect"], lambda: open_signed(kind, data, KINDS_2))


def check_messages_v2(tally: Tally, vectors: Vector, keys: Vector) -> None:
    """All of messages-v2.json."""
    for vector in vectors["good"]:
        tally.vector(f"messages-v2/{vector['name']}", lambda: check_message(tally, vector, keys))
    for vector in vectors["bad"]:
        tally.vector(f"messages-v2/{vector['name']}", lambda: check_bad_message(tally, vector))


def check_message(tally: Tally, vector: Vector, keys: Vector) -> None:
    """One message: its topic, its value, and its bytes encoded again."""
    name = f"messages-v2/{vector['name']}"
    leaf = vector["topic"].rpartition("/")[2]
    message = read_message(leaf, bytes.fromhex(vector["payload"]))
    shown = {key: value for key, value in message.items() if key != "type" or leaf != "live"}
    tally.equal(f"{name}/topic", format_topic(bytes.fromhex(keys["ids"]["deviceId"]), leaf), vector["topic"])
    tally.equal(f"{name}/message", to_json(shown), vector["message"])
    tally.equal(f"{name}/payload again", write_message(leaf, message).hex(), vector["payload"])


def check_bad_message(tally: Tally, vector: Vector) -> None:
    """One payload that must be refused, with exactly its error code."""
    payload = bytes.fromhex(vector["payload"])
    name = f"messages-v2/{vector['name']}"
    tally.refused(name, vector["expect"], lambda: read_message(vector["leaf"], payload))


def check_verify_v2(tally: Tally, vectors: list[Vector]) -> None:
    """All of verify-v2.json."""
    for vector in vectors:
        tally.vector(f"verify-v2/{vector['name']}", lambda: check_verdict(tally, vector))


def check_verdict(tally: Tally, vector: Vector) -> None:
    """One record, its claim row with the version of the epoch, what is known before it, and the verdict."""
    record = open_signed("record", bytes.fromhex(vector["record"]), EITHER)
    known, row = vector["before"], vector["row"]
    before = Before(unhex(known["predecessor"]), known["missingSigned"], known["drainedUpTo"])
    try:
        bind(record, None if row is None else read_row(row))
        verdict = continuity(record, before)
    except ProtocolError as error:
        verdict = error.verdict
    tally.equal(f"verify-v2/{vector['name']}", verdict, vector["expect"])


def read_row(row: Vector) -> ClaimRow:
    """Returns the claim row of a vector."""
    device, account, claim_hash = (bytes.fromhex(row[name]) for name in ("device", "account", "claimHash"))
    version = row.get("version", 1)
    return ClaimRow(device, account, row["epoch"], claim_hash, row["state"], row["closedAtSeq"], version)


def check_orders_v2(tally: Tally, vectors: list[Vector]) -> None:
    """All of orders-v2.json."""
    for vector in vectors:
        tally.vector(f"orders-v2/{vector['name']}", lambda: check_order_vector(tally, vector))


def check_order_vector(tally: Tally, vector: Vector) -> None:
    """One order under one claim: accepted, or refused with exactly its error code."""
    claim, order = (open_signed(kind, bytes.fromhex(vector[name]), EITHER) for kind, name in ORDER_PARTS)
    try:
        check_order(order, claim)
        code = "accepted"
    except ProtocolError as error:
        code = error.code
    tally.equal(f"orders-v2/{vector['name']}", code, vector["expect"])


def check_cddl_v2(tally: Tally, document: str) -> None:
    """Every rule of the document is understood, whole."""
    parsed = Document(document)
    code = {"signed-object", "protected-header", "payload"}
    for name in parsed.rules.keys() - code:
        numbered = name.endswith("-message") or name == "evidence-item"
        tally.vector(f"cddl-v2/{name}", lambda: parsed.choices(name) if numbered else parsed.field(name))
        tally.true(f"cddl-v2/{name}", True, "")


def control_version2(tally: Tally, files: Vector, keys: Vector, document: str, control: Control) -> None:
    """Planted faults, each of which must be noticed."""
    for vector in files["signed-v2.json"]:
        for field in ("object", "hash", "payload", "signature", "sigStructure"):
            wrong = plant(vector, field)
            control(tally, f"{vector['name']} v2 {field}", lambda inner: check_signed_object(inner, wrong, keys))
    clip = next(vector for vector in files["signed-v2.json"] if vector["name"] == "record-clip-start")
    for before, after in (("clip: 9", "film: 9"), ("0..1023", "1..1023"), ("sync: bool", "sync: uint53")):
        kinds = kinds_of(Document(document.replace(before, after)))
        control(tally, f"cddl-v2 {after}", lambda inner: check_signed_object(inner, clip, keys, kinds))
    good = {**files["signed-v2.json"][2], "expect": MALFORMED}
    control(tally, "a good object of version 2 as a bad one", lambda inner: check_bad_object(inner, good))
    for vector in files["messages-v2.json"]["good"]:
        wrong = plant(vector, "payload")
        control(tally, f"{vector['name']} payload", lambda inner: check_message(inner, wrong, keys))
    for vector in files["verify-v2.json"]:
        wrong = {**vector, "expect": f"not {vector['expect']}"}
        control(tally, f"{vector['name']} v2 verdict", lambda inner: check_verdict(inner, wrong))
    for vector in files["orders-v2.json"]:
        wrong = {**vector, "expect": f"not {vector['expect']}"}
        control(tally, f"{vector['name']} may give", lambda inner: check_order_vector(inner, wrong))
