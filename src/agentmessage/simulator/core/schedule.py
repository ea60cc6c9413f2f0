"""What is due when: one heap over the steps of all entities."""

import heapq
from typing import NamedTuple


class Due(NamedTuple):
    """One step that is due; `sequence` keeps equal times in the order in which they were planned."""

    at: float
    sequence: int
    account: str
    kind: str
    id: str
    step: str


class Agenda:
    """A priority queue of steps."""

    def __init__(self) -> None:
        self._heap: list[Due] = []
        self._sequence = 0

    def add(self, at: float, account: str, kind: str, entity_id: str, step: str) -> None:
        """Plan one step."""
        self._sequence += 1
        heapq.heappush(self._heap, Due(at, self._sequence, account, kind, entity_id, step))

    def pop(self, until: float) -> Due | None:
        """The earliest step that is due by `until`, or None."""
        if self._heap and self._heap[0].at <= until:
            return heapq.heappop(self._heap)
        return None

    @property
    def next_at(self) -> float | None:
        """When the earliest step is due."""
        return self._heap[0].at if self._heap else None
