"""The file under a simulator process."""

import zlib
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from agentmessage.simulator.core.entities import Campaign, Entity, Line
from agentmessage.simulator.storage.journal import Journal

ACCOUNT = "9900001"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "world.journal"


@pytest.fixture
def journal(path: Path) -> Iterator[Journal]:
    opened = Journal(path)
    opened.load()
    yield opened
    opened.close()


def _line(number: str) -> dict[tuple[str, str, str], Entity | None]:
    return {(ACCOUNT, "line", number): Line(number, 1.0)}


def _read(path: Path) -> list[tuple[str, Entity]]:
    journal = Journal(path)
    try:
        return journal.load()
    finally:
        journal.close()


def test_the_last_word_on_an_entity_counts(journal: Journal, path: Path) -> None:
    for name in ("first", "second"):
        campaign = Campaign("CAAAAA1", "", {"description": name}, 0.0)
        journal.append({(ACCOUNT, "campaign", "CAAAAA1"): campaign})

    assert _read(path) == [(ACCOUNT, Campaign("CAAAAA1", "", {"description": "second"}, 0.0))]


def test_an_entity_that_is_gone_stays_gone(journal: Journal, path: Path) -> None:
    journal.append(_line("+14155550100"))
    journal.append({(ACCOUNT, "line", "+14155550100"): None})

    assert _read(path) == []


@pytest.mark.parametrize("torn_bytes", [1, 7, 9, 20])
def test_a_torn_last_frame_is_cut_off_and_the_rest_is_kept(journal: Journal, path: Path, torn_bytes: int) -> None:
    journal.append(_line("+14155550100"))
    whole = path.stat().st_size
    journal.append(_line("+14155550101"))
    path.write_bytes(path.read_bytes()[:-torn_bytes] if torn_bytes > 8 else path.read_bytes()[: whole + torn_bytes])

    found = _read(path)

    assert [entity.number for _, entity in found if isinstance(entity, Line)] == ["+14155550100"]
    assert _read(path) == found


def test_a_frame_with_a_wrong_checksum_ends_the_file(journal: Journal, path: Path) -> None:
    journal.append(_line("+14155550100"))
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)

    assert _read(path) == []


def test_opening_leaves_the_file_compact(journal: Journal, path: Path) -> None:
    for _ in range(50):
        journal.append(_line("+14155550100"))
    grown = path.stat().st_size

    found = _read(path)

    assert len(found) == 1
    assert path.stat().st_size < grown / 20


def test_a_grown_file_asks_to_be_compacted(journal: Journal, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "_compact_above", 200)

    answers = [journal.append(_line(f"+1415555010{index}")) for index in range(9)]
    journal.compact([(ACCOUNT, Line("+14155550100", 1.0))])

    assert (answers[0], answers[-1]) == (False, True)
    assert len(_read(path)) == 1


def test_a_journal_that_is_not_open_takes_nothing(path: Path) -> None:
    with pytest.raises(RuntimeError):
        Journal(path).append(_line("+14155550100"))


def test_a_foreign_file_is_refused(path: Path) -> None:
    """Rather than to begin an empty world beside somebody's data."""
    path.parent.mkdir()
    payload = b"\xc1nonsense"
    path.write_bytes(len(payload).to_bytes(4, "big") + zlib.crc32(payload).to_bytes(4, "big") + payload)

    with pytest.raises(msgspec.DecodeError):
        Journal(path).load()
