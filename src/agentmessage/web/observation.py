"""What the edge counts: requests by method and status class, and how long they took."""

import time

from prometheus_client import CollectorRegistry, Counter, Histogram

BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


class Observer:
    """Counts requests; its children are made once, so that counting costs no look-up by label."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._requests = Counter(
            "agentmessage_http_requests", "Requests answered.", ["method", "status"], registry=registry
        )
        self._seconds = Histogram(
            "agentmessage_http_request_seconds", "Time to answer a request.", registry=registry, buckets=BUCKETS_S
        )
        self._children: dict[tuple[str, int], Counter] = {}

    def start(self) -> float:
        """The moment a request began."""
        return time.perf_counter()

    def finish(self, began: float, method: str, status: int) -> None:
        """Count a request that has been answered."""
        child = self._children.get((method, status))
        if child is None:
            child = self._children[method, status] = self._requests.labels(method, str(status))
        child.inc()
        self._seconds.observe(time.perf_counter() - began)
