"""Where packs (政策包) and deployments (部署文件) stand: package data of a wheel, else the repository's root."""

from pathlib import Path

import xinzheng


def _data_folder(name: str) -> Path:
    package = Path(xinzheng.__file__).resolve().parent
    inside = package / name
    return inside if inside.is_dir() else package.parents[1] / name


def policies_folder() -> Path:
    """The folder of the shipped policy packs: ``<id>/policy.yaml``, ``<id>/cases/*.yaml`` and ``core.yaml``."""
    return _data_folder("policies")


def deployments_folder() -> Path:
    """The folder of the shipped deployments: ``<city>.yaml``."""
    return _data_folder("deployments")
