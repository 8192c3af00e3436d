#!/usr/bin/python3
"""Opens the clips of an account's export (docs/cloud.md, "An export") with its owner's master key.

    open_clips.py EXPORT KEY FOLDER     writes each clip as a video file into FOLDER, and prints a JSON line for each:
                                        {"event", "number", "file", "segments", "ended"}

KEY is a file with the 32 bytes of the master key, or their 64 hex digits. `segments` has what was found of each.
Exit code: 0 all clips are whole, 1 something is missing or refused, 2 usage.
"""

from __future__ import annotations

import base64
import json
import sys
from pathlib import Path

sys.dont_write_bytecode = True
from sealcam_py import film  # noqa: E402
from sealcam_py.clip import HERE, Epoch  # noqa: E402
from sealcam_py.cose import open_signed  # noqa: E402
from sealcam_py.errors import ProtocolError  # noqa: E402
from sealcam_py.primitives import hkdf, sha256  # noqa: E402
from sealcam_py.version2 import EITHER  # noqa: E402
from sealcam_py.xwing import XWingKeys  # noqa: E402

ENDINGS = {"h264": "mp4", "jpeg": "mov"}


class Export:
    """The lines of an export: epochs with their verified records, and bodies by their hash."""

    def __init__(self, lines: list[str]) -> None:
        self.epochs: dict[bytes, Epoch] = {}
        self.bodies: dict[bytes, bytes] = {}
        self.problems: list[str] = []
        values = [json.loads(line) for line in lines if line.strip() != ""]
        # Lines may have any order but the first.
        for value in values:
            if value["type"] == "claim" and value["claim"] != "":
                epoch = Epoch(base64.b64decode(value["claim"]))
                self.epochs[epoch.claim.hash] = epoch
        for value in values:
            if value["type"] == "segment":
                self.keep(value["body"])
            elif value["type"] == "record":
                self.add(base64.b64decode(value["record"]))
                for sealed in value["media"]:
                    if sealed is not None:
                        self.keep(sealed["body"])

    def keep(self, text: str) -> None:
        """Keeps a body under its own hash, whatever it is said to be."""
        body = base64.b64decode(text)
        self.bodies[sha256(body)] = body

    def add(self, data: bytes) -> None:
        """Adds a record to the epoch of its claim; one that is refused is left out and named."""
        try:
            record = open_signed("record", data, EITHER)
            epoch = self.epochs.get(record.value["claimHash"])
            if epoch is None:
                self.problems.append("foreign: a record of a claim that is not here")
            else:
                epoch.add(data)
        except ProtocolError as error:
            self.problems.append(str(error))


def open_epoch(epoch: Epoch, export: Export, keys: XWingKeys, folder: Path) -> bool:
    """Writes the clips of an epoch. Returns whether all are whole."""
    epoch.open_periods(keys, export.bodies.get)
    is_whole = True
    for event_id, number in epoch.clips():
        opened = epoch.open_clip(event_id, number, export.bodies.get)
        name = None
        if 0 in opened.parts:
            ending = ENDINGS[film.read_start(opened.parts[0]).codec]
            name = f"{event_id.hex()}-{number}.{ending}"
            (folder / name).write_bytes(opened.file())
        line = {"event": event_id.hex(), "number": number, "file": name, "segments": opened.found}
        print(json.dumps({**line, "ended": opened.ended}))
        is_whole = is_whole and opened.ended and all(found == HERE for found in opened.found)
    return is_whole


def main() -> int:
    """Runs the command line; returns the exit code."""
    try:
        path, key_path, out = sys.argv[1:]
        lines = Path(path).read_text().splitlines()
        key = Path(key_path).read_bytes()
        master = key if len(key) == 32 else bytes.fromhex(key.decode())
        folder = Path(out)
        folder.mkdir(exist_ok=True)
    except (ValueError, OSError):
        print(__doc__, file=sys.stderr)
        return 2
    export = Export(lines)
    keys = XWingKeys(hkdf(master, b"sealcam/owner/xwing"))
    try:
        whole = [open_epoch(epoch, export, keys, folder) for epoch in export.epochs.values()]
    except ProtocolError as error:
        export.problems.append(str(error))
        whole = []
    for problem in export.problems:
        print(json.dumps({"error": problem}))
    return 0 if all(whole) and not export.problems else 1


if __name__ == "__main__":
    sys.exit(main())
