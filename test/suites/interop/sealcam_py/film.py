"""The form of a clip's segments (§19): an initialisation, and fragments behind it."""

from __future__ import annotations

from dataclasses import dataclass

from .errors import UNSUPPORTED, require

HEAD_BYTES = 8
# Fields of a sample entry before the boxes in it.
ENTRY_BYTES = 78
# The data offset, and duration, size and flags of each sample.
RUN_FLAGS = 0x701
SYNC_SAMPLE, OTHER_SAMPLE = 0x02000000, 0x01010000
TIMESCALE = 1000
CODECS = {b"avc1": "h264", b"jpeg": "jpeg"}


@dataclass(frozen=True)
class Start:
    """What the first segment says of the clip."""

    brand: bytes
    codec: str
    width: int
    height: int


@dataclass(frozen=True)
class Sample:
    """One picture; `flags` is SYNC_SAMPLE or OTHER_SAMPLE."""

    duration: int
    flags: int
    data: bytes


@dataclass(frozen=True)
class Fragment:
    """One segment after the first. `sequence` is its index, `start` its time in the clip, in milliseconds."""

    sequence: int
    start: int
    samples: list[Sample]


def number(data: bytes, at: int, size: int = 4) -> int:
    """Returns a big-endian integer."""
    require(len(data) >= at + size, "a box that is too short")
    return int.from_bytes(data[at : at + size], "big")


def boxes(data: bytes) -> dict[bytes, bytes]:
    """Returns the boxes that fill these bytes, by their type; each type is there once."""
    found: dict[bytes, bytes] = {}
    at = 0
    while at < len(data):
        size, kind = number(data, at), data[at + 4 : at + HEAD_BYTES]
        require(size >= HEAD_BYTES and at + size <= len(data), "a box that does not end where it says")
        require(kind not in found, "a box twice")
        found[kind] = data[at + HEAD_BYTES : at + size]
        at += size
    return found


def box(data: bytes, *path: bytes) -> bytes:
    """Returns the content of the box at a path of types."""
    for kind in path:
        inner = boxes(data)
        require(kind in inner, f"no {kind!r}")
        data = inner[kind]
    return data


def read_start(data: bytes) -> Start:
    """Reads segment 0."""
    require(list(boxes(data)) == [b"ftyp", b"moov"], "not an initialisation")
    media = box(data, b"moov", b"trak", b"mdia")
    require(number(box(media, b"mdhd"), 12) == TIMESCALE, "times that are not milliseconds")
    ((kind, entry),) = boxes(box(media, b"minf", b"stbl", b"stsd")[HEAD_BYTES:]).items()
    require(kind in CODECS, "another codec", UNSUPPORTED)
    if kind == b"avc1":
        box(entry[ENTRY_BYTES:], b"avcC")
    return Start(data[8:12], CODECS[kind], number(entry, 24, 2), number(entry, 26, 2))


def read_fragment(data: bytes) -> Fragment:
    """Reads a segment after the first: its samples fill it to the end."""
    require(list(boxes(data)) == [b"moof", b"mdat"], "not a fragment")
    head, track = box(data, b"moof"), box(data, b"moof", b"traf")
    run = box(track, b"trun")
    count, at = number(run, 4), number(run, 8)
    require(number(run, 1, 3) == RUN_FLAGS and len(run) == 12 + 12 * count, "samples of another form")
    require(at == len(data) - len(box(data, b"mdat")), "samples that are not in the fragment")
    samples = []
    for place in range(12, len(run), 12):
        duration, size, flags = (number(run, place + field) for field in (0, 4, 8))
        require(at + size <= len(data), "a sample beyond the end")
        samples.append(Sample(duration, flags, data[at : at + size]))
        at += size
    require(len(samples) > 0 and at == len(data), "bytes that are in no sample")
    return Fragment(number(box(head, b"mfhd"), 4), number(box(track, b"tfdt"), 4, 8), samples)
