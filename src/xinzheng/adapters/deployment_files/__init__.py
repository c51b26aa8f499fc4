"""Deployments (部署文件) as YAML: a city's units, districts, channels, extensions and seal."""

from xinzheng.adapters.deployment_files.deployment import (
    DeployedResponsibility,
    DeployedReturn,
    DeployedUnit,
    Deployment,
)
from xinzheng.adapters.deployment_files.loader import (
    DeploymentError,
    available_cities,
    deployment_of_policy,
    load_deployment,
    load_deployment_file,
)

__all__ = [
    "DeployedResponsibility",
    "DeployedReturn",
    "DeployedUnit",
    "Deployment",
    "DeploymentError",
    "available_cities",
    "deployment_of_policy",
    "load_deployment",
    "load_deployment_file",
]
