"""Pages of a subject and its agent (经办人)."""
