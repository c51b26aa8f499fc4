"""Keep reports' files as they are: they are compressed already, and trying it again costs more than storing them."""

from typing import ClassVar

from django.db import migrations


class Migration(migrations.Migration):
    dependencies: ClassVar = [("reports", "0004_ended_reports")]
    operations: ClassVar = [
        migrations.RunSQL(
            "ALTER TABLE reports_reportdocument ALTER COLUMN pdf SET STORAGE EXTERNAL",
            "ALTER TABLE reports_reportdocument ALTER COLUMN pdf SET STORAGE EXTENDED",
        )
    ]
