"""settings.json: what the browsers of a household share, sealed and signed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sealcam_py import household
from sealcam_py.cose import open_signed
from sealcam_py.errors import MALFORMED
from sealcam_py.version2 import KINDS_2

from .sealed2 import Keys
from .tally import Tally, Vector, plant

Control = Callable[[Tally, str, Callable[[Tally], None]], None]


def check_settings(tally: Tally, vectors: Vector, kem: Vector) -> None:
    """All of settings.json."""
    keys, good = Keys(kem), {vector["name"]: vector for vector in vectors["good"]}
    for vector in vectors["good"]:
        tally.vector(f"settings/{vector['name']}", lambda: check_good(tally, vector, keys))
    for vector in vectors["badSeals"]:
        tally.vector(f"settings/{vector['name']}", lambda: check_bad_seal(tally, vector, good, keys))
    for vector in vectors["badContents"]:
        tally.vector(f"settings/{vector['name']}", lambda: check_bad_content(tally, vector))


def check_good(tally: Tally, vector: Vector, keys: Keys) -> None:
    """One object: opened by each recipient, its content decoded and encoded, and sealed again."""
    name = f"settings/{vector['name']}"
    signed = open_signed("settings", bytes.fromhex(vector["object"]), KINDS_2)
    for recipient in vector["recipients"]:
        content = household.open_settings(signed.value, signed.envelope.kid, keys.of(recipient))
        tally.equal(f"{name}/{recipient}", content.hex(), vector["content"])
    content = bytes.fromhex(vector["content"])
    tally.equal(f"{name}/content again", household.make_content(household.parse_content(content)), content)
    publics = [keys.of(recipient).public for recipient in vector["recipients"]]
    randomness = [bytes.fromhex(random) for random in vector["randomness"]]
    header, body = household.seal_settings(signed.value, signed.envelope.kid, publics, randomness, content)
    tally.equal(f"{name}/header again", header, signed.value["header"])
    tally.equal(f"{name}/body again", body, signed.value["body"])


def check_bad_seal(tally: Tally, vector: Vector, good: Vector, keys: Keys) -> None:
    """One object that must not open."""
    signed = open_signed("settings", bytes.fromhex(good[vector["of"]]["object"]), KINDS_2)
    value = {**signed.value, **{name: read(vector[name]) for name in signed.value if name in vector}}
    kid = bytes.fromhex(vector["kid"]) if "kid" in vector else signed.envelope.kid
    recipient = keys.of(vector["recipient"])
    tally.refused(
        f"settings/{vector['name']}", vector["expect"], lambda: household.open_settings(value, kid, recipient)
    )


def read(value: Any) -> Any:
    """A field of a bad vector, as it is in an object."""
    if isinstance(value, str):
        return bytes.fromhex(value)
    return [bytes.fromhex(one) for one in value] if isinstance(value, list) else value


def check_bad_content(tally: Tally, vector: Vector) -> None:
    """One content that must be refused."""
    content = bytes.fromhex(vector["content"])
    tally.refused(f"settings/{vector['name']}", vector["expect"], lambda: household.parse_content(content))


def control_settings(tally: Tally, vectors: Vector, kem: Vector, control: Control) -> None:
    """Planted faults, each of which must be noticed."""
    keys = Keys(kem)
    for vector in vectors["good"]:
        for field in ("object", "content"):
            wrong = plant(vector, field)
            control(tally, f"{vector['name']} {field}", lambda inner: check_good(inner, wrong, keys))
    first = vectors["good"][0]
    unaltered = {"name": "good", "of": first["name"], "recipient": "owner", "expect": MALFORMED}
    good = {first["name"]: first}
    control(tally, "a good seal as a bad one", lambda inner: check_bad_seal(inner, unaltered, good, keys))
    fine = {"name": "good", "content": first["content"], "expect": MALFORMED}
    control(tally, "good settings as bad ones", lambda inner: check_bad_content(inner, fine))
