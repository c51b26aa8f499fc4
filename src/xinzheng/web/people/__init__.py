"""Pages of who acts for whom."""
