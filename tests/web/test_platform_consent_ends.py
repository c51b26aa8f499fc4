"""What a person let a platform do is over, whatever is on its way at that moment; asked over HTTP."""

from allauth.idp.oidc.models import Token
from django.test import Client

from tests.permissions.world import enter
from tests.web.conftest import People
from tests.web.test_platform_consent import (
    AUTHORIZE,
    BACK,
    SCOPES,
    Software,
    allows,
    called,
    consented,
    refusal,
    sent_back,
    software,
)
from xinzheng.api.platforms import acting_account
from xinzheng.apps.accounts.administering import close_for, reopen_for
from xinzheng.apps.accounts.platform_grants import grants_of
from xinzheng.apps.accounts.platforms import MadePlatform, NewPlatform, register_platform
from xinzheng.apps.audit.models import AuditEvent

__all__ = ["software"]


def test_what_a_person_does_not_agree_to_when_asked_again_is_over(software: Software, people: People) -> None:
    before, theirs = consented(software, people.clean), consented(software, people.punished)
    browser = enter(Client(), people.clean)
    ticket = browser.get(AUTHORIZE, software.asks()).context["ticket"]
    less = browser.post(AUTHORIZE, {"request": ticket, "answer": "allow", "scopes": ["reports:read"]})
    assert called(before["access_token"]).scopes == {"openid", "reports:read"}
    again = software.refreshes(before["refresh_token"]).json()
    assert called(again["access_token"]).scopes == {"openid", "reports:read"}
    assert software.redeems(sent_back(less)["code"]).status_code == 200
    assert [grant.scopes for grant in grants_of(people.clean)] == [{"openid", "reports:read"}]
    # What was not asked for this time stays.
    ticket = browser.get(AUTHORIZE, software.asks(scope="codes reports:apply")).context["ticket"]
    browser.post(AUTHORIZE, {"request": ticket, "answer": "allow", "scopes": ["codes"]})
    assert called(again["access_token"]).scopes == {"openid", "reports:read"}
    assert called(theirs["access_token"]).scopes == {"openid", "reports:read", "reports:apply"}


def test_a_closed_account_that_is_opened_again_has_let_no_platform_act(software: Software, people: People) -> None:
    tokens = consented(software, people.clean)
    close_for(people.clean.pk, by=None)
    reopen_for(people.clean.pk, by=None)
    assert refusal(tokens["access_token"]) == (401, "token-refused")
    assert software.refreshes(tokens["refresh_token"]).json()["error"] == "invalid_grant"
    (ended,) = AuditEvent.objects.filter(action="platform-consent-ended")
    assert ended.details["why"] == "account-closed"


def test_a_code_that_is_out_gives_nothing_once_the_consent_is_taken_back(software: Software, people: People) -> None:
    consented(software, people.clean)
    browser = enter(Client(), people.clean)
    code = sent_back(allows(browser, software))["code"]
    browser.post(f"/account/platforms/{software.made.platform.pk}/take-back")
    assert software.redeems(code).json()["error"] == "invalid_grant"
    assert not Token.objects.exists()


def test_a_code_that_comes_again_ends_what_it_gave(software: Software, people: People) -> None:
    theirs, before = consented(software, people.punished), consented(software, people.clean)
    other = Software(register_platform(NewPlatform("另一平台", SCOPES, [BACK]), by="test"))
    code = sent_back(allows(enter(Client(), people.clean), software))["code"]
    given = software.redeems(code).json()
    strangers = (other, Software(MadePlatform(software.made.platform, "guessed")))
    assert [stranger.redeems(code).status_code for stranger in strangers] == [400, 401]
    assert acting_account(called(given["access_token"])) == people.clean
    assert software.redeems(code).json()["error"] == "invalid_grant"
    assert refusal(given["access_token"]) == (401, "token-refused")
    assert software.refreshes(given["refresh_token"]).json()["error"] == "invalid_grant"
    assert acting_account(called(before["access_token"])) == people.clean
    assert acting_account(called(theirs["access_token"])) == people.punished
    (ended,) = AuditEvent.objects.filter(action="platform-consent-ended")
    assert ended.details == {"why": "code-reused", "account": people.clean.pk}
