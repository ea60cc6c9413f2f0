"""API keys stored by `agentmessage login`, by profile, in a file that only its owner can read."""

import os
import stat
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import msgspec
from msgspec import Struct, structs

from agentmessage.cli.errors import MISUSED, Failure

USUAL = "default"
PROFILE_VARIABLE = "AGENTMESSAGE_PROFILE"
OTHERS = stat.S_IRWXG | stat.S_IRWXO


class Credentials(Struct, frozen=True, kw_only=True):
    """One platform and the key to it."""

    base_url: str
    api_key: str


class Stored(Struct, frozen=True, kw_only=True):
    """The file: credentials by profile."""

    profiles: Mapping[str, Credentials] = {}


def location() -> Path:
    """Where the file is (XDG Base Directory Specification)."""
    home = os.environ.get("XDG_CONFIG_HOME") or ""
    config = Path(home) if Path(home).is_absolute() else Path.home() / ".config"
    return config / "agentmessage" / "credentials.json"


def find(profile: str) -> Credentials | None:
    """The credentials of a profile, or None. Raises Failure for a file that others can read."""
    return _read().profiles.get(profile)


def store(profile: str, credentials: Credentials) -> Path:
    """Store credentials under a name, replacing older ones; returns the file."""
    stored = _read()
    return _write(structs.replace(stored, profiles={**stored.profiles, profile: credentials}))


def forget(profile: str) -> bool:
    """Delete a profile. Returns True if it existed."""
    stored = _read()
    if profile not in stored.profiles:
        return False
    _write(structs.replace(stored, profiles={name: it for name, it in stored.profiles.items() if name != profile}))
    return True


def _read() -> Stored:
    path = location()
    try:
        with path.open("rb") as file:
            found = os.fstat(file.fileno())
            if found.st_mode & OTHERS:
                raise Failure(f"{path} holds keys and others can read it; run `chmod 600 {path}`", status=MISUSED)
            return msgspec.json.decode(file.read(), type=Stored)
    except FileNotFoundError:
        return Stored()
    except msgspec.DecodeError as error:
        raise Failure(f"{path} cannot be read ({error}); remove it and run `agentmessage login`") from error


def _write(stored: Stored) -> Path:
    """Write atomically, with access for the owner only from the start."""
    path = location()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".credentials-")  # made with mode 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(stored), indent=2) + b"\n")
        Path(name).replace(path)
    except BaseException:
        with suppress(FileNotFoundError):
            Path(name).unlink()
        raise
    return path
