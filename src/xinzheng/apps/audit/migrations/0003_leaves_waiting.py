import django.contrib.postgres.indexes
import django.db.models.deletion
from django.db import migrations, models

QUEUE_WHAT_HAS_NO_PLACE = """
    INSERT INTO audit_logwaiting (leaf_id)
    SELECT id FROM audit_logleaf leaf WHERE NOT EXISTS (SELECT 1 FROM audit_logplace p WHERE p.leaf_id = leaf.id)
"""


class Migration(migrations.Migration):

    dependencies = [
        ('audit', '0002_transparency_log'),
    ]

    operations = [
        migrations.CreateModel(
            name='LogWaiting',
            fields=[
                ('leaf', models.OneToOneField(db_constraint=False, on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='waiting', serialize=False, to='audit.logleaf')),
            ],
        ),
        migrations.AddIndex(
            model_name='logleaf',
            index=django.contrib.postgres.indexes.HashIndex(fields=['leaf_hash'], name='leaf_by_hash'),
        ),
        migrations.RunSQL(QUEUE_WHAT_HAS_NO_PLACE, migrations.RunSQL.noop),
    ]
