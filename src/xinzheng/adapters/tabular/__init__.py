"""Files of records in: CSV, XLSX, XLS and JSON lines to checked rows, with every line accounted for (报送文件)."""

from xinzheng.adapters.tabular.batch import DEFECT_SCHEMA, FRAME_SCHEMA, BatchDefaults, Limits, ParsedBatch
from xinzheng.adapters.tabular.catalogue import CatalogueEntry, catalogue
from xinzheng.adapters.tabular.column_maps import (
    ColumnMap,
    MappedColumn,
    column_map_of,
    column_maps,
    with_column_map,
)
from xinzheng.adapters.tabular.errors import TabularError
from xinzheng.adapters.tabular.export import defects_csv, template_csv, write_defects_csv, write_lines_csv
from xinzheng.adapters.tabular.formats import KIND_NAMES
from xinzheng.adapters.tabular.near_duplicates import alike_defects, alike_lines, beaten_defects
from xinzheng.adapters.tabular.own_maps import (
    MapFault,
    MappableField,
    map_faults,
    mappable_fields,
    own_column_map,
    unread_words,
)
from xinzheng.adapters.tabular.previewing import HeadingTaken, Preview, PreviewRow, preview
from xinzheng.adapters.tabular.reading import read_batch, read_batches, stream_batches
from xinzheng.adapters.tabular.register_checks import REGISTER_CHECKS, RegisterCheck
from xinzheng.adapters.tabular.tables import Table, TableRow, read_table
from xinzheng.adapters.tabular.templates import template_xlsx
from xinzheng.adapters.tabular.typing_back import column_ids, json_line, typed_values

__all__ = [
    "DEFECT_SCHEMA",
    "FRAME_SCHEMA",
    "KIND_NAMES",
    "REGISTER_CHECKS",
    "BatchDefaults",
    "CatalogueEntry",
    "ColumnMap",
    "HeadingTaken",
    "Limits",
    "MapFault",
    "MappableField",
    "MappedColumn",
    "ParsedBatch",
    "Preview",
    "PreviewRow",
    "RegisterCheck",
    "Table",
    "TableRow",
    "TabularError",
    "alike_defects",
    "alike_lines",
    "beaten_defects",
    "catalogue",
    "column_ids",
    "column_map_of",
    "column_maps",
    "defects_csv",
    "json_line",
    "map_faults",
    "mappable_fields",
    "own_column_map",
    "preview",
    "read_batch",
    "read_batches",
    "read_table",
    "stream_batches",
    "template_csv",
    "template_xlsx",
    "typed_values",
    "unread_words",
    "with_column_map",
    "write_defects_csv",
    "write_lines_csv",
]
