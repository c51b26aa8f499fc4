"""The text of a decree (文件原文) beside its pack: for reading only.

It decides nothing, so it is no part of the pack's digest; of a policy whose text was not seen there is none.
"""

from pathlib import Path

from xinzheng.adapters.policy_files.packs import beside_pack

TEXT_FILE = "decree.txt"


def decree_text(id_or_folder: str | Path) -> str:
    """The text as it was published, a paragraph a line, cells of tables apart by tabs; empty where there is none."""
    path = beside_pack(id_or_folder, TEXT_FILE)
    return path.read_text(encoding="utf-8") if path is not None else ""
