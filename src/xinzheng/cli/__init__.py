"""The ``xinzheng`` command."""

from xinzheng.cli.main import main

__all__ = ["main"]
