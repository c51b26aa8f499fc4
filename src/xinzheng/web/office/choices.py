"""What a page on quality is about: the policy, the month, today; and what it says when a year was not announced."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Concatenate, ParamSpec

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from xinzheng.apps.accounts.models import OF_A_UNIT, Account
from xinzheng.apps.accounts.permissions import refusals_to_run_the_office
from xinzheng.apps.oversight.permissions import refusals_to_see_all_quality
from xinzheng.apps.oversight.queries import latest_complete_month, overseen_policies, unit_policies
from xinzheng.apps.registry.queries import RegisteredUnit
from xinzheng.core.coverage_calendar import Month
from xinzheng.core.errors import CalendarError
from xinzheng.core.policy import Policy
from xinzheng.web.access import refuse_if, signed_in
from xinzheng.web.departments.duties import own_unit

P = ParamSpec("P")
MONTHS_BACK = 24


@dataclass(frozen=True)
class Choices:
    """The policy looked at, and all there are."""

    policy: Policy
    policies: list[Policy]


def quality_page(
    view: Callable[Concatenate[HttpRequest, Account, P], HttpResponse],
) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """A page for who has signed in, which says so when the calendar of a year was not announced."""

    @wraps(view)
    def guarded(request: HttpRequest, account: Account, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        try:
            return view(request, account, *args, **kwargs)
        except CalendarError as error:
            return render(request, "office/no_calendar.html", {"message": error.message}, status=503)

    return signed_in(guarded)


def office_choices(request: HttpRequest, account: Account) -> Choices:
    """What the credit office works on. PermissionDenied for anybody else; Http404 for an unknown policy."""
    refuse_if(refusals_to_run_the_office(account))
    return _choices(request, overseen_policies(timezone.localdate()))


def overseers_choices(request: HttpRequest, account: Account) -> Choices:
    """What the credit office and the leads of justice and data read. PermissionDenied, Http404 as above."""
    refuse_if(refusals_to_see_all_quality(account))
    return _choices(request, overseen_policies(timezone.localdate()))


def unit_choices(request: HttpRequest, account: Account) -> tuple[RegisteredUnit, Choices]:
    """What an officer looks at: the own unit, and a policy. PermissionDenied for who belongs to none."""
    if account.role not in OF_A_UNIT:
        raise PermissionDenied("只有数源单位的工作人员可以打开本页，信用办请看“归集覆盖”和“评分”。")
    unit = own_unit(account)
    return unit, _choices(request, unit_policies(unit, timezone.localdate()))


def _choices(request: HttpRequest, policies: list[Policy]) -> Choices:
    asked = request.GET.get("policy", "") or request.POST.get("policy", "")
    found = next((policy for policy in policies if asked in ("", policy.id)), None)
    if found is None:
        raise Http404("没有这项政策。")
    return Choices(found, policies)


def read_month(text: str) -> Month:
    """A month of an address. Http404 for what is none or has not begun."""
    try:
        month = Month.read(text)
    except ValueError:
        raise Http404("没有这个月份。") from None
    if month.first > timezone.localdate():
        raise Http404("这个月还没有到。")
    return month


def asked_month(request: HttpRequest) -> Month:
    """The month asked for, else the latest that is over."""
    text = request.GET.get("month", "")
    return read_month(text) if text else latest_complete_month(timezone.localdate())


def months_to_choose() -> list[Month]:
    """The months a page offers, latest first, the running one included."""
    this = Month.of(timezone.localdate())
    return [this.plus(-n) for n in range(MONTHS_BACK)]


def in_words(month: Month) -> str:
    """2026年10月."""
    return f"{month.year}年{month.number}月"
