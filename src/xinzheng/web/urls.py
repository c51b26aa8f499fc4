"""Addresses of the pages."""

from django.urls import path
from django.views.generic import RedirectView

from xinzheng.web import preferences
from xinzheng.web.administration import keys
from xinzheng.web.departments import batches, desk, held, statements, templates_page, uploads
from xinzheng.web.office import (
    bulletins,
    coverage,
    held_batches,
    officers,
    reconciliation,
    reminders,
    review,
    scores,
    waivers,
)
from xinzheng.web.public import guide, home, policies, sign_in, verify
from xinzheng.web.subjects import apply, reports

urlpatterns = [
    path("", home.home, name="home"),
    path("sign-in", sign_in.sign_in, name="sign-in"),
    path("sign-out", sign_in.sign_out, name="sign-out"),
    path("guide", guide.guide, name="guide"),
    path("policies", policies.policies, name="policies"),
    path("policies/<slug:policy_id>", policies.policy_page, name="policy"),
    path("verify", verify.verify, name="verify"),
    path("v", RedirectView.as_view(pattern_name="verify"), name="verify-printed"),
    path("v/<str:code>", verify.verify_address, name="verify-address"),
    path("apply", apply.apply, name="apply"),
    path("applications/<uuid:application_id>", apply.application, name="application"),
    path("applications/<uuid:application_id>/retry", apply.retry, name="application-retry"),
    path("reports", reports.reports, name="reports"),
    path("reports/<str:number>.pdf", reports.report_file, name="report-file"),
    path("reports/<str:number>", reports.report, name="report"),
    path("department", desk.department, name="department"),
    path("department/upload", uploads.upload, name="department-upload"),
    path("department/uploads/<int:upload_id>", uploads.upload_progress, name="department-upload-progress"),
    path("department/zero", desk.zero_return, name="department-zero"),
    path("department/zero/gap", statements.zero_gap, name="department-zero-gap"),
    path("department/coverage/withdraw", statements.withdraw, name="department-coverage-withdraw"),
    path("department/batches/<int:batch_id>", batches.batch, name="department-batch"),
    path("department/batches/<int:batch_id>/defects.csv", batches.defects_csv, name="department-defects"),
    path("department/batches/<int:batch_id>/file", batches.raw_file, name="department-file"),
    path("department/batches/<int:batch_id>/confirm", held.confirm, name="department-confirm"),
    path("department/batches/<int:batch_id>/decline", held.decline, name="department-decline"),
    path("department/batches/<int:batch_id>/withdraw", batches.withdraw, name="department-withdraw"),
    path("department/batches/<int:batch_id>/explain", batches.explain, name="department-explain"),
    path("department/templates/<slug:kind>.xlsx", templates_page.template, name="department-template"),
    path("department/calendar", coverage.unit_calendar, name="department-calendar"),
    path("department/score", scores.unit_score, name="department-score"),
    path("department/reconciliation", reconciliation.unit_reconciliation, name="department-reconciliation"),
    path("department/reconciliation/<int:reconciliation_id>/sign", reconciliation.sign, name="department-sign"),
    path("office", RedirectView.as_view(pattern_name="office-coverage"), name="office"),
    path("office/coverage", coverage.office_coverage, name="office-coverage"),
    path("office/scores", scores.office_scores, name="office-scores"),
    path("office/bulletins", bulletins.bulletins, name="office-bulletins"),
    path("office/bulletins/<str:month>.pdf", bulletins.bulletin_paper, name="office-bulletin-paper"),
    path("office/bulletins/<str:month>.xlsx", bulletins.bulletin_table, name="office-bulletin-table"),
    path("office/bulletins/<str:month>", bulletins.bulletin, name="office-bulletin"),
    path("office/reminders", reminders.office_reminders, name="office-reminders"),
    path("office/held", held_batches.office_held, name="office-held"),
    path("office/review", review.review, name="office-review"),
    path("office/review/<int:subject_id>", review.review_subject, name="office-review-subject"),
    path("office/review/<int:subject_id>/decide", review.decide_review, name="office-review-decide"),
    path("office/waivers", waivers.office_waivers, name="office-waivers"),
    path("office/officers", officers.officers, name="office-officers"),
    path("office/reconciliations", reconciliation.office_reconciliations, name="office-reconciliations"),
    path("administration/keys", keys.keys, name="keys"),
    path("administration/keys/<int:key_id>/revoke", keys.revoke, name="key-revoke"),
    path("preferences/elder", preferences.choose_elder, name="elder"),
]
