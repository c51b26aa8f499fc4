"""Tell a platform what became of the applications it submitted (申请结果通知): found in the tables, told once each."""

from django.db import connection, transaction

from xinzheng.apps.accounts.models import Platform
from xinzheng.apps.codes.delivering import deliver
from xinzheng.apps.codes.notice_events import APPLICATION_DONE

# One that failed and was tried again is told of twice: by its state.
TELL = """
INSERT INTO codes_notice (id, event, source, client_id, body)
SELECT gen_random_uuid(), %s, 'application:' || a.id || ':' || a.state, a.client_id,
       jsonb_build_object('application', a.id, 'status', a.state, 'number', a.number)
FROM reports_application a JOIN accounts_platform p ON p.client_id = a.client_id AND p.revoked_at IS NULL
WHERE a.state IN ('done', 'failed') AND NOT EXISTS (
    SELECT FROM codes_notice n WHERE n.source = 'application:' || a.id || ':' || a.state
)
ON CONFLICT DO NOTHING RETURNING id
"""


@transaction.atomic
def tell_of_applications() -> int:
    """Write the notices of applications that are done or failed and were not told of; how many. Safe to run again."""
    if not Platform.objects.filter(revoked_at=None).exists():
        return 0
    with connection.cursor() as cursor:
        cursor.execute(TELL, [APPLICATION_DONE])
        told = [key for (key,) in cursor.fetchall()]
    if told:
        deliver(told)
    return len(told)
