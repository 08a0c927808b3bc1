"""Helpers that several formats share: pages, tables, formulas, archives, XML."""
