
import django.db.models.deletion
import django.db.models.functions.datetime
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('reports', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='DocumentStamp',
            fields=[
                ('report', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='stamp', serialize=False, to='reports.report')),
                ('token', models.BinaryField()),
                ('sha256', models.BinaryField(max_length=32)),
                ('authority', models.TextField()),
                ('stamped_at', models.DateTimeField()),
                ('stored_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
        ),
        migrations.CreateModel(
            name='Look',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('report_number', models.TextField()),
                ('way', models.TextField()),
                ('by', models.TextField()),
                ('status', models.TextField()),
                ('at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
        ),
        migrations.CreateModel(
            name='ReportGap',
            fields=[
                ('report', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='gaps', to='reports.report')),
                ('pk', models.CompositePrimaryKey('report_id', 'unit_id', 'domain', 'kind', blank=True, editable=False, primary_key=True, serialize=False)),
                ('unit_id', models.BigIntegerField()),
                ('domain', models.TextField()),
                ('kind', models.TextField()),
            ],
        ),
        migrations.CreateModel(
            name='ReportScope',
            fields=[
                ('report', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='scope', serialize=False, to='reports.report')),
                ('subject_id', models.BigIntegerField()),
                ('policy_id', models.TextField()),
                ('from_date', models.DateField()),
                ('to_date', models.DateField()),
                ('as_of_date', models.DateField()),
                ('as_of', models.DateTimeField()),
                ('position', models.BigIntegerField()),
                ('masked_name', models.TextField()),
                ('report_title', models.TextField()),
                ('policy_title', models.TextField()),
                ('record_word', models.TextField()),
                ('is_demonstration', models.BooleanField()),
            ],
        ),
        migrations.CreateModel(
            name='ReportTie',
            fields=[
                ('report', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='ties', to='reports.report')),
                ('pk', models.CompositePrimaryKey('report_id', 'subject_id', blank=True, editable=False, primary_key=True, serialize=False)),
                ('subject_id', models.BigIntegerField(db_index=True)),
            ],
        ),
        migrations.CreateModel(
            name='ReviewCursor',
            fields=[
                ('name', models.TextField(primary_key=True, serialize=False)),
                ('position', models.BigIntegerField()),
            ],
        ),
        migrations.CreateModel(
            name='ReviewFlag',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('entry_id', models.BigIntegerField()),
                ('why', models.TextField()),
                ('flagged_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('decided_at', models.DateTimeField(null=True)),
                ('answer', models.TextField(default='')),
            ],
        ),
        migrations.CreateModel(
            name='ReviewSweep',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('entry_id', models.BigIntegerField()),
                ('policy_id', models.TextField(default='')),
                ('unit_id', models.BigIntegerField()),
                ('domain', models.TextField()),
                ('kind', models.TextField()),
                ('from_date', models.DateField()),
                ('through_date', models.DateField()),
                ('last_number', models.TextField(default='')),
                ('begun_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('done_at', models.DateTimeField(null=True)),
            ],
        ),
        migrations.AddField(
            model_name='statusevent',
            name='caused_by',
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name='statusevent',
            name='effective_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='statusevent',
            name='reason_code',
            field=models.TextField(default=''),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='documentstamp',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='7c19108f960516b47f757cc05346fe2c4b78ce79', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_f40a3', table='reports_documentstamp', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='documentstamp',
            trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='244d43dcce0598e512b110004f562666f312cfd5', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_4db2a', table='reports_documentstamp', when='BEFORE')),
        ),
        migrations.AddIndex(
            model_name='look',
            index=models.Index(fields=['report_number', 'at'], name='looks_of_report'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='look',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='7a4fc2c114014bef2a28463cff145e682e241591', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_8b67b', table='reports_look', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='look',
            trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='c4d05c63f242eca32c399854a27ade5efc5f17ab', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_de9a8', table='reports_look', when='BEFORE')),
        ),
        migrations.AddIndex(
            model_name='reportscope',
            index=models.Index(fields=['policy_id', 'report'], name='scope_of_policy'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='reportscope',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='948a302a2495e753e135b2cbb48ae3179f45043d', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_f634a', table='reports_reportscope', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='reportscope',
            trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='35394799077a9bfb5a9752293a8592ce4c638807', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_1ac83', table='reports_reportscope', when='BEFORE')),
        ),
        migrations.AddField(
            model_name='reviewflag',
            name='report',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='flags', to='reports.report'),
        ),
        migrations.AddIndex(
            model_name='reportgap',
            index=models.Index(fields=['unit_id', 'domain', 'kind'], name='gap_of_source'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='reportgap',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='98159f83801604bc5e92320df8d84b69f35d3aef', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_6f9c2', table='reports_reportgap', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='reportgap',
            trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='5a6e60fe3f6f130c7b870d94d6c4ff9feec6f6c2', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_39bee', table='reports_reportgap', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='reporttie',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='e73ea9104d9df6fd8c274538d8ea082992c8add0', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_72b95', table='reports_reporttie', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='reporttie',
            trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='3f2b296f0d8795105ee78c81523b90653cc27067', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_4072c', table='reports_reporttie', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='reviewflag',
            constraint=models.UniqueConstraint(condition=models.Q(('decided_at__isnull', True)), fields=('report',), name='one_open_flag_per_report'),
        ),
    ]
