"""Addresses of objections."""

from django.urls import path

from xinzheng.web.objections import new, standing

urlpatterns = [
    path("objections", standing.objections, name="objections"),
    path("objections/new", new.new_objection, name="objection-new"),
    path("objections/<str:number>", standing.objection, name="objection"),
    path("objections/<str:number>/act", standing.act, name="objection-act"),
    path("objections/<str:number>/evidence/<int:evidence_id>", standing.evidence, name="objection-evidence"),
]
