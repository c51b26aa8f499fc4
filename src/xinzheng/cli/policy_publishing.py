"""``xinzheng policy publish|extend|history|draft``: put a pack in force, prolong a policy, see what was; by two people.

Whoever has the command line could write to the database anyway; that two people agreed is proved by their passwords.
"""

import argparse
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from getpass import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xinzheng.adapters.policy_files import Checked, check_draft, written_out
from xinzheng.cli.asking import day
from xinzheng.core.errors import XinzhengError

if TYPE_CHECKING:
    from xinzheng.apps.accounts.models import Account
    from xinzheng.apps.reports.pack_queries import Publication

BY = "command-line"
PARTS = "publish|extend|history|draft"


class TwoPeopleError(XinzhengError):
    """The two people who have to agree did not."""

    code = "two-people-needed"


def add_parts(parts: Any) -> None:
    """Register the four parts below ``xinzheng policy``."""
    publish = parts.add_parser("publish", help="发布政策包（须信用办和司法局各一人）", description=_ABOUT_PUBLISH)
    publish.add_argument("folder", metavar="FOLDER", type=Path, help="政策包所在的文件夹：policy.yaml、cases/*.yaml")
    publish.add_argument(
        "--from", dest="from_date", type=day, metavar="D", required=True, help="哪一天起施行，最早明天"
    )
    publish.add_argument("--document", default="", metavar="文号", help="据以发布的文件的文号")
    publish.add_argument("--reason", required=True, metavar="理由", help="为什么发布")
    publish.set_defaults(run_part=run_publish)
    extend = parts.add_parser("extend", help="登记政策延期（须信用办和司法局各一人）")
    extend.add_argument("id", metavar="ID", help="政策编号")
    extend.add_argument("--until", type=day, metavar="D", required=True, help="延至哪一天，含当日")
    extend.add_argument("--document", required=True, metavar="文号", help="延期文件的文号")
    extend.add_argument("--note", default="", metavar="说明", help="印在报告上的说明")
    extend.set_defaults(run_part=run_extend)
    for part in (publish, extend):
        part.add_argument("--office", required=True, metavar="用户名", help="信用办同意的人；密码另行询问")
        part.add_argument("--justice", required=True, metavar="用户名", help="司法局同意的人；密码另行询问")
    history = parts.add_parser("history", help="列出一项政策发布过的政策包和延期")
    history.add_argument("id", metavar="ID", help="政策编号")
    history.set_defaults(run_part=run_history)
    draft = parts.add_parser("draft", help="把现行政策包写到文件夹里，作为草稿的底稿")
    draft.add_argument("id", metavar="ID", help="政策编号")
    draft.add_argument("--to", metavar="FOLDER", type=Path, required=True, help="写到哪个文件夹，应当还没有")
    draft.set_defaults(run_part=run_draft)
    for part in (publish, extend, history, draft):
        part.add_argument("--json", action="store_true", help="输出一个JSON对象")
        part.set_defaults(needs_database=True)


_ABOUT_PUBLISH = (
    "严格检查政策包并运行用例，两人各输入自己的密码后发布；没有在终端上运行的，从标准输入各读一行，信用办在前。"
)


# --- two people -----------------------------------------------------------------------------------------------------


def _two_people(args: argparse.Namespace) -> tuple[str, str]:
    """The actors of the two who agree, each proved by a password. Raises TwoPeopleError."""
    from xinzheng.apps.accounts.models import Role
    from xinzheng.apps.accounts.passwords import is_password_due
    from xinzheng.apps.accounts.queries import account_named
    from xinzheng.apps.oversight.permissions import refusals_to_sign_proposal

    asked = ((args.office, Role.OFFICE_OPERATOR, "信用办"), (args.justice, Role.JUSTICE_LEAD, "司法局"))
    accounts = []
    for username, role, office in asked:
        account = account_named(username)
        if account is None or account.role != role or refusals_to_sign_proposal(account):
            raise TwoPeopleError(f"“{username}”不是{office}在用的账户，不能代表{office}同意；请核对用户名。")
        if is_password_due(account):  # whoever opened the account may know it
            raise TwoPeopleError(f"“{username}”的密码须先修改：请本人登录网站改过密码后再来。")
        accounts.append(account)
    for account, (_, _, office) in zip(accounts, asked, strict=True):
        _prove(account, office)
    return accounts[0].actor, accounts[1].actor


def _prove(account: "Account", office: str) -> None:
    from xinzheng.apps.accounts.locking import Attempt, attempt

    asking = f"{office}“{account.username}”的密码："
    password = getpass(asking) if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")

    def check() -> "Account | None":
        return account if account.check_password(password) else None

    if attempt(Attempt(account.username, account, "password"), check) is None:
        raise TwoPeopleError(f"{office}“{account.username}”的密码不对，或者账户已锁定；没有发布，请核对后再试。")


# --- publish --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Pack:
    """A pack in a folder: its files, and its cases."""

    files: Mapping[str, bytes]
    cases: Mapping[str, bytes]


def _pack_in(folder: Path) -> Pack:
    try:
        names = ["policy.yaml", *(name for name in ("core.yaml",) if (folder / name).is_file())]
        files = {name: (folder / name).read_bytes() for name in names}
        cases = {path.name: path.read_bytes() for path in sorted((folder / "cases").glob("*.yaml"))}
    except OSError as error:
        raise XinzhengError(
            f"读不到 {error.filename}（{error.strerror}），请核对文件夹。", code="pack-unread"
        ) from error
    return Pack(files, cases)


def _sound(pack: Pack) -> Checked:
    """The pack, checked, its cases run. Raises XinzhengError ``pack-unfit``, ``cases-missing``, ``cases-fail``."""
    checked = check_draft(pack.files, pack.cases)
    if checked.policy is None:
        lines = "\n".join(f"  {mistake}" for mistake in checked.mistakes)
        raise XinzhengError(f"政策包有{len(checked.mistakes)}处错误，没有发布：\n{lines}", code="pack-unfit")
    if not checked.ran:
        raise XinzhengError("政策包没有用例（cases/*.yaml），不能发布；请先写用例。", code="cases-missing")
    if checked.failed:
        lines = "\n".join(f"  {c.file}:{c.line} {c.name}：{'；'.join(c.differences)}" for c in checked.failed)
        raise XinzhengError(f"有{len(checked.failed)}个用例不符合预期，没有发布：\n{lines}", code="cases-fail")
    return checked


def run_publish(args: argparse.Namespace) -> int:
    """Check, run the cases, have two people agree, publish."""
    from xinzheng.apps.reports.publishing import Publishing, publish_pack

    checked = _sound(_pack_in(args.folder))
    assert checked.policy is not None
    for warning in checked.warnings:
        print(f"注意：{warning}", file=sys.stderr)
    policy_id = checked.policy.id
    people = _two_people(args)
    position = publish_pack(
        Publishing(policy_id, checked.files, args.from_date, args.document, args.reason, people), by=BY
    )
    facts = {
        "policy": policy_id,
        "sha256": checked.policy.sha256,
        "from": args.from_date.isoformat(),
        "cases": len(checked.ran),
        "position": position,
    }
    said = f"{policy_id} 的政策包已发布，自{args.from_date.isoformat()}起施行（账本位置{position}）。"
    _say(args, facts, said)
    return 0


def run_extend(args: argparse.Namespace) -> int:
    """Record an extension on which two people agree."""
    from xinzheng.apps.reports.packs import current_policy
    from xinzheng.apps.reports.publishing import record_extension
    from xinzheng.core.policy import Extension

    current_policy(args.id)
    people = _two_people(args)
    extension = Extension(args.document, args.until, args.note)
    position = record_extension(args.id, extension, by=BY, signed_by=people)
    facts = {"policy": args.id, "document": args.document, "until": args.until.isoformat(), "position": position}
    _say(args, facts, f"{args.id} 已登记延期至{args.until.isoformat()}（账本位置{position}）。")
    return 0


# --- history, draft -------------------------------------------------------------------------------------------------


def run_history(args: argparse.Namespace) -> int:
    """What was shipped, published and recorded, oldest first."""
    from xinzheng.apps.reports.pack_queries import recorded
    from xinzheng.apps.reports.packs import policy_ids, shipped_digest

    held = recorded()
    if args.id not in {*policy_ids(), *held.publications}:
        raise XinzhengError(f"没有“{args.id}”这项政策。", code="unknown-policy")
    facts = {
        "policy": args.id,
        "shipped": shipped_digest(args.id),
        "published": [_published_facts(one) for one in held.publications.get(args.id, ())],
        "extensions": [
            {"document": one.document, "until": one.until_date.isoformat(), "note": one.note}
            for one in held.extensions.get(args.id, ())
        ],
    }
    _say(args, facts, "\n".join(_history_lines(facts)))
    return 0


def _published_facts(one: "Publication") -> dict[str, Any]:
    from xinzheng.apps.reports.pack_queries import recorded
    from xinzheng.apps.reports.packs import today

    day_asked = max(today(), one.from_date)
    holding = recorded().publication_on(one.policy_id, day_asked)
    state = "replaced" if holding != one else "in_force" if one.from_date <= today() else "planned"
    return {
        "entry": one.entry,
        "from": one.from_date.isoformat(),
        "sha256": one.sha256,
        "document": one.document,
        "reason": one.reason,
        "state": state,
    }


_STATES = {"replaced": "已被代替", "in_force": "施行中", "planned": "待施行"}


def _history_lines(facts: Mapping[str, Any]) -> list[str]:
    shipped = f"随软件提供  sha256 {facts['shipped']}" if facts["shipped"] else "不随软件提供"
    lines = [f"{facts['policy']}：{shipped}"]
    for one in facts["published"]:
        words = (f"自{one['from']}起", _STATES[one["state"]], one["document"], one["reason"], f"sha256 {one['sha256']}")
        lines.append("  发布  " + "  ".join(filter(None, words)))
    for one in facts["extensions"]:
        lines.append("  延期  " + "  ".join(filter(None, (f"至{one['until']}", one["document"], one["note"]))))
    return lines if len(lines) > 1 else [*lines, "  没有发布过，也没有登记过延期。"]


def run_draft(args: argparse.Namespace) -> int:
    """The pack in force as files to begin a draft with: aliases written out, which drafts may not have."""
    from xinzheng.apps.oversight.pack_rows import cases_in_force, files_in_force
    from xinzheng.apps.reports.packs import current_policy

    policy = current_policy(args.id)
    try:
        (args.to / "cases").mkdir(parents=True)
    except FileExistsError:
        raise XinzhengError(f"{args.to} 里已经有 cases 文件夹，没有写；请换一个文件夹。", code="folder-taken") from None
    written = {args.to / name: written_out(data) for name, data in files_in_force(policy).items()}
    written |= {args.to / "cases" / name: written_out(data) for name, data in cases_in_force(policy).items()}
    for path, data in written.items():
        path.write_bytes(data)
    facts = {"policy": args.id, "folder": str(args.to), "files": [str(path.relative_to(args.to)) for path in written]}
    _say(args, facts, f"{args.id} 的现行政策包已写到 {args.to}（{len(written)}个文件），可以修改后检查、发布。")
    return 0


def _say(args: argparse.Namespace, facts: Mapping[str, object], words: str) -> None:
    print(json.dumps(facts, ensure_ascii=False) if args.json else words)
