"""Every address of the site; the pages bring their own."""

from importlib.util import find_spec

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [path("api/", include("xinzheng.api.urls"))]

if find_spec("xinzheng.web.urls") is not None:
    urlpatterns.append(path("", include("xinzheng.web.urls")))
