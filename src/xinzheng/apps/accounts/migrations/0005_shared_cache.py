"""The cache that all processes share: what it holds may be lost with the server, so it is not logged."""

from django.db import migrations

CREATE = """
    CREATE UNLOGGED TABLE accounts_sharedcache (
        cache_key varchar(255) PRIMARY KEY,
        value text NOT NULL,
        expires timestamptz NOT NULL
    );
    CREATE INDEX accounts_sharedcache_expires ON accounts_sharedcache (expires);
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0004_people_and_codes")]

    operations = [migrations.RunSQL(CREATE, "DROP TABLE accounts_sharedcache")]
