"""Attempts at once: of the same code or at the same name, over several connections."""

import threading
import time
from collections.abc import Callable

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, generate_totp_secret, hotp_value
from django.db import connections

from xinzheng.apps.accounts.actions import NewAccount, open_account
from xinzheng.apps.accounts.locking import Attempt, attempt, is_locked
from xinzheng.apps.accounts.models import Account, Role, SignInFailure
from xinzheng.web.sign_in.factors import factor_by_code

pytestmark = pytest.mark.django_db(transaction=True)
AT_ONCE = 6


@pytest.fixture
def account() -> Account:
    return open_account(NewAccount("office", "示例", Role.OFFICE_OPERATOR), by="test")


def all_at_once(act: Callable[[], object]) -> list[object]:
    """What each of several threads, each with a connection of its own, was answered."""
    answers: list[object] = []
    ready = threading.Barrier(AT_ONCE)

    def one() -> None:
        try:
            ready.wait()
            answers.append(act())
        finally:
            connections.close_all()

    threads = [threading.Thread(target=one) for _ in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == AT_ONCE
    return answers


def test_of_many_who_show_the_same_code_at_once_one_is_let_in(account: Account) -> None:
    secret = generate_totp_secret()
    TOTP.activate(account, secret)
    code = format_hotp_value(hotp_value(secret, int(time.time()) // 30))
    answers = all_at_once(lambda: factor_by_code(account, code))
    assert len([answer for answer in answers if isinstance(answer, Authenticator)]) == 1


def test_guesses_at_once_are_all_counted_and_no_more_than_allowed_are_weighed(account: Account) -> None:
    let_in = all_at_once(lambda: attempt(Attempt("office", account, "password"), lambda: None))
    assert let_in == [None] * AT_ONCE
    assert SignInFailure.objects.get().count == AT_ONCE
    assert is_locked("office")
    assert attempt(Attempt("office", account, "password"), lambda: account) is None
