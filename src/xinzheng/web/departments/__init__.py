"""Pages of a department (数源单位)."""
