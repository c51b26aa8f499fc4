"""Suggestions and complaints: by anybody, sealed, answered once, read with number and code, deleted in time."""

import uuid
from dataclasses import replace
from datetime import date

import pytest
from django.db import connection
from django.test import override_settings

from tests import told_time
from tests.module_database import module_database, refusal_code, undone_after
from xinzheng.apps.accounts.actions import NewAccount, open_account
from xinzheng.apps.accounts.models import Account, Role
from xinzheng.apps.audit.models import AuditEvent
from xinzheng.apps.codes.models import Notice
from xinzheng.apps.oversight import suggestions
from xinzheng.apps.oversight.models import Suggestion, SuggestionWords
from xinzheng.apps.oversight.suggestions import Answer, NewSuggestion

WORDS = "领域名称的字太小。\n联系人张某，13812345678。"
NEW = NewSuggestion("suggestion", "service", WORDS)


db, undone = module_database, undone_after
pytestmark = pytest.mark.usefixtures("undone")


def lodged(new: NewSuggestion = NEW, account: Account | None = None) -> suggestions.Lodged:
    return suggestions.lodge(new, account=account, key=uuid.uuid4())


def test_what_was_said_reaches_the_office_and_its_answer_whoever_has_number_and_code() -> None:
    made = lodged()
    (row,) = suggestions.waiting()
    assert (row.number, row.words, row.is_signed_in) == (made.number, WORDS, False)
    open_yet = suggestions.find_answer(made.number, made.code)
    assert open_yet is not None
    assert (open_yet.answer, open_yet.words) == ("", None)
    suggestions.answer(made.number, Answer("下一版改大。"), by="account:1")
    spaced = " ".join((made.code[:4].lower(), made.code[4:8], made.code[8:]))
    found = suggestions.find_answer(f" {made.number.lower()} ", spaced)
    assert found is not None
    assert found.answer == "下一版改大。"
    assert suggestions.waiting() == []
    assert suggestions.public_answers() == []
    acts = AuditEvent.objects.filter(object_id=made.number).order_by("id")
    assert [(event.who, event.action) for event in acts] == [
        ("public", "suggestion-lodged"),
        ("account:1", "suggestion-answered"),
    ]


def test_an_unknown_number_a_wrong_code_and_anothers_code_are_answered_alike() -> None:
    made, other = lodged(), lodged()
    wrong = made.code[:-1] + ("0" if made.code[-1] != "0" else "1")
    for number, code in (
        ("J20200101-0001", made.code),
        (made.number, wrong),
        (made.number, other.code),
        (made.number, ""),
        ("", ""),
        ("\ud83d" * 100, "\0" * 500),
    ):
        assert suggestions.find_answer(number, code) is None


def test_the_database_holds_neither_words_nor_code() -> None:
    made = lodged()
    with connection.cursor() as cursor:
        cursor.execute("SELECT s::text, w::text FROM oversight_suggestion s, oversight_suggestionwords w")
        kept = "".join("".join(row) for row in cursor.fetchall())
    for secret in (made.code, "张某", "13812345678"):
        assert secret not in kept
        assert secret.encode().hex() not in kept


def test_the_same_form_sent_twice_is_one_suggestion_with_one_code() -> None:
    key = uuid.uuid4()
    first, again = (suggestions.lodge(NEW, account=None, key=key) for _ in range(2))
    assert first == again
    assert Suggestion.objects.count() == 1
    other = replace(NEW, words="别的话")
    assert refusal_code(lambda: suggestions.lodge(other, account=None, key=key)) == "suggestion-lodged-already"


def test_a_public_answer_carries_the_offices_question_and_not_the_words() -> None:
    made = lodged()
    assert refusal_code(lambda: suggestions.answer(made.number, Answer("好", is_public=True), by="test")) == (
        "question-missing"
    )
    suggestions.answer(made.number, Answer("已改。", "字太小怎么办？", is_public=True), by="test")
    (row,) = suggestions.public_answers()
    assert (row.question, row.answer, row.words) == ("字太小怎么办？", "已改。", None)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"words": " \n "}, "suggestion-empty"),
        ({"words": "示" * 2001}, "suggestion-too-long"),
        ({"words": "示例\0"}, "suggestion-unreadable"),
        ({"kind": "praise"}, "suggestion-kind-unknown"),
        ({"topic": "weather"}, "topic-unknown"),
        ({"unit_name": "没有的单位"}, "unknown-unit"),
        ({"unit_name": "\0"}, "unknown-unit"),
    ],
)
def test_what_cannot_be_kept_is_refused(changes: dict[str, str], code: str) -> None:
    assert refusal_code(lambda: lodged(replace(NEW, **changes))) == code


def test_an_answer_is_needed_once_and_holds_no_persons_number() -> None:
    made = lodged()
    assert refusal_code(lambda: suggestions.answer(made.number, Answer(" "), by="test")) == "answer-missing"
    assert (
        refusal_code(lambda: suggestions.answer(made.number, Answer("请找13812345678"), by="test")) == "text-not-kept"
    )
    assert refusal_code(lambda: suggestions.answer("J1", Answer("好"), by="test")) == "unknown-suggestion"
    suggestions.answer(made.number, Answer("好"), by="test")
    assert (
        refusal_code(lambda: suggestions.answer(made.number, Answer("又"), by="test")) == "suggestion-answered-already"
    )


def test_an_account_sees_its_own_and_does_not_flood_the_office() -> None:
    agent = open_account(NewAccount("agent", "经办人", Role.SUBJECT_AGENT), by="test")
    for _ in range(suggestions.OPEN_AT_MOST):
        lodged(account=agent)
    lodged()
    assert len(suggestions.suggestions_of(agent)) == suggestions.OPEN_AT_MOST
    assert {row.words for row in suggestions.suggestions_of(agent, with_words=True)} == {WORDS}
    assert refusal_code(lambda: lodged(account=agent)) == "too-many-suggestions"


@override_settings(XINZHENG_CLOCK="tests.told_time.now", XINZHENG_KEEP_SUGGESTION_DAYS=10)
def test_the_words_are_deleted_after_their_time_and_number_and_answer_stay() -> None:
    try:
        told_time.tell(date(2026, 1, 5))
        made = lodged()
        suggestions.answer(made.number, Answer("好"), by="test")
        told_time.tell(date(2026, 1, 15))
        assert suggestions.forget_old() == 0
        told_time.tell(date(2026, 1, 15), hour=11)
        assert suggestions.forget_old() == 1
    finally:
        told_time.forget()
    assert not SuggestionWords.objects.exists()
    found = suggestions.find_answer(made.number, made.code)
    assert found is not None
    assert found.answer == "好"
    event = AuditEvent.objects.get(action="suggestions-deleted")
    assert event.details["count"] == 1


def test_with_a_person_go_the_words_said_while_signed_in() -> None:
    person = open_account(NewAccount("person", "自然人", Role.SUBJECT_AGENT, person_id=7), by="test")
    lodged(account=person)
    lodged()
    assert suggestions.forget_of(7) == 1
    assert [row.words for row in suggestions.waiting()].count(None) == 1


def test_the_office_is_told_that_somebody_said_something_and_nothing_of_what() -> None:
    suggestions.lodge(NEW, account=None, key=uuid.uuid4())
    (told,) = Notice.objects.filter(event="suggestion-lodged", role="office_operator")
    assert told.body == {}
