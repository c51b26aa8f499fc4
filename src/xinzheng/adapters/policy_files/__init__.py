"""Policy files (政策文件): YAML packs and case files read strictly into the core's values."""

from xinzheng.adapters.policy_files.case_reader import PolicyCase, load_cases, read_cases
from xinzheng.adapters.policy_files.case_runner import run_case
from xinzheng.adapters.policy_files.comparing import ClauseChange, compared
from xinzheng.adapters.policy_files.condition_text import condition_text
from xinzheng.adapters.policy_files.decree_text import decree_text
from xinzheng.adapters.policy_files.draft_messages import RanCase
from xinzheng.adapters.policy_files.drafts import Checked, check_draft
from xinzheng.adapters.policy_files.guide_words import guide_words
from xinzheng.adapters.policy_files.locations import deployments_folder, policies_folder
from xinzheng.adapters.policy_files.mistakes import Mistake, mistakes_of
from xinzheng.adapters.policy_files.packs import (
    case_files,
    list_policies,
    load_pack_bytes,
    load_policy,
    load_policy_file,
    pack_bytes,
    pack_digest,
    pack_folder,
)
from xinzheng.adapters.policy_files.written_out import written_out

__all__ = [
    "Checked",
    "ClauseChange",
    "Mistake",
    "PolicyCase",
    "RanCase",
    "case_files",
    "check_draft",
    "compared",
    "condition_text",
    "decree_text",
    "deployments_folder",
    "guide_words",
    "list_policies",
    "load_cases",
    "load_pack_bytes",
    "load_policy",
    "load_policy_file",
    "mistakes_of",
    "pack_bytes",
    "pack_digest",
    "pack_folder",
    "policies_folder",
    "read_cases",
    "run_case",
    "written_out",
]
