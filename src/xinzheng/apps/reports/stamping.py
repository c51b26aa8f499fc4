"""Time stamps (时间戳) of issued reports: asked for at once or later, put in place when the file is served."""

from xinzheng.apps.reports.models import Report


def stamped_pdf(report: Report) -> bytes | None:
    """The report's file with its time stamp in place, if it has one; None while there is no file."""
    raise NotImplementedError


def stamp_waiting(most: int = 200) -> int:
    """Ask for the time stamps that are still missing; how many came. Leaves off where the authority is not there."""
    raise NotImplementedError
