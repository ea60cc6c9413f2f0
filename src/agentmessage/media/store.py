"""Where the bytes of media lie: a port, and the local disk behind it."""

import asyncio
import contextlib
import os
import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec, Protocol, TypeVar
from uuid import UUID

P = ParamSpec("P")
T = TypeVar("T")

KEY = re.compile(r"[0-9a-f-]{36}/[0-9a-f]{2}/[0-9a-f-]{36}")


class StoreAway(Exception):
    """The store cannot be reached, or refuses us; the words are for the log."""


class ObjectStore(Protocol):
    """Keeps whole objects under keys made by `key_of`. Every method may raise StoreAway."""

    async def put(self, key: str, content: bytes, *, mime_type: str) -> None:
        """Keep an object; afterwards it survives a crash. An object that is there is replaced as a whole."""
        ...

    async def get(self, key: str) -> bytes | None:
        """The object, or None."""
        ...

    async def delete(self, key: str) -> None:
        """Forget an object; one that is not there is forgotten already."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


def key_of(org_id: UUID, media_id: UUID) -> str:
    """The key of one organization's media."""
    return f"{org_id}/{media_id.hex[-2:]}/{media_id}"


class LocalStore:
    """Files below a directory. Readers see a file whole or not at all: it is written beside its place, then renamed."""

    def __init__(self, root: Path) -> None:
        self._root = root

    async def put(self, key: str, content: bytes, *, mime_type: str) -> None:
        """See ObjectStore.put; the type is kept in the database only."""
        del mime_type
        await _on_disk(_write, self._place(key), content)

    async def get(self, key: str) -> bytes | None:
        """See ObjectStore.get."""
        return await _on_disk(_read, self._place(key))

    async def delete(self, key: str) -> None:
        """See ObjectStore.delete."""
        await _on_disk(_remove, self._place(key))

    async def close(self) -> None:
        """Nothing is held open."""

    def _place(self, key: str) -> Path:
        if not KEY.fullmatch(key):
            raise ValueError(f"not a key: {key!r}")
        return self._root / key


async def _on_disk(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    try:
        return await asyncio.to_thread(work, *args, **kwargs)
    except OSError as error:
        raise StoreAway(str(error)) from error


def _write(place: Path, content: bytes) -> None:
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=place.parent, prefix=".")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(place)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            Path(name).unlink()
        raise
    _sync_directory(place.parent)


def _sync_directory(directory: Path) -> None:
    """A rename survives a power cut only once its directory is on disk."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _read(place: Path) -> bytes | None:
    try:
        return place.read_bytes()
    except FileNotFoundError:
        return None


def _remove(place: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        place.unlink()
