"""What a simulator process stores, in one SQLite file.

`write_entities` and `write_messages` commit before they return: a response that is sent afterwards survives `kill -9`.
A power failure may lose the last commits, and leaves a readable file.
"""

import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from agentmessage.simulator.core.entities import Entity
from agentmessage.simulator.core.shared_state import KINDS, ChangeKey
from agentmessage.simulator.messaging.history import MAX_KEPT
from agentmessage.simulator.messaging.records import Record

FILE_NAME = "simulator.sqlite3"

SCHEMA = """
CREATE TABLE IF NOT EXISTS entities (
    id INTEGER PRIMARY KEY,  -- the order in which they were made, which lists keep
    account TEXT NOT NULL,
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    body BLOB NOT NULL,  -- MessagePack
    UNIQUE (account, kind, key)
);
CREATE TABLE IF NOT EXISTS message_records (
    id INTEGER PRIMARY KEY,
    last_serial INTEGER NOT NULL,
    records BLOB NOT NULL  -- MessagePack; what one commit wrote
);
"""

_TYPES = {kind: entity_type for entity_type, kind in KINDS.items()}

_encode = msgspec.msgpack.Encoder().encode
_decode_records = msgspec.msgpack.Decoder(list[Record]).decode


class Storage:
    """The file of one simulator process, which locks it."""

    def __init__(self, directory: Path, *, max_messages: int = MAX_KEPT) -> None:
        """Open or create the file. Raises sqlite3.Error where it is no such file, or another process holds it."""
        self._max_messages = max_messages
        directory.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(directory / FILE_NAME, timeout=1.0, isolation_level=None)
        try:
            self._db.execute("PRAGMA locking_mode = EXCLUSIVE")
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = NORMAL")
            self._db.executescript(SCHEMA)
        except sqlite3.Error:
            self._db.close()
            raise

    def entities(self) -> list[tuple[str, Entity]]:
        """Every entity with its account. Raises msgspec.DecodeError on a body that this version cannot read."""
        rows = self._db.execute("SELECT account, kind, body FROM entities ORDER BY id")
        return [(account, msgspec.msgpack.decode(body, type=_TYPES[kind])) for account, kind, body in rows]

    def message_records(self) -> list[Record]:
        """What happened to the newest messages, in order; what is older is deleted."""
        self._db.execute(
            "DELETE FROM message_records WHERE last_serial <= (SELECT max(last_serial) FROM message_records) - ?",
            [self._max_messages],
        )
        rows = self._db.execute("SELECT records FROM message_records ORDER BY id")
        return [record for (body,) in rows for record in _decode_records(body)]

    def write_entities(self, changes: Mapping[ChangeKey, Entity | None]) -> None:
        """Store what has changed; None deletes."""
        with self._db as db:
            db.execute("BEGIN")
            db.executemany(
                "DELETE FROM entities WHERE account = ? AND kind = ? AND key = ?",
                [key for key, entity in changes.items() if entity is None],
            )
            db.executemany(
                "INSERT INTO entities (account, kind, key, body) VALUES (?, ?, ?, ?)"
                " ON CONFLICT (account, kind, key) DO UPDATE SET body = excluded.body",
                [(*key, _encode(entity)) for key, entity in changes.items() if entity is not None],
            )

    def write_messages(self, records: Sequence[Record]) -> None:
        """Store what has happened to messages, at least one record."""
        # One row for all: a row for each makes a message over SMPP a tenth dearer.
        last_serial = max([record.serial for record in records])
        self._db.execute(
            "INSERT INTO message_records (last_serial, records) VALUES (?, ?)", [last_serial, _encode(records)]
        )

    def close(self) -> None:
        """Close the file."""
        self._db.close()
