#!/usr/bin/python3
"""Verifies an evidence file (docs/protocol.md, "Evidence") without the programs that made it.

    verify_evidence.py FILE      prints {"event", "device", "records", "pictures", "segments", "absent", …} as JSON

Exit code: 0 everything in it verifies, 1 refused (prints {"error": …}), 2 usage.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.dont_write_bytecode = True
from sealcam_py.errors import ProtocolError  # noqa: E402
from sealcam_py.evidence import verify_evidence  # noqa: E402


def main() -> int:
    """Runs the command line; returns the exit code."""
    try:
        (path,) = sys.argv[1:]
        data = Path(path).read_bytes()
    except (ValueError, OSError):
        print(__doc__, file=sys.stderr)
        return 2
    try:
        evidence = verify_evidence(data)
    except ProtocolError as error:
        print(json.dumps({"error": error.code, "why": str(error)}))
        return 1
    summary = {
        "event": evidence.event_id.hex(),
        "device": evidence.claim.value["device"].hex(),
        "records": [record.hash.hex() for record in evidence.records],
        "pictures": len(evidence.pictures),
        "segments": len(evidence.clip_parts),
        "absent": evidence.absent,
        "receipts": evidence.receipts + evidence.media_receipts,
    }
    print(json.dumps(summary))
    return 0


if __name__ == "__main__":
    sys.exit(main())
