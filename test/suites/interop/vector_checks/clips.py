"""clips.json: clips as a recipient opens them, and what it finds when something is wrong."""

from __future__ import annotations

from collections.abc import Callable

from sealcam_py import film
from sealcam_py.clip import BodyOf, Epoch
from sealcam_py.errors import ProtocolError
from sealcam_py.primitives import hkdf, sha256
from sealcam_py.xwing import XWingKeys

from .tally import Tally, Vector, plant

Control = Callable[[Tally, str, Callable[[Tally], None]], None]
BRANDS = {"h264": b"iso6", "jpeg": b"qt  "}


def check_clips(tally: Tally, vectors: Vector) -> None:
    """All of clips.json."""
    seed = hkdf(bytes.fromhex(vectors["master"]), b"sealcam/owner/xwing")
    tally.equal("clips/kemSeed", seed.hex(), vectors["kemSeed"])
    keys = XWingKeys(seed)
    for clip in vectors["clips"]:
        tally.vector(f"clips/{clip['name']}", lambda: check_form(tally, clip))
    for case in vectors["cases"]:
        tally.vector(f"clips/{case['name']}", lambda: check_case(tally, vectors, case, keys))


def check_form(tally: Tally, clip: Vector) -> None:
    """The segments of one clip have the form that §19 gives them."""
    name, codec = f"clips/{clip['name']}", clip["codec"]
    first, *rest = clip["segments"]
    start = film.read_start(bytes.fromhex(first["content"]))
    tally.equal(f"{name}/start", start, film.Start(BRANDS[codec], codec, 32, 32))
    tally.equal(f"{name}/start of no length", (first["durationMs"], first["sync"]), (0, True))
    at = 0
    for segment in rest:
        fragment = film.read_fragment(bytes.fromhex(segment["content"]))
        lengths = [sample.duration for sample in fragment.samples]
        told = (fragment.sequence, fragment.start, sum(lengths), fragment.samples[0].flags == film.SYNC_SAMPLE)
        tally.equal(f"{name}/{segment['index']}", told, (segment["index"], at, segment["durationMs"], segment["sync"]))
        for sample in fragment.samples:
            tally.equal(f"{name}/{segment['index']}/sample", check_sample(codec, sample), None)
        at += segment["durationMs"]


def check_sample(codec: str, sample: film.Sample) -> str | None:
    """Returns what is wrong with a picture: a JPEG file, or NAL units behind their lengths without parameter sets."""
    if codec == "jpeg":
        return None if sample.data[:3] == b"\xff\xd8\xff" and sample.data[-2:] == b"\xff\xd9" else "not a JPEG file"
    kinds, at = [], 0
    while at < len(sample.data):
        kinds.append(sample.data[at + 4] & 31)
        at += 4 + int.from_bytes(sample.data[at : at + 4], "big")
    wanted = 5 if sample.flags == film.SYNC_SAMPLE else 1
    return None if at == len(sample.data) and kinds == [wanted] else f"units {kinds}"


def bodies_of(vectors: Vector, case: Vector) -> BodyOf:
    """Returns the cloud of a case: asked for a body by its hash, it gives what the case says."""
    bodies = {name: bytes.fromhex(body) for name, body in vectors["bodies"].items()}
    names = {sha256(body): name for name, body in bodies.items()}

    def body_of(body_hash: bytes) -> bytes | None:
        name = names.get(body_hash, "")
        answer = case["answers"].get(name, [name, 0, None])
        return None if answer is None or answer[0] == "" else bodies[answer[0]][answer[1] : answer[2]]

    return body_of


def found_in(vectors: Vector, case: Vector, keys: XWingKeys) -> Vector | str:
    """Returns what a recipient finds of the clip of a case, or the code with which a record is refused."""
    body_of = bodies_of(vectors, case)
    (clip,) = [clip for clip in vectors["clips"] if clip["name"] == case["clip"]]
    try:
        epoch = Epoch(bytes.fromhex(vectors["claim"]))
        for name in case["records"]:
            epoch.add(bytes.fromhex(vectors["records"][name]))
        epoch.open_periods(keys, body_of)
    except ProtocolError as error:
        return error.code
    opened = epoch.open_clip(bytes.fromhex(clip["eventId"]), clip["number"], body_of)
    file = sha256(opened.file()).hex()
    return {"segments": opened.found, "plays": opened.plays(), "ended": opened.ended, "file": file}


def check_case(tally: Tally, vectors: Vector, case: Vector, keys: XWingKeys) -> None:
    """One clip, and what is found of it."""
    tally.equal(f"clips/{case['name']}/found", found_in(vectors, case, keys), case["expect"])


def control_clips(tally: Tally, vectors: Vector, control: Control) -> None:
    """Planted faults, each of which must be noticed, and a key that is not a recipient's."""
    keys = XWingKeys(bytes.fromhex(vectors["kemSeed"]))
    both = vectors["cases"][:2]
    whole = both[0]

    def check_both(inner: Tally, altered: Vector) -> None:
        for case in both:
            check_case(inner, altered, case, keys)

    # A bit in each part of the two clips.
    bodies = [name for name in vectors["bodies"] if name == "key" or name.split()[0] in BRANDS]
    for field, names in (("records", whole["records"]), ("bodies", bodies)):
        for name in names:
            wrong = {**vectors, field: plant(vectors[field], name)}
            control(tally, f"clips {field} {name}", lambda inner: check_both(inner, wrong))
    stranger = XWingKeys(bytes(32))
    control(tally, "a clip opened by a stranger", lambda inner: check_case(inner, vectors, whole, stranger))
    for case in vectors["cases"]:
        if case not in both and case["expect"] != whole["expect"]:
            good = {**case, "records": whole["records"], "answers": {}}
            control(tally, f"{case['name']} without its fault", lambda inner: check_case(inner, vectors, good, keys))
