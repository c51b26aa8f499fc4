from django.db import migrations, models


class Migration(migrations.Migration):
    """Keys that act for a unit's responsible officer."""

    dependencies = [
        ("accounts", "0002_api_keys"),
    ]

    operations = [
        migrations.AddField(
            model_name="apikey",
            name="is_responsible",
            field=models.BooleanField(default=False),
        ),
    ]
