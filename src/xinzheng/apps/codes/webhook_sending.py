"""Send what is due beside the tasks (后台发送): in a thread of its own: no report waits for a stranger's server."""

import threading
from datetime import timedelta

import structlog
from django.db import connections

from xinzheng.apps.codes.deliveries import seconds_to_next, send_round

log = structlog.get_logger(__name__)
# What is due later is found by the task of the next minute.
AHEAD = timedelta(minutes=1)
_more = threading.Event()
_busy = threading.Lock()


def send_in_background() -> None:
    """Have what is due sent by this process, until nothing is within a minute; returns at once."""
    _more.set()
    if _busy.acquire(blocking=False):
        threading.Thread(target=_run, name="webhooks", daemon=True).start()


def send_while_due(ahead: timedelta = AHEAD) -> None:
    """Send until nothing is due within this time."""
    while True:
        _more.clear()
        if send_round():
            continue
        seconds = seconds_to_next(ahead)
        if seconds is None:
            return
        _more.wait(seconds)


def _run() -> None:
    try:
        send_while_due()
    except Exception:
        # What was taken is sent again when its time has come; the task of the next minute starts anew.
        log.exception("webhooks-not-sent")
    finally:
        connections.close_all()
        _busy.release()
