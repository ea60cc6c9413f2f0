"""The disk of a simulator process: an append-only file of entities, one frame for all that one request has changed.

A frame is four bytes of length, four of CRC-32, and MessagePack. It is handed to the operating system before the
request is answered, so a killed process loses nothing that it has answered; a torn last frame is cut off at the start.
"""

import io
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from agentmessage.simulator.core.entities import (
    Application,
    Brand,
    Campaign,
    Entity,
    Line,
    LineOrder,
    NumberOrder,
    Shelf,
    Subscription,
    Webhook,
)
from agentmessage.simulator.core.shared_state import ChangeKey, identity
from agentmessage.simulator.storage.frames import read_frames, write_frame

_TYPES: Mapping[str, type[Entity]] = {
    "line": Line,
    "shelf": Shelf,
    "line_order": LineOrder,
    "number_order": NumberOrder,
    "brand": Brand,
    "campaign": Campaign,
    "subscription": Subscription,
    "webhook": Webhook,
    "application": Application,
}
_Row = tuple[str, str, str, bytes | None]

_encoder = msgspec.msgpack.Encoder()
_rows = msgspec.msgpack.Decoder(list[_Row])

_LEAST_COMPACTION_BYTES = 16 * 1024 * 1024
_ROWS_PER_FRAME = 10_000


class Journal:
    """Keeps a world on disk."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: io.FileIO | None = None
        self._size = 0
        self._compact_above = _LEAST_COMPACTION_BYTES

    def load(self) -> list[tuple[str, Entity]]:
        """Open the file, read every entity, and leave it compact. Raises msgspec.DecodeError on a foreign file."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        latest: dict[tuple[str, str, str], bytes] = {}
        content = self._path.read_bytes() if self._path.exists() else b""
        for frame in read_frames(content):
            for account, kind, key, body in _rows.decode(frame):
                if body is None:
                    latest.pop((account, kind, key), None)
                else:
                    latest[account, kind, key] = body
        entities = [
            (account, msgspec.msgpack.decode(body, type=_TYPES[kind])) for (account, kind, _), body in latest.items()
        ]
        self.compact(entities)
        return entities

    def append(self, changes: Mapping[ChangeKey, Entity | None]) -> bool:
        """Write what has changed; answers whether the file has grown so far that it should be compacted."""
        rows: list[_Row] = [
            (account, kind, key, None if entity is None else _encoder.encode(entity))
            for (account, kind, key), entity in changes.items()
        ]
        if self._file is None:
            raise RuntimeError("the journal is not open")
        self._size += _write(self._file, rows)
        return self._size > self._compact_above

    def compact(self, entities: Iterable[tuple[str, Entity]]) -> None:
        """Replace the file by one that holds every entity once."""
        fresh = self._path.with_suffix(".new")
        size = 0
        with fresh.open("wb", buffering=0) as file:
            rows: list[_Row] = []
            for account, entity in entities:
                rows.append((account, *identity(entity), _encoder.encode(entity)))
                if len(rows) == _ROWS_PER_FRAME:
                    size += _write(file, rows)
                    rows = []
            size += _write(file, rows)
            os.fsync(file.fileno())
        self.close()
        fresh.replace(self._path)
        self._file = self._path.open("ab", buffering=0)
        self._size = size
        self._compact_above = max(_LEAST_COMPACTION_BYTES, 4 * size)

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None


def _write(file: io.FileIO, rows: list[_Row]) -> int:
    return write_frame(file, _encoder.encode(rows)) if rows else 0
