import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('audit', '0003_leaves_waiting'),
    ]

    operations = [
        migrations.AlterField(
            model_name='logplace',
            name='leaf',
            field=models.OneToOneField(db_constraint=False, on_delete=django.db.models.deletion.PROTECT, related_name='place', to='audit.logleaf'),
        ),
    ]
