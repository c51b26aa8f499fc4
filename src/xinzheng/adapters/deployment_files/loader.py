"""Find, read and check the deployment files."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from xinzheng.adapters.deployment_files.deployment import DeployedResponsibility, DeployedReturn, Deployment
from xinzheng.adapters.deployment_files.reader import read_deployment
from xinzheng.adapters.policy_files.locations import deployments_folder
from xinzheng.adapters.policy_files.mistakes import Mistakes
from xinzheng.adapters.policy_files.nodes import Value, read_root
from xinzheng.core.errors import PolicyError, XinzhengError
from xinzheng.core.policy import Policy
from xinzheng.core.records import RecordKind

# The record kinds of each domain and section.
_Kinds = Mapping[str, tuple[RecordKind, ...]]

# Jurisdiction of a policy that any city may run.
NATIONWIDE = "000000"


class DeploymentError(XinzhengError):
    """A deployment file is missing or wrong; the message names file and line of every mistake."""

    code = "deployment-invalid"


def available_cities() -> tuple[str, ...]:
    """The cities whose deployment is shipped, in order of their file names."""
    return tuple(sorted(path.stem for path in deployments_folder().glob("*.yaml")))


def load_deployment(city: str, policy: Policy | None = None) -> Deployment:
    """The shipped deployment of a city (e.g. ``suzhou``); see :func:`load_deployment_file`."""
    if city not in available_cities():
        listed = "、".join(available_cities())
        raise DeploymentError(f"没有“{city}”的部署文件，可用：{listed}。", code="deployment-unknown", city=city)
    return load_deployment_file(deployments_folder() / f"{city}.yaml", policy)


def deployment_of_policy(policy: Policy) -> Deployment:
    """The shipped deployment that runs this policy, with its responsibilities."""
    for city in available_cities():
        if load_deployment(city).policy_id == policy.id:
            return load_deployment(city, policy)
    raise DeploymentError(f"没有执行政策“{policy.id}”的部署文件。", code="deployment-unknown", policy=policy.id)


def load_deployment_file(path: Path, policy: Policy | None = None) -> Deployment:
    """Read and check a deployment file.

    Args:
        path: a YAML file of format ``xinzheng.deployment/1``.
        policy: the policy that the file names. With it the file must name units for each of the policy's domains and
            sections and for no other, and ``responsibilities`` and ``returns`` are filled from its record kinds.

    Raises:
        DeploymentError: every mistake, with file and line.
    """
    mistakes = Mistakes()
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DeploymentError(f"无法读取部署文件 {path}：{error.strerror}。", code="deployment-unknown") from error
    root = read_root(content, path.name, mistakes)
    deployment, places = read_deployment(root) if root is not None else (None, {})
    if root is not None and deployment is not None and policy is not None:
        _check_against(policy, deployment, root, places)
    try:
        mistakes.refuse()
    except PolicyError as error:
        raise DeploymentError(error.message, mistakes=error.context.get("mistakes")) from error
    if deployment is None:  # without a mistake there is a deployment
        raise DeploymentError(f"部署文件 {path.name} 无法读取。")
    if policy is None:
        return deployment
    kinds = {d.code: tuple(d.kinds) for d in policy.domains} | {s.code: (s.kind,) for s in policy.other}
    responsibilities, returns = _responsibilities(deployment, kinds), _returns(deployment, kinds)
    return replace(deployment, responsibilities=responsibilities, returns=returns)


def _check_against(policy: Policy, deployment: Deployment, root: Value, places: Mapping[str, Value]) -> None:
    if deployment.policy_id != policy.id:
        root.wrong(f"本文件执行的是政策“{deployment.policy_id}”，不是“{policy.id}”")
        return
    if policy.jurisdiction not in (deployment.jurisdiction, NATIONWIDE):
        root.wrong(f"区划代码{deployment.jurisdiction}与政策的{policy.jurisdiction}不一致")
    asked = {d.code: d.name for d in policy.domains} | {s.code: s.name for s in policy.other}
    for code, name in asked.items():
        if code not in deployment.answering:
            root.wrong(f"政策的“{name}”（{code}）没有责任单位，请在 domains 或 sections 中补上")
    for code, place in places.items():
        if code not in asked:
            place.wrong(f"政策“{policy.id}”没有代码为“{code}”的领域或其他核查信息")


def _responsibilities(deployment: Deployment, kinds: _Kinds) -> tuple[DeployedResponsibility, ...]:
    return tuple(
        DeployedResponsibility(code, kind.value, uscc, rank)
        for code, found in kinds.items()
        for kind in found
        for rank, uscc in enumerate(deployment.answering[code], 1)
    )


def _returns(deployment: Deployment, kinds: _Kinds) -> tuple[DeployedReturn, ...]:
    return tuple(
        DeployedReturn(code, kind.value, source, unit)
        for code, found in kinds.items()
        for kind in found
        for source, unit in deployment.returning.get(code, ())
    )
