"""Version 2: the kinds and messages of docs/protocol-v2.cddl (§17)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from . import cose, rules, rules2
from .cbor import MAX_HEADS, MAX_MESSAGE, decode_cbor, encode_cbor
from .cddl_types import Document
from .cose import Kind, Signed
from .errors import COMMAND_REFUSED, MALFORMED, ProtocolError, require
from .fields import Field

CDDL = Path(__file__).resolve().parents[4] / "docs" / "protocol-v2.cddl"
MAX_LOOK = 2_048
MAX_SETTINGS = 65_536

DOCUMENT = Document(CDDL.read_text())

CHECKS = {
    "record": rules2.check_record,
    "offer": rules.check_offer,
    "claim": rules2.check_claim,
    "receipt": rules.check_receipt,
    "command": rules2.check_command,
    "member": rules2.check_member,
    "heads": rules.check_heads,
    "look": rules2.check_look,
    "media-receipt": rules2.check_media_receipt,
    "settings": rules2.check_settings,
}
LIMITS = {"heads": MAX_HEADS, "look": MAX_LOOK, "settings": MAX_SETTINGS}


def kinds_of(document: Document) -> dict[str, Kind]:
    """Returns the kinds of version 2 as a document defines them."""
    return {
        name: Kind(f"sealcam/{name}/v1", document.field(name), check, LIMITS.get(name, cose.MAX_SIGNED))
        for name, check in CHECKS.items()
    }


class EitherVersion(Field):
    """A map of version 2, or else of version 1, which then reports any third version as `unsupported`."""

    def __init__(self, one: Field, two: Field) -> None:
        self.one = one
        self.two = two

    def read(self, value: Any) -> Any:
        is_two = type(value) is dict and value.get(0) == 2
        return (self.two if is_two else self.one).read(value)


def either(one: Kind, two: Kind) -> Kind:
    """Returns the kind that opens objects of both versions."""

    def check(value: dict[str, Any], kid: bytes) -> None:
        (two if value.get("version") == 2 else one).check(value, kid)

    return Kind(one.domain, EitherVersion(one.schema, two.schema), check, one.limit)


KINDS_2 = kinds_of(DOCUMENT)
EITHER = {name: either(cose.KINDS[name], kind) for name, kind in KINDS_2.items() if name in cose.KINDS}
EITHER["media-receipt"] = KINDS_2["media-receipt"]

MESSAGES = {leaf: DOCUMENT.choices(f"{leaf}-message") for leaf in ("up", "down", "status", "live")}
# A claim with KEM keys, and an offer in both versions, are messages of the same type with one part more, of this name.
LONGER = {"claim": ("claim-v2", "kemKeys"), "offer": ("offer-both", "offerV2")}


def read_message(leaf: str, payload: bytes) -> dict[str, Any]:
    """Decodes the payload of a topic with this leaf; nothing inside is verified."""
    message = MESSAGES[leaf].read(decode_cbor(payload, MAX_MESSAGE))
    shorter = {longer: name for name, (longer, _) in LONGER.items()}
    return {**message, "type": shorter.get(message["type"], message["type"])}


def write_message(leaf: str, message: dict[str, Any]) -> bytes:
    """Encodes a message; the inverse of `read_message`."""
    name = message["type"]
    longer, part = LONGER.get(name, (name, ""))
    return encode_cbor(MESSAGES[leaf].write({**message, "type": longer if part in message else name}))


def check_kem_keys(claim: dict[str, Any], keys: list[bytes]) -> None:
    """The KEM keys beside a claim: one for each recipient, in their order, each with the hash that is named."""
    hashes = [rules2.sha256(key) for key in keys]
    if hashes != [recipient["kem"] for recipient in claim["recipients"]]:
        raise ProtocolError(MALFORMED, "not the KEM keys that the claim names")


def check_order(order: Signed, claim: Signed) -> None:
    """Who may give an order (§12, §17), and that it is of this claim and its version."""
    value, owned, kid = order.value, claim.value, order.envelope.kid
    if owned.get("version", 1) == 1 or value["action"] == "release":
        signers = [owned["ownerKey"]]
    else:
        signers = [recipient["ed25519"] for recipient in owned["recipients"] if recipient["role"] == "owner"]
    require(kid in signers, "not by who may give it", COMMAND_REFUSED)
    for name, expected in (("device", owned["device"]), ("epoch", owned["epoch"]), ("claimHash", claim.hash)):
        require(value[name] == expected, f"{name} is not the claim's", COMMAND_REFUSED)
    require(value.get("version", 1) == owned.get("version", 1), "not the version of the epoch")
