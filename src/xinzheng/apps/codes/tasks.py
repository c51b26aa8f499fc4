"""Work of the codes app that runs behind the pages."""

from xinzheng.apps.codes import tasks_batches, tasks_codes  # noqa: F401  their tasks are found through this module
