"""live.json: a look from the viewer's side."""

from __future__ import annotations

from collections.abc import Callable

from sealcam_py.errors import SEAL_REFUSED
from sealcam_py.live import Viewer, live_key, read_initialisation, read_picture
from sealcam_py.xwing import XWingKeys

from .tally import Tally, Vector, plant

Control = Callable[[Tally, str, Callable[[Tally], None]], None]


def check_live(tally: Tally, vectors: Vector) -> None:
    """All of live.json."""
    tally.vector("live/key", lambda: check_key(tally, vectors))
    for case in vectors["cases"]:
        tally.vector(f"live/{case['name']}", lambda: check_case(tally, vectors, case))
    for bad in vectors["bad"]:
        tally.vector(f"live/{bad['name']}", lambda: check_bad(tally, vectors, bad))


def check_key(tally: Tally, vectors: Vector) -> None:
    keys = XWingKeys(bytes.fromhex(vectors["viewerSeed"]))
    secret = keys.decapsulate(bytes.fromhex(vectors["ciphertext"]))
    tally.equal("live/secret", secret.hex(), vectors["secret"])
    bound_to = [bytes.fromhex(vectors[field]) for field in ("orderHash", "claimHash", "answerHash")]
    tally.equal("live/key", live_key(secret, *bound_to).hex(), vectors["key"])


def viewer_of(vectors: Vector) -> Viewer:
    return Viewer(bytes.fromhex(vectors["session"]), bytes.fromhex(vectors["key"]))


def check_case(tally: Tally, vectors: Vector, case: Vector) -> None:
    """One way in which the messages arrive."""
    name, viewer = f"live/{case['name']}", viewer_of(vectors)
    arrivals = [viewer.open(bytes.fromhex(vectors["messages"][n])) for n in case["arrive"]]
    shown = [{"kind": arrival[0], "plaintext": arrival[1].hex()} for arrival in arrivals if arrival is not None]
    tally.equal(f"{name}/shown", shown, case["shown"])
    counts = {field: getattr(viewer, field) for field in ("received", "missing", "repeated")}
    tally.equal(f"{name}/counts", counts, {field: case[field] for field in counts})


def check_bad(tally: Tally, vectors: Vector, bad: Vector) -> None:
    """One input that must be refused, with exactly its error code."""
    read = {"initialisation": read_initialisation, "picture": read_picture, "message": viewer_of(vectors).open}
    tally.refused(f"live/{bad['name']}", bad["expect"], lambda: read[bad["of"]](bytes.fromhex(bad["bytes"])))


def control_live(tally: Tally, vectors: Vector, control: Control) -> None:
    """Planted faults, each of which must be noticed."""
    for field in ("viewerSeed", "ciphertext", "orderHash", "claimHash", "answerHash", "key"):
        wrong = plant(vectors, field)
        control(tally, f"live {field}", lambda inner: check_key(inner, wrong))
    first = vectors["cases"][0]
    lost = {**first, "arrive": first["arrive"][:-1]}
    control(tally, "a live message fewer", lambda inner: check_case(inner, vectors, lost))
    good = {"name": "good", "of": "message", "bytes": vectors["messages"][0], "expect": SEAL_REFUSED}
    control(tally, "a good live message as a bad one", lambda inner: check_bad(inner, vectors, good))
