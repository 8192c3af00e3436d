"""Counts tests, and reads and alters vectors for all checks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sealcam_py.errors import ProtocolError

Vector = dict[str, Any]


class Tally:
    """Counts tests and keeps the failures as readable lines."""

    def __init__(self) -> None:
        self.passed = 0
        self.failures: list[str] = []

    def true(self, name: str, condition: bool, detail: str) -> None:
        """One test: the condition holds. `detail` describes the failure."""
        if condition:
            self.passed += 1
        else:
            self.failures.append(f"{name}: {detail}")

    def equal(self, name: str, actual: Any, expected: Any) -> None:
        """One test: both are equal."""
        self.true(name, actual == expected, f"{actual!s:.100} instead of {expected!s:.100}")

    def refused(self, name: str, code: str, action: Callable[[], Any]) -> None:
        """One test: the action is refused with exactly this error code."""
        try:
            action()
        except ProtocolError as error:
            self.equal(name, error.code, code)
        else:
            self.true(name, False, f"accepted instead of {code}")

    def vector(self, name: str, check: Callable[[], None]) -> None:
        """Runs the tests of one vector. An exception that no test expects is a failure of that vector."""
        try:
            check()
        except Exception as error:  # a crash on one vector must not hide the others
            self.failures.append(f"{name}: {type(error).__name__}: {error}")

    def add(self, other: Tally) -> None:
        """Adds the counts and failures of another tally."""
        self.passed += other.passed
        self.failures += other.failures


def to_json(value: Any) -> Any:
    """Returns a decoded value as the vectors write it: bytes as lower-case hex, everything else unchanged."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return {name: to_json(item) for name, item in value.items()}
    if isinstance(value, list):
        return [to_json(item) for item in value]
    return value


def unhex(text: str | None) -> bytes | None:
    """Returns bytes from hex; None stays None."""
    return None if text is None else bytes.fromhex(text)


def without(value: Vector, name: str) -> Vector:
    """Returns a copy of a dict without one name."""
    return {key: item for key, item in value.items() if key != name}


def plant(vector: Vector, field: str, index: int = -1) -> Vector:
    """Returns a copy of a vector whose hex field has the lowest bit of one byte flipped."""
    data = bytearray.fromhex(vector[field])
    data[index] ^= 1
    return {**vector, field: data.hex()}
