#!/usr/bin/env python3
"""Django's own commands (makemigrations, shell …) on this project; the embedded database is started when needed."""

import os
import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent / "src"))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "xinzheng.config.settings")
    from django.core.management import execute_from_command_line

    from xinzheng.config.readiness import ensure_database_running

    ensure_database_running()
    execute_from_command_line(sys.argv)
