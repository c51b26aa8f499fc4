"""Coverage statements: declare, return zero, take back."""

from dataclasses import asdict
from http import HTTPStatus

from django.http import HttpRequest
from ninja import Router

from xinzheng.api.callers import Body, Caller, UnitKey, caller_of
from xinzheng.api.v1.refusals import refuses
from xinzheng.api.v1.schemas import CoverageAnswer, PeriodFields, StatementFields, WithdrawalFields
from xinzheng.apps.ledger.actions import CoverageResult, Scope, declare_coverage, declare_zero, withdraw_coverage

JSON = Body("application/json", 64 * 1024)
NOT_RESPONSIBLE = {HTTPStatus.FORBIDDEN: ("unit-not-responsible",)}

router = Router(tags=["coverage"])


@router.post(
    "/coverage",
    auth=UnitKey(JSON),
    response={201: CoverageAnswer},
    operation_id="declareCoverage",
    summary="声明一段时间的数据已经完整，包括零报告",
    openapi_extra=refuses(NOT_RESPONSIBLE | {HTTPStatus.CONFLICT: ("not-a-zero-return", "lines-waiting")}),
)
def declare(request: HttpRequest, statement: StatementFields) -> CoverageAnswer:
    """State that all records of the scope decided in the period are in the ledger."""
    caller = caller_of(request)
    first, last = statement.covers_from, statement.covers_through
    state = declare_zero if statement.zero_return else declare_coverage
    return _answer(state(_scope(caller, statement), from_date=first, through_date=last, by=caller.actor))


@router.post(
    "/coverage/withdrawals",
    auth=UnitKey(JSON),
    response={201: CoverageAnswer},
    operation_id="withdrawCoverage",
    summary="撤回一段时间的覆盖声明",
    openapi_extra=refuses(NOT_RESPONSIBLE | {HTTPStatus.CONFLICT: ("nothing-stated",)}),
)
def withdraw(request: HttpRequest, withdrawal: WithdrawalFields) -> CoverageAnswer:
    """Take back what was stated for the period; what was stated outside it stays."""
    caller = caller_of(request)
    first, last = withdrawal.covers_from, withdrawal.covers_through
    scope = _scope(caller, withdrawal)
    result = withdraw_coverage(scope, from_date=first, through_date=last, by=caller.actor, reason=withdrawal.reason)
    return _answer(result)


def _scope(caller: Caller, fields: PeriodFields) -> Scope:
    return Scope(caller.uscc, fields.domain_code, fields.kind)


def _answer(result: CoverageResult) -> CoverageAnswer:
    return CoverageAnswer(**asdict(result))
