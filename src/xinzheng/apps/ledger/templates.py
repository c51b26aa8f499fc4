"""Templates (报送模板): an empty file of each record kind with its columns and drop-down lists."""

from importlib import import_module

from django.conf import settings

from xinzheng.apps.ledger.errors import IntakeError
from xinzheng.core.records import RecordKind


def template_file(kind: str) -> bytes:
    """The XLSX template of a record kind. Raises IntakeError ``unknown-kind``."""
    if kind not in set(RecordKind):
        raise IntakeError(f"没有“{kind}”这种记录类型。", code="unknown-kind")
    adapter = import_module(settings.XINZHENG_TABULAR.rpartition(".")[0])
    return bytes(adapter.template_xlsx(kind))
