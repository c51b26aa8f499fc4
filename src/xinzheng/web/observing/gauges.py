"""What is measured when somebody asks (运行指标): queue, seals, keys, backups, standby servers, disks, checks."""

import shutil
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path

import structlog
from django.conf import settings
from django.db import Error, connection
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from xinzheng import __version__
from xinzheng.apps.oversight import health_keys, health_storage, health_work
from xinzheng.apps.oversight.health import checks
from xinzheng.apps.oversight.health_words import BY_WEIGHT
from xinzheng.core.errors import XinzhengError

log = structlog.get_logger(__name__)

Measure = Callable[[datetime], Iterable[Metric]]


class SystemGauges(Collector):
    """All measures of a moment; one that cannot be taken is left out, and the check of its name says why."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def collect(self) -> Iterator[Metric]:
        """Take every measure."""
        yield _gauge("xinzheng_info", "The version that runs.", ["version"], ([__version__], 1.0))
        for measure in MEASURES:
            try:
                yield from list(measure(self._now))
            except (Error, OSError, XinzhengError) as error:
                connection.close_if_unusable_or_obsolete()
                log.warning("measure-not-taken", measure=measure.__name__, error=type(error).__name__)


def states(now: datetime) -> Iterable[Metric]:
    """Each check as a number: 0 well, 1 not looked at, 2 needs attention, 3 does not work."""
    rows = [([check.name], float(BY_WEIGHT.index(check.state))) for check in checks(now)]
    yield _gauge("xinzheng_check", "State of a check: 0 ok, 1 unknown, 2 warning, 3 bad.", ["check"], *rows)


def queues(now: datetime) -> Iterable[Metric]:
    """What waits, who works, what failed."""
    waiting = health_work.waiting_jobs(now)
    depths = [([one.queue], float(one.count)) for one in waiting]
    ages = [([one.queue], max(0.0, (now - one.since).total_seconds())) for one in waiting if one.since]
    yield _gauge("xinzheng_queue_jobs", "Jobs that could be taken, by queue.", ["queue"], *depths)
    yield _gauge("xinzheng_queue_oldest_seconds", "How long the oldest of them has waited.", ["queue"], *ages)
    yield _one("xinzheng_workers", "Worker processes alive.", health_work.workers_alive(now))
    failed = sum(times for _, times in health_work.failed_jobs(now))
    yield _one("xinzheng_jobs_failed_24h", "Jobs that failed for good within 24 hours.", failed)


def seals(now: datetime) -> Iterable[Metric]:
    """What waits for its seal."""
    found = health_work.unsealed()
    since = min((at for at in (found.events_since, found.leaves_since) if at), default=now)
    yield _one("xinzheng_unsealed_events", "Audit events without a seal.", found.events)
    yield _one("xinzheng_unsealed_leaves", "Leaves without a place in the log.", found.leaves)
    oldest = max(0.0, (now - since).total_seconds())
    yield _one("xinzheng_unsealed_oldest_seconds", "How long the oldest of both has waited.", oldest)


def certificates(now: datetime) -> Iterable[Metric]:
    """How long the signing certificate still holds."""
    until = health_keys.expiry() if (Path(settings.XINZHENG_KEYS) / "signing").exists() else None
    if until is not None:
        left = (until - now).total_seconds() / 86400
        yield _one("xinzheng_certificate_days_left", "Days until the signing certificate ends.", round(left, 2))


def backups(now: datetime) -> Iterable[Metric]:
    """How old the newest backup is."""
    newest = health_storage.newest_backup() if settings.XINZHENG_BACKUP else None
    if newest is not None:
        yield _one("xinzheng_backup_age_seconds", "Age of the newest backup.", (now - newest).total_seconds())


def replicas(now: datetime) -> Iterable[Metric]:  # noqa: ARG001  every measure is taken alike
    """Whether each standby server that was named is connected, and how far behind."""
    found = health_storage.standbys()
    names = list(dict.fromkeys((*settings.XINZHENG_REPLICAS, *found)))
    if not names:
        return
    there = [([name], float(found.get(name, health_storage.AWAY).is_there)) for name in names]
    yield _gauge("xinzheng_replica_connected", "Whether a standby server is connected.", ["replica"], *there)
    lags = [([name], one.lag.total_seconds()) for name, one in found.items() if one.is_there and one.lag is not None]
    yield _gauge("xinzheng_replica_lag_seconds", "How far it is behind.", ["replica"], *lags)


def disks(now: datetime) -> Iterable[Metric]:  # noqa: ARG001
    """How much room is left."""
    places: dict[str, Path | str] = {
        "home": settings.XINZHENG_HOME,
        "keys": settings.XINZHENG_KEYS,
        "backup": settings.XINZHENG_BACKUP,
    }
    there = {name: shutil.disk_usage(place) for name, place in places.items() if place and Path(place).exists()}
    free = [([name], float(usage.free)) for name, usage in there.items()]
    whole = [([name], float(usage.total)) for name, usage in there.items()]
    yield _gauge("xinzheng_disk_free_bytes", "Bytes left on the disk of a folder.", ["folder"], *free)
    yield _gauge("xinzheng_disk_total_bytes", "Bytes of that disk.", ["folder"], *whole)


MEASURES: tuple[Measure, ...] = (states, queues, seals, certificates, backups, replicas, disks)


def _gauge(name: str, said: str, labels: list[str], *rows: tuple[list[str], float]) -> Metric:
    family = GaugeMetricFamily(name, said, labels=labels)
    for values, number in rows:
        family.add_metric(values, number)
    return family


def _one(name: str, said: str, number: float) -> Metric:
    return GaugeMetricFamily(name, said, value=number)
