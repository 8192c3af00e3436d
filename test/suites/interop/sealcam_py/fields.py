"""The types of the CDDL. Each refuses what §2 requires it to refuse.

`read` turns a CBOR value into a value with names; `write` is the inverse. Maps and arrays are read in the order
of the CDDL, because the first fault found decides between `malformed` and `unsupported`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from .cbor import MAX_INTEGER
from .errors import UNSUPPORTED, require

VERSION = 1


class Field:
    """A CDDL type. Most types have the same form on both sides, so `write` is `read` unless a subclass differs."""

    def read(self, value: Any) -> Any:
        """Checks a CBOR value; returns it with names."""
        raise NotImplementedError

    def write(self, value: Any) -> Any:
        """Returns the CBOR value of a value with names."""
        return self.read(value)


@dataclass(frozen=True)
class Integer(Field):
    """An integer in [low, high]; the default is CDDL `uint53`."""

    low: int = 0
    high: int = MAX_INTEGER

    def read(self, value: Any) -> int:
        # `type() is int` and not isinstance: True is an int in Python, but not in CBOR.
        require(type(value) is int and self.low <= value <= self.high, "not an integer of this range")
        return value


class Boolean(Field):
    """`true` or `false`."""

    def read(self, value: Any) -> bool:
        require(type(value) is bool, "not a boolean")
        return value


@dataclass(frozen=True)
class Bytes(Field):
    """A byte string of low to high bytes."""

    low: int
    high: int

    def read(self, value: Any) -> bytes:
        require(type(value) is bytes and self.low <= len(value) <= self.high, "not bytes of this length")
        return value


@dataclass(frozen=True)
class Text(Field):
    """Text of at most `high` bytes of UTF-8, without control characters and without a byte order mark."""

    high: int

    def read(self, value: Any) -> str:
        require(type(value) is str and len(value.encode()) <= self.high, "not text of this length")
        require(not re.search(r"[\x00-\x1f\x7f]|\A\ufeff", value), "a control character or byte order mark")
        return value


class Enumeration(Field):
    """CDDL `&(…)`. All enumerations count from 0 without gaps, so the n-th name belongs to n."""

    def __init__(self, *names: str) -> None:
        self.names = names

    def read(self, value: Any) -> str:
        require(type(value) is int and value >= 0, "not a value of an enumeration")
        require(value < len(self.names), f"{value} is not one of {self.names}", UNSUPPORTED)
        return self.names[value]

    def write(self, value: str) -> int:
        require(value in self.names, f"{value} is not one of {self.names}")
        return self.names.index(value)


@dataclass(frozen=True)
class Nullable(Field):
    """CDDL `inner / null`."""

    inner: Field

    def read(self, value: Any) -> Any:
        return None if value is None else self.inner.read(value)

    def write(self, value: Any) -> Any:
        return None if value is None else self.inner.write(value)


@dataclass(frozen=True)
class Optional(Field):
    """CDDL `? key: inner`: the map may omit the key. Only Map reads this."""

    inner: Field

    def read(self, value: Any) -> Any:
        return self.inner.read(value)

    def write(self, value: Any) -> Any:
        return self.inner.write(value)


@dataclass(frozen=True)
class ListOf(Field):
    """CDDL `[low*high inner]`."""

    low: int
    high: int
    inner: Field

    def read(self, value: Any) -> list[Any]:
        require(type(value) is list and self.low <= len(value) <= self.high, "not a list of this length")
        return [self.inner.read(item) for item in value]

    def write(self, value: list[Any]) -> list[Any]:
        return [self.inner.write(item) for item in value]


class Row(Field):
    """An array of fixed length such as `[from, to, hash]`; it stays a list."""

    def __init__(self, *cells: Field) -> None:
        self.cells = cells

    def read(self, value: Any) -> list[Any]:
        require(type(value) is list and len(value) == len(self.cells), "not an array of this length")
        return [cell.read(item) for cell, item in zip(self.cells, value)]

    def write(self, value: list[Any]) -> list[Any]:
        return [cell.write(item) for cell, item in zip(self.cells, value)]


class NamedRow(Field):
    """An array of fixed length whose places have labels; read as a dict by label."""

    def __init__(self, **cells: Field) -> None:
        self.cells = cells

    def read(self, value: Any) -> dict[str, Any]:
        require(type(value) is list and len(value) == len(self.cells), "not an array of this length")
        return {name: cell.read(item) for (name, cell), item in zip(self.cells.items(), value)}

    def write(self, value: dict[str, Any]) -> list[Any]:
        return [cell.write(value[name]) for name, cell in self.cells.items()]


class Map(Field):
    """A CDDL map; read as a dict by name. All maps count their keys without gaps, so positions are keys."""

    first_key = 0

    def __init__(self, fields: dict[str, Field]) -> None:
        self.fields = fields

    def read(self, value: Any) -> dict[str, Any]:
        require(type(value) is dict, "not a map")
        result = {}
        for key, (name, field) in enumerate(self.fields.items(), start=self.first_key):
            if key in value:
                result[name] = field.read(value[key])
            else:
                require(isinstance(field, Optional), f"{name} is missing")
        require(max(value, default=0) < self.first_key + len(self.fields), "an unknown key")
        return result

    def write(self, value: dict[str, Any]) -> dict[int, Any]:
        require(value.keys() <= self.fields.keys(), "an unknown field")
        for name, field in self.fields.items():
            require(name in value or isinstance(field, Optional), f"{name} is missing")
        numbered = enumerate(self.fields.items(), start=self.first_key)
        return {key: field.write(value[name]) for key, (name, field) in numbered if name in value}


class VersionedMap(Map):
    """A map with key 0 `version`. The version is checked first and is not part of the value with names."""

    first_key = 1

    def read(self, value: Any) -> dict[str, Any]:
        require(type(value) is dict and type(value.get(0)) is int, "no version")
        require(value[0] == VERSION, f"version {value[0]}", UNSUPPORTED)
        return super().read(value)

    def write(self, value: dict[str, Any]) -> dict[int, Any]:
        return {0: VERSION, **super().write(value)}
