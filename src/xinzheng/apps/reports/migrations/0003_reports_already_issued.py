"""Scope, ties and gaps of the reports that were issued before these were kept; and what reviewing needs besides."""

import json
from typing import Any

from django.db import migrations, models

from xinzheng.core.identifiers import mask_name

MISSING = """
    SELECT r.number, r.content FROM reports_report r
    WHERE r.number = ANY(%s) AND NOT EXISTS (SELECT 1 FROM reports_reportscope s WHERE s.report_id = r.number)
"""

SCOPE = """
    INSERT INTO reports_reportscope (
        report_id, subject_id, policy_id, from_date, to_date, as_of_date, as_of, position,
        masked_name, report_title, policy_title, record_word, is_demonstration)
    SELECT r.number, r.subject_id, r.policy_id, %(from)s, %(to)s, (r.as_of AT TIME ZONE 'Asia/Shanghai')::date, r.as_of,
           r.position, %(masked_name)s, %(report_title)s, %(policy_title)s, %(record_word)s, %(is_demonstration)s
    FROM reports_report r WHERE r.number = %(number)s
"""

TIES = """
    WITH RECURSIVE tied(subject_id, position, path) AS (
        SELECT r.subject_id, r.position, ARRAY[r.subject_id] FROM reports_report r WHERE r.number = %(number)s
        UNION ALL
        SELECT s.subject_id, t.position, t.path || s.subject_id
        FROM tied t
        JOIN registry_succession s ON s.successor_id = t.subject_id AND s.subject_id <> ALL (t.path)
        JOIN audit_position p ON p.entry_id = s.entry_id AND p.position <= t.position
        WHERE NOT coalesce((
            SELECT v.is_ended FROM registry_successionrevision v
            JOIN audit_position q ON q.entry_id = v.entry_id AND q.position <= t.position
            WHERE v.succession_id = s.id ORDER BY q.position DESC LIMIT 1
        ), false)
    )
    INSERT INTO reports_reporttie (report_id, subject_id) SELECT DISTINCT %(number)s, subject_id FROM tied
"""

# A report names the units whose data was missing as they were called then, not for which kinds: all of the domain are
# taken, which makes one more report looked at again and none less.
GAPS = """
    INSERT INTO reports_reportgap (report_id, unit_id, domain, kind)
    SELECT DISTINCT %(number)s, d.unit_id, d.domain, d.kind
    FROM (
        SELECT DISTINCT ON (d.domain, d.kind, d.unit_id) d.domain, d.kind, d.unit_id, d.is_ended, r.position
        FROM reports_report r
        JOIN registry_responsibility d ON d.policy_id = r.policy_id AND d.domain = %(domain)s
        JOIN audit_position p ON p.entry_id = d.entry_id AND p.position <= r.position
        WHERE r.number = %(number)s ORDER BY d.domain, d.kind, d.unit_id, p.position DESC
    ) d
    CROSS JOIN LATERAL (
        SELECT v.short_name FROM registry_unitversion v
        JOIN audit_position p ON p.entry_id = v.entry_id AND p.position <= d.position
        WHERE v.unit_id = d.unit_id ORDER BY p.position DESC LIMIT 1
    ) v
    WHERE NOT d.is_ended AND v.short_name = ANY(%(units)s)
"""


def note_reports_already_issued(apps: Any, schema_editor: Any) -> None:
    """Fill the three tables for reports without a scope, 500 at a time."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT number FROM reports_report ORDER BY number")
        numbers = [row[0] for row in cursor.fetchall()]
        for first in range(0, len(numbers), 500):
            cursor.execute(MISSING, [numbers[first : first + 500]])
            for number, content in cursor.fetchall():
                note_report(cursor, number, json.loads(bytes(content)))


def note_report(cursor: Any, number: str, content: dict[str, Any]) -> None:
    """Fill the three tables for one report."""
    subject, policy = content["subject"], content["policy"]
    texts = {
        "masked_name": mask_name(subject["name"], is_person=subject["kind"] == "natural_person"),
        "report_title": content["title"][0],
        "policy_title": policy["document_title"],
        "record_word": policy["record_word"],
        "is_demonstration": content["demonstration"],
    }
    period = {"from": content["scope"]["from"], "to": content["scope"]["to"]}
    cursor.execute(SCOPE, {"number": number, **period, **texts})
    cursor.execute(TIES, {"number": number})
    for domain in content["domains"]:
        if domain["result"] == "not_verifiable" and domain["missing_units"]:
            cursor.execute(GAPS, {"number": number, "domain": domain["code"], "units": domain["missing_units"]})


class Migration(migrations.Migration):
    dependencies = [
        ("reports", "0002_status_and_stamps"),
        ("registry", "0003_return_channels"),
        ("audit", "0001_initial"),
    ]

    operations = [
        migrations.RemoveIndex(model_name="reportgap", name="gap_of_source"),
        migrations.AddField(
            model_name="reviewflag", name="waits_since", field=models.BigIntegerField(null=True)
        ),
        migrations.AddIndex(
            model_name="reportgap",
            index=models.Index(fields=["unit_id", "domain", "kind", "report"], name="gap_of_source"),
        ),
        migrations.AddIndex(
            model_name="reviewflag",
            index=models.Index(condition=models.Q(("decided_at__isnull", True)), fields=["id"], name="open_flags"),
        ),
        migrations.RunPython(note_reports_already_issued, migrations.RunPython.noop),
    ]
