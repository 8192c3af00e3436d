"""keys.json, signed.json and bad.json: keys, ids, the claim code, and signed objects of all kinds."""

from __future__ import annotations

from nacl import bindings

from sealcam_py.claim_code import format_claim_code, parse_claim_code
from sealcam_py.cose import KINDS, claim_mac, open_signed, sign
from sealcam_py.ed25519 import public_key_of
from sealcam_py.errors import BAD_SIGNATURE, CLAIM_CODE_INVALID
from sealcam_py.primitives import account_id, device_id, sha256

from .tally import Tally, Vector, to_json, without

# Three keys of keys.json have other names than the texts from which their seeds are hashed (§14).
LABELS = {"otherDevice": "other device", "receipt": "receipt key 1", "receiptNext": "receipt key 2"}


def check_keys(tally: Tally, keys: Vector) -> None:
    """All of keys.json."""
    for name, key in without(keys, "ids").items():
        tally.vector(f"keys/{name}", lambda: check_key(tally, name, key))
    tally.vector("keys/ids", lambda: check_ids(tally, keys))


def check_key(tally: Tally, name: str, key: Vector) -> None:
    """Seeds from names, public keys from seeds."""
    label = LABELS.get(name, name)
    for field, text in (("seed", label), ("x25519Secret", f"{label} x25519")):
        derived = sha256(b"sealcam test vector: " + text.encode())
        tally.equal(f"keys/{name}/{field}", derived.hex(), key[field])
    tally.equal(f"keys/{name}/publicKey", public_key_of(bytes.fromhex(key["seed"])).hex(), key["publicKey"])
    x25519 = bindings.crypto_scalarmult_base(bytes.fromhex(key["x25519Secret"]))
    tally.equal(f"keys/{name}/x25519", x25519.hex(), key["x25519"])


def check_ids(tally: Tally, keys: Vector) -> None:
    """Device and account ids, and the claim code in both directions."""
    ids = keys["ids"]
    public = {name: bytes.fromhex(keys[name]["publicKey"]) for name in ("device", "otherDevice", "owner")}
    tally.equal("keys/deviceId", device_id(public["device"]).hex(), ids["deviceId"])
    tally.equal("keys/otherDeviceId", device_id(public["otherDevice"]).hex(), ids["otherDeviceId"])
    tally.equal("keys/accountId", account_id(public["owner"]).hex(), ids["accountId"])
    check_claim_code(tally, ids)


def check_claim_code(tally: Tally, ids: Vector) -> None:
    """Formatting, parsing as people type it, and refusal of wrong codes."""
    device, secret, code = bytes.fromhex(ids["deviceId"]), bytes.fromhex(ids["claimSecret"]), ids["claimCode"]
    tally.equal("keys/claimCode", format_claim_code(device, secret), code)
    for form in (code, code.lower(), code.replace("-", ""), code.replace("-", " "), f"\t{code}\r\n"):
        tally.equal(f"keys/claimCode {form[:9]!r}", parse_claim_code(form), (device, secret))
    wrong_character = code.replace("U", "V", 1)
    last_bits_set = code[:-1] + "B"  # the code ends in A = 00000; B = 00001 differs in an unused bit only
    for wrong in (wrong_character, last_bits_set, code[:-1], code + "A", code.replace("I", "ı"), ""):
        name = f"keys/claimCode wrong …{wrong[-9:]}"
        tally.refused(name, CLAIM_CODE_INVALID, lambda: parse_claim_code(wrong))


def kind_of(domain: str) -> str:
    """Returns the kind of signed object that a domain belongs to."""
    return next(name for name, kind in KINDS.items() if kind.domain == domain)


def check_signed(tally: Tally, vectors: list[Vector], keys: Vector) -> None:
    """All of signed.json."""
    for vector in vectors:
        tally.vector(f"signed/{vector['name']}", lambda: check_signed_vector(tally, vector, keys))


def check_signed_vector(tally: Tally, vector: Vector, keys: Vector) -> None:
    """One signed object: opened, compared field by field, signed again, and refused as every other kind."""
    name, kind, data = f"signed/{vector['name']}", kind_of(vector["domain"]), bytes.fromhex(vector["object"])
    signer = keys[vector["signer"]]
    opened = open_signed(kind, data)
    tally.equal(f"{name}/kid", opened.envelope.kid.hex(), signer["publicKey"])
    tally.equal(f"{name}/payload", opened.envelope.payload.hex(), vector["payload"])
    tally.equal(f"{name}/signature", opened.envelope.signature.hex(), vector["signature"])
    tally.equal(f"{name}/sigStructure", opened.sig_structure.hex(), vector["sigStructure"])
    tally.equal(f"{name}/hash", opened.hash.hex(), vector["hash"])
    tally.equal(f"{name}/value", to_json(opened.value), vector["value"])
    tally.equal(f"{name}/signed again", sign(kind, opened.value, bytes.fromhex(signer["seed"])), data)
    # The longest revocation and heads are over the limit of most other kinds, and size comes before the signature.
    others = {other: rules for other, rules in KINDS.items() if other != kind and len(data) <= rules.limit}
    for other in others:
        tally.refused(f"{name}/as {other}", BAD_SIGNATURE, lambda: open_signed(other, data))
    if "mac" in vector:
        secret = bytes.fromhex(keys["ids"]["claimSecret"])
        tally.equal(f"{name}/mac", claim_mac(secret, opened).hex(), vector["mac"])


def check_bad(tally: Tally, vectors: list[Vector]) -> None:
    """All of bad.json."""
    for vector in vectors:
        tally.vector(f"bad/{vector['name']}", lambda: check_bad_object(tally, vector))


def check_bad_object(tally: Tally, vector: Vector) -> None:
    """One object that must be refused, with exactly its error code."""
    data, kind = bytes.fromhex(vector["object"]), kind_of(vector["domain"])
    tally.refused(f"bad/{vector['name']}", vector["expect"], lambda: open_signed(kind, data))
