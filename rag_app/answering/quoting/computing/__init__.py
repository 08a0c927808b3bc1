"""Figures that no page has, computed from rows that pages have: ratios, margins, growth."""
