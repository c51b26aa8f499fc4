"""The house rules that no linter knows, measured on the tracked files."""

import ast
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "xinzheng"
LONGEST_FUNCTION, LONGEST_MODULE, MOST_PARAMETERS = 40, 400, 5
DRAWERS = re.compile(r"^(utils?|helpers?|common|misc|services?|managers?|handlers?|base)$", re.IGNORECASE)
DRAWER_CLASSES = re.compile(r"(Manager|Service|Handler|Helper|Util|Utils)$")
# Written so that this file does not find itself.
REGISTRY = re.compile(
    "index" + r"-url|https?://[^\s\"']*/simp" + r"le\b|\"resolved\":\s*\"http|find" + "-links", re.IGNORECASE
)
UNFINISHED = re.compile(r"\b(TO" + "DO|FIX" + "ME|XX" + r"X)\b")
SILENCED = re.compile(r"# type: ignore(?!\[)|# noqa(?!:)")
SKIPPED = re.compile(r"pytest\.(skip|xfail|importorskip)|mark\.(skip|skipif|xfail)\b")
THIRD_PARTY_IN_CORE = {"stdnum"}

Function = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def tracked() -> tuple[Path, ...]:
    """All files of the repository, those not yet added included."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return tuple(ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file())


def modules(folder: Path) -> list[Path]:
    return [
        path
        for path in tracked()
        if path.suffix == ".py" and path.is_relative_to(folder) and "migrations" not in path.parts
    ]


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def functions(path: Path) -> Iterator[Function]:
    for node in ast.walk(tree(path)):
        if isinstance(node, Function):
            yield node


def where(path: Path, node: ast.stmt) -> str:
    return f"{path.relative_to(ROOT)}:{node.lineno} {getattr(node, 'name', '')}"


def parameters(function: Function) -> int:
    given = function.args
    named = [*given.posonlyargs, *given.args, *given.kwonlyargs]
    return len([argument for argument in named if argument.arg not in ("self", "cls")])


def lines_matching(pattern: re.Pattern[str], paths: list[Path]) -> list[str]:
    found = []
    for path in paths:
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        numbered = enumerate(text.splitlines(), 1)
        found += [f"{path.relative_to(ROOT)}:{number}" for number, line in numbered if pattern.search(line)]
    return found


def test_no_function_is_longer_than_forty_lines() -> None:
    assert [
        where(path, function)
        for path in modules(ROOT)
        for function in functions(path)
        if (function.end_lineno or 0) - function.lineno + 1 > LONGEST_FUNCTION
    ] == []


def test_no_module_is_longer_than_four_hundred_lines() -> None:
    assert [
        str(path.relative_to(ROOT))
        for path in modules(ROOT)
        if len(path.read_text(encoding="utf-8").splitlines()) > LONGEST_MODULE
    ] == []


def test_no_function_takes_more_than_five_parameters() -> None:
    assert [
        where(path, function)
        for path in modules(SOURCE)
        for function in functions(path)
        if parameters(function) > MOST_PARAMETERS
    ] == []


def test_every_room_has_a_name_that_says_what_is_in_it() -> None:
    assert [
        str(path.relative_to(ROOT))
        for path in modules(SOURCE)
        if any(DRAWERS.match(part) for part in path.relative_to(SOURCE).with_suffix("").parts)
    ] == []


def test_no_class_is_a_drawer_either() -> None:
    assert [
        where(path, node)
        for path in modules(SOURCE)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ClassDef) and DRAWER_CLASSES.search(node.name)
    ] == []


def test_every_public_function_and_class_of_the_core_says_what_it_means() -> None:
    assert [
        where(path, node)
        for path in modules(SOURCE / "core")
        for node in tree(path).body
        if isinstance(node, Function | ast.ClassDef) and not node.name.startswith("_") and not ast.get_docstring(node)
    ] == []


@pytest.mark.parametrize("folder", ["src", "tests", "bench"])
def test_every_module_says_what_it_is(folder: str) -> None:
    empty = [path for path in modules(ROOT / folder) if path.name == "__init__.py" and not tree(path).body]
    assert [
        str(path.relative_to(ROOT))
        for path in modules(ROOT / folder)
        if path not in empty and not ast.get_docstring(tree(path))
    ] == []


def test_the_core_imports_nothing_but_the_standard_library_and_stdnum() -> None:
    import sys

    allowed = sys.stdlib_module_names | THIRD_PARTY_IN_CORE | {"xinzheng"}
    assert [
        where(path, node)
        for path in modules(SOURCE / "core")
        for node in ast.walk(tree(path))
        for name in imported(node)
        if name.split(".")[0] not in allowed or (name.startswith("xinzheng") and not name.startswith("xinzheng.core"))
        if isinstance(node, ast.stmt)
    ] == []


def imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module or ""] if isinstance(node, ast.ImportFrom) else []


def test_the_core_opens_nothing() -> None:
    assert [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in modules(SOURCE / "core")
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"open", "print", "input"}
    ] == []


def test_no_tracked_file_names_where_packages_come_from() -> None:
    assert lines_matching(REGISTRY, [path for path in tracked() if path.suffix != ".csv"]) == []


def test_nothing_is_left_for_later() -> None:
    assert (
        lines_matching(UNFINISHED, [path for path in tracked() if path.suffix in {".py", ".html", ".js", ".css"}]) == []
    )


def test_every_silenced_complaint_names_its_code() -> None:
    assert lines_matching(SILENCED, [path for path in modules(ROOT) if path != Path(__file__)]) == []


def test_no_test_is_skipped() -> None:
    assert lines_matching(SKIPPED, [path for path in modules(ROOT / "tests") if path != Path(__file__)]) == []


def test_the_lock_pins_every_package_by_hash() -> None:
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    pinned = re.findall(
        r"^([a-z0-9][\w.-]*)==[^\s]+ \\\n    --hash=sha256:[0-9a-f]{64}", text, re.MULTILINE | re.IGNORECASE
    )
    named = re.findall(r"^([a-z0-9][\w.-]*)\b.*$", text, re.MULTILINE | re.IGNORECASE)
    assert len(pinned) > 50
    assert named == pinned


def test_no_test_asks_for_the_day_before_it_runs() -> None:
    """The suite may run over midnight, at a month's end too: what is asked while modules load is another day's."""
    assert [
        f"{path.relative_to(ROOT)}:{call.lineno}"
        for path in modules(ROOT / "tests")
        for call in calls_on_loading(tree(path))
        if getattr(call.func, "id", getattr(call.func, "attr", "")) == "today"
    ] == []


def calls_on_loading(node: ast.AST) -> Iterator[ast.Call]:
    """Calls outside the bodies of functions; decorators and the values of parameters are called on loading."""
    if isinstance(node, ast.Call):
        yield node
    inside = ast.iter_child_nodes(node)
    if isinstance(node, Function | ast.Lambda):
        inside = iter([*getattr(node, "decorator_list", ()), *node.args.defaults, *filter(None, node.args.kw_defaults)])
    for child in inside:
        yield from calls_on_loading(child)
