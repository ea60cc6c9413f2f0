"""The SQLite file of a simulator process."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from agentmessage.simulator.core.entities import Entity, NumberLine, RegistryCampaign
from agentmessage.simulator.messaging.records import PartEnded
from agentmessage.simulator.storage import FILE_NAME, Storage

ACCOUNT = "9900001"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "simulator"


@pytest.fixture
def storage(directory: Path) -> Iterator[Storage]:
    opened = Storage(directory)
    yield opened
    opened.close()


def _line(number: str) -> dict[tuple[str, str, str], Entity | None]:
    return {(ACCOUNT, "line", number): NumberLine(number, 1.0)}


def _reopened(storage: Storage, directory: Path) -> list[tuple[str, Entity]]:
    storage.close()
    again = Storage(directory)
    try:
        return again.entities()
    finally:
        again.close()


def test_the_last_state_of_an_entity_is_read_back(storage: Storage, directory: Path) -> None:
    for name in ("first", "second"):
        campaign = RegistryCampaign("CAAAAA1", "", {"description": name}, 0.0)
        storage.write_entities({(ACCOUNT, "campaign", "CAAAAA1"): campaign})

    assert _reopened(storage, directory) == [(ACCOUNT, RegistryCampaign("CAAAAA1", "", {"description": "second"}, 0.0))]


def test_a_deleted_entity_stays_deleted(storage: Storage, directory: Path) -> None:
    storage.write_entities(_line("+14155550100"))
    storage.write_entities({(ACCOUNT, "line", "+14155550100"): None})

    assert _reopened(storage, directory) == []


def test_message_records_are_read_back_in_order(storage: Storage) -> None:
    storage.write_messages([PartEnded(2, 20.0), PartEnded(1, 10.0)])
    storage.write_messages([PartEnded(3, 30.0)])

    assert storage.message_records() == [PartEnded(2, 20.0), PartEnded(1, 10.0), PartEnded(3, 30.0)]


def test_records_of_the_oldest_messages_are_deleted(directory: Path) -> None:
    storage = Storage(directory, max_messages=2)
    for serial in range(1, 6):
        storage.write_messages([PartEnded(serial, 0.0)])

    serials = [record.serial for record in storage.message_records()]
    storage.close()

    assert serials == [4, 5]


def test_a_truncated_log_loses_only_its_end(storage: Storage, directory: Path) -> None:
    """As after a power failure: the part of the write-ahead log that did not reach the disk."""
    storage.write_entities(_line("+14155550100"))
    log = directory / f"{FILE_NAME}-wal"
    size = log.stat().st_size
    storage.write_entities(_line("+14155550101"))
    copy = directory.parent / "copy"
    copy.mkdir()
    (copy / FILE_NAME).write_bytes((directory / FILE_NAME).read_bytes())
    (copy / log.name).write_bytes(log.read_bytes()[: size + 100])

    again = Storage(copy)
    entities = again.entities()
    again.close()

    assert [entity.number for _, entity in entities if isinstance(entity, NumberLine)] == ["+14155550100"]


def test_two_processes_do_not_share_a_directory(storage: Storage, directory: Path) -> None:
    storage.write_entities(_line("+14155550100"))

    with pytest.raises(sqlite3.OperationalError, match="locked"):
        Storage(directory)


def test_a_foreign_file_is_rejected(directory: Path) -> None:
    """Instead of starting empty next to other data."""
    directory.mkdir(parents=True)
    (directory / FILE_NAME).write_bytes(b"not a database" * 100)

    with pytest.raises(sqlite3.DatabaseError):
        Storage(directory)


def test_a_directory_of_an_older_version_starts_empty(directory: Path) -> None:
    directory.mkdir(parents=True)
    (directory / "world.journal").write_bytes(b"\x00\x00\x00\x08older")
    (directory / "texts.journal").write_bytes(b"older")

    opened = Storage(directory)

    assert (opened.entities(), opened.message_records()) == ([], [])
    opened.close()
