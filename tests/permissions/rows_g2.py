"""Who is let in at the operations for platforms; they have no pages."""

from tests.permissions.operations import FOR_PEOPLE, FOR_PLATFORMS, operation

ROWS = ()
NUMBER, SHARE = {"number": "report"}, {"code_id": "share"}
SUBJECT = {"subject": "subject"}
WEBHOOK = {"webhook_id": "webhook_of_platform"}

OPERATIONS = (
    operation("get", "application-forms", FOR_PEOPLE, query=SUBJECT),
    operation("post", "applications", FOR_PEOPLE, body="application"),
    operation("get", "applications/{application_id}", FOR_PEOPLE, application_id="application"),
    operation("get", "reports", FOR_PEOPLE, query=SUBJECT),
    operation("get", "reports/{number}", FOR_PEOPLE, **NUMBER),
    operation("get", "reports/{number}/file", FOR_PEOPLE, **NUMBER),
    operation("get", "reports/{number}/views", FOR_PEOPLE, **NUMBER),
    operation("post", "reports/{number}/codes", FOR_PEOPLE, body="terms", **NUMBER),
    operation("get", "codes/{code_id}", FOR_PEOPLE, **SHARE),
    operation("delete", "codes/{code_id}", FOR_PEOPLE, **SHARE),
    operation("post", "codes/{code_id}/shown", FOR_PEOPLE, **SHARE),
    operation("get", "notices", FOR_PLATFORMS),
    operation("get", "webhooks", FOR_PLATFORMS),
    operation("post", "webhooks", FOR_PLATFORMS, body="webhook"),
    operation("get", "webhooks/{webhook_id}", FOR_PLATFORMS, **WEBHOOK),
    operation("delete", "webhooks/{webhook_id}", FOR_PLATFORMS, **WEBHOOK),
    operation("post", "webhooks/{webhook_id}/test", FOR_PLATFORMS, **WEBHOOK),
    operation("post", "webhooks/{webhook_id}/secret", FOR_PLATFORMS, **WEBHOOK),
)
