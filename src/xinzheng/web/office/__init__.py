"""Pages on the quality of data: the credit office's of all units, and each unit's own."""
