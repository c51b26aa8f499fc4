from django.db import migrations, models

import xinzheng.apps.ledger.models


class Migration(migrations.Migration):
    """Heads told apart by a number of their key: the index is a third of what it was."""

    dependencies = [
        ("ledger", "0009_queued_confirmations"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="recordhead",
            name="one_head_per_record",
        ),
        migrations.AddConstraint(
            model_name="recordhead",
            constraint=models.UniqueConstraint(
                models.F("subject_id"),
                xinzheng.apps.ledger.models.KeyNumber("kind", "record_key"),
                name="one_head_per_record",
            ),
        ),
    ]
