"""The disk of texts: an append-only file of frames, each a list of records, in the order in which they came to be.

It is a file of its own because it grows with every text, while the rest of a world is rewritten now and then. What is
older than the texts that the book remembers is left out at a start.
"""

import io
import os
from collections.abc import Sequence
from pathlib import Path

import msgspec

from agentmessage.simulator.messaging.history import MOST_KEPT
from agentmessage.simulator.messaging.records import Ended, Kept, Record, Said, Settled
from agentmessage.simulator.storage.frames import read_frames, write_frame

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(list[Record])
_RECORDS_PER_FRAME = 10_000


class TextJournal:
    """Keeps texts on disk."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: io.FileIO | None = None

    def load(self) -> list[Record]:
        """Open the file and read it, cut to what is remembered. Raises msgspec.DecodeError on a foreign file."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        content = self._path.read_bytes() if self._path.exists() else b""
        records = [record for frame in read_frames(content) for record in _decoder.decode(frame)]
        kept = _recent(records)
        self._rewrite(kept)
        return kept

    def append(self, records: Sequence[Record]) -> None:
        """Write what has happened; when it returns, a killed process loses nothing of it."""
        if self._file is None:
            raise RuntimeError("the journal is not open")
        write_frame(self._file, _encoder.encode(records))

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _rewrite(self, records: Sequence[Record]) -> None:
        """Replace the file, so that a torn frame at its end does not hide those that come after."""
        fresh = self._path.with_suffix(".new")
        with fresh.open("wb", buffering=0) as file:
            for start in range(0, len(records), _RECORDS_PER_FRAME):
                write_frame(file, _encoder.encode(records[start : start + _RECORDS_PER_FRAME]))
            os.fsync(file.fileno())
        fresh.replace(self._path)
        self._file = self._path.open("ab", buffering=0)


def _recent(records: list[Record]) -> list[Record]:
    """Without those of the oldest serials, when there are too many."""
    serials = [record.serial for record in records if isinstance(record, Kept)]
    if len(serials) <= MOST_KEPT:
        return records
    first = serials[-MOST_KEPT]
    return [record for record in records if _serial_of(record) >= first]


def _serial_of(record: Record) -> int:
    match record:
        case Kept(serial) | Ended(serial) | Settled(serial):
            return serial
        case Said(inbound):
            return inbound.serial
