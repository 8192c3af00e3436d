"""Compares docs/protocol.cddl with the tables of `sealcam_py`, written as CDDL. The vectors alone do not cover
every length limit and every name of an enumeration."""

from __future__ import annotations

import re

from sealcam_py import objects, seal
from sealcam_py.cbor import MAX_INTEGER
from sealcam_py.fields import (
    Boolean,
    Bytes,
    Enumeration,
    Field,
    Integer,
    ListOf,
    Map,
    NamedRow,
    Nullable,
    Optional,
    Row,
    Text,
    VersionedMap,
)
from sealcam_py.messages import MESSAGES, Message

from .tally import Tally

RULES: dict[str, Field] = {
    "record-time": objects.RECORD_TIME,
    "record-event": objects.RECORD_EVENT,
    "record-media": objects.RECORD_MEDIA,
    "record-loss": objects.RECORD_LOSS,
    "record-health": objects.RECORD_HEALTH,
    "record-command": objects.RECORD_COMMAND,
    "record-scene": objects.RECORD_SCENE,
    "record-tombstone": objects.RECORD_TOMBSTONE,
    "record": objects.RECORD,
    "offer": objects.OFFER,
    "claim-recipients": objects.CLAIM_RECIPIENT,
    "claim": objects.CLAIM,
    "receipt-pacing": objects.RECEIPT_PACING,
    "receipt": objects.RECEIPT,
    "command-zones": objects.COMMAND_ZONE,
    "command": objects.COMMAND,
    "session": objects.SESSION,
    "revocation-entries": objects.REVOCATION_ENTRY,
    "revocation": objects.REVOCATION,
    "unlock": objects.UNLOCK,
    "member": objects.MEMBER,
    "heads": objects.HEADS,
    "deletion": objects.DELETION,
    "floor": objects.FLOOR,
    "seal-header": seal.HEADER,
    "sealed-content-detail": seal.DETAIL,
    "sealed-content": seal.CONTENT,
    "up-message": MESSAGES["up"],
    "down-message": MESSAGES["down"],
    "status-message": MESSAGES["status"],
}
NAMES = {id(field): name for name, field in RULES.items()}

# These are code in cose.py, or aliases.
NOT_TABLES = {"uint53", "epoch-number", "signed-object", "protected-header", "payload"}

ROW_LABELS = r"\b(from|to|hash|seq|code|device|epoch): "  # labels of arrays that are read as lists (§14)


def check_cddl(tally: Tally, document: str) -> None:
    """Every rule of the document equals the rule of this implementation."""
    rules = dict(re.findall(r"^([a-z0-9-]+) = (.*?)(?=\n\n|\Z)", document, re.MULTILINE | re.DOTALL))
    tally.equal("cddl/rules", rules.keys(), RULES.keys() | NOT_TABLES)
    for name, field in RULES.items():
        tally.equal(f"cddl/{name}", normalize(write_rule(field)), normalize(rules[name]))


def normalize(text: str) -> str:
    """Returns CDDL without line breaks, indentation, and labels that are not names."""
    return re.sub(ROW_LABELS, "", " ".join(text.split()))


def write_rule(field: Field) -> str:
    """Returns the right side of a rule. The names of a map's fields and of messages are comments in the document."""
    if isinstance(field, Message):
        numbered = enumerate(field.variants, start=1)
        lines = [f"[{', '.join([str(key), *write_cells(row)])}] / ; {name}" for key, (name, row) in numbered]
        return " ".join([*lines[:-1], lines[-1].replace(" / ;", " ;")])
    if not isinstance(field, Map):
        return write_type(field)
    lines = ["0: 1, ; version"] if isinstance(field, VersionedMap) else []
    for key, (name, inner) in enumerate(field.fields.items(), start=field.first_key):
        lines.append(f"{'? ' * isinstance(inner, Optional)}{key}: {write_type(inner)}, ; {name}")
    return " ".join(["{", *lines, "}"])


def write_cells(row: NamedRow) -> list[str]:
    """Returns the labelled places of an array. A map in one of them is written as its rule's name."""
    return [f"{name}: {write_type(cell)}" for name, cell in row.cells.items()]


def write_type(field: Field) -> str:
    """Returns a type inside a rule."""
    match field:
        case Map():
            return NAMES[id(field)]
        case Optional(inner):
            return write_type(inner)
        case Nullable(NamedRow() as inner):
            return f"({write_type(inner)} / null)"
        case Nullable(inner):
            return f"{write_type(inner)} / null"
        case Boolean():
            return "bool"
        case Integer(low, high):
            return {(0, MAX_INTEGER): "uint53", (1, MAX_INTEGER): "epoch-number"}.get(
                (low, high), str(low) if low == high else f"{low}..{high}"
            )
        case Bytes(low, high):
            return f"bytes .size {low if low == high else f'({low}..{high})'}"
        case Text(high):
            return f"text .size (0..{high})"
        case Enumeration():
            return f"&({', '.join(f'{name}: {number}' for number, name in enumerate(field.names))})"
        case ListOf(low, high, inner):
            return f"[{low}*{high} {write_type(inner)}]"
        case Row():
            return f"[{', '.join(write_type(cell) for cell in field.cells)}]"
        case NamedRow():
            return f"[{', '.join(write_cells(field))}]"
    raise TypeError(f"no CDDL for {field}")
