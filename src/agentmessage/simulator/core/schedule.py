"""When the next step of which entity is due: one heap over all entities."""

import heapq
from typing import NamedTuple


class DueStep(NamedTuple):
    """One step that is due; `sequence` keeps equal times in the order in which they were added."""

    at: float
    sequence: int
    account: str
    kind: str
    id: str
    step: str


class Schedule:
    """A priority queue of steps."""

    def __init__(self) -> None:
        self._heap: list[DueStep] = []
        self._sequence = 0

    def add(self, at: float, account: str, kind: str, entity_id: str, step: str) -> None:
        """Add one step."""
        self._sequence += 1
        heapq.heappush(self._heap, DueStep(at, self._sequence, account, kind, entity_id, step))

    def pop(self, until: float) -> DueStep | None:
        """The earliest step that is due by `until`, or None."""
        if self._heap and self._heap[0].at <= until:
            return heapq.heappop(self._heap)
        return None

    @property
    def next_at(self) -> float | None:
        """When the earliest step is due."""
        return self._heap[0].at if self._heap else None
