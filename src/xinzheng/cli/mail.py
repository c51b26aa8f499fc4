"""``xinzheng mail``: notices by mail (邮件): how the queue stands, and whether the server takes a mail."""

import argparse
import json

from xinzheng.core.errors import XinzhengError

NEEDS_DATABASE = True


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``mail status|try``."""
    parser = subparsers.add_parser("mail", help="邮件通知：队列现状、试发")
    actions = parser.add_subparsers(dest="action", required=True, metavar="操作")
    status = actions.add_parser("status", help="邮件服务器的设置、等着发的、已发的、不再发的")
    status.set_defaults(run=status_run)
    trying = actions.add_parser("try", help="向一个邮箱试发一封，说明服务器应答了什么；不重发，不保存")
    trying.add_argument("address", metavar="邮箱", help="收试发邮件的邮箱")
    trying.set_defaults(run=try_run)
    for action in actions.choices.values():
        action.add_argument("--json", action="store_true", help="输出一个JSON对象")


def status_run(args: argparse.Namespace) -> int:
    """How mail stands: the server, the addresses, the queue."""
    from django.conf import settings

    from xinzheng.apps.codes.mail import queue_state
    from xinzheng.apps.codes.models import MailAddress

    server, state = settings.XINZHENG_MAIL, queue_state()
    found = {
        "host": server.host,
        "port": server.port if server.host else None,
        "tls": server.tls if server.host else None,
        "sender": server.sender,
        "addresses": MailAddress.objects.filter(confirmed_at__isnull=False).count(),
        "waiting": state.waiting,
        "sent": state.sent,
        "given_up": state.given_up,
        "oldest": state.oldest.isoformat() if state.oldest else None,
        "last_said": state.last_said,
    }
    if args.json:
        print(json.dumps(found, ensure_ascii=False))
        return 0
    named = f"{server.host}:{server.port}（{server.tls}），发件地址{server.sender}"
    print(f"邮件服务器：{named if server.host else '没有设置，不发送邮件（XINZHENG_SMTP_HOST）'}")
    print(f"确认过的邮箱{found['addresses']}个；等着发{state.waiting}封，已发{state.sent}封，不再发{state.given_up}封")
    if state.oldest:
        print(f"等得最久的写于{found['oldest']}；服务器最近一次的应答：{state.last_said or '没有'}")
    return 0


def try_run(args: argparse.Namespace) -> int:
    """Give one mail to the server and wait for its answer. Exit 1: it did not take it."""
    from django.utils import timezone

    from xinzheng.apps.codes.mail_addresses import is_mail_set_up
    from xinzheng.apps.codes.mail_sending import Letter, post
    from xinzheng.apps.codes.mail_words import written

    if not is_mail_set_up():
        words = "没有设置邮件服务器。请设置 XINZHENG_SMTP_HOST 和 XINZHENG_MAIL_FROM，办法见 docs/operations/邮件.md。"
        raise XinzhengError(words, code="mail-not-set-up")
    made = written("trial", at=timezone.localtime().strftime("%Y-%m-%d %H:%M:%S"))
    answer = post(Letter(args.address, made.template.subject_line, made.body))
    if args.json:
        print(json.dumps({"taken": answer.is_good, "answered": answer.code, "said": answer.said}, ensure_ascii=False))
    elif answer.is_good:
        print("服务器收下了（250）。请到收件箱里看；没有的，看垃圾邮件，再查服务器的日志。")
    else:
        print(f"没有发出。服务器应答{answer.code or '（没有应答）'}：{answer.said}")
    return 0 if answer.is_good else 1
