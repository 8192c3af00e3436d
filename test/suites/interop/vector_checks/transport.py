"""seal.json and messages.json: sealed objects, MQTT messages and topics."""

from __future__ import annotations

from sealcam_py.messages import format_topic, parse_topic, read_message, write_message
from sealcam_py.primitives import sha256
from sealcam_py.seal import SealContext, header_mac, make_plaintext, open_seal, parse_header, seal_body

from .tally import Tally, Vector, to_json, without


def check_seals(tally: Tally, vectors: Vector, keys: Vector) -> None:
    """All of seal.json."""
    good = {vector["name"]: vector for vector in vectors["good"]}
    for vector in vectors["good"]:
        tally.vector(f"seal/{vector['name']}", lambda: check_good_seal(tally, vector, keys))
    for vector in vectors["bad"]:
        of = good[vector["of"]]
        tally.vector(f"seal/{vector['name']}", lambda: check_bad_seal(tally, vector, of, keys))


def seal_context(context: Vector) -> SealContext:
    """Returns the context of a seal vector."""
    return SealContext(
        device=bytes.fromhex(context["device"]),
        account=bytes.fromhex(context["account"]),
        epoch=context["epoch"],
        claim_hash=bytes.fromhex(context["claimHash"]),
        event_id=bytes.fromhex(context["eventId"]),
        media_id=bytes.fromhex(context["mediaId"]),
    )


def check_good_seal(tally: Tally, vector: Vector, keys: Vector) -> None:
    """One seal: its hashes, opened as every recipient, and everything but the random wraps rebuilt from K."""
    name = f"seal/{vector['name']}"
    header, body, key = (bytes.fromhex(vector[field]) for field in ("header", "body", "key"))
    context = seal_context(vector["context"])
    tally.equal(f"{name}/contextHash", context.hash().hex(), vector["contextHash"])
    tally.equal(f"{name}/headerHash", sha256(header).hex(), vector["headerHash"])
    tally.equal(f"{name}/bodyHash", sha256(body).hex(), vector["bodyHash"])
    for index, recipient in enumerate(vector["recipients"]):
        opened = open_seal(header, body, context, bytes.fromhex(keys[recipient]["x25519Secret"]))
        tally.equal(f"{name}/{recipient}/wrap", opened.wrap, index)
        tally.equal(f"{name}/{recipient}/key", opened.key, key)
        tally.equal(f"{name}/{recipient}/plaintext", opened.plaintext.hex(), vector["plaintext"])
        tally.equal(f"{name}/{recipient}/content", to_json(opened.content), vector["content"])
        tally.equal(f"{name}/{recipient}/padded again", make_plaintext(opened.content), opened.plaintext)
    tally.equal(f"{name}/sealed again", seal_body(bytes.fromhex(vector["plaintext"]), key), body)
    wraps, mac = parse_header(header)
    tally.equal(f"{name}/MAC again", header_mac(key, wraps), mac)


def check_bad_seal(tally: Tally, vector: Vector, good: Vector, keys: Vector) -> None:
    """One altered seal, refused with exactly its code. `vector` holds what differs from `good`."""
    altered = {**good, **vector}
    header, body = bytes.fromhex(altered["header"]), bytes.fromhex(altered["body"])
    if "bodySlices" in vector:
        body = b"".join(body[start:end] for start, end in vector["bodySlices"])
    context = seal_context(altered["context"])
    secret = bytes.fromhex(keys[vector["recipient"]]["x25519Secret"])
    tally.refused(
        f"seal/{vector['name']}", vector["expect"], lambda: open_seal(header, body, context, secret)
    )


def check_messages(tally: Tally, vectors: Vector, keys: Vector) -> None:
    """All of messages.json."""
    for vector in vectors["good"]:
        tally.vector(f"messages/{vector['name']}", lambda: check_message(tally, vector, keys))
    for vector in vectors["bad"]:
        tally.vector(f"messages/{vector['name']}", lambda: check_bad_message(tally, vector))
    for vector in vectors["badTopics"]:
        tally.vector(f"messages/{vector['topic']}", lambda: check_bad_topic(tally, vector))


def check_message(tally: Tally, vector: Vector, keys: Vector) -> None:
    """One message: its topic, its value, and its bytes encoded again."""
    name = f"messages/{vector['name']}"
    device, leaf = parse_topic(vector["topic"])
    message = read_message(leaf, bytes.fromhex(vector["payload"]))
    # The vectors omit the type where a topic has only one.
    shown = without(message, "type") if leaf == "status" else message
    tally.equal(f"{name}/device", device.hex(), keys["ids"]["deviceId"])
    tally.equal(f"{name}/topic again", format_topic(device, leaf), vector["topic"])
    tally.equal(f"{name}/message", to_json(shown), vector["message"])
    tally.equal(f"{name}/payload again", write_message(leaf, message).hex(), vector["payload"])


def check_bad_message(tally: Tally, vector: Vector) -> None:
    """One payload that must be refused, with exactly its error code; `leaf` is the end of its topic."""
    payload = bytes.fromhex(vector["payload"])
    tally.refused(
        f"messages/{vector['name']}", vector["expect"], lambda: read_message(vector["leaf"], payload)
    )


def check_bad_topic(tally: Tally, vector: Vector) -> None:
    """One topic that must be refused."""
    tally.refused(f"messages/{vector['topic']}", vector["expect"], lambda: parse_topic(vector["topic"]))
