#!/usr/bin/python3
"""Runs the Python implementation of the protocol over the golden vectors in test/vectors/.

    verify_vectors.py            one line per vector file, then `N passed, N failed`; exit 1 on any failure
    verify_vectors.py --json     one JSON object {"passed": …, "failed": …, "failures": […]}
    verify_vectors.py --verify-record RECORDHEX --claim CLAIMHEX
                                 verifies one record against its claim and prints its value as JSON

Every comparison and every expected refusal counts as one test.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any, Callable

from nacl import bindings

# A test leaves nothing behind in the tree, so Python must not write __pycache__ for the next import.
sys.dont_write_bytecode = True
import sealcam_protocol as protocol  # noqa: E402

VECTORS = Path(__file__).resolve().parent.parent / "vectors"
Vector = dict[str, Any]

# keys.json names three keys otherwise than the text that their seeds are hashed from.
SEED_NAMES = {"otherDevice": "other device", "receipt": "receipt key 1", "receiptNext": "receipt key 2"}


class Tally:
    """Counts tests and keeps the failures as readable lines."""

    def __init__(self) -> None:
        self.passed = 0
        self.failures: list[str] = []

    def true(self, name: str, condition: bool, detail: str = "does not hold") -> None:
        """One test: the condition holds."""
        if condition:
            self.passed += 1
        else:
            self.failures.append(f"{name}: {detail}")

    def equal(self, name: str, actual: Any, expected: Any) -> None:
        """One test: both are equal."""
        self.true(name, actual == expected, f"{shorten(actual)} instead of {shorten(expected)}")

    def refused(self, name: str, code: str, action: Callable[[], Any]) -> None:
        """One test: the action is refused with exactly this error code."""
        try:
            action()
        except protocol.ProtocolError as error:
            self.equal(name, error.code, code)
        else:
            self.true(name, False, f"accepted instead of {code}")

    def vector(self, name: str, check: Callable[[], None]) -> None:
        """Runs the tests of one vector. An exception that no test expects is a failure of that vector."""
        try:
            check()
        except Exception as error:  # a crash on one vector must not hide the others
            self.failures.append(f"{name}: {type(error).__name__}: {error}")

    def add(self, other: Tally) -> None:
        """Adds the counts and failures of another tally."""
        self.passed += other.passed
        self.failures += other.failures


def shorten(value: Any) -> str:
    """A value for a failure line, at most 100 characters."""
    text = str(value)
    return text if len(text) <= 100 else f"{text[:97]}..."


def load(name: str) -> Any:
    """Reads one vector file."""
    return json.loads((VECTORS / name).read_text())


def to_json(value: Any) -> Any:
    """A decoded value as the vectors write it: bytes as lower-case hex, everything else unchanged."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return {name: to_json(item) for name, item in value.items()}
    if isinstance(value, list):
        return [to_json(item) for item in value]
    return value


def without(value: dict[str, Any], name: str) -> dict[str, Any]:
    """A copy of a dict without one name."""
    return {key: item for key, item in value.items() if key != name}


def flip(hexadecimal: str, index: int) -> str:
    """Flips the lowest bit of the byte at `index` in a hex string."""
    data = bytearray.fromhex(hexadecimal)
    data[index] ^= 1
    return data.hex()


# --- keys.json --------------------------------------------------------------------------------------------


def check_key(tally: Tally, name: str, key: Vector) -> None:
    """Seeds from names, public keys from seeds."""
    seed_name = SEED_NAMES.get(name, name)
    for field, label in (("seed", seed_name), ("x25519Secret", f"{seed_name} x25519")):
        derived = protocol.sha256(b"sealcam test vector: " + label.encode())
        tally.equal(f"keys/{name}/{field}", derived.hex(), key[field])
    public_key = protocol.ed25519_public_key(bytes.fromhex(key["seed"]))
    tally.equal(f"keys/{name}/publicKey", public_key.hex(), key["publicKey"])
    x25519 = bindings.crypto_scalarmult_base(bytes.fromhex(key["x25519Secret"]))
    tally.equal(f"keys/{name}/x25519", x25519.hex(), key["x25519"])


def check_ids(tally: Tally, keys: Vector) -> None:
    """Device and account ids, and the claim code in both directions."""
    ids = keys["ids"]
    public = {name: bytes.fromhex(keys[name]["publicKey"]) for name in ("device", "otherDevice", "owner")}
    tally.equal("keys/deviceId", protocol.device_id(public["device"]).hex(), ids["deviceId"])
    tally.equal("keys/otherDeviceId", protocol.device_id(public["otherDevice"]).hex(), ids["otherDeviceId"])
    tally.equal("keys/accountId", protocol.account_id(public["owner"]).hex(), ids["accountId"])
    check_claim_code(tally, ids)


def check_claim_code(tally: Tally, ids: Vector) -> None:
    """Formatting, parsing as people type it, and refusal of wrong codes."""
    device, secret, code = bytes.fromhex(ids["deviceId"]), bytes.fromhex(ids["claimSecret"]), ids["claimCode"]
    tally.equal("keys/claimCode", protocol.format_claim_code(device, secret), code)
    for form in (code, code.lower(), code.replace("-", ""), code.replace("-", " ")):
        tally.equal(f"keys/claimCode {form[:9]}", protocol.parse_claim_code(form), (device, secret))
    wrong_character = code.replace("U", "V", 1)
    last_bits_set = code[:-1] + "B"  # the code ends in A = 00000; B = 00001 differs in an unused bit only
    for wrong in (wrong_character, last_bits_set, code[:-1], code + "A"):
        name = f"keys/claimCode wrong …{wrong[-3:]}"
        tally.refused(name, protocol.MALFORMED, lambda: protocol.parse_claim_code(wrong))


def check_keys(tally: Tally, keys: Vector) -> None:
    """All of keys.json."""
    for name, key in without(keys, "ids").items():
        tally.vector(f"keys/{name}", lambda: check_key(tally, name, key))
    tally.vector("keys/ids", lambda: check_ids(tally, keys))


# --- signed.json ------------------------------------------------------------------------------------------


def kind_of(domain: str) -> str:
    """The kind of signed object that a domain belongs to."""
    return next(name for name, kind in protocol.KINDS.items() if kind.domain == domain)


def check_signed_vector(tally: Tally, vector: Vector, keys: Vector) -> None:
    """One signed object: opened, compared field by field, made again, and refused as every other kind."""
    name = f"signed/{vector['name']}"
    kind = kind_of(vector["domain"])
    data = bytes.fromhex(vector["object"])
    signer = keys[vector["signer"]]
    opened = protocol.open_signed(kind, data)
    tally.equal(f"{name}/kid", opened.envelope.kid.hex(), signer["publicKey"])
    tally.equal(f"{name}/payload", opened.envelope.payload.hex(), vector["payload"])
    tally.equal(f"{name}/signature", opened.envelope.signature.hex(), vector["signature"])
    tally.equal(f"{name}/sigStructure", opened.sig_structure.hex(), vector["sigStructure"])
    tally.equal(f"{name}/hash", opened.hash.hex(), vector["hash"])
    tally.equal(f"{name}/value", to_json(without(opened.value, "version")), vector["value"])
    signed_again = protocol.sign(kind, opened.value, bytes.fromhex(signer["seed"]))
    tally.equal(f"{name}/signed again", signed_again, data)
    for other in protocol.KINDS.keys() - {kind}:
        tally.refused(f"{name}/as {other}", protocol.BAD_SIGNATURE, lambda: protocol.open_signed(other, data))
    if "mac" in vector:
        secret = bytes.fromhex(keys["ids"]["claimSecret"])
        tally.equal(f"{name}/mac", protocol.claim_mac(secret, opened).hex(), vector["mac"])


def check_chain(tally: Tally, vectors: list[Vector]) -> None:
    """The records of the file are one chain that starts at the claim, and all belong to it."""
    claim = next(vector for vector in vectors if vector["name"] == "claim")
    before = claim["hash"]
    for seq, vector in enumerate(vector for vector in vectors if kind_of(vector["domain"]) == "record"):
        objects = (bytes.fromhex(vector["object"]), bytes.fromhex(claim["object"]))
        record = protocol.verify_record(*objects)
        place = (record.value["seq"], record.value["prev"].hex())
        tally.equal(f"signed/{vector['name']}/chain", place, (seq, before))
        before = record.hash.hex()


def check_signed(tally: Tally, vectors: list[Vector], keys: Vector) -> None:
    """All of signed.json."""
    for vector in vectors:
        tally.vector(f"signed/{vector['name']}", lambda: check_signed_vector(tally, vector, keys))
    tally.vector("signed/chain", lambda: check_chain(tally, vectors))


# --- bad.json ---------------------------------------------------------------------------------------------


def check_bad_object(tally: Tally, vector: Vector) -> None:
    """One object that must be refused, with exactly its error code."""
    data, kind = bytes.fromhex(vector["object"]), kind_of(vector["domain"])
    tally.refused(f"bad/{vector['name']}", vector["expect"], lambda: protocol.open_signed(kind, data))


def check_bad(tally: Tally, vectors: list[Vector]) -> None:
    """All of bad.json."""
    for vector in vectors:
        tally.vector(f"bad/{vector['name']}", lambda: check_bad_object(tally, vector))


# --- seal.json --------------------------------------------------------------------------------------------


def seal_context(context: Vector) -> protocol.SealContext:
    """The context of a seal vector."""
    return protocol.SealContext(
        device=bytes.fromhex(context["device"]),
        account=bytes.fromhex(context["account"]),
        epoch=context["epoch"],
        claim_hash=bytes.fromhex(context["claimHash"]),
        event_id=bytes.fromhex(context["eventId"]),
        media_id=bytes.fromhex(context["mediaId"]),
    )


def check_good_seal(tally: Tally, vector: Vector, keys: Vector) -> None:
    """One seal: its hashes, opened as every recipient, and all but the random wraps made again from K."""
    name = f"seal/{vector['name']}"
    header, body, key = (bytes.fromhex(vector[field]) for field in ("header", "body", "key"))
    context = seal_context(vector["context"])
    tally.equal(f"{name}/contextHash", context.hash().hex(), vector["contextHash"])
    tally.equal(f"{name}/headerHash", protocol.sha256(header).hex(), vector["headerHash"])
    tally.equal(f"{name}/bodyHash", protocol.sha256(body).hex(), vector["bodyHash"])
    for index, recipient in enumerate(vector["recipients"]):
        secret = bytes.fromhex(keys[recipient]["x25519Secret"])
        opened = protocol.open_seal(header, body, context, secret)
        tally.equal(f"{name}/{recipient}/wrap", opened.wrap, index)
        tally.equal(f"{name}/{recipient}/key", opened.key, key)
        tally.equal(f"{name}/{recipient}/plaintext", opened.plaintext.hex(), vector["plaintext"])
        tally.equal(f"{name}/{recipient}/content", to_json(opened.content), vector["content"])
        padded_again = protocol.make_plaintext(opened.content)
        tally.equal(f"{name}/{recipient}/padded again", padded_again, opened.plaintext)
    sealed_again = protocol.seal_body(bytes.fromhex(vector["plaintext"]), key)
    tally.equal(f"{name}/sealed again", sealed_again, body)
    wraps, mac = protocol.parse_seal_header(header)
    tally.equal(f"{name}/MAC again", protocol.seal_mac(key, wraps), mac)


def check_bad_seal(tally: Tally, vector: Vector, good: Vector, keys: Vector) -> None:
    """One altered seal: `vector` gives what differs from `good`; it is refused with exactly its code."""
    altered = {**good, **vector}
    header, body = bytes.fromhex(altered["header"]), bytes.fromhex(altered["body"])
    if "bodySlices" in vector:
        body = b"".join(body[start:end] for start, end in vector["bodySlices"])
    context = seal_context(altered["context"])
    secret = bytes.fromhex(keys[vector["recipient"]]["x25519Secret"])
    name = f"seal/{vector['name']}"
    tally.refused(name, vector["expect"], lambda: protocol.open_seal(header, body, context, secret))


def check_seals(tally: Tally, vectors: Vector, keys: Vector) -> None:
    """All of seal.json."""
    good = {vector["name"]: vector for vector in vectors["good"]}
    for vector in vectors["good"]:
        tally.vector(f"seal/{vector['name']}", lambda: check_good_seal(tally, vector, keys))
    for vector in vectors["bad"]:
        of = good[vector["of"]]
        tally.vector(f"seal/{vector['name']}", lambda: check_bad_seal(tally, vector, of, keys))


# --- messages.json ----------------------------------------------------------------------------------------


def check_message(tally: Tally, vector: Vector, keys: Vector) -> None:
    """One message: its topic, its value, and its bytes made again."""
    name = f"messages/{vector['name']}"
    payload = bytes.fromhex(vector["payload"])
    device, direction = protocol.parse_topic(vector["topic"])
    message = protocol.read_message(direction, payload)
    # The vectors leave the type out where a topic has only one.
    shown = without(message, "type") if direction == "status" else message
    tally.equal(f"{name}/device", device.hex(), keys["ids"]["deviceId"])
    tally.equal(f"{name}/topic again", protocol.format_topic(device, direction), vector["topic"])
    tally.equal(f"{name}/message", to_json(shown), vector["message"])
    tally.equal(f"{name}/payload again", protocol.write_message(direction, message).hex(), vector["payload"])


def check_messages(tally: Tally, vectors: list[Vector], keys: Vector) -> None:
    """All of messages.json."""
    for vector in vectors:
        tally.vector(f"messages/{vector['name']}", lambda: check_message(tally, vector, keys))


# --- Controls: would a fault be noticed? ------------------------------------------------------------------


def control(tally: Tally, name: str, check: Callable[[Tally], None]) -> None:
    """One test: the checks of a vector with a planted fault find a failure."""
    inner = Tally()
    inner.vector(name, lambda: check(inner))
    tally.true(f"control/{name}", len(inner.failures) > 0, "the planted fault was not noticed")


def plant(vector: Vector, field: str, index: int) -> Vector:
    """A copy of a vector with one flipped bit in a hex field."""
    return {**vector, field: flip(vector[field], index)}


def control_every_byte(tally: Tally, vector: Vector) -> None:
    """One test: a flipped bit in any byte of a good object is refused, and never crashes."""
    data, kind = bytes.fromhex(vector["object"]), kind_of(vector["domain"])
    flips = Tally()
    for index in range(len(data)):
        altered = bytes.fromhex(flip(vector["object"], index))
        try:
            protocol.open_signed(kind, altered)
            flips.failures.append(str(index))
        except protocol.ProtocolError:
            flips.passed += 1
    tally.equal(f"control/every byte of {vector['name']}", flips.failures, [])


def control_keys(tally: Tally, keys: Vector) -> None:
    """Faults in keys.json."""
    for field in ("seed", "publicKey", "x25519Secret", "x25519"):
        wrong = plant(keys["device"], field, 0)
        control(tally, f"keys {field}", lambda inner: check_key(inner, "device", wrong))
    for field in ("deviceId", "otherDeviceId", "accountId", "claimSecret"):
        wrong_keys = {**keys, "ids": plant(keys["ids"], field, 0)}
        control(tally, f"keys {field}", lambda inner: check_ids(inner, wrong_keys))


def control_signed(tally: Tally, vectors: list[Vector], keys: Vector) -> None:
    """Faults in signed.json, in the vector and in any byte of its object."""
    for vector in vectors:
        for field in ("object", "hash", "payload", "signature", "sigStructure"):
            wrong = plant(vector, field, -1)
            name = f"{vector['name']} {field}"
            control(tally, name, lambda inner: check_signed_vector(inner, wrong, keys))
        tally.vector(vector["name"], lambda: control_every_byte(tally, vector))


def control_bad(tally: Tally, good_object: Vector, bad_object: Vector) -> None:
    """A good object, or another error code than the right one, in bad.json."""
    accepted = {**good_object, "expect": protocol.MALFORMED}
    control(tally, "a good object as a bad one", lambda inner: check_bad_object(inner, accepted))
    wrong_code = {**bad_object, "expect": protocol.FOREIGN}
    control(tally, "another code for a bad object", lambda inner: check_bad_object(inner, wrong_code))


def control_seals(tally: Tally, vectors: list[Vector], keys: Vector) -> None:
    """Faults in the good seals, and a good seal among the bad ones."""
    unaltered = {"name": "unaltered", "recipient": "owner", "expect": protocol.SEAL_REFUSED}
    for vector in vectors:
        for field in ("body", "header", "plaintext", "key", "contextHash", "bodyHash", "headerHash"):
            wrong = plant(vector, field, -1)
            control(tally, f"{vector['name']} {field}", lambda inner: check_good_seal(inner, wrong, keys))
        name = f"{vector['name']} as a bad seal"
        control(tally, name, lambda inner: check_bad_seal(inner, unaltered, vector, keys))


def control_messages(tally: Tally, vectors: list[Vector], keys: Vector) -> None:
    """Faults in messages.json."""
    for vector in vectors:
        wrong = plant(vector, "payload", -1)
        control(tally, f"{vector['name']} payload", lambda inner: check_message(inner, wrong, keys))


def check_controls(tally: Tally, files: Vector) -> None:
    """Plants one fault in each kind of vector and field, and sees the checks above fail."""
    keys = files["keys.json"]
    control_keys(tally, keys)
    control_signed(tally, files["signed.json"], keys)
    control_bad(tally, files["signed.json"][0], files["bad.json"][0])
    control_seals(tally, files["seal.json"]["good"], keys)
    control_messages(tally, files["messages.json"], keys)


# --- Command line -----------------------------------------------------------------------------------------


def run_all() -> list[tuple[str, Tally]]:
    """Runs every test; returns (what, tally) per vector file, the controls last."""
    names = ("keys.json", "signed.json", "bad.json", "seal.json", "messages.json")
    files = {name: load(name) for name in names}
    keys = files["keys.json"]
    checks: dict[str, Callable[[Tally], None]] = {
        "keys.json": lambda tally: check_keys(tally, keys),
        "signed.json": lambda tally: check_signed(tally, files["signed.json"], keys),
        "bad.json": lambda tally: check_bad(tally, files["bad.json"]),
        "seal.json": lambda tally: check_seals(tally, files["seal.json"], keys),
        "messages.json": lambda tally: check_messages(tally, files["messages.json"], keys),
        "controls": lambda tally: check_controls(tally, files),
    }
    results = []
    for name, check in checks.items():
        tally = Tally()
        check(tally)
        results.append((name, tally))
    return results


def report(results: list[tuple[str, Tally]], as_json: bool) -> int:
    """Prints the results; returns the exit code."""
    total = Tally()
    for name, tally in results:
        total.add(tally)
        if not as_json:
            print(f"{name}: {tally.passed} passed, {len(tally.failures)} failed")
    if as_json:
        failed = len(total.failures)
        print(json.dumps({"passed": total.passed, "failed": failed, "failures": total.failures}))
    else:
        for failure in total.failures:
            print(f"FAILED {failure}")
        print(f"{total.passed} passed, {len(total.failures)} failed")
    return 1 if total.failures else 0


def verify_one(record: str, claim: str) -> int:
    """Verifies a record against its claim, both in hex; prints value or error; returns the exit code."""
    record_object, claim_object = bytes.fromhex(record), bytes.fromhex(claim)
    try:
        verified = protocol.verify_record(record_object, claim_object)
    except protocol.ProtocolError as error:
        print(json.dumps({"error": error.code, "detail": str(error)}))
        return 1
    print(json.dumps({"hash": verified.hash.hex(), "value": to_json(verified.value)}))
    return 0


def main() -> int:
    """Parses the arguments and does what they say."""
    parser = argparse.ArgumentParser(description="Verifies the protocol's golden vectors.")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--verify-record", metavar="RECORDHEX", help="verify this record instead")
    parser.add_argument("--claim", metavar="CLAIMHEX", help="the claim that the record belongs to")
    arguments = parser.parse_args()
    if (arguments.verify_record is None) != (arguments.claim is None):
        parser.error("--verify-record and --claim belong together")
    if arguments.verify_record is not None:
        return verify_one(arguments.verify_record, arguments.claim)
    return report(run_all(), arguments.json)


if __name__ == "__main__":
    sys.exit(main())
