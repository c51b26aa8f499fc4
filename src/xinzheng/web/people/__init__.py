"""Pages about who acts for whom and about one's own data."""
