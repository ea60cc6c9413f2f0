"""How many requests that stay open one key, and one organization, has in this process."""

from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from uuid import UUID

from agentmessage.kernel.errors import RateLimited

RETRY_AFTER_S = 1


class OpenRequests:
    """Counts requests of one kind, such as streams. `per_organization` bounds those of all its keys together."""

    def __init__(self, *, per_key: int, per_organization: int) -> None:
        self._per_key = per_key
        self._per_organization = per_organization
        self._open: Counter[UUID | tuple[UUID, str]] = Counter()

    def __len__(self) -> int:
        """How many organizations and keys have a request open."""
        return len(self._open)

    def begin(self, org_id: UUID, label: str) -> None:
        """Count one more, until `end`. Raises RateLimited."""
        if self._open[org_id] >= self._per_organization or self._open[org_id, label] >= self._per_key:
            raise RateLimited(retry_after_s=RETRY_AFTER_S)
        self._open[org_id] += 1
        self._open[org_id, label] += 1

    def end(self, org_id: UUID, label: str) -> None:
        """Count one less."""
        for who in (org_id, (org_id, label)):
            self._open[who] -= 1
            if not self._open[who]:
                del self._open[who]

    @contextmanager
    def track(self, org_id: UUID, label: str) -> Generator[None]:
        """Count one more within the block. Raises RateLimited."""
        self.begin(org_id, label)
        try:
            yield
        finally:
            self.end(org_id, label)
