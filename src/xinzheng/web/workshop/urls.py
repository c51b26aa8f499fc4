"""Addresses of the policy workshop."""

from django.urls import path

from xinzheng.web.workshop import comparing, growing, policies, proposals

urlpatterns = [
    path("office/policies", policies.policies, name="office-policies"),
    path("office/policies/drafts/<uuid:proposal_id>", proposals.proposal, name="office-policy-draft"),
    path("office/policies/<slug:policy_id>/compare", comparing.compare, name="office-policy-compare"),
    path("office/growth", growing.growth, name="office-growth"),
]
