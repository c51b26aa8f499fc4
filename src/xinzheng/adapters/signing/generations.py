"""Generations of keys (密钥代): each rotation adds a folder with its own keys, none is ever changed or taken away.

``current`` names the one in use. A folder of the first form of all, with its keys lying in it side by side, counts as
the generation before the first.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from cryptography import x509

from xinzheng.adapters.signing.errors import KeyFileError
from xinzheng.adapters.signing.key_files import read_key_file

CURRENT_FILE, GENERATIONS, AUTHORITIES = "current", "generations", "authorities"
ABOUT_FILE, ROOT_FILE, SIGNER_FILE, PASSPHRASE_FILE = "about.json", "root.pem", "signer.p12", "signer.pass"
SIGNER_CHAIN_FILE, SEAL_FILE, SEAL_PUBLIC_FILE = "signer.pem", "seal-key.pem", "seal-public.pem"
STAMP_FILE, STAMP_PASS_FILE = "stamp.p12", "stamp.pass"
STAMP_ROOTS_FILE = "stamp-roots.pem"
Kind = Literal["demo", "pkcs12", "pkcs11"]


@dataclass(frozen=True)
class Generation:
    """The keys in use together (一代密钥): ``authority`` is the demonstration root above them, if it is one of ours."""

    folder: Path
    number: int
    kind: Kind
    made_at: datetime | None = None
    authority: int | None = None


def current_generation(folder: Path) -> Generation:
    """The generation in use. KeyFileError if what the folder says about itself cannot be read."""
    if not (folder / CURRENT_FILE).exists():
        return Generation(folder, 0, "pkcs12")
    try:
        number = int(read_key_file(folder / CURRENT_FILE))
        place = folder / GENERATIONS / str(number)
        about = json.loads(read_key_file(place / ABOUT_FILE))
        made_at = datetime.fromisoformat(about["made_at"])
        return Generation(place, number, about["kind"], made_at, about["authority"])
    except (ValueError, KeyError, TypeError):
        raise KeyFileError(f"密钥目录的 {CURRENT_FILE} 或者 {ABOUT_FILE} 读不出，请从备份恢复。") from None


def about_bytes(kind: Kind, made_at: datetime, authority: int | None) -> bytes:
    """What a generation says about itself."""
    return json.dumps({"kind": kind, "made_at": made_at.isoformat(), "authority": authority}).encode()


def numbered(folder: Path) -> list[Path]:
    """The numbered folders below one, in order of their numbers."""
    found = folder.iterdir() if folder.is_dir() else ()
    return sorted((one for one in found if one.name.isdecimal()), key=lambda one: int(one.name))


def next_number(folder: Path) -> int:
    """The number after the last."""
    there = numbered(folder)
    return int(there[-1].name) + 1 if there else 1


def authority_folders(folder: Path) -> list[Path]:
    """Where the demonstration roots are kept, oldest first."""
    return numbered(folder / AUTHORITIES)


def root_certificates(folder: Path) -> list[x509.Certificate]:
    """Every root that a signature of this installation may lead to, each once."""
    places = [folder, *authority_folders(folder), *numbered(folder / GENERATIONS)]
    return list(dict.fromkeys(root for place in places for root in read_certificates(place / ROOT_FILE)))


def read_certificates(path: Path) -> list[x509.Certificate]:
    """The certificates of a PEM file, none if it is not there. KeyFileError if it is something else."""
    if not path.exists():
        return []
    try:
        return x509.load_pem_x509_certificates(read_key_file(path))
    except ValueError:
        raise KeyFileError(f"证书文件 {path.name} 无法读取，应当是 PEM 格式。") from None
