"""Addresses of screenings of lists."""

from django.urls import URLPattern, path

from xinzheng.web.screening import one, register, screenings

urlpatterns: list[URLPattern] = [
    path("office/screenings", screenings.screenings_page, name="office-screenings"),
    path("office/screenings/<uuid:screening_id>", one.screening, name="office-screening"),
    path("office/screenings/<uuid:screening_id>.<str:form>", one.screening_file, name="office-screening-file"),
    path("audit/screenings", register.screening_register, name="audit-screenings"),
]
