"""What the server counts, for Prometheus."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_BATCHES = (1, 2, 4, 8, 16, 32, 64)


class Metrics:
    """The counters of one server, in a registry of their own."""

    def __init__(self) -> None:
        mine = self._registry = CollectorRegistry()
        self.requests = Counter(
            "robo_refer_requests", "Requests answered.", ["path", "status"], registry=mine
        )
        self.seconds = Histogram(
            "robo_refer_request_seconds", "Time to answer a request.", ["path"], registry=mine
        )
        self.batch = Histogram(
            "robo_refer_batch_size", "Requests answered together.", buckets=_BATCHES, registry=mine
        )
        self.queue = Gauge("robo_refer_queue", "Requests that wait.", registry=mine)

    def text(self) -> bytes:
        """Return them in Prometheus' text format."""
        return generate_latest(self._registry)
