"""Requests counted (请求计数) by view, method and status: never by subject, number or path.

Several web processes write their counts into files of a folder (``PROMETHEUS_MULTIPROC_DIR``, set by ``xinzheng
serve`` before this module is imported), and whichever is asked adds them up.
"""

import os

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.multiprocess import MultiProcessCollector

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
OTHER = "other"
BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

OWN = CollectorRegistry()
REQUESTS = Counter(
    "xinzheng_requests_total",
    "Requests answered, by view, method and status.",
    ["view", "method", "status"],
    registry=OWN,
)
SECONDS = Histogram(
    "xinzheng_request_seconds", "Seconds until the answer began, by view.", ["view"], buckets=BUCKETS, registry=OWN
)


def count_request(view: str, method: str, status: int, seconds: float) -> None:
    """Count one request."""
    REQUESTS.labels(view, method if method in METHODS else OTHER, str(status)).inc()
    SECONDS.labels(view).observe(seconds)


def counted() -> CollectorRegistry:
    """The counts of all processes of the site; of this one alone where it is the only one."""
    if not os.environ.get(FOLDER):
        return OWN
    every = CollectorRegistry()
    MultiProcessCollector(every)  # type: ignore[no-untyped-call]
    return every
