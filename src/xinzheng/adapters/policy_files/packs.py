"""Loading packs (政策包): from the shipped folder, from any folder, or from bytes kept with a decision."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from xinzheng.adapters.policy_files.clause_reader import read_core
from xinzheng.adapters.policy_files.locations import policies_folder
from xinzheng.adapters.policy_files.mistakes import Mistakes
from xinzheng.adapters.policy_files.nodes import read_root
from xinzheng.adapters.policy_files.policy_reader import read_policy
from xinzheng.core.errors import PolicyError
from xinzheng.core.policy import Extension, Policy

POLICY_FILE = "policy.yaml"
CORE_FILE = "core.yaml"


def list_policies() -> tuple[str, ...]:
    """The ids of the shipped packs, sorted."""
    return tuple(sorted(path.parent.name for path in policies_folder().glob(f"*/{POLICY_FILE}")))


def pack_folder(id_or_folder: str | Path) -> Path:
    """The folder of a pack, by id or path. Raises PolicyError ``policy-unknown`` naming the packs there are."""
    shipped = policies_folder() / id_or_folder
    for folder in (Path(id_or_folder), shipped) if isinstance(id_or_folder, Path) else (shipped, Path(id_or_folder)):
        if (folder / POLICY_FILE).is_file():
            return folder
    known = "、".join(list_policies())
    raise PolicyError(
        f"没有政策包“{id_or_folder}”，已有：{known}；也可以给出政策包所在的文件夹。", code="policy-unknown"
    )


def _core_path(folder: Path) -> Path:
    beside = folder.parent / CORE_FILE
    return beside if beside.is_file() else policies_folder() / CORE_FILE


def beside_pack(id_or_folder: str | Path, name: str) -> Path | None:
    """A file beside a shipped pack, None where there is none; a policy that was only published has no folder."""
    try:
        path = pack_folder(id_or_folder) / name
    except PolicyError:
        return None
    return path if path.is_file() else None


def pack_bytes(id_or_folder: str | Path) -> Mapping[str, bytes]:
    """The files a pack consists of, by name (policy.yaml and core.yaml), as they are stored with a decision."""
    folder = pack_folder(id_or_folder)
    return {CORE_FILE: _core_path(folder).read_bytes(), POLICY_FILE: (folder / POLICY_FILE).read_bytes()}


def pack_digest(files: Mapping[str, bytes]) -> str:
    """SHA-256 over the files in the order of their names: each name and length, then the bytes."""
    digest = hashlib.sha256()
    for name in sorted(files):
        digest.update(f"{name}\n{len(files[name])}\n".encode())
        digest.update(files[name])
    return digest.hexdigest()


def _load(files: Mapping[str, bytes], labels: Mapping[str, str]) -> Policy:
    mistakes = Mistakes()
    core_bytes = files.get(CORE_FILE)
    core = read_root(core_bytes, labels[CORE_FILE], mistakes) if core_bytes is not None else None
    root = read_root(files[POLICY_FILE], labels[POLICY_FILE], mistakes)
    shared = read_core(core)
    if root is None:
        mistakes.refuse()
        raise PolicyError(f"{labels[POLICY_FILE]} 无法读取。")
    return read_policy(root, shared, mistakes, pack_digest(files))


def load_pack_bytes(files: Mapping[str, bytes], extensions: Iterable[Extension] = ()) -> Policy:
    """The policy whose files were kept with a decision (``pack_bytes``); for replay. Raises PolicyError."""
    if POLICY_FILE not in files:
        raise PolicyError(f"政策包缺少文件 {POLICY_FILE}。")
    return replace(_load(files, {name: name for name in (POLICY_FILE, CORE_FILE)}), extensions=tuple(extensions))


def load_policy(id_or_folder: str | Path, extensions: Iterable[Extension] = ()) -> Policy:
    """The policy of a shipped pack (id) or of a folder, checked strictly.

    ``extensions`` are the documents by which a deployment prolongs it. Raises PolicyError that lists every mistake
    as ``file:line：what is wrong``; ``context["mistakes"]`` holds them one by one.
    """
    return load_policy_file(pack_folder(id_or_folder) / POLICY_FILE, extensions)


def load_policy_file(path: Path, extensions: Iterable[Extension] = ()) -> Policy:
    """The policy of one file, with the core.yaml of the folder above it, else the shipped one. Raises PolicyError."""
    core = _core_path(path.parent)
    try:
        files = {CORE_FILE: core.read_bytes(), POLICY_FILE: path.read_bytes()}
    except OSError as error:
        raise PolicyError(f"读不到政策文件 {path}（{error.strerror}），请核对路径。", code="policy-unknown") from error
    policy = _load(files, {POLICY_FILE: str(path), CORE_FILE: str(core)})
    return replace(policy, extensions=tuple(extensions))


def case_files(id_or_folder: str | Path) -> tuple[Path, ...]:
    """The case files of a pack, in the order of their names."""
    return tuple(sorted((pack_folder(id_or_folder) / "cases").glob("*.yaml")))
