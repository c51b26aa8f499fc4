"""Files of records in: CSV and XLSX to checked rows, with every line accounted for (报送文件)."""

from xinzheng.adapters.tabular.batch import DEFECT_SCHEMA, FRAME_SCHEMA, BatchDefaults, Limits, ParsedBatch
from xinzheng.adapters.tabular.errors import TabularError
from xinzheng.adapters.tabular.export import defects_csv, template_csv
from xinzheng.adapters.tabular.reading import read_batch, read_batches

__all__ = [
    "DEFECT_SCHEMA",
    "FRAME_SCHEMA",
    "BatchDefaults",
    "Limits",
    "ParsedBatch",
    "TabularError",
    "defects_csv",
    "read_batch",
    "read_batches",
    "template_csv",
]
