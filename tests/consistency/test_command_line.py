"""The skeleton of the command: exit codes, Chinese messages, and JSON for errors."""

import argparse
import json
import socket
import sys
import types

import pytest

from xinzheng import __version__
from xinzheng.cli import main
from xinzheng.cli.main import COMMANDS
from xinzheng.core.errors import RefusedError


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    """A command of the test's own, in the place of ``policy``; what ``run`` does is for the test to say."""
    module = types.ModuleType("xinzheng.cli.policy")

    def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
        parser = subparsers.add_parser("policy")
        parser.add_argument("--json", action="store_true")
        parser.add_argument("--kind", choices=["a", "b"])
        parser.add_argument("file")
        parser.set_defaults(run=run)

    def run(args: argparse.Namespace) -> int:
        code: int = module.run(args)
        return code

    module.__dict__.update(add_parser=add_parser, run=lambda _args: 0)
    module.__spec__ = types.SimpleNamespace(name=module.__name__)  # type: ignore[assignment]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return module


def refuse(_args: argparse.Namespace) -> int:
    raise RefusedError("政策已失效，请改用现行政策。", code="policy-expired")


def interrupt(_args: argparse.Namespace) -> int:
    raise KeyboardInterrupt


def test_what_a_command_returns_is_the_exit_code(command: types.ModuleType) -> None:
    assert main(["policy", "f"]) == 0
    command.run = lambda _args: 1
    assert main(["policy", "f"]) == 1


def test_a_refusal_goes_to_stderr_in_chinese_and_is_exit_code_1(
    command: types.ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    command.run = refuse
    assert main(["policy", "f"]) == 1
    told = capsys.readouterr()
    assert (told.out, told.err) == ("", "政策已失效，请改用现行政策。\n")


def test_with_json_a_refusal_is_also_one_object_on_stdout(
    command: types.ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    command.run = refuse
    assert main(["policy", "f", "--json"]) == 1
    told = capsys.readouterr()
    assert json.loads(told.out) == {"error": {"code": "policy-expired", "message": "政策已失效，请改用现行政策。"}}
    assert told.err == "政策已失效，请改用现行政策。\n"


def test_an_interruption_is_exit_code_130(command: types.ModuleType) -> None:
    command.run = interrupt
    assert main(["policy", "f"]) == 130


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ([], "请给出子命令"),
        (["policy"], "缺少必填参数：file"),
        (["policy", "f", "--nope"], "不认识的参数：--nope"),
        (["policy", "f", "--kind", "c"], "“c”不在可选范围内"),
        (["policy", "f", "--kind"], "需要一个值"),
        (["serve", "--port", "70000"], "不是端口号"),
    ],
)
def test_wrong_use_is_exit_code_2_and_said_in_chinese(
    command: types.ModuleType, arguments: list[str], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert reason in capsys.readouterr().err


def test_the_help_is_in_chinese(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["serve", "--help"])
    assert ended.value.code == 0
    told = capsys.readouterr().out
    assert "用法：" in told
    assert "显示本说明" in told
    assert "usage" not in told


def test_it_says_its_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out == f"xinzheng {__version__}\n"


def test_serve_is_one_of_the_commands() -> None:
    assert "serve" in COMMANDS


@pytest.mark.django_db
def test_serve_says_when_the_port_is_taken(capsys: pytest.CaptureFixture[str]) -> None:
    from xinzheng.cli.serve import PortTakenError, refuse_taken_port

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(PortTakenError, match=f"--port {port + 1}"):
            refuse_taken_port("127.0.0.1", port)
    refuse_taken_port("127.0.0.1", port)
