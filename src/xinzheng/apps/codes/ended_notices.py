"""Tell whom a report is about, and the platform that applied for it, that it holds no more (报告失效通知).

As with receivers' subscriptions: what is due is what stands in the tables and was not told.
"""

from django.db import connection, transaction

from xinzheng.apps.codes.delivering import deliver
from xinzheng.apps.codes.notice_events import REPORT_ENDED

# How far back is looked each minute; no transaction stays open nearly so long.
DAYS_BACK = 30
ENDED = """
    SELECT e.id, e.report_id, e.status, e.reason_code, coalesce(e.effective_at, e.at) AS since, r.subject_id
    FROM reports_statusevent e JOIN reports_report r ON r.number = e.report_id
    WHERE e.status IN ('superseded', 'revoked') AND e.at > now() - make_interval(days => %(days)s)
"""
TELL_SUBJECTS = f"""
WITH ended AS ({ENDED})
INSERT INTO codes_notice (id, event, source, client_id, subject_id, body)
SELECT gen_random_uuid(), %(event)s, 'status:' || id, '', subject_id,
       jsonb_build_object('number', report_id, 'status', status, 'since', since, 'reason', reason_code)
FROM ended e
WHERE NOT EXISTS (SELECT FROM codes_notice n WHERE n.source = 'status:' || e.id AND n.subject_id = e.subject_id)
ORDER BY id
ON CONFLICT DO NOTHING RETURNING id
"""  # noqa: S608  nothing but constants of this file
TELL_PLATFORMS = f"""
WITH ended AS ({ENDED})
INSERT INTO codes_notice (id, event, source, client_id, body)
SELECT gen_random_uuid(), %(event)s, 'status:' || e.id, a.client_id,
       jsonb_build_object('number', e.report_id, 'status', e.status, 'since', e.since)
FROM ended e
JOIN reports_application a ON a.subject_id = e.subject_id AND a.number = e.report_id
JOIN accounts_platform p ON p.client_id = a.client_id AND p.revoked_at IS NULL
WHERE NOT EXISTS (SELECT FROM codes_notice n WHERE n.source = 'status:' || e.id AND n.client_id = a.client_id)
ORDER BY e.id
ON CONFLICT DO NOTHING RETURNING id
"""  # noqa: S608  nothing but constants of this file


@transaction.atomic
def tell_of_ended_reports() -> int:
    """Write what subjects and platforms were not told yet of superseded and revoked reports; how many notices.

    Safe to run again.
    """
    told = []
    with connection.cursor() as cursor:
        for statement in (TELL_SUBJECTS, TELL_PLATFORMS):
            cursor.execute(statement, {"days": DAYS_BACK, "event": REPORT_ENDED})
            told += [key for (key,) in cursor.fetchall()]
    if told:
        deliver(told)
    return len(told)
