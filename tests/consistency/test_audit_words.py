"""Every action and every kind of object that an audit event names has its words in Chinese."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from xinzheng.apps.audit.action_words import ACTION_WORDS, OBJECT_WORDS
from xinzheng.core.lifecycle import TRANSITIONS, ReportStatus
from xinzheng.core.objections import Act

SOURCE = Path(__file__).resolve().parents[2] / "src" / "xinzheng"
ENDED = set().union(*TRANSITIONS.values()) - {ReportStatus.IN_FORCE}
# Names that are put together where the event is written.
PUT_TOGETHER = {
    "report-": {f"report-{status}" for status in ENDED},
    "objection-": {f"objection-{act}" for act in Act},
}
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@cache
def parsed() -> dict[Path, ast.Module]:
    paths = [path for path in SOURCE.rglob("*.py") if "record_event(" in path.read_text(encoding="utf-8")]
    return {path: ast.parse(path.read_text(encoding="utf-8")) for path in paths}


def calls(tree: ast.AST, name: str) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and name in (getattr(node.func, "id", None), getattr(node.func, "attr", None)):
            yield node


def function_around(tree: ast.Module, inner: ast.AST) -> ast.FunctionDef | ast.AsyncFunctionDef:
    around = [node for node in ast.walk(tree) if isinstance(node, FUNCTIONS) and inner in ast.walk(node)]
    return max(around, key=lambda node: node.lineno)


def texts(node: ast.expr, tree: ast.Module, function: ast.FunctionDef | ast.AsyncFunctionDef) -> set[str]:
    """The texts an expression can stand for: its own, those of the names in it, of the calls that give a parameter."""
    if isinstance(node, ast.JoinedStr):
        return PUT_TOGETHER[str(getattr(node.values[0], "value", ""))]
    found: set[str] = set()
    for part in ast.walk(node):
        if isinstance(part, ast.Constant) and isinstance(part.value, str):
            found.add(part.value)
        elif isinstance(part, ast.Name):
            found |= meant_by(part.id, tree, function)
    return found


def meant_by(name: str, tree: ast.Module, function: ast.FunctionDef | ast.AsyncFunctionDef) -> set[str]:
    parameters = [argument.arg for argument in (*function.args.posonlyargs, *function.args.args)]
    if name in (*parameters, *(argument.arg for argument in function.args.kwonlyargs)):
        return {text for call in calls(tree, function.name) for text in given(call, name, parameters, tree)}
    found: set[str] = set()
    for node in (*ast.walk(function), *tree.body):
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None and node.value is not function:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                found |= assigned(target, node.value, name, (tree, function))
    return found


def assigned(
    target: ast.expr,
    value: ast.expr,
    name: str,
    where: tuple[ast.Module, ast.FunctionDef | ast.AsyncFunctionDef],
) -> set[str]:
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        pairs = zip(target.elts, value.elts, strict=True)
        return {text for one, other in pairs for text in assigned(one, other, name, where)}
    return texts(value, *where) if isinstance(target, ast.Name) and target.id == name else set()


def given(call: ast.Call, name: str, parameters: list[str], tree: ast.Module) -> set[str]:
    """What a call gives for a parameter; the object of a method is not among its arguments."""
    first = 1 if parameters[:1] in (["self"], ["cls"]) else 0
    values = [keyword.value for keyword in call.keywords if keyword.arg == name]
    if name in parameters and parameters.index(name) - first < len(call.args):
        values.append(call.args[parameters.index(name) - first])
    return {text for value in values for text in texts(value, tree, function_around(tree, call))}


def written(member: str) -> dict[str, set[str]]:
    """What is given for it, by place."""
    found = {}
    for path, tree in parsed().items():
        for call in calls(tree, "record_event"):
            values = [keyword.value for keyword in call.keywords if keyword.arg == member]
            around = function_around(tree, call)
            place = f"{path.relative_to(SOURCE)}:{call.lineno}"
            found[place] = {text for value in values for text in texts(value, tree, around)}
    return found


@pytest.mark.parametrize(("member", "words"), [("action", ACTION_WORDS), ("object_kind", OBJECT_WORDS)])
def test_whatever_an_event_names_has_words(member: str, words: dict[str, str]) -> None:
    found = written(member)
    assert [place for place, names in found.items() if not names] == []
    assert {place: names - words.keys() for place, names in found.items() if names - words.keys()} == {}


def test_names_are_found_through_constants_parameters_and_tables() -> None:
    found = set().union(*written("action").values())
    assert {"report-stamped", "return-channel-ended", "review-linked", "report-revoked", "signed-in"} <= found
    assert len(found) > 60


def test_no_two_actions_share_their_words() -> None:
    assert len(set(ACTION_WORDS.values())) == len(ACTION_WORDS)
    assert len(set(OBJECT_WORDS.values())) == len(OBJECT_WORDS)
