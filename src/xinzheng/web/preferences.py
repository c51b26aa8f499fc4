"""What a visitor prefers, remembered in a cookie: 长辈模式 and its size."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from xinzheng.web.access import form_on, safe_return
from xinzheng.web.context import ELDER_COOKIE, ELDER_SIZES

ONE_YEAR = 365 * 24 * 60 * 60


@form_on("/")
def choose_elder(request: HttpRequest) -> HttpResponse:
    """Switch 长辈模式 on in a size, or off, and go back to the page it was switched on."""
    response = HttpResponseRedirect(safe_return(request, request.POST.get("next", "/")))
    size = request.POST.get("size", "")
    if size in ELDER_SIZES:
        response.set_cookie(ELDER_COOKIE, size, max_age=ONE_YEAR, samesite="Lax", secure=request.is_secure())
    else:
        response.delete_cookie(ELDER_COOKIE, samesite="Lax")
    return response
