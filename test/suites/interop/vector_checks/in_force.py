"""in-force.json: what cameras seal into their answers to orders of version 2."""

from __future__ import annotations

from collections.abc import Callable

from sealcam_py import seal2
from sealcam_py.errors import MALFORMED, SEAL_REFUSED

from .sealed2 import check_sealed, period_of, place_of
from .tally import Tally, Vector, plant, to_json, without

Control = Callable[[Tally, str, Callable[[Tally], None]], None]


def check_in_force(tally: Tally, vectors: Vector, seals: Vector) -> None:
    """All of in-force.json."""
    for vector in vectors["good"]:
        tally.vector(f"in-force/{vector['name']}", lambda: check_good(tally, vector, seals))
    for vector in vectors["bad"]:
        tally.vector(f"in-force/{vector['name']}", lambda: check_bad(tally, vector))


def check_good(tally: Tally, vector: Vector, seals: Vector) -> None:
    """One content: decoded, encoded again, and opened with its period, as an object without an event alone."""
    name, sealed = f"in-force/{vector['name']}", vector["object"]
    period = period_of({period["name"]: period for period in seals["periods"]}, sealed)
    content = check_sealed(tally, name, sealed, period)
    value = seal2.parse_in_force(content)
    tally.equal(f"{name}/value", without(to_json(value), "version"), vector["value"])
    tally.equal(f"{name}/content again", seal2.make_in_force(value).hex(), sealed["content"])
    tally.equal(f"{name}/event", bytes.fromhex(sealed["context"]["eventId"]), seal2.NO_EVENT)
    key, header, body = (bytes.fromhex(sealed[field]) for field in ("key", "header", "body"))
    elsewhere = place_of({**sealed["context"], "eventId": "11" * 16})
    tally.refused(f"{name}/of an event", SEAL_REFUSED, lambda: seal2.open_object(key, elsewhere, header, body))
    tally.refused(f"{name}/as a picture", MALFORMED, lambda: seal2.parse_content(content))


def check_bad(tally: Tally, vector: Vector) -> None:
    """One content that must be refused, with exactly its error code."""
    content = bytes.fromhex(vector["content"])
    tally.refused(f"in-force/{vector['name']}", vector["expect"], lambda: seal2.parse_in_force(content))


def control_in_force(tally: Tally, vectors: Vector, seals: Vector, control: Control) -> None:
    """Planted faults, each of which must be noticed."""
    for vector in vectors["good"]:
        for field in ("key", "header", "body", "content"):
            wrong = {**vector, "object": plant(vector["object"], field)}
            control(tally, f"{vector['name']} {field}", lambda inner: check_good(inner, wrong, seals))
    first = vectors["good"][0]
    other = {**first, "value": vectors["good"][1]["value"]}
    control(tally, "another value in force", lambda inner: check_good(inner, other, seals))
    good = {"name": "good", "content": first["object"]["content"], "expect": MALFORMED}
    control(tally, "good content as a bad one", lambda inner: check_bad(inner, good))
