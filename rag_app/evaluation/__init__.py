"""Measures which strategy is better: data sets, metrics, runs, comparisons, reports.

dataset ──corpus──▶ library ──runner──▶ rankings ──metrics──▶ values a question ──comparing──▶ intervals
"""
