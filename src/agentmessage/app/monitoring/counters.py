"""Message requests for /metrics: accepted, repeated, and rejected by code."""

from prometheus_client import CollectorRegistry, Counter

from agentmessage.messages.routes import AdmissionRegistry


class TextCounts:
    """Hands what the admissions have counted in plain memory to Prometheus, at a scrape."""

    def __init__(self, registry: CollectorRegistry, admissions: AdmissionRegistry) -> None:
        self._admissions = admissions
        self._asked = Counter(
            "agentmessage_message_requests",
            "Well-formed send requests, by outcome: accepted, repeated (same idempotency key) or the error code.",
            ["outcome"],
            registry=registry,
        )

    def flush(self) -> None:
        """Make the registry current."""
        for outcome, texts in self._admissions.take_counts().items():
            self._asked.labels(outcome).inc(texts)
