"""Verifying without the site (离线核验): the published keys from a file or a folder, and what they say of a report."""

from xinzheng.adapters.offline.facts import OfflineFacts, examine_code, examine_file, examine_proof
from xinzheng.adapters.offline.published import OfflineKeys, keys_in_folders, keys_in_text

__all__ = [
    "OfflineFacts",
    "OfflineKeys",
    "examine_code",
    "examine_file",
    "examine_proof",
    "keys_in_folders",
    "keys_in_text",
]
