from django.db import migrations, models


class Migration(migrations.Migration):
    """The reports that are no longer in force, newest first, among a million that are."""

    dependencies = [
        ("reports", "0003_reports_already_issued"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="statusevent",
            index=models.Index(
                fields=["id"],
                condition=models.Q(status__in=["superseded", "revoked", "expired"]),
                name="ended_reports",
            ),
        ),
    ]
