"""Cuts a stream of octets into whole PDUs, however they arrive."""

from agentmessage.smpp.errors import MalformedPdu
from agentmessage.smpp.pdu import HEADER_BYTES, MAX_PDU_BYTES, Status

LENGTH_BYTES = 4


class Framer:
    """Holds what has come and not yet been taken. Costs in proportion to the octets, also one octet at a time."""

    def __init__(self, *, max_pdu_bytes: int = MAX_PDU_BYTES) -> None:
        self._max_pdu_bytes = max_pdu_bytes
        self._ready = b""
        self._at = 0
        self._rest = bytearray()
        self._needed = LENGTH_BYTES

    @property
    def is_within_pdu(self) -> bool:
        """Whether a part of a PDU waits for the rest."""
        return bool(self._rest)

    def append(self, octets: bytes) -> None:
        """Add what has just been received."""
        if self._rest:
            self._rest += octets
            if len(self._rest) < self._needed:
                return
            octets = bytes(self._rest)
            self._rest.clear()
        elif self._at < len(self._ready):
            octets = self._ready[self._at :] + octets
        self._ready, self._at = octets, 0

    def next(self) -> bytes | None:
        """The next whole PDU, or None until more has come.

        Raises MalformedPdu where command_length is none: nothing after it can be found again, so the connection ends.
        """
        ready, at = self._ready, self._at
        held = len(ready) - at
        if not held:
            return None
        length = int.from_bytes(ready[at : at + 4], "big")
        if held >= LENGTH_BYTES and not HEADER_BYTES <= length <= self._max_pdu_bytes:
            raise MalformedPdu(Status.INVALID_COMMAND_LENGTH, f"command_length is {length}")
        if held < LENGTH_BYTES or length > held:
            self._rest += memoryview(ready)[at:]
            self._needed = length if held >= LENGTH_BYTES else LENGTH_BYTES
            self._ready, self._at = b"", 0
            return None
        self._at = at + length
        return ready[at : at + length]
