#!/usr/bin/python3
"""Opens a session with a cloud and lists what its key may read: docs/cloud.md, "Reading".

    read_example.py CLOUD_ORIGIN PAGE_ORIGIN SEEDHEX     SEEDHEX: the 32-byte Ed25519 seed of an owner or member

Prints {"key", "cameras": [{"device", "epoch", "highestSeq"}]} as JSON. Exit code: 0 done, 1 refused, 2 usage.
"""

from __future__ import annotations

import base64
import json
import sys
import urllib.error
import urllib.request
from typing import Any

sys.dont_write_bytecode = True
from sealcam_py import cose  # noqa: E402

Json = dict[str, Any]
TIMEOUT_S = 10


def request(origin: str, path: str, body: Json | None = None, token: str | None = None) -> Json:
    """Sends one request, a POST if it has a body. Raises urllib.error.HTTPError if the cloud refuses."""
    headers = {"content-type": "application/json"}
    if token is not None:
        headers["authorization"] = f"Bearer {token}"
    data = None if body is None else json.dumps(body).encode()
    call = urllib.request.Request(origin + path, data=data, headers=headers)
    with urllib.request.urlopen(call, timeout=TIMEOUT_S) as answer:
        return json.load(answer)


def open_session(origin: str, page_origin: str, seed: bytes) -> Json:
    """Signs the cloud's challenge; returns its answer {"token", "key", "expiresAtMs"}."""
    challenge = request(origin, "/v1/session/challenge", {})
    if challenge["cloudOrigin"] != origin:
        raise ValueError(f"a challenge from {challenge['cloudOrigin']}")
    value = {
        "cloudOrigin": origin,
        "pageOrigin": page_origin,
        "nonce": bytes.fromhex(challenge["nonce"]),
        "expiresAtMs": challenge["expiresAtMs"],
    }
    signed = cose.sign("session", value, seed)
    return request(origin, "/v1/session", {"session": base64.b64encode(signed).decode()})


def main() -> int:
    """Runs the command line; returns the exit code."""
    try:
        origin, page_origin, seed = sys.argv[1], sys.argv[2], bytes.fromhex(sys.argv[3])
    except (IndexError, ValueError):
        print(__doc__, file=sys.stderr)
        return 2
    try:
        session = open_session(origin, page_origin, seed)
        cameras = request(origin, "/v1/cameras", token=session["token"])["cameras"]
    except urllib.error.HTTPError as refusal:
        print(refusal.read().decode())
        return 1
    listed = [{name: camera[name] for name in ("device", "epoch", "highestSeq")} for camera in cameras]
    print(json.dumps({"key": session["key"], "cameras": listed}, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
