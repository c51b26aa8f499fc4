from django.db import migrations, models


class Migration(migrations.Migration):
    """Confirmations of held batches that wait behind the scenes, one of a batch at a time."""

    dependencies = [
        ("ledger", "0008_batch_keys"),
    ]

    operations = [
        migrations.AddField(
            model_name="upload",
            name="confirms_id",
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddConstraint(
            model_name="upload",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state__in", ["queued", "running"])),
                fields=("confirms_id",),
                name="one_open_confirmation",
            ),
        ),
    ]
