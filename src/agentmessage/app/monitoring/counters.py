"""What customers asked for, counted for /metrics: texts accepted, and texts refused by why."""

from prometheus_client import CollectorRegistry, Counter

from agentmessage.messages.routes import Doors


class TextCounts:
    """Hands what the doors have counted in plain memory to Prometheus, at a scrape."""

    def __init__(self, registry: CollectorRegistry, doors: Doors) -> None:
        self._doors = doors
        self._asked = Counter(
            "agentmessage_message_requests",
            "Well-formed send requests, by outcome: accepted, repeated (same idempotency key) or the error code.",
            ["outcome"],
            registry=registry,
        )

    def flush(self) -> None:
        """Make the registry current."""
        for outcome, texts in self._doors.take_counts().items():
            self._asked.labels(outcome).inc(texts)
