#!/usr/bin/python3
"""Runs the Python implementation of the protocol over the golden vectors in test/vectors/.

    verify_vectors.py            one line per vector file, then `N passed, N failed`; exit 1 on any failure
    verify_vectors.py --json     one JSON object {"passed": …, "failed": …, "failures": […]}

Every comparison and every expected refusal counts as one test. After the vector files come a comparison of the
implementation's tables with docs/protocol.cddl, limits that no vector reaches, the example for cloud engineers,
and controls which prove that a fault would be noticed.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

# Tests leave no files in the tree, so Python must not write __pycache__ for the imports below.
sys.dont_write_bytecode = True
import ingest_example  # noqa: E402
from sealcam_py.messages import format_topic  # noqa: E402
from vector_checks.cddl import check_cddl  # noqa: E402
from vector_checks.clips import check_clips, control_clips  # noqa: E402
from vector_checks.controls import check_controls, control  # noqa: E402
from vector_checks.in_force import check_in_force, control_in_force  # noqa: E402
from vector_checks.limits import check_limits  # noqa: E402
from vector_checks.live import check_live, control_live  # noqa: E402
from vector_checks.sealed2 import check_evidence, check_seal2, control_sealed2  # noqa: E402
from vector_checks.settings import check_settings, control_settings  # noqa: E402
from vector_checks.signed import check_bad, check_keys, check_signed  # noqa: E402
from vector_checks.tally import Tally  # noqa: E402
from vector_checks.transport import check_messages, check_seals  # noqa: E402
from vector_checks.verdicts import check_verify  # noqa: E402
from vector_checks.version2 import (  # noqa: E402
    check_bad_v2,
    check_cddl_v2,
    check_keys_v2,
    check_messages_v2,
    check_orders_v2,
    check_signed_v2,
    check_verify_v2,
    control_version2,
)

ROOT = Path(__file__).resolve().parents[3]
VECTORS = ROOT / "test" / "vectors"
CDDL = ROOT / "docs" / "protocol.cddl"
CDDL_V2 = ROOT / "docs" / "protocol-v2.cddl"


def check_example(tally: Tally) -> None:
    """The demo binds all its records; on the topic of another camera it binds none."""
    topic, payload, claim = ingest_example.demo_message()
    events = ingest_example.ingest(topic, payload, claim)["events"]
    tally.equal("example/verdicts", [event["verdict"] for event in events], ["intact"] * 3)
    states = [media["state"] for event in events for media in event["media"]]
    tally.equal("example/media", states, ["media-missing", "stored"])
    foreign = ingest_example.ingest(format_topic(bytes(32), "up"), payload, claim)["events"]
    tally.equal("example/another topic", [event["verdict"] for event in foreign], ["foreign"] * 3)


def run_all() -> list[tuple[str, Tally]]:
    """Runs every test. Returns (name, tally) for each vector file, then for the other checks."""
    files: dict[str, Any] = {path.name: json.loads(path.read_text()) for path in VECTORS.glob("*.json")}
    keys, signed = files["keys.json"], files["signed.json"]
    keys_v2 = {**keys, **files["keys-v2.json"]}
    cddl, cddl_v2 = CDDL.read_text(), CDDL_V2.read_text()
    motion = next(
        bytes.fromhex(vector["object"]) for vector in signed if vector["name"] == "record-motion-start"
    )
    checks: dict[str, Callable[[Tally], None]] = {
        "keys.json": lambda tally: check_keys(tally, keys),
        "signed.json": lambda tally: check_signed(tally, signed, keys),
        "bad.json": lambda tally: check_bad(tally, files["bad.json"]),
        "seal.json": lambda tally: check_seals(tally, files["seal.json"], keys),
        "messages.json": lambda tally: check_messages(tally, files["messages.json"], keys),
        "verify.json": lambda tally: check_verify(tally, files["verify.json"], signed, keys),
        "protocol.cddl": lambda tally: check_cddl(tally, cddl),
        "limits": lambda tally: check_limits(tally, motion, bytes.fromhex(keys["owner"]["seed"])),
        "ingest_example.py": check_example,
        "controls": lambda tally: check_controls(tally, files, cddl),
        "keys-v2.json": lambda tally: check_keys_v2(tally, files["keys-v2.json"]),
        "signed-v2.json": lambda tally: check_signed_v2(tally, files["signed-v2.json"], keys_v2),
        "bad-v2.json": lambda tally: check_bad_v2(tally, files["bad-v2.json"]),
        "messages-v2.json": lambda tally: check_messages_v2(tally, files["messages-v2.json"], keys),
        "verify-v2.json": lambda tally: check_verify_v2(tally, files["verify-v2.json"]),
        "orders-v2.json": lambda tally: check_orders_v2(tally, files["orders-v2.json"]),
        "protocol-v2.cddl": lambda tally: check_cddl_v2(tally, cddl_v2),
        "seal2.json": lambda tally: check_seal2(tally, files["seal2.json"]),
        "in-force.json": lambda tally: check_in_force(tally, files["in-force.json"], files["seal2.json"]),
        "evidence.json": lambda tally: check_evidence(tally, files["evidence.json"]),
        "clips.json": lambda tally: check_clips(tally, files["clips.json"]),
        "settings.json": lambda tally: check_settings(tally, files["settings.json"], files["seal2.json"]["kem"]),
        "live.json": lambda tally: check_live(tally, files["live.json"]),
        "controls of settings.json": lambda tally: control_settings(
            tally, files["settings.json"], files["seal2.json"]["kem"], control
        ),
        "controls of live.json": lambda tally: control_live(tally, files["live.json"], control),
        "controls of version 2": lambda tally: control_version2(tally, files, keys_v2, cddl_v2, control),
        "controls of in-force.json": lambda tally: control_in_force(
            tally, files["in-force.json"], files["seal2.json"], control
        ),
        "controls of clips.json": lambda tally: control_clips(tally, files["clips.json"], control),
        "controls of suite 2": lambda tally: control_sealed2(
            tally, files["seal2.json"], files["evidence.json"], control
        ),
    }
    results = [(name, Tally()) for name in checks]
    for name, tally in results:
        tally.vector(name, lambda: checks[name](tally))
    unknown = sorted(files.keys() - checks.keys())
    results[-1][1].equal("control/vector files without a check", unknown, [])
    return results


def report(results: list[tuple[str, Tally]], as_json: bool) -> int:
    """Prints the results; returns the exit code."""
    total = Tally()
    for name, tally in results:
        total.add(tally)
        if not as_json:
            print(f"{name}: {tally.passed} passed, {len(tally.failures)} failed")
    failed = len(total.failures)
    if as_json:
        print(json.dumps({"passed": total.passed, "failed": failed, "failures": total.failures}))
    else:
        for failure in total.failures:
            print(f"FAILED {failure}")
        print(f"{total.passed} passed, {failed} failed")
    return 1 if failed else 0


def main() -> int:
    """Parses the arguments and runs the tests; returns the exit code."""
    parser = argparse.ArgumentParser(description="Verifies the protocol's golden vectors.")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return report(run_all(), parser.parse_args().json)


if __name__ == "__main__":
    sys.exit(main())
