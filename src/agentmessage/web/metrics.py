"""What the edge counts: requests by method and status class, and how long they took."""

import time

from prometheus_client import CollectorRegistry, Counter, Histogram

BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


MAX_BUFFERED = 4096


class RequestMetrics:
    """Counts requests in plain memory and hands them to Prometheus in bulk: at a scrape, or when many have gathered."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._requests = Counter(
            "agentmessage_http_requests",
            "HTTP requests, by method and status.",
            ["method", "status"],
            registry=registry,
        )
        self._seconds = Histogram(
            "agentmessage_http_request_duration_seconds",
            "Seconds from request to response.",
            registry=registry,
            buckets=BUCKETS_S,
        )
        self._counts: dict[tuple[str, int], int] = {}
        self._took: list[float] = []

    def start(self) -> float:
        """The moment a request began."""
        return time.perf_counter()

    def finish(self, began: float, method: str, status: int) -> None:
        """Count a request that has been answered."""
        self._took.append(time.perf_counter() - began)
        key = (method, status)
        self._counts[key] = self._counts.get(key, 0) + 1
        if len(self._took) >= MAX_BUFFERED:
            self.flush()

    def flush(self) -> None:
        """Make the registry current."""
        took, self._took = self._took, []
        counts, self._counts = self._counts, {}
        for seconds in took:
            self._seconds.observe(seconds)
        for (method, status), count in counts.items():
            self._requests.labels(method, str(status)).inc(count)
