"""Work of the codes app that runs behind the pages."""

from xinzheng.apps.codes import (  # noqa: F401  their tasks are found through this module
    tasks_batches,
    tasks_codes,
    tasks_mail,
    tasks_notices,
    tasks_webhooks,
)
