"""The announcements that a page shows above its text."""

from django import template
from django.template import Context

from xinzheng.apps.oversight.desk_models import Announcement
from xinzheng.web.connections.announced import announcements_for
from xinzheng.web.context import signed_in_account

register = template.Library()


@register.simple_tag(takes_context=True)
def announcements(context: Context) -> list[Announcement]:
    """Those due now for whoever is there; works on error pages without a request, too."""
    account = signed_in_account(context.get("request"))
    return announcements_for(None if account is None else account.role)
