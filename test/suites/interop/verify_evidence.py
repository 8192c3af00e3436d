#!/usr/bin/python3
"""Verifies an evidence file (docs/protocol.md, "Evidence") without the programs that made it.

    verify_evidence.py FILE      prints {"event", "device", "records", "pictures", "segments", "absent", …} as JSON;
                                 of a span one line for each event, a refused one as {"error": …}

Exit code: 0 everything in it verifies, 1 refused, whole or in part (prints {"error": …}), 2 usage.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.dont_write_bytecode = True
from sealcam_py.errors import ProtocolError  # noqa: E402
from sealcam_py.evidence import Evidence, verify_file  # noqa: E402


def main() -> int:
    """Runs the command line; returns the exit code."""
    try:
        (path,) = sys.argv[1:]
        data = Path(path).read_bytes()
    except (ValueError, OSError):
        print(__doc__, file=sys.stderr)
        return 2
    try:
        events = verify_file(data)
    except ProtocolError as error:
        events = [error]
    for event in events:
        print(json.dumps(refusal_of(event) if isinstance(event, ProtocolError) else summary_of(event)))
    return 1 if any(isinstance(event, ProtocolError) for event in events) else 0


def refusal_of(error: ProtocolError) -> dict[str, object]:
    """Returns what is printed of a refusal."""
    return {"error": error.code, "why": str(error)}


def summary_of(evidence: Evidence) -> dict[str, object]:
    """Returns what is printed of an event that verifies."""
    return {
        "event": evidence.event_id.hex(),
        "device": evidence.claim.value["device"].hex(),
        "records": [record.hash.hex() for record in evidence.records],
        "pictures": len(evidence.pictures),
        "segments": len(evidence.clip_parts),
        "absent": evidence.absent,
        "receipts": evidence.receipts + evidence.media_receipts,
    }


if __name__ == "__main__":
    sys.exit(main())
