"""Places on a page: lines, objects, layouts."""
