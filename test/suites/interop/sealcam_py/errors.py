"""The error codes and verdicts of §11, and the exception that carries them."""

from __future__ import annotations

# Error codes of decoding.
MALFORMED = "malformed"
BAD_SIGNATURE = "bad-signature"
UNSUPPORTED = "unsupported"
FOREIGN = "foreign"
SEAL_REFUSED = "seal-refused"
NOT_SEALED_TO_YOU = "not-sealed-to-you"

# An order by somebody who may not give it (§17).
COMMAND_REFUSED = "command-refused"

# People type claim codes, so they have an error code of their own (§13).
CLAIM_CODE_INVALID = "claim-code-invalid"

# Verdicts that need the store.
INTACT = "intact"
PENDING = "pending"
GAP = "gap"
MEDIA_MISSING = "media-missing"
DUPLICATE = "duplicate"
EQUIVOCATION = "equivocation"
REVOKED = "revoked"


class ProtocolError(Exception):
    """A refusal. `code` is the documented error code; the message describes the fault."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code

    @property
    def verdict(self) -> str:
        """The verdict of §11 that the code belongs to."""
        return MALFORMED if self.code in (BAD_SIGNATURE, SEAL_REFUSED) else self.code


def require(condition: bool, detail: str, code: str = MALFORMED) -> None:
    """Refuses with `code` unless the condition holds."""
    if not condition:
        raise ProtocolError(code, detail)
