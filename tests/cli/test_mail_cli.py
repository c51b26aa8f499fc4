"""``xinzheng mail``: how the queue stands, and whether the server takes a mail."""

import json

import pytest

from tests.apps.test_mail import set_up
from tests.mail_server import mail_server
from xinzheng.cli import main

pytestmark = pytest.mark.django_db


def test_without_a_server_the_command_says_what_to_set(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["mail", "status"]) == 0
    assert "没有设置，不发送邮件（XINZHENG_SMTP_HOST）" in capsys.readouterr().out
    assert main(["mail", "try", "li@example.com"]) == 1
    assert "XINZHENG_MAIL_FROM" in capsys.readouterr().err


def test_a_mail_is_tried_and_the_answer_told_without_the_address(capsys: pytest.CaptureFixture[str]) -> None:
    with mail_server() as box, set_up(box.port):
        assert main(["mail", "try", "li@example.com"]) == 0
        assert "250" in capsys.readouterr().out
        assert "试发" in box.mails[0].get_content()
        assert main(["mail", "try", "refused@example.com", "--json"]) == 1
        assert json.loads(capsys.readouterr().out) == {"taken": False, "answered": 550, "said": "no such box"}
        assert main(["mail", "status", "--json"]) == 0
        found = json.loads(capsys.readouterr().out)
    assert (found["host"], found["port"], found["sender"]) == ("127.0.0.1", box.port, "site@example.gov.cn")
    assert (found["waiting"], found["sent"], found["given_up"]) == (0, 0, 0)
