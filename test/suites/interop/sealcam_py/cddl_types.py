"""The types of a CDDL document (RFC 8610), read from its text. It understands what docs/protocol-v2.cddl uses."""

from __future__ import annotations

import re
from typing import Any

from .errors import MALFORMED, UNSUPPORTED, ProtocolError, require
from .fields import Boolean, Bytes, Field, Integer, ListOf, NamedRow, Nullable, Row, Text

TOKEN = re.compile(r'"[^"]*"|&\(|=>|\.\.|\.[a-z]+|[A-Za-z][\w-]*|-?\d+|[\[\](){}/,:?*]')
BASIC: dict[str, Field] = {"uint53": Integer(), "epoch-number": Integer(low=1), "bool": Boolean()}


class Names(Field):
    """CDDL `&(name: number, …)`. A number that is not listed is `unsupported`."""

    def __init__(self, table: dict[str, int]) -> None:
        self.numbers = table
        self.names = {number: name for name, number in table.items()}

    def read(self, value: Any) -> str:
        require(type(value) is int and value >= 0, "not a value of an enumeration")
        require(value in self.names, f"{value} is not listed", UNSUPPORTED)
        return self.names[value]

    def write(self, value: str) -> int:
        require(value in self.numbers, f"{value} is not listed")
        return self.numbers[value]


class Literal(Field):
    """A text that stands for itself."""

    def __init__(self, text: str) -> None:
        self.text = text

    def read(self, value: Any) -> str:
        require(value == self.text and type(value) is str, f"not {self.text}")
        return self.text


class KeyedMap(Field):
    """A map with its keys as they are written. Key 0 `version` is checked before everything else (§2)."""

    def __init__(self, fields: list[tuple[int, str, Field, bool]]) -> None:
        self.fields = fields

    def read(self, value: Any) -> dict[str, Any]:
        require(type(value) is dict, "not a map")
        result = {}
        for key, name, field, optional in self.fields:
            if name == "version":
                require(type(value.get(key)) is int, "no version")
                require(value[key] == field.low, f"version {value[key]}", UNSUPPORTED)
            if key in value:
                result[name] = field.read(value[key])
            else:
                require(optional, f"{name} is missing")
        require(value.keys() <= {key for key, *_ in self.fields}, "an unknown key")
        return result

    def write(self, value: dict[str, Any]) -> dict[int, Any]:
        require(value.keys() <= {name for _, name, *_ in self.fields}, "an unknown field")
        for _, name, _, optional in self.fields:
            require(optional or name in value, f"{name} is missing")
        return {key: field.write(value[name]) for key, name, field, _ in self.fields if name in value}


class Choices(Field):
    """Arrays `[number, …]`, each with the name in its comment; read as a dict with the name as `type`."""

    def __init__(self, variants: list[tuple[int, str, NamedRow]]) -> None:
        self.variants = variants

    def read(self, value: Any) -> dict[str, Any]:
        require(type(value) is list and len(value) > 0 and type(value[0]) is int, "not a message")
        number, *cells = value
        fitting = [variant for variant in self.variants if variant[0] == number]
        require(len(fitting) > 0, f"type {number}", UNSUPPORTED)
        # A claim has two shapes, which their lengths tell apart.
        _, name, row = next((variant for variant in fitting if len(variant[2].cells) == len(cells)), fitting[0])
        return {"type": name, **row.read(cells)}

    def write(self, value: dict[str, Any]) -> list[Any]:
        for number, name, row in self.variants:
            if name == value["type"]:
                return [number, *row.write(value)]
        raise ProtocolError(MALFORMED, f"no type {value['type']}")


class Document:
    """A CDDL document; `field` returns the type of a rule."""

    def __init__(self, text: str) -> None:
        self.rules = dict(re.findall(r"^([a-z0-9-]+) = (.*?)(?=\n\n|\Z)", text, re.MULTILINE | re.DOTALL))
        self.known: dict[tuple[str, bool], Field] = {}

    def field(self, name: str, named_rows: bool = False) -> Field:
        """Returns the type of a rule. With `named_rows` an array with labels is read as a dict, else as a list."""
        key = (name, named_rows)
        if key not in self.known:
            self.known[key] = Parser(self, strip_comments(self.rules[name]), named_rows).whole()
        return self.known[key]

    def choices(self, name: str) -> Choices:
        """Returns the type of a rule that lists arrays with a number and a name in a comment."""
        variants = []
        for line in self.rules[name].strip().splitlines():
            rule, _, comment = line.partition(";")
            row = Parser(self, rule.strip().removesuffix("/"), named_rows=True).numbered()
            variants.append((row[0], comment.strip(), row[1]))
        return Choices(variants)


def strip_comments(rule: str) -> str:
    """Returns a rule without comments."""
    return re.sub(r";.*", "", rule)


class Parser:
    """Reads one rule."""

    def __init__(self, document: Document, text: str, named_rows: bool) -> None:
        self.document = document
        self.named_rows = named_rows
        self.tokens = TOKEN.findall(text)
        self.at = 0
        if "".join(self.tokens) != re.sub(r"\s+", "", text):
            raise ValueError(f"not understood: {text}")

    def peek(self, ahead: int = 0) -> str:
        return self.tokens[self.at + ahead] if self.at + ahead < len(self.tokens) else ""

    def take(self, expected: str | None = None) -> str:
        token = self.peek()
        if token == "" or (expected is not None and token != expected):
            raise ValueError(f"{token} instead of {expected}")
        self.at += 1
        return token

    def whole(self) -> Field:
        field = self.type()
        if self.peek() != "":
            raise ValueError(f"{self.peek()} after a rule")
        return field

    def numbered(self) -> tuple[int, NamedRow]:
        """Reads `[number, label: type, …]`."""
        self.take("[")
        number = int(self.take())
        cells = {}
        while self.peek() == ",":
            self.take(",")
            label = self.take()
            self.take(":")
            cells[label] = self.type()
        self.take("]")
        return number, NamedRow(**cells)

    def type(self) -> Field:
        field = self.primary()
        if self.peek() == "/" and self.peek(1) == "null":
            self.take("/")
            self.take("null")
            return Nullable(field)
        return field

    def primary(self) -> Field:
        token = self.take()
        if token == "{":
            return self.map()
        if token == "[":
            return self.array()
        if token == "&(":
            return self.names()
        if token == "(":
            field = self.type()
            self.take(")")
            return field
        if token.startswith('"'):
            return Literal(token.strip('"'))
        if re.fullmatch(r"-?\d+", token):
            low = high = int(token)
            if self.peek() == "..":
                self.take("..")
                high = int(self.take())
            return Integer(low, high)
        if token in ("bytes", "text"):
            low, high = self.size()
            return Bytes(low, high) if token == "bytes" else Text(high)
        return BASIC.get(token) or self.document.field(token, self.named_rows)

    def size(self) -> tuple[int, int]:
        self.take(".size")
        if self.peek() != "(":
            size = int(self.take())
            return size, size
        self.take("(")
        low = int(self.take())
        self.take("..")
        high = int(self.take())
        self.take(")")
        return low, high

    def names(self) -> Names:
        table = {}
        while self.peek() != ")":
            name = self.take()
            self.take(":")
            table[name] = int(self.take())
            if self.peek() == ",":
                self.take(",")
        self.take(")")
        return Names(table)

    def array(self) -> Field:
        if self.peek(1) == "*":
            low = int(self.take())
            self.take("*")
            high = int(self.take())
            inner = self.type()
            self.take("]")
            return ListOf(low, high, inner)
        labels, cells = [], []
        while self.peek() != "]":
            if self.peek(1) == ":":
                labels.append(self.take())
                self.take(":")
            cells.append(self.type())
            if self.peek() == ",":
                self.take(",")
        self.take("]")
        return NamedRow(**dict(zip(labels, cells))) if labels and self.named_rows else Row(*cells)

    def map(self) -> KeyedMap:
        fields = []
        while self.peek() != "}":
            optional = self.peek() == "?"
            if optional:
                self.take("?")
            self.take("&(")
            name = self.take()
            self.take(":")
            key = int(self.take())
            self.take(")")
            self.take("=>")
            fields.append((key, name, self.type(), optional))
            self.take(",")
        self.take("}")
        return KeyedMap(fields)
