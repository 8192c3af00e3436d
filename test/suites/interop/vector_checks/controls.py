"""Controls: each kind of fault is planted once in a vector, and the checks must notice it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sealcam_py.cose import open_signed
from sealcam_py.errors import FOREIGN, MALFORMED, SEAL_REFUSED, ProtocolError

from .cddl import check_cddl
from .signed import check_bad_object, check_ids, check_key, check_signed_vector, kind_of
from .tally import Tally, Vector, plant
from .transport import check_bad_message, check_bad_seal, check_bad_topic, check_good_seal, check_message
from .verdicts import check_verdict


def check_controls(tally: Tally, files: dict[str, Any], cddl: str) -> None:
    """Plants one fault in each kind of vector and field; `files` holds all vector files by name."""
    keys = files["keys.json"]
    control_keys(tally, keys)
    control_signed(tally, files["signed.json"], keys)
    control_bad(tally, files["signed.json"][0], files["bad.json"][0])
    control_seals(tally, files["seal.json"]["good"], keys)
    control_messages(tally, files["messages.json"], keys)
    control_verify(tally, files["verify.json"])
    for before, after in ((", erased: 9", ""), ("uint53, ; seq", "uint53, ; number"), ("1*16", "1*17")):
        control(tally, f"cddl {after}", lambda inner: check_cddl(inner, cddl.replace(before, after)))


def control(tally: Tally, name: str, check: Callable[[Tally], None]) -> None:
    """One test: the checks of a vector with a planted fault find a failure."""
    inner = Tally()
    inner.vector(name, lambda: check(inner))
    tally.true(f"control/{name}", len(inner.failures) > 0, "the planted fault was not noticed")


def control_keys(tally: Tally, keys: Vector) -> None:
    """Faults in keys.json."""
    for field in ("seed", "publicKey", "x25519Secret", "x25519"):
        wrong = plant(keys["device"], field)
        control(tally, f"keys {field}", lambda inner: check_key(inner, "device", wrong))
    for field in ("deviceId", "otherDeviceId", "accountId", "claimSecret"):
        wrong_keys = {**keys, "ids": plant(keys["ids"], field)}
        control(tally, f"keys {field}", lambda inner: check_ids(inner, wrong_keys))


def control_signed(tally: Tally, vectors: list[Vector], keys: Vector) -> None:
    """Faults in signed.json, in the vector and in any byte of its object."""
    for vector in vectors:
        for field in ("object", "hash", "payload", "signature", "sigStructure"):
            wrong = plant(vector, field)
            control(tally, f"{vector['name']} {field}", lambda inner: check_signed_vector(inner, wrong, keys))
        accepted = [index for index in range(len(vector["object"]) // 2) if opens_altered(vector, index)]
        tally.equal(f"control/every byte of {vector['name']}", accepted, [])


def opens_altered(vector: Vector, index: int) -> bool:
    """Returns whether a good object is still accepted with one bit of a byte flipped. It must not crash either."""
    try:
        open_signed(kind_of(vector["domain"]), bytes.fromhex(plant(vector, "object", index)["object"]))
    except ProtocolError:
        return False
    return True


def control_bad(tally: Tally, good_object: Vector, bad_object: Vector) -> None:
    """A good object in bad.json, and a wrong error code."""
    accepted = {**good_object, "expect": MALFORMED}
    control(tally, "a good object as a bad one", lambda inner: check_bad_object(inner, accepted))
    wrong_code = {**bad_object, "expect": FOREIGN}
    control(tally, "another code for a bad object", lambda inner: check_bad_object(inner, wrong_code))


def control_seals(tally: Tally, vectors: list[Vector], keys: Vector) -> None:
    """Faults in the good seals, and a good seal among the bad ones."""
    unaltered = {"name": "unaltered", "recipient": "owner", "expect": SEAL_REFUSED}
    for vector in vectors:
        for field in ("body", "header", "plaintext", "key", "contextHash", "bodyHash", "headerHash"):
            wrong = plant(vector, field)
            control(tally, f"{vector['name']} {field}", lambda inner: check_good_seal(inner, wrong, keys))
        name = f"{vector['name']} as a bad seal"
        control(tally, name, lambda inner: check_bad_seal(inner, unaltered, vector, keys))


def control_messages(tally: Tally, vectors: Vector, keys: Vector) -> None:
    """Faults in the good messages, and good messages and topics among the bad ones."""
    for vector in vectors["good"]:
        wrong = plant(vector, "payload")
        control(tally, f"{vector['name']} payload", lambda inner: check_message(inner, wrong, keys))
        as_bad = {**vector, "leaf": vector["topic"].rpartition("/")[2], "expect": MALFORMED}
        control(tally, f"{vector['name']} as bad", lambda inner: check_bad_message(inner, as_bad))
        control(tally, f"topic of {vector['name']} as bad", lambda inner: check_bad_topic(inner, as_bad))


def control_verify(tally: Tally, vectors: list[Vector]) -> None:
    """Another verdict in each vector of verify.json, and faults in the first one, which is intact."""
    for vector in vectors:
        wrong = {**vector, "expect": f"not {vector['expect']}"}
        control(tally, f"{vector['name']} verdict", lambda inner: check_verdict(inner, wrong))
    intact = vectors[0]
    faults = [plant(intact, "record")]
    faults += [{**intact, "row": plant(intact["row"], field)} for field in ("device", "account", "claimHash")]
    faults += [{**intact, "before": plant(intact["before"], "predecessor")}]
    for number, fault in enumerate(faults):
        control(tally, f"{intact['name']} fault {number}", lambda inner: check_verdict(inner, fault))
