"""Pages of bodies that are shown reports (核验单位)."""
