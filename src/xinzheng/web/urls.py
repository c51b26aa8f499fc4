"""Addresses of the pages."""

from django.urls import include, path
from django.views.generic import RedirectView

from xinzheng.web import preferences
from xinzheng.web.administration import keys
from xinzheng.web.departments import batches, desk, held, maps, statements, templates_page, uploads, waiting
from xinzheng.web.departments import objections as unit_objections
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
from xinzheng.web.office import objections as office_objections
from xinzheng.web.office import reports as office_reports
from xinzheng.web.public import batch_verify, guide, home, log, offline, pki, policies, statistics, verify, well_known
from xinzheng.web.subjects import apply, proof, reports

urlpatterns = [
    # Asked by machines every few seconds, without a session.
    path("", include("xinzheng.web.observing.urls")),
    # Scanned at counters, many at once: found before all others are tried.
    path("", include("xinzheng.web.codes.urls")),
    path("", home.home, name="home"),
    path("guide", guide.guide, name="guide"),
    path("policies", policies.policies, name="policies"),
    path("policies/<slug:policy_id>", policies.policy_page, name="policy"),
    path("verify", verify.verify, name="verify"),
    path("verify/offline.html", offline.offline_verifier, name="offline-verifier"),
    path("verify/batch", batch_verify.verify_many, name="verify-batch"),
    path("verify/batch.xlsx", batch_verify.verify_many_table, name="verify-batch-table"),
    path("v", RedirectView.as_view(pattern_name="verify"), name="verify-printed"),
    path("v/<str:code>", verify.verify_address, name="verify-address"),
    path("apply", apply.apply, name="apply"),
    path("applications/<uuid:application_id>", apply.application, name="application"),
    path("applications/<uuid:application_id>/retry", apply.retry, name="application-retry"),
    path("reports", reports.reports, name="reports"),
    path("reports/<str:number>.pdf", reports.report_file, name="report-file"),
    path("reports/<str:number>/proof.json", proof.report_proof, name="report-proof"),
    path("reports/<str:number>", reports.report, name="report"),
    path("department", desk.department, name="department"),
    path("department/upload", uploads.upload, name="department-upload"),
    path("department/uploads/<int:upload_id>", uploads.upload_progress, name="department-upload-progress"),
    path("department/uploads/<int:upload_id>/map", maps.map_upload, name="department-upload-map"),
    path("department/maps", maps.maps, name="department-maps"),
    path("department/maps/new", maps.new_map, name="department-maps-new"),
    path("department/maps/<str:name>", maps.map_page, name="department-map"),
    path("department/maps/<str:name>/retire", maps.retire_map, name="department-map-retire"),
    path("department/zero", desk.zero_return, name="department-zero"),
    path("department/zero/gap", statements.zero_gap, name="department-zero-gap"),
    path("department/coverage/withdraw", statements.withdraw, name="department-coverage-withdraw"),
    path("department/batches/<int:batch_id>", batches.batch, name="department-batch"),
    path("department/batches/<int:batch_id>/defects.csv", batches.defects_csv, name="department-defects"),
    path("department/batches/<int:batch_id>/file", batches.raw_file, name="department-file"),
    path("department/batches/<int:batch_id>/confirm", held.confirm, name="department-confirm"),
    path("department/batches/<int:batch_id>/confirmation", held.confirmation, name="department-confirmation"),
    path("department/batches/<int:batch_id>/decline", held.decline, name="department-decline"),
    path("department/batches/<int:batch_id>/withdraw", batches.withdraw, name="department-withdraw"),
    path("department/batches/<int:batch_id>/explain", batches.explain, name="department-explain"),
    path("department/waiting", waiting.waiting, name="department-waiting"),
    path("department/waiting/explain", waiting.explain, name="department-waiting-explain"),
    path("department/waiting/<int:batch_id>.csv", waiting.waiting_csv, name="department-waiting-lines"),
    path("department/templates/<slug:kind>.xlsx", templates_page.template, name="department-template"),
    path("department/calendar", coverage.unit_calendar, name="department-calendar"),
    path("department/score", scores.unit_score, name="department-score"),
    path("department/reconciliation", reconciliation.unit_reconciliation, name="department-reconciliation"),
    path("department/reconciliation/<int:reconciliation_id>/sign", reconciliation.sign, name="department-sign"),
    path("department/objections", unit_objections.unit_objections, name="department-objections"),
    path("department/objections/<str:number>", unit_objections.unit_objection, name="department-objection"),
    path("department/objections/<str:number>/act", unit_objections.act, name="department-objection-act"),
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
    path("office/reports", office_reports.office_reports, name="office-reports"),
    path("office/reports/<str:number>", office_reports.office_one_report, name="office-report"),
    path("office/reports/<str:number>/revoke", office_reports.revoke, name="office-report-revoke"),
    path("office/objections", office_objections.office_objections, name="office-objections"),
    path("office/objections.xlsx", office_objections.office_objections_table, name="office-objections-table"),
    path("office/objections/<str:number>", office_objections.office_objection, name="office-objection"),
    path("office/objections/<str:number>/act", office_objections.act, name="office-objection-act"),
    path("office/waivers", waivers.office_waivers, name="office-waivers"),
    path("office/officers", officers.officers, name="office-officers"),
    path("office/reconciliations", reconciliation.office_reconciliations, name="office-reconciliations"),
    path("administration/keys", keys.keys, name="keys"),
    path("administration/keys/<int:key_id>/revoke", keys.revoke, name="key-revoke"),
    path("pki/<slug:name>.crl", pki.revocation_list, name="pki-crl"),
    path("pki/<slug:name>.cer", pki.root, name="pki-root"),
    path("log", log.log, name="log"),
    path("log/checkpoint", log.checkpoint, name="log-checkpoint"),
    path("log/tile/<path:path>", log.tile, name="log-tile"),
    path("log/consistency/<int:old>/<int:new>", log.consistency, name="log-consistency"),
    path("log/proof/<str:leaf_hash>", log.proof, name="log-proof"),
    path(".well-known/xinzheng.json", well_known.well_known, name="well-known"),
    path("statistics", statistics.statistics, name="statistics"),
    path("open-data/statistics.json", statistics.open_statistics, name="open-statistics"),
    path("preferences/elder", preferences.choose_elder, name="elder"),
    *(
        path("", include(f"xinzheng.web.{room}.urls"))
        for room in ("sign_in", "people", "administration", "audit", "receivers", "subjects", "platforms")
    ),
    *(path("", include(f"xinzheng.web.{room}.urls")) for room in ("objections", "repairs", "notices", "publicity")),
    *(path("", include(f"xinzheng.web.{room}.urls")) for room in ("desk", "workshop", "screening", "connections")),
]
