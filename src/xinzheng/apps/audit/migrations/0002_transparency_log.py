
import django.db.models.deletion
import django.db.models.functions.datetime
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('audit', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='Checkpoint',
            fields=[
                ('size', models.BigIntegerField(primary_key=True, serialize=False)),
                ('root', models.BinaryField(max_length=32)),
                ('note', models.TextField()),
                ('made_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
        ),
        migrations.CreateModel(
            name='KeyEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key_id', models.TextField()),
                ('purpose', models.TextField()),
                ('event', models.TextField()),
                ('material', models.BinaryField()),
                ('effective_at', models.DateTimeField()),
                ('reason', models.TextField(default='')),
                ('at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
        ),
        migrations.CreateModel(
            name='LogLeaf',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('data', models.BinaryField()),
                ('leaf_hash', models.BinaryField(max_length=32)),
                ('kind', models.TextField()),
                ('object_id', models.TextField()),
                ('added_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
        ),
        migrations.CreateModel(
            name='LogNode',
            fields=[
                ('pk', models.CompositePrimaryKey('level', 'index', blank=True, editable=False, primary_key=True, serialize=False)),
                ('level', models.SmallIntegerField()),
                ('index', models.BigIntegerField()),
                ('hash', models.BinaryField(max_length=32)),
            ],
        ),
        migrations.CreateModel(
            name='LogPlace',
            fields=[
                ('index', models.BigIntegerField(primary_key=True, serialize=False)),
            ],
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='checkpoint',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='d8ad92bdef105590e945d427475bc902c22dac79', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_92e06', table='audit_checkpoint', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='checkpoint',
            trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='3f62a6ad16cdf1442d8b73513aba3bfffa62c56e', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_bfd75', table='audit_checkpoint', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='keyevent',
            constraint=models.CheckConstraint(condition=models.Q(('purpose__in', ['document', 'seal', 'log', 'stamp', 'root'])), name='key_purpose_known'),
        ),
        migrations.AddConstraint(
            model_name='keyevent',
            constraint=models.CheckConstraint(condition=models.Q(('event__in', ['published', 'retired', 'compromised'])), name='key_event_known'),
        ),
        migrations.AddConstraint(
            model_name='keyevent',
            constraint=models.UniqueConstraint(fields=('key_id', 'purpose', 'event'), name='key_event_once'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='keyevent',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='8ef34c09c641f2754d9ddbc44025bacdd49562c0', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_a7d0e', table='audit_keyevent', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='keyevent',
            trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='96f4caed06c4e321c2a15d71314bb748e702bbca', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_084e7', table='audit_keyevent', when='BEFORE')),
        ),
        migrations.AddIndex(
            model_name='logleaf',
            index=models.Index(fields=['object_id', 'kind'], name='leaf_of_object'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='logleaf',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='6686617893aa912fa9bb94617a6f678d9cdf51d8', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_0f5c4', table='audit_logleaf', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='logleaf',
            trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='b2d7cfcb88b80af16731c29fcd11d2d155d2774f', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_e377e', table='audit_logleaf', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='lognode',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='67d37aa8dfb9c8d396bf78ebb691f6d0c9ac7aa7', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_7fca7', table='audit_lognode', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='lognode',
            trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='69e26242ce872c0f6b0ed576ddbcd8c9f4f0bbbf', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_9e861', table='audit_lognode', when='BEFORE')),
        ),
        migrations.AddField(
            model_name='logplace',
            name='leaf',
            field=models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='place', to='audit.logleaf'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='logplace',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='e6d87623812e9d142dc451a87a8c2b82359e71b1', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_b4687', table='audit_logplace', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='logplace',
            trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='2bf05d7cb7d08d6f9870bdbfcc8f77ca7c7b6c3d', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_3fbe8', table='audit_logplace', when='BEFORE')),
        ),
    ]
