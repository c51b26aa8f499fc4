from django.db import migrations, models


class Migration(migrations.Migration):
    """Keys of batches under a key-encryption key that replaced the one they were taken in under."""

    dependencies = [
        ("ledger", "0007_identical_stretches"),
    ]

    operations = [
        migrations.CreateModel(
            name="BatchKey",
            fields=[
                ("batch_id", models.BigIntegerField(primary_key=True, serialize=False)),
                ("wrapped_key", models.BinaryField()),
            ],
        ),
    ]
