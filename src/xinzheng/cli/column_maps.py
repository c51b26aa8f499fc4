"""``xinzheng intake --maps``: the column maps (列对照) a unit can deliver by."""

import argparse
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from xinzheng.apps.ledger.queries import ColumnMapSummary


def list_maps(args: argparse.Namespace) -> int:
    """List the shipped maps and the unit's own; with ``--kind`` those of one kind of record."""
    from xinzheng.apps.ledger.delivery import registered_unit
    from xinzheng.apps.ledger.queries import column_maps_of

    if not args.unit or args.file is not None:
        args.parser.error("--maps 不带数据文件，须写明 --unit")
    found = column_maps_of(registered_unit(args.unit).id, args.kind)
    if args.json:
        print(json.dumps({"maps": [_facts(summary) for summary in found]}, ensure_ascii=False))
    elif not found:
        print("没有可用的列对照：可以在网页工作台的“列对照”里新建。")
    else:
        for summary in found:
            whose = "系统自带" if summary.is_shipped else "本单位"
            print(f"{summary.name}　{summary.kind_name}　{summary.columns}列　{whose}")
    return 0


def _facts(summary: "ColumnMapSummary") -> dict[str, Any]:
    return {
        "name": summary.name,
        "kind": summary.kind,
        "columns": summary.columns,
        "shipped": summary.is_shipped,
        "version": summary.version,
    }
