"""Templates to fill in, one for each record kind the unit may deliver."""

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from xinzheng.apps.accounts.models import Account
from xinzheng.apps.ledger.errors import IntakeError
from xinzheng.apps.ledger.templates import template_file
from xinzheng.web.access import signed_in
from xinzheng.web.departments.duties import own_unit

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@require_safe
@signed_in
def template(_request: HttpRequest, account: Account, kind: str) -> HttpResponse:
    """The template of a record kind as a workbook."""
    own_unit(account)
    try:
        data = template_file(kind)
    except IntakeError as error:
        raise Http404(error.message) from error
    response = HttpResponse(data, content_type=XLSX)
    response.headers["Content-Disposition"] = f'attachment; filename="{kind}.xlsx"'
    return response
